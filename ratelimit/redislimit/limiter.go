package redislimit

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/distkit/distkit/ratelimit"
	"github.com/redis/go-redis/v9"
)

// ErrClosed is returned by a Limiter that was closed.
var ErrClosed = errors.New("redislimit: limiter is closed")

// Limiter holds one limit, or several, for every key, over all servers that share a
// Redis and a prefix. It is a [ratelimit.Decider] with [ratelimit.Policies], so that
// package httplimit can put it before a handler.
//
// Its token buckets are those of [ratelimit.Keyed], exact for any rate, by the clock
// of the Redis server, in microseconds: in any span W at most rate*W + burst pass over
// all servers, leases aside.
//
// It may be used by any number of goroutines at once and must not be copied. A decision
// is one trip to Redis or a part of one; it is none for what was refused a moment ago,
// what was leased, and what is [ratelimit.Unlimited]. Make it with New or NewMulti: a
// zero Limiter has no limit, and deciding with it panics.
type Limiter struct {
	rules    *rules
	naming   naming
	config   config
	base     time.Time
	air      *airline
	denials  *denials // nil without the cache
	leases   *leases  // nil without leases
	fallback *ratelimit.Keyed
	calls    sync.Pool
}

// New returns a limiter that holds limit for every key, in the Redis of c: a
// [redis.Client], [redis.ClusterClient] or [redis.Ring]. It does not talk to Redis
// yet, and does not close c later. Beyond those of [ratelimit.New], the error wraps
// [ratelimit.ErrInvalidLimit] if the burst takes more than 71 years to fill, or events
// and period share so little that a token is a fraction of microseconds with a
// denominator above 2^51.
func New(c redis.Scripter, limit ratelimit.Limit, opts ...Option) (*Limiter, error) {
	return NewMulti(c, []ratelimit.Limit{limit}, opts...)
}

// NewMulti returns a limiter that holds all limits, 1 to 16, for every key: n events
// pass if they pass all of them, and else none is charged. All are in one key, so one
// trip decides. Otherwise it is New.
func NewMulti(c redis.Scripter, limits []ratelimit.Limit, opts ...Option) (*Limiter, error) {
	if c == nil {
		return nil, errors.New("redislimit: client is nil, want a redis.Scripter, such as redis.NewClient")
	}
	r, err := newRules(limits)
	if err != nil {
		return nil, err
	}
	l, err := newLimiter(newScripted(c, r), r, opts)
	if err != nil {
		return nil, err
	}
	l.air.direct = keepsDeadlines(c)
	return l, nil
}

func newLimiter(e engine, r *rules, opts []Option) (*Limiter, error) {
	config, err := newConfig(opts)
	if err != nil {
		return nil, err
	}
	l := &Limiter{rules: r, config: config, base: time.Now()}
	if l.naming, err = newNaming(config.prefix); err != nil {
		return nil, err
	}
	if config.has(optLease) {
		if config.leaseSize > r.most {
			return nil, fmt.Errorf("redislimit: events of a lease is %d, want at most the burst, %d", config.leaseSize, r.most)
		}
		l.leases = newLeases(config.leaseSize, config.leaseTTL)
	}
	if config.has(optFallback) {
		if l.fallback, err = localShare(r.limits, config.share); err != nil {
			return nil, err
		}
	}
	if !config.has(optNoCache) {
		l.denials = newDenials(r)
	}
	l.calls.New = func() any { return &call{done: make(chan struct{}, 1)} }
	l.air = &airline{
		engine: e, rules: r, timeout: config.timeout, batching: !config.has(optNoBatching),
		clock: l.now, denials: l.denials, leases: l.leases,
	}
	l.air.breaker.clock = func() int64 { return int64(time.Since(l.base)) }
	return l, nil
}

// now is in microseconds.
func (l *Limiter) now() int64 { return time.Since(l.base).Microseconds() }

func (l *Limiter) mustHaveLimit() {
	if l.rules == nil {
		panic("redislimit: a zero Limiter has no limit; make one with New")
	}
}

// Decide decides on n events of key, all or none. n may be 0, which always passes and
// charges nothing; fewer are always refused, and so are more than the burst, with a
// RetryAfter of [ratelimit.InfDuration].
//
// An error that wraps [ErrUnavailable] says that Redis did not answer within
// WithTimeout, or with an error of its own, or was not asked since it did not answer
// lately. The result is then that of the failure policy: refused by default. If ctx
// ends before there is an answer, the error is its cause, and the events may have been
// charged or not. After Close it is [ErrClosed].
func (l *Limiter) Decide(ctx context.Context, key string, n int64) (ratelimit.Result, error) {
	l.mustHaveLimit()
	c, r, err := l.decideHere(ctx, key, n)
	if c == nil {
		return r, err
	}
	if l.air.breaker.blocked() {
		return l.policy(c, key, l.air.breaker.open())
	}
	if c.ctx = ctx; l.leases != nil && l.rules.charges(n) {
		c.lease = l.leases.ask(c.hash, n)
	}
	l.air.submit(ctx, c)
	if err := c.wait(ctx); err != nil {
		return ratelimit.Result{}, err
	}
	if c.err != nil {
		return l.policy(c, key, c.err)
	}
	r = c.result
	*c = call{done: c.done}
	l.calls.Put(c)
	return r, nil
}

// decideHere answers without a trip, or returns the call to make.
func (l *Limiter) decideHere(ctx context.Context, key string, n int64) (*call, ratelimit.Result, error) {
	switch {
	case ctx.Err() != nil:
		return nil, ratelimit.Result{}, context.Cause(ctx)
	case l.air.closed.Load():
		return nil, ratelimit.Result{}, ErrClosed
	case len(l.rules.quotas) == 0:
		return nil, l.rules.unlimited(n), nil
	}
	h, now := hashOf(key), l.now()
	if l.leases != nil && l.rules.charges(n) {
		if r, ok := l.leases.spend(h, n, now); ok {
			return nil, r, nil
		}
	}
	if l.denials != nil {
		if r, ok := l.denials.refuse(h, n, now); ok {
			return nil, r, nil
		}
	}
	c := l.calls.Get().(*call)
	c.key, c.hash, c.n = l.naming.name(key), h, n
	return c, ratelimit.Result{}, nil
}

// policy answers for a call that the store did not, for the reason of err.
func (l *Limiter) policy(c *call, key string, err error) (ratelimit.Result, error) {
	r := ratelimit.Result{Limit: l.rules.most}
	switch {
	case errors.Is(err, ErrClosed):
		return ratelimit.Result{}, err
	case l.fallback != nil:
		r = l.fallback.TakeString(key, c.n)
	case l.config.has(optFailOpen):
		if r.Allowed = c.n == 0 || l.rules.charges(c.n); !r.Allowed {
			r.RetryAfter = ratelimit.InfDuration
		}
	}
	if l.config.handler != nil {
		l.config.handler(err)
		err = nil
	}
	return r, err
}

// Limits returns the limits, their bursts spelled out, in the order of
// [ratelimit.Result.Index]. A zero Limiter has none.
func (l *Limiter) Limits() []ratelimit.Limit {
	if l.rules == nil {
		return nil
	}
	return slices.Clone(l.rules.limits)
}

// Reset forgives key its debt, and gives up what was leased of it here. Other servers
// spend what they have leased, and see within a second that the key is free. It fails
// as Decide does, whatever the policy.
func (l *Limiter) Reset(ctx context.Context, key string) error {
	l.mustHaveLimit()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	h := hashOf(key)
	c := &call{key: l.naming.name(key), hash: h, forget: true}
	err := l.air.together(ctx, []*call{c})
	if err == nil {
		err = c.err
	}
	if l.leases != nil {
		l.leases.forget(h)
	}
	if l.denials != nil {
		l.denials.forget(h)
	}
	return err
}

// Stats is what a Limiter has done.
type Stats struct {
	Trips       uint64 // to Redis
	Commands    uint64 // sent on them, one for each key
	Leased      uint64 // decisions that spent what had been taken in advance
	DenialsHere uint64 // refusals that were known without asking
	Failures    uint64 // trips that brought no answer
	Down        bool   // Redis is not asked, for it did not answer lately
}

// Stats returns what was done since New. It may be called at any time, and costs
// some locks for a moment. A zero Limiter has done nothing.
func (l *Limiter) Stats() Stats {
	if l.air == nil {
		return Stats{}
	}
	s := Stats{Trips: l.air.trips.Load(), Commands: l.air.asked.Load()}
	s.Failures, s.Down = l.air.breaker.state()
	if l.leases != nil {
		s.Leased = l.leases.keys.hits()
	}
	if l.denials != nil {
		s.DenialsHere = l.denials.keys.hits()
	}
	return s
}

// Close waits for the trips under way, at most as long as WithTimeout says, and lets
// no other start: Decide then returns [ErrClosed]. Leases lapse. It does not close the
// client, always returns nil, and may be called again, also of a zero Limiter.
func (l *Limiter) Close() error {
	if l.air != nil {
		l.air.close()
	}
	return nil
}
