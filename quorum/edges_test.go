package quorum_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/distkit/distkit/quorum"
	"github.com/stretchr/testify/require"
)

// TestContextOfACall: what a replica call is given is a context like any other,
// before it ends and after.
func TestContextOfACall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newCluster()
		c := build(t, 2, 1, 1, quorum.WithStragglerTimeout(time.Second))
		var kept context.Context
		heard := make(chan string, 3)
		_, err := quorum.Write(t.Context(), c, []string{"a", "b"}, quorum.WriteOp{Call: func(ctx context.Context, target quorum.Target) error {
			if target.Node == "a" {
				return s.writeOp().Call(ctx, target)
			}
			kept = ctx
			require.NoError(t, ctx.Err())
			context.AfterFunc(ctx, func() { heard <- "after" })
			stop := context.AfterFunc(ctx, func() { heard <- "never" })
			require.True(t, stop())
			require.False(t, stop(), "it was stopped before")
			derived, cancel := context.WithTimeout(ctx, time.Hour)
			defer cancel()
			deadline, ok := derived.Deadline()
			require.True(t, ok)
			require.Equal(t, time.Second, time.Until(deadline))
			<-derived.Done()
			heard <- "done"
			return ctx.Err()
		}})
		require.NoError(t, err)
		rest(2 * time.Second)
		require.ElementsMatch(t, []string{"after", "done"}, []string{<-heard, <-heard})
		require.ErrorIs(t, kept.Err(), context.DeadlineExceeded)
		<-kept.Done()
		stop := context.AfterFunc(kept, func() { heard <- "late" })
		require.Equal(t, "late", <-heard, "it has ended, so this runs at once")
		require.False(t, stop())
		late, cancel := context.WithCancel(kept)
		defer cancel()
		require.Error(t, late.Err())
		check(t, c)
	})
}

// TestDoneAskedForAfterTheEnd: the channel is made when somebody wants it.
func TestDoneAskedForAfterTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := build(t, 3, 2, 2)
		var kept context.Context
		var once sync.Once
		_, err := quorum.Read(t.Context(), c, abc, quorum.Op[int]{Call: func(ctx context.Context, _ quorum.Target) (int, error) {
			once.Do(func() { kept = ctx })
			return 1, nil
		}})
		require.NoError(t, err)
		synctest.Wait()
		<-kept.Done()
		require.ErrorIs(t, kept.Err(), context.Canceled)
		_, ok := kept.Deadline()
		require.False(t, ok, "reads have the caller's, who has none")
		check(t, c)
	})
}

func TestHedgedReadEndsWithItsCaller(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newCluster()
		for _, node := range abc {
			s.delay[node] = ms
		}
		c := build(t, 3, 2, 2, quorum.WithHedge(quorum.Hedge{}))
		for range 100 {
			_, err := quorum.Read(t.Context(), c, abc, s.op())
			require.NoError(t, err)
		}
		for _, node := range abc {
			s.delay[node] = time.Hour
		}
		ctx, cancel := context.WithTimeout(t.Context(), 50*ms)
		defer cancel()
		start := time.Now()
		_, err := quorum.Read(ctx, c, abc, s.op())
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Equal(t, 50*ms, time.Since(start))
		require.Len(t, asError(t, err).Pending, 3, "the hedge as well")
		synctest.Wait()
		check(t, c)
	})
}

// TestExitStartsTheNext: a call that ends its goroutine is a failure, and what
// that makes necessary is done by another.
func TestExitStartsTheNext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := build(t, 3, 2, 2, quorum.WithHedge(quorum.Hedge{}))
		res, err := quorum.Read(t.Context(), c, abc, quorum.Op[string]{Call: func(_ context.Context, t quorum.Target) (string, error) {
			if t.Node == "a" {
				exit()
			}
			return t.Node, nil
		}})
		require.NoError(t, err)
		require.Equal(t, "b", res.Replies[0].Value)
		require.Equal(t, "c", res.Replies[1].Value)
		synctest.Wait()
		check(t, c)
	})
}

func TestRepairsThatFail(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newCluster()
		s.value = map[string]int{"a": 2}
		var mu sync.Mutex
		var events []error
		c := build(t, 2, 2, 2, quorum.WithRepair(quorum.RepairAsync), quorum.WithObserver(func(e quorum.Event) {
			mu.Lock()
			defer mu.Unlock()
			if e.Op == "repair" {
				events = append(events, e.Err)
			}
		}))
		op := s.op()
		op.Repair = func(context.Context, quorum.Target, int) error { panic("ouch") }
		_, err := quorum.Read(t.Context(), c, []string{"a", "b"}, op)
		require.NoError(t, err)
		synctest.Wait()
		require.Len(t, events, 1)
		require.ErrorContains(t, events[0], "repair panicked: ouch\n")
		require.Zero(t, c.Stats().Repaired)

		blocking := view(t, c, quorum.WithRepair(quorum.RepairBlocking), quorum.WithZones(zoneOf), quorum.WithWriteLevel(quorum.InZone("x", quorum.One())))
		_, err = quorum.Read(t.Context(), blocking, []string{"a", "b"}, s.op())
		require.ErrorIs(t, err, quorum.ErrUnavailable, "no write quorum to write back to")
		nowhere := view(t, c, quorum.WithRepair(quorum.RepairBlocking), quorum.WithZones(func(string) string { return "" }), quorum.WithWriteLevel(quorum.EachZone(quorum.One())))
		_, err = quorum.Read(t.Context(), nowhere, []string{"a", "b"}, s.op())
		require.EqualError(t, err, `quorum: node "a" has no zone`)
		check(t, c)
	})
}

func TestWriteBatchObservedAndRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		seen := map[string]error{}
		observe := quorum.WithObserver(func(e quorum.Event) {
			mu.Lock()
			defer mu.Unlock()
			seen[fmt.Sprint(e.Op, " ", e.Target.Node)] = e.Err
		})
		f := newFleet()
		f.fault["n1"] = errBoom
		c := build(t, 3, 2, 2, observe)
		require.NoError(t, errors.Join(quorum.WriteBatch(t.Context(), c, 1, spread(3, 3), f.call)...))
		synctest.Wait()
		require.Equal(t, map[string]error{"batch n0": nil, "batch n1": errBoom, "batch n2": nil}, seen)

		row := func(int, []string) []string { return []string{"a", "b", "x"} }
		sys := view(t, c, quorum.WithSystem(system(t, "majority(a,b,c)", "majority(a,b,c)")))
		require.EqualError(t, quorum.WriteBatch(t.Context(), sys, 1, row, f.call)[0], `quorum: node "x" is not in the system`)
		zones := view(t, c, quorum.WithZones(func(node string) string { return map[string]string{"a": "z"}[node] }), quorum.WithWriteLevel(quorum.EachZone(quorum.One())))
		require.EqualError(t, quorum.WriteBatch(t.Context(), zones, 1, row, f.call)[0], `quorum: node "b" has no zone`)
		check(t, c)
	})
}

func TestHistogramOfLongTimes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := build(t, 1, 1, 1)
		_, err := quorum.Read(t.Context(), c, []string{"a"}, quorum.Op[int]{Call: func(context.Context, quorum.Target) (int, error) {
			time.Sleep(time.Hour)
			return 1, nil
		}})
		require.NoError(t, err)
		require.Greater(t, c.Stats().ReadLatency(.5), 2*time.Minute, "what is longer than two minutes is just that")
		check(t, c)
	})
}

// TestPanicsOfTheCaller: functions that run on the caller's goroutine may panic.
// The caller gets the panic, and the coordinator goes on and can be closed.
func TestPanicsOfTheCaller(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newCluster()
		s.delay = map[string]time.Duration{"c": 5 * ms}
		bad := func() { panic("ouch") }
		c := build(t, 3, 2, 2)
		sick := view(t, c, quorum.WithHealth(func(string) bool { bad(); return true }))
		one := view(t, sick, quorum.WithReadLevel(quorum.One()))
		repair := view(t, c, quorum.WithRepair(quorum.RepairBlocking))
		merge, same := s.op(), s.op()
		merge.Merge = func(int, int) int { bad(); return 0 }
		same.Same = func(int, int) bool { bad(); return true }
		missed := s.writeOp()
		missed.Missed = func(string, error) { bad() }
		for name, f := range map[string]func(){
			"merge":         func() { _, _ = quorum.Read(t.Context(), c, abc, merge) },
			"same":          func() { _, _ = quorum.Read(t.Context(), repair, abc, same) },
			"health, read":  func() { _, _ = quorum.Read(t.Context(), sick, abc, s.op()) },
			"health, one":   func() { _, _ = quorum.Read(t.Context(), one, abc, s.op()) },
			"health, write": func() { _, _ = quorum.Write(t.Context(), sick, abc, s.writeOp()) },
			"missed":        func() { _, _ = quorum.Write(t.Context(), view(t, c, quorum.WithHealth(s.down("a"))), abc, missed) },
			"batch, prefs": func() {
				quorum.WriteBatch(t.Context(), c, 1, func(int, []string) []string { bad(); return nil }, newFleet().call)
			},
			"batch, health":   func() { quorum.WriteBatch(t.Context(), sick, 1, spread(3, 3), newFleet().call) },
			"health of mends": func() { mendSick(t, c, s) },
		} {
			require.PanicsWithValue(t, "ouch", f, name)
			_, err := quorum.Read(t.Context(), c, abc, s.op())
			require.NoError(t, err, name)
		}
		rest(time.Second)
		check(t, c)
	})
}

// TestMissedOfTheDown: whatever the replicas that are up do meanwhile, an owner
// that was down from the start is missed on the caller's goroutine. The variable
// is not guarded, so the race detector tells, and a panic would end the process.
func TestMissedOfTheDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newCluster()
		c := build(t, 3, 2, 2, quorum.WithHealth(s.down("a")))
		missed := 0
		op := s.writeOp()
		op.Missed = func(owner string, err error) {
			require.Equal(t, "a", owner)
			require.ErrorIs(t, err, quorum.ErrDown)
			missed++
			panic("ouch")
		}
		for i := range 100 {
			require.PanicsWithValue(t, "ouch", func() { _, _ = quorum.Write(t.Context(), c, abc, op) })
			require.Equal(t, i+1, missed)
		}
		rest(time.Second)
		check(t, c)
	})
}

// mendSick reads with a health function that panics when the read is over and
// the repair begins.
func mendSick(t *testing.T, c *quorum.Coordinator, s *cluster) {
	asked := 0
	sick := view(t, c, quorum.WithRepair(quorum.RepairBlocking), quorum.WithHealth(func(string) bool {
		if asked++; asked > 3 {
			panic("ouch")
		}
		return true
	}))
	_, _ = quorum.Read(t.Context(), sick, abc, s.op())
}
