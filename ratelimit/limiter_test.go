package ratelimit_test

import (
	"cmp"
	"fmt"
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

var t0 = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// Every decision and every figure of random histories is that of the slow twin:
// of all algorithms, with instants in and out of order, refusals retried one
// nanosecond early and on time.
func TestLimiterAgainstTwin(t *testing.T) {
	testkit.NotUnderRace(t)
	rnd := rand.New(rand.NewPCG(5, 6))
	for _, a := range []ratelimit.Algorithm{ratelimit.TokenBucket, ratelimit.FixedWindow, ratelimit.SlidingWindow} {
		t.Run(a.String(), func(t *testing.T) {
			for i := range 25 {
				l := smallLimit(rnd)
				if a == ratelimit.TokenBucket && i < len(awkward) {
					l = awkward[i]
				}
				if a != ratelimit.TokenBucket {
					l.Burst, l.Period = 0, l.Period+time.Millisecond
				}
				history(t, rnd, l, a, 300)
			}
		})
	}
}

// smallLimit draws a limit that random calls fill.
func smallLimit(rnd *rand.Rand) ratelimit.Limit {
	return ratelimit.Limit{Events: 1 + rnd.Int64N(50), Period: 1 + time.Duration(rnd.Int64N(1<<rnd.IntN(45))), Burst: 64 * (1 + rnd.Int64N(3))}
}

func newTwin(rule ratelimit.Rule, l ratelimit.Limit, a ratelimit.Algorithm) twin {
	if a == ratelimit.TokenBucket {
		return newBucketTwin(rule, l)
	}
	return &windowTwin{limit: l, sliding: a == ratelimit.SlidingWindow, counts: map[int64]int64{}, last: math.MinInt64}
}

func history(t *testing.T, rnd *rand.Rand, l ratelimit.Limit, a ratelimit.Algorithm, steps int) {
	limiter, err := ratelimit.New(l, ratelimit.WithAlgorithm(a))
	if err != nil && a == ratelimit.TokenBucket {
		l.Burst = 0
		limiter, err = ratelimit.New(l, ratelimit.WithAlgorithm(a))
	}
	require.NoError(t, err)
	l = limiter.Limit()
	slow := newTwin(must(ratelimit.NewRule(l, a)), l, a)
	now, most := t0, limiter.Peek().Limit
	for i := range steps {
		n := rnd.Int64N(1 + 2*most>>rnd.IntN(8))
		got := limiter.TakeAt(now, n)
		at := ratelimit.Instant(now)
		says := fmt.Sprintf("%v, step %d: %d at %d: %+v", l, i, n, at, got)
		if n > most {
			require.Equal(t, ratelimit.InfDuration, got.RetryAfter, says)
			require.False(t, got.Allowed, says)
			continue
		}
		require.Equal(t, slow.allow(at, n), got.Allowed, says)
		require.Equal(t, slow.free(at), got.Remaining, says)
		require.Equal(t, slow.reset(at), at+int64(got.ResetAfter), says)
		require.Equal(t, most, got.Limit, says)
		require.Zero(t, got.Index)
		peek := limiter.PeekAt(now)
		require.Equal(t, got.Remaining > 0, peek.Allowed, says)
		require.Equal(t, got.Remaining, peek.Remaining, says)
		require.Equal(t, got.ResetAfter, peek.ResetAfter, says)
		if got.Allowed {
			require.Zero(t, got.RetryAfter, says)
		} else {
			require.Equal(t, slow.retry(at, n), at+int64(got.RetryAfter), says)
			early := now.Add(got.RetryAfter - 1)
			require.False(t, limiter.AllowAt(early, n), "a nanosecond early: %s", says)
			require.False(t, slow.allow(ratelimit.Instant(early), n))
			if rnd.IntN(2) == 0 {
				now = now.Add(got.RetryAfter)
				require.True(t, limiter.AllowAt(now, n), "on time: %s", says)
				require.True(t, slow.allow(ratelimit.Instant(now), n))
			}
		}
		step := time.Duration(rnd.Int64N(1 + 2*int64(l.Period)>>rnd.IntN(12)))
		if rnd.IntN(4) == 0 {
			step = -step // an instant from another goroutine, late
		}
		now = now.Add(step)
	}
}

// In no span of time, of whichever instants and in whatever order they came, does
// more pass than rate*(W + 1ns) + burst.
func TestOverAdmissionBound(t *testing.T) {
	rnd := rand.New(rand.NewPCG(7, 8))
	for range 100 {
		l := smallLimit(rnd)
		limiter := must(ratelimit.New(l))
		type event struct{ at, n int64 }
		var passed []event
		now, mean := int64(0), int64(l.Period)/l.Events+1
		for range 400 {
			n := 1 + rnd.Int64N(l.Burst)>>rnd.IntN(8)
			if limiter.AllowAt(t0.Add(time.Duration(now)), n) {
				passed = append(passed, event{now, n})
			}
			now += rnd.Int64N(4*mean) - mean // also back
		}
		require.NotEmpty(t, passed)
		slices.SortFunc(passed, func(a, b event) int { return cmp.Compare(a.at, b.at) })
		for i, from := range passed {
			var sum int64
			for _, to := range passed[i:] {
				sum += to.n
				// sum <= events*(W+2)/period + burst, in integers
				if (sum-l.Burst)*int64(l.Period) > l.Events*(to.at-from.at+1) {
					t.Fatalf("%v: %d in %d ns", l, sum, to.at-from.at)
				}
			}
		}
	}
}

// The defect that made this package: two goroutines whose instants differ by a
// second mint nothing.
func TestReorderedInstantsMintNothing(t *testing.T) {
	limiter := must(ratelimit.New(ratelimit.PerSecond(10)))
	passed := 0
	for i := range 20_000 {
		if limiter.AllowAt(t0.Add(time.Duration(i%2)*time.Second), 1) {
			passed++
		}
	}
	// 20 are due in that second; the stricter of both instants gives 11.
	assert.Equal(t, 11, passed)
}

func TestEdgesOfN(t *testing.T) {
	for _, a := range []ratelimit.Algorithm{ratelimit.TokenBucket, ratelimit.FixedWindow, ratelimit.SlidingWindow} {
		limiter := must(ratelimit.New(ratelimit.PerSecond(5), ratelimit.WithAlgorithm(a)))
		require.True(t, limiter.AllowAt(t0, 5))
		full := limiter.PeekAt(t0)
		assert.True(t, limiter.AllowAt(t0, 0), "nothing always passes")
		for _, n := range []int64{-1, math.MinInt64, 6, math.MaxInt64} {
			got := limiter.TakeAt(t0, n)
			assert.False(t, got.Allowed)
			assert.Equal(t, ratelimit.InfDuration, got.RetryAfter, "n is %d", n)
			granted, _ := limiter.TakeUpToAt(t0, n)
			assert.Zero(t, granted)
			assert.False(t, limiter.ReserveAt(t0, n).OK())
		}
		assert.Equal(t, full, limiter.PeekAt(t0), "refusals change nothing")
		assert.True(t, limiter.ReserveAt(t0, 0).OK())
	}
}

func TestTakeUpTo(t *testing.T) {
	limiter := must(ratelimit.New(ratelimit.PerSecond(10).WithBurst(4)))
	granted, r := limiter.TakeUpToAt(t0, 3)
	assert.EqualValues(t, 3, granted)
	assert.InDelta(t, 300*time.Millisecond, r.ResetAfter, 2)
	r.ResetAfter = 0
	assert.Equal(t, ratelimit.Result{Allowed: true, Limit: 4, Remaining: 1}, r)

	// 2.7 tokens: two are granted, and the 0.7 stays, so the next comes in 30 ms.
	granted, r = limiter.TakeUpToAt(t0.Add(170*time.Millisecond), 100)
	assert.EqualValues(t, 2, granted)
	assert.True(t, r.Allowed)
	granted, r = limiter.TakeUpToAt(t0.Add(170*time.Millisecond), 1)
	assert.Zero(t, granted)
	assert.False(t, r.Allowed)
	assert.InDelta(t, 30*time.Millisecond, r.RetryAfter, 2)
	granted, r = limiter.TakeUpToAt(t0, 0)
	assert.Zero(t, granted)
	assert.True(t, r.Allowed)

	before := limiter.Peek().Remaining
	granted, _ = limiter.TakeUpTo(1)
	assert.EqualValues(t, min(1, before), granted)
}

func TestUnlimited(t *testing.T) {
	limiter := must(ratelimit.New(ratelimit.Unlimited))
	assert.True(t, limiter.AllowN(math.MaxInt64))
	assert.False(t, limiter.AllowN(-1))
	all := ratelimit.Result{Allowed: true, Limit: math.MaxInt64, Remaining: math.MaxInt64}
	assert.Equal(t, all, limiter.Take(math.MaxInt64))
	assert.Equal(t, all, limiter.Peek())
	granted, _ := limiter.TakeUpTo(math.MaxInt64)
	assert.Equal(t, int64(math.MaxInt64), granted)
	r := limiter.Reserve(1 << 60)
	assert.True(t, r.OK())
	assert.Zero(t, r.Delay())
	r.Cancel()
	assert.NoError(t, limiter.WaitN(t.Context(), math.MaxInt64))

	require.NoError(t, limiter.SetLimit(ratelimit.PerSecond(2)))
	assert.EqualValues(t, 2, limiter.Peek().Remaining)
	assert.Equal(t, ratelimit.PerSecond(2), limiter.Limit())
	require.NoError(t, limiter.SetLimit(ratelimit.Unlimited))
	assert.Equal(t, all, limiter.Peek())
}

// Instants beyond the range are taken to its ends, and none makes a limiter fail.
func TestExtremeInstants(t *testing.T) {
	extremes := []time.Time{{}, time.Unix(0, 0), time.Unix(-1<<62, 0), t0, time.Unix(1<<40, 0), time.Unix(1<<62, 999)}
	for _, a := range []ratelimit.Algorithm{ratelimit.TokenBucket, ratelimit.FixedWindow, ratelimit.SlidingWindow} {
		longest := ratelimit.Limit{Events: 3, Period: 73 * 365 * 24 * time.Hour}
		for _, l := range append(awkward[:len(awkward):len(awkward)], longest) {
			if a != ratelimit.TokenBucket {
				l.Burst = 0
			}
			for i := range extremes {
				limiter, err := ratelimit.New(l, ratelimit.WithAlgorithm(a))
				if err != nil {
					continue // that many events do not fit a window
				}
				for j := range extremes {
					at := extremes[(i+j)%len(extremes)]
					r := limiter.TakeAt(at, limiter.Peek().Limit)
					require.False(t, r.RetryAfter < 0 || r.ResetAfter < 0 || r.Remaining < 0, "%v: %+v", l, r)
					require.True(t, r.Allowed || r.RetryAfter > 0, "%v: %+v", l, r)
					res := limiter.ReserveAt(at, 1)
					require.GreaterOrEqual(t, res.DelayFrom(at), time.Duration(0))
					res.CancelAt(at)
					require.NoError(t, limiter.SetLimitAt(at, l))
				}
			}
		}
	}
}

func TestWindowsAlign(t *testing.T) {
	noon := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	limiter := must(ratelimit.New(ratelimit.PerHour(2), ratelimit.WithAlgorithm(ratelimit.FixedWindow)))
	r := limiter.TakeAt(noon.Add(59*time.Minute), 2)
	assert.Equal(t, time.Minute, r.ResetAfter, "windows begin at the hour")
	assert.False(t, limiter.AllowAt(noon.Add(59*time.Minute), 1))
	assert.True(t, limiter.AllowAt(noon.Add(time.Hour), 1))

	limiter = must(ratelimit.New(ratelimit.PerHour(2), ratelimit.WithAlgorithm(ratelimit.FixedWindow), ratelimit.WithAlign(noon.Add(59*time.Minute))))
	assert.Equal(t, time.Hour, limiter.TakeAt(noon.Add(59*time.Minute), 1).ResetAfter)
	assert.Equal(t, time.Nanosecond, limiter.TakeAt(noon.Add(119*time.Minute-1), 1).ResetAfter)
}

// The worked example of the textbooks: a quarter of the window has gone, so 42 of
// the one before weigh 31.5, and with 18 of this one that is 49.5 of 100.
func TestSlidingWindowOfTheTextbooks(t *testing.T) {
	limiter := must(ratelimit.New(ratelimit.PerMinute(100), ratelimit.WithAlgorithm(ratelimit.SlidingWindow)))
	require.True(t, limiter.AllowAt(t0.Add(-30*time.Second), 42))
	require.True(t, limiter.AllowAt(t0.Add(10*time.Second), 18))
	now := t0.Add(15 * time.Second)
	assert.EqualValues(t, 50, limiter.PeekAt(now).Remaining, "100 - 49.5, whole events")
	assert.False(t, limiter.AllowAt(now, 51))
	assert.True(t, limiter.AllowAt(now, 50))
	// 42*(60-e)/60 + 68 + 1 <= 100 from e = 15.71 s on
	r := limiter.TakeAt(now, 1)
	assert.False(t, r.Allowed)
	assert.Equal(t, time.Duration(714_285_715), r.RetryAfter)
}

// Goroutines that share a limiter, at one instant, get its burst, no more, no less.
func TestConcurrentBurst(t *testing.T) {
	for _, a := range []ratelimit.Algorithm{ratelimit.TokenBucket, ratelimit.FixedWindow, ratelimit.SlidingWindow} {
		for range 50 {
			limiter := must(ratelimit.New(ratelimit.PerSecond(100), ratelimit.WithAlgorithm(a)))
			var passed atomic.Int64
			var group sync.WaitGroup
			for i := range 8 {
				group.Go(func() {
					for range 50 {
						switch i % 3 {
						case 0:
							if limiter.AllowAt(t0, 1) {
								passed.Add(1)
							}
						case 1:
							if limiter.TakeAt(t0, 1).Allowed {
								passed.Add(1)
							}
						default:
							granted, _ := limiter.TakeUpToAt(t0, 1)
							passed.Add(granted)
						}
					}
				})
			}
			group.Wait()
			require.EqualValues(t, 100, passed.Load())
		}
	}
}

// Under concurrency every admission is one that the sequential model takes too:
// sorted by the debt they left, admissions replay one after the other.
func TestConcurrentLinearizes(t *testing.T) {
	limit := ratelimit.Limit{Events: 1000, Period: time.Second, Burst: 20}
	limiter := must(ratelimit.New(limit))
	type event struct{ at, n int64 }
	var mu sync.Mutex
	var all []event
	var group sync.WaitGroup
	for i := range 4 {
		group.Go(func() {
			rnd := rand.New(rand.NewPCG(9, uint64(i)))
			var mine []event
			for j := range 2000 {
				at, n := int64(j)*50_000+rnd.Int64N(100_000), 1+rnd.Int64N(3)
				if limiter.AllowAt(t0.Add(time.Duration(at)), n) {
					mine = append(mine, event{at, n})
				}
			}
			mu.Lock()
			all = append(all, mine...)
			mu.Unlock()
		})
	}
	group.Wait()
	var total int64
	first, last := int64(math.MaxInt64), int64(0)
	for _, e := range all {
		total += e.n
		first, last = min(first, e.at), max(last, e.at)
	}
	assert.LessOrEqual(t, total, limit.Burst+limit.Events*(last-first+2)/int64(limit.Period)+1)
	assert.GreaterOrEqual(t, total, int64(50), "it did admit")
	rest := limiter.PeekAt(t0.Add(time.Duration(last)))
	assert.GreaterOrEqual(t, rest.Remaining, int64(0))
}

func TestAllocations(t *testing.T) {
	allowed, denied := must(ratelimit.New(ratelimit.Unlimited)), must(ratelimit.New(ratelimit.PerDay(1)))
	many := must(ratelimit.New(ratelimit.PerSecond(1e9)))
	denied.Allow()
	for name, l := range map[string]*ratelimit.Limiter{"unlimited": allowed, "denied": denied, "allowed": many} {
		testkit.NoAllocs(t, name, func() {
			l.Allow()
			l.AllowAt(t0, 1)
			l.Take(1)
			l.TakeUpTo(2)
			l.Peek()
			r := l.Reserve(1)
			r.Delay()
			r.Cancel()
		})
	}
}

func TestClock(t *testing.T) {
	reading := 5 * time.Hour
	limiter := must(ratelimit.New(ratelimit.PerSecond(1), ratelimit.WithClock(func() time.Duration { return reading })))
	assert.True(t, limiter.Allow())
	assert.False(t, limiter.Allow())
	reading += time.Second - 2
	assert.False(t, limiter.Allow())
	reading += 2
	assert.True(t, limiter.Allow())
	assert.InDelta(t, time.Second, limiter.Peek().RetryAfter, 2)
	r := limiter.Reserve(1)
	assert.InDelta(t, time.Second, r.Delay(), 2)
	reading += 300 * time.Millisecond
	assert.InDelta(t, 700*time.Millisecond, r.Delay(), 2)
	reading = math.MaxInt64
	assert.True(t, limiter.Allow())
}

// Queries of a zero Limiter answer nothing, and what decides says what to do.
func TestZeroLimiter(t *testing.T) {
	var l ratelimit.Limiter
	assert.Zero(t, l.Peek())
	assert.Zero(t, l.PeekAt(t0))
	assert.Zero(t, l.Limit())
	for name, f := range map[string]func(){
		"Allow":    func() { l.Allow() },
		"AllowAt":  func() { l.AllowAt(t0, 0) },
		"Take":     func() { l.Take(1) },
		"TakeUpTo": func() { l.TakeUpTo(1) },
		"Reserve":  func() { l.Reserve(1) },
		"Wait":     func() { _ = l.Wait(t.Context()) },
		"SetLimit": func() { _ = l.SetLimit(ratelimit.PerSecond(1)) },
		"Reset":    func() { l.Reset() },
	} {
		assert.PanicsWithValue(t, "ratelimit: a zero Limiter has no limit; make one with New", f, name)
	}
	var r ratelimit.Reservation
	assert.False(t, r.OK())
	assert.Equal(t, ratelimit.InfDuration, r.Delay())
	assert.Equal(t, ratelimit.InfDuration, r.DelayFrom(t0))
	r.Cancel()
	r.CancelAt(t0)
}
