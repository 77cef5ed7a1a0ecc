package lru_test

import (
	"testing"

	"github.com/distkit/distkit/internal/testkit"
	"github.com/distkit/distkit/lru"
	"github.com/stretchr/testify/assert"
)

// readThrough returns the share of hits of a cache that sets what it misses.
func readThrough(p lru.Policy, capacity int, keys []uint64) float64 {
	c := must(lru.New[uint64, struct{}](capacity, lru.WithPolicy(p), lru.WithStats()))
	lru.Fix(c, randomSeed)
	for _, k := range keys {
		c.GetOrSet(k, struct{}{})
	}
	return c.Stats().HitRatio()
}

// Popularity that stays, that moves, and a loop that is too long for LRU.
func TestAdaptiveFollowsTheLoad(t *testing.T) {
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
