package lru

import "math"

// sizes are those of which Stats has an estimate, in parts of the capacity.
var sizes = [...]float64{0.25, 0.5, 1, 2, 4}

const twiceAsLarge = 3 // which of sizes

// HitRatioAt estimates the hit ratio of a cache whose capacity is size times as large,
// 0.25 <= size <= 4, under Adaptive with WithStats. It returns false without them, for
// another size, or before anything was sampled. What was asked for and not set does
// not count as a use. It is within 0.1 of the truth on loads that stay alike, and too low
// for small sizes rather than too high: a cache of another size may choose better.
func (s Stats) HitRatioAt(size float64) (ratio float64, ok bool) {
	if s.Sampled == 0 || !(size >= sizes[0] && size <= sizes[len(sizes)-1]) {
		return 0, false
	}
	at := math.Log2(size) - math.Log2(sizes[0]) // an index, as each is twice the last
	k := min(int(at), len(sizes)-2)
	of := func(k int) float64 { return float64(s.SampledHits[k]) / float64(s.Sampled) }
	ratio = of(k) + (at-float64(k))*(of(k+1)-of(k))
	// The sample may be luckier than all keys are, and is so at all sizes.
	ratio += s.HitRatio() - of(twiceAsLarge-1)
	return min(max(ratio, 0), 1), true
}
