// Package ratelimit decides how much may pass: exactly, in one atomic word, with
// the figures that clients are told.
//
//	limiter, err := ratelimit.New(ratelimit.PerSecond(100).WithBurst(20))
//	...
//	if !limiter.Allow() {
//		// refuse
//	}
//
// A [Limiter] holds one limit: as a token bucket, a fixed window or a sliding
// window ([Algorithm]). Limits are ratios of integers ([Limit]) and have a text
// form for configurations, as in 100/s;burst=20 ([ParseLimit]).
//
// # Concurrency
//
// A Limiter may be used by any number of goroutines at once. Its decisions take no
// lock: a refusal is a load, an admission a load and a compare-and-swap.
//
// # Accuracy
//
// A token bucket counts virtual time in binary fractions of a token, so that no
// rate, a third of a token a second neither, ever drifts: in k periods, k times
// Events accrue. Only the reading of the clock is rounded, by less than two
// nanoseconds: in any span of W, at most rate*(W + 2ns) + burst pass. An instant
// before one that was seen, as goroutines give when they are late, is only
// stricter.
//
// # Security
//
// Costs and instants may come from strangers: a negative cost is refused, as is one
// above the burst, sums are checked, and no instant mints tokens. Refusals are
// cheaper than admissions, and write nothing.
package ratelimit
