// Package lru holds lru.Cache to its bars against hashicorp/golang-lru's
// simplelru, which is a cache for one goroutine too, and lru.Concurrent to its bars
// against hashicorp's locked one, otter, ristretto and theine. lru.Backed is beside
// otter's loading and beside what is written by hand, and the hit ratio of Adaptive
// beside other policies.
package lru

import (
	"fmt"
	"runtime"
	"sync"
	"time"

	"github.com/distkit/distkit/bench/bar"
	"github.com/distkit/distkit/internal/testkit"
	"github.com/distkit/distkit/lru"
	"github.com/hashicorp/golang-lru/v2/simplelru"
)

const entries = 100_000

// Suite returns the bars of package lru.
func Suite() bar.Suite {
	s := bar.Suite{Package: "lru", Bars: []bar.Bar{
		hitBar(lru.LRU, 0.60),
		evictionBar(lru.LRU, 0.35),
		{
			Name: "Get hit/policy=LRU/with TTL/n=100k/zipf", Limit: 1.3,
			Ours: bar.Side{Impl: "distkit with WithTTL", New: func() func(int) uint64 {
				c := filled(entries, lru.WithTTL(time.Hour))
				return hits(func(k uint64) (uint64, bool) { return c.Get(k) })
			}},
			Peer: bar.Side{Impl: "distkit", New: func() func(int) uint64 {
				c := filled(entries)
				return hits(func(k uint64) (uint64, bool) { return c.Get(k) })
			}},
		},
	}}
	for p := lru.FIFO; p <= lru.Adaptive; p++ {
		hit, set := 0.8, 0.6
		switch p {
		case lru.LFU: // moves a hot entry from bucket to bucket
			hit = 1.6
		case lru.Random: // goes where no cache line is warm
			set = 1.1
		case lru.S3FIFO: // remembers each key that it evicts
			set = 1.25
		case lru.Adaptive: // and counts each key that it is asked for
			hit, set = 1.6, 1.6
		}
		s.Bars = append(s.Bars, hitBar(p, hit), evictionBar(p, set))
	}
	s.Figures = append(s.Figures, overhead(lru.LRU, 22), overhead(lru.S3FIFO, 36), overhead(lru.Adaptive, 36), objects(lru.LRU), objects(lru.S3FIFO), objects(lru.Adaptive), bar.Figure{Name: "New(50M), empty", Unit: "MiB", Limit: 1, Measure: func() float64 {
		return float64(testkit.LiveBytes(func() any { return check(lru.New[uint64, uint64](50_000_000)) })) / (1 << 20)
	}})
	s.Bars = append(s.Bars, concurrentBars()...)
	s.Figures = append(s.Figures, concurrentFigures()...)
	s.Bars = append(s.Bars, backedBars()...)
	s.Figures = append(s.Figures, stormFigure())
	figures, table := hitRatios(sync.OnceValue(compareAll))
	s.Figures, s.Tables = append(s.Figures, figures...), append(s.Tables, table)
	return s
}

func hitBar(p lru.Policy, limit float64) bar.Bar {
	return bar.Bar{
		Name: fmt.Sprintf("Get hit/policy=%v/key=uint64/n=100k/zipf", p), Limit: limit,
		Ours: bar.Side{Impl: "distkit", New: func() func(int) uint64 {
			c := filled(entries, lru.WithPolicy(p))
			return hits(func(k uint64) (uint64, bool) { return c.Get(k) })
		}},
		Peer: bar.Side{Impl: "hashicorp simplelru", New: func() func(int) uint64 {
			c := simple()
			return hits(func(k uint64) (uint64, bool) { return c.Get(k) })
		}},
	}
}

func evictionBar(p lru.Policy, limit float64) bar.Bar {
	return bar.Bar{
		Name: fmt.Sprintf("Set evicts/policy=%v/key=uint64/n=100k", p), Limit: limit,
		Ours: bar.Side{Impl: "distkit", New: func() func(int) uint64 {
			c := filled(entries, lru.WithPolicy(p))
			return evictions(func(k uint64) { c.Set(k, k) })
		}},
		Peer: bar.Side{Impl: "hashicorp simplelru", New: func() func(int) uint64 {
			c := simple()
			return evictions(func(k uint64) { c.Add(k, k) })
		}},
	}
}

const many = 1 << 20

// overhead is measured when twice as many keys have come as there is room for, so
// that what a policy remembers of keys that left is full.
func overhead(p lru.Policy, limit float64) bar.Figure {
	return bar.Figure{
		Name: fmt.Sprintf("heap beside key and value/policy=%v/n=2^20", p), Unit: "B/entry", Limit: limit,
		Measure: func() float64 {
			return float64(testkit.LiveBytes(func() any {
				c := filled(many, lru.WithPolicy(p))
				for i := range uint64(2 * many) {
					c.Set(id(many+i), i)
				}
				return c
			}))/many - 16
		},
	}
}

func objects(p lru.Policy) bar.Figure {
	return bar.Figure{
		Name: fmt.Sprintf("heap objects/policy=%v/n=2^20", p), Unit: "more than empty", Limit: 1000,
		Measure: func() float64 {
			before := heapObjects()
			c := filled(many, lru.WithPolicy(p))
			after := heapObjects()
			runtime.KeepAlive(c)
			return float64(after) - float64(before)
		},
	}
}

// id spreads numbers as hashed identities are.
func id(i uint64) uint64 { return i * 0x9E3779B97F4A7C15 }

func filled(n int, opts ...lru.Option) *lru.Cache[uint64, uint64] {
	c := check(lru.New[uint64, uint64](n, opts...))
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

func check[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
