package smt

import (
	"iter"

	"github.com/distkit/distkit/merkle"
)

// Change is what a key has in two maps: SHA-256 of its values. The zero Hash
// means that the key is absent there.
type Change struct{ A, B merkle.Hash }

// Diff returns the keys in which a and b differ, by path, that is SHA-256(key),
// ascending. What both share is skipped: snapshots of one map take O(log n) for a
// difference, and so do maps that were made apart, whose hashes are compared. The
// maps must not change while the loop runs; compare snapshots if they do. Diff of
// an empty map and m lists all of m.
func Diff(a, b *Map) iter.Seq2[merkle.Hash, Change] {
	return func(yield func(merkle.Hash, Change) bool) {
		if a.Root() != b.Root() { // and now all hashes are known
			differ(a.root, b.root, yield)
		}
	}
}

// differ goes down two subtrees that have different hashes or begin at different
// depths. It returns false when yield does.
func differ(a, b *node, yield func(merkle.Hash, Change) bool) bool {
	switch {
	case a == b: // shared, or both empty
		return true
	case a == nil || b == nil:
		return all(a, b, yield)
	}
	limit := min(a.bit, b.bit)
	if at := shared(&a.path, &b.path, int(limit)); at < int(limit) { // one is before the other
		if bitOf(&a.path, at) == 0 {
			return all(a, nil, yield) && all(nil, b, yield)
		}
		return all(nil, b, yield) && all(a, nil, yield)
	}
	if limit == depth {
		return *a.value() == *b.value() || yield(a.path, Change{*a.value(), *b.value()})
	}
	for side := range byte(2) {
		if a.bit == b.bit && a.hash[side] == b.hash[side] {
			continue // they begin at one depth: equal hashes mean that all is equal
		}
		if !differ(a.below(limit, side), b.below(limit, side), yield) {
			return false
		}
	}
	return true
}

// below returns the part of n on one side of a bit that is not below its own: a
// child, or all of n, or nothing.
func (n *node) below(bit uint16, side byte) *node {
	switch {
	case n.bit == bit:
		return n.child[side]
	case bitOf(&n.path, int(bit)) == side:
		return n
	}
	return nil
}

// all yields every leaf of a, or of b, whichever is not nil.
func all(a, b *node, yield func(merkle.Hash, Change) bool) bool {
	switch {
	case a == nil && b.isLeaf():
		return yield(b.path, Change{B: *b.value()})
	case a == nil:
		return all(nil, b.child[0], yield) && all(nil, b.child[1], yield)
	case a.isLeaf():
		return yield(a.path, Change{A: *a.value()})
	}
	return all(a.child[0], nil, yield) && all(a.child[1], nil, yield)
}
