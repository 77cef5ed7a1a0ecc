package lru_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/distkit/distkit/internal/testkit"
	"github.com/distkit/distkit/lru"
)

func BenchmarkCache(b *testing.B) {
	for _, n := range []int{1000, 100_000, 1 << 20} {
		c := must(lru.New[uint64, uint64](n))
		s := must(lru.New[string, int](n))
		zipf := testkit.Zipf(1, 0.99, uint64(n))
		ranks, names := make([]uint64, 1<<16), make([]string, 1<<16)
		for i := range uint64(n) {
			c.Set(i*0x9e3779b97f4a7c15, i)
			s.Set(name(i), int(i))
		}
		for i := range ranks {
			k := zipf()
			ranks[i], names[i] = k*0x9e3779b97f4a7c15, name(k)
		}
		b.Run(fmt.Sprintf("op=Get/n=%d/key=uint64", n), func(b *testing.B) {
			i := 0
			for b.Loop() {
				c.Get(ranks[i&(1<<16-1)])
				i++
			}
		})
		b.Run(fmt.Sprintf("op=Get/n=%d/key=string", n), func(b *testing.B) {
			i := 0
			for b.Loop() {
				s.Get(names[i&(1<<16-1)])
				i++
			}
		})
		b.Run(fmt.Sprintf("op=Set/n=%d/key=uint64/evicting", n), func(b *testing.B) {
			i := uint64(n)
			for b.Loop() {
				i++
				c.Set(i*0x9e3779b97f4a7c15, i)
			}
		})
	}
}

func BenchmarkTimedGet(b *testing.B) {
	const n = 100_000
	zipf := testkit.Zipf(1, 0.99, n)
	ranks := make([]uint64, 1<<16)
	for i := range ranks {
		ranks[i] = zipf() * 0x9e3779b97f4a7c15
	}
	for _, ttl := range []time.Duration{0, time.Hour} {
		c := must(lru.New[uint64, uint64](n, lru.WithTTL(ttl)))
		for i := range uint64(n) {
			c.Set(i*0x9e3779b97f4a7c15, i)
		}
		b.Run(fmt.Sprintf("ttl=%v", ttl), func(b *testing.B) {
			i := 0
			for b.Loop() {
				c.Get(ranks[i&(1<<16-1)])
				i++
			}
		})
	}
}

func name(i uint64) string { return fmt.Sprintf("user:profile:%010d", 1_000_000_000+i) }
