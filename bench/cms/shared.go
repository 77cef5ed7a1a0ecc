package cms

import (
	"fmt"
	"sync"

	"github.com/distkit/distkit/bench/bar"
	"github.com/distkit/distkit/cms"
)

const goroutines = 2

// shared are the bars of two goroutines that add to one sketch.
func shared() []bar.Bar {
	locked := func(goroutines int) bar.Side {
		return racing(fmt.Sprintf("Sketch and a mutex, goroutines=%d", goroutines), goroutines, func() func(h uint64) uint64 {
			var mu sync.Mutex
			c := sketch(small)
			return func(h uint64) uint64 {
				mu.Lock()
				defer mu.Unlock()
				return c.AddHash(h)
			}
		})
	}
	concurrent := racing("distkit", goroutines, func() func(h uint64) uint64 {
		return check(cms.NewConcurrent(small, delta)).AddHash
	})
	return []bar.Bar{
		{Name: "Concurrent.AddHash/goroutines=2/eps=1e-3", Limit: 1 / 1.5, Allocs: 0.01, Ours: concurrent, Peer: locked(1)},
		{Name: "Concurrent.AddHash/goroutines=2/eps=1e-3", Limit: 1 / 1.5, Allocs: 0.01, Ours: concurrent, Peer: locked(goroutines)},
	}
}

// racing is a side of goroutines that share what build returns. Starting them is
// what it allocates.
func racing(impl string, goroutines int, build func() func(h uint64) uint64) bar.Side {
	return bar.Side{Impl: impl, New: func() func(int) uint64 {
		s, add := users(), build()
		return func(n int) uint64 {
			race(goroutines, n, func(i int) { add(s.hashes[i&(draws-1)]) })
			return add(s.hashes[0])
		}
	}}
}

// race calls add n times, from goroutines at once.
func race(goroutines, n int, add func(i int)) {
	var wg sync.WaitGroup
	for g := range goroutines {
		wg.Go(func() {
			for i := g; i < n; i += goroutines {
				add(i)
			}
		})
	}
	wg.Wait()
}

// races are how many keys a Concurrent underestimates after ten million racing
// additions.
func races() (figures []bar.Figure) {
	for name, opts := range map[string][]cms.Option{"plain": nil, "conservative": {cms.WithConservative()}} {
		figures = append(figures, bar.Figure{
			Name: "Concurrent/underestimates/" + name, Unit: "keys", Limit: 0, Measure: func() float64 {
				const rounds = 10
				s, c := users(), check(cms.NewConcurrent(small, delta, opts...))
				race(goroutines, rounds*draws, func(i int) { c.AddHash(s.hashes[i&(draws-1)]) })
				wrong := 0.0
				for i, id := range s.ids {
					if c.CountHash(s.hashes[i]) < rounds*s.truth[id] {
						wrong++
					}
				}
				return wrong
			},
		})
	}
	return figures
}
