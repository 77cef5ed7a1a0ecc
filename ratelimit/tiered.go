package ratelimit

import (
	"errors"
	"fmt"
	"math"
	"sync"
	"time"
)

// Tiered is the limit of one partition of a shared node: an allocated rate that is
// always its own, and a burst beyond it, saved from what was not used, that passes
// only while the node has capacity to spare. It is how DynamoDB admitted requests
// (Elhemali et al., USENIX ATC 2022, section 4.1).
//
// The allocated bucket holds the allocated limit's burst; what overflows it is saved
// in the burst bucket. Events pass by the allocated bucket as far as that goes. The
// rest passes if the burst bucket has it and the pool does, a Limiter that all
// partitions of the node share. The pool is charged for the allocated events too, but
// never refuses those: it goes into debt. So a partition that bursts takes nothing
// that was allocated to a neighbor.
//
// Result.Limit is what the burst and the allocated bucket hold, Remaining what would
// pass of it now.
//
// It may be used by any number of goroutines at once, takes a lock, and must not be
// copied. Make it with NewTiered: a zero Tiered has no limit, and deciding with it
// panics.
type Tiered struct {
	pool *Limiter

	mu    sync.Mutex
	tiers tiers
	words [2]int64
}

// tiers are the rules of two buckets that fill at one rate: the allocated one, and
// both together.
type tiers struct{ own, all *rule }

const (
	own = iota
	all
)

// NewTiered returns a limiter of a partition whose buckets are full. The burst is
// what may be saved beyond the allocated limit's own, 0 or more. The pool is a token
// bucket, whose clock the partition uses; all partitions of a node have the same one.
// The errors are those of [New] for either bucket, and one for a pool that is nil, zero
// or counts by windows.
func NewTiered(allocated Limit, burst int64, pool *Limiter) (*Tiered, error) {
	if pool == nil || pool.core.Load() == nil {
		return nil, errors.New("ratelimit: pool is nil or zero, want the Limiter that the partitions share")
	}
	if pool.alg != TokenBucket {
		return nil, fmt.Errorf("ratelimit: pool is a %v, want a %v", pool.alg, TokenBucket)
	}
	tr, err := newTiers(allocated, burst)
	if err != nil {
		return nil, err
	}
	return &Tiered{pool: pool, tiers: tr, words: [2]int64{fresh, fresh}}, nil
}

func newTiers(allocated Limit, burst int64) (tiers, error) {
	if err := allocated.check(); err != nil {
		return tiers{}, err
	}
	allocated = allocated.full()
	if burst < 0 || burst > math.MaxInt64-allocated.Burst {
		return tiers{}, fmt.Errorf("%w: burst is %d, want 0 to %d beyond %v", ErrInvalidLimit, burst, math.MaxInt64-allocated.Burst, allocated)
	}
	own, err := newBucket(allocated)
	if err != nil {
		return tiers{}, err
	}
	all, err := newBucket(allocated.WithBurst(allocated.Burst + burst))
	return tiers{own, all}, err
}

// Allow reports whether one event may pass now, and charges it if so.
func (t *Tiered) Allow() bool { return t.AllowN(1) }

// AllowN reports whether n events may pass now, all or none, and charges them if
// so.
func (t *Tiered) AllowN(n int64) bool { return t.allow(t.now(), n) }

// AllowAt is AllowN at the given instant.
func (t *Tiered) AllowAt(now time.Time, n int64) bool { return t.allow(instant(now), n) }

// Take is AllowN with an answer that has figures.
func (t *Tiered) Take(n int64) Result { return t.take(t.now(), n) }

// TakeAt is Take at the given instant.
func (t *Tiered) TakeAt(now time.Time, n int64) Result { return t.take(instant(now), n) }

// Peek returns the state and charges nothing, see Limiter's Peek.
func (t *Tiered) Peek() Result {
	if t.pool == nil {
		return Result{}
	}
	return t.peek(t.now())
}

// PeekAt is Peek at the given instant.
func (t *Tiered) PeekAt(now time.Time) Result {
	if t.pool == nil {
		return Result{}
	}
	return t.peek(instant(now))
}

// Reset fills both buckets. What the pool was charged stays charged.
func (t *Tiered) Reset() {
	t.now()
	t.mu.Lock()
	defer t.mu.Unlock()
	t.words = [2]int64{fresh, fresh}
}

// SetLimit changes the share of the partition while it is used, as when it splits.
// Each bucket keeps what it has, up to its new size. The errors are those of
// [NewTiered], and then nothing has changed.
func (t *Tiered) SetLimit(allocated Limit, burst int64) error {
	return t.setLimit(t.now(), allocated, burst)
}

// SetLimitAt is SetLimit at the given instant.
func (t *Tiered) SetLimitAt(now time.Time, allocated Limit, burst int64) error {
	t.now()
	return t.setLimit(instant(now), allocated, burst)
}

func (t *Tiered) setLimit(now int64, allocated Limit, burst int64) error {
	next, err := newTiers(allocated, burst)
	if err != nil {
		return err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	old := t.tiers
	mine := next.all.units(old.own, old.own.left(t.words[own], now))
	saved := max(0, next.all.units(old.all, old.all.left(t.words[all], now))-mine)
	t.tiers = next
	t.words[own] = next.own.convert(old.own, t.words[own], now)
	// Both together have what the allocated one keeps and what is saved of the burst.
	left := min(mine, next.all.cost(next.own.most)) + min(saved, next.all.cost(burst))
	t.words[all] = next.all.holding(left, now)
	return nil
}

// now reads the pool's clock.
func (t *Tiered) now() int64 {
	if t.pool == nil {
		panic("ratelimit: a zero Tiered has no limit; make one with NewTiered")
	}
	return t.pool.clock.now()
}

func (t *Tiered) allow(now, n int64) bool {
	t.now()
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.charge(now, n)
}

func (t *Tiered) take(now, n int64) Result {
	t.now()
	t.mu.Lock()
	defer t.mu.Unlock()
	ok := t.charge(now, n)
	r := t.state(now)
	if r.Allowed = ok; !ok {
		r.RetryAfter = wait(t.retry(now, n), now)
	}
	return r
}

func (t *Tiered) peek(now int64) Result {
	t.mu.Lock()
	defer t.mu.Unlock()
	r := t.state(now)
	if r.Allowed = r.Remaining > 0; !r.Allowed {
		r.RetryAfter = wait(t.retry(now, 1), now)
	}
	return r
}

// charge lets n events pass: what the allocated bucket has by that, the rest by the
// burst bucket and the pool.
func (t *Tiered) charge(now, n int64) bool {
	if n <= 0 || n > t.tiers.all.most {
		return n == 0
	}
	mine := min(n, t.tiers.own.free(t.words[own], now))
	if rest := n - mine; rest > 0 {
		if n > t.tiers.all.free(t.words[all], now) || !t.pool.allow(now, rest) {
			return false
		}
	}
	t.pool.force(now, mine)
	t.words[own] = t.tiers.own.charged(t.words[own], now, mine)
	t.words[all] = t.tiers.all.charged(t.words[all], now, n)
	return true
}

// remaining returns how many events would pass at instant now.
func (t *Tiered) remaining(now int64) int64 {
	mine := t.tiers.own.free(t.words[own], now)
	rest := t.tiers.all.free(t.words[all], now) - mine
	return mine + max(0, min(rest, t.pool.peek(now).Remaining))
}

func (t *Tiered) state(now int64) Result {
	return Result{
		Limit: t.tiers.all.most, Remaining: t.remaining(now),
		ResetAfter: wait(t.tiers.all.reset(t.words[all], now), now),
	}
}

// retry returns the first instant at which n events pass, if nobody charges the pool
// before: by bisection, since what remains only grows.
func (t *Tiered) retry(now, n int64) int64 {
	if n < 0 || n > t.tiers.own.most+min(t.tiers.all.most-t.tiers.own.most, t.pool.peek(now).Limit) {
		return never
	}
	lo, hi := now, horizon
	if t.remaining(hi) < n {
		return never
	}
	for lo+1 < hi {
		if mid := lo + (hi-lo)/2; t.remaining(mid) < n {
			lo = mid
		} else {
			hi = mid
		}
	}
	return hi
}

// charged returns the word after n events that nothing refuses.
func (r *rule) charged(v, now, n int64) int64 {
	if r.kind != kindBucket || n == 0 {
		return v
	}
	units := maxUnits
	if n <= maxUnits>>r.fine<<r.coarse {
		units = r.cost(n)
	}
	return min(maxWord, max(v, r.clock(now))+units)
}

// force charges n events, whatever is left.
func (l *Limiter) force(now, n int64) {
	for {
		c := l.load()
		for v := c.word.Load(); v != frozen; v = c.word.Load() {
			if c.word.CompareAndSwap(v, c.charged(v, now, n)) {
				return
			}
		}
		l.settle()
	}
}
