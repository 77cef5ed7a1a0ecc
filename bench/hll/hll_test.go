package hll

import (
	"testing"

	"github.com/distkit/distkit/bench/bar"
)

func BenchmarkHLL(b *testing.B) { bar.Benchmark(b, Suite()) }

// All sides of a bar have the same keys in them: their estimates agree.
func TestSidesCountTheSame(t *testing.T) {
	for impl, n := range map[string]float64{
		"distkit": float64(fullSketch().Estimate()), "axiomhq": float64(fullAxiom().Estimate()),
		"datasketches": check(fullDataSketch().GetEstimate()), "hllpp": float64(fullHLLPP().Count()),
	} {
		if n < 0.96*million || n > 1.04*million {
			t.Errorf("%s counts %.0f keys of %d", impl, n, million)
		}
	}
	for _, impl := range []string{"distkit", "axiomhq", "datasketches", "hllpp"} {
		build(impl, 1000)(0)
		var n float64
		switch s := kept.(type) {
		case counter:
			n = float64(s.Estimate())
		case interface{ Count() uint64 }:
			n = float64(s.Count())
		case interface{ GetEstimate() (float64, error) }:
			n = check(s.GetEstimate())
		}
		if n < 990 || n > 1010 {
			t.Errorf("%s counts %.0f keys of 1000", impl, n)
		}
	}
}
