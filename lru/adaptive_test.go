package lru_test

import (
	"math"
	"testing"

	"github.com/distkit/distkit/internal/testkit"
	"github.com/distkit/distkit/lru"
	"github.com/stretchr/testify/assert"
)

// readThrough returns the share of hits of a cache that sets what it misses.
func readThrough(p lru.Policy, capacity int, keys []uint64) float64 {
	c := must(lru.New[uint64, uint64](capacity, lru.WithPolicy(p), lru.WithStats()))
	lru.Fix(c, randomSeed)
	for _, k := range keys {
		c.GetOrSet(k, k)
	}
	return c.Stats().HitRatio()
}

// Popularity that stays, that moves, and a loop that is too long for LRU.
func TestAdaptiveFollowsTheLoad(t *testing.T) {
	testkit.NotUnderInvariants(t)
	const capacity, n = 200, 40_000
	zipf := testkit.Zipf(1, 0.9, 4000)
	loads := map[string]func(i uint64) uint64{
		"popular":  func(uint64) uint64 { return zipf() },
		"shifting": func(i uint64) uint64 { return zipf() + i/5000*500 },
		"loop":     func(i uint64) uint64 { return i % 250 },
		"recent":   func(i uint64) uint64 { return i - i%3*60 },
	}
	for name, load := range loads {
		keys := make([]uint64, n)
		for i := range keys {
			keys[i] = load(uint64(i))
		}
		ratio := readThrough(lru.Adaptive, capacity, keys)
		assert.Greater(t, ratio, readThrough(lru.LRU, capacity, keys)-0.01, name)
		if name == "loop" {
			assert.Greater(t, ratio, 0.5)
		}
		if name == "popular" {
			assert.Greater(t, ratio, readThrough(lru.LRU, capacity, keys)+0.05)
		}
	}
}

// What a cache says of other sizes is what caches of those sizes do.
func TestHitRatioAtOtherSizes(t *testing.T) {
	testkit.NotUnderInvariants(t)
	const capacity, n = 2000, 60_000
	zipf := testkit.Zipf(3, 0.8, 20_000)
	keys := make([]uint64, n)
	for i := range keys {
		keys[i] = zipf()
	}
	c := must(lru.New[uint64, uint64](capacity, lru.WithPolicy(lru.Adaptive), lru.WithStats()))
	lru.Fix(c, randomSeed)
	_, ok := c.Stats().HitRatioAt(1)
	assert.False(t, ok, "before anything is asked for")
	for _, k := range keys {
		c.GetOrSet(k, k)
	}
	s := c.Stats()
	last := 0.0
	for _, size := range []float64{0.25, 0.5, 1, 1.5, 2, 4} {
		got, ok := s.HitRatioAt(size)
		assert.True(t, ok)
		assert.InDelta(t, readThrough(lru.Adaptive, int(capacity*size), keys), got, 0.1, "%v times the size", size)
		assert.Greater(t, got, last)
		last = got
	}
	once, _ := s.HitRatioAt(1)
	assert.Equal(t, s.HitRatio(), once)
	twice, _ := s.HitRatioAt(2)
	assert.InDelta(t, twice, float64(s.Hits+s.GhostHits)/n, 0.1)
	for _, size := range []float64{0, 0.2, 4.1, -1, math.NaN(), math.Inf(1)} {
		_, ok := s.HitRatioAt(size)
		assert.False(t, ok, size)
	}
	_, ok = lru.Stats{Hits: 1}.HitRatioAt(1)
	assert.False(t, ok)
}
