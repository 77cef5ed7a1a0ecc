package hll

import (
	"encoding/binary"
	"math"
)

// The asymptotic relative standard errors times the square root of the number of
// registers (Ertl 2017; Ting 2014).
const (
	rawError        = 1.0389617614136892 // sqrt(3 ln 2 - 1)
	martingaleError = 0.8325546111576978 // sqrt(ln 2)
	// likelihoodBias over the number of registers is by how much, relatively, the most
	// likely number of keys is too large (Ertl 2024, ExaLogLog, for t = d = 0).
	likelihoodBias = 1.01015908095854
)

// stats sums registers up: all that the estimate depends on.
type stats struct {
	agg   uint64 // sum of 2^(q-k) over all registers k <= q, modulo 2^64: 0 also if all are zero
	zeros int    // registers of value 0
	full  int    // registers of value q+1, which no key can raise
}

// newStats are the statistics of 2^p zero registers.
func newStats(p uint8) stats { return stats{zeros: 1 << p} }

// change accounts for a register that goes from old to new, both at most q+1 and
// below 64. Whether old was zero is a coin toss while a sketch fills up, and costs
// less as a number than as a branch.
func (s *stats) change(q, old, new uint8) {
	top := uint64(1) << (q & 63)
	s.agg += top>>(new&63) - top>>(old&63)
	s.zeros -= int((uint64(old) - 1) >> 63)
	s.full += int((uint64(q) - uint64(new)) >> 63)
}

// count returns the statistics of registers.
func count(registers []uint8, q uint8) stats {
	var h histograms
	for r := registers; len(r) >= 8; r = r[8:] {
		h.word(binary.LittleEndian.Uint64(r))
	}
	return h.sums(q)
}

// histograms count registers by value. Four take turns, since a counter that was
// just written is slow to read again.
type histograms [4][64]uint32

// word counts eight registers.
func (h *histograms) word(w uint64) {
	h[0][w&63]++
	h[1][w>>8&63]++
	h[2][w>>16&63]++
	h[3][w>>24&63]++
	h[0][w>>32&63]++
	h[1][w>>40&63]++
	h[2][w>>48&63]++
	h[3][w>>56&63]++
}

func (h *histograms) sums(q uint8) (s stats) {
	for k := range h[0] {
		s.add(q, uint8(k), h[0][k]+h[1][k]+h[2][k]+h[3][k])
	}
	return s
}

// add accounts for n registers of value k.
func (s *stats) add(q, k uint8, n uint32) {
	switch {
	case k == 0:
		s.zeros += int(n)
	case k > q:
		s.full += int(n)
	}
	s.agg += uint64(n) * (uint64(1) << q >> k)
}

// estimate is the improved raw estimator: one formula for the whole range, with
// no tables and no cases (Ertl 2017, "New cardinality estimation algorithms for
// HyperLogLog sketches", algorithm 6).
func (s *stats) estimate(p uint8) float64 {
	q := 64 - p
	m := float64(uint64(1) << p)
	unit := math.Float64frombits(uint64(1023-int(q)) << 52) // 2^-q
	inner := s.agg - uint64(s.zeros)<<q                     // of registers 1 to q; what wrapped around wraps back
	z := m*sigma(float64(s.zeros)/m) + unit*(float64(inner)+m*tau(1-float64(s.full)/m))
	return m * m / (2 * math.Ln2 * z)
}

// sigma is x + sum over k >= 1 of x^(2^k) 2^(k-1).
func sigma(x float64) float64 {
	if x == 1 {
		return math.Inf(1)
	}
	z := x
	for y := 1.0; ; y += y {
		x *= x
		last := z
		z += x * y
		if z == last {
			return z
		}
	}
}

// tau is (1 - x - sum over k >= 1 of (1-x^(2^-k))^2 2^-k) / 3.
func tau(x float64) float64 {
	if x == 0 || x == 1 {
		return 0
	}
	z := 1 - x
	for y := 0.5; ; y /= 2 {
		x = math.Sqrt(x)
		last := z
		z -= (1 - x) * (1 - x) * y
		if z == last {
			return z / 3
		}
	}
}

// solve returns the x that maximizes exp(-a x) times the product of
// (1-exp(-x/2^j))^b[j], within a relative tolerance of eps: the likelihood of
// what a sketch observed (Ertl 2024, ExaLogLog, algorithm 8). The iteration comes
// from below and never overshoots, so it ends; two to four rounds are usual.
func solve(a float64, b []uint32, eps float64) float64 {
	first, last := -1, -1
	var n, weighted float64 // sums of b[j] and of b[j]/2^j
	unit := 1.0
	for j, c := range b {
		if c > 0 {
			if first < 0 {
				first = j
			}
			last = j
			n += float64(c)
			weighted += float64(c) * unit
		}
		unit /= 2
	}
	if last < 0 {
		return 0
	}
	if a == 0 {
		return math.Inf(1)
	}
	scale := math.Ldexp(1, last)
	weighted *= scale
	a *= scale
	x := weighted / a
	if first < last {
		x = math.Expm1(math.Log1p(x) * n / weighted)
		for {
			step := newton(a, x, b[first:last+1])
			if !(step > 0) {
				break
			}
			x += x * step
			if step <= eps {
				break
			}
		}
	}
	return math.Log1p(x) * scale
}

// newton returns the relative step from x towards the solution.
func newton(a, x float64, b []uint32) float64 {
	last := len(b) - 1
	lambda, eta, y := 1.0, 0.0, x
	phi, psi := float64(b[last]), 0.0
	for u := last - 1; u >= 0; u-- {
		z := 2 / (2 + y)
		lambda *= z
		eta = eta*(2-z) + (1 - z)
		phi += float64(b[u]) * lambda
		psi += float64(b[u]) * lambda * eta
		y *= 2 + y
	}
	return (phi - a*x) / (psi + a*x)
}

// whole rounds an estimate to an integer within range.
func whole(x float64) uint64 {
	x += 0.5
	if !(x < 1<<64) {
		return math.MaxUint64
	}
	return uint64(x)
}

// bounds returns the interval that an estimate with that relative standard error
// is within sigmas of, and above least, which is known for certain.
func bounds(estimate, relative, sigmas float64, least int) (lower, upper uint64) {
	d := max(sigmas, 0) * relative
	if math.IsNaN(d) {
		d = math.Inf(1)
	}
	upper = math.MaxUint64
	if d < 1 {
		upper = whole(math.Ceil(estimate / (1 - d)))
	}
	return max(whole(math.Floor(estimate/(1+d))), uint64(least)), upper
}
