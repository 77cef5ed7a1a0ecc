package ratelimit_test

import (
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/distkit/distkit/ratelimit"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestReserve(t *testing.T) {
	limiter := must(ratelimit.New(ratelimit.PerSecond(2)))
	for i, want := range []time.Duration{0, 0, 500, 1000, 1500} {
		r := limiter.ReserveAt(t0, 1)
		require.True(t, r.OK())
		assert.InDelta(t, want*time.Millisecond, r.DelayFrom(t0), 2, "reservation %d", i)
		assert.Zero(t, r.DelayFrom(t0.Add(time.Hour)))
	}
	assert.False(t, limiter.AllowAt(t0.Add(1500*time.Millisecond), 1), "what is reserved is spent")
	assert.False(t, limiter.ReserveAt(t0, 3).OK(), "more than the burst")

	slow := must(ratelimit.New(ratelimit.Limit{Events: 1, Period: 20 * 365 * 24 * time.Hour, Burst: 1}))
	assert.True(t, slow.ReserveAt(t0, 1).OK())
	assert.True(t, slow.ReserveAt(t0, 1).OK())
	r := slow.ReserveAt(t0, 1)
	assert.False(t, r.OK(), "due in forty years")
	assert.Equal(t, ratelimit.InfDuration, r.DelayFrom(t0))
}

func TestCancel(t *testing.T) {
	limiter := must(ratelimit.New(ratelimit.PerSecond(10).WithBurst(5)))
	first := limiter.ReserveAt(t0, 5)
	require.Zero(t, first.DelayFrom(t0))
	last := limiter.ReserveAt(t0, 3)
	assert.InDelta(t, 300*time.Millisecond, last.DelayFrom(t0), 2)

	// The last one gives everything back, once.
	for range 4 {
		last.CancelAt(t0.Add(100 * time.Millisecond))
		assert.EqualValues(t, 1, limiter.PeekAt(t0.Add(100*time.Millisecond)).Remaining)
	}
	// One that may have been used gives nothing back.
	first.CancelAt(t0.Add(time.Millisecond))
	assert.EqualValues(t, 1, limiter.PeekAt(t0.Add(100*time.Millisecond)).Remaining)

	// One in the middle gives back what nobody behind it waits for.
	limiter = must(ratelimit.New(ratelimit.PerSecond(10).WithBurst(5)))
	require.True(t, limiter.AllowAt(t0, 5))
	middle := limiter.ReserveAt(t0, 3) // at 300 ms
	behind := limiter.ReserveAt(t0, 2) // at 500 ms
	middle.CancelAt(t0)
	assert.InDelta(t, 500*time.Millisecond, behind.DelayFrom(t0), 2, "a promise is kept")
	next := limiter.ReserveAt(t0, 1)
	assert.InDelta(t, 500*time.Millisecond, next.DelayFrom(t0), 2, "one of three came back")
}

// A Cancel after a Reset would give back what was forgiven.
func TestCancelAfterReset(t *testing.T) {
	limiter := must(ratelimit.New(ratelimit.PerSecond(10)))
	require.True(t, limiter.AllowAt(t0, 10))
	r := limiter.ReserveAt(t0, 10)
	limiter.Reset()
	require.True(t, limiter.AllowAt(t0, 10))
	r.CancelAt(t0)
	assert.Zero(t, limiter.PeekAt(t0).Remaining)
	assert.False(t, limiter.AllowAt(t0, 1))
}

// A window promises nothing: what passes now is OK, and can be given back at once.
func TestReserveInWindows(t *testing.T) {
	for _, a := range []ratelimit.Algorithm{ratelimit.FixedWindow, ratelimit.SlidingWindow} {
		limiter := must(ratelimit.New(ratelimit.PerSecond(3), ratelimit.WithAlgorithm(a)))
		r := limiter.ReserveAt(t0, 2)
		assert.True(t, r.OK())
		assert.Zero(t, r.DelayFrom(t0))
		assert.False(t, limiter.ReserveAt(t0, 2).OK())
		r.CancelAt(t0)
		r.CancelAt(t0)
		assert.EqualValues(t, 3, limiter.PeekAt(t0).Remaining)
		r = limiter.ReserveAt(t0, 2)
		r.CancelAt(t0.Add(1))
		assert.EqualValues(t, 1, limiter.PeekAt(t0).Remaining, "the events may have passed")
		r = limiter.ReserveAt(t0, 1)
		require.True(t, limiter.AllowAt(t0.Add(5*time.Second), 1))
		r.CancelAt(t0)
		assert.EqualValues(t, 2, limiter.PeekAt(t0.Add(5*time.Second)).Remaining, "its window is gone")
	}
}

// Random reservations, canceled or kept: those that were kept respect the bound,
// at the instants for which they were promised.
func TestReservationsRespectTheBound(t *testing.T) {
	rnd := rand.New(rand.NewPCG(11, 12))
	for range 200 {
		l := smallLimit(rnd)
		limiter := must(ratelimit.New(l))
		type event struct{ at, n int64 }
		var kept []event
		now, mean := int64(0), int64(l.Period)/l.Events+1
		for range 60 {
			at, n := t0.Add(time.Duration(now)), 1+rnd.Int64N(l.Burst)>>rnd.IntN(6)
			r := limiter.ReserveAt(at, n)
			require.True(t, r.OK())
			if delay := r.DelayFrom(at); rnd.IntN(2) == 0 && delay > 0 {
				r.CancelAt(at.Add(time.Duration(rnd.Int64N(int64(delay)))))
			} else {
				kept = append(kept, event{now + int64(delay), n})
			}
			now += rnd.Int64N(6 * mean)
		}
		for i, from := range kept {
			var sum int64
			for _, to := range kept[i:] {
				if sum += to.n; to.at < from.at {
					continue
				}
				if (sum-l.Burst)*int64(l.Period) > l.Events*(to.at-from.at+1) {
					t.Fatalf("%v: %d in %d ns", l, sum, to.at-from.at)
				}
			}
		}
	}
}

// What a token bucket has left, it keeps, up to the new burst; debt stays debt.
func TestSetLimit(t *testing.T) {
	limiter := must(ratelimit.New(ratelimit.PerSecond(10)))
	require.True(t, limiter.AllowAt(t0, 4))
	require.NoError(t, limiter.SetLimitAt(t0, ratelimit.PerMinute(7).WithBurst(100)))
	assert.EqualValues(t, 6, limiter.PeekAt(t0).Remaining)
	assert.Equal(t, ratelimit.PerMinute(7).WithBurst(100), limiter.Limit())
	assert.EqualValues(t, 13, limiter.PeekAt(t0.Add(time.Minute)).Remaining)

	require.NoError(t, limiter.SetLimitAt(t0, ratelimit.PerSecond(3).WithBurst(2)))
	assert.EqualValues(t, 2, limiter.PeekAt(t0).Remaining)
	require.True(t, limiter.AllowAt(t0, 2))
	r := limiter.ReserveAt(t0, 1)
	require.True(t, r.OK())
	require.NoError(t, limiter.SetLimitAt(t0, ratelimit.PerHour(1).WithBurst(5)))
	assert.InDelta(t, 2*time.Hour, limiter.PeekAt(t0).RetryAfter, 2, "a token of debt and one to have")
	r.CancelAt(t0)
	assert.InDelta(t, 2*time.Hour, limiter.PeekAt(t0).RetryAfter, float64(time.Second), "its turn is a third of a second away, but the debt is now an hour")

	require.NoError(t, limiter.SetLimitAt(t0, ratelimit.Limit{Events: 5e9, Period: time.Second, Burst: 1 << 40}))
	assert.Zero(t, limiter.PeekAt(t0).Remaining, "to a coarse unit")
	require.NoError(t, limiter.SetLimitAt(t0, ratelimit.PerSecond(1)))
	assert.Zero(t, limiter.PeekAt(t0).Remaining, "and back")

	before := limiter.PeekAt(t0)
	assert.ErrorIs(t, limiter.SetLimitAt(t0, ratelimit.Limit{}), ratelimit.ErrInvalidLimit)
	assert.Equal(t, before, limiter.PeekAt(t0))
	assert.Equal(t, ratelimit.PerSecond(1), limiter.Limit())
}

func TestSetLimitOfWindows(t *testing.T) {
	limiter := must(ratelimit.New(ratelimit.PerMinute(10), ratelimit.WithAlgorithm(ratelimit.SlidingWindow)))
	require.True(t, limiter.AllowAt(t0, 8))
	now := t0.Add(75 * time.Second)
	require.True(t, limiter.AllowAt(now, 3))
	require.NoError(t, limiter.SetLimitAt(now, ratelimit.PerMinute(12)))
	assert.EqualValues(t, 3, limiter.PeekAt(now).Remaining, "12 - 3 - 6")
	require.NoError(t, limiter.SetLimitAt(now, ratelimit.PerMinute(5)))
	assert.EqualValues(t, 0, limiter.PeekAt(now).Remaining, "the counts are capped at 5")
	require.NoError(t, limiter.SetLimitAt(now, ratelimit.PerHour(20)))
	assert.EqualValues(t, 15, limiter.PeekAt(now).Remaining, "what still counts, counts in the new window")

	fixed := must(ratelimit.New(ratelimit.PerMinute(10), ratelimit.WithAlgorithm(ratelimit.FixedWindow)))
	require.True(t, fixed.AllowAt(t0, 8))
	require.NoError(t, fixed.SetLimitAt(t0, ratelimit.PerMinute(9)))
	assert.EqualValues(t, 1, fixed.PeekAt(t0).Remaining)
	assert.ErrorIs(t, fixed.SetLimitAt(t0, ratelimit.PerMinute(9).WithBurst(4)), ratelimit.ErrInvalidLimit)
}

// Whatever the units, conversion never gives a token away.
func TestSetLimitNeverForgives(t *testing.T) {
	rnd := rand.New(rand.NewPCG(13, 14))
	for range 3000 {
		a, b := randomLimit(rnd), randomLimit(rnd)
		limiter := must(ratelimit.New(a))
		limiter.TakeUpToAt(t0, 1+rnd.Int64N(a.Burst))
		if rnd.IntN(2) == 0 {
			limiter.ReserveAt(t0, 1+rnd.Int64N(a.Burst))
		}
		left := limiter.PeekAt(t0).Remaining
		require.NoError(t, limiter.SetLimitAt(t0, b))
		require.LessOrEqual(t, limiter.PeekAt(t0).Remaining, min(left, b.Burst), "%v to %v", a, b)
	}
}

// Limits that change while eight goroutines take forgive nothing.
func TestSetLimitRace(t *testing.T) {
	limiter := must(ratelimit.New(ratelimit.PerHour(1).WithBurst(1000)))
	done := make(chan struct{})
	var change, take sync.WaitGroup
	change.Go(func() {
		for i := 0; ; i++ {
			select {
			case <-done:
				return
			default:
			}
			if err := limiter.SetLimitAt(t0, ratelimit.PerHour(1+int64(i%3)).WithBurst(1000)); err != nil {
				panic(err)
			}
		}
	})
	var passed [8]int
	for i := range passed {
		take.Go(func() {
			for range 2000 {
				if limiter.AllowAt(t0, 1) {
					passed[i]++
				}
				limiter.PeekAt(t0)
				r := limiter.ReserveAt(t0, 1001)
				r.CancelAt(t0)
			}
		})
	}
	take.Wait()
	close(done)
	change.Wait()
	total := 0
	for _, n := range passed {
		total += n
	}
	assert.LessOrEqual(t, total, 1000)
	assert.Greater(t, total, 900, "a conversion rounds down by less than a token")
}
