package hll

import (
	"math"
	"math/rand/v2"
	"sync"

	"github.com/axiomhq/hyperloglog"
	"github.com/distkit/distkit/bench/bar"
	distkit "github.com/distkit/distkit/hll"
	"github.com/distkit/distkit/internal/hash64"
)

// wire are sizes of images.
func wire() []bar.Figure {
	few := func(impl string) float64 {
		build(impl, 1000)(0)
		switch s := kept.(type) {
		case *distkit.Sketch:
			return float64(len(check(s.MarshalBinary())))
		case *hyperloglog.Sketch:
			return float64(len(check(s.MarshalBinary())))
		case interface{ ToCompactSlice() ([]byte, error) }:
			return float64(len(check(s.ToCompactSlice())))
		}
		panic("no image of " + impl)
	}
	return []bar.Figure{
		{Name: "image/1M keys", Unit: "of axiomhq's", Limit: 0.76, Measure: func() float64 {
			return float64(len(check(fullSketch().MarshalBinary()))) / float64(len(check(fullAxiom().MarshalBinary())))
		}},
		{Name: "image/1M keys", Unit: "of datasketches'", Limit: 0.76, Measure: func() float64 {
			return float64(len(check(fullSketch().MarshalBinary()))) / float64(len(check(fullDataSketch().ToCompactSlice())))
		}},
		{Name: "image/1,000 keys", Unit: "of axiomhq's", Limit: 1, Measure: func() float64 { return few("distkit") / few("axiomhq") }},
		{Name: "image/1,000 keys", Unit: "of datasketches'", Limit: 0.7, Measure: func() float64 { return few("distkit") / few("datasketches") }},
	}
}

// rmse returns the root of the mean square of f over trials, two at a time.
func rmse(trials int, f func(rng *rand.Rand, trial int) []float64) []float64 {
	var mu sync.Mutex
	var sums []float64
	var wg sync.WaitGroup
	const workers = 2
	for w := range workers {
		wg.Go(func() {
			for trial := w; trial < trials; trial += workers {
				errs := f(rand.New(rand.NewPCG(uint64(trial), 7)), trial)
				mu.Lock()
				if sums == nil {
					sums = make([]float64, len(errs))
				}
				for i, e := range errs {
					sums[i] += e * e
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	for i := range sums {
		sums[i] = math.Sqrt(sums[i] / float64(trials))
	}
	return sums
}

type counter interface{ Estimate() uint64 }

func relative(c counter, n int) float64 { return float64(c.Estimate())/float64(n) - 1 }

// accuracy compares errors on the same hashes. Both estimates from registers are
// within a percent of what theory allows; a history knows more.
func accuracy() []bar.Figure {
	return []bar.Figure{
		{Name: "RMSE/precision 12/10 to 50 keys a register", Unit: "of axiomhq's", Limit: 0.95, Measure: func() float64 { return againstAxiom() }},
		{Name: "RMSE/precision 12/10 to 50 keys a register/WithMartingale", Unit: "of axiomhq's", Limit: 0.95, Measure: func() float64 {
			return againstAxiom(distkit.WithMartingale())
		}},
		{Name: "RMSE/ExaLogLog of 8 KiB/25 keys a register", Unit: "of Sketch's of 16 KiB", Limit: 0.97, Measure: func() float64 {
			es := rmse(3000, func(rng *rand.Rand, _ int) []float64 {
				const n = 25 << precision
				e, s := exaLogLog(), sketch()
				for range n {
					h := rng.Uint64()
					e.AddHash(h)
					s.AddHash(h)
				}
				return []float64{relative(e, n), relative(s, n)}
			})
			return es[0] / es[1]
		}},
	}
}

// againstAxiom returns the error at precision 12, as a part of axiomhq's.
func againstAxiom(opts ...distkit.Option) float64 {
	const p, m = 12, 1 << 12
	es := rmse(400, func(rng *rand.Rand, _ int) []float64 {
		a, b := check(distkit.New(p, opts...)), check(hyperloglog.NewSketch(p, true))
		var ours, theirs float64 // of squares, over the points
		n := 0
		for _, point := range []int{10 * m, 15 * m, 20 * m, 30 * m, 50 * m} {
			for ; n < point; n++ {
				h := rng.Uint64()
				a.AddHash(h)
				b.InsertHash(h)
			}
			ours += math.Pow(relative(a, n), 2)
			theirs += math.Pow(relative(b, n), 2)
		}
		return []float64{math.Sqrt(ours), math.Sqrt(theirs)}
	})
	return es[0] / es[1]
}

// shards are sketches that see the keys of one arc of a ring only.
func shards() []bar.Figure {
	const n = 200_000
	arc := func(add func(h uint64)) {
		for i, left := 0, n; left > 0; i++ {
			if h := hash64.Integer(i); h>>60 == 9 {
				add(h)
				left--
			}
		}
	}
	return []bar.Figure{
		{Name: "error/keys of one arc in sixteen", Unit: "%", Limit: 3.5, Measure: func() float64 {
			s := sketch()
			arc(func(h uint64) { s.AddHash(h) })
			return 100 * math.Abs(relative(s, n))
		}},
		{Name: "error/keys of one arc in sixteen/axiomhq", Unit: "%", Limit: 99, AtLeast: true, Measure: func() float64 {
			s := hyperloglog.New14()
			arc(s.InsertHash)
			return 100 * math.Abs(relative(s, n))
		}},
	}
}

// overlapping returns two sketches of precision 12 with so many keys of their own
// and so many in common.
func overlapping(seed int, n [3]int) (a, b *distkit.Sketch) {
	const p = 12
	rng := rand.New(rand.NewPCG(uint64(seed), 8))
	a, b = check(distkit.New(p)), check(distkit.New(p))
	for i := range n[0] + n[1] + n[2] {
		h := rng.Uint64()
		if i < n[0] || i >= n[0]+n[1] {
			a.AddHash(h)
		}
		if i >= n[0] {
			b.AddHash(h)
		}
	}
	return a, b
}

// overlaps compares the error of common keys with that of inclusion and exclusion.
func overlaps() (figures []bar.Figure) {
	for _, c := range []struct {
		name  string
		n     [3]int
		limit float64
	}{
		{"Jaccard 0.048", [3]int{20_000, 20_000, 2000}, 0.6},
		{"Jaccard 0.009", [3]int{50_000, 5000, 500}, 0.6},
		{"Jaccard 0.33", [3]int{10_000, 10_000, 10_000}, 0.95},
	} {
		figures = append(figures, bar.Figure{
			Name: "RMSE of Intersect/" + c.name, Unit: "of inclusion and exclusion's", Limit: c.limit,
			Measure: func() float64 {
				es := rmse(400, func(_ *rand.Rand, trial int) []float64 {
					a, b := overlapping(trial, c.n)
					u := check(distkit.Union(a, b))
					both := float64(c.n[2])
					return []float64{
						check(distkit.Intersect(a, b)).Both - both,
						float64(a.Estimate()) + float64(b.Estimate()) - float64(u.Estimate()) - both,
					}
				})
				return es[0] / es[1]
			},
		})
	}
	return figures
}
