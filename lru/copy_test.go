package lru_test

import (
	"bytes"
	"fmt"
	"maps"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/distkit/distkit/lru"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A Cache reads what a Concurrent writes, and the other way round, under every
// policy.
func TestConcurrentAndCacheShareImages(t *testing.T) {
	for _, p := range policies {
		t.Run(p.String(), func(t *testing.T) {
			c := must(lru.NewConcurrent[string, uint32](100, lru.WithPolicy(p), lru.WithShards(4)))
			r := rand.New(rand.NewPCG(1, 1))
			for range 2000 {
				k := fmt.Sprint(r.IntN(150))
				if _, ok := c.Get(k); !ok {
					c.Set(k, r.Uint32())
				}
			}
			image := imageOf(t, c)
			want := maps.Collect(c.All())
			require.Len(t, want, 100)

			var plain lru.Cache[string, uint32]
			restored(t, image, &plain)
			assert.Equal(t, want, maps.Collect(plain.All()))
			check(t, &plain)
			if p != lru.Adaptive { // whose sketch may confuse other keys in another cache
				assert.Equal(t, image, imageOf(t, &plain))
			}

			var again lru.Concurrent[string, uint32]
			n, err := again.ReadFrom(bytes.NewReader(image))
			require.NoError(t, err)
			assert.EqualValues(t, len(image), n)
			assert.Equal(t, want, maps.Collect(again.All()))
			assert.Equal(t, 100, again.Cap())
			check(t, &again)

			smaller := must(lru.NewConcurrent[string, uint32](30, lru.WithPolicy(p)))
			_, err = smaller.ReadFrom(bytes.NewReader(image))
			require.NoError(t, err)
			assert.Equal(t, 30, smaller.Len())
			for k, v := range smaller.All() {
				require.Equal(t, want[k], v)
			}
			check(t, smaller)
		})
	}
}

func TestConcurrentReadFrom(t *testing.T) {
	var log []string
	c := must(lru.NewConcurrent[string, uint32](10, lru.WithOnEvict(func(k string, _ uint32, why lru.Reason) {
		log = append(log, k+" "+why.String())
	})))
	c.Set("before", 1)
	good := must(lru.New[string, uint32](10))
	good.Set("a", 1)
	good.Set("b", 2)
	image := imageOf(t, good)
	for n := range image {
		_, err := c.ReadFrom(bytes.NewReader(image[:n]))
		require.ErrorIs(t, err, lru.ErrCorrupt)
	}
	_, err := c.ReadFrom(bytes.NewReader(imageOf(t, must(lru.New[string, string](3)))))
	require.ErrorIs(t, err, lru.ErrIncompatible)
	require.Equal(t, []string{"before"}, keysOf(c.All()))
	require.Empty(t, log)

	_, err = c.ReadFrom(bytes.NewReader(image))
	require.NoError(t, err)
	assert.Equal(t, []string{"before cleared"}, log)
	assert.Equal(t, map[string]uint32{"a": 1, "b": 2}, maps.Collect(c.All()))
	assert.EqualValues(t, 1, c.Stats().Inserts, "counts go on")
	check(t, c)

	var zero lru.Concurrent[string, uint32]
	weighted := must(lru.New[string, uint32](10, lru.WithWeigher(func(string, uint32) uint32 { return 2 })))
	_, err = zero.ReadFrom(bytes.NewReader(imageOf(t, weighted)))
	require.ErrorIs(t, err, lru.ErrIncompatible)
	assert.Zero(t, zero.Cap())
}

func TestConcurrentImagesKeepLifetimes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := must(lru.NewConcurrent[string, uint32](10, lru.WithSliding()))
		c.SetWithTTL("short", 1, time.Minute)
		c.SetWithTTL("long", 2, time.Hour)
		c.Set("ever", 3)
		time.Sleep(30 * time.Second)
		image := imageOf(t, c)
		time.Sleep(30 * time.Second)
		var zero lru.Concurrent[string, uint32]
		same := must(lru.NewConcurrent[string, uint32](10, lru.WithSliding()))
		for _, d := range []*lru.Concurrent[string, uint32]{&zero, same} {
			_, err := d.ReadFrom(bytes.NewReader(image))
			require.NoError(t, err)
			left, ok := d.TTL("short")
			assert.True(t, ok)
			assert.Equal(t, 30*time.Second, left)
		}
		time.Sleep(30 * time.Second)
		assert.False(t, zero.Contains("short") || same.Contains("short"))
		same.Get("long")
		left, _ := same.TTL("long")
		assert.Equal(t, time.Hour, left, "a hit restarts it")
		assert.Equal(t, 1, same.DeleteExpired())
		snap := same.Snapshot()
		left, _ = snap.TTL("long")
		assert.Equal(t, time.Hour, left)
		check(t, snap)
		check(t, same)
	})
}

// Whoever asks meanwhile finds what was there or what comes.
func TestReadFromUnderLoad(t *testing.T) {
	full := must(lru.New[int, int](300))
	for k := range 300 {
		full.Set(k, k)
	}
	image := imageOf(t, full)
	c := must(lru.NewConcurrent[int, int](300, lru.WithShards(8)))
	stop := watchSize(t, c)
	crowd(4, func(g int, r *rand.Rand) {
		for i := range 2000 {
			switch {
			case g == 0 && i%50 == 0:
				if _, err := c.ReadFrom(bytes.NewReader(image)); err != nil {
					t.Error(err)
				}
			case g == 1 && i%50 == 0:
				if n := c.Snapshot().Len(); n > 300 {
					t.Errorf("%d entries", n)
				}
			default:
				k := r.IntN(600)
				if v, ok := c.Get(k); ok && v != k {
					t.Errorf("key %d has value %d", k, v)
				} else if !ok {
					c.Set(k, k)
				}
			}
		}
	})
	stop()
	check(t, c)
}
