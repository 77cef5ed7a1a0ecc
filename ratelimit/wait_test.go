package ratelimit_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/distkit/distkit/ratelimit"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func elapsed(f func()) time.Duration {
	start := time.Now()
	f()
	return time.Since(start)
}

// In virtual time a wait is as long as it should be, to two nanoseconds.
func TestWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := t.Context()
		limiter := must(ratelimit.New(ratelimit.PerSecond(3).WithBurst(2)))
		third := time.Second / 3
		for i, want := range []time.Duration{0, 0, third, third, third} {
			assert.InDelta(t, want, elapsed(func() { require.NoError(t, limiter.Wait(ctx)) }), 2, "wait %d", i)
		}
		assert.InDelta(t, 2*third, elapsed(func() { require.NoError(t, limiter.WaitN(ctx, 2)) }), 2)
		assert.Zero(t, elapsed(func() { require.NoError(t, limiter.WaitN(ctx, 0)) }))
		time.Sleep(time.Hour)
		start := time.Now()
		for range 300 {
			require.NoError(t, limiter.Wait(ctx))
		}
		assert.InDelta(t, 298*third, time.Since(start), 300, "no drift: every wait may end 2 ns early, and the next makes it good")
	})
}

func TestWaitErrors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		limiter := must(ratelimit.New(ratelimit.PerSecond(1).WithBurst(3)))
		require.NoError(t, limiter.WaitN(t.Context(), 3))
		err := limiter.WaitN(t.Context(), 4)
		assert.ErrorIs(t, err, ratelimit.ErrExceedsBurst)
		assert.EqualError(t, err, "ratelimit: exceeds burst: 4 events, want at most 3")
		assert.EqualError(t, limiter.WaitN(t.Context(), -1), "ratelimit: events to wait for is -1, want at least 0")

		ctx, cancel := context.WithTimeout(t.Context(), 1500*time.Millisecond)
		defer cancel()
		var long error
		assert.Zero(t, elapsed(func() { long = limiter.WaitN(ctx, 2) }), "it does not wait in vain")
		assert.ErrorIs(t, long, ratelimit.ErrWaitTooLong)
		assert.EqualError(t, long, "ratelimit: would wait beyond the deadline, which is in 1.5s")
		require.NoError(t, limiter.Wait(ctx), "and has charged nothing")
		time.Sleep(time.Second)
		assert.ErrorIs(t, limiter.Wait(ctx), context.DeadlineExceeded)

		slow := must(ratelimit.New(ratelimit.Limit{Events: 1, Period: 120 * 365 * 24 * time.Hour}))
		require.NoError(t, slow.Wait(t.Context()))
		assert.EqualError(t, slow.Wait(t.Context()), "ratelimit: would wait beyond the deadline, decades ahead")
	})
}

// Who gives up gives back what was reserved.
func TestWaitCanceled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		limiter := must(ratelimit.New(ratelimit.PerSecond(1)))
		require.True(t, limiter.Allow())
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(300*time.Millisecond, cancel)
		took := elapsed(func() { assert.ErrorIs(t, limiter.Wait(ctx), context.Canceled) })
		assert.Equal(t, 300*time.Millisecond, took)
		assert.InDelta(t, 700*time.Millisecond, elapsed(func() { require.NoError(t, limiter.Wait(t.Context())) }), 2)
	})
}

// A window promises nothing, so a wait tries again when it may pass.
func TestWaitInWindows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // begins at midnight
		fixed := must(ratelimit.New(ratelimit.PerMinute(2), ratelimit.WithAlgorithm(ratelimit.FixedWindow)))
		time.Sleep(10 * time.Second)
		start := time.Now()
		for range 5 {
			require.NoError(t, fixed.Wait(t.Context()))
		}
		assert.Equal(t, 110*time.Second, time.Since(start))

		sliding := must(ratelimit.New(ratelimit.PerMinute(100), ratelimit.WithAlgorithm(ratelimit.SlidingWindow)))
		require.NoError(t, sliding.WaitN(t.Context(), 100)) // at 2:00
		// From 3:00 on those fade: one may pass after 0.6 s.
		assert.Equal(t, time.Minute+600*time.Millisecond, elapsed(func() { require.NoError(t, sliding.Wait(t.Context())) }))

		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		assert.ErrorIs(t, sliding.WaitN(ctx, 100), ratelimit.ErrWaitTooLong)
		assert.ErrorIs(t, sliding.WaitN(ctx, 101), ratelimit.ErrExceedsBurst)
		cancel()
		assert.ErrorIs(t, sliding.WaitN(ctx, 1), context.Canceled)
		ctx, cancel = context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		assert.ErrorIs(t, sliding.WaitN(ctx, 100), context.Canceled)
	})
}

// A limit that falls below what somebody waits for ends the wait.
func TestWaitForLoweredLimit(t *testing.T) {
	for _, a := range []ratelimit.Algorithm{ratelimit.FixedWindow, ratelimit.SlidingWindow} {
		synctest.Test(t, func(t *testing.T) {
			limiter := must(ratelimit.New(ratelimit.PerMinute(5), ratelimit.WithAlgorithm(a)))
			require.True(t, limiter.AllowN(5))
			time.AfterFunc(time.Second, func() { assert.NoError(t, limiter.SetLimit(ratelimit.PerMinute(3))) })
			assert.EqualError(t, limiter.WaitN(t.Context(), 5), "ratelimit: exceeds burst: 5 events, want at most 3")
		})
	}
}
