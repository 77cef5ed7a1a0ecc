package quorum_test

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/distkit/distkit/quorum"
	"github.com/distkit/distkit/quorum/expr"
	"github.com/stretchr/testify/require"
)

// noGoroutines fails if any goroutine of the package outlives its coordinator.
func noGoroutines(t *testing.T) {
	t.Helper()
	var stacks []byte
	for range 1000 { // the last ones may still be on their way out
		stacks = make([]byte, 1<<20)
		stacks = stacks[:runtime.Stack(stacks, true)]
		if !bytes.Contains(stacks, []byte("quorum.(*call).")) && !bytes.Contains(stacks, []byte("quorum.(*batch).")) {
			return
		}
		time.Sleep(time.Millisecond)
	}
	t.Fatalf("goroutines are left:\n%s", stacks)
}

// tree is a random system and the nodes that its operations are sent to.
type tree struct {
	c             *quorum.Coordinator
	reads, writes expr.Expr
	prefs         []string
}

func drawTrees(t *testing.T, c *quorum.Coordinator, rng *rand.Rand, n int) (out []tree) {
	for range n {
		var owners []string
		for i := range 2 + rng.IntN(11) { // more than the inline slots hold, too
			owners = append(owners, fmt.Sprint("n", i))
		}
		reads := drawTree(rng, owners)
		sys, err := expr.NewSystem(reads, reads.Dual())
		require.NoError(t, err)
		opts := []quorum.Option{quorum.WithSystem(sys)}
		if rng.IntN(2) == 0 {
			opts = append(opts, quorum.WithHedge(quorum.Hedge{Max: time.Millisecond}))
		}
		rng.Shuffle(len(owners), func(i, k int) { owners[i], owners[k] = owners[k], owners[i] })
		out = append(out, tree{view(t, c, opts...), sys.Reads(), sys.Writes(), owners})
	}
	return out
}

// tally counts what a stress of many goroutines did.
type tally struct {
	won, lost, writes, ended atomic.Int64
	missed, wantMissed       atomic.Int64
}

// operate reads or writes with replicas of which some fail, and holds that it is
// won if and only if those that answer are a quorum.
func (x tree) operate(t *testing.T, rng *rand.Rand, sum *tally) {
	good, failing := map[string]bool{}, int64(0)
	var answers []string
	for _, node := range x.prefs {
		if good[node] = rng.IntN(4) > 0; good[node] {
			answers = append(answers, node)
		} else {
			failing++
		}
	}
	slow := x.prefs[rng.IntN(len(x.prefs))]
	call := func(_ context.Context, t quorum.Target) error {
		if t.Node == slow {
			runtime.Gosched()
		}
		if good[t.Node] {
			return nil
		}
		return errBoom
	}
	need, err := x.writes, error(nil)
	if rng.IntN(2) == 0 {
		need = x.reads
		_, err = quorum.Read(t.Context(), x.c, x.prefs, quorum.Op[string]{Call: func(ctx context.Context, t quorum.Target) (string, error) {
			return t.Node, call(ctx, t)
		}})
	} else {
		sum.writes.Add(1)
		sum.wantMissed.Add(failing)
		_, err = quorum.Write(t.Context(), x.c, x.prefs, quorum.WriteOp{
			Call: call, Missed: func(string, error) { sum.missed.Add(1) },
			Done: func(r quorum.Receipt) {
				sum.ended.Add(1)
				if len(r.Acked) != len(answers) || len(r.Failed) != int(failing) || len(r.Pending) > 0 {
					t.Errorf("done with %v", r)
				}
			},
		})
	}
	if need.Satisfied(answers...) != (err == nil) {
		t.Errorf("%v of %v: %v", answers, need, err)
	}
	if err == nil {
		sum.won.Add(1)
	} else {
		sum.lost.Add(1)
	}
}

// TestStress runs operations of random rule trees from many goroutines, real
// ones. Which replicas fail is drawn before, so that the outcome is known.
func TestStress(t *testing.T) {
	c := build(t, 3, 2, 2, quorum.WithMaxBackground(64))
	trees := drawTrees(t, c, rand.New(rand.NewPCG(1, 2)), 40)
	var wg sync.WaitGroup
	var sum tally
	for worker := range 8 {
		wg.Go(func() {
			rng := rand.New(rand.NewPCG(3, uint64(worker)))
			for range 250 {
				trees[rng.IntN(len(trees))].operate(t, rng, &sum)
			}
		})
	}
	wg.Wait()
	check(t, c)
	noGoroutines(t)
	require.EqualValues(t, 8*250, c.Stats().Reads+c.Stats().Writes)
	require.EqualValues(t, sum.lost.Load(), c.Stats().Unmet)
	require.Equal(t, sum.writes.Load(), sum.ended.Load())
	require.Equal(t, sum.wantMissed.Load(), sum.missed.Load(), "each owner once")
	require.Greater(t, sum.won.Load(), int64(500))
	require.Greater(t, sum.lost.Load(), int64(200))
}

// TestStressOfCancel ends the callers' contexts at any moment, of reads that ask
// all and of reads that hedge.
func TestStressOfCancel(t *testing.T) {
	opts := []quorum.Option{
		quorum.WithSloppy(2), quorum.WithRepair(quorum.RepairBlocking), quorum.WithMaxBackground(8),
		quorum.WithStragglerTimeout(20 * time.Millisecond),
	}
	for name, c := range map[string]*quorum.Coordinator{
		"all":    build(t, 5, 3, 3, opts...),
		"hedged": build(t, 5, 3, 3, append(opts, quorum.WithHedge(quorum.Hedge{Quantile: .5, Budget: 1}))...),
	} {
		var wg sync.WaitGroup
		var values accounts
		for worker := range 8 {
			wg.Go(func() {
				rng := rand.New(rand.NewPCG(5, uint64(worker)))
				for range 100 {
					ctx, cancel := context.WithTimeout(t.Context(), time.Duration(rng.IntN(800))*time.Microsecond)
					values.operate(ctx, c, rng)
					cancel()
				}
			})
		}
		wg.Wait()
		check(t, c)
		noGoroutines(t)
		require.Equal(t, values.made.Load(), values.discarded.Load()+values.kept.Load(), "%s: a value is given to the caller or to Discard, once", name)
		require.Positive(t, values.kept.Load())
		require.Positive(t, values.discarded.Load())
		if name == "hedged" {
			require.Positive(t, c.Stats().Hedges)
		}
	}
}

// accounts counts the values of reads: all that were made, and where they went.
type accounts struct{ made, discarded, kept atomic.Int64 }

// operate reads or writes at replicas that take some hundred microseconds and
// sometimes fail.
func (a *accounts) operate(ctx context.Context, c *quorum.Coordinator, rng *rand.Rand) {
	prefs := []string{"a", "b", "c", "d", "e", "f", "g"}
	seed := rng.Uint64()
	call := func(ctx context.Context, t quorum.Target) (int, error) {
		rng := rand.New(rand.NewPCG(seed, uint64(t.Node[0])))
		select {
		case <-time.After(time.Duration(rng.IntN(400)) * time.Microsecond):
		case <-ctx.Done():
			return 0, ctx.Err()
		}
		if rng.IntN(6) == 0 {
			return 0, errBoom
		}
		return rng.IntN(3), nil
	}
	write := func(ctx context.Context, t quorum.Target) error {
		_, err := call(ctx, t)
		return err
	}
	if rng.IntN(3) == 0 {
		_, _ = quorum.Write(ctx, c, prefs, quorum.WriteOp{Call: write})
		return
	}
	res, _ := quorum.Read(ctx, c, prefs, quorum.Op[int]{
		Call: func(ctx context.Context, t quorum.Target) (int, error) {
			v, err := call(ctx, t)
			if err == nil {
				a.made.Add(1)
			}
			return v, err
		},
		Merge: func(a, b int) int { return max(a, b) }, Same: func(a, b int) bool { return a == b },
		Repair:  func(ctx context.Context, t quorum.Target, _ int) error { return write(ctx, t) },
		Discard: func(int) { a.discarded.Add(1) },
	})
	a.kept.Add(int64(len(res.Replies)))
}
