package redislimit

import (
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

type admission struct {
	at time.Duration
	n  int64
}

// bound checks every span between two admissions: at most rate*W + burst + extra pass.
func bound(t *testing.T, admissions []admission, limit ratelimit.Limit, slack time.Duration, extra int64) {
	t.Helper()
	for i := range admissions {
		var sum int64
		for _, a := range admissions[i:] {
			sum += a.n
			w := a.at - admissions[i].at + slack
			most := int64(w)*limit.Events/int64(limit.Period) + limit.Burst + extra
			require.LessOrEqual(t, sum, most, "from %v to %v", admissions[i].at, a.at)
		}
	}
}

// Three servers with leases: however they spend, the bounds of the package's comment
// hold over every span of time.
func TestLeaseBound(t *testing.T) {
	const servers, size, ttl, latency = 3, 8, 300 * time.Millisecond, time.Millisecond
	for seed := range uint64(6) {
		synctest.Test(t, func(t *testing.T) {
			limit := ratelimit.Limit{Events: 40, Period: time.Second, Burst: 20}
			_, m := onMemory(t, limit)
			m.latency = latency
			var mu sync.Mutex
			var admissions []admission
			leased := uint64(0)
			var group sync.WaitGroup
			for s := range uint64(servers) {
				l := over(t, m, WithLease(size, ttl))
				for caller := range uint64(4) {
					group.Go(func() {
						rnd := rand.New(rand.NewPCG(seed, 10*s+caller))
						for time.Since(m.base) < 5*time.Second {
							n := 1 + rnd.Int64N(1+int64(seed%3))
							r, err := l.Decide(ctx, "hot", n)
							assert.NoError(t, err)
							if r.Allowed {
								mu.Lock()
								admissions = append(admissions, admission{time.Since(m.base), n})
								mu.Unlock()
							}
							pause := rnd.IntN(20 + 200*int(seed%2))
							if rnd.IntN(50) == 0 {
								pause += 1000 // and the lease lapses
							}
							time.Sleep(time.Duration(pause) * time.Millisecond)
						}
					})
				}
				defer func() { leased += l.Stats().Leased }()
			}
			group.Wait()
			bound(t, admissions, limit, 2*latency, servers*size)
			bound(t, admissions, limit, ttl+2*latency, 0)
			var sum int64
			for _, a := range admissions {
				sum += a.n
			}
			assert.Greater(t, sum, int64(100), "it is used up to a good part")
		})
	}
}

// A hot key is decided here, after a few trips that take ever more; its events are
// charged all the same.
func TestLeaseSavesTrips(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, m := onMemory(t, ratelimit.PerHour(100_000), WithLease(1000, time.Hour))
		for i := range int64(20_000) {
			r, err := l.Decide(ctx, "hot", 1)
			require.NoError(t, err)
			require.True(t, r.Allowed)
			require.LessOrEqual(t, r.Remaining, 100_000-i-1)
			require.GreaterOrEqual(t, r.Remaining, 100_000-i-1-1000)
		}
		assert.Less(t, m.count(), 40)
		s := l.Stats()
		assert.Equal(t, uint64(20_000), s.Leased+s.Trips)
		r, err := over(t, m).Decide(ctx, "hot", 0)
		require.NoError(t, err)
		assert.LessOrEqual(t, r.Remaining, int64(80_000))
		assert.GreaterOrEqual(t, r.Remaining, int64(79_000))
		testkit.NoAllocs(t, "an event that is held", func() { _, _ = l.Decide(ctx, "hot", 1) })
	})
}

// A key that is asked for once in a while is not leased: nothing lapses.
func TestColdKeysAreNotLeased(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, m := onMemory(t, ratelimit.PerHour(100), WithLease(10, time.Second))
		for range 10 {
			_, err := l.Decide(ctx, "cold", 1)
			require.NoError(t, err)
			time.Sleep(2 * time.Second)
		}
		for _, asks := range m.asks {
			assert.Equal(t, []int64{1}, asks[0].events)
		}
	})
}

// What was not spent lapses: neither spent nor given back.
func TestLeaseLapses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, m := onMemory(t, ratelimit.PerDay(100), WithLease(10, time.Second))
		for range 3 {
			_, err := l.Decide(ctx, "alice", 1)
			require.NoError(t, err)
		}
		before := m.count()
		time.Sleep(time.Second)
		synctest.Wait()
		m.err = errBroken
		_, err := l.Decide(ctx, "alice", 1)
		assert.ErrorIs(t, err, errBroken, "there is nothing left to spend")
		assert.Equal(t, before+1, m.count())
	})
}

// When less is left than a lease takes, it takes what is left; when a request is
// refused, it takes nothing that smaller ones could have.
func TestLeaseTakesWhatIsLeft(t *testing.T) {
	l, m := onMemory(t, ratelimit.PerDay(20), WithLease(10, time.Hour))
	passed := int64(0)
	for range 40 {
		r, err := l.Decide(ctx, "alice", 1)
		require.NoError(t, err)
		if r.Allowed {
			passed++
		} else {
			assert.Positive(t, r.RetryAfter)
		}
	}
	assert.Equal(t, int64(20), passed)

	other := over(t, m, WithLease(10, time.Hour), WithoutDenyCache())
	for _, n := range []int64{6, 6, 6, 6, 6} { // 18 pass; of 2 that are left, a lease takes none
		_, err := other.Decide(ctx, "bob", n)
		require.NoError(t, err)
	}
	r, err := over(t, m).Decide(ctx, "bob", 0)
	require.NoError(t, err)
	left := r.Remaining
	_, err = other.Decide(ctx, "bob", 6)
	require.NoError(t, err)
	r, err = over(t, m).Decide(ctx, "bob", 0)
	require.NoError(t, err)
	assert.Equal(t, left, r.Remaining)
}

// Reset gives up what this server holds.
func TestResetOfALease(t *testing.T) {
	l, _ := onMemory(t, ratelimit.PerDay(20), WithLease(10, time.Hour))
	for range 20 {
		_, err := l.Decide(ctx, "alice", 1)
		require.NoError(t, err)
	}
	require.NoError(t, l.Reset(ctx, "alice"))
	r, err := l.Decide(ctx, "alice", 1)
	require.NoError(t, err)
	assert.Equal(t, int64(19), r.Remaining)
}
