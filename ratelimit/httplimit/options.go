package httplimit

import (
	"errors"
	"fmt"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/distkit/distkit/ratelimit"
)

// maxWaiting bounds the requests that WithDelay lets wait at the same time.
const maxWaiting = 1000

// Option configures New, and a Rule of NewRules.
type Option func(*config)

// config is what options say; it is checked as a whole.
type config struct {
	key      KeyFunc
	cost     func(*http.Request) int64
	names    []string
	shadow   bool
	softened bool
	extra    ratelimit.Limit
	delayed  bool
	delay    time.Duration
	bounded  bool
	most     int64 // requests under way
	failOpen bool
	legacy   bool
	silent   bool
	onDeny   http.Handler
	observer func(*http.Request, ratelimit.Result, error)
}

// policy is a limiter with all that belongs to it.
type policy struct {
	config
	decider ratelimit.Decider
	soft    *ratelimit.Keyed // of WithSoft
	waiting atomic.Int64     // requests, by WithDelay
	running atomic.Int64     // requests, by WithConcurrency
	header  atomic.Pointer[policyHeader]
	answers answers
}

func newPolicy(d ratelimit.Decider, opts []Option) (*policy, error) {
	if d == nil {
		return nil, errors.New("limiter is nil, want a Decider")
	}
	p := &policy{decider: d}
	for i, o := range opts {
		if o == nil {
			return nil, fmt.Errorf("option %d is nil", i)
		}
		o(&p.config)
	}
	if p.key == nil {
		p.key = KeyByIP()
	}
	modes := 0
	for _, on := range []bool{p.shadow, p.softened, p.delayed} {
		if on {
			modes++
		}
	}
	switch {
	case modes > 1:
		return nil, errors.New("WithShadow, WithSoft and WithDelay exclude each other")
	case p.delayed && p.delay <= 0:
		return nil, fmt.Errorf("delay is %v, want more than 0", p.delay)
	case p.bounded && p.most < 1:
		return nil, fmt.Errorf("concurrency is %d, want at least 1", p.most)
	case p.silent && p.legacy:
		return nil, errors.New("WithoutHeaders and WithLegacyHeaders exclude each other")
	}
	if p.softened {
		var err error
		if p.soft, err = ratelimit.NewKeyed(p.extra); err != nil {
			return nil, fmt.Errorf("extra of WithSoft: %w", err)
		}
	}
	return p, p.nameLimits()
}

// WithKey counts requests by key in place of the client's address. Default:
// KeyByIP(), which trusts no proxy.
func WithKey(key KeyFunc) Option { return func(c *config) { c.key = key } }

// WithPolicy names the limits in RateLimit and RateLimit-Policy, one name for each
// limit of the Decider, in order: printable ASCII. Default: "default", then
// "default-2" and so on.
func WithPolicy(names ...string) Option { return func(c *config) { c.names = names } }

// WithCost charges a request cost events, at least 0, rather than one. A negative
// cost, such as an unknown Content-Length, is answered with 400.
func WithCost(cost func(*http.Request) int64) Option { return func(c *config) { c.cost = cost } }

// WithShadow lets everything pass and only marks what a hard limit would refuse,
// for WithObserver to log: to see what a limit would do.
func WithShadow() Option { return func(c *config) { c.shadow = true } }

// WithSoft lets requests beyond the limit pass, marked, as far as a second bucket
// of the key has room, extra; then it is 429. In any time what passes is bounded
// by both limits together. The second bucket is this server's own: give each of
// several servers its share. It takes as much memory as a Keyed.
func WithSoft(extra ratelimit.Limit) Option {
	return func(c *config) { c.softened, c.extra = true, extra }
}

// WithDelay lets requests beyond the limit wait until they may pass, at most max,
// more than 0; what would wait longer is refused at once. Requests wait in the
// order in which they came if the Decider is a ratelimit.Keyed of one token bucket.
// Where 1,000 wait already the answer is 503. A request that waits holds its goroutine.
func WithDelay(max time.Duration) Option {
	return func(c *config) { c.delayed, c.delay = true, max }
}

// ErrBusy is what an observer gets for a request beyond WithConcurrency.
var ErrBusy = errors.New("httplimit: too many requests are under way")

// WithConcurrency lets at most n requests, n >= 1, be under way at the same time, of
// all keys together, those included that WithDelay lets wait. More are answered with
// 503, and charged nothing: a rate says nothing about how long a request takes.
func WithConcurrency(n int) Option {
	return func(c *config) { c.bounded, c.most = true, int64(n) }
}

// WithFailOpen lets requests pass that the limiter cannot decide about, because
// its store is down. Default: 503.
func WithFailOpen() Option { return func(c *config) { c.failOpen = true } }

// WithLegacyHeaders adds X-RateLimit-Limit, X-RateLimit-Remaining and
// X-RateLimit-Reset (seconds from now until all is available).
func WithLegacyHeaders() Option { return func(c *config) { c.legacy = true } }

// WithoutHeaders writes neither RateLimit nor RateLimit-Policy; Retry-After stays.
func WithoutHeaders() Option { return func(c *config) { c.silent = true } }

// WithOnDeny lets h write the answers 429 and 503 in place of problem+json. The
// headers are set already, and FromContext has the Result if there is one: with
// none the answer is 503.
func WithOnDeny(h http.Handler) Option { return func(c *config) { c.onDeny = h } }

// WithObserver calls f for every decision, before the answer: for logs and
// metrics. The error is that of the key function, of the limiter, or of a context
// that ended. f runs on the request's goroutine.
func WithObserver(f func(*http.Request, ratelimit.Result, error)) Option {
	return func(c *config) { c.observer = f }
}
