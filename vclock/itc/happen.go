package itc

import (
	"cmp"
	"encoding/binary"
	"slices"
)

// happen returns the events after one more in what id owns. As in the paper, it
// first raises what is owned to what is known all around it, which makes the
// tree smaller; only where that changes nothing does it count one up, in the
// place where the tree grows least.
func happen(id, event string) string {
	event = leavesOf(event)
	raised := false
	var best view
	var few [8]part
	for i, p := range deepestFirst(few[:0], id) {
		v := look(event, p)
		switch n := max(v.most, v.beside); {
		case v.cover.depth > p.depth || n > v.most:
			event = v.raise(event, n)
			raised = true
		case i == 0 || v.cheaper(best):
			best = v
		}
	}
	if raised {
		return event
	}
	return best.grow(event)
}

// deepestFirst appends the intervals of id, so that what lies in the other half
// of an interval comes before it.
func deepestFirst(to []part, id string) []part {
	for i := 0; i < len(id); i += partBytes {
		to = append(to, partAt(id, i))
	}
	if len(to) > 1 {
		slices.SortFunc(to, func(a, b part) int { return cmp.Compare(b.depth, a.depth) })
	}
	return to
}

// view is what there is at an interval: the leaves in it, or the one around it.
type view struct {
	part
	from, to int    // where those leaves are
	cover    part   // the first of them
	most     uint64 // the largest number
	beside   uint64 // the smallest number in the other half of the parent, 0 of the whole
}

func look(event string, p part) view {
	v := view{part: p, from: -1}
	around := p
	if p.depth > 0 {
		around, v.beside = p.parent(), 1<<64-1
	}
	start := uint64(0)
	for i := 0; i < len(event); {
		depth, n, end := leafAt(event, i)
		l := part{start, depth}
		last := l.last()
		if last >= around.start {
			if l.start > around.last() {
				break
			}
			if last >= p.start && l.start <= p.last() {
				if v.from < 0 {
					v.from, v.cover = i, l
				}
				v.to, v.most = end, max(v.most, n)
			}
			if p.depth > 0 && (last < p.start || last > p.last() || l.start < p.start) {
				v.beside = min(v.beside, n)
			}
		}
		i, start = end, last+1
	}
	return v
}

// raise returns the events with n in all of the interval.
func (v view) raise(event string, n uint64) string {
	var small [256]byte
	out := append(small[:0], event[:v.from]...)
	out = appendLeaf(out, v.part, n)
	next := part{v.last() + 1, 0}
	for i := v.to; i < len(event); {
		depth, n, end := leafAt(event, i)
		next.depth = depth
		before := len(out)
		if out = appendLeaf(out, next, n); len(out) > before {
			return string(append(out, event[end:]...)) // no more halves to put together
		}
		i, next.start = end, next.last()+1
	}
	return string(out)
}

// cheaper reports whether the tree grows less here than there: first by new
// leaves, then by depth, and of equals the paper takes the one to the right.
func (v view) cheaper(o view) bool {
	return cmp.Or(cmp.Compare(v.depth-v.cover.depth, o.depth-o.cover.depth), cmp.Compare(v.depth, o.depth),
		cmp.Compare(o.start, v.start)) < 0
}

// grow returns the events with one more in the interval, which lies in one leaf:
// that is halved until a leaf is the interval.
func (v view) grow(event string) string {
	var small [256]byte
	out := append(small[:0], event[:v.from]...)
	var right [maxDepth]int // depths of the halves to the right of the interval
	k := 0
	for p := v.part; p.depth > v.cover.depth; p = p.parent() {
		if !p.isRight() {
			right[k] = p.depth
			k++
		}
	}
	for depth := v.cover.depth + 1; depth <= v.depth; depth++ {
		if v.start&(1<<(maxDepth-depth)) != 0 {
			out = append(out, byte(depth))
			out = binary.AppendUvarint(out, v.most)
		}
	}
	out = append(out, byte(v.depth))
	out = binary.AppendUvarint(out, v.most+1)
	for _, depth := range right[:k] {
		out = append(out, byte(depth))
		out = binary.AppendUvarint(out, v.most)
	}
	return string(append(out, event[v.to:]...))
}
