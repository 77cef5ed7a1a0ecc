package lru_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/distkit/distkit/internal/invariants"
	"github.com/distkit/distkit/internal/testkit"
	"github.com/distkit/distkit/lru"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// policies are those that a simulator follows decision by decision.
var policies = []lru.Policy{lru.LRU, lru.FIFO, lru.LIFO, lru.MRU, lru.LFU, lru.Random, lru.SIEVE, lru.S3FIFO, lru.Adaptive}

// requests mixes what caches meet: a few popular keys, scans, loops, and a shift
// of what is popular.
func requests(n, capacity int) []uint64 {
	zipf := testkit.Zipf(uint64(capacity), 0.9, uint64(5*capacity+3))
	r := rand.New(rand.NewPCG(uint64(capacity), 3))
	keys := make([]uint64, 0, n)
	for scan := uint64(1 << 32); len(keys) < n; {
		switch shift := uint64(len(keys) * 4 / n * capacity); r.IntN(3 * capacity) {
		case 0:
			for range 2 * capacity {
				scan++
				keys = append(keys, scan)
			}
		case 1:
			for i := range 3 * uint64(capacity+1) {
				keys = append(keys, 1<<40+i%uint64(capacity+1))
			}
		default:
			keys = append(keys, zipf()+shift)
		}
	}
	return keys[:n]
}

// Read through, the same hits and misses at each of 50,000 requests.
func TestPoliciesDecideAsTheirDefinitions(t *testing.T) {
	for _, p := range policies {
		for _, capacity := range []int{1, 2, 3, 10, 100, 1000} {
			t.Run(fmt.Sprintf("%v/%d", p, capacity), func(t *testing.T) {
				c := must(lru.New[uint64, uint64](capacity, lru.WithPolicy(p), lru.WithStats()))
				slow := newTwin[uint64, uint64](p, capacity, nil)
				follow(slow, c)
				hits := uint64(0)
				n := 50_000
				if p == lru.Adaptive && capacity > 10 { // its twin keeps slices, and three models in them
					n = 10_000
				}
				if invariants.Enabled { // one goroutine: -race has nothing to find
					n = 2000
				}
				for i, k := range requests(n, capacity) {
					_, want := slow.entries[k]
					_, got := c.Get(k)
					if want != got {
						t.Fatalf("request %d of key %d: hit is %v, want %v", i, k, got, want)
					}
					if want {
						slow.get(k)
						hits++
						continue
					}
					slow.set(k, uint64(i))
					c.Set(k, uint64(i))
				}
				require.Equal(t, hits, c.Stats().Hits)
				require.Equal(t, slow.sim.ghostHits(), c.Stats().GhostHits)
				require.Greater(t, hits, uint64(0))
				same(t, slow, c)
				check(t, c)
			})
		}
	}
}

func TestPoliciesMatchTwin(t *testing.T) {
	testkit.NotUnderRace(t)
	number := func(i int) int { return i }
	weights := func(most int) func(int, int) uint32 {
		return func(_, v int) uint32 { return uint32(v % most) }
	}
	for _, p := range policies[1:] { // LRU has tests of its own
		t.Run(p.String(), func(t *testing.T) {
			for capacity, n := range map[int]int{1: 1000, 2: 2000, 3: 2000, 20: 5000, 300: 3000} {
				if invariants.Enabled {
					n /= 4
				}
				play(t, p, capacity, n, number, nil)
				play(t, p, capacity, n, number, weights(capacity+2)) // 0 pins, more is refused
				play(t, p, capacity, n, number, weights(4))
			}
			play(t, p, 50, 5000, func(i int) string { return fmt.Sprint(i) }, nil)
			if p == lru.S3FIFO || p == lru.Adaptive {
				return // their ghost takes keys of one hash for one another
			}
			play(t, p, 60, 3000, number, weights(9), lru.WithHasher(func(k int) uint64 { return uint64(k) % 3 << 57 }))
		})
	}
}

// Of 101 entries one goes at each draw, so one of the first stays through 100 of
// them with a probability of (1 - 1/101)^100.
func TestRandomEvictsAllAlike(t *testing.T) {
	const trials, n = 400, 101
	survivors := 0
	for seed := range uint64(trials) {
		c := must(lru.New[int, int](n, lru.WithPolicy(lru.Random)))
		lru.Fix(c, seed)
		for i := range n + 100 {
			c.Set(i, i)
		}
		for i := range n {
			if c.Contains(i) {
				survivors++
			}
		}
	}
	const want = 0.3697 // (100/101)^100
	lo, hi := testkit.RateBounds(want, trials*n, 5)
	rate := float64(survivors) / (trials * n)
	assert.True(t, lo < rate && rate < hi, "%v survive, want %v to %v", rate, lo, hi)
}

func TestRandomIsSeededForEachCache(t *testing.T) {
	survivors := func() (keys []int) {
		c := must(lru.New[int, int](100, lru.WithPolicy(lru.Random)))
		for i := range 300 {
			c.Set(i, i)
		}
		return keysOf(c.All())
	}
	assert.NotEqual(t, survivors(), survivors())
}

// What the docs of SIEVE warn of: 1000 entries, each read five times, then keys
// that are each read twice, 200 apart, of which LRU hits the second use.
func TestSIEVECanFreeze(t *testing.T) {
	testkit.NotUnderInvariants(t)
	const n = 100_000
	ratio := func(p lru.Policy) float64 {
		c := must(lru.New[uint64, uint64](1000, lru.WithPolicy(p), lru.WithStats()))
		lru.Fix(c, randomSeed)
		for range 5 {
			for k := range uint64(1000) {
				c.GetOrSet(k, 0)
			}
		}
		before := c.Stats().Hits
		for i := range uint64(n) {
			c.GetOrSet(1000+i, 0)
			c.GetOrSet(1000+i-200, 0)
		}
		return float64(c.Stats().Hits-before) / (2 * n)
	}
	assert.InDelta(t, 0.499, ratio(lru.LRU), 0.002)
	assert.Less(t, ratio(lru.SIEVE), 0.05)
	assert.Greater(t, ratio(lru.Adaptive), 0.45, "which comes back")
}

// No policy hits more than one that knows the future and need not keep what it
// reads (Belady 1966): it keeps, of what it has and what comes, what is used
// soonest.
func TestNoPolicyBeatsTheFuture(t *testing.T) {
	for _, capacity := range []int{1, 10, 100} {
		keys := requests(10_000, capacity)
		next := make([]int, len(keys)) // when each is used again
		last := map[uint64]int{}
		for i := len(keys) - 1; i >= 0; i-- {
			next[i] = len(keys)
			if at, ok := last[keys[i]]; ok {
				next[i] = at
			}
			last[keys[i]] = i
		}
		held, best := map[uint64]int{}, uint64(0)
		for i, k := range keys {
			if _, ok := held[k]; ok {
				best++
			}
			held[k] = next[i]
			for len(held) > capacity {
				latest := k
				for other, at := range held {
					if at > held[latest] {
						latest = other
					}
				}
				delete(held, latest)
			}
		}
		for _, p := range policies {
			c := must(lru.New[uint64, uint64](capacity, lru.WithPolicy(p), lru.WithStats()))
			for i, k := range keys {
				c.GetOrSet(k, uint64(i))
			}
			require.LessOrEqual(t, c.Stats().Hits, best, p)
		}
		require.Greater(t, best, uint64(0))
	}
}
