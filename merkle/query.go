package merkle

// Summary returns the summary of the entries in r, in O(log n) time.
func (t *Tree) Summary(r Range) Summary {
	a, b, two := r.spans()
	s := t.sum(a)
	if two {
		s.add(t.sum(b))
	}
	return s.summary()
}

// sum returns the total of the entries in s.
func (t *Tree) sum(s span) total {
	if t.root == nil {
		return total{}
	}
	if s == everything {
		return t.total
	}
	return t.below(s.last, true).minus(t.below(s.lo, false))
}

func (a total) minus(b total) total {
	a.sub(b)
	return a
}

// below returns the total of the entries before h, and of that at h if and.
func (t *Tree) below(h uint64, and bool) (s total) {
	if and && h == everything.last {
		return t.total
	}
	x := t.root
	for level := t.height; ; level-- {
		i := x.find(h)
		s.add(x.prefix(i))
		if level > 1 {
			x = x.kids[i]
			continue
		}
		l := x.leaves[i]
		p := x.place(i, h)
		if and && p < l.n && l.e[p].h == h {
			p++
		}
		if p > l.n/2 {
			s.add(x.totals[i])
			for q := p; q < l.n; q++ {
				s.sub(t.keying.one(l.e[q].h, l.e[q].v))
			}
			return s
		}
		for q := range p {
			s.add(t.keying.one(l.e[q].h, l.e[q].v))
		}
		return s
	}
}

// prefix returns the total of the first i children.
func (x *inner) prefix(i int) (s total) {
	for k := range x.totals[:i] {
		s.add(x.totals[k])
	}
	return s
}

// gather adds the first len(dst) cells of the entries in s to dst, n times.
func (t *Tree) gather(dst []cell, s span) {
	if t.root != nil {
		t.gatherIn(dst, t.root, t.height, s, everything)
	}
}

// gatherIn is gather for x, all of whose positions are in bounds.
func (t *Tree) gatherIn(dst []cell, x *inner, level int, s, bounds span) {
	if level == 1 && x.cells != nil {
		if bounds.within(s) {
			addCells(dst, x.cells[:])
			return
		}
		if t.mostly(x, s) {
			addCells(dst, x.cells[:])
			t.markOutside(dst, x, s)
			return
		}
	}
	for i := x.find(s.lo); i < x.n; i++ {
		lo, last := bounds.lo, bounds.last
		if i > 0 {
			lo = x.keys[i]
		}
		if i+1 < x.n {
			last = x.keys[i+1] - 1
		}
		if lo > s.last {
			return
		}
		if level > 1 {
			t.gatherIn(dst, x.kids[i], level-1, s, span{lo, last})
			continue
		}
		l := x.leaves[i]
		from, to := l.part(s)
		t.markLeaf(dst, l, from, to, 1)
	}
}

// mostly reports whether more than half of the leaves of x are in s, about.
func (t *Tree) mostly(x *inner, s span) bool {
	return x.find(s.last)-x.find(s.lo) > x.n/2
}

// markOutside takes the entries of x outside of s from dst.
func (t *Tree) markOutside(dst []cell, x *inner, s span) {
	for i := range x.n {
		l := x.leaves[i]
		from, to := l.part(s)
		t.markLeaf(dst, l, 0, from, -1)
		t.markLeaf(dst, l, max(from, to), l.n, -1)
	}
}

// part returns the places [from, to) of the entries of l in s.
func (l *leaf) part(s span) (from, to int) {
	if l.n == 0 {
		return 0, 0
	}
	from, to = l.find(s.lo), l.n
	if l.e[l.n-1].h > s.last {
		to = l.find(s.last + 1)
	}
	return from, to
}

// rank returns the position before which, of the entries of s, there are k, for
// k less than their number.
func (t *Tree) rank(s span, k uint64) uint64 {
	k += t.below(s.lo, false).count
	x := t.root
	for level := t.height; ; level-- {
		i := 0
		for ; i < x.n-1 && k >= x.totals[i].count; i++ {
			k -= x.totals[i].count
		}
		if level == 1 {
			return x.leaves[i].e[k].h
		}
		x = x.kids[i]
	}
}
