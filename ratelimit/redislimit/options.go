package redislimit

import (
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/distkit/distkit/ratelimit"
)

// Option configures a Limiter. One that contradicts another is an error.
type Option func(*config)

// WithPrefix: what the names of keys in Redis begin with. Limiters with one prefix
// share their keys: give each limit its own. In a cluster, a prefix with a hash tag,
// as in {api}:, puts all keys on one node. Default: ratelimit:
func WithPrefix(p string) Option {
	return func(c *config) { c.prefix = p }
}

// WithLease: of a key that is asked for again and again, take up to n events in
// advance, 1 <= n <= the least burst, and spend them here without a trip. What is not
// spent after ttl, at least 1 ms, lapses. As many are taken as were asked for within the
// ttl before, so that little does. See the package's comment for what that does to the
// bound. Default: each request is decided in Redis.
func WithLease(n int64, ttl time.Duration) Option {
	return func(c *config) { c.leaseSize, c.leaseTTL = n, ttl; c.set |= optLease }
}

// WithFailOpen: let everything pass while Redis does not answer. Default: fail
// closed, let nothing pass.
func WithFailOpen() Option {
	return func(c *config) { c.set |= optFailOpen }
}

// WithFallback: while Redis does not answer, hold each key to a share of the limit
// here, in memory, 0 < share <= 1: with N servers, 1/N keeps the sum within the
// limit. Bursts are shared too, down to 1. Default: fail closed.
func WithFallback(share float64) Option {
	return func(c *config) { c.share = share; c.set |= optFallback }
}

// WithErrorHandler: while Redis does not answer, WithFailOpen or WithFallback, one of
// which it needs, decides, and the error goes to f: Decide returns none. That is what
// a middleware needs which takes every error for an undecided request, as httplimit
// does. It is called by many goroutines at once, for every decision, and must be
// quick. Default: the error is returned next to the result.
func WithErrorHandler(f func(error)) Option {
	return func(c *config) { c.handler = f; c.set |= optHandler }
}

// WithTimeout: wait at most d for one round trip, at least 1 ms, whatever the client's
// own timeouts are. A call that finds trips under way may wait for the end of one before.
// Default: 500 ms.
func WithTimeout(d time.Duration) Option {
	return func(c *config) { c.timeout = d }
}

// WithoutDenyCache: ask Redis about every request. Default: a refusal is remembered
// until it can have changed, at most for a second, and costs no trip until then. A
// reset by another server is seen after that second.
func WithoutDenyCache() Option {
	return func(c *config) { c.set |= optNoCache }
}

// WithoutBatching: make a trip for every request. Default: requests that come while
// two trips are under way go together on the next.
func WithoutBatching() Option {
	return func(c *config) { c.set |= optNoBatching }
}

type optionSet uint8

const (
	optLease optionSet = 1 << iota
	optFailOpen
	optFallback
	optHandler
	optNoCache
	optNoBatching
)

type config struct {
	prefix    string
	leaseSize int64
	leaseTTL  time.Duration
	share     float64
	handler   func(error)
	timeout   time.Duration
	set       optionSet
}

func (c *config) has(o optionSet) bool { return c.set&o != 0 }

func newConfig(opts []Option) (config, error) {
	c := config{prefix: "ratelimit:", timeout: 500 * time.Millisecond}
	for i, o := range opts {
		if o == nil {
			return c, fmt.Errorf("redislimit: option %d is nil", i)
		}
		o(&c)
	}
	return c, c.check()
}

func (c *config) check() error {
	switch {
	case c.has(optFailOpen) && c.has(optFallback):
		return errors.New("redislimit: WithFailOpen and WithFallback exclude each other")
	case c.has(optFallback) && !(c.share > 0 && c.share <= 1):
		return fmt.Errorf("redislimit: share of the fallback is %g, want 0 < share <= 1", c.share)
	case c.has(optHandler) && c.handler == nil:
		return errors.New("redislimit: error handler is nil, want a function")
	case c.has(optHandler) && !c.has(optFailOpen|optFallback):
		return errors.New("redislimit: WithErrorHandler does not apply without WithFailOpen or WithFallback")
	case c.timeout < time.Millisecond:
		return fmt.Errorf("redislimit: timeout is %v, want at least 1ms", c.timeout)
	case c.has(optLease) && c.leaseSize < 1:
		return fmt.Errorf("redislimit: events of a lease is %d, want at least 1", c.leaseSize)
	case c.has(optLease) && c.leaseTTL < time.Millisecond:
		return fmt.Errorf("redislimit: time to live of a lease is %v, want at least 1ms", c.leaseTTL)
	}
	return nil
}

// localShare returns the limiter that stands in for the store.
func localShare(limits []ratelimit.Limit, share float64) (*ratelimit.Keyed, error) {
	var scaled []ratelimit.Limit
	for _, l := range limits {
		if l != ratelimit.Unlimited {
			// Fewer events in the same time would have to be rounded.
			period := float64(l.Period) / share
			if period >= math.MaxInt64/2 {
				return nil, fmt.Errorf("redislimit: share of the fallback is %g, want more for %v", share, l)
			}
			l.Period = time.Duration(math.Ceil(period))
			l.Burst = max(1, int64(float64(l.Burst)*share))
		}
		scaled = append(scaled, l)
	}
	k, err := ratelimit.NewKeyedMulti(scaled)
	if err != nil {
		return nil, fmt.Errorf("redislimit: share of the fallback is %g: %w", share, err)
	}
	return k, nil
}
