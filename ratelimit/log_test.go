package ratelimit_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/distkit/distkit/internal/testkit"
	"github.com/distkit/distkit/ratelimit"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// logTwin is a plain list of what passed.
type logTwin struct {
	limit  ratelimit.Limit
	passed []int64
}

func (l *logTwin) counted(now int64) (n int64) {
	for _, at := range l.passed {
		if at > now-int64(l.limit.Period) { // and those after now, for who comes late
			n++
		}
	}
	return n
}

func (l *logTwin) allow(now, n int64) bool {
	if l.counted(now)+n > l.limit.Events {
		return false
	}
	for range n {
		l.passed = append(l.passed, max(now, slices.Max(append(l.passed, now))))
	}
	return true
}

func (l *logTwin) free(now int64) int64 { return max(0, l.limit.Events-l.counted(now)) }

func (l *logTwin) retry(now, n int64) int64 {
	return first(now, func(t int64) bool { return l.free(t) >= n })
}

func (l *logTwin) reset(now int64) int64 {
	return first(now, func(t int64) bool { return l.counted(t) == 0 })
}

func TestSlidingLogAgainstList(t *testing.T) {
	rnd := rand.New(rand.NewPCG(31, 32))
	for range 40 {
		l := ratelimit.Limit{Events: 1 + rnd.Int64N(20), Period: time.Duration(1 + rnd.Int64N(1000))}
		limiter, slow := must(ratelimit.NewSlidingLog(l)), &logTwin{limit: l}
		now := t0
		for i := range 200 {
			at, n := ratelimit.Instant(now), 1+rnd.Int64N(l.Events)>>rnd.IntN(4)
			n = max(1, n)
			got := limiter.TakeAt(now, n)
			require.Equal(t, slow.allow(at, n), got.Allowed, "step %d", i)
			require.Equal(t, slow.free(at), got.Remaining)
			require.Equal(t, slow.reset(at), at+int64(got.ResetAfter))
			require.Equal(t, l.Events, got.Limit)
			peek := limiter.PeekAt(now)
			require.Equal(t, got.Remaining, peek.Remaining)
			require.Equal(t, got.Remaining > 0, peek.Allowed)
			if !peek.Allowed {
				require.Equal(t, slow.retry(at, 1), at+int64(peek.RetryAfter))
			}
			if !got.Allowed {
				require.Equal(t, slow.retry(at, n), at+int64(got.RetryAfter))
				require.False(t, limiter.AllowAt(now.Add(got.RetryAfter-1), n))
				if rnd.IntN(2) == 0 {
					now = now.Add(got.RetryAfter)
					require.True(t, limiter.AllowAt(now, n))
					require.True(t, slow.allow(ratelimit.Instant(now), n))
				}
			}
			now = now.Add(time.Duration(rnd.Int64N(1+int64(l.Period)) - int64(l.Period)/3))
		}
	}
}

// In no period, wherever it begins and in whatever order instants come, pass more.
func TestSlidingLogIsExact(t *testing.T) {
	rnd := rand.New(rand.NewPCG(33, 34))
	for range 50 {
		l := ratelimit.Limit{Events: 1 + rnd.Int64N(10), Period: time.Duration(1 + rnd.Int64N(500))}
		limiter := must(ratelimit.NewSlidingLog(l))
		var passed []int64
		for now, i := int64(0), 0; i < 500; i++ {
			at := now - rnd.Int64N(300)
			if limiter.AllowAt(t0.Add(time.Duration(at)), 1) {
				passed = append(passed, at)
			}
			now += rnd.Int64N(2 * int64(l.Period) / l.Events)
		}
		slices.Sort(passed)
		require.Greater(t, len(passed), 10)
		for i := int(l.Events); i < len(passed); i++ {
			require.GreaterOrEqual(t, passed[i]-passed[i-int(l.Events)], int64(l.Period), "%v", l)
		}
	}
}

func TestSlidingLogErrors(t *testing.T) {
	for says, l := range map[string]ratelimit.Limit{
		"it is zero, want events and a period":                                       {},
		"events of 16777217/s is 16777217, want at most 16777216 in a log":           ratelimit.PerSecond(1<<24 + 1),
		"period is 639480h0m0.000000001s, want at most 639480h0m0s in a log":         {Events: 1, Period: 73*365*24*time.Hour + 1},
		"burst of 5/s;burst=4 is 4, want as many as events, or 0: a log has none":    ratelimit.PerSecond(5).WithBurst(4),
		"events of unlimited is 9223372036854775807, want at most 16777216 in a log": ratelimit.Unlimited,
	} {
		_, err := ratelimit.NewSlidingLog(l)
		assert.EqualError(t, err, "ratelimit: invalid limit: "+says)
		assert.ErrorIs(t, err, ratelimit.ErrInvalidLimit)
	}
	_, err := ratelimit.NewSlidingLog(ratelimit.PerSecond(1), ratelimit.WithMaxKeys(1))
	assert.EqualError(t, err, "ratelimit: WithMaxKeys does not apply to NewSlidingLog")
}

func TestSlidingLogMethods(t *testing.T) {
	var reading time.Duration
	l := must(ratelimit.NewSlidingLog(ratelimit.PerMinute(3), ratelimit.WithClock(func() time.Duration { return reading })))
	assert.Equal(t, ratelimit.PerMinute(3), l.Limit())
	assert.True(t, l.Allow())
	assert.True(t, l.AllowN(0))
	assert.True(t, l.AllowN(2))
	assert.False(t, l.AllowN(-1))
	r := l.Take(1)
	assert.Equal(t, ratelimit.Result{Limit: 3, RetryAfter: time.Minute, ResetAfter: time.Minute}, r)
	assert.Equal(t, ratelimit.InfDuration, l.Take(4).RetryAfter)
	assert.Equal(t, ratelimit.InfDuration, l.Take(-1).RetryAfter)
	assert.Equal(t, r, l.Peek())
	reading = time.Minute
	assert.EqualValues(t, 3, l.Peek().Remaining)
	l.AllowN(3)
	l.Reset()
	assert.Equal(t, ratelimit.Result{Allowed: true, Limit: 3, Remaining: 3}, l.Peek())
	testkit.NoAllocs(t, "SlidingLog", func() { l.Take(1); l.Peek(); l.AllowAt(t0, 1) })

	assert.Equal(t, ratelimit.Result{Limit: math.MaxInt16 + 1, Remaining: 0}.Limit, must(ratelimit.NewSlidingLog(ratelimit.PerDay(math.MaxInt16+1))).Peek().Limit)
	var passed atomic.Int64
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for range 100 {
				if l.AllowAt(t0, 1) {
					passed.Add(1)
				}
				l.PeekAt(t0)
			}
		})
	}
	group.Wait()
	assert.LessOrEqual(t, passed.Load(), int64(3))

	var zero ratelimit.SlidingLog
	assert.Zero(t, zero.Peek())
	assert.Zero(t, zero.PeekAt(t0))
	assert.Zero(t, zero.Limit())
	for _, f := range []func(){func() { zero.Allow() }, func() { zero.Take(1) }, zero.Reset} {
		assert.PanicsWithValue(t, "ratelimit: a zero SlidingLog has no limit; make one with NewSlidingLog", f)
	}
}
