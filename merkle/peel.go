package merkle

// What cells give away: the items that they are made of, one after another, and if
// not those, how many there are about.

// peel takes entries out of cells, of which so many are whole and the others
// counts alone, one after another. It is ok if nothing is left of the whole ones.
func (s *Session) peel(cells []cell, whole int, in span) (found []item, ok bool) {
	for again := true; again; {
		again = false
		for _, c := range cells[:whole] {
			if c.count != 1 && c.count != -1 {
				continue
			}
			f, it := s.tree.keying.one(c.h, c.v), item{c.h, c.v, c.count < 0}
			if uint32(f.hi>>32) != c.check || !s.plausible(it, in) || len(found) > 2*whole {
				continue
			}
			s.take(cells, it)
			found = append(found, it)
			again = true
		}
	}
	for _, c := range cells[:whole] {
		if c != (cell{}) {
			return found, false
		}
	}
	return found, true
}

// guess finds two items that are part of the same cells, of two in 10^5 pairs, and
// takes them out of the cells. One of them must be ours: then all of our n entries
// in the slice are tried.
func (s *Session) guess(cells []cell, in span, n uint64) (two []item) {
	c := cells[0]
	if c.count != 0 && c.count != -2 || n > s.guesses {
		return nil
	}
	s.guesses -= n
	k := s.tree.keying
	check := func(h, v uint64) uint32 { return uint32(k.one(h, v).hi >> 32) }
	for d := range overlap(s.domain, in) {
		s.tree.walk(d, func(h, v uint64) bool {
			other := item{c.h ^ h, c.v ^ v, c.count == -2}
			if check(h, v)^check(other.h, other.v) == c.check && s.plausible(other, in) {
				two = []item{{h, v, true}, other}
			}
			return two == nil
		})
	}
	for _, it := range two {
		s.take(cells, it)
	}
	return two
}

// plausible reports whether an item is in the slice, and ours just if it says so.
func (s *Session) plausible(it item, in span) bool {
	v, have := s.tree.Get(it.h)
	return in.contains(it.h) && it.mine == (have && v == it.v)
}

// take takes an item out of cells.
func (s *Session) take(cells []cell, it item) {
	n := int32(-1)
	if it.mine {
		n = 1
	}
	s.tree.patterns.mark(cells, it.h, it.v, s.tree.keying.one(it.h, it.v), n)
}

// estimate guesses how many entries cells differ by, from how their counts
// scatter around what the net difference, in cell 0, makes expected: with a
// standard deviation of 18% of 64 counts, 37% of 16.
func estimate(cells []cell) uint64 {
	net := float64(cells[0].count)
	squares := 0.0
	for i, c := range cells[1:] {
		p := 2 / float64(i+3)
		e := float64(c.count) - net*p
		squares += e * e / (p * (1 - p))
	}
	return uint64(min(max(squares/float64(max(1, len(cells)-1)), net, -net, 1), 1<<62))
}
