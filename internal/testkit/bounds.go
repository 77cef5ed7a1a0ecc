package testkit

import "math"

// RateBounds returns where the measured rate of an event of probability p lies
// in n independent trials, but for sigmas standard deviations of chance.
func RateBounds(p float64, n int, sigmas float64) (lo, hi float64) {
	d := sigmas * math.Sqrt(p*(1-p)/float64(n))
	return p - d, p + d
}

// ChiSquare returns Pearson's statistic of counts against equal probabilities.
func ChiSquare(counts []int) float64 {
	var total float64
	for _, c := range counts {
		total += float64(c)
	}
	want := total / float64(len(counts))
	var x float64
	for _, c := range counts {
		x += (float64(c) - want) * (float64(c) - want) / want
	}
	return x
}

// ChiSquareLimit returns what [ChiSquare] of that many counts exceeds only as
// rarely as a normal variable exceeds its mean by sigmas standard deviations
// (Wilson and Hilferty 1931).
func ChiSquareLimit(counts int, sigmas float64) float64 {
	df := float64(counts - 1)
	c := 1 - 2/(9*df) + sigmas*math.Sqrt(2/(9*df))
	return df * c * c * c
}

// MeanSD returns the mean and the sample standard deviation of xs.
func MeanSD(xs []float64) (mean, sd float64) {
	for _, x := range xs {
		mean += x
	}
	mean /= float64(len(xs))
	for _, x := range xs {
		sd += (x - mean) * (x - mean)
	}
	return mean, math.Sqrt(sd / float64(len(xs)-1))
}
