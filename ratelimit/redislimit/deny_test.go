package redislimit

import (
	"math/rand/v2"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/distkit/distkit/internal/testkit"
	"github.com/distkit/distkit/ratelimit"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// With the cache and without, decisions are the same, of one limit or several, for
// any number of events: what it refuses, the store would refuse.
func TestDenyCacheChangesNoDecision(t *testing.T) {
	for seed := range uint64(20) {
		synctest.Test(t, func(t *testing.T) {
			rnd := rand.New(rand.NewPCG(seed, 1))
			limits := []ratelimit.Limit{ratelimit.PerSecond(1 + rnd.Int64N(20)).WithBurst(5)}
			if seed%2 == 1 {
				limits = append(limits, ratelimit.PerMinute(1+rnd.Int64N(600)).WithBurst(9))
			}
			r, err := newRules(limits)
			require.NoError(t, err)
			with, without := newMemory(r), newMemory(r)
			cached, plain := over(t, with), over(t, without, WithoutDenyCache())
			for range 1000 {
				key, n := strconv.Itoa(rnd.IntN(3)), rnd.Int64N(6)
				a, err := cached.Decide(ctx, key, n)
				require.NoError(t, err)
				b, err := plain.Decide(ctx, key, n)
				require.NoError(t, err)
				// In the last thousandth of a wait it asks, for clocks differ.
				require.Equal(t, b.Allowed, a.Allowed)
				require.Equal(t, b.Index, a.Index)
				require.LessOrEqual(t, a.Remaining, b.Remaining)
				require.InDelta(t, b.RetryAfter, a.RetryAfter, float64(2*time.Microsecond))
				require.GreaterOrEqual(t, a.RetryAfter, b.RetryAfter)
				time.Sleep(time.Duration(rnd.Int64N(100_000)) * time.Microsecond)
			}
			assert.Less(t, with.count(), without.count())
		})
	}
}

// A flood costs a trip a second, and no memory.
func TestFlood(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, m := onMemory(t, ratelimit.PerDay(1))
		for range 10_000 {
			r, err := l.Decide(ctx, "flood", 1)
			require.NoError(t, err)
			require.GreaterOrEqual(t, r.ResetAfter, r.RetryAfter)
			time.Sleep(time.Millisecond)
		}
		assert.Equal(t, 1+10, m.count())
		testkit.NoAllocs(t, "a refusal that is known", func() {
			_, _ = l.Decide(ctx, "flood", 1)
		})
	})
}

// What another server resets is seen within a second; what this one resets, at once.
func TestResetOfADenial(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, m := onMemory(t, ratelimit.PerDay(1))
		other := over(t, m)
		decide := func() bool {
			r, err := l.Decide(ctx, "alice", 1)
			require.NoError(t, err)
			return r.Allowed
		}
		assert.True(t, decide())
		assert.False(t, decide())
		require.NoError(t, l.Reset(ctx, "alice"))
		assert.True(t, decide())
		assert.False(t, decide())
		require.NoError(t, other.Reset(ctx, "alice"))
		assert.False(t, decide())
		time.Sleep(time.Second)
		assert.True(t, decide())
	})
}
