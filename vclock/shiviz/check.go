package shiviz

import (
	"fmt"
	"iter"
	"slices"

	"github.com/distkit/distkit/vclock"
)

// Check reports whether an execution can have happened as its clocks say, and
// the first event in the order of events that cannot:
//
//   - the own counter of a host is 1 at its first event and grows by one;
//   - the clock of a host never forgets anything;
//   - no clock knows an event that never happened;
//   - a clock that knows an event knows all that this event had seen, and the
//     event has not seen it in turn.
//
// The events of one host must be in their order, and all of them be there; hosts
// may be mixed in any way. It takes memory for all events, and time in
// proportion to their number and that of hosts, for each host heard of anew.
func Check(events iter.Seq[Event]) error {
	all := slices.Collect(events)
	issued := make(map[string]*record)
	for _, e := range all {
		r := issued[e.Host]
		if r == nil {
			r = new(record)
			issued[e.Host] = r
		}
		r.clocks = append(r.clocks, e.Clock)
		r.last = max(r.last, e.Clock.Get(e.Host))
	}
	for i, e := range all {
		r := issued[e.Host]
		if err := r.possible(e, issued); err != nil {
			return fmt.Errorf("shiviz: event %d, %q of %q with %v: %w", i+1, e.Text, e.Host, e.Clock, err)
		}
		r.done++
	}
	return nil
}

// record is what the log as a whole says of a host.
type record struct {
	clocks []vclock.Clock // of its events
	last   uint64         // largest own counter
	done   int            // number of events found possible
}

// possible says what is wrong with the next event of r's host.
func (r *record) possible(e Event, issued map[string]*record) error {
	var before vclock.Clock
	if r.done > 0 {
		before = r.clocks[r.done-1]
	}
	if own, want := e.Clock.Get(e.Host), uint64(r.done)+1; own != want {
		return fmt.Errorf("own counter is %d, want %d", own, want)
	}
	if !e.Clock.Descends(before) {
		return fmt.Errorf("clock does not descend from %v, the host's last", before)
	}
	for id, n := range e.Clock.All() {
		if id == e.Host || n == before.Get(id) {
			continue // what the last event knew has been looked at
		}
		o := issued[id]
		if o == nil || n > o.last {
			return fmt.Errorf("knows event %d of %q, which never happened", n, id)
		}
		if n > uint64(len(o.clocks)) || o.clocks[n-1].Get(id) != n {
			continue // the numbers of that host have a gap, which is its own fault
		}
		if seen := o.clocks[n-1]; e.Clock.Compare(seen) != vclock.After {
			return fmt.Errorf("knows event %d of %q, but not all of what that had seen, %v, or that had seen it", n, id, seen)
		}
	}
	return nil
}

// Concurrent yields all pairs of events of which neither saw the other, each
// pair once and both in the order of events. It takes memory for all events and
// time in proportion to the square of their number, so choose the events first:
// of the writes of one key, the pairs are its lost updates, unless the store kept
// both as siblings.
func Concurrent(events iter.Seq[Event]) iter.Seq2[Event, Event] {
	return func(yield func(Event, Event) bool) {
		var before []Event
		for e := range events {
			for _, b := range before {
				if b.Clock.Compare(e.Clock) == vclock.Concurrent && !yield(b, e) {
					return
				}
			}
			before = append(before, e)
		}
	}
}
