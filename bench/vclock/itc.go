package vclock

import (
	"fmt"

	"github.com/distkit/distkit/bench/bar"
	"github.com/distkit/distkit/vclock"
	"github.com/distkit/distkit/vclock/itc"
)

// both is a stamp and its trees.
type both struct {
	s itc.Stamp
	t treeStamp
}

// crowd returns the stamps of n actors that have recorded events and told each
// other. The last to hear knows of all, with a number for each.
func crowd(n int) []both {
	all := []both{{itc.Seed(), treeStamp{idOne, &treeEvent{}}}}
	for len(all) < n {
		a, b := all[0].s.Fork()
		ta, tb := all[0].t.fork()
		all = append(all[1:], both{a, ta}, both{b, tb})
	}
	for i := range all {
		for range i*7%5 + 1 {
			all[i].s, all[i].t = all[i].s.Event(), all[i].t.record()
		}
	}
	for i := range all {
		for j := range all {
			heard, err := all[i].s.Join(all[j].s.Peek())
			if err != nil {
				panic(err)
			}
			all[i] = both{heard, treeStamp{all[i].t.id, all[i].t.event.join(all[j].t.event)}}
		}
	}
	return all
}

var (
	stamped itc.Stamp
	treed   treeStamp
)

func itcBars() []bar.Bar {
	var bars []bar.Bar
	for _, n := range []int{3, 64} {
		all := crowd(n)
		x, y := all[n/2], all[n/3]
		later := both{y.s.Event(), y.t.record()}
		name := func(op string) string { return fmt.Sprintf("itc.Stamp.%s/n=%d", op, n) }
		event := bar.Bar{
			Name: name("Event"),
			Ours: side("distkit", func() uint64 { stamped = x.s.Event(); return 1 }),
			Peer: side("trees", func() uint64 { treed = x.t.record(); return 1 }),
			// The paper's trees are deep only where actors are many.
			Limit: 0.5, Allocs: 4,
		}
		compare := bar.Bar{
			Name: name("Compare"),
			Ours: side("distkit", func() uint64 { return uint64(x.s.Compare(later.s)) }),
			Peer: side("trees", func() uint64 {
				le, ge := x.t.event.leq(later.t.event), later.t.event.leq(x.t.event)
				if le && !ge {
					return uint64(vclock.Before)
				}
				return uint64(vclock.Concurrent)
			}),
			Limit: 0.5,
		}
		if n == 64 {
			event.Limit, compare.Limit = 0.1, 0.1
		}
		bars = append(bars, event, compare)
		if n == 64 {
			bars = append(bars, bar.Bar{Name: name("Event") + " alone", Ours: event.Ours, Plus: 2500, Allocs: 4})
		}
	}
	return bars
}
