package lru_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/distkit/distkit/internal/invariants"
	"github.com/distkit/distkit/internal/testkit"
	"github.com/distkit/distkit/lru"
	"github.com/stretchr/testify/assert"
)

// generated are n requests of every kind that tells policies from one another, some of
// which LRU is the best for.
func generated(n int) map[string][]uint64 {
	requests := func(key func(i uint64) uint64) []uint64 {
		keys := make([]uint64, n)
		for i := range keys {
			keys[i] = key(uint64(i))
		}
		return keys
	}
	rank, flat := testkit.Zipf(1, 1, 20_000), testkit.Zipf(2, 0.7, 20_000)
	rng := rand.New(rand.NewPCG(3, 4))
	span := uint64(n)
	vault := func(i uint64) uint64 { // two new keys, and the first of them again
		if i%3 == 2 {
			i -= 2
		}
		return 1<<32 + i
	}
	loads := map[string][]uint64{
		"popular":        requests(func(uint64) uint64 { return rank() }),
		"hardly popular": requests(func(uint64) uint64 { return flat() }),
		"loop":           requests(func(i uint64) uint64 { return i % 700 }),
		"used soon":      requests(vault),
		"scans": requests(func(i uint64) uint64 {
			if i%2000 < 700 {
				return 1<<32 + i
			}
			return rank()
		}),
		"shifting": requests(func(i uint64) uint64 { return rank() + i*20/span*300 }),
		"used soon, then loop": requests(func(i uint64) uint64 {
			if i < span/2 {
				return vault(i)
			}
			return i % 700
		}),
		"popular, loop, used soon, popular": requests(func(i uint64) uint64 {
			switch i * 4 / span {
			case 1:
				return 1<<40 + i%250
			case 2:
				return vault(i)
			}
			return rank() + i*2/span
		}),
	}
	recent := make([]uint64, 0, n) // most keys were used a while ago, few long ago
	for i := range span {
		key := i
		if back := int(math.Exp(5+2*rng.NormFloat64())) + 1; back <= len(recent) && rng.IntN(5) > 0 {
			key = recent[len(recent)-back]
		}
		recent = append(recent, key)
	}
	loads["used lately"] = recent
	return loads
}

// Who takes Adaptive without knowing what is to come loses next to nothing to LRU.
func TestAdaptiveIsNowhereFarBelowLRU(t *testing.T) {
	testkit.NotUnderInvariants(t)
	n, capacities := 60_000, []int{20, 100, 500, 2000}
	if invariants.Enabled { // one goroutine: -race has nothing to find
		n, capacities = 5000, []int{20, 100}
	}
	for name, keys := range generated(n) {
		for _, capacity := range capacities {
			got, plain := readThrough(lru.Adaptive, capacity, keys), readThrough(lru.LRU, capacity, keys)
			t.Logf("%s, %d entries: %.2f %%, LRU %.2f %%", name, capacity, 100*got, 100*plain)
			assert.GreaterOrEqual(t, got, plain-0.01, "%s, %d entries", name, capacity)
		}
	}
}
