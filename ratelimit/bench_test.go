package ratelimit_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/distkit/distkit/ratelimit"
)

func BenchmarkLimiter(b *testing.B) {
	for _, a := range algorithms {
		for name, l := range map[string]ratelimit.Limit{"allowed": ratelimit.PerSecond(16_000), "denied": ratelimit.PerHour(1)} {
			limiter := must(ratelimit.New(l, ratelimit.WithAlgorithm(a)))
			at := t0
			b.Run(fmt.Sprintf("op=AllowAt/%s/algorithm=%s", name, a), func(b *testing.B) {
				for b.Loop() {
					at = at.Add(time.Millisecond / 10)
					limiter.AllowAt(at, 1)
				}
			})
			b.Run(fmt.Sprintf("op=Take/%s/algorithm=%s", name, a), func(b *testing.B) {
				for b.Loop() {
					limiter.Take(1)
				}
			})
		}
	}
}

func BenchmarkKeyed(b *testing.B) {
	for _, n := range []int{1000, 1 << 20} {
		k := must(ratelimit.NewKeyed(ratelimit.PerHour(1).WithBurst(1 << 30)))
		for i := range n {
			k.AllowHash(uint64(i))
		}
		b.Run(fmt.Sprintf("op=AllowHash/known/n=%d", n), func(b *testing.B) {
			i := uint64(0)
			for b.Loop() {
				i = i*6364136223846793005 + 1442695040888963407
				k.AllowHash(i >> 20 % uint64(n))
			}
		})
	}
	b.Run("op=AllowHash/new", func(b *testing.B) {
		k := must(ratelimit.NewKeyed(ratelimit.PerHour(1)))
		i := uint64(0)
		for b.Loop() {
			i++
			k.AllowHash(i)
		}
	})
	b.Run("op=AllowHash/new/lapsing", func(b *testing.B) {
		k := must(ratelimit.NewKeyed(ratelimit.PerSecond(10_000)))
		i := uint64(0)
		for b.Loop() {
			i++
			k.AllowHash(i)
		}
	})
}
