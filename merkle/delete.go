package merkle

// DeleteHash takes the entry at position h out and tells whether there was one.
func (t *Tree) DeleteHash(h uint64) bool {
	v, ok := t.Get(h)
	if !ok {
		return false
	}
	var way path
	l := t.descend(&way, h)
	x, i := way.nodes[1], int(way.at[1])
	l.remove(x.place(i, h))
	f := t.keying.one(h, v)
	if x.cells != nil {
		t.patterns.mark(x.cells[:], h, v, f, -1)
	}
	t.changed(&way, total{}.minus(f))
	for level := 1; level <= t.height; level++ {
		if !t.mend(way.nodes[level], level, int(way.at[level])) {
			break
		}
	}
	t.lower()
	return true
}

// mend joins child i of x, which is at that level and t's own, with a neighbor if
// it has become small, and reports whether that left x with one child less.
func (t *Tree) mend(x *inner, level, i int) bool {
	p := x.kid(i, level)
	if x.n == 1 || level == 1 && p.size() >= leafMin || level > 1 && p.size() >= innerMin {
		return false
	}
	i = max(i-1, 0)
	a, b := t.level(t.own(x.kid(i, level)), t.own(x.kid(i+1, level)))
	x.set(i, a)
	if !b.empty() {
		x.set(i+1, b)
		return false
	}
	x.drop(i + 1)
	return true
}

// level makes two neighbors of equal level, both t's own, one or about equally
// large. Cells above them are not concerned: they hold both.
func (t *Tree) level(a, b part) (part, part) {
	n := a.size() + b.size()
	if a.leaf != nil {
		return t.levelLeaves(a, b, n)
	}
	x, y := a.inner, b.inner
	if n <= innerMax {
		for i := range y.n {
			x.insert(x.n, y.kid(i, b.level))
		}
		// The first key of a node is not kept exact.
		x.keys[x.n-y.n] = b.key
		if x.cells != nil {
			addCells(x.cells[:], y.cells[:])
		}
		a.total.add(b.total)
		return a, part{}
	}
	y.keys[0] = b.key
	var moved total
	for ; x.n < n/2; y.drop(0) {
		p := y.kid(0, b.level)
		t.moveCells(x, y, p)
		x.insert(x.n, p)
		moved.add(p.total)
	}
	for ; y.n < n/2; x.drop(x.n - 1) {
		p := x.kid(x.n-1, a.level)
		t.moveCells(y, x, p)
		y.insert(0, p)
		moved.sub(p.total)
	}
	a.total.add(moved)
	b.total.sub(moved)
	b.key = y.keys[0]
	return a, b
}

// moveCells moves the cells of p, a child that goes from one node to another.
func (t *Tree) moveCells(to, from *inner, p part) {
	if to.cells == nil || p.leaf == nil {
		return
	}
	var c cells
	t.markLeaf(c[:], p.leaf, 0, p.leaf.n, 1)
	addCells(to.cells[:], c[:])
	subCells(from.cells[:], c[:])
}

func (t *Tree) levelLeaves(a, b part, n int) (part, part) {
	l, r := a.leaf, b.leaf
	if n <= leafMax {
		copy(l.e[l.n:], r.e[:r.n])
		l.n = n
		a.total.add(b.total)
		return a, part{}
	}
	var e [2 * leafMax]entry
	copy(e[copy(e[:], l.e[:l.n]):], r.e[:r.n])
	a.total.add(b.total)
	l.n = n / 2
	r.n = n - l.n
	copy(l.e[:], e[:l.n])
	copy(r.e[:], e[l.n:n])
	b.key, b.total = r.e[0].h, r.sum(t.keying)
	a.total.sub(b.total)
	return a, b
}

// lower takes inner nodes of one child off the top.
func (t *Tree) lower() {
	for t.height > 1 && t.root.n == 1 {
		t.root = t.root.kids[0]
		t.height--
	}
	if t.total.count == 0 {
		t.root, t.height = nil, 0
	}
}
