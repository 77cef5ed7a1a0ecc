package lru

import (
	"fmt"
	"runtime"
	"sync"
	"time"

	"github.com/Yiling-J/theine-go"
	"github.com/dgraph-io/ristretto/v2"
	"github.com/distkit/distkit/bench/bar"
	"github.com/distkit/distkit/internal/testkit"
	"github.com/distkit/distkit/lru"
	hashicorp "github.com/hashicorp/golang-lru/v2"
	"github.com/maypok86/otter/v2"
)

// shared is a cache for many goroutines.
type shared struct {
	get func(uint64) (uint64, bool)
	set func(k, v uint64)
}

// rival makes a cache for n entries.
type rival struct {
	name string
	make func(n int) shared
}

func concurrent(p lru.Policy) rival {
	return rival{"distkit", func(n int) shared {
		c := check(lru.NewConcurrent[uint64, uint64](n, lru.WithPolicy(p)))
		return shared{c.Get, func(k, v uint64) { c.Set(k, v) }}
	}}
}

var (
	otters = rival{"otter", func(n int) shared {
		c := check(otter.New(&otter.Options[uint64, uint64]{MaximumSize: n}))
		return shared{c.GetIfPresent, func(k, v uint64) { c.Set(k, v) }}
	}}
	hashicorps = rival{"hashicorp lru", func(n int) shared {
		c := check(hashicorp.New[uint64, uint64](n))
		return shared{c.Get, func(k, v uint64) { c.Add(k, v) }}
	}}
	theines = rival{"theine", func(n int) shared {
		c := check(theine.NewBuilder[uint64, uint64](int64(n)).Build())
		return shared{c.Get, func(k, v uint64) { c.Set(k, v, 1) }}
	}}
	ristrettos = rival{"ristretto", func(n int) shared {
		c := check(ristretto.NewCache(&ristretto.Config[uint64, uint64]{NumCounters: int64(10 * n), MaxCost: int64(n), BufferItems: 64, IgnoreInternalCost: true}))
		return shared{c.Get, func(k, v uint64) { c.Set(k, v, 1); c.Wait() }}
	}}
)

// concurrentBars hold lru.Concurrent to its peers.
func concurrentBars() []bar.Bar {
	sharedHit := func(p lru.Policy, peer rival, limit float64) bar.Bar {
		return bar.Bar{
			Name: fmt.Sprintf("Concurrent/Get hit/policy=%v/n=100k/zipf", p), Limit: limit,
			Ours: resident(concurrent(p), hits), Peer: resident(peer, hits),
		}
	}
	parallelHit := func(p lru.Policy, peer rival, limit float64) bar.Bar {
		return bar.Bar{
			Name: fmt.Sprintf("Concurrent/Get hit/policy=%v/n=100k/zipf/goroutines=2", p), Limit: limit,
			Ours: resident(concurrent(p), pair), Peer: resident(peer, pair),
		}
	}
	evicting := func(p lru.Policy, peer rival, limit float64) bar.Bar {
		return bar.Bar{
			Name: fmt.Sprintf("Concurrent/Set evicts/policy=%v/n=100k", p), Limit: limit,
			Ours: full(concurrent(p)), Peer: full(peer),
		}
	}
	return []bar.Bar{
		sharedHit(lru.LRU, hashicorps, 0.60),
		sharedHit(lru.S3FIFO, otters, 0.40),
		sharedHit(lru.Adaptive, otters, 0.70),
		sharedHit(lru.Adaptive, ristrettos, 1),
		sharedHit(lru.Adaptive, theines, 0.5),
		parallelHit(lru.S3FIFO, otters, 0.45),
		parallelHit(lru.Adaptive, otters, 0.70),
		evicting(lru.S3FIFO, otters, 0.40),
		evicting(lru.Adaptive, otters, 1),
		evicting(lru.LRU, hashicorps, 1),
	}
}

func concurrentFigures() (figures []bar.Figure) {
	for _, p := range []lru.Policy{lru.LRU, lru.S3FIFO, lru.Adaptive} {
		limit := 36.0
		if p == lru.LRU {
			limit = 22
		}
		figures = append(figures, bar.Figure{
			Name: fmt.Sprintf("Concurrent/heap beside key and value/policy=%v/n=2^20", p), Unit: "B/entry", Limit: limit,
			Measure: func() float64 {
				return float64(testkit.LiveBytes(func() any {
					c := concurrent(p).make(many)
					for i := range uint64(3 * many) {
						c.set(id(i), i)
					}
					return c
				}))/many - 16
			},
		}, bar.Figure{
			Name: fmt.Sprintf("Concurrent/heap objects/policy=%v/n=2^20", p), Unit: "more than empty", Limit: 1000,
			Measure: func() float64 {
				before := heapObjects()
				c := concurrent(p).make(many)
				for i := range uint64(many) {
					c.set(id(i), i)
				}
				after := heapObjects()
				runtime.KeepAlive(c)
				return float64(after) - float64(before)
			},
		})
	}
	for _, p := range []lru.Policy{lru.S3FIFO, lru.Adaptive} {
		figures = append(figures, bar.Figure{
			Name: fmt.Sprintf("Concurrent/Get hit/policy=%v/n=100k/zipf/what two goroutines gain over one", p), Unit: "x", Limit: 1.5, AtLeast: true,
			Measure: func() float64 { return gain(concurrent(p)) },
		})
	}
	return append(figures, bar.Figure{
		Name: "NewConcurrent(50M), empty", Unit: "MiB", Limit: 1,
		Measure: func() float64 {
			return float64(testkit.LiveBytes(func() any { return check(lru.NewConcurrent[uint64, uint64](50_000_000)) })) / (1 << 20)
		},
	})
}

func heapObjects() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapObjects
}

// resident asks a cache for keys that it holds. It has room for a quarter more, as
// some peers evict before they are full; otter counts no hits while it is half empty.
func resident(r rival, ask func(func(uint64) (uint64, bool)) func(int) uint64) bar.Side {
	return bar.Side{Impl: r.name, New: func() func(int) uint64 {
		c := r.make(entries + entries/4)
		for i := range uint64(entries) {
			c.set(id(i), i)
		}
		return ask(c.get)
	}}
}

// pair asks from two goroutines at once, each for half of the keys.
func pair(get func(uint64) (uint64, bool)) func(int) uint64 {
	run := [2]func(int) uint64{hits(get), hits(get)}
	return func(n int) uint64 {
		var sums [2]uint64
		var wg sync.WaitGroup
		for g := range run {
			wg.Go(func() { sums[g] = run[g](n / 2) })
		}
		wg.Wait()
		return sums[0] + sums[1]
	}
}

// gain returns how many times as fast two goroutines are as one, each the fastest of
// many rounds that are shorter than what a scheduler gives at once.
func gain(r rival) float64 {
	const rounds, n = 300, 20_000
	one, two := resident(r, hits).New(), resident(r, pair).New()
	times := [2]time.Duration{time.Hour, time.Hour}
	for range rounds {
		for i, run := range []func(int) uint64{one, two} {
			begun := time.Now()
			checksum += run(n << i)
			times[i] = min(times[i], time.Since(begun))
		}
	}
	return 2 * float64(times[0]) / float64(times[1])
}

var checksum uint64 // so that the work is done

// full sets keys that were never there, in a cache without room.
func full(r rival) bar.Side {
	return bar.Side{Impl: r.name, New: func() func(int) uint64 {
		c := r.make(entries)
		for i := range uint64(entries) {
			c.set(id(i), i)
		}
		return evictions(func(k uint64) { c.set(k, k) })
	}}
}
