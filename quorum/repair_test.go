package quorum_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/distkit/distkit/quorum"
	"github.com/stretchr/testify/require"
)

func TestRepairAsync(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newCluster()
		s.delay = map[string]time.Duration{"a": 1 * ms, "b": 2 * ms, "c": 9 * ms}
		s.value = map[string]int{"a": 1, "b": 2}
		c := build(t, 3, 2, 2, quorum.WithRepair(quorum.RepairAsync))
		ctx, cancel := context.WithCancel(t.Context())
		start := time.Now()
		res, err := quorum.Read(ctx, c, abc, s.op())
		cancel()
		require.NoError(t, err)
		require.Equal(t, 2*ms, time.Since(start))
		require.Empty(t, res.Repaired)
		rest(5 * ms)
		require.Equal(t, map[string]int{"a": 2, "b": 2}, s.value)
		require.EqualValues(t, 1, c.Stats().Repaired)
		check(t, c)
	})
}

func TestRepairBlocking(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newCluster()
		s.delay = map[string]time.Duration{"a": 1 * ms, "b": 2 * ms, "c": 9 * ms}
		s.value = map[string]int{"a": 1, "b": 2}
		c := build(t, 3, 2, 2, quorum.WithRepair(quorum.RepairBlocking))
		start := time.Now()
		res, err := quorum.Read(t.Context(), c, abc, s.op())
		require.NoError(t, err)
		require.Equal(t, 3*ms, time.Since(start))
		require.Equal(t, []string{"a"}, res.Repaired)
		require.Equal(t, map[string]int{"a": 2, "b": 2}, s.value)
		_, err = quorum.Read(t.Context(), c, abc, s.op())
		require.NoError(t, err)
		require.Equal(t, 5*ms, time.Since(start), "who agrees need not be told")
		check(t, c)
	})
}

// TestRepairBlockingNeedsAWriteQuorum: one reply agrees with itself, but if it
// is not a write quorum, a later read may miss the value.
func TestRepairBlockingNeedsAWriteQuorum(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newCluster()
		s.delay = map[string]time.Duration{"a": 1 * ms, "b": 2 * ms, "c": 3 * ms}
		s.value = map[string]int{"a": 5}
		c := build(t, 3, 1, 3, quorum.WithRepair(quorum.RepairBlocking))
		res, err := quorum.Read(t.Context(), c, abc, s.op())
		require.NoError(t, err)
		require.Equal(t, 5, res.Value)
		require.Equal(t, []string{"b", "c"}, res.Repaired)
		require.Equal(t, map[string]int{"a": 5, "b": 5, "c": 5}, s.value)

		s.value["a"] = 6
		op := s.op()
		repair := op.Repair
		op.Repair = func(ctx context.Context, target quorum.Target, v int) error {
			if target.Node == "c" {
				return errBoom
			}
			return repair(ctx, target, v)
		}
		_, err = quorum.Read(t.Context(), c, abc, op)
		require.ErrorIs(t, err, quorum.ErrNoQuorum, "a value that is not safe is not returned")
		require.Equal(t, "read", asError(t, err).Op)
		require.Contains(t, s.discards, 6)
		synctest.Wait()
		check(t, c)
	})
}

func TestRepairBlockingGoesOnToOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newCluster()
		s.delay = map[string]time.Duration{"a": 1 * ms, "b": 2 * ms, "c": 3 * ms, "d": 4 * ms, "e": 5 * ms}
		s.value = map[string]int{"a": 1, "b": 2, "c": 2}
		c := build(t, 5, 3, 3, quorum.WithRepair(quorum.RepairBlocking))
		op := s.op()
		repair := op.Repair
		op.Repair = func(ctx context.Context, target quorum.Target, v int) error {
			if target.Node == "a" {
				panic("no")
			}
			return repair(ctx, target, v)
		}
		res, err := quorum.Read(t.Context(), c, abcde, op)
		require.NoError(t, err)
		require.Equal(t, []string{"d"}, res.Repaired)
		require.Equal(t, 2, s.value["d"])
		require.Equal(t, 0, s.value["e"])
		check(t, c)
	})
}

func TestRepairOfStandIns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newCluster()
		s.value = map[string]int{"a": 3}
		c := build(t, 3, 2, 2, quorum.WithRepair(quorum.RepairBlocking), quorum.WithSloppy(2), quorum.WithHealth(s.down("b", "c")))
		res, err := quorum.Read(t.Context(), c, abcde, s.op())
		require.NoError(t, err)
		require.Equal(t, []string{"d"}, res.Repaired)
		require.Equal(t, []string{"a", "d for b", "d for b"}, s.targets())
		check(t, c)
	})
}
