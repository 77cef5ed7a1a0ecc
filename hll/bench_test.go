package hll_test

import (
	"testing"

	"github.com/distkit/distkit/hll"
)

func BenchmarkAddHash(b *testing.B) {
	s, e, c := must(hll.New(14, hll.WithDense())), must(hll.NewExaLogLog(11, hll.WithDense())), must(hll.NewConcurrent(14))
	for name, add := range map[string]func(uint64) bool{"Sketch": s.AddHash, "ExaLogLog": e.AddHash, "Concurrent": c.AddHash} {
		b.Run("type="+name, func(b *testing.B) {
			for i := uint64(0); b.Loop(); i++ {
				add(i)
			}
		})
	}
}

func BenchmarkEstimate(b *testing.B) {
	s, e := must(hll.New(14, hll.WithDense())), must(hll.NewExaLogLog(11, hll.WithDense()))
	for i := range uint64(1_000_000) {
		s.AddHash(i)
		e.AddHash(i)
	}
	for name, estimate := range map[string]func() uint64{"Sketch": s.Estimate, "ExaLogLog": e.Estimate} {
		b.Run("type="+name, func(b *testing.B) {
			var sum uint64
			for b.Loop() {
				sum += estimate()
			}
		})
	}
}

func BenchmarkIntersect(b *testing.B) {
	x, y := must(hll.New(12)), must(hll.New(12))
	for i := range uint64(40_000) {
		x.AddHash(i)
		y.AddHash(i + 38_000)
	}
	var sum float64
	for b.Loop() {
		sum += must(hll.Intersect(x, y)).Both
	}
}
