package redislimit_test

import (
	"context"
	"errors"
	"math"
	"testing"
	"time"

	"github.com/distkit/distkit/ratelimit"
	"github.com/distkit/distkit/ratelimit/redislimit"
	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestBadInput(t *testing.T) {
	c, _ := connect(t)
	limit := ratelimit.PerSecond(10)
	for want, make := range map[string]func() (*redislimit.Limiter, error){
		"client is nil, want a redis.Scripter": func() (*redislimit.Limiter, error) { return redislimit.New(nil, limit) },
		"limit: it is zero, want events":       func() (*redislimit.Limiter, error) { return redislimit.New(c, ratelimit.Limit{}) },
		"number of limits is 0, want 1 to 16":  func() (*redislimit.Limiter, error) { return redislimit.NewMulti(c, nil) },
		"fills within 71 years (limit 2 of 2)": func() (*redislimit.Limiter, error) {
			return redislimit.NewMulti(c, []ratelimit.Limit{limit, ratelimit.PerDay(1).WithBurst(30_000)})
		},
		"events of": func() (*redislimit.Limiter, error) { return redislimit.New(c, ratelimit.PerSecond(1<<52)) },
		"denominator of at most 2^51": func() (*redislimit.Limiter, error) {
			return redislimit.New(c, ratelimit.Limit{Events: 1<<50 - 1, Period: 24*time.Hour - 1, Burst: 1 << 40})
		},
		"option 1 is nil":                    func() (*redislimit.Limiter, error) { return redislimit.New(c, limit, redislimit.WithFailOpen(), nil) },
		"WithFailOpen and WithFallback":      with(c, redislimit.WithFailOpen(), redislimit.WithFallback(0.5)),
		"share of the fallback is 0,":        with(c, redislimit.WithFallback(0)),
		"share of the fallback is 1.1,":      with(c, redislimit.WithFallback(1.1)),
		"share of the fallback is NaN,":      with(c, redislimit.WithFallback(math.NaN())),
		"share of the fallback is 1e-300,":   with(c, redislimit.WithFallback(1e-300)),
		"error handler is nil":               with(c, redislimit.WithFailOpen(), redislimit.WithErrorHandler(nil)),
		"WithErrorHandler does not apply":    with(c, redislimit.WithErrorHandler(func(error) {})),
		"timeout is 999µs, want":             with(c, redislimit.WithTimeout(999*time.Microsecond)),
		"events of a lease is 0, want":       with(c, redislimit.WithLease(0, time.Second)),
		"events of a lease is 11, want at m": with(c, redislimit.WithLease(11, time.Second)),
		"to live of a lease is 0s, want":     with(c, redislimit.WithLease(1, 0)),
		`prefix is "{", want no {`:           with(c, redislimit.WithPrefix("{")),
	} {
		l, err := make()
		assert.ErrorContains(t, err, want)
		assert.Nil(t, l)
	}
	_, err := redislimit.New(c, ratelimit.Limit{Events: -1, Period: 1})
	assert.ErrorIs(t, err, ratelimit.ErrInvalidLimit)
}

func with(c redis.Scripter, opts ...redislimit.Option) func() (*redislimit.Limiter, error) {
	return func() (*redislimit.Limiter, error) { return redislimit.New(c, ratelimit.PerSecond(10), opts...) }
}

// n may come from a stranger: 0 passes, less and more than the burst never do, and
// none of them is charged.
func TestEventsOfStrangers(t *testing.T) {
	c, prefix := connect(t)
	l := newLimiter(t, c, ratelimit.PerHour(2), redislimit.WithPrefix(prefix))
	for _, n := range []int64{math.MinInt64, -1, 3, math.MaxInt64} {
		r := must[ratelimit.Result](t)(l.Decide(ctx, "alice", n))
		assert.Equal(t, ratelimit.Result{Limit: 2, Remaining: 2, RetryAfter: ratelimit.InfDuration}, r, "%d", n)
	}
	assert.Zero(t, c.Exists(ctx, prefix+"alice").Val())
	assert.True(t, must[ratelimit.Result](t)(l.Decide(ctx, "alice", 2)).Allowed)
	assert.True(t, must[ratelimit.Result](t)(l.Decide(ctx, "alice", 0)).Allowed)
	assert.False(t, must[ratelimit.Result](t)(l.Decide(ctx, "alice", 1)).Allowed)
	assert.True(t, must[ratelimit.Result](t)(l.Decide(ctx, "alice", 0)).Allowed)
}

// What is unlimited costs no trip, alone or beside a limit.
func TestUnlimited(t *testing.T) {
	c, prefix := connect(t)
	l := newLimiter(t, c, ratelimit.Unlimited, redislimit.WithPrefix(prefix))
	twin := must[*ratelimit.Keyed](t)(ratelimit.NewKeyed(ratelimit.Unlimited))
	for _, n := range []int64{-1, 0, 1, math.MaxInt64} {
		assert.Equal(t, twin.TakeString("alice", n), must[ratelimit.Result](t)(l.Decide(ctx, "alice", n)))
	}
	assert.NoError(t, l.Reset(ctx, "alice"))
	assert.Zero(t, c.Exists(ctx, prefix+"alice").Val())

	both := must[*redislimit.Limiter](t)(redislimit.NewMulti(c, []ratelimit.Limit{ratelimit.Unlimited, ratelimit.PerHour(2)}, redislimit.WithPrefix(prefix)))
	assert.Equal(t, []ratelimit.Limit{ratelimit.Unlimited, ratelimit.PerHour(2)}, both.Limits())
	r := must[ratelimit.Result](t)(both.Decide(ctx, "bob", 2))
	assert.True(t, r.Allowed)
	assert.Equal(t, 1, r.Index)
}

// Queries of a zero Limiter answer nothing; what decides has no limit to decide by.
func TestZeroLimiter(t *testing.T) {
	var l redislimit.Limiter
	assert.Nil(t, l.Limits())
	assert.Zero(t, l.Stats())
	assert.NoError(t, l.Close())
	const text = "redislimit: a zero Limiter has no limit; make one with New"
	assert.PanicsWithValue(t, text, func() { _, _ = l.Decide(ctx, "alice", 1) })
	assert.PanicsWithValue(t, text, func() { _, _ = l.DecideBatch(ctx, nil) })
	assert.PanicsWithValue(t, text, func() { _ = l.Reset(ctx, "alice") })
}

func TestClosedAndCanceled(t *testing.T) {
	c, prefix := connect(t)
	l := newLimiter(t, c, ratelimit.PerHour(2), redislimit.WithPrefix(prefix), redislimit.WithFailOpen())
	left, cancel := context.WithCancelCause(ctx)
	reason := errors.New("left")
	cancel(reason)
	_, err := l.Decide(left, "alice", 1)
	assert.ErrorIs(t, err, reason)
	_, err = l.DecideBatch(left, []redislimit.Request{{Key: "alice", N: 1}})
	assert.ErrorIs(t, err, reason)
	assert.ErrorIs(t, l.Reset(left, "alice"), reason)
	assert.Zero(t, c.Exists(ctx, prefix+"alice").Val())

	require.NoError(t, l.Close())
	require.NoError(t, l.Close())
	r, err := l.Decide(ctx, "alice", 1)
	assert.ErrorIs(t, err, redislimit.ErrClosed)
	assert.Zero(t, r, "closed is no outage: it does not fail open")
	_, err = l.DecideBatch(ctx, []redislimit.Request{{Key: "alice", N: 1}})
	assert.ErrorIs(t, err, redislimit.ErrClosed)
	assert.ErrorIs(t, l.Reset(ctx, "alice"), redislimit.ErrClosed)
}
