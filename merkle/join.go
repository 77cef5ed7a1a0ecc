package merkle

import "math"

// Join adds the entries of o, which must have no position in common with t: else
// it is [ErrIncompatible], as trees of other secrets are, and t is as it was. If
// the positions of the two interleave in few runs, as those of ranges do, it takes
// O(log n) time a run. o stays what it is, and shares memory with t.
func (t *Tree) Join(o *Tree) error {
	if err := t.compatible(o); err != nil {
		return err
	}
	switch {
	case o.root == nil:
		return nil
	case t == o:
		return incompatible("both trees have position %#x", t.whole().first())
	}
	s := o.Snapshot()
	runs, err := t.runs(s)
	if err != nil {
		return err
	}
	if runs > 8 && uint64(runs) > s.total.count/64 {
		for h, v := range s.Entries(Range{}) {
			t.PutHash(h, v)
		}
		return nil
	}
	a, b, all := t.whole(), t.adopt(s).whole(), part{}
	for !a.empty() && !b.empty() {
		if a.first() > b.first() {
			a, b = b, a
		}
		head, rest := t.split(a, b.first())
		all, a = t.concat(all, head), rest
	}
	t.become(t.concat(t.concat(all, a), b))
	return nil
}

// Merge adds the entries of o; where both have a position, the version of o
// counts. It takes O(m log n) time for m entries of o. Trees of other secrets are
// [ErrIncompatible].
func (t *Tree) Merge(o *Tree) error {
	if err := t.compatible(o); err != nil {
		return err
	}
	for h, v := range o.Entries(Range{}) {
		t.PutHash(h, v)
	}
	return nil
}

func (t *Tree) compatible(o *Tree) error {
	switch {
	case o == nil:
		return incompatible("the other tree is nil")
	case o.keying == nil:
		return nil // a zero tree has nothing that could not go together
	}
	t.mustBeMade()
	if !t.keying.equal(o.keying) {
		return incompatible("trees of different secrets")
	}
	return nil
}

// adopt returns s with cells or without, as t is.
func (t *Tree) adopt(s *Tree) *Tree {
	if s.sketched == t.sketched {
		return s
	}
	c := newTree(t.keying, t.sketched)
	c.copyOf(s)
	return c
}

// runs counts how many runs of positions of o there are between those of t, and
// fails if they share one.
func (t *Tree) runs(o *Tree) (n int, err error) {
	for h, ok := o.next(0); ok; n++ {
		end, more := t.next(h)
		if !more {
			return n + 1, nil
		}
		if end == h {
			return 0, incompatible("both trees have position %#x", h)
		}
		h, ok = o.next(end)
	}
	return n, nil
}

// next returns the first position that is at least h.
func (t *Tree) next(h uint64) (first uint64, ok bool) {
	t.walk(span{h, math.MaxUint64}, func(h, _ uint64) bool {
		first, ok = h, true
		return false
	})
	return first, ok
}
