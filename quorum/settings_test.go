package quorum_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/distkit/distkit/quorum"
	"github.com/stretchr/testify/require"
)

// TestSettings holds the table of the package comment to its word: what reads
// and writes of each setting bear, by the number of dead nodes, for N = 3 and 5.
func TestSettings(t *testing.T) {
	for _, n := range []int{3, 5} {
		for _, x := range []struct {
			name                  string
			r, w                  int
			readsBear, writesBear int // dead nodes
			strict                bool
		}{
			{"fast reads", 1, n, n - 1, 0, true},
			{"fast writes", n, 1, 0, n - 1, true},
			{"balanced", n/2 + 1, n/2 + 1, (n+1)/2 - 1, (n+1)/2 - 1, true},
			{"eventual", 1, 1, n - 1, n - 1, false},
		} {
			c := build(t, n, x.r, x.w)
			require.Equal(t, x.strict, c.Strict(), x.name)
			for dead := range n + 1 {
				synctest.Test(t, func(t *testing.T) {
					s := newCluster()
					for _, node := range abcde[:dead] {
						s.fault[node] = errBoom
					}
					c := build(t, n, x.r, x.w)
					_, err := quorum.Read(t.Context(), c, abcde[:n], s.op())
					require.Equal(t, dead <= x.readsBear, err == nil, "read of %s, %d of %d dead", x.name, dead, n)
					_, err = quorum.Write(t.Context(), c, abcde[:n], quorum.WriteOp{Call: s.writeOp().Call})
					require.Equal(t, dead <= x.writesBear, err == nil, "write of %s, %d of %d dead", x.name, dead, n)
					check(t, c)
				})
			}
		}
	}
}

// TestALostNodeCanLoseData, with W = 1, R = N: the only replica that had acked is
// gone for good, and a new, empty one takes its place.
func TestALostNodeCanLoseData(t *testing.T) {
	for w, want := range map[int]int{1: 0, 2: 7} {
		synctest.Test(t, func(t *testing.T) {
			s := newCluster()
			c := build(t, 3, 3, w)
			for _, node := range abc[w:] {
				s.fault[node] = errBoom
			}
			_, err := quorum.Write(t.Context(), c, abc, s.put(7))
			require.NoError(t, err)
			synctest.Wait()
			s.fault = nil
			delete(s.value, "a")
			res, err := quorum.Read(t.Context(), c, abc, s.op())
			require.NoError(t, err)
			require.Equal(t, want, res.Value, "W = %d", w)
			synctest.Wait()
			check(t, c)
		})
	}
}

// put is a write of v.
func (s *cluster) put(v int) quorum.WriteOp {
	return quorum.WriteOp{Call: func(ctx context.Context, t quorum.Target) error { return s.op().Repair(ctx, t, v) }}
}

// TestHalfDoneWrites: R + W > N is not linearizable. A read sees a write that is
// half done, and the next read does not; with RepairBlocking it does.
func TestHalfDoneWrites(t *testing.T) {
	for mode, want := range map[quorum.RepairMode]int{quorum.RepairNone: 1, quorum.RepairBlocking: 2} {
		synctest.Test(t, func(t *testing.T) {
			s := newCluster()
			s.value = map[string]int{"a": 2, "b": 1, "c": 1} // a write of 2 that reached a only
			c := build(t, 3, 2, 2, quorum.WithRepair(mode))
			s.delay = map[string]time.Duration{"c": 5 * ms}
			res, err := quorum.Read(t.Context(), c, abc, s.op())
			require.NoError(t, err)
			require.Equal(t, 2, res.Value)
			synctest.Wait() // c may just begin, and looks at the delays
			s.delay = map[string]time.Duration{"a": 5 * ms}
			res, err = quorum.Read(t.Context(), c, abc, s.op())
			require.NoError(t, err)
			require.Equal(t, want, res.Value)
			synctest.Wait()
			check(t, c)
		})
	}
}
