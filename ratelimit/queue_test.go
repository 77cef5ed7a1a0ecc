package ratelimit_test

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/distkit/distkit/ratelimit"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Departures are Period/Events apart, in order of arrival, without drift.
func TestQueueDepartures(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := must(ratelimit.NewQueue(ratelimit.PerSecond(3), 1000))
		start := time.Now()
		left := make(chan int, 1000)
		for i := range 1000 {
			go func() {
				if q.Wait(t.Context()) == nil {
					left <- i
				}
			}()
			synctest.Wait()
		}
		assert.Equal(t, 999, q.Len())
		for i := range 1000 {
			require.Equal(t, i, <-left)
			require.InDelta(t, time.Duration(i)*time.Second/3, time.Since(start), 2, "departure %d", i)
		}
		assert.Zero(t, q.Len())

		// After a pause the first passes at once, and nothing was saved.
		time.Sleep(time.Hour)
		for i := range 4 {
			took := elapsed(func() { require.NoError(t, q.Wait(t.Context())) })
			assert.InDelta(t, time.Duration(min(1, i))*time.Second/3, took, 2)
		}
	})
}

func TestQueueFull(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := must(ratelimit.NewQueue(ratelimit.PerSecond(1), 2))
		require.NoError(t, q.Wait(t.Context()))
		for range 2 {
			go func() { assert.NoError(t, q.Wait(t.Context())) }()
		}
		synctest.Wait()
		var err error
		assert.Zero(t, elapsed(func() { err = q.Wait(t.Context()) }))
		assert.ErrorIs(t, err, ratelimit.ErrQueueFull)
		assert.EqualError(t, err, "ratelimit: queue is full: 2 wait, want less than 2")
		time.Sleep(1500 * time.Millisecond)
		assert.Equal(t, 1, q.Len())
		assert.InDelta(t, 1500*time.Millisecond, elapsed(func() { assert.NoError(t, q.Wait(t.Context())) }), 2)

		strict := must(ratelimit.NewQueue(ratelimit.PerSecond(1), 0))
		require.NoError(t, strict.Wait(t.Context()))
		assert.ErrorIs(t, strict.Wait(t.Context()), ratelimit.ErrQueueFull)
		time.Sleep(time.Second)
		assert.NoError(t, strict.Wait(t.Context()))
	})
}

// Who gives up frees its place, and those behind move up.
func TestQueueCancel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := must(ratelimit.NewQueue(ratelimit.PerSecond(1), 4))
		start := time.Now()
		require.NoError(t, q.Wait(t.Context()))
		left := make(chan int, 4)
		var cancels []context.CancelFunc
		for i := range 4 {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			cancels = append(cancels, cancel)
			go func() {
				if err := q.Wait(ctx); err == nil {
					left <- i
				} else {
					assert.ErrorIs(t, err, context.Canceled)
				}
			}()
			synctest.Wait()
		}
		cancels[0]() // the first
		cancels[2]() // one in the middle
		synctest.Wait()
		assert.Equal(t, 2, q.Len())
		assert.Equal(t, 1, <-left)
		assert.InDelta(t, time.Second, time.Since(start), 2, "it moved up to the first's turn")
		cancels[3]() // the last
		synctest.Wait()
		assert.Zero(t, q.Len())

		// Nobody waits any more: the next turn is due a second after the last.
		assert.InDelta(t, time.Second, elapsed(func() { assert.NoError(t, q.Wait(t.Context())) }), 2)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		time.Sleep(time.Minute)
		assert.ErrorIs(t, q.Wait(ctx), context.Canceled, "and takes no turn")
		assert.Zero(t, elapsed(func() { assert.NoError(t, q.Wait(t.Context())) }))
	})
}

// When timers are late, no more than one departure is caught up on.
func TestQueueLateTimers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var late atomic.Int64 // by how much the clock runs ahead of the timers
		start := time.Now()
		q := must(ratelimit.NewQueue(ratelimit.PerSecond(1), 10, ratelimit.WithClock(func() time.Duration { return time.Since(start) + time.Duration(late.Load()) })))
		left := make(chan time.Duration, 10)
		for range 5 {
			go func() {
				if q.Wait(t.Context()) == nil {
					left <- time.Since(start)
				}
			}()
			synctest.Wait()
		}
		assert.Zero(t, <-left)
		late.Store(int64(time.Hour))
		for _, want := range []time.Duration{1, 1, 2, 3} {
			assert.InDelta(t, want*time.Second, <-left, 4)
		}
	})
}

func TestQueueErrors(t *testing.T) {
	_, err := ratelimit.NewQueue(ratelimit.Limit{}, 1)
	assert.ErrorIs(t, err, ratelimit.ErrInvalidLimit)
	_, err = ratelimit.NewQueue(ratelimit.PerSecond(1), -1)
	assert.EqualError(t, err, "ratelimit: capacity is -1, want at least 0")
	_, err = ratelimit.NewQueue(ratelimit.PerSecond(2e9), 1)
	assert.EqualError(t, err, "ratelimit: invalid limit: events is 2000000000, want at most one a nanosecond from a queue, 1000000000")
	_, err = ratelimit.NewQueue(ratelimit.Unlimited, 1)
	assert.ErrorIs(t, err, ratelimit.ErrInvalidLimit)
	_, err = ratelimit.NewQueue(ratelimit.PerSecond(1), 1, ratelimit.WithSecret([16]byte{}))
	assert.EqualError(t, err, "ratelimit: WithSecret does not apply to NewQueue")
	var zero ratelimit.Queue
	assert.Zero(t, zero.Len())
	assert.PanicsWithValue(t, "ratelimit: a zero Queue has no rate; make one with NewQueue", func() { _ = zero.Wait(t.Context()) })
}
