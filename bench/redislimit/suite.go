// Package redislimit holds the Redis limiter to its bars: against redis_rate, which is
// what Go programs use, throttled and ulule, on one redis-server of our own, which
// shares this machine's cores with whoever asks it. Where redis-server is not
// installed, there is nothing to measure, and it says so.
//
// Limits are such that all passes, and debts last as long as the run; or, where it
// says refused, that nothing does. Ours and theirs use the same client.
package redislimit

import (
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/distkit/distkit/bench/bar"
	"github.com/distkit/distkit/ratelimit"
	"github.com/distkit/distkit/ratelimit/redislimit"
)

const (
	callers = 64
	many    = 10_000 // keys
)

var (
	plenty = ratelimit.PerSecond(1000).WithBurst(1 << 30)
	scarce = ratelimit.PerDay(1)
)

// Suite returns the bars of package redislimit.
func Suite() bar.Suite {
	s := bar.Suite{Package: "redislimit"}
	if installed() == "" {
		missing()
		return s
	}
	plain := ours(plenty, redislimit.WithoutBatching(), redislimit.WithoutDenyCache())
	// redis_rate allocates 22 times.
	s.Bars = []bar.Bar{
		contest("a trip each/1 key", 1, plain, redisRate(plenty), 1/1.25, 13),
		contest("a trip each/10,000 keys", many, plain, redisRate(plenty), 1/1.25, 13),
		contest("together/1 key", 1, ours(plenty), redisRate(plenty), 1/1.9, 13),
		contest("together/10,000 keys", many, ours(plenty), redisRate(plenty), 1/1.9, 13),
		contest("together/10,000 keys", many, ours(plenty), throttled(plenty), 1/1.9, 13),
		contest("together/10,000 keys", many, ours(plenty), ulule(plenty), 1/1.25, 13),
		{Name: "one caller", Ours: side(ours(plenty), 1, 1), Peer: side(redisRate(plenty), 1, 1), Limit: 1.1, Allocs: 13},
		contest("refused/1 key", 1, ours(scarce), redisRate(scarce), 1./20, 0),
		contest("refused/1 key", 1, ours(scarce), throttled(scarce), 1./20, 0),
		contest("leased/1 key", 1, ours(plenty, lease), redisRate(plenty), 1./20, 1),
	}
	s.Figures = figures()
	return s
}

var missing = sync.OnceFunc(func() {
	fmt.Fprintln(os.Stderr, "bench: redislimit: redis-server is not installed, nothing is measured")
})

var lease = redislimit.WithLease(10_000, 100*time.Millisecond)

// limiter is how one of the contestants decides on one event of a key.
type limiter struct {
	impl string
	make func(prefix string) decision
}

type decision func(key string) (passed bool)

func contest(name string, keys int, ours, theirs limiter, limit, allocs float64) bar.Bar {
	return bar.Bar{Name: name, Ours: side(ours, callers, keys), Peer: side(theirs, callers, keys), Limit: limit, Allocs: allocs}
}

var prefixes atomic.Int64

// side is decisions by some callers at once, each with its share of them, on keys in
// turn.
func side(l limiter, callers, keys int) bar.Side {
	return bar.Side{Impl: l.impl, New: func() func(int) uint64 {
		decide := l.make(fmt.Sprintf("%s-%d:", l.impl, prefixes.Add(1)))
		names := make([]string, keys)
		for i := range names {
			names[i] = fmt.Sprint("key-", i)
		}
		run := func(n int) uint64 {
			var passed, next atomic.Int64
			var group sync.WaitGroup
			for caller := range min(n, callers) {
				group.Go(func() {
					mine := int64(0)
					for range (n-caller-1)/callers + 1 {
						if decide(names[int(next.Add(1))%keys]) {
							mine++
						}
					}
					passed.Add(mine)
				})
			}
			group.Wait()
			return uint64(passed.Load())
		}
		run(10 * callers) // connections
		return run
	}}
}
