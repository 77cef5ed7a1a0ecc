package ring

import (
	"errors"
	"fmt"
	"iter"
	"slices"

	"github.com/distkit/distkit/internal/codec"
	"github.com/distkit/distkit/internal/hash64"
)

// Move is a range of positions whose preference list changes.
type Move struct {
	Range    Range
	From, To []string // the preference lists before and after
}

// Gained returns the nodes in To that are not in From: these must receive the
// range, from any of From. It may be empty, where a list only changes its order.
func (m Move) Gained() []string { return without(m.To, m.From) }

// Lost returns the nodes in From that are not in To: these may drop the range
// when the others have received it.
func (m Move) Lost() []string { return without(m.From, m.To) }

func without(list, other []string) []string {
	var rest []string
	for _, id := range list {
		if !slices.Contains(other, id) {
			rest = append(rest, id)
		}
	}
	return rest
}

// Moves yields what changes from one ring to another where keys are kept n
// times: exactly the positions whose first n nodes differ, each once, merged
// where ranges with equal lists touch, ascending by Range.Start; a range that
// wraps is the last. n must be at least 1, and no ring nil. The rings may differ in
// anything but what positions mean: rings with unlike secrets, or of which only one has
// tokens from a function, give [ErrIncompatible]. It takes O(t) time for the t
// tokens of both, and little memory.
func Moves(before, after *Ring, n int) (iter.Seq[Move], error) {
	if n < 1 {
		return nil, fmt.Errorf("ring: copies is %d, want at least 1", n)
	}
	if before == nil || after == nil {
		return nil, errors.New("ring: a ring is nil, want two; an empty one has no nodes")
	}
	if hash64.Check(before.cfg.secret) != hash64.Check(after.cfg.secret) {
		return nil, codec.Incompatible("ring", "the rings have unlike secrets")
	}
	if (before.cfg.set^after.cfg.set)&setTokens != 0 {
		return nil, codec.Incompatible("ring", "the tokens of only one ring come from a function")
	}
	s := &sweep{before: before, after: after, n: n, same: make([]int, len(before.nodes))}
	for i, id := range before.ids {
		s.same[i] = -1
		if j, found := search(after.nodes, id); found {
			s.same[i] = j
		}
	}
	return s.moves, nil
}

// sweep goes through the arcs between the tokens of two rings. Within one, the
// preference lists of both are constant.
type sweep struct {
	before, after *Ring
	n             int
	same          []int // by index in before: the index in after, or -1
}

// lists are the preference lists of both rings, by index.
type lists struct{ from, to []int }

func (s *sweep) load(l *lists, h uint64) {
	l.from = s.before.AppendLocate(l.from[:0], h, s.n)
	l.to = s.after.AppendLocate(l.to[:0], h, s.n)
}

func (l *lists) equal(m *lists) bool { return slices.Equal(l.from, m.from) && slices.Equal(l.to, m.to) }

// changed tells whether the lists name different nodes or in different order.
func (s *sweep) changed(l *lists) bool {
	return !slices.EqualFunc(l.from, l.to, func(i, j int) bool { return s.same[i] == j })
}

// move returns the range with lists by name.
func (s *sweep) move(start, end uint64, l *lists) Move {
	m := Move{Range: Range{start, end}}
	m.From = appendNamed(make([]string, 0, len(l.from)), s.before.ids, l.from)
	m.To = appendNamed(make([]string, 0, len(l.to)), s.after.ids, l.to)
	return m
}

// moves yields runs of arcs with equal lists that change. The arc that ends at
// the first token of all is the last, because it wraps; the arcs behind it that
// have the same lists belong to it.
func (s *sweep) moves(yield func(Move) bool) {
	ends := s.ends()
	first, ok := ends()
	if !ok {
		return
	}
	var wrap, run, arc lists
	s.load(&wrap, first)
	head := first // where the run that wraps ends
	end, ok := ends()
	for ; ok; end, ok = ends() {
		if s.load(&run, end); !run.equal(&wrap) {
			break
		}
		head = end
	}
	if !ok {
		if s.changed(&wrap) {
			yield(s.move(0, 0, &wrap))
		}
		return
	}
	start, last := head, end
	for end, ok = ends(); ok; end, ok = ends() {
		if s.load(&arc, end); !arc.equal(&run) {
			if s.changed(&run) && !yield(s.move(start, last, &run)) {
				return
			}
			start = last
			run, arc = arc, run
		}
		last = end
	}
	if !run.equal(&wrap) {
		if s.changed(&run) && !yield(s.move(start, last, &run)) {
			return
		}
		start = last
	}
	if s.changed(&wrap) {
		yield(s.move(start, head, &wrap))
	}
}

// ends returns a function that gives the distinct tokens of both rings in
// ascending order.
func (s *sweep) ends() func() (uint64, bool) {
	a, b := s.before.idx.tokens(), s.after.idx.tokens()
	return func() (uint64, bool) {
		if len(a) == 0 && len(b) == 0 {
			return 0, false
		}
		end := ^uint64(0)
		if len(a) > 0 {
			end = a[0] | nodeMask
		}
		if len(b) > 0 {
			end = min(end, b[0]|nodeMask)
		}
		for len(a) > 0 && a[0]|nodeMask == end {
			a = a[1:]
		}
		for len(b) > 0 && b[0]|nodeMask == end {
			b = b[1:]
		}
		return end, true
	}
}
