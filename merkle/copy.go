package merkle

import "unsafe"

// Clone returns a tree of the same entries, options and secret that shares no
// memory with t, as compact as can be: it takes O(n) time. [Tree.Snapshot] takes
// no time and shares memory until it changes; prefer it, but for a copy that is
// to stay long after t has changed.
func (t *Tree) Clone() *Tree {
	if t.keying == nil {
		return new(Tree)
	}
	c := newTree(t.keying, t.sketched)
	c.copyOf(t)
	return c
}

// copyOf puts the entries of o into t, which is empty.
func (t *Tree) copyOf(o *Tree) {
	b := t.builder(o.Len())
	o.walk(everything, func(h, v uint64) bool {
		b.add(h, v)
		return true
	})
	b.done()
}

// Equal tells whether t and other have the same entries, secret and options:
// whether their images are the same. It compares entry by entry, unless the
// summaries differ, in O(n log n) time at most.
func (t *Tree) Equal(other *Tree) bool {
	switch {
	case other == nil || (t.keying == nil) != (other.keying == nil):
		return false
	case t.keying == nil:
		return true
	case !t.keying.equal(other.keying) || t.sketched != other.sketched || t.total != other.total:
		return false
	}
	return t.root == other.root || t.walk(everything, func(h, v uint64) bool {
		w, ok := other.Get(h)
		return ok && w == v
	})
}

// Reset takes all entries out. Options and the secret stay.
func (t *Tree) Reset() { t.become(part{}) }

// take makes t what from is, which is used up.
func (t *Tree) take(from *Tree) {
	t.keying, t.patterns, t.sketched = from.keying, from.patterns, from.sketched
	t.root, t.height, t.total = from.root, from.height, from.total
	t.owner.Store(from.owner.Load())
}

// SizeBytes returns how much memory the tree holds, in bytes, what it shares with
// snapshots included. It takes O(n/1000) time.
func (t *Tree) SizeBytes() int {
	n := int(unsafe.Sizeof(*t))
	if t.root != nil {
		n += t.root.size(t.height)
	}
	return n
}

// size returns the bytes of x, which is at that level, and of all below it.
func (x *inner) size(level int) int {
	n := int(unsafe.Sizeof(*x))
	if level == 1 {
		n += int(unsafe.Sizeof(*x.leaves)) + x.n*int(unsafe.Sizeof(leaf{}))
		if x.cells != nil {
			n += int(unsafe.Sizeof(*x.cells))
		}
		return n
	}
	n += int(unsafe.Sizeof(*x.kids))
	for _, kid := range x.kids[:x.n] {
		n += kid.size(level - 1)
	}
	return n
}
