package merkle

import "sync/atomic"

// Copy on write: a node carries the token of the tree that may change it, and a
// tree copies a node that has another token before it changes it. A snapshot
// takes no more than two new tokens.
var tokens atomic.Uint64

func newToken() uint64 { return tokens.Add(1) }

func (t *Tree) newLeaf() *leaf { return &leaf{owner: t.owner.Load()} }

func (t *Tree) newInner(level int) *inner {
	x := &inner{owner: t.owner.Load()}
	if level > 1 {
		x.kids = new([innerMax]*inner)
		return x
	}
	x.leaves = new([innerMax]*leaf)
	if t.sketched {
		x.cells = new(cells)
	}
	return x
}

// ownLeaf returns l or a copy of it that t may change.
func (t *Tree) ownLeaf(l *leaf) *leaf {
	if owner := t.owner.Load(); l.owner != owner {
		c := *l
		c.owner = owner
		return &c
	}
	return l
}

// ownInner returns x or a copy of it that t may change, its children not
// included.
func (t *Tree) ownInner(x *inner) *inner {
	owner := t.owner.Load()
	if x.owner == owner {
		return x
	}
	c := *x
	c.owner = owner
	if x.kids != nil {
		kids := *x.kids
		c.kids = &kids
		return &c
	}
	leaves := *x.leaves
	c.leaves = &leaves
	if x.cells != nil {
		cells := *x.cells
		c.cells = &cells
	}
	return &c
}

// own is ownLeaf or ownInner, for a part.
func (t *Tree) own(p part) part {
	if p.leaf != nil {
		p.leaf = t.ownLeaf(p.leaf)
	} else {
		p.inner = t.ownInner(p.inner)
	}
	return p
}
