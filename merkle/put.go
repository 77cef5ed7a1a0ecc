package merkle

// path is the way from the root to a leaf: at[level] is the child of nodes[level]
// that it goes through.
type path struct {
	nodes [maxHeight]*inner
	at    [maxHeight]uint8
}

// PutHash sets the version at position h. The position is distkit.Hash of the
// key, or distkit.Secret.Hash under [WithSecret]; the version is any digest of
// yours, the same on all replicas.
func (t *Tree) PutHash(h, version uint64) {
	t.mustBeMade()
	if t.root == nil {
		t.root, t.height = t.newInner(1), 1
		t.root.insert(0, part{leaf: t.newLeaf()})
	}
	var way path
	l := t.descend(&way, h)
	x, i := way.nodes[1], way.at[1]
	p := x.place(int(i), h)
	f := t.keying.one(h, version)
	change := f
	if p < l.n && l.e[p].h == h {
		if l.e[p].v == version {
			return
		}
		old := t.keying.one(h, l.e[p].v)
		change.sub(old)
		if x.cells != nil {
			t.patterns.mark(x.cells[:], h, l.e[p].v, old, -1)
		}
		l.e[p].v = version
	} else if l.n < leafMax {
		l.put(p, h, version)
	} else {
		t.putFull(&way, l, p, h, version)
	}
	if x := way.nodes[1]; x.cells != nil {
		t.patterns.mark(x.cells[:], h, version, f, 1)
	}
	t.changed(&way, change)
}

// descend finds the leaf of h and makes all nodes on the way t's own.
func (t *Tree) descend(way *path, h uint64) *leaf {
	t.root = t.ownInner(t.root)
	x := t.root
	for level := t.height; ; level-- {
		i := x.find(h)
		way.nodes[level], way.at[level] = x, uint8(i)
		if level == 1 {
			l := t.ownLeaf(x.leaves[i])
			x.leaves[i] = l
			return l
		}
		kid := t.ownInner(x.kids[i])
		x.kids[i] = kid
		x = kid
	}
}

// changed adds what has changed in a leaf to the totals on the way to it.
func (t *Tree) changed(way *path, change total) {
	for level := 1; level <= t.height; level++ {
		way.nodes[level].totals[way.at[level]].add(change)
	}
	t.total.add(change)
}

// putFull splits the leaf l, which is full, and puts an entry at place p of what
// it was. Afterwards the way leads to the half that has the entry, whose total is
// not in yet.
func (t *Tree) putFull(way *path, l *leaf, p int, h, v uint64) {
	x, i := t.room(way, 1)
	m := leafMax / 2
	if p == leafMax && i == x.n-1 {
		m = leafMax - leafMin - 1 // ascending positions leave fuller leaves behind
	}
	r := t.newLeaf()
	r.n = copy(r.e[:], l.e[m:l.n])
	l.n = m
	right := part{leaf: r, key: r.e[0].h, total: r.sum(t.keying)}
	x.totals[i].sub(right.total)
	x.insert(i+1, right)
	if p > m {
		way.at[1]++
		r.put(p-m, h, v)
		return
	}
	l.put(p, h, v)
}

// room makes sure that the node on the way at that level can take one more child,
// by splitting it if need be, and returns it and the child on the way.
func (t *Tree) room(way *path, level int) (x *inner, i int) {
	x, i = way.nodes[level], int(way.at[level])
	if x.n < innerMax {
		return x, i
	}
	if level == t.height {
		t.root = t.newInner(level + 1)
		t.root.insert(0, part{level: level, inner: x, total: t.total})
		t.height++
		way.nodes[level+1], way.at[level+1] = t.root, 0
	}
	parent, at := t.room(way, level+1)
	m := innerMax / 2
	if i == innerMax-1 && at == parent.n-1 {
		m = innerMax - innerMin // ascending positions
	}
	right := t.divide(x, level, m)
	parent.totals[at].sub(right.total)
	parent.insert(at+1, right)
	if i < m {
		return x, i
	}
	way.at[level+1]++
	way.nodes[level], way.at[level] = right.inner, uint8(i-m)
	return right.inner, i - m
}

// divide takes the children of x from m on out of it and returns them as a node
// of their own.
func (t *Tree) divide(x *inner, level, m int) part {
	r := t.newInner(level)
	r.n = copy(r.keys[:], x.keys[m:x.n])
	copy(r.totals[:], x.totals[m:x.n])
	if level == 1 {
		copy(r.leaves[:], x.leaves[m:x.n])
		clear(x.leaves[m:x.n])
	} else {
		copy(r.kids[:], x.kids[m:x.n])
		clear(x.kids[m:x.n])
	}
	x.n = m
	if x.cells != nil {
		t.divideCells(x, r)
	}
	return part{level: level, inner: r, key: r.keys[0], total: r.sum()}
}

// divideCells gives r, whose children were x's, its part of x's cells, by looking
// at the entries of the smaller of the two.
func (t *Tree) divideCells(x, r *inner) {
	if x.sum().count < r.sum().count {
		*r.cells, *x.cells = *x.cells, *r.cells
		x, r = r, x
	}
	for i := range r.n {
		t.markLeaf(r.cells[:], r.leaves[i], 0, r.leaves[i].n, 1)
	}
	subCells(x.cells[:], r.cells[:])
}

// markLeaf adds the entries [from, to) of l to dst n times.
func (t *Tree) markLeaf(dst []cell, l *leaf, from, to int, n int32) {
	for i := from; i < to; i++ {
		e := l.e[i]
		t.patterns.mark(dst, e.h, e.v, t.keying.one(e.h, e.v), n)
	}
}
