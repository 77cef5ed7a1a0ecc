package ring

import "iter"

// Range is the arc of positions (Start, End], clockwise: it may wrap, and if
// Start == End it is the whole ring. The zero Range is the whole ring, and what
// this package's functions return for it. It converts to merkle.Range.
type Range struct{ Start, End uint64 }

// Contains tells whether the position h is in the range.
func (r Range) Contains(h uint64) bool {
	if r.Start < r.End {
		return r.Start < h && h <= r.End
	}
	return r.Start < h || h <= r.End || r.Start == r.End
}

// Ranges yields where the node of that ID is among the first n nodes of the
// preference lists: which keys it has to hold when keys are kept n times.
// Ranges are merged where they touch and ascend by Start; one that wraps is the
// last. For n == 1 they are the node's own arcs. A node that is not there has
// none. All takes O(t log t + v*w) time for v of t tokens, w walked back from each.
func (r *Ring) Ranges(id string, n int) iter.Seq[Range] {
	return func(yield func(Range) bool) {
		for _, arc := range r.ranges(id, n) {
			if !yield(arc) {
				return
			}
		}
	}
}

// Share returns the exact fraction of positions for which the node of that ID
// is among the first n nodes: 0 for a node that is not there or n <= 0, 1 if n
// >= Len. Under n == 1, fair is the node's weight divided by the sum of weights.
// It costs as much as [Ring.Ranges].
func (r *Ring) Share(id string, n int) float64 {
	var sum uint64
	for _, arc := range r.ranges(id, n) {
		if arc.Start == arc.End {
			return 1
		}
		sum += arc.End - arc.Start
	}
	return float64(sum) / (1 << 64)
}

func (r *Ring) ranges(id string, n int) []Range {
	node, found := search(r.nodes, id)
	if !found || n <= 0 {
		return nil
	}
	tokens := r.idx.tokens()
	p := borrowPlaces(&r.zones, len(r.nodes))
	defer p.giveBack()
	var ranges []Range
	for i, x := range tokens {
		if int(x&nodeMask) != node {
			continue
		}
		start, ok := r.reach(p, i, n)
		if !ok {
			continue
		}
		if last := len(ranges) - 1; last >= 0 && ranges[last].End == start {
			ranges[last].End = x | nodeMask
		} else {
			ranges = append(ranges, Range{start, x | nodeMask})
		}
	}
	return ascending(ranges)
}

// reach walks back from point i, one of a node's own, and returns where the
// range begins that ends there and in which the node has one of the first n
// places: at its own previous token at the latest. It is not ok if there is no
// such range.
func (r *Ring) reach(p *places, i, n int) (start uint64, ok bool) {
	tokens := r.idx.tokens()
	own := int(tokens[i] & nodeMask)
	p.reset()
	for range tokens {
		prev := tokens[len(tokens)-1]
		if i > 0 {
			prev = tokens[i-1]
		}
		// Equal tokens have an empty arc between them, but if all are equal, the arc
		// of the first is the whole circle.
		if i == 0 || prev|nodeMask != tokens[i]|nodeMask {
			start, ok = prev|nodeMask, true
		}
		node := int(prev & nodeMask)
		if node == own {
			break
		}
		p.offer(node)
		if p.next(own) >= n {
			break
		}
		if i--; i < 0 {
			i = len(tokens) - 1
		}
	}
	return start, ok
}

// ascending puts ranges, which are merged and in order of their ends, in order of
// their starts: only the first can wrap, and may touch the last.
func ascending(ranges []Range) []Range {
	if len(ranges) == 0 {
		return nil
	}
	first, last := ranges[0], &ranges[len(ranges)-1]
	switch {
	case first.Start == last.End && len(ranges) == 1:
		ranges[0] = Range{}
	case first.Start == last.End:
		last.End = first.End
		ranges = ranges[1:]
	case first.Start > first.End:
		ranges = append(ranges[1:], first)
	}
	return ranges
}
