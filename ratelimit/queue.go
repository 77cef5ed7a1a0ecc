package ratelimit

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// ErrQueueFull is wrapped by what Queue.Wait returns if as many callers wait as may.
// The caller did nothing wrong: over HTTP it answers 503 with Retry-After, not 429.
var ErrQueueFull = errors.New("ratelimit: queue is full")

// Queue is the leaky bucket as a queue: callers leave it one by one, Period/Events
// apart, first come, first served. Use it to smooth a stream of work before what
// bursts would hurt. (The leaky bucket as a meter, which lets bursts pass, is a
// [Limiter].)
//
// A caller who gives up leaves its place, and those behind move up; a reservation,
// which is a fixed instant, cannot do that. When a wake-up comes late, the next
// departure keeps its own time, but no more than one is ever caught up on.
//
// It may be used by any number of goroutines at once and must not be copied. It has
// no goroutine, and one timer while callers wait. Make it with NewQueue: Wait of a
// zero Queue panics.
type Queue struct {
	rule     *rule
	clock    clock
	capacity int

	mu    sync.Mutex
	word  int64  // virtual time of the next departure
	head  waiter // of a ring: head.next is the first to leave
	n     int
	timer *time.Timer
}

// waiter is who waits. Its channel is closed when it has left the ring for its turn.
type waiter struct {
	prev, next *waiter
	turn       chan struct{}
}

// NewQueue returns an empty queue from which Events leave in a Period, at equal
// distances, and in which at most capacity callers wait, 0 or more. The burst of rate
// is not used. The error wraps [ErrInvalidLimit] if rate is not positive, or above one
// in a nanosecond. Options: WithClock.
func NewQueue(rate Limit, capacity int, opts ...Option) (*Queue, error) {
	c, err := newConfig("NewQueue", optClock, opts)
	if err != nil {
		return nil, err
	}
	if err := rate.check(); err != nil {
		return nil, err
	}
	if capacity < 0 {
		return nil, fmt.Errorf("ratelimit: capacity is %d, want at least 0", capacity)
	}
	if rate.Events > int64(rate.Period) {
		return nil, fmt.Errorf("%w: events is %d, want at most one a nanosecond from a queue, %d", ErrInvalidLimit, rate.Events, rate.Period)
	}
	r, err := newBucket(rate.WithBurst(1))
	if err != nil {
		return nil, err
	}
	q := &Queue{rule: r, clock: newClock(c.clock), capacity: capacity}
	q.head.prev, q.head.next = &q.head, &q.head
	return q, nil
}

// Wait waits for the caller's turn. It returns an error that wraps [ErrQueueFull] at
// once if capacity callers wait, and the context's if that ends first.
func (q *Queue) Wait(ctx context.Context) error {
	if q.rule == nil {
		panic("ratelimit: a zero Queue has no rate; make one with NewQueue")
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	w, err := q.join()
	if w == nil {
		return err
	}
	select {
	case <-w.turn:
		return nil
	case <-ctx.Done():
		return q.leave(w, ctx)
	}
}

// join returns a waiter, or nil if the caller may pass or not wait.
func (q *Queue) join() (*waiter, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if c := q.rule.clock(q.clock.now()); q.n == 0 && c >= q.word {
		q.word = c + q.rule.cost(1)
		return nil, nil
	}
	if q.n >= q.capacity {
		return nil, fmt.Errorf("%w: %d wait, want less than %d", ErrQueueFull, q.n, q.capacity)
	}
	w := &waiter{prev: q.head.prev, next: &q.head, turn: make(chan struct{})}
	w.prev.next, w.next.prev = w, w
	if q.n++; q.n == 1 {
		q.schedule()
	}
	return w, nil
}

// schedule sets the timer for the next departure.
func (q *Queue) schedule() {
	delay := time.Duration(q.rule.when(q.word) - q.clock.now())
	if q.timer == nil {
		q.timer = time.AfterFunc(delay, q.depart)
		return
	}
	q.timer.Reset(delay)
}

// depart lets the first of the queue go, if it is time.
func (q *Queue) depart() {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.n == 0 {
		return
	}
	// A timer may be early by a clock that is not its own, or have been set for
	// someone who has left.
	if c := q.rule.clock(q.clock.now()); c >= q.word {
		first := q.head.next
		q.remove(first)
		close(first.turn)
		q.word = max(q.word+q.rule.cost(1), c)
	}
	if q.n > 0 {
		q.schedule()
	}
}

func (q *Queue) remove(w *waiter) {
	w.prev.next, w.next.prev = w.next, w.prev
	w.prev, w.next = nil, nil
	q.n--
}

// leave takes out a waiter whose context has ended, unless its turn has come.
func (q *Queue) leave(w *waiter, ctx context.Context) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if w.next == nil {
		return nil
	}
	if q.remove(w); q.n == 0 {
		q.timer.Stop()
	}
	return ctx.Err()
}

// Len returns how many callers wait.
func (q *Queue) Len() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.n
}
