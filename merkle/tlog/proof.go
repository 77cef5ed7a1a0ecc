package tlog

import (
	"fmt"

	"github.com/distkit/distkit/internal/merklehash"
	"github.com/distkit/distkit/merkle"
)

// One walk makes all proofs but batches. The hash of a subtree [start, end) is
// known to the verifier; the proof has the hashes beside the path from the root
// of [lo, hi) to it. A single entry makes it a proof of inclusion, a start of 0
// one of consistency. A subtree that is no node of the tree, as its right border
// cuts through one, is followed down to its last complete part; the proof begins
// with the hash of that part.
func (s *store) appendPath(dst []merkle.Hash, start, end, lo, hi uint64) []merkle.Hash {
	var beside [64]struct{ lo, hi uint64 }
	n, whole := 0, true
	for ; start != lo || end != hi; n++ {
		if complete(hi-lo) && complete(end-start) {
			break
		}
		mid := lo + split(hi-lo)
		switch {
		case end <= mid:
			beside[n].lo, beside[n].hi = mid, hi
			hi = mid
		case start >= mid:
			beside[n].lo, beside[n].hi = lo, mid
			lo = mid
		default:
			beside[n].lo, beside[n].hi = lo, mid
			lo, start, whole = mid, mid, false
		}
	}
	if !whole {
		dst = append(dst, s.hash(start, end))
	}
	if end-start < hi-lo { // a node below a node: its siblings on each level between
		for level, top := levelOf(end-start), levelOf(hi-lo); level < top; level++ {
			dst = append(dst, *s.node(level, start>>level^1))
		}
	}
	for n--; n >= 0; n-- {
		dst = append(dst, s.hash(beside[n].lo, beside[n].hi))
	}
	return dst
}

// VerifyInclusion checks that the tree of size entries under root has leaf, a
// [LeafHash], at index. An index that the tree cannot have is merkle.ErrRange, a
// proof that does not lead from the leaf to the root merkle.ErrProof. It does not
// allocate for a proof that holds.
func VerifyInclusion(root merkle.Hash, size, index uint64, leaf merkle.Hash, proof []merkle.Hash) error {
	if err := checkIndex(index, 0, size); err != nil {
		return err
	}
	return verifyPath(leaf, index, index+1, root, size, proof)
}

// VerifyConsistency checks that the tree of newSize entries under newRoot begins
// with the oldSize entries under oldRoot: that nothing was changed or taken out.
// Equal sizes want an empty proof and equal roots. Sizes that are not
// 1 <= oldSize <= newSize are merkle.ErrRange, a proof that does not hold is
// merkle.ErrProof.
func VerifyConsistency(oldRoot merkle.Hash, oldSize uint64, newRoot merkle.Hash, newSize uint64, proof []merkle.Hash) error {
	if err := checkSizes(oldSize, newSize); err != nil {
		return err
	}
	return verifyPath(oldRoot, 0, oldSize, newRoot, newSize, proof)
}

// VerifySubtreeInclusion checks that the subtree of the entries [start, end)
// under root has leaf at index, which counts from the start of the log. A range
// that is no subtree, or does not have index, is merkle.ErrRange, a proof that does
// not hold merkle.ErrProof.
func VerifySubtreeInclusion(root merkle.Hash, start, end, index uint64, leaf merkle.Hash, proof []merkle.Hash) error {
	if err := checkSubtree(start, end, end); err != nil {
		return err
	}
	if err := checkIndex(index, start, end); err != nil {
		return err
	}
	return verifyPath(leaf, index-start, index-start+1, root, end-start, proof)
}

// VerifySubtreeConsistency checks that the tree of size entries under root has
// the subtree of [start, end), whose root is sub, in it. Of an empty subtree it
// checks that its root is [EmptyRoot] and the proof empty: that is in every tree. A
// range that is no subtree of that tree is merkle.ErrRange, a proof that does not
// hold merkle.ErrProof.
func VerifySubtreeConsistency(sub merkle.Hash, start, end uint64, root merkle.Hash, size uint64, proof []merkle.Hash) error {
	if err := checkSubtree(start, end, size); err != nil {
		return err
	}
	if start == end {
		switch {
		case len(proof) != 0:
			return wrongLength(proof)
		case sub != EmptyRoot():
			return fmt.Errorf("tlog: empty subtree has root %v, want that of no entries: %w", sub, merkle.ErrProof)
		}
		return nil
	}
	return verifyPath(sub, start, end, root, size, proof)
}

// verifyPath climbs from the subtree [start, end) to the root of the tree of size
// entries. left, right and last are the indexes, on one level, of the nodes over
// the subtree's first and last entry and over the tree's last. inner becomes the
// hash of the subtree again, from those parts of the proof that lie within it, and
// outer that of the tree.
func verifyPath(sub merkle.Hash, start, end uint64, root merkle.Hash, size uint64, proof []merkle.Hash) error {
	if sub.IsZero() || root.IsZero() {
		return errZero
	}
	hasher := merklehash.Get()
	defer hasher.Put()
	left, right, last := start, end-1, size-1
	// The lowest level on which a node over the last entry is known: the subtree
	// itself, or its last complete part.
	for left != right && (right&1 == 1 || right == last) {
		left, right, last = left>>1, right>>1, last>>1
	}
	rest := proof
	inner, outer := sub, sub
	if left != right {
		if len(rest) == 0 {
			return wrongLength(proof)
		}
		inner, outer, rest = rest[0], rest[0], rest[1:]
	}
	for i := range rest {
		switch {
		case last == 0:
			return wrongLength(proof)
		case right&1 == 1 || right == last:
			if left < right {
				inner = combine(hasher, &rest[i], &inner)
			}
			outer = combine(hasher, &rest[i], &outer)
			for right&1 == 0 { // the last node of a level may have no sibling
				left, right, last = left>>1, right>>1, last>>1
			}
		default:
			outer = combine(hasher, &outer, &rest[i])
		}
		left, right, last = left>>1, right>>1, last>>1
	}
	switch {
	case last != 0:
		return wrongLength(proof)
	case inner != sub:
		return fmt.Errorf("tlog: proof leads to %v, not to the hash of [%d, %d): %w", inner, start, end, merkle.ErrProof)
	case outer != root:
		return fmt.Errorf("tlog: proof leads to root %v, not to %v: %w", outer, root, merkle.ErrProof)
	}
	return nil
}

// errZero keeps a root that somebody forgot to set from proving anything.
var errZero = fmt.Errorf("tlog: hash to verify is zero, which is the hash of nothing: %w", merkle.ErrProof)

func wrongLength(proof []merkle.Hash) error {
	return fmt.Errorf("tlog: proof of %d hashes is of the wrong length: %w", len(proof), merkle.ErrProof)
}
