package quorum_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/distkit/distkit/quorum"
	"github.com/stretchr/testify/require"
)

func TestReadReturnsWithTheQuorum(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newCluster()
		s.delay = map[string]time.Duration{"a": 5 * ms, "b": 50 * ms, "c": 2 * ms}
		s.value = map[string]int{"a": 1, "b": 2, "c": 3}
		c := build(t, 3, 2, 2)
		start := time.Now()
		res, err := quorum.Read(t.Context(), c, abc, s.op())
		require.NoError(t, err)
		require.Equal(t, 5*ms, time.Since(start))
		require.Equal(t, quorum.Result[int]{Value: 3, Replies: []quorum.Reply[int]{
			{Target: quorum.Target{Node: "a", Owner: "a"}, Value: 1, Latency: 5 * ms},
			{Target: quorum.Target{Node: "c", Owner: "c"}, Value: 3, Latency: 2 * ms},
		}}, res)
		synctest.Wait()
		require.ErrorIs(t, s.ended["b"], context.Canceled)
		require.Equal(t, 5*ms, time.Since(start), "the straggler heard of it at once")
		require.Empty(t, s.discards, "it had no value")
		check(t, c)
	})
}

func TestReadDiscardsEveryOtherValue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newCluster()
		s.delay = map[string]time.Duration{"a": 1 * ms, "b": 2 * ms, "c": 3 * ms}
		s.value = map[string]int{"a": 1, "b": 2, "c": 3}
		s.deaf = map[string]bool{"c": true}
		c := build(t, 3, 2, 2)
		_, err := quorum.Read(t.Context(), c, abc, s.op())
		require.NoError(t, err)
		require.Equal(t, 1, c.Stats().Background)
		rest(5 * ms)
		require.Equal(t, []int{3}, s.discards)
		require.EqualValues(t, 1, c.Stats().Late)

		s.fault["b"], s.fault["c"] = errBoom, errBoom
		_, err = quorum.Read(t.Context(), c, abc, s.op())
		require.ErrorIs(t, err, quorum.ErrNoQuorum)
		require.Equal(t, []int{3, 1}, s.discards, "the caller of a failed read gets no value")
		check(t, c)
	})
}

func TestReadFirstReplyWithoutMerge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newCluster()
		s.delay = map[string]time.Duration{"a": 3 * ms, "b": 1 * ms, "c": 9 * ms}
		s.value = map[string]int{"a": 1, "b": 2, "c": 3}
		c := build(t, 3, 2, 2)
		res, err := quorum.Read(t.Context(), c, abc, quorum.Op[int]{Call: s.serve})
		require.NoError(t, err)
		require.Equal(t, 2, res.Value)
		check(t, c)
	})
}

func TestReadErrors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newCluster()
		s.delay = map[string]time.Duration{"a": 1 * ms, "b": 2 * ms, "c": 30 * ms}
		s.fault = map[string]error{"a": errBoom, "b": errBoom}
		c := build(t, 3, 2, 2)
		start := time.Now()
		_, err := quorum.Read(t.Context(), c, abc, s.op())
		require.Equal(t, 2*ms, time.Since(start), "two failures of three end it")
		require.ErrorIs(t, err, quorum.ErrNoQuorum)
		require.ErrorIs(t, err, errBoom)
		require.NotErrorIs(t, err, quorum.ErrUnavailable)
		e := asError(t, err)
		require.Equal(t, []quorum.NodeError{{"a", errBoom}, {"b", errBoom}}, e.Failed)
		require.Equal(t, []string{"c"}, e.Pending)
		require.Empty(t, e.Acked)
		require.False(t, e.Indeterminate(), "a read")
		require.EqualError(t, err, "quorum: read: no quorum; failed a: boom, b: boom; pending c")

		s.fault = map[string]error{"b": quorum.Permanent(errBoom)}
		_, err = quorum.Read(t.Context(), c, abc, s.op())
		require.ErrorIs(t, err, errBoom)
		require.NotErrorIs(t, err, quorum.ErrNoQuorum)
		require.EqualError(t, err, "quorum: read: boom; acked a; failed b: boom; pending c")

		s.fault = nil
		s.delay["b"] = time.Second
		why := errors.New("user left")
		ctx, cancel := context.WithTimeoutCause(t.Context(), 10*ms, why)
		defer cancel()
		_, err = quorum.Read(ctx, c, abc, s.op())
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.ErrorIs(t, err, why)
		require.Equal(t, []string{"a"}, asError(t, err).Acked)
		require.EqualError(t, err, "quorum: read: context deadline exceeded (user left); acked a; pending b, c")
		_, err = quorum.Read(ctx, c, abc, s.op())
		require.ErrorIs(t, err, why)
		require.Empty(t, asError(t, err).Pending, "nothing was sent")
		synctest.Wait()
		check(t, c)
	})
}

func TestReadUnavailable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newCluster()
		c := build(t, 3, 2, 2, quorum.WithHealth(s.down("a", "c")))
		_, err := quorum.Read(t.Context(), c, abc, s.op())
		require.ErrorIs(t, err, quorum.ErrUnavailable)
		require.ErrorIs(t, err, quorum.ErrDown)
		require.Equal(t, []quorum.NodeError{{"a", quorum.ErrDown}, {"c", quorum.ErrDown}}, asError(t, err).Failed)
		_, err = quorum.Read(t.Context(), c, abc[:2], s.op())
		require.ErrorIs(t, err, quorum.ErrUnavailable)
		require.ErrorContains(t, err, "2 nodes given, want 3")
		one, err := c.With(quorum.WithReadLevel(quorum.One()), quorum.WithHealth(s.down("a", "b", "c")))
		require.NoError(t, err)
		_, err = quorum.Read(t.Context(), one, abc, s.op())
		require.ErrorIs(t, err, quorum.ErrUnavailable)
		_, err = quorum.Read(t.Context(), one, abc[:2], s.op())
		require.ErrorIs(t, err, quorum.ErrUnavailable)
		require.Empty(t, s.asked)
		require.EqualValues(t, 4, c.Stats().Unmet)
		check(t, c)
	})
}

func TestReadRefusesBadCalls(t *testing.T) {
	s := newCluster()
	c := build(t, 3, 2, 1)
	for _, c := range []*quorum.Coordinator{c, view(t, c, quorum.WithReadLevel(quorum.One()))} {
		_, err := quorum.Read(t.Context(), c, []string{"a", "b", "a"}, s.op())
		require.EqualError(t, err, `quorum: node "a" is given twice`)
		_, err = quorum.Read(t.Context(), c, abc, quorum.Op[int]{})
		require.EqualError(t, err, "quorum: Op has no Call")
	}
	_, err := quorum.Write(t.Context(), c, []string{"a", "b", "b"}, s.writeOp())
	require.EqualError(t, err, `quorum: node "b" is given twice`)
	_, err = quorum.Write(t.Context(), c, abc, quorum.WriteOp{})
	require.EqualError(t, err, "quorum: WriteOp has no Call")
	_, err = quorum.Read(t.Context(), view(t, c, quorum.WithRepair(quorum.RepairAsync)), abc, quorum.Op[int]{Call: s.serve})
	require.EqualError(t, err, "quorum: Op lacks Merge, Same or Repair, which WithRepair needs")
	require.Empty(t, s.asked)
	many := make([]string, 20)
	for i := range many {
		many[i] = string(rune('a' + i))
	}
	many[19] = "a"
	_, err = quorum.Read(t.Context(), build(t, 20, 2, 2), many, s.op())
	require.EqualError(t, err, `quorum: node "a" is given twice`)
	check(t, c)
}

func TestReadOneAfterTheOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newCluster()
		s.delay = map[string]time.Duration{"a": 3 * ms, "b": 1 * ms, "d": 2 * ms}
		s.fault = map[string]error{"a": errBoom, "c": errBoom}
		s.value["d"] = 4
		c := build(t, 3, 1, 3, quorum.WithHealth(s.down("b")), quorum.WithSloppy(2))
		res, err := quorum.Read(t.Context(), c, abcde, s.op())
		require.NoError(t, err)
		require.Equal(t, 4, res.Value)
		require.Equal(t, quorum.Target{Node: "d", Owner: "a"}, res.Replies[0].Target)
		require.Equal(t, 2*ms, res.Replies[0].Latency)
		require.Equal(t, []quorum.NodeError{{"b", quorum.ErrDown}, {"a", errBoom}, {"c", errBoom}}, byNode(res.Failed, "b", "a", "c"))
		require.Equal(t, []string{"a", "c", "d for a"}, s.targets())

		s.fault["a"] = quorum.Permanent(errBoom)
		_, err = quorum.Read(t.Context(), c, abcde, s.op())
		require.ErrorIs(t, err, errBoom)
		require.NotErrorIs(t, err, quorum.ErrNoQuorum)
		require.Len(t, s.asked, 4)

		s.fault = map[string]error{"a": errBoom, "c": errBoom, "d": errBoom, "e": errBoom}
		_, err = quorum.Read(t.Context(), c, abcde, s.op())
		require.ErrorIs(t, err, quorum.ErrNoQuorum)
		require.Len(t, asError(t, err).Failed, 5)

		ctx, cancel := context.WithTimeout(t.Context(), 1*ms)
		defer cancel()
		_, err = quorum.Read(ctx, c, abcde, s.op())
		require.ErrorIs(t, err, context.DeadlineExceeded)
		check(t, c)
	})
}

// byNode returns the errors in the order of the names.
func byNode(errs []quorum.NodeError, names ...string) []quorum.NodeError {
	var out []quorum.NodeError
	for _, name := range names {
		for _, e := range errs {
			if e.Node == name {
				out = append(out, e)
			}
		}
	}
	return out
}

func view(t *testing.T, c *quorum.Coordinator, opts ...quorum.Option) *quorum.Coordinator {
	t.Helper()
	v, err := c.With(opts...)
	require.NoError(t, err)
	return v
}

func TestSloppyRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newCluster()
		s.delay = map[string]time.Duration{"a": 1 * ms, "b": 1 * ms, "d": 4 * ms}
		s.fault = map[string]error{"b": errBoom}
		s.value = map[string]int{"d": 9}
		c := build(t, 3, 2, 2, quorum.WithHealth(s.down("c")), quorum.WithSloppy(2))
		res, err := quorum.Read(t.Context(), c, abcde, s.op())
		require.NoError(t, err)
		require.Equal(t, 9, res.Value)
		require.Equal(t, []string{"a", "b", "d for b"}, s.targets(), "stand-ins only as needed")
		require.Equal(t, quorum.Target{Node: "d", Owner: "b"}, res.Replies[1].Target)

		s.asked = nil
		_, err = quorum.Read(t.Context(), view(t, c, quorum.WithPrimaries(2, 0)), abcde, s.op())
		require.ErrorIs(t, err, quorum.ErrNoQuorum, "a stand-in is no owner")
		_, err = quorum.Read(t.Context(), view(t, c, quorum.WithPrimaries(1, 0)), abcde, s.op())
		require.NoError(t, err)
		check(t, c)
	})
}

func TestCallsThatPanicOrExit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := build(t, 3, 2, 2, quorum.WithSloppy(1))
		op := quorum.Op[int]{Call: func(_ context.Context, t quorum.Target) (int, error) {
			switch t.Node {
			case "a":
				panic("ouch")
			case "b":
				exit()
			}
			return 7, nil
		}}
		res, err := quorum.Read(t.Context(), c, []string{"a", "b", "c", "d"}, op)
		require.NoError(t, err)
		require.Equal(t, 7, res.Value)
		require.Len(t, res.Failed, 2)
		require.ErrorContains(t, byNode(res.Failed, "a")[0], "call panicked: ouch\n")
		require.ErrorContains(t, byNode(res.Failed, "b")[0], "ended its goroutine")
		_, err = quorum.Read(t.Context(), view(t, c, quorum.WithReadLevel(quorum.One()), quorum.WithSloppy(0)), []string{"a", "c", "d"}, op)
		require.NoError(t, err)
		synctest.Wait()
		check(t, c)
	})
}
