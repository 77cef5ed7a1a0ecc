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
// maps must not change while the loop runs; compare snapshots if they do.
func Diff(a, b *Map) iter.Seq2[merkle.Hash, Change] {
	return func(yield func(merkle.Hash, Change) bool) {
		if a.Root() != b.Root() { // and now all hashes are there
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
	if at := shared(&a.path, &b.path, int(min(a.bit, b.bit))); at < int(min(a.bit, b.bit)) {
		if bitOf(&a.path, at) == 0 { // nothing in common: one is before the other
			return all(a, nil, yield) && all(nil, b, yield)
		}
		return all(nil, b, yield) && all(a, nil, yield)
	}
	switch {
	case a.isLeaf() && b.isLeaf():
		return a.value == b.value || yield(a.path, Change{a.value, b.value})
	case a.bit == b.bit:
		return differBelow(a.left, b.left, yield) && differBelow(a.right, b.right, yield)
	case a.bit < b.bit: // b is within one side of a
		if bitOf(&b.path, int(a.bit)) == 0 {
			return differ(a.left, b, yield) && all(a.right, nil, yield)
		}
		return all(a.left, nil, yield) && differ(a.right, b, yield)
	}
	if bitOf(&a.path, int(b.bit)) == 0 {
		return differ(a, b.left, yield) && all(nil, b.right, yield)
	}
	return all(nil, b.left, yield) && differ(a, b.right, yield)
}

// differBelow is differ for subtrees that begin at one depth, where equal hashes
// mean that all is equal.
func differBelow(a, b *node, yield func(merkle.Hash, Change) bool) bool {
	return a.hash == b.hash || differ(a, b, yield)
}

// all yields every leaf of a, or of b, whichever is not nil.
func all(a, b *node, yield func(merkle.Hash, Change) bool) bool {
	n := a
	if n == nil {
		n = b
	}
	if n.isLeaf() {
		if a != nil {
			return yield(n.path, Change{A: n.value})
		}
		return yield(n.path, Change{B: n.value})
	}
	if a != nil {
		return all(n.left, nil, yield) && all(n.right, nil, yield)
	}
	return all(nil, n.left, yield) && all(nil, n.right, yield)
}
