package ratelimit_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/distkit/distkit/internal/testkit"
	"github.com/distkit/distkit/ratelimit"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestFullOptions(t *testing.T) {
	for says, opts := range map[string][]ratelimit.Option{
		"ratelimit: most keys is -1, want at least 1, or 0 for any number":               {ratelimit.WithMaxKeys(-1)},
		"ratelimit: WithFull does not apply without WithMaxKeys":                         {ratelimit.WithMaxKeys(0), ratelimit.WithFull(ratelimit.AdmitNew)},
		"ratelimit: policy is full policy 7, want RefuseNew, AdmitNew or EvictLeastDebt": {ratelimit.WithMaxKeys(1), ratelimit.WithFull(7)},
	} {
		_, err := ratelimit.NewKeyed(ratelimit.PerSecond(1), opts...)
		assert.EqualError(t, err, says)
	}
	_, err := ratelimit.NewKeyed(ratelimit.PerSecond(1), ratelimit.WithMaxKeys(0))
	assert.NoError(t, err)
	_, err = ratelimit.New(ratelimit.PerSecond(1), ratelimit.WithMaxKeys(1))
	assert.EqualError(t, err, "ratelimit: WithMaxKeys does not apply to New")
	_, err = ratelimit.NewKeyedMulti(nil)
	assert.EqualError(t, err, "ratelimit: number of limits is 0, want 1 to 16")
	multi := must(ratelimit.NewKeyedMulti([]ratelimit.Limit{ratelimit.PerSecond(1)}))
	assert.EqualError(t, multi.SetLimit(ratelimit.PerSecond(2)), "ratelimit: SetLimit does not apply to what NewKeyedMulti made")
	keyed := must(ratelimit.NewKeyed(ratelimit.PerSecond(1)))
	assert.ErrorIs(t, keyed.SetLimit(ratelimit.Limit{}), ratelimit.ErrInvalidLimit)
}

// At the cap, whatever the size: known keys are served as before; a new one is
// refused until the moment that a debt is gone, remembered or not, as the policy says.
func TestFullPolicies(t *testing.T) {
	for _, most := range []int{1, 5, 8, 9, 100, 1000} {
		for _, policy := range []ratelimit.FullPolicy{ratelimit.RefuseNew, ratelimit.AdmitNew, ratelimit.EvictLeastDebt} {
			t.Run(fmt.Sprint(policy, " at ", most), func(t *testing.T) {
				k := must(ratelimit.NewKeyed(ratelimit.PerSecond(10), ratelimit.WithMaxKeys(most), ratelimit.WithFull(policy)))
				for i := range most {
					require.True(t, k.KeyHash(uint64(i)).AllowAt(t0.Add(time.Duration(i)*time.Nanosecond), 5))
				}
				require.Equal(t, most, k.Len())
				now := t0.Add(time.Millisecond)
				stranger := k.KeyHash(1 << 40)
				r := stranger.TakeAt(now, 3)
				stats := k.Stats()
				check(t, k)
				require.LessOrEqual(t, k.Len(), most)
				switch policy {
				case ratelimit.RefuseNew:
					assert.False(t, r.Allowed)
					assert.InDelta(t, 499*time.Millisecond, r.RetryAfter, 1000, "when the first debt is gone")
					assert.EqualValues(t, 1, stats.FullRefused)
					assert.False(t, stranger.ReserveAt(now, 1).OK())
					granted, _ := stranger.TakeUpToAt(now, 2)
					assert.Zero(t, granted)
					assert.False(t, stranger.AllowAt(now, 1))
					require.True(t, stranger.AllowAt(now.Add(r.RetryAfter+2), 3), "%v", k.Stats())
					assert.EqualValues(t, 7, stranger.PeekAt(now.Add(r.RetryAfter+2)).Remaining, "and is remembered")
				case ratelimit.AdmitNew:
					assert.True(t, r.Allowed)
					assert.True(t, stranger.AllowAt(now, 10), "and is not remembered")
					assert.False(t, stranger.AllowAt(now, 11))
					assert.EqualValues(t, 2, k.Stats().FullAdmitted)
				default:
					assert.True(t, r.Allowed)
					assert.EqualValues(t, 7, stranger.PeekAt(now).Remaining)
					assert.EqualValues(t, 1, stats.Evicted)
					assert.Equal(t, most, k.Len())
				}
			})
		}
	}
}

// EvictLeastDebt forgives the least debt of two groups, in a small table of all.
func TestEvictLeastDebt(t *testing.T) {
	k := must(ratelimit.NewKeyed(ratelimit.PerHour(10), ratelimit.WithMaxKeys(4), ratelimit.WithFull(ratelimit.EvictLeastDebt)))
	for i, n := range []int64{5, 3, 2, 9} {
		k.KeyHash(uint64(i)).AllowAt(t0, n)
	}
	assert.True(t, k.KeyHash(9).AllowAt(t0, 8))
	for i, left := range []int64{5, 7, 10, 1} {
		assert.Equal(t, left, k.KeyHash(uint64(i)).PeekAt(t0).Remaining)
	}
	assert.EqualValues(t, 2, k.KeyHash(9).PeekAt(t0).Remaining)
}

// A flood at the cap is cheap, keeps to it, and forgives no debtor.
func TestFloodAtTheCap(t *testing.T) {
	const most = 5000
	k := must(ratelimit.NewKeyed(ratelimit.PerHour(10), ratelimit.WithMaxKeys(most)))
	for i := range most {
		require.True(t, k.KeyHash(uint64(i)).AllowAt(t0, 1+int64(i)%10))
	}
	var group sync.WaitGroup
	for g := range 4 {
		group.Go(func() {
			for i := range 25_000 {
				k.KeyHash(1<<40+uint64(g<<20+i)).AllowAt(t0.Add(time.Duration(i)), 1)
			}
		})
	}
	group.Wait()
	assert.Equal(t, most, k.Len())
	s := k.Stats()
	assert.EqualValues(t, 100_000, s.FullRefused)
	assert.Less(t, s.Resized, uint64(40))
	for i := range most {
		require.EqualValues(t, 9-i%10, k.KeyHash(uint64(i)).PeekAt(t0).Remaining)
	}
	check(t, k)
}

// Visitors who come once, among ten thousand in debt, take no memory. (The bench
// module sends three million.)
func TestMemoryFollowsDebt(t *testing.T) {
	visitors := fewer(300_000)
	k := must(ratelimit.NewKeyed(ratelimit.PerMinute(10)))
	for i := range 10_000 {
		k.KeyHash(uint64(i)).AllowAt(t0, 10)
	}
	now := t0
	most := 0
	for i := range visitors {
		if i%(visitors/10) == 0 { // the ten thousand come back
			for j := range 10_000 {
				k.KeyHash(uint64(j)).TakeUpToAt(now, 10)
			}
		}
		k.KeyHash(1<<40+uint64(i)).AllowAt(now, 1)
		now = now.Add(time.Millisecond) // a debt of one is gone after 6 s
		most = max(most, k.Stats().Slots)
	}
	assert.LessOrEqual(t, 16*most, 4<<20, "bytes")
	assert.LessOrEqual(t, testkit.LiveBytes(func() any { k.Compact(); return k.Clone() }), uint64(4<<20))
	check(t, k)
}

// When debts are gone, new keys make the table small again.
func TestTableShrinks(t *testing.T) {
	k := must(ratelimit.NewKeyed(ratelimit.PerSecond(1)))
	many := fewer(100_000)
	for i := range many {
		k.KeyHash(uint64(i)).AllowAt(t0, 1)
	}
	large := k.Stats().Slots
	assert.GreaterOrEqual(t, large, many)
	now := t0.Add(time.Minute)
	for i := range 2 * large {
		k.KeyHash(1<<40+uint64(i)).AllowAt(now, 1)
		now = now.Add(10 * time.Millisecond)
	}
	assert.Less(t, k.Stats().Slots, 1000, "a hundred are in debt at a time")
	assert.Greater(t, k.Compact(), 0)
	assert.Zero(t, k.Len(), "by the clock, all debts are gone")
	assert.Equal(t, 8, k.Stats().Slots)
}

func TestKeyedWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := must(ratelimit.NewKeyed(ratelimit.PerSecond(2), ratelimit.WithMaxKeys(1)))
		a, b := k.KeyString("a"), k.KeyString("b")
		for _, want := range []time.Duration{0, 0, 500, 500} {
			assert.InDelta(t, want*time.Millisecond, elapsed(func() { require.NoError(t, a.Wait(t.Context())) }), 2)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 700*time.Millisecond)
		defer cancel()
		assert.ErrorIs(t, a.WaitN(ctx, 2), ratelimit.ErrWaitTooLong)
		assert.ErrorIs(t, b.Wait(ctx), ratelimit.ErrWaitTooLong, "there is no place before a's debt is gone")
		assert.InDelta(t, time.Second, elapsed(func() { require.NoError(t, b.Wait(t.Context())) }), 4)

		gone, stop := context.WithCancel(t.Context())
		time.AfterFunc(100*time.Millisecond, stop)
		assert.ErrorIs(t, a.Wait(gone), context.Canceled)
		r := b.Reserve(2)
		require.True(t, r.OK())
		gone, stop = context.WithCancel(t.Context())
		time.AfterFunc(100*time.Millisecond, stop)
		assert.ErrorIs(t, b.Wait(gone), context.Canceled, "what it reserved is given back")
		assert.InDelta(t, 800*time.Millisecond, elapsed(func() { require.NoError(t, b.Wait(t.Context())) }), 4)

		multi := must(ratelimit.NewKeyedMulti([]ratelimit.Limit{ratelimit.PerSecond(2), ratelimit.PerMinute(3)}))
		key := multi.KeyString("a")
		require.NoError(t, key.WaitN(t.Context(), 2))
		assert.InDelta(t, 500*time.Millisecond, elapsed(func() { require.NoError(t, key.Wait(t.Context())) }), 2)
		assert.InDelta(t, 19*time.Second+500*time.Millisecond, elapsed(func() { require.NoError(t, key.Wait(t.Context())) }), 4)
		assert.ErrorIs(t, key.WaitN(t.Context(), 3), ratelimit.ErrExceedsBurst, "the least of the bursts")
		res := key.Reserve(1)
		assert.False(t, res.OK(), "nothing is promised")
		time.Sleep(time.Minute)
		now := time.Now()
		res = key.ReserveAt(now, 2)
		assert.True(t, res.OK())
		res.CancelAt(now)
		assert.EqualValues(t, 2, key.PeekAt(now).Remaining)
	})
}

// A Reset, or a Cancel in time, is of its key alone; a Cancel after a Reset is void.
func TestKeyedResetAndCancel(t *testing.T) {
	k := must(ratelimit.NewKeyed(ratelimit.PerHour(10)))
	a, b := k.KeyString("a"), k.KeyString("b")
	a.AllowAt(t0, 10)
	b.AllowAt(t0, 7)
	r := a.ReserveAt(t0, 10)
	a.Reset()
	require.True(t, a.AllowAt(t0, 10))
	r.CancelAt(t0)
	assert.Zero(t, a.PeekAt(t0).Remaining)
	assert.EqualValues(t, 3, b.PeekAt(t0).Remaining)
	lost := b.ReserveAt(t0, 4)
	require.True(t, lost.OK())
	lost.CancelAt(t0)
	assert.EqualValues(t, 3, b.PeekAt(t0).Remaining)

	// Where the place was taken over, there is nothing to give back.
	r = k.KeyString("c").ReserveAt(t0, 5)
	k.Compact()
	r.CancelAt(t0)
	assert.EqualValues(t, 10, k.KeyString("d").Peek().Remaining)
	assert.Zero(t, k.KeyString("d").PeekAt(t0).Remaining, "at an instant before, it may be who was there")
	check(t, k)
}

func TestKeyedAllocations(t *testing.T) {
	k := must(ratelimit.NewKeyed(ratelimit.PerDay(1000)))
	multi := must(ratelimit.NewKeyedMulti([]ratelimit.Limit{ratelimit.PerSecond(100), ratelimit.PerDay(1000)}))
	key, rnd := []byte("some client"), rand.New(rand.NewPCG(71, 72))
	for range 20_000 { // so that the table need not grow
		k.AllowHash(rnd.Uint64())
		multi.AllowHash(rnd.Uint64())
	}
	testkit.NoAllocs(t, "known keys", func() {
		k.Allow(key)
		k.AllowString("another")
		k.AllowHash(7)
		k.Take(key, 1)
		k.TakeString("another", 1)
		r := k.Key(key).Reserve(1)
		r.Cancel()
		k.Key(key).TakeUpTo(2)
		k.Key(key).Peek()
		multi.Take(key, 1)
		multi.Allow(key)
	})
	testkit.NoAllocs(t, "new keys", func() {
		k.AllowHash(rnd.Uint64())
		multi.AllowHash(rnd.Uint64())
	})
}

// A table that is filled beyond what fits becomes a larger one, and loses nobody.
func TestOverfill(t *testing.T) {
	for _, n := range []int{1, 8, 9, 100, 5000} {
		slots, found := ratelimit.Overfill(n)
		assert.True(t, found, "%d keys", n)
		assert.GreaterOrEqual(t, slots, n)
		assert.LessOrEqual(t, slots, max(8, 4*n), "%d keys", n)
	}
}

// Where no key lives near the new one, another group makes room: at once, or by a
// sweep if all are filled to the number at which keys look further.
func TestEvictFromAfar(t *testing.T) {
	for _, most := range []int{3, 6, 7} {
		k := must(ratelimit.NewKeyed(ratelimit.PerHour(10), ratelimit.WithMaxKeys(most), ratelimit.WithFull(ratelimit.EvictLeastDebt)))
		k.Spread(16, t0)
		var keys []uint64
		x := uint64(0)
		for ; len(keys) < most; x++ {
			if k.FirstGroup(x) == 0 {
				keys = append(keys, x)
				require.True(t, k.KeyHash(x).AllowAt(t0, int64(2+len(keys))))
			}
		}
		for k.FirstGroup(x) != 1 {
			x++
		}
		require.True(t, k.KeyHash(x).AllowAt(t0, 1))
		check(t, k)
		assert.EqualValues(t, 9, k.KeyHash(x).PeekAt(t0).Remaining)
		assert.Equal(t, most, k.Len())
		assert.EqualValues(t, 1, k.Stats().Evicted)
		forgiven := 0
		for i, key := range keys {
			if left := k.KeyHash(key).PeekAt(t0).Remaining; left == 10 {
				forgiven++
			} else {
				assert.EqualValues(t, 7-i, left)
			}
		}
		assert.Equal(t, 1, forgiven)
	}
}

// A key without debt has all of a new limit, also when the limit changes twice at one
// instant, as it may by a coarse clock: what is kept against late instants is no debt.
func TestSetLimitTwice(t *testing.T) {
	k := must(ratelimit.NewKeyed(ratelimit.PerSecond(10)))
	require.True(t, k.KeyString("gone").AllowAt(t0, 10))
	require.True(t, k.KeyString("full").AllowAt(t0, 10))
	now := t0.Add(time.Second)
	for _, burst := range []int64{10, 20, 30} {
		require.NoError(t, k.SetLimitAt(now, ratelimit.PerSecond(5).WithBurst(burst)))
		assert.Equal(t, burst, k.KeyString("new").PeekAt(now).Remaining)
		assert.Equal(t, burst, k.KeyString("full").PeekAt(now).Remaining, "it is full at this instant")
		granted, _ := k.KeyString(fmt.Sprint("new", burst)).TakeUpToAt(now, 100)
		assert.Equal(t, burst, granted)
		assert.Equal(t, burst-5, k.KeyString("late").PeekAt(t0).Remaining, "that may be who is gone")
	}
	check(t, k)
}
