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
		from := rnd.Int64N(1 << 62)
		k := rnd.Int64N(max(1, (1<<62-from)/int64(l.Period)))
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
		now := 1 + rnd.Int64N(1<<62)
		exact := new(big.Int).Mul(big.NewInt(now), big.NewInt(l.Events))
		exact.Lsh(exact, uint(fine))
		exact.Div(exact, new(big.Int).Lsh(big.NewInt(int64(l.Period)), uint(coarse)))
		off := rule.Clock(now) - exact.Int64()
		if l.Events<<fine == int64(l.Period)<<coarse { // a unit a nanosecond, exactly
			require.EqualValues(t, -1, off)
		} else {
			require.True(t, off == 0 || off == 1, "%v at %d is off by %d", l, now, off)
		}

		u := rule.Clock(now)
		if at := rule.When(u); at > 0 {
			require.Equal(t, u, rule.Clock(at), "a nanosecond yields a unit at most")
			require.Less(t, rule.Clock(at-1), u)
		}
	}
	rule := must(ratelimit.NewRule(ratelimit.Limit{Events: 1, Period: math.MaxInt64, Burst: 1 << 60}, ratelimit.TokenBucket))
	assert.Equal(t, int64(math.MaxInt64), rule.When(1<<60), "what takes longer than time lasts")
	assert.Zero(t, rule.When(0))
	assert.Zero(t, rule.When(math.MinInt64))
}

// The unit is the finest at which the burst fits and a nanosecond yields at most one.
func TestUnits(t *testing.T) {
	for _, c := range []struct {
		limit        ratelimit.Limit
		fine, coarse uint8
		burst        int64
	}{
		{ratelimit.PerSecond(1), 29, 0, 1 << 29},
		{ratelimit.PerSecond(3), 28, 0, 3 << 28},
		{ratelimit.Every(1024), 10, 0, 1 << 10},
		{ratelimit.Every(1), 0, 0, 1},
		{ratelimit.PerSecond(1).WithBurst(1 << 50), 10, 0, 1 << 60},
		{ratelimit.PerSecond(5e9), 0, 3, 5e9 / 8},
		{ratelimit.Limit{Events: 1 << 40, Period: 3, Burst: 1 << 50}, 0, 39, 1 << 11},
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
