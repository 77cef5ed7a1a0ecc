package lru_test

import (
	"iter"
	"slices"
	"testing"

	"github.com/distkit/distkit/lru"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func keysOf[K comparable, V any](seq iter.Seq2[K, V]) (keys []K) {
	for k := range seq {
		keys = append(keys, k)
	}
	return keys
}

// digits returns a cache of the keys 0 to 9, 0 the oldest.
func digits(opts ...lru.Option) *lru.Cache[int, int] {
	c := must(lru.New[int, int](10, opts...))
	for i := range 10 {
		c.Set(i, i)
	}
	return c
}

// What a loop may do to the cache that it goes over, and what it sees then.
func TestChangesDuringIteration(t *testing.T) {
	for _, test := range []struct {
		name        string
		body        func(c *lru.Cache[int, int], k int)
		forth, back []int // keys visited
		after       []int // keys held after All
		backAfter   []int // keys held after Backward, where others
	}{
		{
			name:  "delete the entry",
			body:  func(c *lru.Cache[int, int], k int) { c.Delete(k) },
			forth: []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, back: []int{9, 8, 7, 6, 5, 4, 3, 2, 1, 0},
		},
		{
			name: "delete the neighbors",
			body: func(c *lru.Cache[int, int], k int) {
				c.Delete(k - 1)
				c.Delete(k + 1)
			},
			forth: []int{0, 2, 4, 6, 8}, back: []int{9, 7, 5, 3, 1},
			after: []int{0, 2, 4, 6, 8}, backAfter: []int{1, 3, 5, 7, 9},
		},
		{
			name:  "get the entry",
			body:  func(c *lru.Cache[int, int], k int) { c.Get(k) },
			forth: []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, back: []int{9, 8, 7, 6, 5, 4, 3, 2, 1, 0},
			after: []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, backAfter: []int{9, 8, 7, 6, 5, 4, 3, 2, 1, 0},
		},
		{
			name: "clear", body: func(c *lru.Cache[int, int], _ int) { c.Clear() },
			forth: []int{0}, back: []int{9},
		},
		{
			name:  "resize to one",
			body:  func(c *lru.Cache[int, int], _ int) { must(0, c.Resize(1)) },
			forth: []int{0, 9}, back: []int{9}, after: []int{9}, backAfter: []int{9},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			for _, backward := range []bool{false, true} {
				c, want, after := digits(), test.forth, test.after
				seq := c.All()
				if backward {
					seq, want = c.Backward(), test.back
					if test.backAfter != nil {
						after = test.backAfter
					}
				}
				var visited []int
				for k, v := range seq {
					require.Equal(t, k, v)
					visited = append(visited, k)
					test.body(c, k)
				}
				assert.Equal(t, want, visited)
				assert.Equal(t, after, keysOf(c.All()))
				check(t, c)
			}
		})
	}
}

// A loop that puts in as much as it sees ends all the same.
func TestSetDuringIteration(t *testing.T) {
	c := digits()
	turns := 0
	for k := range c.All() {
		c.Set(100+k, k)
		turns++
	}
	assert.Equal(t, 10, turns)
	assert.Equal(t, 10, c.Len())
	check(t, c)
}

func TestIterationsNestAndStop(t *testing.T) {
	c := digits()
	for a := range c.All() {
		for b := range c.Backward() {
			if a == 3 && b == 6 {
				c.Delete(4) // what the outer loop comes to next
				c.Delete(5) // and the inner
				break
			}
		}
	}
	assert.Equal(t, []int{0, 1, 2, 3, 6, 7, 8, 9}, keysOf(c.All()))
	assert.Panics(t, func() {
		for range c.All() {
			panic("out of the loop")
		}
	})
	check(t, c)

	// Left crosswise: the outer iteration ends first.
	next, stop := iter.Pull2(c.All())
	next2, stop2 := iter.Pull2(c.Backward())
	next()
	next2()
	stop()
	c.Delete(8)
	k, _, ok := next2()
	assert.True(t, ok)
	assert.Equal(t, 7, k)
	stop2()
	check(t, c)
}

func TestIterationOverPinnedEntries(t *testing.T) {
	c := must(lru.New[int, int](9, lru.WithWeigher(func(_, v int) uint32 { return uint32(v) })))
	for k, v := range []int{0, 1, 0, 2, 3} {
		c.Set(k, v)
	}
	assert.Equal(t, []int{1, 3, 4, 0, 2}, keysOf(c.All()))
	assert.Equal(t, []int{2, 0, 4, 3, 1}, keysOf(c.Backward()))
	for k := range c.All() {
		c.Set(k, 1-min(c.Len(), 1)) // all become pinned as they are visited
	}
	assert.Zero(t, c.Weight())
	for range c.Backward() {
		c.Clear()
	}
	assert.Zero(t, c.Len())
	check(t, c)
}

func TestDeleteFuncSeesEveryEntryOnce(t *testing.T) {
	c := digits()
	var seen []int
	n := c.DeleteFunc(func(k, _ int) bool {
		seen = append(seen, k)
		if k == 4 {
			c.Delete(4) // what it is to say yes to
			c.Delete(6)
		}
		return k%2 == 0
	})
	assert.Equal(t, []int{0, 1, 2, 3, 4, 5, 7, 8, 9}, seen)
	assert.Equal(t, 3, n, "0, 2 and 8: it was not DeleteFunc that took 4 and 6")
	assert.Equal(t, []int{1, 3, 5, 7, 9}, keysOf(c.All()))
	assert.True(t, slices.IsSorted(keysOf(c.All())))
	check(t, c)
}
