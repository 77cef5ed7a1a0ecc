package ratelimit_test

import (
	"math/big"
	"time"

	"github.com/distkit/distkit/ratelimit"
)

// bucketTwin is a token bucket in exact fractions: the slow obvious one, that counts
// in tokens/2^64. Only the reading of the clock is rounded, to the unit of the rule.
type bucketTwin struct {
	rule  ratelimit.Rule
	unit  *big.Int
	burst *big.Int
	full  *big.Int // virtual time at which the bucket is full; nil: it is
}

func newBucketTwin(rule ratelimit.Rule, l ratelimit.Limit) *bucketTwin {
	fine, coarse, _ := rule.Units()
	unit := new(big.Int).Lsh(big.NewInt(1), 64+uint(coarse)-uint(fine))
	return &bucketTwin{rule: rule, unit: unit, burst: tokens(l.Burst)}
}

func tokens(n int64) *big.Int { return new(big.Int).Lsh(big.NewInt(n), 64) }

func (b *bucketTwin) clock(now int64) *big.Int {
	return new(big.Int).Mul(big.NewInt(b.rule.Clock(now)), b.unit)
}

// debt is how much is missing.
func (b *bucketTwin) debt(now int64) *big.Int {
	d := new(big.Int)
	if b.full != nil {
		if d.Sub(b.full, b.clock(now)); d.Sign() < 0 {
			d.SetInt64(0)
		}
	}
	return d
}

// cost is n tokens, rounded up to whole units.
func (b *bucketTwin) cost(n int64) *big.Int {
	c := tokens(n)
	c.Add(c, b.unit)
	c.Sub(c, big.NewInt(1))
	return c.Sub(c, new(big.Int).Mod(c, b.unit))
}

func (b *bucketTwin) after(now, n int64) *big.Int {
	debt := b.debt(now)
	return debt.Add(debt, b.cost(n))
}

func (b *bucketTwin) allow(now, n int64) bool {
	if n <= 0 {
		return n == 0
	}
	debt := b.after(now, n)
	if debt.Cmp(b.burst) > 0 {
		return false
	}
	b.full = debt.Add(debt, b.clock(now))
	return true
}

func (b *bucketTwin) free(now int64) int64 {
	left := b.debt(now)
	left.Sub(b.burst, left)
	return max(0, left.Rsh(left, 64).Int64())
}

// first is the first instant from now on at which f holds, which never ceases to.
func first(now int64, f func(int64) bool) int64 {
	if f(now) {
		return now
	}
	step := int64(1)
	for !f(now + step) {
		if step *= 2; step > 1<<61 {
			panic("never")
		}
	}
	lo, hi := now, now+step
	for lo+1 < hi {
		if mid := lo + (hi-lo)/2; f(mid) {
			hi = mid
		} else {
			lo = mid
		}
	}
	return hi
}

func (b *bucketTwin) retry(now, n int64) int64 {
	return first(now, func(t int64) bool { return b.after(t, n).Cmp(b.burst) <= 0 })
}

func (b *bucketTwin) reset(now int64) int64 {
	return first(now, func(t int64) bool { return b.debt(t).Sign() == 0 })
}

// windowTwin counts in a list of windows; prev is weighed in exact fractions.
type windowTwin struct {
	limit   ratelimit.Limit
	sliding bool
	counts  map[int64]int64
	last    int64 // window
}

func (w *windowTwin) at(now int64) (index, into int64) {
	at := time.Unix(0, 0)
	unix := now - ratelimit.Instant(at)
	period := int64(w.limit.Period)
	index, into = unix/period, unix%period
	if into < 0 {
		index, into = index-1, into+period
	}
	if index < w.last {
		return w.last, 0
	}
	return index, into
}

// left is how much of the limit is left, weighed, in events/period.
func (w *windowTwin) left(now int64) *big.Int {
	index, into := w.at(now)
	period := int64(w.limit.Period)
	left := new(big.Int).Mul(big.NewInt(w.limit.Events-w.counts[index]), big.NewInt(period))
	if w.sliding {
		left.Sub(left, new(big.Int).Mul(big.NewInt(period-into), big.NewInt(w.counts[index-1])))
	}
	return left
}

func (w *windowTwin) events(n int64) *big.Int {
	return new(big.Int).Mul(big.NewInt(n), big.NewInt(int64(w.limit.Period)))
}

func (w *windowTwin) allow(now, n int64) bool {
	if n <= 0 {
		return n == 0
	}
	if w.left(now).Cmp(w.events(n)) < 0 {
		return false
	}
	index, _ := w.at(now)
	w.last = index
	w.counts[index] += n
	return true
}

func (w *windowTwin) free(now int64) int64 {
	left := w.left(now)
	return max(0, left.Div(left, big.NewInt(int64(w.limit.Period))).Int64())
}

func (w *windowTwin) retry(now, n int64) int64 {
	return first(now, func(t int64) bool { return w.left(t).Cmp(w.events(n)) >= 0 })
}

func (w *windowTwin) reset(now int64) int64 {
	return first(now, func(t int64) bool { return w.left(t).Cmp(w.events(w.limit.Events)) >= 0 })
}

// twin is what both slow limiters have.
type twin interface {
	allow(now, n int64) bool
	free(now int64) int64
	retry(now, n int64) int64
	reset(now int64) int64
}
