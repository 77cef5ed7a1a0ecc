package lru

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/distkit/distkit/bench/bar"
	"github.com/distkit/distkit/lru"
	hashicorp "github.com/hashicorp/golang-lru/v2"
	"github.com/maypok86/otter/v2"
)

// instant is a Store that holds the double of every key and costs next to nothing, so
// that what is measured is the cache before it.
type instant struct {
	loads atomic.Uint64 // calls
	wait  func()        // before a load returns, or nil
}

func (s *instant) Load(_ context.Context, key uint64) (uint64, error) {
	s.loads.Add(1)
	if s.wait != nil {
		s.wait()
	}
	return 2 * key, nil
}

func (s *instant) LoadAll(_ context.Context, keys []uint64) (map[uint64]uint64, error) {
	s.loads.Add(1)
	m := make(map[uint64]uint64, len(keys))
	for _, key := range keys {
		m[key] = 2 * key
	}
	return m, nil
}

func (s *instant) Save(context.Context, uint64, uint64) error            { return nil }
func (s *instant) SaveAll(context.Context, map[uint64]uint64) error      { return nil }
func (s *instant) Delete(context.Context, uint64) error                  { return nil }
func (s *instant) Reload(_ context.Context, k, _ uint64) (uint64, error) { return 2 * k, nil } // otter's

// reading is a cache that loads what it misses.
type reading struct {
	get     func(key uint64) (uint64, error)
	getMany func(keys []uint64) (map[uint64]uint64, error)
}

// reader makes one for n entries before a store.
type reader struct {
	name string
	make func(n int, s *instant) reading
}

var (
	backed = reader{"distkit", func(n int, s *instant) reading {
		c := check(lru.NewBacked(n, s, lru.Backing[uint64]{}))
		return reading{
			func(key uint64) (uint64, error) { return c.Get(context.Background(), key) },
			func(keys []uint64) (map[uint64]uint64, error) { return c.GetMany(context.Background(), keys) },
		}
	}}
	otterLoading = reader{"otter", func(n int, s *instant) reading {
		c := check(otter.New(&otter.Options[uint64, uint64]{MaximumSize: n}))
		all := otter.BulkLoaderFunc[uint64, uint64](s.LoadAll)
		return reading{
			func(key uint64) (uint64, error) { return c.Get(context.Background(), key, s) },
			func(keys []uint64) (map[uint64]uint64, error) { return c.BulkGet(context.Background(), keys, all) },
		}
	}}
)

// backedBars hold lru.Backed to otter, which loads too, and its writing behind to what
// is written by hand for it. Both do less, so the limits say how much more time there
// is for the rest. A record of Backed knows when it was loaded, until when it is good
// and how long that took. A load of Backed has a goroutine and a context of its own, so
// that the first who asked may leave too; otter's runs in that. A Set of Backed waits
// for others of its key, and what it wrote is saved in their order, tried again, found
// by Get, and bounded in number.
func backedBars() []bar.Bar {
	against := func(name string, work func(reader) bar.Side, plus time.Duration, allocs float64) bar.Bar {
		return bar.Bar{Name: "Backed/" + name, Ours: work(backed), Peer: work(otterLoading), Limit: 1, Plus: float64(plus), Allocs: allocs}
	}
	return []bar.Bar{
		against("Get hit/n=100k/zipf", loaded, 100*time.Nanosecond, 0),
		against("Get that loads/n=100k/full", missing, 5*time.Microsecond, 12),
		against("GetMany/100 keys, half of them load", halfLoaded, 100*time.Microsecond, 400),
		{
			Name: "Backed/Set behind/n=100k/zipf", Limit: 1, Plus: float64(time.Microsecond), Allocs: 1,
			Ours: bar.Side{Impl: "distkit", New: behindBacked}, Peer: bar.Side{Impl: "hashicorp lru, a map and a goroutine", New: behindByHand},
		},
	}
}

// loaded asks for keys that are there, of a cache with room for a quarter more.
func loaded(r reader) bar.Side {
	return bar.Side{Impl: r.name, New: func() func(int) uint64 {
		c := r.make(entries+entries/4, &instant{})
		for i := range uint64(entries) {
			check(c.get(id(i)))
		}
		return hits(func(key uint64) (uint64, bool) {
			v, err := c.get(key)
			return v, err == nil
		})
	}}
}

// missing asks a full cache for keys that were never there.
func missing(r reader) bar.Side {
	return bar.Side{Impl: r.name, New: func() func(int) uint64 {
		c := r.make(entries, &instant{})
		for i := range uint64(entries) {
			check(c.get(id(i)))
		}
		return evictions(func(key uint64) {
			if check(c.get(key)) != 2*key {
				panic("a wrong value was loaded")
			}
		})
	}}
}

const waiters = 1000

// storm has a thousand goroutines ask for a key that is not there; its load ends when
// all have begun to.
func storm(c reading, s *instant, key uint64) {
	var begun atomic.Int64
	s.wait = func() {
		for begun.Load() < waiters {
			runtime.Gosched()
		}
	}
	var wg sync.WaitGroup
	for range waiters {
		wg.Go(func() {
			begun.Add(1)
			if check(c.get(key)) != 2*key {
				panic("a wrong value was loaded")
			}
		})
	}
	wg.Wait()
}

// stormFigure is how many loads there are for a thousand who wait.
func stormFigure() bar.Figure {
	return bar.Figure{
		Name: "Backed/1000 Gets of a key that loads", Unit: "loads", Limit: 1,
		Measure: func() float64 {
			const storms = 5
			s := &instant{}
			c := backed.make(entries, s)
			for key := range uint64(storms) {
				storm(c, s, id(key))
			}
			return float64(s.loads.Load()) / storms
		},
	}
}

// halfLoaded asks at once for fifty keys that are asked for again and again and for
// fifty new ones.
func halfLoaded(r reader) bar.Side {
	return bar.Side{Impl: r.name, New: func() func(int) uint64 {
		const half = 50
		s := &instant{}
		c := r.make(entries/10, s)
		keys := make([]uint64, 2*half)
		for i := range uint64(half) {
			keys[2*i] = id(i)
			check(c.get(id(i)))
		}
		next := uint64(half)
		return func(n int) (sum uint64) {
			for range n {
				for i := range half {
					next++
					keys[2*i+1] = id(next)
				}
				m := check(c.getMany(keys))
				if len(m) != len(keys) {
					panic("a key is missing")
				}
				sum += m[keys[0]] + m[keys[1]]
			}
			return sum
		}
	}}
}

// flushEvery is the interval at which what was written is saved, in both.
const flushEvery = 10 * time.Millisecond

func behindBacked() func(int) uint64 {
	c := check(lru.NewBacked(entries, &instant{}, lru.Backing[uint64]{Writes: lru.WriteBehind, FlushInterval: flushEvery}))
	return writes(func(key uint64) {
		if err := c.Set(context.Background(), key, 2*key); err != nil {
			panic(err)
		}
	})
}

// behindByHand is a cache, a map of what is not saved, and a goroutine that saves it
// all now and then. It has no retries, no bound, no order of a key's saves, and no Get
// of a value that left the cache before it was saved.
func behindByHand() func(int) uint64 {
	s := &instant{}
	c := check(hashicorp.New[uint64, uint64](entries))
	var mu sync.Mutex
	dirty := map[uint64]uint64{}
	wake := make(chan struct{}, 1)
	go func() {
		for range wake {
			time.Sleep(flushEvery)
			mu.Lock()
			batch := dirty
			dirty = map[uint64]uint64{}
			mu.Unlock()
			if err := s.SaveAll(context.Background(), batch); err != nil {
				panic(err)
			}
		}
	}()
	return writes(func(key uint64) {
		mu.Lock()
		dirty[key] = 2 * key
		mu.Unlock()
		c.Add(key, 2*key)
		select {
		case wake <- struct{}{}:
		default:
		}
	})
}

// writes sets keys by a Zipf distribution.
func writes(set func(uint64)) func(int) uint64 {
	return hits(func(key uint64) (uint64, bool) {
		set(key)
		return key, true
	})
}
