package quorum_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/distkit/distkit/internal/invariants"
	"github.com/distkit/distkit/quorum"
	"github.com/stretchr/testify/require"
)

// TestSilentReplica: a replica that never answers costs at most as many calls in
// the background as are allowed, each for the straggler time-out. Writes beyond
// that are slow, not lost, and do not pile up.
func TestSilentReplica(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const bound, writers = 16, 100
		s := newCluster()
		s.delay = map[string]time.Duration{"c": time.Hour}
		c := build(t, 3, 2, 2, quorum.WithMaxBackground(bound), quorum.WithStragglerTimeout(time.Second))
		var wg sync.WaitGroup
		var mu sync.Mutex
		quick, slow := 0, 0
		start := time.Now()
		for range writers {
			wg.Go(func() {
				_, err := quorum.Write(t.Context(), c, abc, quorum.WriteOp{Call: s.writeOp().Call})
				if err != nil {
					t.Error(err)
				}
				mu.Lock()
				defer mu.Unlock()
				switch took := time.Since(start); took {
				case 0:
					quick++
				case time.Second:
					slow++
				default:
					t.Errorf("a write took %v", took)
				}
			})
		}
		synctest.Wait()
		require.Equal(t, bound, c.Stats().Background)
		wg.Wait()
		require.Equal(t, bound, quick)
		require.Equal(t, writers-bound, slow)
		synctest.Wait()
		require.Zero(t, c.Stats().Background)
		require.EqualValues(t, writers, c.Stats().Missed)
		check(t, c)
	})
}

// TestOutageIsNotAmplified: when all replicas become slow, or all fail, reads
// send hardly more calls than they need, and writes none.
func TestOutageIsNotAmplified(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newCluster()
		for _, node := range abc {
			s.delay[node] = ms
		}
		c := build(t, 3, 2, 2, quorum.WithHedge(quorum.Hedge{}))
		read := func(n int) (calls float64) {
			before := c.Stats().Calls
			for range n {
				_, _ = quorum.Read(t.Context(), c, abc, s.op())
				synctest.Wait()
			}
			return float64(c.Stats().Calls-before) / float64(n)
		}
		require.Equal(t, 2.0, read(1000))
		for _, node := range abc {
			s.delay[node] = time.Second
		}
		require.LessOrEqual(t, read(1000), 2*1.06)
		for _, node := range abc {
			s.fault[node] = errBoom
		}
		require.LessOrEqual(t, read(100), 3.0, "a failure starts the next, and there are three")
		_, err := quorum.Write(t.Context(), c, abc, quorum.WriteOp{Call: s.writeOp().Call})
		require.ErrorIs(t, err, quorum.ErrNoQuorum)
		synctest.Wait()
		check(t, c)
	})
}

// TestAllocations bounds what the usual operations allocate; under the race
// detector more is allocated.
func TestAllocations(t *testing.T) {
	for _, x := range []struct {
		n, r int
		want float64
	}{{3, 1, 1}, {3, 2, 8}, {7, 4, 14}} {
		c, prefs := build(t, x.n, x.r, 1), names(x.n)
		got := testing.AllocsPerRun(200, func() {
			if _, err := quorum.Read(context.Background(), c, prefs, quorum.Op[int]{Call: instant}); err != nil {
				t.Fatal(err)
			}
		})
		if !invariants.Enabled {
			require.LessOrEqual(t, got, x.want, "n=%d r=%d", x.n, x.r)
		}
		check(t, c)
	}
}
