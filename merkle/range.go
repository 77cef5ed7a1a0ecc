package merkle

import (
	"cmp"
	"math"
	"slices"
)

// Range is the arc of positions (Start, End], clockwise: it may wrap, and if
// Start == End it is the whole ring. The zero Range is the whole ring. It is
// identical to ring.Range and converts to and from it.
type Range struct{ Start, End uint64 }

// Contains tells whether the position h is in the range.
func (r Range) Contains(h uint64) bool {
	if r.Start < r.End {
		return r.Start < h && h <= r.End
	}
	return r.Start < h || h <= r.End || r.Start == r.End
}

// span is the positions from lo to last, both included: what the tree thinks in,
// since it never wraps and is never empty.
type span struct{ lo, last uint64 }

var everything = span{0, math.MaxUint64}

func (s span) contains(h uint64) bool { return s.lo <= h && h <= s.last }

// within reports whether no position of s is outside o.
func (s span) within(o span) bool { return o.lo <= s.lo && s.last <= o.last }

// spans returns r as one span or, where it wraps, as two, ascending.
func (r Range) spans() (a, b span, two bool) {
	switch {
	case r.Start == r.End:
		return everything, span{}, false
	case r.Start < r.End:
		return span{r.Start + 1, r.End}, span{}, false
	case r.Start == math.MaxUint64:
		return span{0, r.End}, span{}, false
	}
	return span{0, r.End}, span{r.Start + 1, math.MaxUint64}, true
}

// union returns the positions of all ranges as ascending spans that neither
// overlap nor touch.
func union(ranges []Range) []span {
	var all []span
	for _, r := range ranges {
		a, b, two := r.spans()
		all = append(all, a)
		if two {
			all = append(all, b)
		}
	}
	slices.SortFunc(all, func(a, b span) int { return cmp.Compare(a.lo, b.lo) })
	merged := all[:0]
	for _, s := range all {
		if n := len(merged); n > 0 && (merged[n-1].last == math.MaxUint64 || s.lo <= merged[n-1].last+1) {
			merged[n-1].last = max(merged[n-1].last, s.last)
			continue
		}
		merged = append(merged, s)
	}
	return merged
}

// overlap yields the parts of s that are in domain, which is ascending.
func overlap(domain []span, s span) func(yield func(span) bool) {
	return func(yield func(span) bool) {
		i, _ := slices.BinarySearchFunc(domain, s.lo, func(d span, lo uint64) int { return cmp.Compare(d.last, lo) })
		for ; i < len(domain) && domain[i].lo <= s.last; i++ {
			if !yield(span{max(s.lo, domain[i].lo), min(s.last, domain[i].last)}) {
				return
			}
		}
	}
}
