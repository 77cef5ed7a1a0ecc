package redislimit

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"
)

// ErrUnavailable is wrapped by every error about a store that did not answer, or not
// as it should. It stands next to what the failure policy decided.
var ErrUnavailable = errors.New("redislimit: store is unavailable")

const (
	tripAfter  = 3 // trips in a row that fail
	minBackoff = 100 * time.Millisecond
	maxBackoff = 2 * time.Second
)

// breaker keeps callers from a store that is down: when several trips in a row have
// failed, nobody asks for a while, then one does, and, if that fails too, nobody for
// twice as long, up to maxBackoff. Pauses are shortened by up to a half, at random,
// so that servers do not come back all at once.
type breaker struct {
	clock    func() int64 // nanoseconds
	failures atomic.Int32 // in a row
	opens    atomic.Int64 // until when nobody asks; 0: closed

	mu      sync.Mutex
	backoff time.Duration
	cause   error // of the last failure
	total   uint64
}

// allow reports whether the store may be asked. If so and the breaker is open, this is
// the one probe, and nobody else asks for another pause.
func (b *breaker) allow() (probe, ok bool) {
	until := b.opens.Load()
	if until == 0 {
		return false, true
	}
	now := b.clock()
	if now < until {
		return false, false
	}
	return true, b.opens.CompareAndSwap(until, now+int64(maxBackoff))
}

// blocked reports whether the store may not be asked now.
func (b *breaker) blocked() bool {
	until := b.opens.Load()
	return until != 0 && b.clock() < until
}

// open returns the error for those who may not ask.
func (b *breaker) open() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return fmt.Errorf("%w, not asked since: %w", ErrUnavailable, b.cause)
}

func (b *breaker) succeed() {
	if b.failures.Load() != 0 {
		b.failures.Store(0)
	}
	if b.opens.Load() != 0 {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.opens.Store(0)
		b.backoff = 0
	}
}

func (b *breaker) fail(cause error, probe bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.cause = cause
	b.total++
	if n := b.failures.Add(1); n < tripAfter || b.opens.Load() != 0 && !probe {
		return
	}
	b.backoff = min(max(2*b.backoff, minBackoff), maxBackoff)
	pause := b.backoff/2 + rand.N(b.backoff/2)
	b.opens.Store(b.clock() + int64(pause))
}

// state returns how many trips failed in all, and whether the breaker is open.
func (b *breaker) state() (failed uint64, open bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.total, b.opens.Load() != 0
}
