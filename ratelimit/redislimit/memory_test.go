package redislimit

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/distkit/distkit/ratelimit"
	"github.com/stretchr/testify/require"
)

// memory is an engine in this process, whose clock is ours: in a bubble of synctest,
// trips take the time that they are told to. It may hang or fail.
type memory struct {
	rules *rules
	base  time.Time

	mu      sync.Mutex
	ends    map[string][]span // when a key's buckets are full, from base
	trips   int
	asks    [][]ask         // of every trip
	latency time.Duration   // of a trip, before and after the store decides
	hang    <-chan struct{} // trips end when it is closed
	err     error
}

var errBroken = errors.New("broken")

func newMemory(r *rules) *memory {
	return &memory{rules: r, base: time.Now(), ends: map[string][]span{}}
}

func (m *memory) serve(ctx context.Context, asks []ask) {
	m.mu.Lock()
	latency, hang, err := m.latency, m.hang, m.err
	m.trips++
	seen := make([]ask, len(asks))
	for i, a := range asks {
		seen[i] = a
		seen[i].events = append([]int64(nil), a.events...)
	}
	m.asks = append(m.asks, seen)
	m.mu.Unlock()
	time.Sleep(latency)
	if hang != nil {
		<-hang
	}
	m.mu.Lock()
	for i := range asks {
		if asks[i].err = err; err == nil {
			m.serveOne(&asks[i])
		}
	}
	m.mu.Unlock()
	time.Sleep(latency)
}

func (m *memory) serveOne(a *ask) {
	if a.forget {
		delete(m.ends, a.key)
		return
	}
	now := span{whole: time.Since(m.base).Microseconds()}
	debts := make([]span, len(m.rules.quotas))
	for i, end := range m.ends[a.key] {
		if debts[i] = m.rules.quotas[i].sub(end, now); debts[i].whole < 0 {
			debts[i] = span{}
		}
	}
	a.debts = append(a.debts[:0], debts...)
	for i, n := range a.events {
		if !m.rules.charge(debts, n) && a.must && i == 0 {
			break
		}
	}
	ends := make([]span, len(debts))
	for i := range debts {
		ends[i] = m.rules.quotas[i].add(debts[i], now)
	}
	m.ends[a.key] = ends
}

func (m *memory) count() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.trips
}

// set changes how the engine behaves.
func (m *memory) set(f func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	f()
}

// onMemory returns a limiter on a memory of its own.
func onMemory(t *testing.T, limit ratelimit.Limit, opts ...Option) (*Limiter, *memory) {
	t.Helper()
	r, err := newRules([]ratelimit.Limit{limit})
	require.NoError(t, err)
	m := newMemory(r)
	return over(t, m, opts...), m
}

// over returns another limiter on m.
func over(t *testing.T, m *memory, opts ...Option) *Limiter {
	t.Helper()
	l, err := newLimiter(m, m.rules, opts)
	require.NoError(t, err)
	return l
}
