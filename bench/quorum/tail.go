package quorum

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/distkit/distkit/bench/bar"
	"github.com/distkit/distkit/quorum"
	"github.com/grafana/dskit/ring"
)

// inFakeTime runs f in a bubble where time passes when everybody waits, and
// returns when all goroutines have ended: one that never does is a deadlock,
// and a panic. A zero T is all that it takes, as long as nothing fails.
func inFakeTime(f func()) { synctest.Test(new(testing.T), func(*testing.T) { f() }) }

// tailFigures read two of three replicas that take a log-normal millisecond
// (σ 0.35) and one time in fifty 30 ms more.
func tailFigures() []bar.Figure {
	ours := sync.OnceValue(func() tail { return measureTail(ourTail) })
	theirs := sync.OnceValue(func() tail { return measureTail(theirTail) })
	return []bar.Figure{
		{Name: "p99 of dskit's with a hedge at 3 ms", Unit: "%", Limit: 80, Measure: func() float64 { return 100 * ours().p99 / theirs().p99 }},
		{Name: "p99, dskit 4.37 ms", Unit: "ms", Limit: 3.5, Measure: func() float64 { return ours().p99 }},
		{Name: "calls a read, dskit 2.04", Unit: "", Limit: 2.12, Measure: func() float64 { return ours().calls }},
		{Name: "calls of those needed in an outage", Unit: "", Limit: 1.06, Measure: outage},
	}
}

type tail struct{ p99, calls float64 }

const tailReads = 20_000

// replicas draw their latencies from one stream.
type replicas struct {
	mu     sync.Mutex
	rng    *rand.Rand
	calls  int
	outage time.Duration // which all of them take
}

func (r *replicas) answer(ctx context.Context) (int, error) {
	r.mu.Lock()
	r.calls++
	d := r.outage + time.Duration(math.Exp(0.35*r.rng.NormFloat64())*float64(time.Millisecond))
	if r.rng.IntN(50) == 0 {
		d += 30 * time.Millisecond
	}
	r.mu.Unlock()
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return 1, nil
	case <-ctx.Done():
		return 0, ctx.Err()
	}
}

// ourTail reads with a hedge whose delay is the coordinator's own to find.
func ourTail(r *replicas) func() {
	c := check(quorum.New(3, 2, 2, quorum.WithHedge(quorum.Hedge{})))
	prefs, ctx := names(3), context.Background()
	call := func(ctx context.Context, _ quorum.Target) (int, error) { return r.answer(ctx) }
	return func() { check(quorum.Read(ctx, c, prefs, quorum.Op[int]{Call: call})) }
}

// theirTail is dskit, told the delay.
func theirTail(r *replicas) func() {
	set := ring.ReplicationSet{Instances: instances(names(3)), MaxErrors: 1}
	cfg := ring.DoUntilQuorumConfig{MinimizeRequests: true, HedgingDelay: 3 * time.Millisecond}
	ctx := context.Background()
	call := func(ctx context.Context, _ *ring.InstanceDesc) (int, error) { return r.answer(ctx) }
	return func() { check(ring.DoUntilQuorum(ctx, set, cfg, call, func(int) {})) }
}

func measureTail(reader func(*replicas) func()) (t tail) {
	inFakeTime(func() {
		r := &replicas{rng: rand.New(rand.NewPCG(7, 1))}
		read := reader(r)
		times := make([]time.Duration, tailReads)
		for i := range times {
			start := time.Now()
			read()
			times[i] = time.Since(start)
			synctest.Wait()
		}
		slices.Sort(times)
		t = tail{times[tailReads*99/100].Seconds() * 1e3, float64(r.calls) / tailReads}
	})
	return t
}

// outage returns the calls of reads while every replica is slow, of the two
// that each needs: what a hedge at a fixed delay makes three.
func outage() (calls float64) {
	inFakeTime(func() {
		r := &replicas{rng: rand.New(rand.NewPCG(7, 1))}
		read := ourTail(r)
		many := func(n int) {
			for range n {
				read()
				synctest.Wait()
			}
		}
		many(1000)
		r.outage, r.calls = 500*time.Millisecond, 0
		many(1000)
		calls = float64(r.calls) / 2000
	})
	return calls
}
