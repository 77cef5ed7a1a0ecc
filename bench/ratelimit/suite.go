// Package ratelimit holds ratelimit's local types to their bars: against x/time/rate,
// which is what Go programs use, and failsafe-go, the fastest of the others; keyed
// ones against the map of limiters that everybody writes, sethvargo/go-limiter,
// throttled and ulule; and package httplimit against go-chi/httprate.
//
// "Allowed" has a limit so high that all pass, "denied" one so low that none does.
package ratelimit

import (
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/distkit/distkit/bench/bar"
	"github.com/distkit/distkit/ratelimit"
	"golang.org/x/time/rate"
)

// Suite returns the bars of package ratelimit.
func Suite() bar.Suite {
	bars := slices.Concat(singleBars(), sharedBars(), keyedBars(), httpBars())
	figures := slices.Concat(keyedFigures(), correctness(), bounds())
	return bar.Suite{Package: "ratelimit", Bars: bars, Figures: figures}
}

// side is an operation that reports whether something passed.
func side(impl string, setup func() func() bool) bar.Side {
	return bar.Side{Impl: impl, New: func() func(int) uint64 {
		op := setup()
		return func(n int) (passed uint64) {
			for range n {
				if op() {
					passed++
				}
			}
			return passed
		}
	}}
}

// parallel is side on as many goroutines as there are cores.
func parallel(impl string, setup func() func() bool) bar.Side {
	return bar.Side{Impl: impl, New: func() func(int) uint64 {
		op := setup()
		return func(n int) (passed uint64) {
			cores := runtime.GOMAXPROCS(0)
			each := make([]uint64, cores)
			var group sync.WaitGroup
			for i := range each {
				group.Go(func() {
					var mine uint64
					for range n / cores {
						if op() {
							mine++
						}
					}
					each[i] = mine
				})
			}
			group.Wait()
			for _, m := range each {
				passed += m
			}
			return passed
		}
	}}
}

func check[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// allowed and denied are the limits of both workloads, drained where they deny.
func allowed() *ratelimit.Limiter {
	return check(ratelimit.New(ratelimit.PerSecond(1_000_000_000)))
}

func denied() *ratelimit.Limiter {
	l := check(ratelimit.New(ratelimit.PerHour(1)))
	l.Allow()
	return l
}

func theirsAllowed() *rate.Limiter { return rate.NewLimiter(1e9, 1e9) }

func theirsDenied() *rate.Limiter {
	l := rate.NewLimiter(rate.Every(time.Hour), 1)
	l.Allow()
	return l
}
