package pbs

import "math"

// StaleProbability returns the chance that a read of r of n replicas misses all
// of the last k versions, each written to w replicas at random:
// (C(n-w, r) / C(n, r))^k. NaN unless 1 ≤ r, w ≤ n and k ≥ 1. O(r).
func StaleProbability(n, r, w, k int) float64 {
	if n < 1 || r < 1 || r > n || w < 1 || w > n || k < 1 {
		return math.NaN()
	}
	p := 1.0
	for i := range r { // the next replica read is none of the w
		p *= float64(max(n-w-i, 0)) / float64(n-i)
	}
	return math.Pow(p, float64(k))
}
