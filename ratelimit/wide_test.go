package ratelimit_test

import (
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/distkit/distkit/ratelimit"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A sliding window that does not fit a word decides as one that does.
func TestWideSlidingWindow(t *testing.T) {
	rnd := rand.New(rand.NewPCG(81, 82))
	for range 10 {
		l := ratelimit.Limit{Events: 1000 + rnd.Int64N(1000), Period: time.Duration(1e5 + rnd.Int64N(1e5))}
		history(t, rnd, l, ratelimit.SlidingWindow, 300)
	}
	_, err := ratelimit.NewKeyed(ratelimit.PerSecond(32_767), ratelimit.WithAlgorithm(ratelimit.SlidingWindow))
	require.NoError(t, err, "the most that fit")
	_, err = ratelimit.NewKeyed(ratelimit.PerSecond(32_768), ratelimit.WithAlgorithm(ratelimit.SlidingWindow))
	require.ErrorIs(t, err, ratelimit.ErrInvalidLimit)
	_, err = ratelimit.NewKeyed(ratelimit.PerSecond(1<<20), ratelimit.WithAlgorithm(ratelimit.SlidingWindow))
	assert.EqualError(t, err, "ratelimit: invalid limit: events of 1048576/s is 1048576, want at most as many as fit a word with those of the window before")
}

// A limit may outgrow the word and come back.
func TestWideSetLimit(t *testing.T) {
	limiter := must(ratelimit.New(ratelimit.PerSecond(10_000), ratelimit.WithAlgorithm(ratelimit.SlidingWindow)))
	require.True(t, limiter.AllowAt(t0, 8000))
	now := t0.Add(1500 * time.Millisecond)
	require.True(t, limiter.AllowAt(now, 1000)) // and 4,000 of the second before
	for _, events := range []int64{1_000_000, 2_000_000, 10_000, 1_000_000, 9_000} {
		require.NoError(t, limiter.SetLimitAt(now, ratelimit.PerSecond(events)))
		assert.Equal(t, events-5000, limiter.PeekAt(now).Remaining)
	}
	require.NoError(t, limiter.SetLimitAt(now, ratelimit.PerSecond(1_000_000)))
	r := limiter.ReserveAt(now, 500_000)
	require.True(t, r.OK())
	r.CancelAt(now)
	r.CancelAt(now)
	assert.EqualValues(t, 995_000, limiter.PeekAt(now).Remaining)
	late := limiter.ReserveAt(now, 1)
	limiter.Reset()
	late.CancelAt(now)
	assert.EqualValues(t, 1_000_000, limiter.PeekAt(now).Remaining)
	require.True(t, limiter.AllowAt(now, 1_000_000))
	assert.EqualValues(t, 500_000, limiter.PeekAt(now.Add(time.Second)).Remaining)
}

func TestWideConcurrent(t *testing.T) {
	limiter := must(ratelimit.New(ratelimit.PerSecond(1_000_000), ratelimit.WithAlgorithm(ratelimit.SlidingWindow)))
	require.True(t, limiter.AllowAt(t0, 999_000))
	var passed atomic.Int64
	var group sync.WaitGroup
	for g := range 4 {
		group.Go(func() {
			for i := range 500 {
				if limiter.AllowAt(t0, 1) {
					passed.Add(1)
				}
				r := limiter.ReserveAt(t0, 2000)
				r.CancelAt(t0)
				if g == 0 && i%50 == 0 {
					if err := limiter.SetLimitAt(t0, ratelimit.PerSecond(1_000_000)); err != nil {
						panic(err)
					}
				}
			}
		})
	}
	group.Wait()
	assert.EqualValues(t, 1000, passed.Load())
}
