package ring

import (
	"math"
	"math/bits"
)

// Weighted rendezvous needs the logarithm of a random number, and every machine
// must get the same one: math.Log is assembly on some architectures and fused
// on others. So it is computed in integers, as Ceph's straw2 does.

// negLog2 returns -log2(u/2^64), from 64 for u = 1 down to nearly 0, in units of
// 2^-57, at least 1 of them. It is right within 2^-41. For 0 it takes 1.
func negLog2(u uint64) uint64 {
	u = max(u, 1)
	zeros := bits.LeadingZeros64(u)
	m := u << zeros // 1 <= m/2^63 < 2
	i := m >> 55 & 255
	// The mantissa is (1 + i/256)(1 + d); d < 1/256, in units of 2^-64.
	d, _ := bits.Mul64(m<<9, logInverse[i])
	// log(1+d) = d - d^2 (1/2 - d (1/3 - d/4)) and less than 2^-42 more.
	q, _ := bits.Mul64(d, 1<<64/3-d>>2)
	q, _ = bits.Mul64(d, 1<<63-q)
	q, _ = bits.Mul64(d, q)
	q, _ = bits.Mul64(d-q, log2e)
	whole, part := uint64(zeros+1)<<57, logTable[i]+q
	if part >= whole {
		return 1
	}
	return whole - part
}

const log2e = 0x2e2a8eca5705fc2 // log2(e) in units of 2^-57

// inverse is 1/w as a mantissa with its top bit set and an exponent: 1/w is
// mantissa * 2^(exponent-64).
type inverse struct {
	mantissa uint64
	exponent int
}

// newInverse returns 1/w for a finite w > 0.
func newInverse(w float64) inverse {
	frac, exp := math.Frexp(w) // w = frac * 2^exp, 1/2 <= frac < 1
	f := uint64(frac * (1 << 63) * 2)
	if f == 1<<63 {
		return inverse{1 << 63, 2 - exp}
	}
	q, _ := bits.Div64(1<<63, 0, f) // 2^127/f, with its top bit set
	return inverse{q, 1 - exp}
}

// times returns x/w, x > 0, as a number that compares like it: 12 bits of
// exponent, then 52 bits of mantissa.
func (v inverse) times(x uint64) uint64 {
	zeros := bits.LeadingZeros64(x)
	hi, lo := bits.Mul64(x<<zeros, v.mantissa)
	if hi>>63 == 0 {
		hi = hi<<1 | lo>>63
		zeros++
	}
	return uint64(v.exponent-zeros+2048)<<52 | hi<<1>>12
}
