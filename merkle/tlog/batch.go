package tlog

import (
	"fmt"
	"math/bits"
	"slices"

	"github.com/distkit/distkit/internal/merklehash"
	"github.com/distkit/distkit/merkle"
)

// appendBatch walks the tree over [lo, hi), left first, and emits the hash of
// each subtree that has no index in it, as large as can be.
func (s *store) appendBatch(dst []merkle.Hash, indexes []uint64, lo, hi uint64) []merkle.Hash {
	if len(indexes) == 0 {
		return append(dst, s.hash(lo, hi))
	}
	if hi-lo == 1 {
		return dst
	}
	mid := lo + split(hi-lo)
	cut, _ := slices.BinarySearch(indexes, mid)
	dst = s.appendBatch(dst, indexes[:cut], lo, mid)
	return s.appendBatch(dst, indexes[cut:], mid, hi)
}

// VerifyBatch checks that the tree of size entries under root has the leaves at
// the indexes. Indexes that do not ascend strictly, or are not in the tree, are
// merkle.ErrRange; numbers of leaves or hashes that do not fit, and leaves that do
// not lead to the root, merkle.ErrProof. It takes at most 64 steps for an index,
// whatever the proof, and does not allocate for one that holds.
func VerifyBatch(root merkle.Hash, size uint64, indexes []uint64, leaves, proof []merkle.Hash) error {
	if err := checkIndexes(indexes, size); err != nil {
		return err
	}
	if len(leaves) != len(indexes) {
		return fmt.Errorf("tlog: %d leaves for %d indexes: %w", len(leaves), len(indexes), merkle.ErrProof)
	}
	if root.IsZero() {
		return errZero
	}
	b := batch{hasher: merklehash.Get(), leaves: leaves, proof: proof}
	defer b.hasher.Put()
	h := b.hash(indexes, 0, size)
	switch {
	case b.short || len(b.proof) > 0:
		return wrongLength(proof)
	case h != root:
		return fmt.Errorf("tlog: batch leads to root %v, not to %v: %w", h, root, merkle.ErrProof)
	}
	return nil
}

// batch is what a verification has not used yet.
type batch struct {
	hasher        *merklehash.Hasher
	leaves, proof []merkle.Hash
	short         bool // the proof had no hash where one was needed
}

// hash takes the walk of appendBatch and returns the hash of [lo, hi).
func (b *batch) hash(indexes []uint64, lo, hi uint64) merkle.Hash {
	if len(indexes) == 0 {
		return b.take()
	}
	if hi-lo == 1 {
		h := b.leaves[0]
		b.leaves = b.leaves[1:]
		return h
	}
	if len(indexes) == 1 && complete(hi-lo) {
		return b.climb(indexes[0]-lo, levelOf(hi-lo))
	}
	mid := lo + split(hi-lo)
	cut, _ := slices.BinarySearch(indexes, mid)
	left := b.hash(indexes[:cut], lo, mid)
	right := b.hash(indexes[cut:], mid, hi)
	if b.short { // nothing is left to find out
		return merkle.Hash{}
	}
	return combine(b.hasher, &left, &right)
}

// climb is hash for one leaf in a complete subtree. Below most nodes of the walk
// there is but one. The siblings to its left come first, from the top down, then
// those to its right, from the bottom up.
func (b *batch) climb(index uint64, levels int) merkle.Hash {
	h := b.leaves[0]
	b.leaves = b.leaves[1:]
	if len(b.proof) < levels {
		b.short = true
		return h
	}
	left := bits.OnesCount64(index) - 1
	right := left + 1
	for level := range levels {
		if index>>level&1 == 1 {
			h = combine(b.hasher, &b.proof[left], &h)
			left--
		} else {
			h = combine(b.hasher, &h, &b.proof[right])
			right++
		}
	}
	b.proof = b.proof[levels:]
	return h
}

func (b *batch) take() merkle.Hash {
	if len(b.proof) == 0 {
		b.short = true
		return merkle.Hash{}
	}
	h := b.proof[0]
	b.proof = b.proof[1:]
	return h
}
