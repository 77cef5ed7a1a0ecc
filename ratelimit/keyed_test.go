package ratelimit_test

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/distkit/distkit/internal/invariants"
	"github.com/distkit/distkit/internal/testkit"
	"github.com/distkit/distkit/ratelimit"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var (
	_ ratelimit.Decider  = (*ratelimit.Keyed)(nil)
	_ ratelimit.Policies = (*ratelimit.Keyed)(nil)
)

var algorithms = []ratelimit.Algorithm{ratelimit.TokenBucket, ratelimit.FixedWindow, ratelimit.SlidingWindow}

// Every key is what a Limiter of its own would be, figures included, while slots
// are taken over, tables grow and shrink, and the limit changes.
func TestKeyedIsManyLimiters(t *testing.T) {
	testkit.NotUnderRace(t)
	for _, a := range algorithms {
		t.Run(a.String(), func(t *testing.T) {
			rnd := rand.New(rand.NewPCG(21, 22))
			limit := ratelimit.PerMinute(6)
			k := must(ratelimit.NewKeyed(limit, ratelimit.WithAlgorithm(a)))
			one := map[string]*ratelimit.Limiter{}
			now := t0
			for i := range 60_000 {
				// The keys in use drift, their number grows and shrinks.
				key := fmt.Sprint("key", i/2000, "-", rnd.IntN(1+50*(i/3000%8)))
				l := one[key]
				if l == nil {
					l = must(ratelimit.New(limit, ratelimit.WithAlgorithm(a)))
					one[key] = l
				}
				switch n := rnd.Int64N(8); rnd.IntN(8) {
				case 0:
					require.Equal(t, l.AllowAt(now, n), k.KeyString(key).AllowAt(now, n))
				case 1:
					granted, r := l.TakeUpToAt(now, n)
					granted2, r2 := k.Key([]byte(key)).TakeUpToAt(now, n)
					require.Equal(t, granted, granted2)
					require.Equal(t, r, r2)
				case 2:
					r, r2 := l.ReserveAt(now, n), k.KeyString(key).ReserveAt(now, n)
					require.Equal(t, r.OK(), r2.OK())
					require.Equal(t, r.DelayFrom(now), r2.DelayFrom(now))
					if rnd.IntN(2) == 0 {
						r.CancelAt(now)
						r2.CancelAt(now)
						r2.CancelAt(now)
					}
				case 3:
					require.Equal(t, l.PeekAt(now), k.KeyString(key).PeekAt(now))
				default:
					require.Equal(t, l.TakeAt(now, n), k.TakeAt(now, []byte(key), n))
				}
				now = now.Add(time.Duration(rnd.IntN(100)) * time.Millisecond)
				if i%9999 == 0 {
					limit = ratelimit.PerMinute(5 + rnd.Int64N(4))
					require.NoError(t, k.SetLimitAt(now, limit))
					for key, l := range one {
						if l.PeekAt(now).ResetAfter == 0 {
							delete(one, key) // no debt: all of the new limit
						}
						require.NoError(t, l.SetLimitAt(now, limit))
					}
				}
				if i%7777 == 0 {
					k.Reset([]byte(key))
					l.Reset()
				}
			}
			s := k.Stats()
			assert.Greater(t, s.Inserted, uint64(2000))
			assert.Greater(t, s.Reclaimed, uint64(1000))
			assert.Greater(t, s.Resized, uint64(5))
			assert.Less(t, s.Slots, 4096, "memory follows debt")
			assert.Equal(t, s.Keys, k.Len())
			check(t, k)
		})
	}
}

// check holds what is true of every table.
func check(t *testing.T, k *ratelimit.Keyed) {
	t.Helper()
	keys, problems := k.Verify()
	assert.Empty(t, problems)
	assert.Equal(t, keys, k.Len())
}

// The ways of giving a key are one key space; hashes are another.
func TestKeyedKeys(t *testing.T) {
	for _, opts := range [][]ratelimit.Option{nil, {ratelimit.WithSecret([16]byte{1})}} {
		k := must(ratelimit.NewKeyed(ratelimit.PerHour(8), opts...))
		assert.True(t, k.Allow([]byte("a")))
		assert.True(t, k.AllowString("a"))
		assert.True(t, k.Take([]byte("a"), 1).Allowed)
		assert.True(t, k.TakeString("a", 1).Allowed)
		assert.True(t, k.TakeAt(time.Now(), []byte("a"), 1).Allowed)
		assert.True(t, k.Key([]byte("a")).Allow())
		r, err := k.Decide(t.Context(), "a", 1)
		require.NoError(t, err)
		assert.True(t, r.Allowed)
		assert.Zero(t, r.Remaining-1)
		assert.NoError(t, k.Wait(t.Context(), []byte("a"), 1))
		assert.Zero(t, k.KeyString("a").Peek().Remaining)
		assert.ErrorIs(t, k.WaitString(t.Context(), "a", 9), ratelimit.ErrExceedsBurst)

		for _, h := range []uint64{0, 1, math.MaxUint64} {
			assert.True(t, k.AllowHash(h))
			assert.True(t, k.TakeHash(h, 6).Allowed)
			assert.True(t, k.KeyHash(h).Allow())
			assert.False(t, k.AllowHash(h))
		}
		assert.Equal(t, 4, k.Len())
		assert.True(t, k.AllowString(""))
		k.Reset([]byte("a"))
		assert.EqualValues(t, 8, k.KeyString("a").Peek().Remaining)
		k.Reset([]byte("never seen"))
		assert.Equal(t, []ratelimit.Limit{ratelimit.PerHour(8)}, k.Limits())
		check(t, k)
	}
}

// fewer is how many rounds of n there are: a tenth under the race detector.
func fewer(n int) int {
	if invariants.Enabled {
		return n / 10
	}
	return n
}

// Eight goroutines on a fresh key get its burst: no more, and no less.
func TestKeyedFirstSightRace(t *testing.T) {
	rounds := fewer(2000)
	k := must(ratelimit.NewKeyed(ratelimit.PerHour(10)))
	multi := must(ratelimit.NewKeyedMulti([]ratelimit.Limit{ratelimit.PerHour(20), ratelimit.PerDay(10)}))
	for round := range rounds {
		var passed, both atomic.Int64
		var group sync.WaitGroup
		for range 8 {
			group.Go(func() {
				for range 3 {
					if k.KeyHash(uint64(round)).AllowAt(t0, 1) {
						passed.Add(1)
					}
					if multi.KeyHash(uint64(round)).AllowAt(t0, 1) {
						both.Add(1)
					}
				}
			})
		}
		group.Wait()
		require.EqualValues(t, 10, passed.Load())
		require.EqualValues(t, 10, both.Load())
	}
	check(t, k)
	check(t, multi)
}

// Four goroutines fight for slots, tables are replaced, limits set, reservations
// canceled: no key gets more than its bound.
func TestKeyedUnderPressure(t *testing.T) {
	limit := ratelimit.Limit{Events: 1, Period: time.Millisecond, Burst: 5}
	k := must(ratelimit.NewKeyed(limit))
	const keys, goroutines, steps = 64, 4, 20_000
	var passed [keys]atomic.Int64
	var clock atomic.Int64
	var group sync.WaitGroup
	for g := range goroutines {
		group.Go(func() {
			rnd := rand.New(rand.NewPCG(23, uint64(g)))
			for i := range steps {
				at := t0.Add(time.Duration(clock.Add(rnd.Int64N(4000)) - rnd.Int64N(100_000)))
				id := rnd.Uint64N(keys)
				key := k.KeyHash(id)
				switch rnd.IntN(8) {
				case 0:
					k.KeyHash(keys+rnd.Uint64N(1<<40)).AllowAt(at, 3) // a passer-by
				case 1:
					r := key.ReserveAt(at, 2)
					if r.DelayFrom(at) > 0 {
						r.CancelAt(at)
					} else {
						passed[id].Add(2)
					}
				case 2:
					if i%500 == 0 {
						k.Compact()
					} else if i%501 == 0 {
						_ = k.SetLimitAt(at, limit)
					}
				default:
					if key.AllowAt(at, 1) {
						passed[id].Add(1)
					}
				}
			}
		})
	}
	group.Wait()
	check(t, k)
	most := limit.Burst + (clock.Load()+100_000+2)/int64(limit.Period) + 1
	for id := range passed {
		// Compact reads the true time, at which all debts are gone: late instants are held to what left.
		assert.LessOrEqual(t, passed[id].Load(), most, "key %d", id)
		assert.Greater(t, passed[id].Load(), most/2, "key %d", id)
	}
}

// A flood of strangers forgives nobody: what a debtor may take after it is what it
// might have taken without.
func TestFloodForgivesNothing(t *testing.T) {
	k := must(ratelimit.NewKeyed(ratelimit.PerHour(100)))
	for i := range 100 {
		require.EqualValues(t, 100-i, must2(k.KeyString(fmt.Sprint("debtor", i)).TakeUpToAt(t0, 100-int64(i))))
	}
	for i := range fewer(200_000) {
		k.TakeAt(t0.Add(time.Duration(i)*time.Microsecond), fmt.Append(nil, "stranger", i), 1)
	}
	for i := range 100 {
		assert.EqualValues(t, i, k.KeyString(fmt.Sprint("debtor", i)).PeekAt(t0.Add(time.Second)).Remaining, "debtor %d", i)
	}
	check(t, k)
}

func must2[A, B any](a A, _ B) A { return a }

// Late instants mint nothing, even for a key that has left the table since.
func TestKeyedReorderedInstants(t *testing.T) {
	k := must(ratelimit.NewKeyed(ratelimit.PerSecond(10)))
	passed := 0
	for i := range fewer(2000) {
		// Other keys push it out at later instants.
		for j := range 20 {
			k.KeyHash(uint64(1+20*i+j)).AllowAt(t0.Add(2*time.Second), 1)
		}
		if k.KeyHash(0).AllowAt(t0.Add(time.Duration(i%2)*500*time.Millisecond), 1) {
			passed++
		}
	}
	assert.LessOrEqual(t, passed, 15)
	assert.Greater(t, passed, 0)
	check(t, k)
}

func TestKeyedUnlimited(t *testing.T) {
	k := must(ratelimit.NewKeyed(ratelimit.Unlimited))
	for i := range 100 {
		assert.True(t, k.TakeHash(uint64(i), math.MaxInt64).Allowed)
		assert.False(t, k.TakeHash(uint64(i), -1).Allowed)
	}
	assert.Zero(t, k.Len(), "nobody is in debt")
	require.NoError(t, k.SetLimit(ratelimit.PerHour(1)))
	for i := range 100 {
		assert.True(t, k.AllowHash(uint64(i)))
		assert.False(t, k.AllowHash(uint64(i)))
	}
	require.NoError(t, k.SetLimit(ratelimit.Unlimited))
	assert.Zero(t, k.Len())
	assert.True(t, k.AllowHash(1))
}

func TestZeroKeyed(t *testing.T) {
	var k ratelimit.Keyed
	assert.Zero(t, k.Len()+k.Compact())
	assert.Zero(t, k.Stats())
	assert.Empty(t, k.Limits())
	assert.Zero(t, k.KeyString("a").Peek())
	assert.Zero(t, k.Key([]byte("a")).PeekAt(t0))
	for name, f := range map[string]func(){
		"Allow":       func() { k.Allow([]byte("a")) },
		"AllowString": func() { k.AllowString("a") },
		"AllowHash":   func() { k.AllowHash(1) },
		"Take":        func() { k.TakeString("a", 1) },
		"Decide":      func() { _, _ = k.Decide(context.Background(), "a", 1) },
		"Reserve":     func() { k.KeyHash(1).Reserve(1) },
		"Wait":        func() { _ = k.WaitString(t.Context(), "a", 1) },
		"SetLimit":    func() { _ = k.SetLimit(ratelimit.PerSecond(1)) },
		"Reset":       func() { k.Reset([]byte("a")) },
	} {
		assert.PanicsWithValue(t, "ratelimit: a zero Keyed has no limit; make one with NewKeyed", f, name)
	}
	var key ratelimit.Key
	assert.Zero(t, key.Peek())
	assert.Zero(t, key.PeekAt(t0))
	assert.PanicsWithValue(t, "ratelimit: a zero Key is of no Keyed; make one with NewKeyed, and get keys from it", func() { key.Allow() })
}
