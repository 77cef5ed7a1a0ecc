package quorum

import (
	"context"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
	"github.com/distkit/distkit/quorum"
	"github.com/distkit/distkit/quorum/expr"
	"github.com/stretchr/testify/require"
)

// TestTheJudge: porcupine finds a stale read, and believes a write that never
// returned whenever it is seen.
func TestTheJudge(t *testing.T) {
	op := func(in input, out int, call, end int64) porcupine.Operation {
		return porcupine.Operation{Input: in, Output: out, Call: call, Return: end}
	}
	one, two := input{true, 1}, input{true, 2}
	require.True(t, linearizable([]porcupine.Operation{op(one, 0, 0, 1), op(two, 0, 2, 3), op(input{}, 2, 4, 5)}))
	require.False(t, linearizable([]porcupine.Operation{op(one, 0, 0, 1), op(two, 0, 2, 3), op(input{}, 1, 4, 5)}))
	require.True(t, linearizable([]porcupine.Operation{op(one, 0, 0, 1), op(two, 0, 2, 1e9), op(input{}, 1, 4, 5), op(input{}, 2, 6, 7)}))
	require.False(t, linearizable([]porcupine.Operation{op(one, 0, 0, 1), op(two, 0, 2, 1e9), op(input{}, 2, 4, 5), op(input{}, 1, 6, 7)}))
}

// TestRegister: with R = W = 2 of 3 and RepairBlocking the register is
// linearizable, whatever is late, lost or down. What falls short of that does
// so in a way that is caught: R = W = 1, reads that do not repair, stand-ins.
func TestRegister(t *testing.T) {
	abd := counts(2, 2, quorum.WithRepair(quorum.RepairBlocking))
	operations, open := 0, 0
	for seed := range uint64(seeds) {
		history := register(seed, abd, nil)
		require.True(t, linearizable(history), "seed %d", seed)
		operations += len(history)
		for _, op := range history {
			if op.Return > int64(time.Hour) {
				open++
			}
		}
	}
	t.Logf("%d operations, of which %d never returned", operations, open)
	require.Greater(t, operations, 100*seeds)
	require.Greater(t, open, 10)
	require.Less(t, legal(counts(1, 1)), seeds/2)
	require.Less(t, legal(counts(2, 2)), seeds, "a read sees a half-done write, and the next does not")
	require.Less(t, legal(standIns(false)), seeds, "stand-ins ack what the owners do not know")
	require.Equal(t, seeds, legal(standIns(true)), "owners that meet must ack themselves")
}

// standIns is ABD with two stand-ins for those that fail, who answer reads from
// the hints that they keep for the owner.
func standIns(primaries bool) func() func(int) stage {
	return func() func(int) stage {
		opts := []quorum.Option{quorum.WithRepair(quorum.RepairBlocking), quorum.WithSloppy(2)}
		if primaries {
			opts = append(opts, quorum.WithPrimaries(2, 2))
		}
		c := check(quorum.New(3, 2, 2, opts...))
		return func(client int) stage { return newStage(c, append(turned(client), "d", "e")...) }
	}
}

// majority is an expression of names of one letter.
func majority(nodes string) expr.Expr {
	var all []expr.Expr
	for _, name := range nodes {
		all = append(all, expr.Node(string(name)))
	}
	return expr.Majority(all...)
}

// under is a stage that runs a system; all its stages share one coordinator.
func under(c *quorum.Coordinator, reads, writes expr.Expr) stage {
	s := check(expr.NewSystem(reads, writes))
	return newStage(check(c.With(quorum.WithSystem(s))), s.Nodes()...)
}

// swap moves the register from a, b, c to b, c, d while clients use it: by the
// four steps that package quorum describes, or by none of them.
func swap(joint bool) (first func() func(int) stage, change func(*lab)) {
	before, after := majority("abc"), majority("bcd")
	both := expr.All(before, after)
	var old, reads, writes, next stage // one set of stages at a time: runs do not overlap
	first = func() func(int) stage {
		c := check(quorum.New(3, 2, 2, quorum.WithRepair(quorum.RepairBlocking)))
		old, next = under(c, before, before), under(c, after, after)
		reads, writes = under(c, before, both), under(c, after, both)
		return func(int) stage { return old }
	}
	return first, func(l *lab) {
		rng := rand.New(rand.NewPCG(l.seed, 99))
		everywhere := func(s stage) {
			for _, i := range rng.Perm(clients) {
				time.Sleep(time.Duration(rng.Int64N(int64(25 * time.Millisecond))))
				<-l.clients[i].stage // its older calls have ended
				l.clients[i].stage <- s
			}
		}
		time.Sleep(30 * time.Millisecond)
		if joint {
			everywhere(reads) // writes joint, reads old
		}
		for !l.copyTo("d", old) {
			time.Sleep(timeout)
		}
		if joint {
			everywhere(writes) // reads new, writes joint
		}
		everywhere(next)
	}
}

// copyTo gives a node what a majority of the owners has.
func (l *lab) copyTo(node string, s stage) bool {
	id := uint64(time.Since(l.begun))
	res, err := quorum.Read(context.Background(), s.write, s.prefs, quorum.Op[version]{Call: l.get(id), Merge: newer})
	return err == nil && l.put(id|1, quorum.Target{Node: node, Owner: node}, res.Value) == nil
}

// TestSwap: joint writes keep the register linearizable while its owners change.
// Without them, a majority of the old owners and one of the new may miss each
// other, and that is caught.
func TestSwap(t *testing.T) {
	caught := 0
	for seed := range uint64(seeds) {
		first, change := swap(true)
		history := register(seed, first, change)
		require.True(t, linearizable(history), "seed %d", seed)
		require.Greater(t, len(history), 80)
		first, change = swap(false)
		if !linearizable(register(seed, first, change)) {
			caught++
		}
	}
	t.Logf("%d of %d seeds catch a swap without joint writes", caught, seeds)
	require.Positive(t, caught)
}

// TestRegistersAtOnce runs labs in parallel, for the race detector.
func TestRegistersAtOnce(t *testing.T) {
	var wg sync.WaitGroup
	verdicts := make([]bool, 4)
	for i := range verdicts {
		wg.Go(func() {
			verdicts[i] = linearizable(register(uint64(100+i), counts(2, 2, quorum.WithRepair(quorum.RepairBlocking)), nil))
		})
	}
	wg.Wait()
	require.False(t, slices.Contains(verdicts, false))
}
