package bloom

import (
	"sync"

	"github.com/distkit/distkit/bench/bar"
	"github.com/distkit/distkit/bloom"
	"github.com/distkit/distkit/internal/hash64"
	"github.com/greatroar/blobloom"
)

// shared are the bars of the filter for many goroutines.
func shared() []bar.Bar {
	const n = 10 * million
	concurrent := once(func(n int) *bloom.Concurrent {
		c := check(bloom.NewConcurrent(uint64(n), rate))
		addAll(n, func(h uint64) { c.AddHash(h) })
		return c
	})
	return []bar.Bar{
		{
			Name: "Concurrent.AddHash/n=10M/fresh/2 writers", Limit: 0.5, Allocs: bar.AnyAllocs, // the goroutines
			Ours: writers("distkit", func() func(hs []uint64) {
				c := check(bloom.NewConcurrent(n, rate))
				return func(hs []uint64) {
					for _, h := range hs {
						c.AddHash(h)
					}
				}
			}),
			Peer: writers("blobloom SyncFilter", func() func(hs []uint64) {
				f := blobloom.NewSyncOptimized(blobloom.Config{Capacity: n, FPRate: rate})
				return func(hs []uint64) {
					for _, h := range hs {
						f.Add(h)
					}
				}
			}),
		},
		{
			Name: "Concurrent.AddHash/n=10M/known", Limit: 1.2,
			Ours: bar.Side{Impl: "distkit", New: func() func(int) uint64 {
				c, hs := concurrent(n), hashes(n, true)
				return func(n int) (sum uint64) {
					for i := range n {
						if c.AddHash(hs[i&(queries-1)]) {
							sum++
						}
					}
					return sum
				}
			}},
			Peer: concurrentSide(n, concurrent),
		},
		{
			Name: "Concurrent.ContainsHash/n=10M/hit", Limit: 1.1,
			Ours: concurrentSide(n, concurrent),
			Peer: bar.Side{Impl: "Filter", New: filterSide(n, true, false).New},
		},
	}
}

func concurrentSide(n int, concurrent func(n int) *bloom.Concurrent) bar.Side {
	return bar.Side{Impl: "Concurrent.ContainsHash", New: func() func(int) uint64 {
		c, hs := concurrent(n), hashes(n, true)
		return func(n int) (sum uint64) {
			for i := range n {
				if c.ContainsHash(hs[i&(queries-1)]) {
					sum++
				}
			}
			return sum
		}
	}}
}

// writers lets two goroutines add hashes that were never there, half each.
func writers(impl string, bind func() func(hs []uint64)) bar.Side {
	return bar.Side{Impl: impl, New: func() func(int) uint64 {
		add := bind()
		hs := make([]uint64, 8*million)
		for i := range hs {
			hs[i] = hash64.Integer(i)
		}
		next := 0
		return func(n int) uint64 {
			for left := n; left > 0; {
				if next == len(hs) {
					add, next = bind(), 0 // full: begin anew
				}
				part := hs[next:min(next+left, len(hs))]
				var wg sync.WaitGroup
				wg.Go(func() { add(part[:len(part)/2]) })
				add(part[len(part)/2:])
				wg.Wait()
				next += len(part)
				left -= len(part)
			}
			return uint64(n)
		}
	}}
}
