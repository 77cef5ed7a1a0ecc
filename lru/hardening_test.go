package lru_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"testing"

	"github.com/distkit/distkit/internal/testkit"
	"github.com/distkit/distkit/lru"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Keys that are not equal to themselves cannot be found, but they can be evicted,
// walked over and deleted by a condition.
func TestNaNKeysStayBounded(t *testing.T) {
	c := must(lru.New[float64, int](10))
	for i := range 1000 {
		require.True(t, c.Set(math.NaN(), i))
		require.LessOrEqual(t, c.Len(), 10)
		require.False(t, c.Contains(math.NaN()))
		check(t, c)
	}
	c.Set(math.Copysign(0, -1), 1)
	v, ok := c.Get(0)
	assert.True(t, ok && v == 1, "0 and -0 are equal")
	assert.Equal(t, 9, c.DeleteFunc(func(k float64, _ int) bool { return k != k }))
	assert.Equal(t, 1, c.Len())
	check(t, c)
}

// A function that hashes equal keys to different values breaks its contract; the
// cache may not find keys then, but it stays a cache.
func TestHasherThatLies(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 4))
	c := must(lru.New[int, int](50, lru.WithHasher(func(int) uint64 { return r.Uint64N(5) << 40 })))
	for i := range 5000 {
		c.Set(i%70, i)
		if v, ok := c.Get(i % 90); ok {
			require.Equal(t, i%90, v%70)
		}
		c.Delete(i % 7)
		// Not check: it demands that every key is found, which nobody can promise.
		require.LessOrEqual(t, c.Len(), 50)
		n := 0
		for range c.All() {
			n++
		}
		require.Equal(t, c.Len(), n)
	}
}

func TestCallbacksMayUseTheCache(t *testing.T) {
	var c *lru.Cache[int, int]
	var log []string
	c = must(lru.New[int, int](2, lru.WithOnEvict(func(k, v int, why lru.Reason) {
		log = append(log, fmt.Sprint(k, v, why))
		if k < 3 {
			c.Set(k+10, v) // evicts in its turn
		}
		if k == 11 {
			c.Delete(12)
		}
	})))
	c.Set(1, 1)
	c.Set(2, 2)
	c.Set(3, 3) // evicts 1; so 11 is set and evicts 2; so 12 is set and evicts 3
	assert.Equal(t, []string{"1 1 capacity", "2 2 capacity", "3 3 capacity"}, log)
	assert.Equal(t, []int{11, 12}, keysOf(c.All()))
	check(t, c)
	log = nil
	c.Clear()
	assert.Equal(t, []string{"11 1 cleared", "12 2 cleared"}, log)
	assert.Zero(t, c.Len())
	check(t, c)
}

func TestCallbackThatPanics(t *testing.T) {
	fail := true
	var log []int
	c := must(lru.New[int, int](3, lru.WithOnEvict(func(k, _ int, _ lru.Reason) {
		if fail && k == 1 {
			panic("callback")
		}
		log = append(log, k)
	})))
	for i := range 3 {
		c.Set(i, i)
	}
	assert.PanicsWithValue(t, "callback", func() { must(0, c.Resize(1)) })
	assert.Equal(t, []int{2}, keysOf(c.All()), "the change is complete")
	fail = false
	c.Set(5, 5) // what was left to report comes first
	assert.Equal(t, []int{0, 2}, log)
	check(t, c)

	c = must(lru.New[int, int](1, lru.WithOnEvict(func(k, _ int, _ lru.Reason) { runtime.Goexit() })))
	c.Set(1, 1)
	done := make(chan bool)
	go func() {
		defer close(done)
		c.Set(2, 2)
	}()
	<-done
	assert.Equal(t, []int{2}, keysOf(c.All()))
	check(t, c)
}

func TestFunctionsThatPanicChangeNothing(t *testing.T) {
	panics := false
	boom := func() {
		if panics {
			panic("user")
		}
	}
	c := must(lru.New[int, int](3,
		lru.WithHasher(func(k int) uint64 { boom(); return uint64(k) }),
		lru.WithWeigher(func(_, v int) uint32 { boom(); return uint32(v) })))
	c.Set(1, 1)
	c.Set(2, 2)
	panics = true
	for _, f := range []func(){
		func() { c.Set(3, 3) }, func() { c.Get(1) }, func() { c.SetHashed(0, 3, 3) }, func() { c.Delete(1) },
	} {
		assert.PanicsWithValue(t, "user", f)
	}
	panics = false
	assert.PanicsWithValue(t, "user", func() { c.Update(1, func(int, bool) (int, bool) { panic("user") }) })
	assert.PanicsWithValue(t, "user", func() { c.DeleteFunc(func(int, int) bool { panic("user") }) })
	assert.Equal(t, []int{1, 2}, keysOf(c.All()))
	check(t, c)
}

func TestUpdateFunctionMayUseTheCache(t *testing.T) {
	c := must(lru.New[string, int](2))
	c.Set("a", 1)
	v, ok := c.Update("a", func(old int, _ bool) (int, bool) {
		c.Set("b", 2)
		c.Set("c", 3) // "a" is evicted
		return old + 10, true
	})
	assert.True(t, ok)
	assert.Equal(t, 11, v)
	assert.Equal(t, []string{"c", "a"}, keysOf(c.All()))
	check(t, c)
}

func TestWeightsNearTheLimits(t *testing.T) {
	const heavy = min(math.MaxInt/2000, math.MaxUint32) // a capacity is an int
	c := must(lru.New[int, int](math.MaxInt, lru.WithWeigher(func(_, v int) uint32 { return uint32(v) })))
	for i := range 1000 {
		require.True(t, c.Set(i, heavy))
	}
	assert.Equal(t, uint64(1000)*heavy, c.Weight())
	require.NoError(t, c.Resize(heavy))
	assert.Equal(t, 1, c.Len())
	require.NoError(t, c.Resize(heavy-1))
	assert.Zero(t, c.Len())
	assert.Zero(t, c.Weight())
	check(t, c)
}

// liveBytesEach is testkit.LiveBytes of something small. The runtime takes some
// kilobytes for itself now and then, which is little among many.
func liveBytesEach(build func() any) uint64 {
	const many = 64
	return testkit.LiveBytes(func() any {
		var all [many]any
		for i := range all {
			all[i] = build()
		}
		return all
	}) / many
}

// Memory follows the entries, not the capacity; nothing of what left is kept.
func TestMemory(t *testing.T) {
	testkit.NotUnderInvariants(t)
	empty := liveBytesEach(func() any { return must(lru.New[uint64, uint64](50_000_000)) })
	assert.Less(t, empty, uint64(1<<10))

	const n = 1 << 17
	fill := func(c *lru.Cache[uint64, uint64]) *lru.Cache[uint64, uint64] {
		for i := range 2 * uint64(c.Cap()) {
			c.Set(i, i)
		}
		return c
	}
	full := testkit.LiveBytes(func() any { return fill(must(lru.New[uint64, uint64](n))) })
	assert.Less(t, float64(full)/n-16, 16.5, "bytes an entry beside key and value")

	for p, most := range map[lru.Policy]float64{lru.LFU: 20.5, lru.Random: 24.5, lru.SIEVE: 17.5, lru.S3FIFO: 36, lru.Adaptive: 36} {
		full := testkit.LiveBytes(func() any { return fill(must(lru.New[uint64, uint64](n, lru.WithPolicy(p)))) })
		assert.Less(t, float64(full)/n-16, most, "bytes an entry under %v", p)
	}

	cleared := liveBytesEach(func() any {
		c := fill(must(lru.New[uint64, uint64](1 << 12)))
		c.Clear()
		return c
	})
	assert.Less(t, cleared, uint64(1<<10))

	type blob = *[1 << 20]byte
	big := testkit.LiveBytes(func() any {
		c := must(lru.New[string, blob](4))
		for i := range 64 {
			c.Set(fmt.Sprint(i), new([1 << 20]byte))
		}
		for i := 60; i < 63; i++ {
			c.Delete(fmt.Sprint(i))
		}
		return c
	})
	assert.Less(t, big, uint64(3<<19), "one megabyte is held")
}
