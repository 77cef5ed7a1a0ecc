package redislimit

import (
	"fmt"
	"math"
	"math/bits"
	"time"

	"github.com/distkit/distkit/ratelimit"
)

// span is a length of time: whole microseconds, and a part in units of 1/unit of a
// microsecond, where the unit is the quota's. It is exact for any number of tokens.
type span struct{ whole, part int64 }

// quota is one limit in the arithmetic of the store, whose clock counts microseconds.
//
// A token takes token/unit microseconds, a reduced fraction. What a key owes is a
// span, the debt: how far the instant at which its bucket is full again lies ahead.
type quota struct {
	limit ratelimit.Limit // its burst spelled out
	token int64
	unit  int64
	fill  span // the time that burst tokens take
}

// maxSpan bounds the whole of every span and the unit, so that an instant and two
// spans stay below 2^53, where the script's numbers are exact integers.
const maxSpan = int64(1) << 51

// grace is by how much a debt may be above fill, in microseconds: see the script.
const grace = 1_000_000

// newQuota returns l, which is valid and not unlimited.
func newQuota(l ratelimit.Limit) (quota, error) {
	if l.Events > maxSpan {
		return quota{}, fmt.Errorf("redislimit: %w: events of %v is %d, want at most 2^51", ratelimit.ErrInvalidLimit, l, l.Events)
	}
	token, unit := int64(l.Period), 1000*l.Events
	d := gcd(token, unit)
	q := quota{limit: l, token: token / d, unit: unit / d}
	if q.unit > maxSpan {
		return quota{}, fmt.Errorf("redislimit: %w: events of %v share too little with its period: a token is %d/%d µs, want a denominator of at most 2^51", ratelimit.ErrInvalidLimit, l, q.token, q.unit)
	}
	hi, lo := bits.Mul64(uint64(l.Burst), uint64(q.token))
	fills := uint64(math.MaxUint64)
	if hi < uint64(q.unit) {
		fills, _ = bits.Div64(hi, lo, uint64(q.unit))
	}
	if fills > uint64(maxSpan) {
		return quota{}, fmt.Errorf("redislimit: %w: burst of %v is %d, want at most what fills within 71 years", ratelimit.ErrInvalidLimit, l, l.Burst)
	}
	q.fill = q.times(l.Burst)
	return q, nil
}

func gcd(a, b int64) int64 {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// times returns the time that n tokens take, 0 <= n <= burst.
func (q *quota) times(n int64) span {
	hi, lo := bits.Mul64(uint64(n), uint64(q.token))
	whole, part := bits.Div64(hi, lo, uint64(q.unit))
	return span{int64(whole), int64(part)}
}

func (q *quota) add(a, b span) span {
	c := span{a.whole + b.whole, a.part + b.part}
	if c.part >= q.unit {
		c.whole, c.part = c.whole+1, c.part-q.unit
	}
	return c
}

// sub returns a - b, whose whole is below 0 if that is less than nothing.
func (q *quota) sub(a, b span) span {
	c := span{a.whole - b.whole, a.part - b.part}
	if c.part < 0 {
		c.whole, c.part = c.whole-1, c.part+q.unit
	}
	return c
}

// charge returns the debt after n events, 1 <= n <= burst, if they pass.
func (q *quota) charge(debt span, n int64) (after span, ok bool) {
	after = q.add(debt, q.times(n))
	return after, q.sub(q.fill, after).whole >= 0
}

// free returns how many whole events pass with a debt.
func (q *quota) free(debt span) int64 {
	left := q.sub(q.fill, debt)
	if left.whole < 0 {
		return 0
	}
	hi, lo := bits.Mul64(uint64(left.whole), uint64(q.unit))
	lo, carry := bits.Add64(lo, uint64(left.part), 0)
	n, _ := bits.Div64(hi+carry, lo, uint64(q.token))
	return int64(n)
}

// retry returns the time until n events pass.
func (q *quota) retry(debt span, n int64) time.Duration {
	if n < 0 || n > q.limit.Burst {
		return ratelimit.InfDuration
	}
	return q.up(q.sub(q.add(debt, q.times(n)), q.fill))
}

// up returns s rounded up to a microsecond, and 0 for less than nothing.
func (q *quota) up(s span) time.Duration {
	if s.whole < 0 {
		return 0
	}
	if s.part > 0 {
		s.whole++
	}
	return time.Duration(s.whole) * time.Microsecond
}

// result returns the answer for n events: that they passed and left the debt, or
// that they did not pass with it.
func (q *quota) result(debt span, n int64, allowed bool) ratelimit.Result {
	r := ratelimit.Result{Allowed: allowed, Limit: q.limit.Burst, Remaining: q.free(debt), ResetAfter: q.up(debt)}
	if !allowed {
		r.RetryAfter = q.retry(debt, n)
	}
	return r
}
