package vclock

import (
	"sync"
	"time"

	"github.com/distkit/distkit/bench/bar"
	"github.com/distkit/distkit/vclock"
	"github.com/distkit/distkit/vclock/hlc"
	"github.com/hashicorp/serf/serf"
)

func scalarBars() []bar.Bar {
	clock, err := hlc.New()
	if err != nil {
		panic(err)
	}
	fixed := time.Now()
	var locked mutexHLC
	var ours vclock.Lamport
	var serfs serf.LamportClock
	return []bar.Bar{
		{
			Name:  "Lamport.Tick",
			Ours:  side("distkit", ours.Tick),
			Peer:  side("serf", func() uint64 { return uint64(serfs.Increment()) }),
			Limit: 1.25,
		},
		{
			Name: "hlc.Clock.NowAt",
			Ours: side("distkit", func() uint64 { return uint64(clock.NowAt(fixed)) }),
			Plus: 15,
		},
		{
			Name:  "hlc.Clock.Now",
			Ours:  side("distkit", func() uint64 { return uint64(clock.Now()) }),
			Peer:  side("time.Now", func() uint64 { return uint64(time.Now().Nanosecond()) }),
			Limit: 1.25,
		},
		{
			Name: "hlc.Clock.Now/goroutines=2",
			Ours: parallel("distkit", func() uint64 { return uint64(clock.Now()) }),
			Peer: parallel("mutex", func() uint64 {
				wall, count := locked.now()
				return uint64(wall) + uint64(count)
			}),
			Limit: 0.9,
		},
	}
}

// parallel shares the operations out to two goroutines.
func parallel(impl string, op func() uint64) bar.Side {
	return bar.Side{Impl: impl, New: func() func(int) uint64 {
		return func(n int) uint64 {
			var sums [2][8]uint64 // a cache line each
			var wg sync.WaitGroup
			for g := range sums {
				wg.Go(func() {
					var sum uint64
					for range n / len(sums) {
						sum += op()
					}
					sums[g][0] = sum
				})
			}
			wg.Wait()
			return sums[0][0] + sums[1][0]
		}
	}}
}
