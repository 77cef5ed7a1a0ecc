package ratelimit

import (
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
	"github.com/distkit/distkit/ratelimit"
	"github.com/stretchr/testify/require"
)

// limiterLike is what a Limiter and a Key of a Keyed have in common.
type limiterLike interface {
	TakeAt(now time.Time, n int64) ratelimit.Result
	TakeUpToAt(now time.Time, n int64) (int64, ratelimit.Result)
	PeekAt(now time.Time) ratelimit.Result
	ReserveAt(now time.Time, n int64) ratelimit.Reservation
	Reset()
}

// client runs operations and keeps its reservations.
type client struct {
	limiter  func(key uint64) limiterLike
	setLimit func(time.Time, ratelimit.Limit) error
	reserved map[uint64]*ratelimit.Reservation
}

func (c *client) do(o op) (out outcome) {
	l, at := c.limiter(o.key), epoch.Add(time.Duration(o.at))
	switch o.kind {
	case opTake:
		out.result = l.TakeAt(at, o.n)
	case opTakeUpTo:
		out.granted, out.result = l.TakeUpToAt(at, o.n)
	case opPeek:
		out.result = l.PeekAt(at)
	case opReserve:
		r := l.ReserveAt(at, o.n)
		if out.ok = r.OK(); out.ok {
			out.delay = r.DelayFrom(at)
			c.reserved[o.key] = &r
		}
	case opCancel:
		if r := c.reserved[o.key]; r != nil {
			r.CancelAt(at)
		}
	case opReset:
		l.Reset()
	case opSetLimit:
		if err := c.setLimit(at, o.limit); err != nil {
			panic(err)
		}
	}
	return out
}

// record runs the operations of each client at the same time as those of the others.
func record(plans [][]op, c func(i int) func(op) outcome) []porcupine.Operation {
	var mu sync.Mutex
	var history []porcupine.Operation
	start := time.Now()
	var ready atomic.Int64
	var group sync.WaitGroup
	for i, plan := range plans {
		do := c(i)
		group.Go(func() {
			for ready.Add(1); ready.Load() < int64(len(plans)); {
				runtime.Gosched()
			}
			var mine []porcupine.Operation
			for _, o := range plan {
				call := time.Since(start)
				out := do(o)
				mine = append(mine, porcupine.Operation{ClientId: i, Input: o, Output: out, Call: int64(call), Return: int64(time.Since(start))})
			}
			mu.Lock()
			history = append(history, mine...)
			mu.Unlock()
		})
	}
	group.Wait()
	return history
}

// overlaps counts operations that began before the one before them ended.
func overlaps(history []porcupine.Operation) (n int) {
	for i, a := range history {
		for _, b := range history[:i] {
			if a.ClientId != b.ClientId && a.Call < b.Return && b.Call < a.Return {
				n++
			}
		}
	}
	return n
}

var modelLimits = []ratelimit.Limit{
	{Events: 1, Period: 1024, Burst: 8}, {Events: 1, Period: 256, Burst: 5}, {Events: 2, Period: 4096, Burst: 12},
}

// plan is n operations of a client, of these kinds, at instants around at.
func plan(rnd *rand.Rand, who, n int, kinds []opKind, at, spread int64, keys uint64) []op {
	var ops []op
	for range n {
		ops = append(ops, op{
			kind: kinds[rnd.IntN(len(kinds))], client: who, at: at + rnd.Int64N(spread), n: 1 + rnd.Int64N(4),
			limit: modelLimits[rnd.IntN(len(modelLimits))], key: rnd.Uint64N(keys),
		})
	}
	return ops
}

// Whatever goroutines ask of a Limiter at once, at instants in any order, there is one
// order in which the model gives the same answers, with all of their figures.
func TestLimiterIsLinearizable(t *testing.T) {
	all := []opKind{opTake, opTake, opTake, opTakeUpTo, opPeek, opReserve, opReserve, opCancel, opCancel, opReset, opSetLimit}
	met := 0
	for seed := range uint64(300) {
		rnd := rand.New(rand.NewPCG(seed, 1))
		l := check(ratelimit.New(modelLimits[0]))
		var plans [][]op
		for i := range modelClients {
			plans = append(plans, plan(rnd, i, 16, all, 1<<20, 4096, 1))
		}
		history := record(plans, func(int) func(op) outcome {
			c := &client{func(uint64) limiterLike { return l }, l.SetLimitAt, map[uint64]*ratelimit.Reservation{}}
			return c.do
		})
		met += overlaps(history)
		require.True(t, porcupine.CheckOperations(bucketModel(modelLimits[0], false), history), "seed %d", seed)
	}
	t.Logf("%d pairs of operations at once", met)
	require.Greater(t, met, 10)
}

// The same of the keys of a Keyed, whose table is small and moves, and in which the
// places of keys without debt are taken over by strangers all the time.
func TestKeyedIsLinearizable(t *testing.T) {
	kinds := []opKind{opTake, opTake, opTakeUpTo, opPeek, opReserve, opCancel, opSetLimit}
	met, reclaimed := 0, uint64(0)
	for seed := range uint64(40) {
		rnd := rand.New(rand.NewPCG(seed, 2))
		k := check(ratelimit.NewKeyed(modelLimits[0]))
		clients := make([]*client, modelClients)
		for i := range clients {
			clients[i] = &client{func(key uint64) limiterLike { return k.KeyHash(key) }, k.SetLimitAt, map[uint64]*ratelimit.Reservation{}}
		}
		var history []porcupine.Operation
		base := int64(0)
		for phase := range int64(4) { // of one instant each: for late ones a key that left may be stricter
			now := 1<<20 + phase*6000
			var plans [][]op
			for i := range modelClients {
				plans = append(plans, plan(rnd, i, 6, kinds, now, 1, 4))
			}
			stop := make(chan struct{})
			var strangers sync.WaitGroup
			strangers.Go(func() {
				for i := uint64(0); ; i++ {
					select {
					case <-stop:
						return
					default:
						k.KeyHash(1<<40+seed<<20+uint64(phase)<<16+i%40).AllowAt(epoch.Add(time.Duration(now)), 1)
					}
				}
			})
			part := record(plans, func(i int) func(op) outcome { return clients[i].do })
			close(stop)
			strangers.Wait()
			met += overlaps(part)
			for i := range part { // a phase begins when the one before has ended
				part[i].Call, part[i].Return = part[i].Call+base, part[i].Return+base
			}
			base += int64(time.Hour)
			history = append(history, part...)
		}
		reclaimed += k.Stats().Reclaimed
		require.True(t, porcupine.CheckOperations(bucketModel(modelLimits[0], true), history), "seed %d", seed)
	}
	t.Logf("%d pairs of operations at once, %d places taken over", met, reclaimed)
	require.Greater(t, met, 10)
	require.Greater(t, reclaimed, uint64(100))
}

func TestWindowsAreLinearizable(t *testing.T) {
	limit := ratelimit.Limit{Events: 7, Period: 1000}
	for _, a := range []ratelimit.Algorithm{ratelimit.FixedWindow, ratelimit.SlidingWindow} {
		for seed := range uint64(150) {
			rnd := rand.New(rand.NewPCG(seed, 3))
			l := check(ratelimit.New(limit, ratelimit.WithAlgorithm(a), ratelimit.WithAlign(epoch)))
			var plans [][]op
			for i := range modelClients {
				plans = append(plans, plan(rnd, i, 8, []opKind{opTake}, 5000, 2500, 1))
			}
			history := record(plans, func(int) func(op) outcome {
				c := &client{limiter: func(uint64) limiterLike { return l }}
				return c.do
			})
			require.True(t, porcupine.CheckOperations(windowModel(limit, a == ratelimit.SlidingWindow), history), "%v, seed %d", a, seed)
		}
	}
}

// A limiter that reads and writes without comparing is found out, and so is an answer
// that is wrong by one.
func TestTheJudge(t *testing.T) {
	wrong := 0
	for seed := range uint64(50) {
		rnd := rand.New(rand.NewPCG(seed, 4))
		var mu sync.Mutex
		state := newBucketState(modelLimits[0], false)
		var plans [][]op
		for i := range modelClients {
			plans = append(plans, plan(rnd, i, 8, []opKind{opTake}, 1<<20, 4096, 1))
		}
		history := record(plans, func(int) func(op) outcome {
			return func(o op) outcome {
				mu.Lock()
				mine := state
				mu.Unlock()
				time.Sleep(time.Microsecond)
				next, out := mine.step(o)
				mu.Lock()
				state = next
				mu.Unlock()
				return out
			}
		})
		if !porcupine.CheckOperations(bucketModel(modelLimits[0], false), history) {
			wrong++
		}
	}
	require.Positive(t, wrong) // how many depends on how goroutines are scheduled

	_, right := newBucketState(modelLimits[0], false).step(op{n: 1})
	one := []porcupine.Operation{{Input: op{n: 1}, Output: right, Call: 0, Return: 1}}
	require.True(t, porcupine.CheckOperations(bucketModel(modelLimits[0], false), one))
	right.result.Remaining++
	one[0].Output = right
	require.False(t, porcupine.CheckOperations(bucketModel(modelLimits[0], false), one))
}
