package lru_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/distkit/distkit/lru"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// crowd runs f on that many goroutines at once, each with random numbers of its own.
func crowd(n int, f func(g int, r *rand.Rand)) {
	var wg sync.WaitGroup
	for g := range n {
		wg.Go(func() { f(g, rand.New(rand.NewPCG(uint64(g), 77))) })
	}
	wg.Wait()
}

// watchSize fails if c ever exceeds its capacity, which stays the same, until stop.
func watchSize(t *testing.T, c *lru.Concurrent[int, int]) (stop func()) {
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for {
			select {
			case <-done:
				return
			default:
			}
			if n := c.Len(); n > c.Cap() && c.Weight() == uint64(n) {
				t.Errorf("%d entries of %d", n, c.Cap())
				return
			}
			if w := c.Weight(); w > uint64(c.Cap()) {
				t.Errorf("weight %d of %d", w, c.Cap())
				return
			}
		}
	}()
	return func() { close(done); <-ended }
}

// All methods at once: every value that is found belongs to its key, the capacity
// holds at every moment, and in the end everything adds up.
func TestConcurrentStress(t *testing.T) {
	for _, p := range policies {
		for _, weighted := range []bool{false, true} {
			t.Run(fmt.Sprintf("%v/weighted=%v", p, weighted), func(t *testing.T) {
				t.Parallel()
				var in, out atomic.Int64
				opts := []lru.Option{
					lru.WithPolicy(p), lru.WithShards(8), lru.WithStats(),
					lru.WithOnEvict(func(k, v int, _ lru.Reason) {
						out.Add(1)
						if v%1000 != k {
							t.Errorf("key %d left with value %d", k, v)
						}
					}),
				}
				if weighted {
					opts = append(opts, lru.WithWeigher(func(_, v int) uint32 { return uint32(v / 1000 % 60) }))
				}
				c := must(lru.NewConcurrent[int, int](200, opts...))
				stop := watchSize(t, c)
				crowd(4, func(_ int, r *rand.Rand) {
					for range 4000 {
						if stressOne(t, c, r) {
							in.Add(1)
						}
					}
				})
				stop()
				check(t, c)
				assert.Equal(t, in.Load(), out.Load()+int64(c.Len()), "all that came has left or is there")
				s := c.Stats()
				assert.Equal(t, int64(s.Inserts), int64(s.Evictions)+int64(c.Len())+deleted(s, out.Load(), in.Load()))
				c.Clear()
				assert.Zero(t, c.Len())
				assert.Zero(t, c.Weight())
				check(t, c)
			})
		}
	}
}

// deleted is what left without an eviction or a new value in its place.
func deleted(s lru.Stats, out, in int64) int64 {
	replaced := in - int64(s.Inserts)
	return out - replaced - int64(s.Evictions)
}

// stressOne does one random thing, and says whether it brought in a value.
func stressOne(t *testing.T, c *lru.Concurrent[int, int], r *rand.Rand) (set bool) {
	k := r.IntN(600)
	v := k + 1000*r.IntN(100)
	good := func(got int, ok bool) {
		if ok && got%1000 != k || !ok && got != 0 {
			t.Errorf("key %d has value %d, %v", k, got, ok)
		}
	}
	switch r.IntN(22) {
	default:
		good(c.Get(k))
	case 8, 9, 10, 11, 12, 13:
		return c.Set(k, v)
	case 14:
		good(c.Delete(k))
	case 15:
		got, ok := c.Peek(k)
		good(got, ok)
	case 16:
		got, ok := c.Update(k, func(old int, ok bool) (int, bool) {
			good(old, ok)
			return v, v%3 > 0
		})
		good(got, ok)
		return ok
	case 17:
		if r.IntN(20) == 0 {
			for k2, v2 := range c.All() {
				if v2%1000 != k2 {
					t.Errorf("key %d has value %d", k2, v2)
				}
			}
		}
	case 18:
		if k2, v2, ok := c.Evict(); ok && v2%1000 != k2 {
			t.Errorf("key %d has value %d", k2, v2)
		}
	case 19:
		if r.IntN(50) == 0 {
			c.DeleteFunc(func(k2, _ int) bool { return k2%5 == k%5 })
		}
	case 20:
		if r.IntN(100) == 0 {
			c.Clear()
		}
	case 21:
		if r.IntN(20) == 0 {
			if err := c.Snapshot().Check(); err != nil {
				t.Error(err)
			}
		}
	}
	return false
}

// However unequal the shards are, nothing is evicted before the whole is full.
func TestShardsShareTheCapacity(t *testing.T) {
	for name, hash := range map[string]func(int) uint64{
		"one shard": func(int) uint64 { return 5 },
		"two":       func(k int) uint64 { return uint64(k & 1) },
		"all":       func(k int) uint64 { return uint64(k) },
	} {
		t.Run(name, func(t *testing.T) {
			c := must(lru.NewConcurrent[int, int](1000, lru.WithShards(16), lru.WithHasher(hash)))
			for k := range 1000 {
				c.Set(k, k)
			}
			require.Equal(t, 1000, c.Len())
			require.Zero(t, c.Stats().Evictions)
			for k := range 1000 {
				require.True(t, c.Contains(k))
			}
			for k := range 500 {
				c.Set(-k-1, k)
				require.True(t, c.Contains(-k-1), "a Set is not dropped")
			}
			require.Equal(t, 1000, c.Len())
			require.EqualValues(t, 500, c.Stats().Evictions)
			check(t, c)
		})
	}
}

// A shard that had nothing when the cache became full gets its part all the same.
func TestShardsGrowWithWhatIsAskedOfThem(t *testing.T) {
	c := must(lru.NewConcurrent[int, int](4000, lru.WithShards(8), lru.WithPolicy(lru.LRU), lru.WithHasher(func(k int) uint64 {
		if k < 0 {
			return 1
		}
		return uint64(k)
	})))
	for k := range 4000 {
		c.Set(-k-1, k) // all in one shard
	}
	hits, asked := 0, 0
	for round := range 40 {
		for k := range 3000 {
			if _, ok := c.Get(k); !ok {
				c.Set(k, k)
			} else if round == 39 {
				hits++
			}
			if round == 39 {
				asked++
			}
		}
	}
	assert.Greater(t, float64(hits)/float64(asked), 0.9, "three quarters of the capacity are asked for")
	check(t, c)
}

// An entry may need the room of all shards.
func TestHeavyEntriesGatherRoom(t *testing.T) {
	c := must(lru.NewConcurrent[int, int](1000, lru.WithShards(16), lru.WithWeigher(func(_, v int) uint32 { return uint32(v) })))
	for k := range 500 {
		require.True(t, c.Set(k, 2))
	}
	require.True(t, c.Set(1000, 1000))
	assert.Equal(t, 1, c.Len())
	assert.EqualValues(t, 1000, c.Weight())
	assert.False(t, c.Set(1000, 1001), "heavier than the cache")
	assert.Zero(t, c.Len(), "the old value is gone too")
	check(t, c)

	stop := watchSize(t, c)
	crowd(4, func(g int, r *rand.Rand) {
		for range 300 {
			if k, w := r.IntN(100), 1+r.IntN(1000); !c.Set(k, w) {
				t.Errorf("weight %d was refused", w)
			}
		}
	})
	stop()
	check(t, c)
}

func TestConcurrentUpdatesAreAtomic(t *testing.T) {
	c := must(lru.NewConcurrent[string, int](100))
	const goroutines, each = 8, 500
	crowd(goroutines, func(int, *rand.Rand) {
		for range each {
			c.Update("n", func(old int, _ bool) (int, bool) { return old + 1, true })
		}
	})
	n, _ := c.Get("n")
	assert.Equal(t, goroutines*each, n)

	// A Set while the function runs comes before it.
	calls := 0
	got, ok := c.Update("n", func(old int, _ bool) (int, bool) {
		if calls++; calls == 1 {
			c.Set("n", 10)
		}
		return old + 1, true
	})
	assert.True(t, ok)
	assert.Equal(t, 11, got)
	assert.Equal(t, 2, calls)

	// So does an eviction.
	calls = 0
	got, _ = c.Update("n", func(old int, ok bool) (int, bool) {
		if calls++; calls == 1 {
			for c.Contains("n") {
				c.Evict()
			}
		}
		return old + 1, true
	})
	assert.Equal(t, 1, got)
	check(t, c)
}

func TestGetOrSetHasOneWinner(t *testing.T) {
	c := must(lru.NewConcurrent[int, int](1000))
	for k := range 100 {
		var winners atomic.Int32
		values := make([]int, 6)
		crowd(6, func(g int, _ *rand.Rand) {
			v, loaded := c.GetOrSet(k, g+1)
			values[g] = v
			if !loaded {
				winners.Add(1)
			}
		})
		require.EqualValues(t, 1, winners.Load())
		require.Equal(t, slices.Min(values), slices.Max(values))
	}
	check(t, c)
}

// What is there during the whole loop is visited once; what the loop deletes is not.
func TestConcurrentIteration(t *testing.T) {
	c := must(lru.NewConcurrent[int, int](1000, lru.WithShards(4)))
	for k := range 500 {
		c.Set(k, k)
	}
	forth, back := keysOf(c.All()), keysOf(c.Backward())
	slices.Reverse(back)
	assert.Equal(t, forth, back)
	slices.Sort(forth)
	assert.Equal(t, 500, len(slices.Compact(forth)))

	seen := map[int]int{}
	for k, v := range c.All() {
		require.Equal(t, k, v)
		seen[k]++
		c.Delete((k + 1) % 500)
		c.Get(k)
	}
	for k := range 500 {
		require.LessOrEqual(t, seen[k], 1)
		if c.Contains(k) {
			require.Equal(t, 1, seen[k])
		}
	}
	for range c.All() {
		break
	}
	deleted := c.DeleteFunc(func(k, _ int) bool { return k%2 == 0 })
	for k := range c.All() {
		require.Equal(t, 1, k%2)
	}
	assert.Positive(t, deleted)
	check(t, c)
}

// An entry that changes while the function looks at it is shown to it again.
func TestDeleteFuncSeesChanges(t *testing.T) {
	c := must(lru.NewConcurrent[int, int](100, lru.WithShards(1), lru.WithPolicy(lru.LRU)))
	c.Set(1, 1)
	c.Set(2, 2)
	var shown []int
	n := c.DeleteFunc(func(k, v int) bool {
		shown = append(shown, v)
		if v == 1 {
			c.Set(1, 7)
		}
		return v < 3
	})
	assert.Equal(t, []int{1, 7, 2, 2}, shown)
	assert.Equal(t, 1, n)
	v, ok := c.Get(1)
	assert.True(t, ok && v == 7)
	check(t, c)
}

func TestResizeUnderLoad(t *testing.T) {
	for _, p := range []lru.Policy{lru.LRU, lru.S3FIFO, lru.SIEVE} {
		c := must(lru.NewConcurrent[int, int](500, lru.WithPolicy(p), lru.WithShards(8)))
		done := make(chan struct{})
		go func() {
			defer close(done)
			r := rand.New(rand.NewPCG(1, 2))
			for range 100 {
				size := 1 + r.IntN(1000)
				if err := c.Resize(size); err != nil || c.Len() > size {
					t.Errorf("%d of %d, %v", c.Len(), size, err)
				}
			}
		}()
		crowd(3, func(_ int, r *rand.Rand) {
			for range 5000 {
				k := r.IntN(2000)
				if _, ok := c.Get(k); !ok && !c.Set(k, k) {
					t.Error("refused")
				}
			}
		})
		<-done
		check(t, c)
		require.NoError(t, c.Resize(1))
		assert.LessOrEqual(t, c.Len(), 1)
		assert.True(t, c.Set(1, 1) && c.Contains(1))
		require.NoError(t, c.Resize(3000))
		for k := range 3000 {
			c.Set(k, k)
		}
		assert.Equal(t, 3000, c.Len())
		check(t, c)
	}
}

func TestNewConcurrentRefusesBadParameters(t *testing.T) {
	newErr := func(capacity int, opts ...lru.Option) error {
		_, err := lru.NewConcurrent[int, int](capacity, opts...)
		return err
	}
	for want, err := range map[string]error{
		"lru: capacity is 0, want at least 1":                                     newErr(0),
		"lru: capacity is -1, want at least 1":                                    newErr(-1),
		"lru: number of WithShards is 0, want a power of two, at most 65536":      newErr(5, lru.WithShards(0)),
		"lru: number of WithShards is 12, want a power of two, at most 65536":     newErr(5, lru.WithShards(12)),
		"lru: number of WithShards is 131072, want a power of two, at most 65536": newErr(5, lru.WithShards(1<<17)),
		"lru: WithHasher has a func(string) uint64, want a func(int) uint64":      newErr(5, lru.WithHasher(func(string) uint64 { return 0 })),
		"lru: WithShards is for NewConcurrent, not for New":                       func() error { _, err := lru.New[int, int](5, lru.WithShards(2)); return err }(),
	} {
		assert.EqualError(t, err, want)
	}
	c := must(lru.NewConcurrent[int, int](3, lru.WithShards(16)))
	assert.EqualError(t, c.Resize(0), "lru: capacity is 0, want at least 1")
	for k := range 10 {
		assert.True(t, c.Set(k, k))
	}
	assert.Equal(t, 3, c.Len())
	check(t, c)
}

func TestZeroConcurrent(t *testing.T) {
	var c lru.Concurrent[string, int]
	_, ok := c.Get("a")
	_, hashed := c.GetHashed(1, "a")
	_, at := c.GetAt(time.Now(), "a")
	_, ttl := c.TTL("a")
	_, ttlAt := c.TTLAt(time.Now(), "a")
	_, peeked := c.Peek("a")
	_, deleted := c.Delete("a")
	_, _, evicted := c.Evict()
	_, bytes := lru.GetBytes(&c, []byte("a"))
	assert.False(t, ok || hashed || at || ttl || ttlAt || peeked || deleted || evicted || bytes || c.Contains("a"))
	assert.Zero(t, c.Len()+c.Cap()+int(c.Weight())+c.DeleteFunc(func(string, int) bool { return true }))
	assert.Zero(t, c.DeleteExpired()+c.DeleteExpiredAt(time.Now()))
	assert.Zero(t, c.Hash("a"))
	assert.Zero(t, c.Stats())
	assert.Zero(t, c.Snapshot().Cap())
	assert.NoError(t, c.Close())
	for range c.All() {
		t.Fatal("an entry")
	}
	for range c.Backward() {
		t.Fatal("an entry")
	}
	c.Clear()
	_, err := c.WriteTo(nil)
	assert.EqualError(t, err, "lru: zero Concurrent has nothing to encode, make one with NewConcurrent")
	for name, change := range map[string]func(){
		"Set":        func() { c.Set("a", 1) },
		"SetHashed":  func() { c.SetHashed(1, "a", 1) },
		"SetWithTTL": func() { c.SetWithTTL("a", 1, time.Hour) },
		"SetAt":      func() { c.SetAt(time.Now(), "a", 1, 0) },
		"GetOrSet":   func() { c.GetOrSet("a", 1) },
		"GetOrLoad":  func() { _, _ = c.GetOrLoad(t.Context(), "a", nil) },
		"Update":     func() { c.Update("a", func(int, bool) (int, bool) { return 0, false }) },
		"Resize":     func() { _ = c.Resize(3) },
	} {
		assert.PanicsWithValue(t, "lru: change of a zero Concurrent, make one with NewConcurrent", change, name)
	}
	check(t, &c)
}
