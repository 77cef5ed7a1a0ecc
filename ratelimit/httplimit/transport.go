package httplimit

import (
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// TransportOption configures NewTransport.
type TransportOption func(*transport)

// WithRetries sets how often a request is sent again, 0 to 100. Default 3.
func WithRetries(n int) TransportOption { return func(t *transport) { t.retries = n } }

// WithMaxWait bounds the time that a request waits in all, at least 0: a
// Retry-After that would exceed it returns the answer as it is. Default 1 minute.
func WithMaxWait(d time.Duration) TransportOption { return func(t *transport) { t.maxWait = d } }

// WithRetryBudget bounds retries to that share of all requests, 0 to 1, after the
// first ten, so that a server that is down does not get a multiple of its usual
// load. Default 0.2.
func WithRetryBudget(share float64) TransportOption {
	return func(t *transport) { t.budget.share = share }
}

const (
	firstBackoff = 500 * time.Millisecond
	maxBackoff   = 30 * time.Second
	retryBurst   = 10
	maxDrained   = 64 << 10 // bytes of an answer, so that its connection can be used again
)

// transport is what NewTransport returns.
type transport struct {
	next    http.RoundTripper
	retries int
	maxWait time.Duration
	budget  retryBudget
	err     error // of an option
}

// NewTransport returns a RoundTripper over next, http.DefaultTransport if it is
// nil, that waits out answers 429 and 503: as long as Retry-After says, in seconds
// or as a date, or without one exponentially longer from half a second to thirty,
// each time a random part of it ("full jitter"). It gives up, and returns the
// answer as it is, when retries, time, the request's deadline or the budget are
// used up, or when the request has a body that GetBody cannot rewind. Options:
// WithRetries, WithMaxWait, WithRetryBudget; one that is nil or out of range fails
// every request. It is safe for concurrent use.
func NewTransport(next http.RoundTripper, opts ...TransportOption) http.RoundTripper {
	if next == nil {
		next = http.DefaultTransport
	}
	t := &transport{next: next, retries: 3, maxWait: time.Minute, budget: retryBudget{share: 0.2, left: retryBurst}}
	for i, o := range opts {
		if o == nil {
			t.err = fmt.Errorf("httplimit: option %d of NewTransport is nil", i)
			continue
		}
		o(t)
	}
	return t
}

func (t *transport) check() error {
	switch {
	case t.err != nil:
		return t.err
	case t.retries < 0 || t.retries > 100:
		return fmt.Errorf("httplimit: retries are %d, want 0 to 100", t.retries)
	case t.maxWait < 0:
		return fmt.Errorf("httplimit: longest wait is %v, want at least 0", t.maxWait)
	case !(t.budget.share >= 0 && t.budget.share <= 1):
		return fmt.Errorf("httplimit: retry budget is %v, want 0 to 1", t.budget.share)
	}
	return nil
}

// RoundTrip sends r, again where that is asked for.
func (t *transport) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := t.check(); err != nil {
		if r.Body != nil {
			r.Body.Close()
		}
		return nil, err
	}
	t.budget.earn()
	left := t.maxWait
	for try := 0; ; try++ {
		resp, err := t.next.RoundTrip(r)
		if err != nil || resp.StatusCode != http.StatusTooManyRequests && resp.StatusCode != http.StatusServiceUnavailable {
			return resp, err
		}
		again := try < t.retries && (r.Body == nil || r.Body == http.NoBody || r.GetBody != nil)
		wait := retryAfter(resp, try)
		if deadline, ok := r.Context().Deadline(); ok && time.Until(deadline) <= wait {
			again = false
		}
		if !again || wait > left || !t.budget.spend() {
			return resp, nil
		}
		io.CopyN(io.Discard, resp.Body, maxDrained) // what cannot be read closes the connection
		resp.Body.Close()
		left -= wait
		if err := sleep(r.Context(), wait); err != nil {
			return nil, err
		}
		if r, err = rewind(r); err != nil {
			return nil, err
		}
	}
}

// CloseIdleConnections is for http.Client's method of that name.
func (t *transport) CloseIdleConnections() {
	if next, ok := t.next.(interface{ CloseIdleConnections() }); ok {
		next.CloseIdleConnections()
	}
}

// rewind returns the request with a fresh body.
func rewind(r *http.Request) (*http.Request, error) {
	if r.GetBody == nil {
		return r, nil
	}
	body, err := r.GetBody()
	if err != nil {
		return nil, err
	}
	again := r.Clone(r.Context())
	again.Body = body
	return again, nil
}

// retryAfter returns how long an answer asks to wait (RFC 9110, 10.2.3), or else a
// random part of a time that doubles with every try.
func retryAfter(resp *http.Response, try int) time.Duration {
	value := resp.Header.Get("Retry-After")
	if s, err := strconv.ParseUint(value, 10, 64); err == nil || errors.Is(err, strconv.ErrRange) {
		return time.Duration(min(s, uint64(math.MaxInt64/time.Second))) * time.Second
	}
	if at, err := http.ParseTime(value); err == nil {
		return max(0, time.Until(at))
	}
	return time.Duration(rand.Int64N(int64(min(maxBackoff, firstBackoff<<min(try, 10)))))
}

// retryBudget lets a share of all requests be sent again.
type retryBudget struct {
	share float64

	mu   sync.Mutex
	left float64 // retries
}

func (b *retryBudget) earn() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.left = min(retryBurst, b.left+b.share)
}

func (b *retryBudget) spend() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.left < 1 {
		return false
	}
	b.left--
	return true
}
