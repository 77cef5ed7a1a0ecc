package testkit

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
)

// Who knows the future keeps 1 and 2 and lets 3 pass.
func TestBelady(t *testing.T) {
	assert.Equal(t, 2, Belady([]string{"1", "2", "3", "1", "2"}, 2))
	assert.Zero(t, Belady([]string{"1", "2", "3"}, 2))
	assert.Zero(t, Belady([]string(nil), 2))
}

// No choice of what to keep hits more, of all that there are.
func TestBeladyIsBest(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		keys := make([]int32, 12)
		for i := range keys {
			keys[i] = rng.Int32N(5)
		}
		for capacity := 1; capacity <= 3; capacity++ {
			assert.Equal(t, most(keys, nil, capacity), Belady(keys, capacity), "%v of %d", keys, capacity)
		}
	}
}

// most tries everything.
func most(keys, held []int32, capacity int) (hits int) {
	if len(keys) == 0 {
		return 0
	}
	hit := 0
	for _, k := range held {
		if k == keys[0] {
			hit = 1
		}
	}
	best := most(keys[1:], held, capacity)
	if hit == 0 && len(held) < capacity {
		best = max(best, most(keys[1:], append(held[:len(held):len(held)], keys[0]), capacity))
	} else if hit == 0 {
		for i := range held {
			other := append([]int32{keys[0]}, held...)
			other[i+1] = other[len(other)-1]
			best = max(best, most(keys[1:], other[:len(held)], capacity))
		}
	}
	return hit + best
}
