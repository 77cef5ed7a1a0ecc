package merkle

import (
	"cmp"
	"fmt"
	"slices"
)

// slice is a part of the ring that may hold differences not known yet.
type slice struct {
	ask   ask
	count uint64 // with tag: what the responder has there; cells are of that state
	tag   uint64
	cells []cell // theirs less ours and known, [0, ask.from)
	known []item // found before the slice was divided
}

// item is an entry that one side has and the other does not.
type item struct {
	h, v uint64
	mine bool
}

// learn takes an answer in: it is applied as a whole or not at all.
func (s *Session) learn(in []byte) error {
	src := &source{b: in}
	kind := src.byte()
	if echo := src.bytes(4); string(echo) != string(s.salt[:4]) || kind != msgTell && (kind != msgEqual || s.opened) {
		return corrupt("message of kind %d is no answer to the last one", kind)
	}
	if kind == msgEqual {
		if len(src.b) > 0 {
			return corrupt("%d bytes too many", len(src.b))
		}
		s.done = true
		return nil
	}
	room := src.uvarint(messageMax >> 10)
	if room == 0 {
		return corrupt("an answer of a side that takes no messages")
	}
	s.guesses = guessesMost
	l := lesson{active: slices.Clone(s.active)}
	if !s.opened {
		l.active = []slice{{ask: ask{span: everything, to: openCells, parts: 1}}}
	}
	if len(src.b) == 0 {
		return corrupt("an answer of nothing")
	}
	for len(src.b) > 0 {
		if err := s.learnPart(&l, src); err != nil {
			return err
		}
	}
	diffs := pair(l.items)
	if s.stats.Diffs+uint64(len(diffs)) > s.maxDiffs {
		return fmt.Errorf("%w: more than %d differences", ErrLimit, s.maxDiffs)
	}
	if !s.opened {
		s.claimed = l.claimed
	}
	s.opened, s.room = true, min(s.max, int(room)<<10)
	s.found = append(s.found, diffs...)
	s.stats.Diffs += uint64(len(diffs))
	s.queue = slices.Concat(l.open, l.active, s.queue)
	s.active = nil
	s.done = len(s.queue) == 0
	return nil
}

// lesson is what an answer has taught so far.
type lesson struct {
	active  []slice // what is not answered yet
	open    []slice // what needs more
	items   []item
	claimed uint64
}

// learnPart reads what the responder says of the next part.
func (s *Session) learnPart(l *lesson, src *source) error {
	if len(l.active) == 0 {
		return corrupt("an answer to more than was asked for")
	}
	x := &l.active[0]
	p := slice{ask: x.ask}
	p.ask.span.last, p.count, p.tag = src.uint64(), src.uvarint(1<<62), src.uint64()
	m := int(src.byte())
	l.claimed += p.count
	if src.bad || p.ask.span.last > x.ask.span.last || p.ask.span.last < x.ask.span.lo || m > x.ask.to-x.ask.from ||
		x.ask.parts == 1 && p.ask.span.last != x.ask.span.last {
		return corrupt("an answer that does not fit what was asked for")
	}
	found, ok, err := s.decode(&p, x, m, src)
	switch {
	case err != nil:
		return err
	case ok:
		l.items = append(l.items, found...)
	default:
		l.open = append(l.open, p)
	}
	if p.ask.span.last == x.ask.span.last {
		l.active = l.active[1:]
		return nil
	}
	x.ask.span.lo, x.ask.parts, x.cells = p.ask.span.last+1, x.ask.parts-1, nil // the parts to come
	return nil
}

// decode reads the m cells of p, a part of x, or the list if there are none, and
// finds the differences in it. If it cannot yet, p asks for more.
func (s *Session) decode(p, x *slice, m int, src *source) (found []item, ok bool, err error) {
	in := p.ask.span
	mine := s.sum(s.domain, in)
	p.ask.parts = 1
	if m == 0 {
		found, err = s.compare(in, p.count, src)
		if err == nil && !s.proves(mine, found, p) {
			err = corrupt("a list of entries that is not what its sum says")
		}
		return found, true, err
	}
	whole := p.ask.from + m
	fresh := make([]cell, whole, cellsMax)
	for i := p.ask.from; i < whole; i++ {
		fresh[i] = src.cell(p.count, i)
	}
	for i := whole; i < cellsMax && !s.opened; i++ {
		fresh = append(fresh, cell{count: src.count(p.count, i)})
	}
	switch {
	case src.bad:
		return nil, false, corrupt("an answer that ends early")
	case s.proves(mine, nil, p):
		return nil, true, nil
	case p.ask.from > 0 && (x.count != p.count || x.tag != p.tag):
		p.ask.from, p.ask.to, p.cells = 0, cellsMax, nil // their state has changed: once more
		return nil, false, nil
	}
	rest := s.subtract(p, x, fresh)
	p.cells = fresh[:whole]
	if found, ok = s.peel(rest, whole, in); !ok && whole == cellsMax {
		var more []item
		two := s.guess(rest, in, mine.count)
		more, ok = s.peel(rest, whole, in)
		found = slices.Concat(found, two, more)
	}
	found = append(found, p.known...)
	if ok && s.proves(mine, found, p) {
		return found, true, nil
	}
	p.askMore(found, min(estimate(rest), mine.count+p.count), s.room)
	return nil, false, nil
}

// subtract makes fresh, which are cells of theirs, those of the difference: less
// ours and what is known, after the cells that came before. It returns a copy.
func (s *Session) subtract(p, x *slice, fresh []cell) []cell {
	var own cells
	s.gather(own[:len(fresh)], s.domain, p.ask.span)
	subCells(fresh[p.ask.from:], own[p.ask.from:len(fresh)])
	for _, it := range x.known {
		if p.ask.span.contains(it.h) {
			s.take(fresh, it)
			p.known = append(p.known, it)
		}
	}
	copy(fresh, x.cells)
	return slices.Clone(fresh)
}

// proves reports whether our entries in p with the differences are theirs.
func (s *Session) proves(mine total, found []item, p *slice) bool {
	for _, it := range found {
		if one := s.tree.keying.one(it.h, it.v); it.mine {
			mine.sub(one)
		} else {
			mine.add(one)
		}
	}
	return mine.count == p.count && s.tree.keying.shortTag(s.salt, mine) == p.tag
}

// What a slice is asked for next. The figures are those of the fewest messages
// at about 60 bytes an item, found by trial over 10 to 10,000 differences.
const (
	// partItems is how many items a part is meant to have: 64 cells are enough for
	// twice as many, should the estimate be too low.
	partItems = 16

	partsMax = 1 << 24 // more than any message has

	// A slice of so few entries of the responder's is listed: an end for sure.
	listMost = 40

	// The few items that 64 cells do not tell apart, more cells do not. A slice of
	// not too many entries is listed then, in parts that are short enough. Others
	// come apart in 32 parts of 6 cells, in 19 of 20 cases.
	stuckItems, stuckParts, stuckCells = 8, 32, 6
	stuckMost, listedPart              = 1536, 64

	// Where more than one entry in three is an item, as after a disk was lost, 16
	// bytes for each entry are less than 60 for each item.
	listedShare = 3

	// What few items are left of a part goes into parts of so few that it ends there.
	lateItems = 64

	// guessesMost bounds the entries that are tried for a message, in 3 ms.
	guessesMost = 1 << 17
)

// askMore decides what to ask about p, whose cells did not suffice: of what
// differs in it, some is found, known before included, and about so much is left.
// An answer has so much room.
func (p *slice) askMore(found []item, left uint64, room int) {
	have := len(p.cells)
	all := left + uint64(len(found)-len(p.known))
	want := all + all/2 + 4
	if have < cellsMax && want <= cellsMax+8 && p.count > listMost {
		p.ask.from, p.ask.to = have, min(cellsMax, max(3*have, int(want+want/2)))
		return
	}
	p.ask.from, p.cells, p.known = 0, nil, found
	switch {
	case p.count <= listMost:
		p.ask.to = cellsMax
	case have == cellsMax && left < stuckItems && p.count <= stuckMost, p.count <= listedShare*left:
		listed := uint64(min(listedPart, room/entrySize/2)) // a list that has no room becomes cells again
		p.ask.parts, p.ask.to = min((p.count+listed-1)/listed, partsMax), cellsMax
	case have == cellsMax && left < stuckItems:
		p.ask.parts, p.ask.to = stuckParts, stuckCells
	case have > openCells && left < lateItems:
		p.ask.parts = left/8 + 1
		p.ask.to = cellsMax / 2
	default:
		left += left / 10
		p.ask.parts = min(max(2, (left+partItems-1)/partItems), partsMax)
		per := (left + p.ask.parts - 1) / p.ask.parts
		p.ask.to = int(min(cellsMax, per+per*9/10+8))
	}
}

// compare reads a list of n entries in a slice and returns how ours differ.
func (s *Session) compare(in span, n uint64, src *source) (found []item, err error) {
	if n > uint64(len(src.b)/entrySize) {
		return nil, corrupt("a list of %d entries in %d bytes", n, len(src.b))
	}
	theirs := make(map[uint64]uint64, n)
	for last := in.lo; n > 0; n-- {
		e := src.span()
		if h := e.lo; h < last || !in.contains(h) || !s.covers(h) {
			return nil, corrupt("a list that is out of order or out of its slice")
		}
		theirs[e.lo] = e.last
		last = e.lo
	}
	for d := range overlap(s.domain, in) {
		s.tree.walk(d, func(h, v uint64) bool {
			if other, ok := theirs[h]; ok && other == v {
				delete(theirs, h)
			} else {
				found = append(found, item{h, v, true})
			}
			return true
		})
	}
	for h, v := range theirs {
		found = append(found, item{h, v, false})
	}
	return found, nil
}

func (s *Session) covers(h uint64) bool {
	for range overlap(s.domain, span{h, h}) {
		return true
	}
	return false
}

// pair makes one difference of the two items of a position that has both.
func pair(items []item) (diffs []Diff) {
	slices.SortFunc(items, func(a, b item) int { return cmp.Compare(a.h, b.h) })
	for _, it := range items {
		if n := len(diffs); n == 0 || diffs[n-1].Hash != it.h {
			diffs = append(diffs, Diff{Hash: it.h})
		}
		d := &diffs[len(diffs)-1]
		if it.mine {
			d.Local, d.HasLocal = it.v, true
		} else {
			d.Remote, d.HasRemote = it.v, true
		}
	}
	return diffs
}
