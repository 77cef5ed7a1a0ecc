package merkle

import "fmt"

// Check holds all invariants of a tree's structure.
func (t *Tree) Check() error {
	if t.root == nil {
		if t.height != 0 || t.total != (total{}) {
			return fmt.Errorf("empty tree of height %d and total %v", t.height, t.total)
		}
		return nil
	}
	sum, err := t.check(t.root, t.height, everything, true)
	if err == nil && sum != t.total {
		err = fmt.Errorf("total is %v, want %v", t.total, sum)
	}
	return err
}

func (t *Tree) check(x *inner, level int, in span, root bool) (sum total, err error) {
	switch {
	case x.n < 1 || x.n > innerMax || !root && x.n < innerMin || root && level > 1 && x.n < 2:
		return sum, fmt.Errorf("inner node of %d children at level %d", x.n, level)
	case (level == 1) != (x.leaves != nil) || (level > 1) != (x.kids != nil) || (x.cells != nil) != (t.sketched && level == 1):
		return sum, fmt.Errorf("wrong kind of node at level %d", level)
	}
	var want cells
	for i := range x.n {
		below := span{in.lo, in.last}
		if i > 0 {
			below.lo = x.keys[i]
		}
		if i+1 < x.n {
			below.last = x.keys[i+1] - 1
		}
		if below.lo > below.last {
			return sum, fmt.Errorf("keys %#x and %#x at level %d", below.lo, below.last, level)
		}
		var s total
		if level > 1 {
			if s, err = t.check(x.kids[i], level-1, below, false); err != nil {
				return sum, err
			}
		} else {
			l := x.leaves[i]
			if l.n < 1 || !(root && x.n == 1) && l.n < leafMin {
				return sum, fmt.Errorf("leaf of %d entries", l.n)
			}
			for p := range l.n {
				if !below.contains(l.e[p].h) || p > 0 && l.e[p].h <= l.e[p-1].h {
					return sum, fmt.Errorf("position %#x out of order in %v", l.e[p].h, below)
				}
			}
			s = l.sum(t.keying)
			t.markLeaf(want[:], l, 0, l.n, 1)
		}
		if s != x.totals[i] {
			return sum, fmt.Errorf("total at level %d is %v, want %v", level, x.totals[i], s)
		}
		sum.add(s)
	}
	if level == 1 && x.cells != nil && *x.cells != want {
		return sum, fmt.Errorf("cells are not those of the entries")
	}
	return sum, nil
}

// differing returns the cells of b less a.
func differing(a, b *Tree) (c cells) {
	var own cells
	a.gather(own[:], everything)
	b.gather(c[:], everything)
	subCells(c[:], own[:])
	return c
}

// Decodes reports whether the first n cells of b less a give all differences.
func Decodes(a, b *Tree, n int) bool {
	c := differing(a, b)
	_, ok := (&Session{tree: a}).peel(c[:n], n, everything)
	return ok
}

// Estimate guesses from the first n cells how many entries a and b differ by.
func Estimate(a, b *Tree, n int) uint64 {
	c := differing(a, b)
	return estimate(c[:n])
}

// Cells returns which cells an entry is part of.
func (t *Tree) Cells(h, v uint64) uint64 { return t.patterns.of(t.keying.one(h, v).lo) }

// Held returns about how many bytes a session holds beside its tree and the
// differences that were not taken yet.
func (s *Session) Held() (bytes int) {
	for _, x := range append(s.queue[:len(s.queue):len(s.queue)], s.active...) {
		bytes += 96 + 24*cap(x.cells) + 24*cap(x.known)
	}
	return bytes
}

// Height returns the levels of inner nodes.
func (t *Tree) Height() int { return t.height }

// SetSalt makes the messages of an initiator the same each time.
func (s *Session) SetSalt(salt [8]byte) { s.salt = salt }
