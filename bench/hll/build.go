package hll

import (
	"fmt"

	"github.com/axiomhq/hyperloglog"
	"github.com/distkit/distkit/bench/bar"
	"github.com/distkit/distkit/internal/testkit"
	"github.com/retailnext/hllpp"
)

// builds are the bars of making a sketch and adding n keys that are new. Every
// build takes other keys.
func builds() (bars []bar.Bar) {
	for _, c := range []struct {
		n      int
		peer   string
		limit  float64
		allocs float64
	}{
		{10, "datasketches", 0.5, 3},
		{10, "axiomhq", 0.8, 3},
		{1000, "axiomhq", 0.12, bar.AnyAllocs},
		{1000, "datasketches", 0.3, bar.AnyAllocs},
		{1000, "hllpp", 0.2, bar.AnyAllocs},
		{10_000, "axiomhq", 0.05, bar.AnyAllocs},
		{100_000, "axiomhq", 0.15, bar.AnyAllocs},
	} {
		bars = append(bars, bar.Bar{
			Name: fmt.Sprintf("New and Add/n=%d", c.n), Limit: c.limit, Allocs: c.allocs,
			Ours: built("distkit", c.n), Peer: built(c.peer, c.n),
		})
	}
	return bars
}

// build returns a function that makes a sketch of the n keys from the i-th on, and
// keeps it.
func build(impl string, n int) func(i int) uint64 {
	all := keys()
	switch impl {
	case "axiomhq":
		return func(i int) uint64 {
			s := hyperloglog.New14()
			for j := range n {
				s.Insert(key(all, i+j))
			}
			kept = s
			return 1
		}
	case "datasketches":
		return func(i int) uint64 {
			s := dataSketch(precision)
			for j := range n {
				must(s.UpdateSlice(key(all, i+j)))
			}
			kept = s
			return 1
		}
	case "hllpp":
		return func(i int) uint64 {
			s := hllpp.New()
			for j := range n {
				s.Add(key(all, i+j))
			}
			kept = s
			return 1
		}
	}
	return func(i int) (changed uint64) {
		s := sketch()
		for j := range n {
			if s.Add(key(all, i+j)) {
				changed++
			}
		}
		kept = s
		return changed
	}
}

var kept any // what was built last, so that it is built

func built(impl string, n int) bar.Side {
	return bar.Side{Impl: impl, New: func() func(int) uint64 {
		f, next := build(impl, n), 0
		return func(rounds int) (sum uint64) {
			for range rounds {
				sum += f(next)
				next += n
			}
			return sum
		}
	}}
}

// memory are figures of what building allocates.
func memory() (figures []bar.Figure) {
	for _, c := range []struct {
		n    int
		peer string
	}{{10, "datasketches"}, {1000, "axiomhq"}, {10_000, "axiomhq"}} {
		figures = append(figures, bar.Figure{
			Name: fmt.Sprintf("New and Add/n=%d/bytes allocated", c.n), Unit: "of " + c.peer, Limit: 1,
			Measure: func() float64 { return allocated("distkit", c.n) / allocated(c.peer, c.n) },
		})
	}
	return figures
}

// allocated returns the bytes that one build allocates.
func allocated(impl string, n int) float64 {
	const rounds = 10
	f := build(impl, n)
	return float64(testkit.AllocatedBytes(func() {
		for i := range rounds {
			f(n * i)
		}
	})) / rounds
}
