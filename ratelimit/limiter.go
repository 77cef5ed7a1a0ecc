package ratelimit

import (
	"sync"
	"sync/atomic"
	"time"
)

// Limiter holds one limit. Allow is the quick question, Take the one whose answer
// has figures for the client; Wait waits for its turn, Reserve is told when that
// is. Each has a form for a given instant, AllowAt and so on.
//
// As a token bucket, the default, it admits at most rate*(W + 1ns) + burst events
// in any span of W, and what is refused with a RetryAfter passes exactly then. That
// holds however calls are interleaved and in whatever order their instants come:
// an instant before one that was seen is only stricter. WithAlgorithm makes it a
// window, of which [Algorithm] says what it promises.
//
// The events of a call, n, may be 0, which always passes and charges nothing;
// fewer are always refused, and so are more than the burst, with a RetryAfter of
// [InfDuration].
//
// It may be used by any number of goroutines at once, must not be copied, and
// allocates nothing. A decision is one atomic load and, if it is yes, one
// compare-and-swap; a refusal writes nothing. (A sliding window of more events than
// fit a word, 32,767 in a second, takes a lock.) Make it with New: a zero Limiter
// has no limit, and deciding with it panics.
type Limiter struct {
	core  atomic.Pointer[core]
	clock clock
	align int64
	alg   Algorithm
	mu    sync.Mutex // held while core is replaced
}

// core is a rule and its word, which belong together: when the rule changes, the
// word of the old core is frozen, and a new core takes its place.
type core struct {
	rule
	era  uint64 // counts Resets: what was reserved before one cannot be given back
	word atomic.Int64
	wide sync.Mutex // of kindWide, held while word and rule.prev change
}

// New returns a limiter of one limit, from which nothing has been taken. The error
// wraps [ErrInvalidLimit] if limit is out of range, which for a token bucket means
// not positive, or a burst of 2^60 units of its resolution or more (a unit is what
// accrues in half a nanosecond to one), and for windows, a period above 73 years or
// more events than fit a word with the index of their window. Options: WithAlgorithm,
// WithAlign, WithClock.
func New(limit Limit, opts ...Option) (*Limiter, error) {
	c, err := newConfig("New", optAlgorithm|optAlign|optClock, opts)
	if err != nil {
		return nil, err
	}
	l := &Limiter{clock: newClock(c.clock), align: instant(c.align), alg: c.algorithm}
	r, err := newRule(limit, l.alg, l.align)
	if err != nil {
		return nil, err
	}
	l.install(*r, fresh, 0)
	return l, nil
}

func (l *Limiter) install(r rule, word int64, era uint64) {
	c := &core{rule: r, era: era}
	c.word.Store(word)
	l.core.Store(c)
}

func (l *Limiter) load() *core {
	c := l.core.Load()
	if c == nil {
		panic("ratelimit: a zero Limiter has no limit; make one with New")
	}
	return c
}

// settle waits until a core that was found frozen has been replaced.
func (l *Limiter) settle() {
	l.mu.Lock()
	defer l.mu.Unlock()
}

// Allow reports whether one event may pass now, and charges it if so.
func (l *Limiter) Allow() bool { return l.allow(l.clock.now(), 1) }

// AllowN reports whether n events may pass now, all or none, and charges them if
// so.
func (l *Limiter) AllowN(n int64) bool { return l.allow(l.clock.now(), n) }

// AllowAt is AllowN at the given instant.
func (l *Limiter) AllowAt(now time.Time, n int64) bool { return l.allow(instant(now), n) }

func (l *Limiter) allow(now, n int64) bool {
	c := l.core.Load()
	if c == nil || c.kind != kindBucket || uint64(n-1) >= uint64(c.most) {
		return l.allowOther(now, n)
	}
	// This is step, with what does not change out of the loop.
	from := c.clock(now)
	cost := c.cost(n)
	last := from + c.burst - cost // the largest word that has room
	for {
		v := c.word.Load()
		if v > last {
			return v == frozen && l.serve(request{want: wantPass, now: now, n: n}).ok
		}
		if c.word.CompareAndSwap(v, max(v, from)+cost) {
			return true
		}
	}
}

// allowOther is allow for windows, and for n that always or never pass.
func (l *Limiter) allowOther(now, n int64) bool {
	c := l.load()
	if n > 0 && (c.kind == kindFixed || c.kind == kindSliding) {
		return l.allowWindow(c, now, n)
	}
	return l.serve(request{want: wantPass, now: now, n: n}).ok
}

func (l *Limiter) allowWindow(c *core, now, n int64) bool {
	for v := c.word.Load(); v != frozen; v = c.word.Load() {
		w, ok := c.stepWindow(v, now, n)
		if !ok {
			return false
		}
		if c.word.CompareAndSwap(v, w) {
			return true
		}
	}
	return l.serve(request{want: wantPass, now: now, n: n}).ok
}

// Take is AllowN with an answer that has figures.
func (l *Limiter) Take(n int64) Result {
	return l.serve(request{now: l.clock.now(), n: n}).Result
}

// TakeAt is Take at the given instant.
func (l *Limiter) TakeAt(now time.Time, n int64) Result {
	return l.serve(request{now: instant(now), n: n}).Result
}

// serve answers q.
func (l *Limiter) serve(q request) answer {
	for {
		c := l.load()
		if c.kind == kindWide {
			if a, ok := c.serveWide(q); ok {
				return a
			}
		}
		for v := c.word.Load(); v != frozen && c.kind != kindWide; v = c.word.Load() {
			w, a := c.rule.serve(v, q)
			if w == v || c.word.CompareAndSwap(v, w) {
				a.era = c.era
				return a
			}
		}
		l.settle()
	}
}

// TakeUpTo charges as many of n events as may pass now and returns how many those
// are. Only whole events are charged: a fraction that is left stays. The result is
// allowed if any event was granted or n is 0; RetryAfter is the time until one
// would be. More than the burst may be asked for.
func (l *Limiter) TakeUpTo(n int64) (granted int64, r Result) {
	return l.takeUpTo(l.clock.now(), n)
}

// TakeUpToAt is TakeUpTo at the given instant.
func (l *Limiter) TakeUpToAt(now time.Time, n int64) (granted int64, r Result) {
	return l.takeUpTo(instant(now), n)
}

func (l *Limiter) takeUpTo(now, n int64) (granted int64, r Result) {
	a := l.serve(request{want: wantUpTo, now: now, n: n})
	return a.granted, a.Result
}

// Peek returns the state and charges nothing: Remaining and ResetAfter as they
// are, and Allowed and RetryAfter for one event. The zero Limiter allows nothing.
func (l *Limiter) Peek() Result { return l.peek(l.clock.now()) }

// PeekAt is Peek at the given instant.
func (l *Limiter) PeekAt(now time.Time) Result { return l.peek(instant(now)) }

func (l *Limiter) peek(now int64) Result {
	if l.core.Load() == nil {
		return Result{}
	}
	return l.serve(request{want: wantNothing, now: now}).Result
}

// Limit returns the limit, its burst spelled out. That of a zero Limiter is zero.
func (l *Limiter) Limit() Limit {
	if c := l.core.Load(); c != nil {
		return c.limit
	}
	return Limit{}
}

// Reset makes the limiter as good as new. Reservations made before it are not
// given back by Cancel any more.
func (l *Limiter) Reset() {
	l.mu.Lock()
	defer l.mu.Unlock()
	c := l.load()
	c.freeze()
	l.install(c.rule, fresh, c.era+1)
}
