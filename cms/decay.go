package cms

import (
	"math"
	"time"
)

// decay says what an addition weighs: 2^(t/halfLife - landmark). Weights grow with
// time, and a score is a sum of weights by the weight of now.
type decay struct {
	halfLife int64
	rate     float64 // half-lives a nanosecond
	landmark int64   // in half-lives since the Unix epoch
	newest   int64   // the latest addition, in Unix nanoseconds; 0 before the first
	unit     float64 // the weight of newest; 0 before the first addition
	period   int64   // the half-life that newest is in, counted as landmark is
	from     int64   // when it began, in Unix nanoseconds
}

// maxSum is where sums of weights stay, as full counters do. It is more than 2^64
// additions can weigh, but not more than endless merges of the same, and less than
// what a float64 can hold, so that there are no infinities.
const maxSum = 0x1p600

// heavier returns the sum of two sums of weights.
func heavier(a, b float64) float64 {
	if sum := a + b; sum < maxSum { // which costs less than min of floats
		return sum
	}
	return maxSum
}

func newDecay(halfLife int64) decay {
	return decay{halfLife: halfLife, rate: 1 / float64(halfLife)}
}

// maxExponent is how many half-lives of weights the counters hold; beyond it they
// are scaled. A float64 holds twice that, so that sums have room.
const maxExponent = 500

// firstNano is the first moment that is told from those before.
const firstNano = -1 << 62

// unixNano returns t in nanoseconds since the Unix epoch. Before 1823 and after
// 2262 it stays at the ends, so that what is computed with it does not overflow.
func unixNano(t time.Time) int64 {
	const second = int64(time.Second)
	switch s := t.Unix(); {
	case s <= firstNano/second:
		return firstNano
	case s >= math.MaxInt64/second:
		return math.MaxInt64
	}
	return t.UnixNano()
}

// floorDiv returns a/b, rounded down, and what is left, for b > 0.
func floorDiv(a, b int64) (quotient, rest int64) {
	quotient, rest = a/b, a%b
	if rest < 0 {
		quotient, rest = quotient-1, rest+b
	}
	return quotient, rest
}

// divide returns the half-life that a time is in and how far, without a division
// where that is known.
func (d *decay) divide(at int64) (period, rest int64) {
	if d.unit != 0 && at >= d.from && uint64(at-d.from) < uint64(d.halfLife) {
		return d.period, at - d.from
	}
	return floorDiv(at, d.halfLife)
}

// power returns the weight at a time as fraction * 2^exponent, 1 <= fraction <= 2.
func (d *decay) power(at int64) (fraction float64, exponent int) {
	q, r := d.divide(at)
	fraction = exp2(float64(r) * d.rate)
	// More than 2^13 half-lives are beyond every float64.
	if q >= d.landmark {
		return fraction, int(min(uint64(q)-uint64(d.landmark), 1<<13))
	}
	return fraction, -int(min(uint64(d.landmark)-uint64(q), 1<<13))
}

// steps are the powers 2^(i/128).
var steps = func() (out [129]float64) {
	root := 2.0
	out[0], out[128] = 1, 2
	for gap := 64; gap > 0; gap /= 2 {
		root = math.Sqrt(root)
		for i := 0; i < 128; i += 2 * gap {
			out[i+gap] = out[i] * root
		}
	}
	return out
}()

// exp2 returns 2^f, 0 <= f <= 1, with an error of less than 5e-16 times that, in a
// part of the time of math.Exp2. Products are rounded by themselves and not fused
// with sums, so that the same additions have the same weights, and images the same
// bytes, on every machine.
func exp2(f float64) float64 {
	i := int(f * 128)
	z := float64((f - float64(i)/128) * math.Ln2)
	zz := float64(z * z)
	low := float64(zz * (0.5 + float64(z*(1.0/6))))
	high := float64(float64(zz*zz) * (1.0/24 + float64(z*(1.0/120))))
	return steps[i] * (1 + (z + (low + high)))
}

// ldexp is math.Ldexp, in less time where the power has a float64 of its own.
func ldexp(v float64, n int) float64 {
	if n > -1000 && n < 1000 {
		return v * math.Float64frombits(uint64(n+1023)<<52)
	}
	return math.Ldexp(v, n)
}

// scoreAt returns a sum of weights as a score at a time or at newest, if that is
// later.
func (d *decay) scoreAt(at int64, sum float64) float64 {
	switch {
	case d.unit == 0:
		return 0
	case at <= d.newest:
		return sum / d.unit
	}
	fraction, exponent := d.power(at)
	return ldexp(sum/fraction, -exponent)
}

// arrive returns the weight of an addition at a time. It is never 0, so that what
// came too late by far still has come.
func (t *Trending) arrive(at int64) float64 {
	if t.unit == 0 {
		t.landmark, _ = floorDiv(at, t.halfLife)
	}
	if t.unit != 0 && at == t.newest {
		return t.unit
	}
	fraction, exponent := t.power(at)
	if t.unit == 0 || at > t.newest {
		period, rest := t.divide(at)
		if exponent > maxExponent {
			t.move(period)
			exponent = 0
		}
		t.newest, t.unit, t.period, t.from = at, ldexp(fraction, exponent), period, at-rest
		return t.unit
	}
	return max(ldexp(fraction, exponent), math.SmallestNonzeroFloat64)
}

// move makes landmark, which is not before the present one, the landmark. Sums are
// scaled by a power of two, which is exact; what is too small for that is rounded
// up, so that bounds stay bounds.
func (t *Trending) move(landmark int64) {
	n := int(min(uint64(landmark)-uint64(t.landmark), 1<<13))
	t.landmark = landmark
	if n == 0 || t.unit == 0 {
		return
	}
	for i, c := range t.cells {
		if c != 0 {
			t.cells[i] = math.Float64bits(fall(math.Float64frombits(c), n))
		}
	}
	t.apply(func(v float64) float64 { return fall(v, n) })
	t.rest, t.total, t.unit = fall(t.rest, n), fall(t.total, n), fall(t.unit, n)
}

// fall returns v/2^n, rounded up.
func fall(v float64, n int) float64 {
	low := math.Ldexp(v, -n)
	if math.Ldexp(low, n) < v {
		return math.Nextafter(low, v)
	}
	return low
}
