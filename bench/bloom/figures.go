package bloom

import (
	"fmt"
	"math"

	"github.com/distkit/distkit/bench/bar"
	"github.com/distkit/distkit/bloom"
	"github.com/distkit/distkit/internal/hash64"
)

// measured returns the share of strangers that are found.
func measured(n, queries int, contains func(out []bool, hs []uint64) int) float64 {
	found := 0
	hs, out := make([]uint64, 1000), make([]bool, 1000)
	for q := 0; q < queries; q += len(hs) {
		for i := range hs {
			hs[i] = hash64.Integer(n + q + i)
		}
		found += contains(out, hs)
	}
	return float64(found) / float64(queries)
}

// accuracy are measured rates against asked ones, a band of 3 % and four standard
// deviations on either side.
func accuracy() (figures []bar.Figure) {
	for _, n := range []int{30_000, 100_000, million, 100 * million} {
		for _, p := range []float64{0.05, 0.01, 1e-3, 1e-4} {
			if n > million && p != 0.01 {
				continue // a gigabyte in all would show nothing more
			}
			const queries = 20 * million
			figures = append(figures, bar.Figure{
				Name: fmt.Sprintf("rate measured/n=%d/p=%g", n, p), Unit: "away from p, beyond chance",
				Limit: 0.03, Measure: func() float64 {
					f := check(bloom.New(uint64(n), p))
					addAll(n, func(h uint64) { f.AddHash(h) })
					chance := 4 * math.Sqrt(p*(1-p)/queries) / p
					return max(math.Abs(measured(n, queries, f.ContainsHashes)/p-1)-chance, 0)
				},
			})
		}
	}
	return append(figures, bar.Figure{
		Name: "Scalable/grown 1000x/rate measured", Unit: "", Limit: rate,
		Measure: func() float64 { return measured(grownTo, 4*million, scalables(grownTo).ContainsHashes) },
	})
}

// sizes are bits a key.
func sizes() (figures []bar.Figure) {
	const n = million
	for p, bits := range map[float64]float64{0.05: 7.23, 0.01: 10.53, 1e-3: 16.89, 1e-4: 26.34} {
		figures = append(figures, bar.Figure{
			Name: fmt.Sprintf("Filter/p=%g/n=1M", p), Unit: "bits/key", Limit: 1.02 * bits,
			Measure: func() float64 { return float64(check(bloom.New(n, p)).Bits()) / n },
		})
	}
	return append(figures, bar.Figure{
		Name: "Filter against blobloom/p=0.01/n=1M", Unit: "of its bits", Limit: 0.96,
		Measure: func() float64 { return float64(filters(n).Bits()) / float64(blobs(n).NumBits()) },
	}, bar.Figure{
		Name: "Classic against theory/p=1e-9/n=1M", Unit: "x", Limit: 1.01,
		Measure: func() float64 {
			return float64(check(bloom.NewClassic(n, 1e-9)).Bits()) / n / (-math.Log(1e-9) / math.Ln2 / math.Ln2)
		},
	}, bar.Figure{
		Name: "Counting/p=0.01/n=1M", Unit: "bits/key", Limit: 47,
		Measure: func() float64 { return float64(check(bloom.NewCounting(n, rate)).Bits()) / n },
	}, bar.Figure{
		Name: "Scalable/p=0.01/grown 1000x", Unit: "bits/key", Limit: 26,
		Measure: func() float64 { return float64(scalables(grownTo).Bits()) / grownTo },
	})
}
