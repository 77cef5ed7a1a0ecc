// Package lru holds lru.Cache to its bars against hashicorp/golang-lru's
// simplelru, which is a cache for one goroutine too.
package lru

import (
	"runtime"

	"github.com/distkit/distkit/bench/bar"
	"github.com/distkit/distkit/internal/testkit"
	"github.com/distkit/distkit/lru"
	"github.com/hashicorp/golang-lru/v2/simplelru"
)

const entries = 100_000

// Suite returns the bars of package lru.
func Suite() bar.Suite {
	return bar.Suite{
		Package: "lru",
		Bars: []bar.Bar{
			{
				Name: "Get hit/policy=LRU/key=uint64/n=100k/zipf", Limit: 0.60,
				Ours: bar.Side{Impl: "distkit", New: func() func(int) uint64 {
					c := filled(entries)
					return hits(func(k uint64) (uint64, bool) { return c.Get(k) })
				}},
				Peer: bar.Side{Impl: "hashicorp simplelru", New: func() func(int) uint64 {
					c := simple()
					return hits(func(k uint64) (uint64, bool) { return c.Get(k) })
				}},
			},
			{
				Name: "Set evicts/policy=LRU/key=uint64/n=100k", Limit: 0.35,
				Ours: bar.Side{Impl: "distkit", New: func() func(int) uint64 {
					c := filled(entries)
					return evictions(func(k uint64) { c.Set(k, k) })
				}},
				Peer: bar.Side{Impl: "hashicorp simplelru", New: func() func(int) uint64 {
					c := simple()
					return evictions(func(k uint64) { c.Add(k, k) })
				}},
			},
		},
		Figures: []bar.Figure{
			{Name: "heap beside key and value/policy=LRU/n=2^20", Unit: "B/entry", Limit: 22, Measure: func() float64 {
				const n = 1 << 20
				return float64(testkit.LiveBytes(func() any { return filled(n) }))/n - 16
			}},
			{Name: "heap objects/policy=LRU/n=2^20", Unit: "more than empty", Limit: 1000, Measure: func() float64 {
				return objects(1 << 20)
			}},
			{Name: "New(50M), empty", Unit: "MiB", Limit: 1, Measure: func() float64 {
				return float64(testkit.LiveBytes(func() any { return check(lru.New[uint64, uint64](50_000_000)) })) / (1 << 20)
			}},
		},
	}
}

// id spreads numbers as hashed identities are.
func id(i uint64) uint64 { return i * 0x9E3779B97F4A7C15 }

func filled(n int) *lru.Cache[uint64, uint64] {
	c := check(lru.New[uint64, uint64](n))
	for i := range uint64(n) {
		c.Set(id(i), i)
	}
	return c
}

func simple() *simplelru.LRU[uint64, uint64] {
	c := check(simplelru.NewLRU[uint64, uint64](entries, nil))
	for i := range uint64(entries) {
		c.Add(id(i), i)
	}
	return c
}

// hits asks for keys that are there, by a Zipf distribution of exponent 0.99.
func hits(get func(uint64) (uint64, bool)) func(int) uint64 {
	next := testkit.Zipf(1, 0.99, entries)
	keys := make([]uint64, 1<<18)
	for i := range keys {
		keys[i] = id(next())
	}
	return func(n int) (sum uint64) {
		for i := range n {
			v, ok := get(keys[i&(1<<18-1)])
			if !ok {
				panic("a key is missing")
			}
			sum += v
		}
		return sum
	}
}

// evictions sets keys that were never there.
func evictions(set func(uint64)) func(int) uint64 {
	next := uint64(entries)
	return func(n int) uint64 {
		for range n {
			next++
			set(id(next))
		}
		return next
	}
}

func objects(n int) float64 {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&before)
	c := filled(n)
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&after)
	runtime.KeepAlive(c)
	return float64(after.HeapObjects) - float64(before.HeapObjects)
}

func check[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
