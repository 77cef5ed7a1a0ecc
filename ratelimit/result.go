package ratelimit

import (
	"context"
	"math"
	"time"
)

// InfDuration is how long one waits for what never comes.
const InfDuration = time.Duration(math.MaxInt64)

// Result is the answer of a limiter, with the figures that clients are told.
type Result struct {
	// Allowed says whether the events may pass.
	Allowed bool
	// Index is which of several limits binds: the one with the least remaining
	// of those that let pass, or with the longest wait of those that refuse. It
	// is 0 where there is one.
	Index int
	// Limit is the most that can pass at once: the burst of a token bucket, the
	// events of a window.
	Limit int64
	// Remaining is how many whole events could pass now.
	Remaining int64
	// RetryAfter is how long to wait until what was refused would pass, if
	// nothing else passes first: 0 if allowed, InfDuration if never.
	RetryAfter time.Duration
	// ResetAfter is how long it takes until the limiter is as good as new, if
	// nothing passes before.
	ResetAfter time.Duration
}

// A Decider decides whether n events of a key may pass, and charges them if so.
// Local limiters ([Keyed]) and remote ones are Deciders. An error says that it
// could not be decided; a refusal is no error.
type Decider interface {
	Decide(ctx context.Context, key string, n int64) (Result, error)
}

// Policies is what a Decider also has if it can name its limits, in the order of
// [Result.Index].
type Policies interface {
	Limits() []Limit
}
