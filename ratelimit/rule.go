package ratelimit

import (
	"fmt"
	"math"
	"math/bits"
	"time"
)

// rule is one limit under one algorithm, in the units of the words that hold its
// state. A word is an int64 that every admission raises, so that comparing and
// swapping it is all that a decision takes:
//
//   - token bucket: the virtual time at which the bucket is full again, in units
//     of 2^-fine tokens (see [rule.clock]);
//   - windows: index of the window, events of the one before, events of this one.
//
// A larger word is a fuller limiter, whatever the instants of its callers.
type rule struct {
	limit Limit
	kind  kind
	most  int64 // that can pass at once

	// Token bucket.
	mult   uint64 // units in half a nanosecond, times 2^64, rounded up
	burst  int64  // units
	fine   uint8  // a token is 2^fine units,
	coarse uint8  // or a unit is 2^coarse tokens
	round  int64  // 2^coarse - 1

	// Windows.
	phase int64 // from an instant to the time since a window began
	bits  uint8 // of a count
	prev  int64 // of kindWide: events of the window before that of the word
}

type kind uint8

const (
	kindBucket kind = iota
	kindFixed
	kindSliding
	kindWide // sliding, in a word and rule.prev
	kindUnlimited
)

const (
	fresh  = math.MinInt64 // the word of a limiter that was never used
	frozen = math.MaxInt64 // the word of one that is about to be replaced
	never  = math.MaxInt64 // an instant that does not come
)

// maxUnits bounds a burst in units, so that the clock at the horizon and two bursts
// add up to less than frozen.
const maxUnits = int64(1)<<60 - 1

// newRule returns l under an algorithm; aligned is an instant at which a window
// begins.
func newRule(l Limit, a Algorithm, aligned int64) (*rule, error) {
	if l == unlimited {
		return &rule{limit: l, kind: kindUnlimited, most: math.MaxInt64}, nil
	}
	if err := l.check(); err != nil {
		return nil, err
	}
	l = l.full()
	switch a {
	case TokenBucket:
		return newBucket(l)
	case FixedWindow, SlidingWindow:
		return newWindow(l, a, aligned)
	}
	return nil, fmt.Errorf("ratelimit: algorithm is %v, want TokenBucket, FixedWindow or SlidingWindow", a)
}

// newBucket chooses the unit: the finest power of two of a token of which at most
// two accrue in a nanosecond, and with which the burst fits. As more than one does,
// the time that a whole number of nanoseconds takes is never rounded.
func newBucket(l Limit) (*rule, error) {
	r := &rule{limit: l, kind: kindBucket, most: l.Burst}
	events, period := uint64(l.Events), 2*uint64(l.Period)
	if events <= period {
		room := bits.Len64(uint64(maxUnits)) - bits.Len64(uint64(l.Burst))
		r.fine = uint8(max(0, min(bits.Len64(period/events)-1, room)))
		events <<= r.fine
	} else {
		// More than two in a nanosecond: a unit is several, costs are rounded up.
		for (events-1)>>r.coarse+1 > period {
			r.coarse++
		}
		period <<= r.coarse
		r.round = 1<<r.coarse - 1
		if l.Burst&r.round != 0 {
			return nil, fmt.Errorf("%w: burst of %v is %d, want a multiple of %d at such a rate", ErrInvalidLimit, l, l.Burst, r.round+1)
		}
	}
	r.burst = l.Burst >> r.coarse << r.fine
	if r.burst > maxUnits {
		return nil, fmt.Errorf("%w: burst of %v is %d, want at most %d", ErrInvalidLimit, l, l.Burst, maxUnits>>r.fine<<r.coarse)
	}
	r.mult = math.MaxUint64 // two units a nanosecond
	if events < period {
		quo, rem := bits.Div64(events, 0, period)
		r.mult = quo
		if rem != 0 {
			r.mult++
		}
	}
	return r, nil
}

// clock returns the virtual time at instant now, in units: floor(now * rate).
//
// It makes the limiter exact. A token is a whole number of units, so what accrues
// is never rounded, only the reading of the clock is; and since mult is rounded
// up, by less than a unit in all of an instant's range, k whole periods yield the
// tokens of k periods, never one less.
func (r *rule) clock(now int64) int64 {
	hi, _ := bits.Mul64(uint64(now)<<1, r.mult)
	return int64(hi)
}

// when returns the first instant at which clock is u or more.
func (r *rule) when(u int64) int64 {
	if u <= 0 {
		return 0
	}
	if uint64(u) >= r.mult {
		return never
	}
	quo, rem := bits.Div64(uint64(u), 0, r.mult)
	if rem != 0 {
		quo++
	}
	return int64(quo/2 + quo%2)
}

// cost returns n tokens in units, 0 <= n <= most.
func (r *rule) cost(n int64) int64 { return (n + r.round) >> (r.coarse & 63) << (r.fine & 63) }

// step decides on n events at instant now for a limiter whose word is v. It
// returns the word to write, v itself if nothing is to be written.
func (r *rule) step(v, now, n int64) (word int64, ok bool) {
	if n <= 0 {
		return v, n == 0
	}
	switch {
	case r.kind != kindBucket:
		return r.stepWindow(v, now, n)
	case n > r.most:
		return v, false
	}
	c := r.clock(now)
	word = max(v, c) + r.cost(n)
	return word, word-c <= r.burst
}

// free returns how many whole events may pass at instant now.
func (r *rule) free(v, now int64) int64 {
	if r.kind != kindBucket {
		return r.freeWindow(v, now)
	}
	return max(0, r.left(v, now)) >> r.fine << r.coarse
}

// left returns what a token bucket holds, in units, below 0 in debt.
func (r *rule) left(v, now int64) int64 {
	c := r.clock(now)
	return r.burst - (max(v, c) - c)
}

// retry returns the first instant, not before now, at which n events pass.
func (r *rule) retry(v, now, n int64) int64 {
	switch {
	case n <= 0 || n > r.most:
		if n == 0 {
			return now
		}
		return never
	case r.kind != kindBucket:
		return r.retryWindow(v, now, n)
	}
	return max(now, r.when(max(v, r.clock(now))+r.cost(n)-r.burst))
}

// reset returns the first instant, not before now, at which v says nothing.
func (r *rule) reset(v, now int64) int64 {
	if r.kind != kindBucket {
		return r.resetWindow(v, now)
	}
	return max(now, r.when(v))
}

// floor returns the least word that means something at instant now: what is below
// is as good as fresh.
func (r *rule) floor(now int64) int64 {
	if r.kind != kindBucket {
		return r.floorWindow(now)
	}
	return r.clock(now)
}

// reserve takes n events now or when they are due, but not after instant last.
func (r *rule) reserve(v, now, n, last int64) (word, act int64, ok bool) {
	word, ok = r.step(v, now, n)
	if ok || r.kind != kindBucket || n <= 0 || n > r.most {
		return word, now, ok
	}
	act = r.when(word - r.burst)
	return word, act, act <= min(last, horizon)
}

// refund returns the word after the n events of a reservation for instant act are
// given back: all but what was reserved after it and must wait for it.
func (r *rule) refund(v, act, n int64) int64 {
	if r.kind != kindBucket {
		return r.refundWindow(v, act, n)
	}
	if v == fresh {
		return v
	}
	later := max(0, v-r.burst-r.clock(act))
	return v - max(0, r.cost(n)-later)
}

// wait returns the time from now to instant t.
func wait(t, now int64) time.Duration {
	if t == never {
		return InfDuration
	}
	return time.Duration(t - now)
}

// result returns the answer for n events that passed and left the word v.
func (r *rule) result(v, now int64) Result {
	return Result{
		Allowed: true, Limit: r.most, Remaining: r.free(v, now),
		ResetAfter: wait(r.reset(v, now), now),
	}
}

// refusal returns the answer for n events that did not pass.
func (r *rule) refusal(v, now, n int64) Result {
	a := r.result(v, now)
	a.Allowed, a.RetryAfter = false, wait(r.retry(v, now, n), now)
	return a
}

// peek returns the state: whether an event would pass, and how many.
func (r *rule) peek(v, now int64) Result {
	if r.free(v, now) == 0 {
		return r.refusal(v, now, 1)
	}
	return r.result(v, now)
}
