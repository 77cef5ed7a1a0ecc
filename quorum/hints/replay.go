package hints

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"
)

const (
	defaultWindow  = 3 * time.Hour
	maxConcurrency = 64
)

// ReplayOption configures one [Replay].
type ReplayOption func(*replay)

type replay struct {
	window   time.Duration
	interval time.Duration
	jitter   time.Duration
	err      error
}

// WithWindow sets how old a hint may be, > 0: older ones are deleted, not sent,
// for the owner has been repaired by other means or never will. Default 3 h.
func WithWindow(d time.Duration) ReplayOption {
	return func(r *replay) {
		if r.window = d; d <= 0 {
			r.err = fmt.Errorf("hints: window is %v, want > 0", d)
		}
	}
}

// WithRate bounds the sends of a replay, > 0 a second. Default: no bound.
func WithRate(perSecond float64) ReplayOption {
	return func(r *replay) {
		if !(perSecond > 0) {
			r.err = fmt.Errorf("hints: rate is %g a second, want > 0", perSecond)
			return
		}
		r.interval = time.Duration(min(float64(time.Second)/perSecond, float64(time.Hour)))
	}
}

// WithJitter waits a random time below d before the first send, so that not
// every node greets an owner that came back at once. Default 0.
func WithJitter(d time.Duration) ReplayOption {
	return func(r *replay) {
		if r.jitter = d; d < 0 {
			r.err = fmt.Errorf("hints: jitter is %v, want 0 or more", d)
		}
	}
}

// Replay is ReplayAt the time of time.Now.
func Replay(ctx context.Context, s Store, owner string, send func(context.Context, Hint) error, opts ...ReplayOption) error {
	return ReplayAt(ctx, time.Now(), s, owner, send, opts...)
}

// ReplayAt sends the owner the hints that wait for it, oldest first, and
// deletes each when its send returned nil. The first send that fails ends the
// replay, after those that are under way: its error is returned and the hint,
// like all later ones, waits for the next replay. Delivery is at least once.
//
// Several sends run at once, as many as the owner bears: one at first, one
// more whenever all of a round have succeeded, at most 64; a send that times
// out (an error that is context.DeadlineExceeded or has a Timeout method that
// says so) halves the number, and the next replay of a Memory or a Log begins
// with that. So replays cannot keep a weak owner down by asking too much of it.
//
// A Memory and a Log allow one replay for an owner at a time (ErrBusy).
func ReplayAt(ctx context.Context, now time.Time, s Store, owner string,
	send func(context.Context, Hint) error, opts ...ReplayOption,
) error {
	r := replay{window: defaultWindow}
	for _, opt := range opts {
		opt(&r)
	}
	if r.err != nil {
		return r.err
	}
	p := new(paces)
	if own, ok := s.(interface{ pace() *paces }); ok {
		p = own.pace()
	}
	limit, ok := p.begin(owner)
	if !ok {
		return ErrBusy
	}
	t := transfer{store: s, owner: owner, send: send, limit: limit, ends: make(chan end, maxConcurrency)}
	err := t.run(ctx, now, r)
	p.end(owner, t.resume)
	return err
}

// transfer is one replay in progress.
type transfer struct {
	store    Store
	owner    string
	send     func(context.Context, Hint) error
	limit    int // of sends at once
	resume   int // where the next replay begins, 0: at one
	inFlight int
	round    int // successes since the limit last rose
	ends     chan end
	err      error
}

type end struct {
	id  uint64
	err error
}

func (t *transfer) run(ctx context.Context, now time.Time, r replay) error {
	if r.jitter > 0 && !pause(ctx, rand.N(r.jitter)) {
		return ctx.Err()
	}
	due := time.Now()
	for h := range t.store.Pending(t.owner) {
		if now.Sub(h.At) > r.window {
			if t.fail(t.expire(h.ID)) {
				break
			}
			continue
		}
		for t.inFlight >= t.limit && t.err == nil {
			t.settle(<-t.ends)
		}
		if r.interval > 0 {
			if wait := time.Until(due); wait > 0 && !pause(ctx, wait) {
				t.fail(ctx.Err())
			}
			due = due.Add(r.interval)
			if late := time.Now(); due.Before(late) {
				due = late // no burst after a slow send
			}
		}
		if t.err != nil || t.fail(ctx.Err()) {
			break
		}
		t.inFlight++
		go func() { t.ends <- end{h.ID, t.send(ctx, h)} }()
	}
	for t.inFlight > 0 {
		t.settle(<-t.ends)
	}
	return t.err
}

// settle takes the end of a send into account.
func (t *transfer) settle(e end) {
	t.inFlight--
	if e.err != nil {
		if timedOut(e.err) && t.err == nil {
			t.resume = t.limit / 2
		}
		t.fail(e.err)
		return
	}
	t.fail(t.store.Done(t.owner, e.id))
	if t.round++; t.round >= t.limit {
		t.round = 0
		t.limit = min(t.limit+1, maxConcurrency)
	}
}

// fail keeps the first error and reports whether there is one.
func (t *transfer) fail(err error) bool {
	if t.err == nil {
		t.err = err
	}
	return t.err != nil
}

func (t *transfer) expire(id uint64) error {
	if own, ok := t.store.(interface {
		expire(owner string, id uint64) error
	}); ok {
		return own.expire(t.owner, id)
	}
	return t.store.Done(t.owner, id)
}

func timedOut(err error) bool {
	if errors.Is(err, context.DeadlineExceeded) {
		return true
	}
	t, ok := errors.AsType[interface {
		error
		Timeout() bool
	}](err)
	return ok && t.Timeout()
}

// pause waits and reports whether the context lasted.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// paces is what a store remembers of its replays.
type paces struct {
	mu    sync.Mutex
	busy  map[string]bool
	limit map[string]int
}

func (p *paces) begin(owner string) (limit int, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.busy[owner] {
		return 0, false
	}
	if p.busy == nil {
		p.busy, p.limit = make(map[string]bool), make(map[string]int)
	}
	p.busy[owner] = true
	return max(p.limit[owner], 1), true
}

func (p *paces) end(owner string, limit int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.busy, owner)
	delete(p.limit, owner)
	if limit > 0 {
		p.limit[owner] = limit
	}
}

func (m *Memory) pace() *paces { return &m.paces }
func (l *Log) pace() *paces    { return &l.paces }
