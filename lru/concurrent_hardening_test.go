package lru_test

import (
	"context"
	"math/rand/v2"
	"sync/atomic"
	"testing"

	"github.com/distkit/distkit/lru"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Nothing is locked when a function of the user runs: each does all there is to do.
func TestFunctionsMayUseTheConcurrent(t *testing.T) {
	var c *lru.Concurrent[int, int]
	var depth atomic.Int32
	use := func() {
		if depth.Add(1) <= 5 { // of three goroutines
			k := rand.IntN(300)
			c.Set(k, k)
			c.Get(k)
			c.Update(k+1, func(old int, _ bool) (int, bool) { c.Contains(k); return old, true })
			// A load that waited for another one, as a callback does here, could come to wait for itself.
			if _, err := c.GetOrLoad(context.Background(), k+2, func(context.Context, int) (int, error) { c.Peek(k + 3); return k, nil }); err != nil {
				t.Error(err)
			}
			c.Delete(k + 3)
			c.DeleteFunc(func(k2, _ int) bool { return k2 == k+4 })
			c.Len()
			c.Stats()
		}
		depth.Add(-1)
	}
	for _, p := range []lru.Policy{lru.LRU, lru.S3FIFO, lru.Adaptive} {
		c = must(lru.NewConcurrent[int, int](128, lru.WithPolicy(p), lru.WithShards(2),
			lru.WithOnEvict(func(int, int, lru.Reason) { use() }),
			lru.WithWeigher(func(int, int) uint32 { c.Len(); return 1 }),
			lru.WithHasher(func(k int) uint64 { c.Len(); return uint64(k) })))
		crowd(3, func(int, *rand.Rand) {
			for range 100 {
				use()
			}
		})
		require.NoError(t, c.Resize(10))
		c.Clear()
		check(t, c)
	}
}

// What a panic keeps from being reported is reported with the next change.
func TestConcurrentCallbackThatPanics(t *testing.T) {
	var left []int
	c := must(lru.NewConcurrent[int, int](100, lru.WithShards(1), lru.WithPolicy(lru.LRU), lru.WithOnEvict(func(k, _ int, _ lru.Reason) {
		left = append(left, k)
		if k == 1 {
			panic("callback")
		}
	})))
	for k := range 4 {
		c.Set(k, k)
	}
	assert.PanicsWithValue(t, "callback", c.Clear)
	assert.Equal(t, []int{0, 1}, left)
	assert.Zero(t, c.Len())
	c.Set(5, 5)
	assert.Equal(t, []int{0, 1, 2, 3}, left)
	check(t, c)
}

func TestConcurrentFunctionsThatPanic(t *testing.T) {
	c := must(lru.NewConcurrent[int, int](2, lru.WithWeigher(func(_, v int) uint32 {
		if v == 13 {
			panic("weigher")
		}
		return 1
	}), lru.WithHasher(func(k int) uint64 {
		if k == 13 {
			panic("hasher")
		}
		return uint64(k)
	})))
	c.Set(1, 1)
	for name, f := range map[string]func(){
		"weigher": func() { c.Set(1, 13) },
		"hasher":  func() { c.Get(13) },
		"update":  func() { c.Update(1, func(int, bool) (int, bool) { panic("update") }) },
		"delete":  func() { c.DeleteFunc(func(int, int) bool { panic("delete") }) },
		"loop": func() {
			for range c.All() {
				panic("loop")
			}
		},
	} {
		assert.PanicsWithValue(t, name, f)
	}
	v, ok := c.Get(1)
	assert.True(t, ok && v == 1)
	check(t, c)
}
