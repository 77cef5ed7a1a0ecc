package tlog

import (
	"math"
	"math/bits"
	"slices"

	"github.com/distkit/distkit/internal/codec"
	"github.com/distkit/distkit/internal/merklehash"
	"github.com/distkit/distkit/merkle"
)

// Frontier is a range of a log, cut down to what its root needs: the hashes of
// the largest complete subtrees that cover it, at most 2*log2(n). It appends and
// gives roots, but proves nothing; use it where the log is too large to keep, to
// go on from a checkpoint, or to hash parts of a log in several places and to
// [Frontier.Merge] them.
//
// The zero Frontier is empty and begins with entry 0. One goroutine at a time may
// use a Frontier that changes.
type Frontier struct {
	begin, end uint64
	hashes     []merkle.Hash // of the subtrees, from left to right
}

// NewFrontier returns an empty frontier that begins with entry 0. The zero value
// will do as well.
func NewFrontier() *Frontier { return new(Frontier) }

// NewFrontierAt returns an empty frontier whose first entry will be begin.
func NewFrontierAt(begin uint64) *Frontier { return &Frontier{begin: begin, end: begin} }

// Append adds the entry whose [LeafHash] is leaf. It hashes one node on average.
// It panics if the index would be beyond 2^64-2.
func (f *Frontier) Append(leaf merkle.Hash) {
	if f.end == math.MaxUint64 {
		panic("tlog: frontier is at its last index, 2^64-2; NewFrontierAt takes a smaller one")
	}
	f.push(leaf, 0)
}

// push adds a complete subtree of 2^level entries at the end, which must be a
// multiple of them, and joins what has become complete.
func (f *Frontier) push(h merkle.Hash, level int) {
	end := f.end + 1<<level
	if f.joins(level) {
		h = f.join(h, level)
	}
	f.hashes = append(f.hashes, h)
	f.end = end
}

// joins tells whether the last subtree is of that level and left of one at the end.
func (f *Frontier) joins(level int) bool {
	return f.end>>level&1 == 1 && (f.end>>level-1)<<level >= f.begin
}

// join takes the last subtrees off and returns the hash of the node over them and h.
func (f *Frontier) join(h merkle.Hash, level int) merkle.Hash {
	hasher := merklehash.Get()
	defer hasher.Put()
	for ; f.joins(level); level++ {
		last := len(f.hashes) - 1
		h = combine(hasher, &f.hashes[last], &h)
		f.hashes = f.hashes[:last]
		f.end -= 1 << level
	}
	return h
}

// Begin returns the index of the first entry.
func (f *Frontier) Begin() uint64 { return f.begin }

// Size returns the number of entries; their indexes are Begin to Begin+Size-1.
func (f *Frontier) Size() uint64 { return f.end - f.begin }

// Root returns the root of the tree, if the frontier begins with entry 0, and
// [EmptyRoot] if it is empty. Where it begins later it returns the root of the
// subtree, and the zero Hash if its range is no subtree (the package comment says
// which are).
func (f *Frontier) Root() merkle.Hash {
	if f.begin == f.end {
		return EmptyRoot()
	}
	if checkSubtree(f.begin, f.end, f.end) != nil {
		return merkle.Hash{}
	}
	hasher := merklehash.Get()
	defer hasher.Put()
	last := len(f.hashes) - 1
	h := f.hashes[last]
	for i := last - 1; i >= 0; i-- {
		h = combine(hasher, &f.hashes[i], &h)
	}
	return h
}

// Merge adds the entries of next, which must begin where f ends; else it returns
// merkle.ErrIncompatible and leaves f as it was. It takes O(log n).
func (f *Frontier) Merge(next *Frontier) error {
	if f.end != next.begin {
		return codec.Incompatible("tlog", "frontier ends before entry %d, the next begins with %d", f.end, next.begin)
	}
	at := next.begin
	for _, h := range next.hashes {
		level := topLevel(at, next.end)
		f.push(h, level)
		at += 1 << level
	}
	return nil
}

// Clone returns a copy that shares nothing with f.
func (f *Frontier) Clone() *Frontier {
	return &Frontier{begin: f.begin, end: f.end, hashes: slices.Clone(f.hashes)}
}

// Equal tells whether f and other cover the same range by the same hashes.
func (f *Frontier) Equal(other *Frontier) bool {
	return f.begin == other.begin && f.end == other.end && slices.Equal(f.hashes, other.hashes)
}

// topLevel returns the level of the largest complete subtree that begins at lo
// and does not reach beyond hi.
func topLevel(lo, hi uint64) int {
	level := bits.Len64(hi-lo) - 1
	if lo != 0 {
		level = min(level, bits.TrailingZeros64(lo))
	}
	return level
}

// subtrees returns how many complete subtrees cover [begin, end).
func subtrees(begin, end uint64) (n int) {
	for ; begin < end; n++ {
		begin += 1 << topLevel(begin, end)
	}
	return n
}
