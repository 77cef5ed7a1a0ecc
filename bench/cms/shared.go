package cms

import (
	"sync"

	"github.com/distkit/distkit/bench/bar"
	"github.com/distkit/distkit/cms"
)

const goroutines = 2

// shared is the bar of two goroutines that add to one sketch.
func shared() []bar.Bar {
	return []bar.Bar{{
		Name: "Concurrent.Add/goroutines=2/eps=1e-3", Limit: 1 / 1.5,
		Ours: bar.Side{Impl: "distkit", New: func() func(int) uint64 {
			s, c := users(), check(cms.NewConcurrent(small, delta))
			return func(n int) uint64 {
				race(n, func(i int) { c.AddHash(s.hashes[i&(draws-1)]) })
				return c.CountHash(s.hashes[0])
			}
		}},
		Peer: side("Sketch and a mutex, one goroutine", func() func(*stream, int) uint64 {
			var mu sync.Mutex
			c := sketch(small)
			return func(s *stream, i int) uint64 {
				mu.Lock()
				defer mu.Unlock()
				return c.AddHash(s.hashes[i])
			}
		}),
		Allocs: 0.01, // of starting the goroutines
	}}
}

// race calls add n times, from goroutines at once.
func race(n int, add func(i int)) {
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
				race(rounds*draws, func(i int) { c.AddHash(s.hashes[i&(draws-1)]) })
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
