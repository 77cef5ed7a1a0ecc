package redislimit

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/distkit/distkit/ratelimit"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var ctx = context.Background()

// Whoever finds nothing under way flies alone and at once. Those who come while two
// trips are under way wait, and share the next: in one command for each key.
func TestOnlyThoseWaitWhoFindTripsUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, m := onMemory(t, ratelimit.PerHour(100), WithPrefix(""))
		m.latency = time.Millisecond
		start := time.Now()
		var group sync.WaitGroup
		for i := range 12 {
			group.Go(func() {
				r, err := l.Decide(ctx, []string{"alice", "bob"}[i%2], 1)
				assert.NoError(t, err)
				assert.True(t, r.Allowed)
			})
			synctest.Wait()
		}
		group.Wait()
		assert.Equal(t, 4*time.Millisecond, time.Since(start))
		require.Len(t, m.asks, 3)
		assert.Len(t, m.asks[0], 1)
		assert.Len(t, m.asks[1], 1)
		require.Len(t, m.asks[2], 2)
		assert.Equal(t, "alice", m.asks[2][0].key)
		assert.Equal(t, []int64{1, 1, 1, 1, 1}, m.asks[2][0].events)
		assert.Equal(t, []int64{1, 1, 1, 1, 1}, m.asks[2][1].events)
		r, err := l.Decide(ctx, "alice", 0)
		assert.NoError(t, err)
		assert.Equal(t, int64(94), r.Remaining)
		assert.Equal(t, Stats{Trips: 4, Commands: 5}, l.Stats())
	})
}

func TestWithoutBatchingNobodyWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, m := onMemory(t, ratelimit.PerHour(100), WithoutBatching())
		m.latency = time.Millisecond
		start := time.Now()
		var group sync.WaitGroup
		for range 12 {
			group.Go(func() {
				_, err := l.Decide(ctx, "alice", 1)
				assert.NoError(t, err)
			})
		}
		group.Wait()
		assert.Equal(t, 2*time.Millisecond, time.Since(start))
		assert.Equal(t, 12, m.count())
	})
}

// A store that hangs holds callers for one round trip, and those who wait behind them
// for two, and after three trips nobody, but for the probes.
func TestStoreThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, m := onMemory(t, ratelimit.PerHour(1000), WithTimeout(time.Second))
		hang := make(chan struct{})
		m.hang = hang
		start := time.Now()
		var group sync.WaitGroup
		for i := range 10 {
			group.Go(func() {
				_, err := l.Decide(ctx, fmt.Sprint(i), 1)
				assert.ErrorIs(t, err, ErrUnavailable)
				assert.ErrorContains(t, err, "no answer within 1s")
				assert.Equal(t, time.Duration(1+min(1, i/places))*time.Second, time.Since(start), "caller %d", i)
			})
			synctest.Wait()
		}
		group.Wait()
		assert.Equal(t, 3, m.count())
		assert.True(t, l.Stats().Down)
		start = time.Now()
		for range 100 {
			_, err := l.Decide(ctx, "alice", 1)
			assert.ErrorIs(t, err, ErrUnavailable)
			assert.ErrorContains(t, err, "not asked since: no answer within 1s")
		}
		assert.Zero(t, time.Since(start))
		assert.Equal(t, 3, m.count())

		// Probes are ever rarer, up to two seconds apart and one that takes.
		var probes []time.Duration
		for last := time.Now(); len(probes) < 8; {
			time.Sleep(10 * time.Millisecond)
			before := m.count()
			if _, err := l.Decide(ctx, "probe", 1); m.count() > before {
				assert.ErrorIs(t, err, ErrUnavailable)
				probes = append(probes, time.Since(last)-time.Second)
				last = time.Now()
			}
		}
		for i, pause := range probes {
			longest := min(minBackoff<<i, maxBackoff)
			assert.GreaterOrEqual(t, pause, longest/2)
			assert.LessOrEqual(t, pause, longest+20*time.Millisecond)
		}

		// The trips come back at last, to nobody. The store is well again.
		close(hang)
		m.set(func() { m.hang = nil })
		time.Sleep(maxBackoff)
		r, err := l.Decide(ctx, "alice", 1)
		assert.NoError(t, err)
		assert.Equal(t, int64(999), r.Remaining)
		assert.False(t, l.Stats().Down)
		assert.NoError(t, l.Close())
	})
}

// While the breaker is open and a probe is under way, nobody else asks.
func TestOneProbe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, m := onMemory(t, ratelimit.PerHour(1000), WithoutBatching())
		m.err = errBroken
		for range tripAfter {
			_, err := l.Decide(ctx, "alice", 1)
			assert.ErrorIs(t, err, errBroken)
		}
		assert.True(t, l.Stats().Down)
		time.Sleep(minBackoff)
		m.set(func() { m.err, m.latency = nil, 100*time.Millisecond })
		var group sync.WaitGroup
		failed := make(chan error, 10)
		for range 10 {
			group.Go(func() {
				if _, err := l.Decide(ctx, "alice", 1); err != nil {
					failed <- err
				}
			})
		}
		group.Wait()
		assert.Len(t, failed, 9)
		assert.Equal(t, tripAfter+1, m.count())
		assert.False(t, l.Stats().Down)
	})
}

// Failures count in a row: a store that answers now and then is not down.
func TestFailuresInARow(t *testing.T) {
	l, m := onMemory(t, ratelimit.PerHour(1000))
	for i := range 20 {
		m.set(func() { m.err = nil })
		if i%tripAfter != 0 {
			m.set(func() { m.err = errBroken })
		}
		_, err := l.Decide(ctx, "alice", 1)
		assert.Equal(t, i%tripAfter != 0, errors.Is(err, errBroken), "%v", err)
	}
	assert.False(t, l.Stats().Down)
}

// What callers are told while the store is down, next to why.
func TestPolicies(t *testing.T) {
	var handled error
	for name, test := range map[string]struct {
		opts    []Option
		allowed int // of ten
	}{
		"closed":            {nil, 0},
		"open":              {[]Option{WithFailOpen()}, 10},
		"fallback":          {[]Option{WithFallback(0.3)}, 2},
		"fallback, handled": {[]Option{WithFallback(1), WithErrorHandler(func(err error) { handled = err })}, 8},
		"leased":            {[]Option{WithLease(2, time.Second), WithFallback(0.01)}, 1},
	} {
		synctest.Test(t, func(t *testing.T) { // where no time passes, and nobody probes
			l, m := onMemory(t, ratelimit.PerHour(8), test.opts...)
			m.err = errBroken
			allowed := 0
			for range 10 {
				r, err := l.Decide(ctx, "alice", 1)
				if l.config.handler != nil {
					assert.NoError(t, err)
					err = handled
				}
				assert.ErrorIs(t, err, ErrUnavailable, name)
				assert.ErrorIs(t, err, errBroken, name)
				if r.Allowed {
					allowed++
				}
			}
			assert.Equal(t, test.allowed, allowed, name)
			rs, err := l.DecideBatch(ctx, []Request{{"bob", 1}, {"bob", 9}, {"bob", 0}, {"bob", -1}})
			assert.Equal(t, test.allowed > 0, rs[0].Allowed, name)
			assert.False(t, rs[1].Allowed, name)
			assert.Equal(t, test.allowed > 0, rs[2].Allowed, name)
			assert.False(t, rs[3].Allowed, name)
			assert.Equal(t, l.config.handler == nil, err != nil, name)
			assert.ErrorIs(t, l.Reset(ctx, "alice"), ErrUnavailable, name)
			assert.Equal(t, 3, m.count(), name)
		})
	}
}

// Whoever leaves before take-off is not charged; who leaves in the air may be.
func TestLeaving(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, m := onMemory(t, ratelimit.PerHour(10), WithLease(5, time.Hour), WithTimeout(time.Minute))
		m.latency = time.Second
		reason := errors.New("left")
		leaving, leave := context.WithCancelCause(ctx)
		var group sync.WaitGroup
		for i := range 4 { // two in the air, two on the ground
			group.Go(func() {
				who := leaving
				if i == 3 {
					who = ctx
				}
				_, err := l.Decide(who, "alice", 1)
				if i < 3 {
					assert.ErrorIs(t, err, reason)
				} else {
					assert.NoError(t, err)
				}
			})
			synctest.Wait()
		}
		start := time.Now()
		leave(reason)
		synctest.Wait()
		assert.Zero(t, time.Since(start))
		group.Wait()
		var charged int64
		for _, asks := range m.asks {
			for _, a := range asks {
				for _, n := range a.events {
					charged += n
				}
			}
		}
		assert.Equal(t, int64(2+1+1), charged, "two, one more in advance, and the one who stayed")
		// Nobody is stuck as the one who asks for more.
		_, err := l.Decide(ctx, "alice", 2)
		assert.NoError(t, err)
	})
}

// When all who wait have left, nobody flies.
func TestNoEmptyFlights(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, m := onMemory(t, ratelimit.PerHour(10))
		m.latency = 100 * time.Millisecond
		leaving, leave := context.WithCancel(ctx)
		var group sync.WaitGroup
		for range 5 {
			group.Go(func() {
				_, err := l.Decide(leaving, "alice", 1)
				assert.ErrorIs(t, err, context.Canceled)
			})
		}
		synctest.Wait()
		leave()
		group.Wait()
		assert.NoError(t, l.Close())
		assert.Equal(t, places, m.count())
	})
}

func TestCloseWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, m := onMemory(t, ratelimit.PerHour(10))
		m.latency = 100 * time.Millisecond
		var group sync.WaitGroup
		for range 5 {
			group.Go(func() {
				_, err := l.Decide(ctx, "alice", 1)
				assert.NoError(t, err)
			})
		}
		synctest.Wait()
		start := time.Now()
		assert.NoError(t, l.Close())
		assert.Equal(t, 400*time.Millisecond, time.Since(start))
		group.Wait()
		_, err := l.Decide(ctx, "alice", 1)
		assert.ErrorIs(t, err, ErrClosed)
	})
}
