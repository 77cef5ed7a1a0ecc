package testkit

import (
	"math"
	"math/rand/v2"
)

// Zipf returns a stream of ranks in [0, n) in which rank k has a probability in
// proportion to 1/(k+1)^s, for any s > 0, s = 1 included; the same seed gives
// the same stream. It draws by rejection-inversion (Hörmann and Derflinger
// 1996), so memory does not grow with n.
func Zipf(seed uint64, s float64, n uint64) func() uint64 {
	if s <= 0 || n == 0 {
		panic("testkit: Zipf needs s > 0 and n > 0")
	}
	rng := rand.New(rand.NewPCG(seed, 0x5a697066))
	// area is the integral of x^-s, and back its inverse.
	area := func(x float64) float64 { l := math.Log(x); return l * ratio(math.Expm1, (1-s)*l) }
	back := func(a float64) float64 { return math.Exp(a * ratio(math.Log1p, max(a*(1-s), -1))) }
	height := func(x float64) float64 { return math.Exp(-s * math.Log(x)) }

	first, last := area(1.5)-1, area(float64(n)+0.5)
	sure := 2 - back(area(2.5)-height(2))
	return func() uint64 {
		for {
			a := last + rng.Float64()*(first-last)
			x := back(a)
			k := min(max(math.Floor(x+0.5), 1), float64(n))
			if k-x <= sure || a >= area(k+0.5)-height(k) {
				return uint64(k) - 1
			}
		}
	}
}

// ratio returns f(x)/x, and its limit 1 at 0, where both f used here have slope 1.
func ratio(f func(float64) float64, x float64) float64 {
	if math.Abs(x) < 1e-12 {
		return 1
	}
	return f(x) / x
}
