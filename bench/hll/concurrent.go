package hll

import (
	"sync"

	"github.com/distkit/distkit/bench/bar"
	distkit "github.com/distkit/distkit/hll"
)

// concurrents are the bars of the sketch for many goroutines: known keys, from two
// goroutines against one that locks a Sketch, and from one against a Sketch.
func concurrents() []bar.Bar {
	full := func() *distkit.Concurrent {
		c := check(distkit.NewConcurrent(precision))
		for _, h := range hashes() {
			c.AddHash(h)
		}
		return c
	}
	add := func(c *distkit.Concurrent, hs []uint64, from, to int) (changed uint64) {
		for i := from; i < to; i++ {
			if c.AddHash(hs[i&(million-1)]) {
				changed++
			}
		}
		return changed
	}
	locked := bar.Side{Impl: "Sketch and a mutex, 1 goroutine", New: func() func(int) uint64 {
		s, hs := sketch(), hashes()
		var mu sync.Mutex
		for _, h := range hs {
			s.AddHash(h)
		}
		return func(n int) (changed uint64) {
			for i := range n {
				mu.Lock()
				if s.AddHash(hs[i&(million-1)]) {
					changed++
				}
				mu.Unlock()
			}
			return changed
		}
	}}
	return []bar.Bar{
		{
			Name: "Concurrent.AddHash/known/2 goroutines", Limit: 1 / 1.7, Allocs: bar.AnyAllocs, Peer: locked, // the goroutines
			Ours: bar.Side{Impl: "distkit", New: func() func(int) uint64 {
				c, hs := full(), hashes()
				return func(n int) uint64 {
					var half uint64
					var wg sync.WaitGroup
					wg.Go(func() { half = add(c, hs, 0, n/2) })
					rest := add(c, hs, n/2, n)
					wg.Wait()
					return half + rest
				}
			}},
		},
		{
			Name: "Concurrent.AddHash/known/1 goroutine", Limit: 1.5, Peer: named("Sketch.AddHash", addHashSide()),
			Ours: bar.Side{Impl: "distkit", New: func() func(int) uint64 {
				c, hs := full(), hashes()
				return func(n int) uint64 { return add(c, hs, 0, n) }
			}},
		},
	}
}
