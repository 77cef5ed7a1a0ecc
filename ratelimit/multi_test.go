package ratelimit_test

import (
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

// limitersTwin takes from several limiters, all or nothing, by peeking first.
type limitersTwin []*ratelimit.Limiter

func (m limitersTwin) take(now time.Time, n int64) (want ratelimit.Result) {
	refused := false
	for i, l := range m {
		if r := l.PeekAt(now); n > 0 && r.Remaining < n {
			res := l.TakeAt(now, n) // refused, so nothing is charged
			if !refused || res.RetryAfter > want.RetryAfter {
				want = res
				want.Index = i
			}
			refused = true
		}
	}
	for i, l := range m {
		if refused {
			break
		}
		if r := l.TakeAt(now, n); i == 0 || r.Remaining < want.Remaining {
			want = r
			want.Index = i
		}
	}
	return want
}

// Both Multi and a key of several limits answer as limiters that are asked one by
// one, which nothing disturbs between the question and the charge.
func TestMultiAgainstTwin(t *testing.T) {
	rnd := rand.New(rand.NewPCG(41, 42))
	for range 20 {
		var limits []ratelimit.Limit
		var twin limitersTwin
		for range 1 + rnd.IntN(4) {
			l := smallLimit(rnd)
			limits = append(limits, l)
			twin = append(twin, must(ratelimit.New(l)))
		}
		m, k := must(ratelimit.NewMulti(limits)), must(ratelimit.NewKeyedMulti(limits))
		require.Equal(t, limits, m.Limits())
		require.Equal(t, limits, k.Limits())
		key, now := k.KeyString("a"), t0
		for range 300 {
			n := rnd.Int64N(70) >> rnd.IntN(6)
			want := twin.take(now, n)
			require.Equal(t, want, m.TakeAt(now, n))
			require.Equal(t, want, key.TakeAt(now, n))
			require.Equal(t, m.PeekAt(now), key.PeekAt(now))
			require.Equal(t, want.Allowed, n == 0 || want.RetryAfter == 0)
			if !want.Allowed && want.RetryAfter < ratelimit.InfDuration && rnd.IntN(3) == 0 {
				now = now.Add(want.RetryAfter)
			}
			now = now.Add(time.Duration(rnd.Int64N(1+int64(limits[0].Period)/limits[0].Events)) - 100)
		}
		check(t, k)
	}
}

func TestMultiMethods(t *testing.T) {
	var reading time.Duration
	m := must(ratelimit.NewMulti([]ratelimit.Limit{ratelimit.PerSecond(2), ratelimit.PerDay(5)}, ratelimit.WithClock(func() time.Duration { return reading })))
	assert.True(t, m.Allow())
	assert.True(t, m.AllowN(1))
	assert.False(t, m.AllowAt(time.Now(), 2))
	r := m.Take(1)
	assert.Equal(t, 0, r.Index)
	assert.InDelta(t, time.Second/2, r.RetryAfter, 2)
	reading += time.Minute
	assert.True(t, m.AllowN(2))
	assert.Equal(t, ratelimit.InfDuration, m.Take(6).RetryAfter)
	reading += time.Minute
	r = m.Take(2)
	assert.Equal(t, 1, r.Index, "the day's")
	assert.EqualValues(t, 1, r.Remaining)
	assert.EqualValues(t, 1, m.Peek().Remaining)
	assert.True(t, m.AllowN(0))
	m.Reset()
	assert.True(t, m.AllowN(2))
	testkit.NoAllocs(t, "Multi", func() { m.Take(1); m.Allow(); m.Peek() })

	_, err := ratelimit.NewMulti(nil)
	assert.EqualError(t, err, "ratelimit: number of limits is 0, want 1 to 16")
	_, err = ratelimit.NewMulti(make([]ratelimit.Limit, 17))
	assert.EqualError(t, err, "ratelimit: number of limits is 17, want 1 to 16")
	_, err = ratelimit.NewMulti([]ratelimit.Limit{ratelimit.PerSecond(2), {}})
	assert.EqualError(t, err, "ratelimit: invalid limit: it is zero, want events and a period (limit 2 of 2)")
	_, err = ratelimit.NewMulti([]ratelimit.Limit{ratelimit.PerSecond(2)}, ratelimit.WithAlgorithm(ratelimit.FixedWindow))
	assert.EqualError(t, err, "ratelimit: WithAlgorithm does not apply to NewMulti")

	var zero ratelimit.Multi
	assert.Zero(t, zero.Peek())
	assert.Zero(t, zero.PeekAt(t0))
	assert.Empty(t, zero.Limits())
	for _, f := range []func(){func() { zero.Allow() }, func() { zero.Take(1) }, zero.Reset} {
		assert.PanicsWithValue(t, "ratelimit: a zero Multi has no limits; make one with NewMulti", f)
	}
}

func TestMultiConcurrent(t *testing.T) {
	for range 30 {
		m := must(ratelimit.NewMulti([]ratelimit.Limit{ratelimit.PerHour(70), ratelimit.PerDay(50)}))
		var passed atomic.Int64
		var group sync.WaitGroup
		for range 8 {
			group.Go(func() {
				for range 20 {
					if m.AllowAt(t0, 1) {
						passed.Add(1)
					}
				}
			})
		}
		group.Wait()
		require.EqualValues(t, 50, passed.Load())
		require.Zero(t, m.PeekAt(t0).Remaining)
	}
}

// As much as all limits have, by a key of several.
func TestTakeUpToOfSeveral(t *testing.T) {
	k := must(ratelimit.NewKeyedMulti([]ratelimit.Limit{ratelimit.PerSecond(5), ratelimit.PerDay(7)}))
	key := k.KeyString("a")
	granted, r := key.TakeUpToAt(t0, 100)
	assert.EqualValues(t, 5, granted)
	assert.True(t, r.Allowed)
	granted, r = key.TakeUpToAt(t0, 1)
	assert.Zero(t, granted)
	assert.False(t, r.Allowed)
	granted, r = key.TakeUpToAt(t0.Add(time.Second), 100)
	assert.EqualValues(t, 2, granted)
	assert.Equal(t, 1, r.Index)
	granted, r = key.TakeUpToAt(t0.Add(2*time.Second), 100)
	assert.Zero(t, granted)
	assert.Equal(t, 1, r.Index)
	assert.InDelta(t, 24*time.Hour/7-2*time.Second, r.RetryAfter, 2)

	// A place is taken over with the words of all limits.
	for i := range 2000 {
		k.KeyHash(uint64(i)).AllowAt(t0.Add(time.Duration(i)*time.Hour), 1)
	}
	assert.Greater(t, k.Stats().Reclaimed, uint64(1000))
	assert.Less(t, k.Len(), 100)
	check(t, k)
}
