package httplimit

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/distkit/distkit/ratelimit"
)

// Middleware lets requests pass to a handler as far as limits allow. Make it with
// New or NewRules; the zero Middleware lets everything pass. It is safe for
// concurrent use.
type Middleware struct {
	only  *policy            // of New
	rules *http.ServeMux     // of NewRules: which pattern
	by    map[string]*policy // and what applies to it
}

// New returns a middleware that asks d about every request. Options: all of this
// package. It fails for options that exclude each other or do not fit d.
func New(d ratelimit.Decider, opts ...Option) (*Middleware, error) {
	p, err := newPolicy(d, opts)
	if err != nil {
		return nil, fmt.Errorf("httplimit: %w", err)
	}
	return &Middleware{only: p}, nil
}

// Handler returns a handler that passes to next what may pass. It costs what the key
// and the decision cost, and three allocations.
func (m *Middleware) Handler(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if p := m.policyOf(r); p != nil {
			p.serve(w, r, next)
		} else {
			next.ServeHTTP(w, r)
		}
	})
}

func (m *Middleware) policyOf(r *http.Request) *policy {
	if m.rules == nil {
		return m.only
	}
	// For a path that the mux would clean by a redirect it returns another
	// handler, but the pattern that the clean path has.
	_, pattern := m.rules.Handler(r)
	return m.by[pattern]
}

// serve asks, answers what may not pass, and passes on the rest.
func (p *policy) serve(w http.ResponseWriter, r *http.Request, next http.Handler) {
	if p.bounded {
		defer p.running.Add(-1)
		if p.running.Add(1) > p.most {
			p.observe(r, ratelimit.Result{}, ErrBusy)
			p.unavailable(w, r)
			return
		}
	}
	key, err := p.key(r)
	if err != nil {
		p.observe(r, ratelimit.Result{}, err)
		badRequest(w, err)
		return
	}
	n := int64(1)
	if p.cost != nil {
		if n = p.cost(r); n < 0 {
			err := fmt.Errorf("httplimit: cost is %d, want at least 0", n)
			p.observe(r, ratelimit.Result{}, err)
			badRequest(w, err)
			return
		}
	}
	result, err := p.decide(r.Context(), key, n)
	p.observe(r, result, err)
	switch {
	case err != nil && p.failOpen && !errors.Is(err, ratelimit.ErrQueueFull) && r.Context().Err() == nil:
		next.ServeHTTP(w, r)
	case err != nil:
		p.unavailable(w, r)
	case result.Allowed:
		p.pass(w, r, next, result)
	case p.shadow, p.soft != nil && p.soft.TakeString(key, n).Allowed:
		result.Remaining = 0
		p.pass(w, r, next, result)
	default:
		p.refuse(w, r, result)
	}
}

func (p *policy) observe(r *http.Request, result ratelimit.Result, err error) {
	if p.observer != nil {
		p.observer(r, result, err)
	}
}

// decide asks the limiter, and with WithDelay waits where that helps.
func (p *policy) decide(ctx context.Context, key string, n int64) (ratelimit.Result, error) {
	result, err := p.decider.Decide(ctx, key, n)
	if err != nil || result.Allowed || p.delay == 0 {
		return result, err
	}
	if p.waiting.Add(1) > maxWaiting {
		p.waiting.Add(-1)
		return result, fmt.Errorf("%w: %d requests wait", ratelimit.ErrQueueFull, maxWaiting)
	}
	defer p.waiting.Add(-1)
	if k, ok := p.decider.(*ratelimit.Keyed); ok {
		k := k.KeyString(key)
		if place := k.Reserve(n); place.OK() {
			return p.hold(ctx, k, &place, result)
		}
		// What promises no place, as windows and several limits, is asked again.
	}
	for deadline := time.Now().Add(p.delay); err == nil && !result.Allowed && result.RetryAfter <= time.Until(deadline); {
		if err := sleep(ctx, result.RetryAfter); err != nil {
			return result, err
		}
		result, err = p.decider.Decide(ctx, key, n)
	}
	return result, err
}

// hold waits for a place that nobody who comes later can take.
func (p *policy) hold(ctx context.Context, k ratelimit.Key, place *ratelimit.Reservation, refused ratelimit.Result) (ratelimit.Result, error) {
	wait := place.Delay()
	if wait > p.delay {
		place.Cancel()
		return refused, nil
	}
	if err := sleep(ctx, wait); err != nil {
		place.Cancel()
		return refused, err
	}
	result := k.Peek()
	result.Allowed, result.RetryAfter = true, 0
	return result, nil
}

// sleep returns after d, or when ctx ends with why.
func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-t.C:
		return nil
	}
}

// resultKey is the key of the Result in a context.
type resultKey struct{}

// resultContext is context.WithValue of a Result, in one allocation with what the
// headers of the answer hold.
type resultContext struct {
	context.Context
	result  ratelimit.Result
	headers [2]string
}

func (c *resultContext) Value(key any) any {
	if key == (resultKey{}) {
		return &c.result
	}
	return c.Context.Value(key)
}

// pass passes the request on, with its Result in the headers and in the context.
func (p *policy) pass(w http.ResponseWriter, r *http.Request, next http.Handler, result ratelimit.Result) {
	c := &resultContext{Context: r.Context(), result: result}
	p.headers(w.Header(), result, &c.headers)
	next.ServeHTTP(w, r.WithContext(c))
}

// FromContext returns the limiter's answer about the request that ctx is of, and
// true if it has one. Allowed is false if it passed by WithSoft or WithShadow.
func FromContext(ctx context.Context) (ratelimit.Result, bool) {
	if result, ok := ctx.Value(resultKey{}).(*ratelimit.Result); ok {
		return *result, true
	}
	return ratelimit.Result{}, false
}
