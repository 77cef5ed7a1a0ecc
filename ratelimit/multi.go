package ratelimit

import (
	"sync"
	"sync/atomic"
	"time"
)

// Multi holds several limits at once, as in ten a second and a thousand a day:
// events pass if they pass all of them, and else none is charged. A charge is never
// made and taken back, which would give too much back if time had passed.
//
// The limits are token buckets. The answer is that of the limit that binds, of which
// Result.Index tells the place: the one with the least remaining, or, of those that
// refuse, with the longest wait.
//
// It may be used by any number of goroutines at once and must not be copied. A
// refusal takes no lock. Make it with NewMulti: a zero Multi has no limits, and
// deciding with it panics.
type Multi struct {
	rules []rule
	words []atomic.Int64 // changed under mu
	clock clock
	mu    sync.Mutex
}

// NewMulti returns a limiter of 1 to 16 limits. The errors are those of New.
// Options: WithClock.
func NewMulti(limits []Limit, opts ...Option) (*Multi, error) {
	c, err := newConfig("NewMulti", optClock, opts)
	if err != nil {
		return nil, err
	}
	rules, err := newRules(limits, TokenBucket, 0)
	if err != nil {
		return nil, err
	}
	m := &Multi{rules: rules, words: make([]atomic.Int64, len(rules)), clock: newClock(c.clock)}
	m.Reset()
	return m, nil
}

// Allow reports whether one event may pass now, and charges it if so.
func (m *Multi) Allow() bool { return m.AllowN(1) }

// AllowN reports whether n events may pass now, all or none, and charges them if
// so.
func (m *Multi) AllowN(n int64) bool { return m.pass(m.clock.now(), n) }

// AllowAt is AllowN at the given instant.
func (m *Multi) AllowAt(now time.Time, n int64) bool {
	return m.pass(instant(now), n)
}

func (m *Multi) pass(now, n int64) bool {
	return m.serve(request{want: wantPass, now: now, n: n}).ok
}

// Take is AllowN with an answer that has figures.
func (m *Multi) Take(n int64) Result { return m.serve(request{now: m.clock.now(), n: n}).Result }

// TakeAt is Take at the given instant.
func (m *Multi) TakeAt(now time.Time, n int64) Result {
	return m.serve(request{now: instant(now), n: n}).Result
}

// Peek returns the state of the limit that binds and charges nothing, see
// Limiter's Peek.
func (m *Multi) Peek() Result { return m.peek(m.clock.now()) }

// PeekAt is Peek at the given instant.
func (m *Multi) PeekAt(now time.Time) Result { return m.peek(instant(now)) }

func (m *Multi) peek(now int64) Result {
	if len(m.rules) == 0 {
		return Result{}
	}
	return m.serve(request{want: wantNothing, now: now}).Result
}

// serve refuses by what it reads without the lock, since any limit that refuses at
// some instant is an answer; to let pass takes all words at one instant.
func (m *Multi) serve(q request) answer {
	if len(m.rules) == 0 {
		panic("ratelimit: a zero Multi has no limits; make one with NewMulti")
	}
	var buf [maxLimits]int64
	words := m.read(buf[:0])
	a := serveAll(m.rules, words, q)
	if !a.ok || q.want == wantNothing || q.n == 0 {
		return a
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	words = m.read(buf[:0])
	a = serveAll(m.rules, words, q)
	for i, w := range words {
		m.words[i].Store(w)
	}
	return a
}

func (m *Multi) read(words []int64) []int64 {
	for i := range m.words {
		words = append(words, m.words[i].Load())
	}
	return words
}

// Limits returns the limits, their bursts spelled out, in the order of
// [Result.Index]. A zero Multi has none.
func (m *Multi) Limits() []Limit { return limitsOf(m.rules) }

func limitsOf(rules []rule) []Limit {
	var limits []Limit
	for i := range rules {
		limits = append(limits, rules[i].limit)
	}
	return limits
}

// Reset makes the limiter as good as new.
func (m *Multi) Reset() {
	if len(m.rules) == 0 {
		panic("ratelimit: a zero Multi has no limits; make one with NewMulti")
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for i := range m.words {
		m.words[i].Store(fresh)
	}
}
