package tlog

import (
	"math/bits"
	"sync/atomic"

	"github.com/distkit/distkit/internal/merklehash"
	"github.com/distkit/distkit/merkle"
)

// edge has the hashes of the subtrees at the right edge of the tree of one size:
// parts[k] is over the entries from the k highest bits of the size on. The root is
// parts[0], and the last is a complete node. All others belong to this size only
// and are in no tile; most proofs need one of them.
type edge struct {
	size  uint64
	parts []merkle.Hash
}

// edges keeps the edge of the size that was asked for twice in a row, for proofs
// are mostly made for one root, the one that was published last.
type edges struct {
	kept  atomic.Pointer[edge]
	asked atomic.Uint64 // the size that was asked for before
}

// hash returns the hash of the subtree over [lo, hi), which must be a valid one.
func (s *store) hash(lo, hi uint64) merkle.Hash {
	if n := hi - lo; complete(n) {
		return *s.node(levelOf(n), lo>>levelOf(n))
	}
	// As the subtree is a valid one, lo is made of the highest bits of hi.
	e := s.edges.kept.Load()
	switch {
	case e != nil && e.size == hi:
	case s.edges.asked.Load() == hi:
		e = &edge{hi, make([]merkle.Hash, bits.OnesCount64(hi))}
		s.fold(0, hi, e.parts)
		s.edges.kept.Store(e)
	default:
		s.edges.asked.Store(hi)
		return s.fold(lo, hi, nil)
	}
	return e.parts[bits.OnesCount64(lo)]
}

// fold calculates the hash over [lo, hi) from its complete parts, from the last
// to the first, and fills parts with what it finds on the way if there are any.
func (s *store) fold(lo, hi uint64, parts []merkle.Hash) merkle.Hash {
	hasher := merklehash.Get()
	defer hasher.Put()
	level := bits.TrailingZeros64(hi - lo) // of the last complete part
	h := *s.node(level, hi>>level-1)
	for k := len(parts) - 1; ; k-- {
		if k >= 0 {
			parts[k] = h
		}
		if hi -= 1 << level; hi == lo {
			return h
		}
		level = bits.TrailingZeros64(hi - lo)
		h = combine(hasher, s.node(level, hi>>level-1), &h)
	}
}
