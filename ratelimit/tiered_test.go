package ratelimit_test

import (
	"math"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/distkit/distkit/internal/testkit"
	"github.com/distkit/distkit/ratelimit"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func node(units int64) *ratelimit.Limiter { return must(ratelimit.New(ratelimit.PerSecond(units))) }

// The worked example of the textbooks: 20,000 read and 5,000 write units over 10
// partitions are 2,000 and 500 each, over 20 partitions 1,000 and 250. However one of
// them bursts, its neighbors get what is allocated to them.
func TestTieredOfTheTextbooks(t *testing.T) {
	t.Run("reads", func(t *testing.T) { testShares(t, 20_000, 2000, 1000) })
	t.Run("writes", func(t *testing.T) { testShares(t, 5000, 500, 250) })
}

// testShares divides the units of a table over 10 partitions of some units each, and
// then over 20 of half as many.
func testShares(t *testing.T, units, each, half int64) {
	require.Equal(t, units, 10*each)
	require.Equal(t, units, 20*half)
	pool := node(units)
	var parts []*ratelimit.Tiered
	for range 10 {
		parts = append(parts, must(ratelimit.NewTiered(ratelimit.PerSecond(each), 300*each, pool)))
	}
	now := t0
	for second := range 10 {
		hot := int64(0)
		for parts[0].AllowAt(now, 100) {
			hot += 100
		}
		if second == 0 {
			assert.Equal(t, units, hot, "its own and all that is the others' and that nobody used")
		}
		assert.GreaterOrEqual(t, hot, each, "second %d: never less than its own", second)
		for i, p := range parts[1:] {
			require.True(t, p.AllowAt(now, each), "second %d, partition %d", second, i+1)
			require.False(t, p.AllowAt(now, 1), "the node has no more to spare")
		}
		now = now.Add(time.Second)
	}

	// The table splits: each of the 20 has half of what each of the ten had, and nobody
	// gains a token by it.
	for i, p := range parts {
		require.NoError(t, p.SetLimitAt(now, ratelimit.PerSecond(half), 300*half))
		other := must(ratelimit.NewTiered(ratelimit.PerSecond(half), 300*half, pool))
		require.True(t, p.AllowAt(now, half), "partition %d", i)
		require.True(t, other.AllowAt(now, half))
		require.False(t, p.AllowAt(now, 1))
	}
}

// Allocated bucket empty: the burst bucket. Both empty: refused.
func TestTieredTiers(t *testing.T) {
	pool := node(1_000_000)
	p := must(ratelimit.NewTiered(ratelimit.PerSecond(10), 20, pool))
	assert.Equal(t, ratelimit.Result{Allowed: true, Limit: 30, Remaining: 30}, p.PeekAt(t0))
	assert.True(t, p.AllowAt(t0, 10))
	assert.True(t, p.AllowAt(t0, 20), "the burst")
	r := p.TakeAt(t0, 1)
	assert.False(t, r.Allowed)
	assert.InDelta(t, 100*time.Millisecond, r.RetryAfter, 2)
	assert.InDelta(t, 3*time.Second, r.ResetAfter, 2)

	// Only what overflows the allocated bucket is saved: after a second 10 are back,
	// all allocated; after three, all 30.
	now := t0.Add(time.Second)
	assert.EqualValues(t, 10, p.PeekAt(now).Remaining)
	assert.True(t, p.AllowAt(now, 10))
	assert.False(t, p.AllowAt(now, 1), "none was saved")
	now = now.Add(2 * time.Second)
	assert.EqualValues(t, 20, p.PeekAt(now).Remaining)
	assert.False(t, p.AllowAt(now, 21))
	assert.True(t, p.AllowAt(now, 15))
	assert.EqualValues(t, 5, p.PeekAt(now).Remaining)
	assert.Equal(t, ratelimit.InfDuration, p.TakeAt(now, 31).RetryAfter)
	assert.Equal(t, ratelimit.InfDuration, p.TakeAt(now, -1).RetryAfter)
	assert.True(t, p.AllowAt(now, 0))
	p.Reset()
	assert.EqualValues(t, 30, p.PeekAt(now).Remaining)
}

// The pool refuses bursts only; what is allocated brings it into debt.
func TestTieredPool(t *testing.T) {
	pool := node(15)
	p, neighbor := must(ratelimit.NewTiered(ratelimit.PerSecond(10), 20, pool)), must(ratelimit.NewTiered(ratelimit.PerSecond(10), 20, pool))
	assert.EqualValues(t, 25, p.PeekAt(t0).Remaining)
	r := p.TakeAt(t0, 26)
	assert.False(t, r.Allowed)
	assert.Equal(t, ratelimit.InfDuration, r.RetryAfter, "the pool never has 16")
	assert.True(t, p.AllowAt(t0, 12))
	assert.EqualValues(t, 3, pool.PeekAt(t0).Remaining, "all of it is charged")
	assert.True(t, neighbor.AllowAt(t0, 10))
	assert.InDelta(t, 8.0/15, pool.PeekAt(t0).RetryAfter.Seconds(), 1e-8, "7 of debt and one to have")
	assert.False(t, p.AllowAt(t0, 1))
	// By allocation the next passes in 100 ms, before the pool has anything to spare.
	assert.InDelta(t, 100*time.Millisecond, p.TakeAt(t0, 1).RetryAfter, 2)
	// 12 never fit the allocated bucket alone: after 0.8 s it has 8, and the pool 4.
	later := p.TakeAt(t0, 12).RetryAfter
	assert.False(t, p.AllowAt(t0.Add(later-1), 12))
	assert.True(t, p.AllowAt(t0.Add(later), 12))

	free := must(ratelimit.NewTiered(ratelimit.PerSecond(1), 1<<40, must(ratelimit.New(ratelimit.Unlimited))))
	assert.True(t, free.AllowAt(t0, 1<<40), "a node without a limit")
}

func TestTieredSetLimit(t *testing.T) {
	pool := node(1_000_000)
	p := must(ratelimit.NewTiered(ratelimit.PerSecond(10), 20, pool))
	require.True(t, p.AllowAt(t0, 14)) // 0 of 10, 16 of 20
	require.NoError(t, p.SetLimitAt(t0, ratelimit.PerSecond(100), 18))
	assert.EqualValues(t, 16, p.PeekAt(t0).Remaining)
	assert.EqualValues(t, 116, p.PeekAt(t0.Add(time.Second)).Remaining, "16 saved, 100 allocated")
	require.NoError(t, p.SetLimitAt(t0.Add(time.Second), ratelimit.PerSecond(5), 7))
	assert.EqualValues(t, 12, p.PeekAt(t0.Add(time.Second)).Remaining, "capped at both sizes")
	now := t0.Add(1100 * time.Millisecond)
	p.AllowAt(now, 12)
	for i := range 1000 { // however often, nothing is lost or won
		require.NoError(t, p.SetLimitAt(now.Add(time.Duration(i)*time.Millisecond), ratelimit.PerSecond(5+int64(i%2)), 7))
	}
	assert.InDelta(t, 5, p.PeekAt(now.Add(time.Second)).Remaining, 1)

	// At an instant decades before the last, of a rate that makes centuries of the debt.
	late := must(ratelimit.NewTiered(ratelimit.Limit{Events: 1, Period: 1, Burst: 9}, 9, node(100)))
	late.AllowAt(time.Now().AddDate(30, 0, 0), 18)
	past := time.Now().AddDate(-60, 0, 0)
	require.NoError(t, late.SetLimitAt(past, ratelimit.PerHour(5), 10))
	assert.Zero(t, late.PeekAt(past).Remaining, "nothing is minted")
	assert.Positive(t, late.PeekAt(past).ResetAfter)

	before := p.PeekAt(now)
	assert.ErrorIs(t, p.SetLimit(ratelimit.Limit{}, 1), ratelimit.ErrInvalidLimit)
	assert.ErrorIs(t, p.SetLimitAt(now, ratelimit.PerSecond(1), -1), ratelimit.ErrInvalidLimit)
	assert.Equal(t, before, p.PeekAt(now))
}

// Random partitions, at instants in order: none passes more than its allocation and
// burst, the node no more than its own and what is allocated.
func TestTieredBound(t *testing.T) {
	rnd := rand.New(rand.NewPCG(51, 52))
	pool := must(ratelimit.New(ratelimit.PerSecond(100)))
	parts := []*ratelimit.Tiered{
		must(ratelimit.NewTiered(ratelimit.PerSecond(30), 200, pool)),
		must(ratelimit.NewTiered(ratelimit.PerSecond(30), 200, pool)),
		must(ratelimit.NewTiered(ratelimit.PerSecond(30), 200, pool)),
	}
	var total int64
	var passed [3]int64
	now := t0
	for range 20_000 {
		i, n := rnd.IntN(3), 1+rnd.Int64N(10)
		r := parts[i].TakeAt(now, n)
		if r.Allowed {
			total += n
			passed[i] += n
		} else if rnd.IntN(100) == 0 {
			require.False(t, parts[i].AllowAt(now.Add(r.RetryAfter-1), n))
		}
		now = now.Add(time.Duration(rnd.IntN(10)) * time.Millisecond)
	}
	seconds := now.Sub(t0).Seconds()
	assert.LessOrEqual(t, float64(total), 100*seconds+100+3*30+1)
	assert.Greater(t, float64(total), 90*seconds)
	for i := range passed {
		assert.LessOrEqual(t, float64(passed[i]), 30*seconds+30+200+1)
	}
}

func TestTieredErrors(t *testing.T) {
	pool := node(10)
	for _, none := range []*ratelimit.Limiter{nil, {}} {
		_, err := ratelimit.NewTiered(ratelimit.PerSecond(1), 1, none)
		assert.EqualError(t, err, "ratelimit: pool is nil or zero, want the Limiter that the partitions share")
	}
	_, err := ratelimit.NewTiered(ratelimit.PerSecond(1), 1, must(ratelimit.New(ratelimit.PerSecond(1), ratelimit.WithAlgorithm(ratelimit.FixedWindow))))
	assert.EqualError(t, err, "ratelimit: pool is a fixed window, want a token bucket")
	_, err = ratelimit.NewTiered(ratelimit.Limit{}, 1, pool)
	assert.ErrorIs(t, err, ratelimit.ErrInvalidLimit)
	_, err = ratelimit.NewTiered(ratelimit.PerSecond(1), -1, pool)
	assert.EqualError(t, err, "ratelimit: invalid limit: burst is -1, want 0 to 9223372036854775806 beyond 1/s")
	_, err = ratelimit.NewTiered(ratelimit.PerSecond(1), math.MaxInt64-1, pool)
	assert.ErrorIs(t, err, ratelimit.ErrInvalidLimit)

	var zero ratelimit.Tiered
	assert.Zero(t, zero.Peek())
	assert.Zero(t, zero.PeekAt(t0))
	for name, f := range map[string]func(){
		"Allow": func() { zero.Allow() }, "AllowAt": func() { zero.AllowAt(t0, 1) }, "TakeAt": func() { zero.TakeAt(t0, 1) }, "Take": func() { zero.Take(1) },
		"Reset": zero.Reset, "SetLimit": func() { _ = zero.SetLimit(ratelimit.PerSecond(1), 1) },
	} {
		assert.PanicsWithValue(t, "ratelimit: a zero Tiered has no limit; make one with NewTiered", f, name)
	}
}

func TestTieredConcurrent(t *testing.T) {
	pool := node(100)
	var passed atomic.Int64
	var group sync.WaitGroup
	for range 4 {
		p := must(ratelimit.NewTiered(ratelimit.PerHour(10), 90, pool))
		for range 2 {
			group.Go(func() {
				for range 200 {
					if p.AllowAt(t0, 1) {
						passed.Add(1)
					}
					p.Take(0)
					p.Peek()
				}
			})
		}
	}
	group.Wait()
	assert.GreaterOrEqual(t, passed.Load(), int64(100))
	assert.LessOrEqual(t, passed.Load(), int64(140), "the pool's, and what is allocated")
	p := must(ratelimit.NewTiered(ratelimit.PerSecond(10), 20, pool))
	testkit.NoAllocs(t, "Tiered", func() { p.Allow(); p.Take(3); p.Peek() })
}
