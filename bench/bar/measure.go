package bar

import (
	"math"
	"runtime"
	"time"
)

// slice is how long one round of one side takes, about.
const slice = 20 * time.Millisecond

// contest is what was measured of a bar.
type contest struct {
	ours, peer float64 // nanoseconds an operation, of the fastest round
	allocs     float64 // of one operation of ours
}

func (b Bar) limit(peer float64) float64 { return b.Limit*peer + b.Plus }

func (b Bar) passes(c contest) bool {
	return c.ours <= b.limit(c.peer) && (b.Allocs < 0 || c.allocs <= b.Allocs+0.01)
}

func (b Bar) measure(rounds int) contest {
	c := contest{ours: math.Inf(1), peer: math.Inf(1)}
	ours, n := prepare(b.Ours)
	peer, m := prepare(b.Peer)
	for range rounds {
		c.ours = min(c.ours, perOp(ours, n))
		c.peer = min(c.peer, perOp(peer, m))
	}
	if b.Peer.New == nil {
		c.peer = 0
	}
	c.allocs = allocsPerOp(ours, n)
	return c
}

// prepare builds the workload and finds how many operations fill a slice.
func prepare(s Side) (run func(int) uint64, n int) {
	if s.New == nil {
		return func(int) uint64 { return 0 }, 1
	}
	run = s.New()
	for n = 1; ; n *= 2 {
		start := time.Now()
		Sink = run(n)
		if d := time.Since(start); d > slice/4 {
			return run, max(1, int(float64(n)*float64(slice)/float64(d)))
		}
	}
}

func perOp(run func(int) uint64, n int) float64 {
	start := time.Now()
	Sink = run(n)
	return float64(time.Since(start)) / float64(n)
}

func allocsPerOp(run func(int) uint64, n int) float64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	Sink = run(n)
	runtime.ReadMemStats(&after)
	return float64(after.Mallocs-before.Mallocs) / float64(n)
}
