package vclock

import (
	"fmt"

	"github.com/distkit/distkit/bench/bar"
)

func clockBars() []bar.Bar {
	var bars []bar.Bar
	limits := map[int]struct{ compare, tick, merge float64 }{3: {0.30, 0.25, 0.25}, 10: {0.35, 0.25, 0.25}, 100: {0.60, 0.15, 0.35}}
	for _, n := range []int{3, 10, 100} {
		limit := limits[n]
		base := func(i int) uint64 { return uint64(1000 + i) }
		a, same := clocks(n, base), clocks(n, base)
		later := clocks(n, func(i int) uint64 { return base(i) + 7 })
		// Each side of a and other knows something that the other does not.
		other := clocks(n, func(i int) uint64 { return base(i) - 3 + uint64(i%2)*7 })
		last := fmt.Sprintf("node-%03d", n-1)

		name := func(op string) string { return fmt.Sprintf("%s/n=%d", op, n) }
		bars = append(bars,
			bar.Bar{
				Name:  name("Compare"),
				Ours:  side("distkit", func() uint64 { return uint64(a.c.Compare(later.c)) }),
				Peer:  side("map", func() uint64 { return uint64(a.m.compare(later.m)) }),
				Limit: limit.compare,
			},
			bar.Bar{
				Name:  name("Compare equal"),
				Ours:  side("distkit", func() uint64 { return uint64(a.c.Compare(same.c)) }),
				Peer:  side("map", func() uint64 { return uint64(a.m.compare(same.m)) }),
				Limit: 0.08,
			},
			bar.Bar{
				Name:  name("Tick"),
				Ours:  side("distkit", func() uint64 { return size(a.c.Tick(last)) }),
				Peer:  side("map", func() uint64 { return entries(a.m.tick(last)) }),
				Limit: limit.tick, Allocs: 1,
			},
			bar.Bar{
				Name:  name("Merge"),
				Ours:  side("distkit", func() uint64 { return size(a.c.Merge(other.c)) }),
				Peer:  side("map", func() uint64 { return entries(a.m.merge(other.m)) }),
				Limit: limit.merge, Allocs: 1,
			},
			bar.Bar{
				Name:  name("Merge dominated"),
				Ours:  side("distkit", func() uint64 { return size(later.c.Merge(a.c)) }),
				Peer:  side("map", func() uint64 { return entries(later.m.merge(a.m)) }),
				Limit: 0.15,
			})
	}
	return bars
}
