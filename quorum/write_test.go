package quorum_test

import (
	"context"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/distkit/distkit/quorum"
	"github.com/stretchr/testify/require"
)

func exit() { runtime.Goexit() }

type traceKey struct{}

func TestWriteGoesOnInTheBackground(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newCluster()
		s.delay = map[string]time.Duration{"a": 1 * ms, "b": 2 * ms, "c": 80 * ms}
		c := build(t, 3, 2, 2)
		ctx, cancel := context.WithCancel(context.WithValue(t.Context(), traceKey{}, "id"))
		op := s.writeOp()
		call := op.Call
		op.Call = func(ctx context.Context, target quorum.Target) error {
			deadline, ok := ctx.Deadline()
			require.True(t, ok)
			require.Equal(t, 10*time.Second, time.Until(deadline))
			require.Equal(t, "id", ctx.Value(traceKey{}))
			inner, stop := context.WithCancel(ctx) // must need no goroutine, and hear nothing
			defer stop()
			return call(inner, target)
		}
		start := time.Now()
		receipt, err := quorum.Write(ctx, c, abc, op)
		require.NoError(t, err)
		require.Equal(t, 2*ms, time.Since(start))
		require.Equal(t, quorum.Receipt{Acked: []string{"a", "b"}, Pending: []string{"c"}}, receipt)
		require.Equal(t, 1, c.Stats().Background)
		cancel()
		rest(100 * ms)
		require.NoError(t, s.ended["c"])
		require.Equal(t, []quorum.Receipt{{Acked: abc}}, s.done)
		require.Empty(t, s.missed)
		check(t, c)
	})
}

func TestWriteStragglersTimeOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newCluster()
		s.delay = map[string]time.Duration{"b": time.Hour, "c": time.Hour}
		c := build(t, 3, 1, 1, quorum.WithStragglerTimeout(time.Second))
		_, err := quorum.Write(t.Context(), c, abc, s.writeOp())
		require.NoError(t, err)
		rest(time.Second)
		synctest.Wait()
		require.ErrorIs(t, s.missed["b"], context.DeadlineExceeded)
		require.ErrorIs(t, s.missed["c"], context.DeadlineExceeded)
		require.Len(t, s.done, 1)
		require.EqualValues(t, 2, c.Stats().Missed)

		start := time.Now() // a caller without a deadline is not left waiting either
		s.missed = map[string]error{}
		receipt, err := quorum.Write(t.Context(), view(t, c, quorum.WithWriteLevel(quorum.All())), abc, s.writeOp())
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Equal(t, time.Second, time.Since(start))
		require.Equal(t, []string{"a"}, receipt.Acked)
		require.True(t, asError(t, err).Indeterminate())
		check(t, c)
	})
}

func TestWriteErrors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newCluster()
		s.delay = map[string]time.Duration{"a": 1 * ms, "b": 2 * ms, "c": 3 * ms}
		s.fault = map[string]error{"a": errBoom, "c": errBoom}
		c := build(t, 3, 2, 2)
		receipt, err := quorum.Write(t.Context(), c, abc, s.writeOp())
		require.ErrorIs(t, err, quorum.ErrNoQuorum)
		e := asError(t, err)
		require.Equal(t, []string{"b"}, e.Acked)
		require.True(t, e.Indeterminate())
		require.Equal(t, []string{"b"}, receipt.Acked)
		require.Equal(t, e.Failed, receipt.Failed)
		synctest.Wait()
		require.Equal(t, map[string]error{"a": errBoom, "c": errBoom}, s.missed)
		require.Len(t, s.done, 1)

		s.fault = map[string]error{"a": errBoom, "b": errBoom}
		_, err = quorum.Write(t.Context(), view(t, c, quorum.WithWriteLevel(quorum.All())), abc, quorum.WriteOp{Call: s.writeOp().Call})
		require.Equal(t, []string{"b", "c"}, asError(t, err).Pending, "one failure of all three ends it")
		require.True(t, asError(t, err).Indeterminate())

		s.fault = map[string]error{"a": quorum.Permanent(errBoom), "b": quorum.Permanent(errBoom), "c": quorum.Permanent(errBoom)}
		s.delay = nil
		_, err = quorum.Write(t.Context(), c, abc, quorum.WriteOp{Call: s.writeOp().Call})
		require.ErrorIs(t, err, errBoom)
		require.NotErrorIs(t, err, quorum.ErrNoQuorum)
		require.NoError(t, quorum.Permanent(nil))
		synctest.Wait()
		check(t, c)
	})
}

func TestWriteOutlivesItsCaller(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newCluster()
		s.delay = map[string]time.Duration{"a": 1 * ms, "b": 20 * ms, "c": 30 * ms}
		c := build(t, 3, 2, 2)
		ctx, cancel := context.WithTimeout(t.Context(), 5*ms)
		defer cancel()
		_, err := quorum.Write(ctx, c, abc, s.writeOp())
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.True(t, asError(t, err).Indeterminate())
		rest(50 * ms)
		require.Equal(t, []quorum.Receipt{{Acked: abc}}, s.done)
		before := len(s.asked)
		_, err = quorum.Write(ctx, c, abc, s.writeOp())
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.False(t, asError(t, err).Indeterminate(), "nothing was sent")
		require.Len(t, s.asked, before)
		require.Len(t, s.done, 1)
		check(t, c)
	})
}

func TestSloppyWrite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newCluster()
		s.delay = map[string]time.Duration{"a": 1 * ms, "c": 2 * ms, "e": 3 * ms, "f": 4 * ms}
		s.fault = map[string]error{"c": errBoom, "e": errBoom}
		c := build(t, 3, 2, 3, quorum.WithHealth(s.down("b", "d")), quorum.WithSloppy(4))
		require.False(t, c.Strict())
		prefs := []string{"a", "b", "c", "d", "e", "f", "g", "h"}
		receipt, err := quorum.Write(t.Context(), c, prefs, s.writeOp())
		require.NoError(t, err)
		require.Equal(t, []string{"a"}, receipt.Acked)
		require.Equal(t, []quorum.Target{{"g", "b"}, {"f", "c"}}, receipt.Hinted)
		require.Equal(t, []string{"a", "c", "e for b", "f for c", "g for b"}, s.targets())
		require.Equal(t, []quorum.NodeError{{"b", quorum.ErrDown}, {"c", errBoom}, {"e", errBoom}}, receipt.Failed)
		synctest.Wait()
		require.Empty(t, s.missed, "somebody keeps it for each of them")
		require.Equal(t, []quorum.Receipt{receipt}, s.done)

		primaries := view(t, c, quorum.WithPrimaries(0, 2))
		_, err = quorum.Write(t.Context(), primaries, prefs, quorum.WriteOp{Call: s.writeOp().Call})
		require.ErrorIs(t, err, quorum.ErrNoQuorum)
		require.ElementsMatch(t, []string{"a", "f", "g"}[:len(asError(t, err).Acked)], asError(t, err).Acked)
		synctest.Wait()
		check(t, c)
	})
}

func TestWriteMissesWhoIsDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newCluster()
		c := build(t, 3, 2, 2, quorum.WithHealth(s.down("b")))
		receipt, err := quorum.Write(t.Context(), c, abc, s.writeOp())
		require.NoError(t, err)
		require.Equal(t, []string{"a", "c"}, receipt.Acked)
		require.Equal(t, map[string]error{"b": quorum.ErrDown}, s.missed)
		require.Equal(t, []string{"a", "c"}, s.targets())

		unavailable := view(t, c, quorum.WithHealth(s.down("b", "c")))
		receipt, err = quorum.Write(t.Context(), unavailable, abc, s.writeOp())
		require.ErrorIs(t, err, quorum.ErrUnavailable)
		require.False(t, asError(t, err).Indeterminate())
		require.Len(t, receipt.Failed, 2)
		synctest.Wait()
		require.Len(t, s.missed, 1, "a write that was not sent leaves no hint")
		require.Len(t, s.done, 1)
		check(t, c)
	})
}

func TestBackgroundIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newCluster()
		s.delay = map[string]time.Duration{"a": 1 * ms, "b": 2 * ms, "c": 100 * ms}
		c := build(t, 3, 2, 2, quorum.WithMaxBackground(1))
		start := time.Now()
		_, err := quorum.Write(t.Context(), c, abc, s.writeOp())
		require.NoError(t, err)
		require.Equal(t, 2*ms, time.Since(start))
		receipt, err := quorum.Write(t.Context(), view(t, c), abc, s.writeOp())
		require.NoError(t, err)
		require.Equal(t, 102*ms, time.Since(start), "no place: the second waits for its straggler")
		require.Equal(t, abc, receipt.Acked)

		_, err = quorum.Write(t.Context(), c, abc, s.writeOp())
		require.NoError(t, err)
		ctx, cancel := context.WithTimeout(t.Context(), 20*ms)
		defer cancel()
		start = time.Now()
		receipt, err = quorum.Write(ctx, c, abc, s.writeOp())
		require.NoError(t, err, "the level was met")
		require.Equal(t, 20*ms, time.Since(start))
		require.Equal(t, []string{"c"}, receipt.Pending)
		synctest.Wait()
		require.ErrorIs(t, s.missed["c"], context.DeadlineExceeded, "it does not outlive its caller beyond the bound")
		require.Equal(t, 1, c.Stats().Background)

		require.ErrorIs(t, c.Close(ctx), context.DeadlineExceeded)
		check(t, c)
	})
}

func TestNoBackgroundAtAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newCluster()
		s.delay = map[string]time.Duration{"c": 100 * ms}
		c := build(t, 3, 2, 1, quorum.WithMaxBackground(0))
		start := time.Now()
		receipt, err := quorum.Write(t.Context(), c, abc, s.writeOp())
		require.NoError(t, err)
		require.Equal(t, 100*ms, time.Since(start))
		require.Equal(t, abc, receipt.Acked)
		s.delay["c"] = time.Hour
		_, err = quorum.Write(t.Context(), c, abc, quorum.WriteOp{Call: s.writeOp().Call})
		require.NoError(t, err)
		require.Equal(t, 100*ms+10*time.Second, time.Since(start), "the straggler time-out ends it")
		check(t, c)
	})
}

func TestObserver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newCluster()
		s.delay = map[string]time.Duration{"a": 1 * ms, "b": 2 * ms, "c": 7 * ms}
		s.fault = map[string]error{"a": errBoom}
		var events []quorum.Event
		c := build(t, 3, 1, 1, quorum.WithObserver(func(e quorum.Event) { events = append(events, e) }))
		_, err := quorum.Write(t.Context(), c, abc, s.writeOp())
		require.NoError(t, err)
		rest(10 * ms)
		_, err = quorum.Read(t.Context(), c, abc, s.op())
		require.NoError(t, err)
		a, b, cc := quorum.Target{"a", "a"}, quorum.Target{"b", "b"}, quorum.Target{"c", "c"}
		require.Equal(t, []quorum.Event{
			{Op: "write", Target: a, Latency: 1 * ms, Err: errBoom},
			{Op: "write", Target: b, Latency: 2 * ms},
			{Op: "write", Target: cc, Latency: 7 * ms, Background: true},
			{Op: "read", Target: a, Latency: 1 * ms, Err: errBoom},
			{Op: "read", Target: b, Latency: 2 * ms},
		}, events)
		require.InDelta(t, float64(2*ms), float64(c.Stats().ReadLatency(1)), float64(2*ms)/8)
		require.InDelta(t, float64(7*ms), float64(c.Stats().WriteLatency(1)), float64(7*ms)/8)
		require.Zero(t, c.Stats().ReadLatency(1.5))
		check(t, c)
	})
}

func TestFresh(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		require.Zero(t, quorum.Stats{}.Fresh(0))
		require.Equal(t, 1.0, build(t, 3, 2, 2).Stats().Fresh(0))
		c := build(t, 3, 1, 1)
		require.Zero(t, c.Stats().Fresh(0), "nothing is known")
		call := tail(3)
		for range 300 {
			_, err := quorum.Write(t.Context(), c, abc, quorum.WriteOp{Call: func(ctx context.Context, target quorum.Target) error {
				_, err := call(ctx, target)
				return err
			}})
			require.NoError(t, err)
			_, err = quorum.Read(t.Context(), c, abc, quorum.Op[int]{Call: call})
			require.NoError(t, err)
		}
		s := c.Stats()
		at, later := s.Fresh(0), s.Fresh(100*ms)
		require.Greater(t, at, .5)
		require.Less(t, at, .99)
		require.Equal(t, 1.0, later, "all writes have arrived by then")
		require.Less(t, at, s.Fresh(2*ms))
		require.Zero(t, s.Fresh(-1))
		check(t, c)
	})
}
