package merkle

// Cut takes the entries of r out of t and returns them as a tree of their own,
// in O(log n) time: what a node hands over when a range changes owner needs no
// recalculation on either side.
func (t *Tree) Cut(r Range) *Tree {
	s := &Tree{keying: t.keying, patterns: t.patterns, sketched: t.sketched}
	s.owner.Store(newToken())
	if t.root == nil {
		return s
	}
	a, b, two := r.spans()
	if a == everything {
		s.become(t.whole())
		t.become(part{})
		return s
	}
	inside := a
	if two {
		inside = span{a.last + 1, b.lo - 1} // what stays
	}
	left, rest := t.split(t.whole(), inside.lo)
	middle, right := rest, part{}
	if inside.last < everything.last && !rest.empty() {
		middle, right = t.split(rest, inside.last+1)
	}
	outside := t.concat(left, right)
	if two {
		middle, outside = outside, middle
	}
	t.become(outside)
	s.become(middle)
	return s
}

// whole returns all of t.
func (t *Tree) whole() part {
	if t.root == nil {
		return part{}
	}
	return part{level: t.height, inner: t.root, total: t.total}
}

// become makes p all of t.
func (t *Tree) become(p part) {
	if p.leaf != nil {
		x := t.newInner(1)
		x.insert(0, p)
		t.markPart(x, p)
		p = part{level: 1, inner: x, total: p.total}
	}
	t.root, t.height, t.total = p.inner, p.level, p.total
	if p.inner != nil {
		t.lower()
	}
}

// split divides p into what is before h and what is not. What p was is used up.
func (t *Tree) split(p part, h uint64) (left, right part) {
	if p.leaf != nil {
		return t.splitLeaf(p, h)
	}
	x := t.ownInner(p.inner)
	i := x.find(h)
	kid := x.kid(i, p.level)
	var head, tail part
	if i+1 < x.n {
		tail = lone(t.divide(x, p.level, i+1))
	}
	if i > 0 {
		t.withoutLast(x)
		head = lone(part{level: p.level, inner: x, key: p.key, total: x.sum()})
	}
	left, right = t.split(kid, h)
	return t.concat(head, left), t.concat(right, tail)
}

// withoutLast drops the last child of x, with its part of the cells.
func (t *Tree) withoutLast(x *inner) {
	if x.cells != nil {
		t.markLeaf(x.cells[:], x.leaves[x.n-1], 0, x.leaves[x.n-1].n, -1)
	}
	x.drop(x.n - 1)
}

// lone returns p, or its child where it has only one.
func lone(p part) part {
	for p.inner != nil && p.inner.n == 1 {
		p = p.inner.kid(0, p.level)
	}
	return p
}

func (t *Tree) splitLeaf(p part, h uint64) (left, right part) {
	at := p.leaf.find(h)
	if at == 0 {
		return part{}, p
	}
	if at == p.leaf.n {
		return p, part{}
	}
	l, r := t.ownLeaf(p.leaf), t.newLeaf()
	r.n = copy(r.e[:], l.e[at:l.n])
	l.n = at
	right = part{leaf: r, key: r.e[0].h, total: r.sum(t.keying)}
	return part{leaf: l, key: p.key, total: p.total.minus(right.total)}, right
}

// concat joins two parts, of which all of b is behind a. It takes time for the
// difference of their levels, not for what they hold.
func (t *Tree) concat(a, b part) part {
	switch {
	case a.empty():
		return b
	case b.empty():
		return a
	}
	b.key = b.first()
	if a.level == b.level {
		return t.crown(t.fit(t.own(a), t.own(b)))
	}
	if a.level > b.level {
		a = t.own(a)
		over := t.graft(a.inner, a.level, b, true)
		a.total.add(b.total)
		a.total.sub(over.total)
		return t.crown(a, over)
	}
	b = t.own(b)
	over := t.graft(b.inner, b.level, a, false)
	b.total.add(a.total)
	b.total.sub(over.total)
	return t.crown(b, over)
}

// crown returns a, or a new node over a and b.
func (t *Tree) crown(a, b part) part {
	if b.empty() {
		return a
	}
	x := t.newInner(a.level + 1)
	x.insert(0, a)
	x.insert(1, b)
	total := a.total
	total.add(b.total)
	t.markPart(x, a)
	t.markPart(x, b)
	return part{level: a.level + 1, inner: x, key: a.key, total: total}
}

// fit joins two neighbors of equal level, both t's own, if one of them is small.
func (t *Tree) fit(a, b part) (part, part) {
	least := innerMin
	if a.leaf != nil {
		least = leafMin
	}
	if a.size() >= least && b.size() >= least {
		return a, b
	}
	return t.level(a, b)
}

// graft adds p at the right or left end of x, which is t's own and of a higher
// level. What does not fit, it returns as x's right neighbor.
func (t *Tree) graft(x *inner, level int, p part, right bool) (over part) {
	if x.n == innerMax {
		over = t.divide(x, level, innerMax/2)
		if right {
			t.graft(over.inner, level, p, right)
			over.total.add(p.total)
			return over
		}
	}
	i := 0
	if right {
		i = x.n - 1
	}
	kid := t.own(x.kid(i, level))
	var extra part
	switch {
	case level > p.level+1:
		extra = t.graft(kid.inner, level-1, p, right)
		kid.total.add(p.total)
		kid.total.sub(extra.total)
	case right:
		t.markPart(x, p)
		kid, extra = t.fit(kid, t.own(p))
	default:
		t.markPart(x, p)
		kid.key = kid.first()
		kid, extra = t.fit(t.own(p), kid)
	}
	x.set(i, kid)
	if !extra.empty() {
		x.insert(i+1, extra)
	}
	return over
}

// markPart adds the entries of p, if it is a leaf, to the cells of x.
func (t *Tree) markPart(x *inner, p part) {
	if x.cells != nil {
		t.markLeaf(x.cells[:], p.leaf, 0, p.leaf.n, 1)
	}
}
