package quorum_test

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/distkit/distkit/quorum"
	"github.com/stretchr/testify/require"
)

// tail answers after a log-normal millisecond, and one time in fifty 30 ms later.
func tail(seed uint64) func(context.Context, quorum.Target) (int, error) {
	var mu sync.Mutex
	rng := rand.New(rand.NewPCG(seed, 1))
	return func(ctx context.Context, _ quorum.Target) (int, error) {
		mu.Lock()
		d := time.Duration(math.Exp(0.35*rng.NormFloat64()) * float64(time.Millisecond))
		if rng.IntN(50) == 0 {
			d += 30 * time.Millisecond
		}
		mu.Unlock()
		select {
		case <-time.After(d):
			return 1, nil
		case <-ctx.Done():
			return 0, ctx.Err()
		}
	}
}

func TestHedgeCutsTheTail(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const reads = 20_000
		var times [2][]time.Duration
		var calls [2]float64
		for i, opts := range [][]quorum.Option{nil, {quorum.WithHedge(quorum.Hedge{})}} {
			c := build(t, 3, 2, 2, opts...)
			call := tail(7)
			for range reads {
				start := time.Now()
				_, err := quorum.Read(t.Context(), c, abc, quorum.Op[int]{Call: call})
				require.NoError(t, err)
				times[i] = append(times[i], time.Since(start))
				synctest.Wait()
			}
			calls[i] = float64(c.Stats().Calls) / reads
			slices.Sort(times[i])
			check(t, c)
		}
		require.Equal(t, 3.0, calls[0])
		require.Less(t, calls[1], 2.12)
		require.Greater(t, calls[1], 2.05)
		p99 := times[1][reads*99/100]
		require.Less(t, p99, 35*time.Millisecond/10, "asking two without hedges has 31 ms")
		t.Logf("p50 %v p99 %v p99.9 %v calls %.3f", times[1][reads/2], p99, times[1][reads*999/1000], calls[1])
	})
}

func TestHedgesHaveABudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newCluster()
		for _, node := range abc {
			s.delay[node] = 1 * ms
		}
		c := build(t, 3, 2, 2, quorum.WithHedge(quorum.Hedge{Budget: 0.1}))
		read := func(n int) {
			for range n {
				_, err := quorum.Read(t.Context(), c, abc, s.op())
				require.NoError(t, err)
				synctest.Wait()
			}
		}
		read(200)
		require.Zero(t, c.Stats().Hedges)
		for _, node := range abc { // an outage: all are slow
			s.delay[node] = 200 * ms
		}
		before := c.Stats()
		read(60)
		hedges := c.Stats().Hedges - before.Hedges
		require.GreaterOrEqual(t, hedges, uint64(10), "what was saved up")
		require.LessOrEqual(t, hedges, uint64(10+6))
		check(t, c)
	})
}

func TestHedgeAsksTheFastest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newCluster()
		s.delay = map[string]time.Duration{"a": 50 * ms, "b": 2 * ms, "c": 1 * ms, "d": 3 * ms, "e": 105 * ms / 100}
		c := build(t, 5, 2, 4, quorum.WithHedge(quorum.Hedge{}))
		for range 50 {
			_, err := quorum.Read(t.Context(), c, abcde, s.op())
			require.NoError(t, err)
		}
		s.asked = nil
		for range 10 {
			_, err := quorum.Read(t.Context(), c, abcde, s.op())
			require.NoError(t, err)
		}
		count := map[string]int{}
		for _, target := range s.asked {
			count[target.Node]++
		}
		require.Equal(t, 10, count["c"])
		require.Equal(t, 10, count["e"])

		s.delay["a"] = 1 * ms / 2 // it recovers, and probes find out
		for range 6000 {
			_, err := quorum.Read(t.Context(), c, abcde, s.op())
			require.NoError(t, err)
		}
		s.asked = nil
		_, err := quorum.Read(t.Context(), c, abcde, s.op())
		require.NoError(t, err)
		require.Contains(t, s.targets(), "a")
		check(t, c)
	})
}

func TestHedgedFailureStartsTheNext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newCluster()
		s.delay = map[string]time.Duration{"a": 1 * ms, "b": 2 * ms, "c": 3 * ms, "d": 4 * ms}
		s.fault = map[string]error{"a": errBoom, "c": errBoom}
		c := build(t, 3, 2, 2, quorum.WithHedge(quorum.Hedge{}), quorum.WithSloppy(2))
		start := time.Now()
		res, err := quorum.Read(t.Context(), c, abcde, s.op())
		require.NoError(t, err)
		require.Equal(t, 8*ms, time.Since(start), "a fails, then c, then d stands in")
		require.Equal(t, []string{"a", "b", "c", "d for a"}, s.targets())
		require.Len(t, res.Failed, 2)
		require.Zero(t, c.Stats().Hedges)
		check(t, c)
	})
}

func TestHedgedZones(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newCluster()
		prefs := []string{"a1", "a2", "b1", "b2", "c1", "c2"}
		c := build(t, 6, 2, 2, quorum.WithZones(zoneOf), quorum.WithHedge(quorum.Hedge{}),
			quorum.WithReadLevel(quorum.EachZone(quorum.One())))
		_, err := quorum.Read(t.Context(), c, prefs, s.op())
		require.NoError(t, err)
		require.Equal(t, []string{"a1", "b1", "c1"}, s.targets(), "none in vain")
		s.asked = nil
		_, err = quorum.Read(t.Context(), view(t, c, quorum.WithReadLevel(quorum.InZone("b", quorum.All()))), prefs, s.op())
		require.NoError(t, err)
		require.Equal(t, []string{"b1", "b2"}, s.targets())
		check(t, c)
	})
}

func TestHedgeRefuses(t *testing.T) {
	for want, h := range map[string]quorum.Hedge{
		"hedge quantile is 1, want 0 < q < 1":          {Quantile: 1},
		"hedge quantile is NaN":                        {Quantile: math.NaN()},
		"hedge waits -1ns to 0s, want 0 <= min <= max": {Min: -1},
		"hedge waits 2ns to 1ns, want":                 {Min: 2, Max: 1},
		"hedge budget is 2, want 0 < b <= 1":           {Budget: 2},
	} {
		_, err := quorum.New(3, 2, 2, quorum.WithHedge(h))
		require.ErrorContains(t, err, want)
	}
}
