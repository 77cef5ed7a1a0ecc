package ratelimit

import (
	"fmt"
	"sort"
	"sync"
	"time"
)

// SlidingLog lets at most Events pass in every Period, wherever it begins: exactly,
// since it remembers the instants of the last Events that passed. It is what the
// other algorithms approximate, for 8 bytes an event; use it for small limits, or
// where a contract speaks of every period.
//
// An instant counts for less than a Period: what passed at t is forgotten at
// t+Period. Instants that come late are held to what passed after them too.
//
// It may be used by any number of goroutines at once and must not be copied. It
// takes a lock for some tens of nanoseconds; a charge of n takes n steps. Make it
// with NewSlidingLog: a zero SlidingLog has no limit, and deciding with it panics.
type SlidingLog struct {
	limit Limit
	clock clock

	mu     sync.Mutex
	passed []int64 // the last instants, a ring in ascending order from next on
	next   int
}

const maxLog = 1 << 24

// NewSlidingLog returns a log of limit, whose burst must be 0 or its events, of which
// there may be 2^24 in up to 73 years; another limit is [ErrInvalidLimit]. It takes 8
// bytes of memory an event. Options: WithClock.
func NewSlidingLog(limit Limit, opts ...Option) (*SlidingLog, error) {
	c, err := newConfig("NewSlidingLog", optClock, opts)
	if err != nil {
		return nil, err
	}
	if err := limit.check(); err != nil {
		return nil, err
	}
	switch limit = limit.full(); {
	case limit.Events > maxLog:
		return nil, fmt.Errorf("%w: events of %v is %d, want at most %d in a log", ErrInvalidLimit, limit, limit.Events, maxLog)
	case limit.Burst != limit.Events:
		return nil, fmt.Errorf("%w: burst of %v is %d, want as many as events, or 0: a log has none", ErrInvalidLimit, limit, limit.Burst)
	case limit.Period > longest:
		return nil, fmt.Errorf("%w: period is %v, want at most %v in a log", ErrInvalidLimit, limit.Period, longest)
	}
	l := &SlidingLog{limit: limit, clock: newClock(c.clock), passed: make([]int64, limit.Events)}
	l.Reset()
	return l, nil
}

// Allow reports whether one event may pass now, and charges it if so.
func (l *SlidingLog) Allow() bool { return l.AllowN(1) }

// AllowN reports whether n events may pass now, all or none, and charges them if
// so.
func (l *SlidingLog) AllowN(n int64) bool { return l.allow(l.clock.now(), n) }

// AllowAt is AllowN at the given instant.
func (l *SlidingLog) AllowAt(now time.Time, n int64) bool { return l.allow(instant(now), n) }

// Take is AllowN with an answer that has figures.
func (l *SlidingLog) Take(n int64) Result { return l.take(l.clock.now(), n) }

// TakeAt is Take at the given instant.
func (l *SlidingLog) TakeAt(now time.Time, n int64) Result { return l.take(instant(now), n) }

// Peek returns the state and charges nothing, see Limiter's Peek.
func (l *SlidingLog) Peek() Result { return l.peek(l.clock.now()) }

// PeekAt is Peek at the given instant.
func (l *SlidingLog) PeekAt(now time.Time) Result { return l.peek(instant(now)) }

// Limit returns the limit, its burst spelled out. That of a zero SlidingLog is zero.
func (l *SlidingLog) Limit() Limit { return l.limit }

// Reset makes the limiter as good as new.
func (l *SlidingLog) Reset() {
	l.mustBeMade()
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := range l.passed {
		l.passed[i] = fresh
	}
}

func (l *SlidingLog) mustBeMade() {
	if len(l.passed) == 0 {
		panic("ratelimit: a zero SlidingLog has no limit; make one with NewSlidingLog")
	}
}

func (l *SlidingLog) allow(now, n int64) bool {
	l.mustBeMade()
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.charge(now, n)
}

func (l *SlidingLog) take(now, n int64) Result {
	l.mustBeMade()
	l.mu.Lock()
	defer l.mu.Unlock()
	ok := l.charge(now, n)
	r := l.state(now)
	if r.Allowed = ok; !ok {
		r.RetryAfter = InfDuration
		if n > 0 && n <= l.limit.Events {
			r.RetryAfter = wait(l.last(l.limit.Events-n)+int64(l.limit.Period), now)
		}
	}
	return r
}

func (l *SlidingLog) peek(now int64) Result {
	if len(l.passed) == 0 {
		return Result{}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	r := l.state(now)
	if r.Allowed = r.Remaining > 0; !r.Allowed {
		r.RetryAfter = wait(l.last(l.limit.Events-1)+int64(l.limit.Period), now)
	}
	return r
}

// charge lets n events pass if the one that then is Events back has been forgotten.
func (l *SlidingLog) charge(now, n int64) bool {
	if n <= 0 || n > l.limit.Events {
		return n == 0
	}
	if l.last(l.limit.Events-n) > now-int64(l.limit.Period) {
		return false
	}
	at := max(now, l.last(0))
	for range n {
		l.passed[l.next] = at
		l.next = (l.next + 1) % len(l.passed)
	}
	return true
}

// last returns the instant of the i-th last event, counted from 0.
func (l *SlidingLog) last(i int64) int64 {
	return l.passed[(l.next+2*len(l.passed)-1-int(i))%len(l.passed)]
}

func (l *SlidingLog) state(now int64) Result {
	// Those that count are the last ones.
	counted := int64(sort.Search(len(l.passed), func(i int) bool {
		return l.last(int64(i)) <= now-int64(l.limit.Period)
	}))
	r := Result{Limit: l.limit.Events, Remaining: l.limit.Events - counted}
	if counted > 0 {
		r.ResetAfter = wait(l.last(0)+int64(l.limit.Period), now)
	}
	return r
}
