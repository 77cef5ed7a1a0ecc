package lru_test

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/distkit/distkit/lru"
	"github.com/stretchr/testify/require"
)

// A ghost is a slice with the oldest first, of which any may be taken out.
func TestGhostMatchesSlice(t *testing.T) {
	for _, spread := range []uint32{3, 50, 1 << 30} { // few hashes: many are the same
		var g lru.Ghost
		var slow []uint32
		r := rand.New(rand.NewPCG(uint64(spread), 1))
		limit := 60
		for step := range 20_000 {
			h := r.Uint32N(spread) * 7919
			if len(slow) > 0 && r.IntN(3) == 0 {
				h = slow[r.IntN(len(slow))]
			}
			if step%5000 == 4999 {
				limit = 10
			} else if step%5000 == 2500 {
				limit = 300
			}
			switch r.IntN(3) {
			case 0:
				held := slices.Contains(slow, h)
				require.Equal(t, held, g.Take(h), "step %d", step)
				if held && spread == 1<<30 {
					slow = without(slow, h)
				} else if held {
					// Which of several goes is not said; nothing else changes.
					n := len(slow)
					slow = without(slow, h)
					require.Equal(t, n-1, g.Len())
				}
			default:
				if spread < 1<<30 && slices.Contains(slow, h) {
					continue // equal hashes have no order among themselves
				}
				g.Add(h)
				slow = append(slow, h)
				for len(slow) > limit {
					slow = slow[1:]
					g.Drop()
				}
			}
			require.Equal(t, len(slow), g.Len())
			if step%50 == 0 {
				require.NoError(t, g.Check())
			}
		}
		for _, h := range slow {
			require.True(t, g.Take(h))
		}
		require.Zero(t, g.Len())
	}
}

// Hashes that are equal are remembered as often as they were added.
func TestGhostOfEqualHashes(t *testing.T) {
	var g lru.Ghost
	for range 100 {
		g.Add(7)
	}
	for range 40 {
		require.True(t, g.Take(7))
		g.Drop()
	}
	require.NoError(t, g.Check())
	require.Equal(t, 20, g.Len())
	require.False(t, g.Take(8))
}

// Whoever sees hashes cannot choose those that are far from where they begin.
func TestGhostSpreadsHashes(t *testing.T) {
	var g lru.Ghost
	r := rand.New(rand.NewPCG(1, 1))
	for range 5000 {
		g.Add(r.Uint32() >> 12)
	}
	require.Less(t, g.Farthest(), 1000)
	require.NoError(t, g.Check())
}
