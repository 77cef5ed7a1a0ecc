package ratelimit_test

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/distkit/distkit/ratelimit"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// awkward limits: thirds, primes, one a day, more than one a nanosecond.
var awkward = []ratelimit.Limit{
	{Events: 3, Period: time.Second, Burst: 3},
	{Events: 7, Period: time.Second, Burst: 1},
	{Events: 1, Period: 24 * time.Hour, Burst: 1},
	{Events: 999_983, Period: time.Second, Burst: 1000},
	{Events: 13, Period: 17 * time.Millisecond, Burst: 5},
	{Events: 1, Period: 1, Burst: 10},
	{Events: 1, Period: 1024, Burst: 3},
	{Events: 5_000_000_000, Period: time.Second, Burst: 5_000_000_000},
	{Events: 600_000_000, Period: time.Second, Burst: 1},
	{Events: 11, Period: 7 * 24 * time.Hour, Burst: 20},
	{Events: 1 << 40, Period: 3, Burst: 1 << 50},
}

// randomLimit draws events, period and burst over all their magnitudes.
func randomLimit(rnd *rand.Rand) ratelimit.Limit {
	for {
		l := ratelimit.Limit{
			Events: 1 + rnd.Int64N(1<<rnd.IntN(40)),
			Period: 1 + time.Duration(rnd.Int64N(1<<rnd.IntN(53))),
			Burst:  1 + rnd.Int64N(1<<rnd.IntN(30)),
		}
		if _, err := ratelimit.New(l); err == nil {
			return l
		}
	}
}

const horizon = int64(3) << 60

// Whole periods yield whole tokens: from any instant on, k periods yield the units
// of k*Events tokens, and at most one unit more.
func TestRefillIsExact(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for i := range 30_000 {
		l := randomLimit(rnd)
		if i < len(awkward) {
			l = awkward[i]
		}
		rule := must(ratelimit.NewRule(l, ratelimit.TokenBucket))
		fine, coarse, _ := rule.Units()
		from := rnd.Int64N(horizon)
		k := rnd.Int64N(max(1, (horizon-from)/int64(l.Period)))
		// k*Events tokens in units, rounded down
		want := new(big.Int).Mul(big.NewInt(k), big.NewInt(l.Events))
		want.Rsh(want.Lsh(want, uint(fine)), uint(coarse))
		got := big.NewInt(rule.Clock(from+k*int64(l.Period)) - rule.Clock(from))
		over := new(big.Int).Sub(got, want)
		require.True(t, over.Sign() >= 0 && over.Cmp(big.NewInt(1)) <= 0, "%v: %v of %v after %d periods from %d", l, got, want, k, from)
	}
}

// The virtual clock is the exact one, up to a unit; when is its inverse.
func TestClockAgainstFractions(t *testing.T) {
	rnd := rand.New(rand.NewPCG(3, 4))
	for i := range 20_000 {
		l := randomLimit(rnd)
		if i < len(awkward) {
			l = awkward[i]
		}
		rule := must(ratelimit.NewRule(l, ratelimit.TokenBucket))
		fine, coarse, _ := rule.Units()
		now := 1 + rnd.Int64N(horizon)
		exact := new(big.Int).Mul(big.NewInt(now), big.NewInt(l.Events))
		exact.Lsh(exact, uint(fine))
		exact.Div(exact, new(big.Int).Lsh(big.NewInt(int64(l.Period)), uint(coarse)))
		off := rule.Clock(now) - exact.Int64()
		if l.Events<<fine == 2*int64(l.Period)<<coarse { // two units a nanosecond, exactly
			require.EqualValues(t, -1, off)
		} else {
			require.True(t, off == 0 || off == 1, "%v at %d is off by %d", l, now, off)
		}

		u := rule.Clock(now)
		if at := rule.When(u); at > 0 {
			require.GreaterOrEqual(t, rule.Clock(at), u)
			require.Less(t, rule.Clock(at-1), u)
		}
	}
	rule := must(ratelimit.NewRule(ratelimit.Limit{Events: 1, Period: math.MaxInt64, Burst: 1 << 59}, ratelimit.TokenBucket))
	assert.Equal(t, int64(math.MaxInt64), rule.When(1<<59), "what takes longer than time lasts")
	assert.Zero(t, rule.When(0))
	assert.Zero(t, rule.When(math.MinInt64))
}

// The unit is the finest at which the burst fits and a nanosecond yields at most two.
func TestUnits(t *testing.T) {
	for _, c := range []struct {
		limit        ratelimit.Limit
		fine, coarse uint8
		burst        int64
	}{
		{ratelimit.PerSecond(1), 30, 0, 1 << 30},
		{ratelimit.PerSecond(3), 29, 0, 3 << 29},
		{ratelimit.Every(1024), 11, 0, 1 << 11},
		{ratelimit.Every(1), 1, 0, 2},
		{ratelimit.PerSecond(1).WithBurst(1 << 50), 9, 0, 1 << 59},
		{ratelimit.PerSecond(5e9), 0, 2, 5e9 / 4},
		{ratelimit.Limit{Events: 1 << 40, Period: 3, Burst: 1 << 50}, 0, 38, 1 << 12},
	} {
		fine, coarse, burst := must(ratelimit.NewRule(c.limit, ratelimit.TokenBucket)).Units()
		assert.Equal(t, []any{c.fine, c.coarse, c.burst}, []any{fine, coarse, burst}, "%v", c.limit)
	}
}

// A word below the floor is as good as a fresh one, at once and ever after.
func TestFloor(t *testing.T) {
	rnd := rand.New(rand.NewPCG(15, 16))
	for _, a := range []ratelimit.Algorithm{ratelimit.TokenBucket, ratelimit.FixedWindow, ratelimit.SlidingWindow} {
		rule := must(ratelimit.NewRule(ratelimit.Limit{Events: 10, Period: time.Minute}, a))
		below := 0
		for range 10_000 {
			at := ratelimit.Instant(t0) + rnd.Int64N(int64(10*time.Minute))
			word, ok := rule.Step(math.MinInt64, at, 1+rnd.Int64N(10))
			require.True(t, ok)
			now := at + rnd.Int64N(int64(3*time.Minute))
			if word < rule.Floor(now) {
				below++
				n := 1 + rnd.Int64N(10)
				got, _ := rule.Step(word, now, n)
				want, _ := rule.Step(math.MinInt64, now, n)
				require.Equal(t, want, got)
			}
		}
		assert.Greater(t, below, 1000, "%v", a)
	}
}

// Where an event takes whole nanoseconds, so does every figure: at 10 a second the
// next is 100 ms away, and not one less.
func TestWholeNanosecondsAreExact(t *testing.T) {
	rnd := rand.New(rand.NewPCG(17, 18))
	for range 3000 {
		gap := time.Duration(1 + rnd.Int64N(1<<rnd.IntN(44)))
		events := 1 + rnd.Int64N(min(1000, 1+int64(time.Hour/gap)))
		l := ratelimit.Limit{Events: events, Period: time.Duration(events) * gap, Burst: 1 + rnd.Int64N(100)}
		limiter := must(ratelimit.New(l))
		now := t0.Add(time.Duration(rnd.Int64N(int64(time.Hour))))
		r := limiter.TakeAt(now, l.Burst)
		require.Equal(t, time.Duration(l.Burst)*gap, r.ResetAfter, "%v", l)
		n := 1 + rnd.Int64N(l.Burst)
		require.Equal(t, time.Duration(n)*gap, limiter.TakeAt(now, n).RetryAfter, "%v", l)
		require.Equal(t, time.Duration(n)*gap, limiter.ReserveAt(now, n).DelayFrom(now), "%v", l)
		at := now.Add(time.Duration(rnd.Int64N(int64(gap))))
		require.Equal(t, time.Duration(n)*gap+gap-at.Sub(now), limiter.TakeAt(at, 1).RetryAfter, "%v", l)
	}
}
