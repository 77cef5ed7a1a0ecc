package redislimit

import (
	"context"
	"slices"

	"github.com/distkit/distkit/ratelimit"
)

// Request is one of [Limiter.DecideBatch]: N events of Key.
type Request struct {
	Key string
	N   int64
}

// DecideBatch decides requests as Decide does, in order, as if one by one, with one
// trip for each thousand of them. They spend what was leased, and take no leases. The
// error is that of the first that has one; each result is what Decide would return next
// to its own.
func (l *Limiter) DecideBatch(ctx context.Context, reqs []Request) ([]ratelimit.Result, error) {
	l.mustHaveLimit()
	results := make([]ratelimit.Result, 0, len(reqs))
	var first error
	for chunk := range slices.Chunk(reqs, 1000) {
		var err error
		if results, err = l.decideChunk(ctx, chunk, results); err != nil && first == nil {
			first = err
		}
	}
	return results, first
}

func (l *Limiter) decideChunk(ctx context.Context, reqs []Request, results []ratelimit.Result) ([]ratelimit.Result, error) {
	var first error
	var calls []*call
	var of []int // the place of each call's answer in results
	for _, q := range reqs {
		c, r, err := l.decideHere(ctx, q.Key, q.N)
		if c != nil {
			calls, of = append(calls, c), append(of, len(results))
		}
		if first == nil {
			first = err
		}
		results = append(results, r)
	}
	if len(calls) == 0 {
		return results, first
	}
	gone := l.air.together(ctx, calls)
	if gone != nil {
		return results, gone
	}
	for i, c := range calls {
		r, err := c.result, c.err
		if err != nil {
			r, err = l.policy(c, reqs[len(reqs)-len(results)+of[i]].Key, err)
		}
		if results[of[i]] = r; first == nil {
			first = err
		}
	}
	return results, first
}
