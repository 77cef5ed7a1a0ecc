package lru_test

import (
	"bytes"
	"math/rand/v2"
	"sync/atomic"
	"testing"

	"github.com/distkit/distkit/lru"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const farthest = 64 // groups

// colliding returns keys whose searches all begin at the first group of a table of
// 512 groups or fewer, if place tells their places.
func colliding(n int, first uint64, place func(uint64) uint64) []uint64 {
	keys := make([]uint64, 0, n)
	for k := first; len(keys) < n; k++ {
		if place(k)>>23 == 0 {
			keys = append(keys, k)
		}
	}
	return keys
}

// Whoever knows the hashes of a cache can have it search long once, and no more.
func TestCollidingKeysAreSpread(t *testing.T) {
	for _, p := range policies {
		t.Run(p.String(), func(t *testing.T) {
			c := must(lru.New[uint64, uint64](2000, lru.WithPolicy(p)))
			keys := colliding(2000, 0, func(k uint64) uint64 { return c.Hash(k) & (1<<32 - 1) })
			hashes := make([]uint64, len(keys))
			for i, k := range keys {
				hashes[i] = c.Hash(k)
				c.Set(k, uint64(i))
				if i < 8*farthest {
					require.Zero(t, lru.Secret(c))
				}
				if i == 8*farthest {
					require.Equal(t, farthest, lru.Farthest(c))
				}
			}
			require.NotZero(t, lru.Secret(c))
			assert.Less(t, lru.Farthest(c), farthest/4)
			assert.Equal(t, 2000, c.Len())
			check(t, c)
			for i, k := range keys {
				require.Equal(t, hashes[i], c.Hash(k), "a hash serves for as long as the cache")
				v, ok := c.GetHashed(hashes[i], k)
				require.True(t, ok && v == uint64(i))
				_, ok = c.Peek(k + 1<<60)
				require.False(t, ok)
			}

			image := imageOf(t, c)
			d := restored(t, image, must(lru.New[uint64, uint64](2000, lru.WithPolicy(p))))
			assert.Equal(t, keysOf(c.All()), keysOf(d.All()))
			assert.Zero(t, lru.Secret(d), "they do not collide there")
			restored(t, image, c)
			assert.Equal(t, keysOf(d.All()), keysOf(c.All()))
			require.NoError(t, c.Resize(700))
			for _, k := range keys[:500] {
				c.Delete(k)
			}
			require.NoError(t, c.Resize(3000))
			for i, k := range keys {
				c.SetHashed(hashes[i], k, uint64(len(keys)+i))
			}
			assert.Equal(t, 2000, c.Len())
			assert.Less(t, lru.Farthest(c), farthest/4)
			check(t, c)
			c.Clear()
			check(t, c)
			for i, k := range keys {
				c.Set(k, uint64(i))
			}
			assert.Less(t, lru.Farthest(c), farthest/4)
			check(t, c)
		})
	}
}

// Whoever learns each secret makes the table draw another, but not at every Set.
func TestSecretsAreDrawnRarely(t *testing.T) {
	c := must(lru.New[uint64, uint64](3000))
	r := rand.New(rand.NewPCG(1, 1))
	drawn, at, first := 0, 0, r.Uint64()
	for i := range 6000 {
		k := colliding(1, first, func(k uint64) uint64 { return uint64(lru.Spread(c, k)) })[0]
		first = k + 1
		before := lru.Secret(c)
		if c.Set(k, uint64(i)); lru.Secret(c) == before {
			continue
		}
		if drawn++; drawn > 1 {
			require.GreaterOrEqual(t, i-at, c.Len()/5, "secret %d", drawn)
		}
		at = i
	}
	assert.Greater(t, drawn, 4)
	check(t, c)
}

// Long searches that chance makes, where a table is about to grow, need no secret.
func TestChanceDrawsNoSecret(t *testing.T) {
	c := must(lru.New[uint64, uint64](1 << 17))
	for i := range uint64(1 << 18) {
		c.Set(i, i)
	}
	assert.Zero(t, lru.Secret(c))
	assert.Less(t, lru.Farthest(c), farthest)
}

// A hash of the user's that collides does so whatever is mixed with it. Then a
// search goes through everything, and finds it.
func TestHasherThatCollides(t *testing.T) {
	for _, p := range []lru.Policy{lru.LRU, lru.S3FIFO} {
		c := must(lru.New[uint64, uint64](1500, lru.WithPolicy(p), lru.WithHasher(func(uint64) uint64 { return 7 })))
		for i := range uint64(2000) {
			c.Set(i, i)
		}
		assert.Zero(t, lru.Secret(c))
		assert.Less(t, lru.Farthest(c), 1500/7)
		assert.Equal(t, 1500, c.Len())
		check(t, c)
	}
}

// Nobody who looks up without a lock misses a key while its table is made anew.
func TestConcurrentSpreadsCollidingKeys(t *testing.T) {
	for _, p := range []lru.Policy{lru.LRU, lru.S3FIFO, lru.Adaptive} {
		c := must(lru.NewConcurrent[uint64, uint64](3000, lru.WithPolicy(p), lru.WithShards(2)))
		keys := colliding(2500, 0, func(k uint64) uint64 { return c.Hash(k) & (1<<32 - 1) })
		var set atomic.Int64
		crowd(3, func(g int, r *rand.Rand) {
			if g == 0 {
				for i, k := range keys {
					c.Set(k, k)
					set.Store(int64(i) + 1)
				}
				return
			}
			for n := int64(0); n < int64(len(keys)); n = set.Load() {
				if n > 0 {
					k := keys[r.Int64N(n)]
					if v, ok := c.Get(k); !ok || v != k {
						t.Errorf("%v: key %d has value %d, %v", p, k, v, ok)
						return
					}
				}
			}
		})
		for _, core := range lru.Cores(c) {
			assert.NotZero(t, lru.Secret(core))
			assert.Less(t, lru.Farthest(core), farthest/4)
		}
		check(t, c)
		image := imageOf(t, c)
		_, err := c.ReadFrom(bytes.NewReader(image))
		require.NoError(t, err)
		snap := c.Snapshot()
		assert.ElementsMatch(t, keys, keysOf(snap.All()))
		check(t, c)
		check(t, snap)
	}
}
