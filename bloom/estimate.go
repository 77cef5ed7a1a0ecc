package bloom

import (
	"math"
	"math/bits"
	"sync/atomic"
)

// EstimatedCount returns the number of different keys in f, estimated from its
// bits: the expected share of bits set is 1-e^(-keys/(32 blocks)) exactly, for
// Poisson block loads, and this is the inverse. The error is below 1 % plus
// 3/sqrt(keys) for a filter that is not far beyond its n. It reads all bits.
//
// Of two filters of one size, the count of a union is that of their Merge, and
// the count of their intersection is a + b - union.
func (f *Filter) EstimatedCount() float64 { return blocksCount(f.words) }

// EstimatedFPR returns the probability, given the bits as they are, that a key
// that was never added is found: the mean over the blocks of the product of the
// shares set in its eight lanes. It is exact, not asymptotic, whatever was added
// and from wherever; raise an alarm on it. It reads all bits.
func (f *Filter) EstimatedFPR() float64 { return foldedRate(f.words, 1, 1) }

// The two functions below load words atomically, which costs nothing, since they
// serve Concurrent too.

func blocksCount(words []uint64) float64 {
	if len(words) == 0 {
		return 0
	}
	zeros := uint64(0)
	for i := range words {
		zeros += uint64(bits.OnesCount64(^atomic.LoadUint64(&words[i])))
	}
	// With every bit set the estimate would be infinite; one bit short of that
	// is as much as the filter can tell.
	total := 64 * float64(len(words))
	return total / 8 * math.Log(total/float64(max(zeros, 1)))
}

// foldedRate returns the false-positive rate of words folded by d. It stops, with
// a value beyond limit, as soon as the rate is known to be that.
func foldedRate(words []uint64, d uint64, limit float64) float64 {
	z := uint64(len(words)) / blockWords / d
	if z == 0 {
		return 0
	}
	whole := float64(z) * (1 << 40) // 32^8 a block
	sum := 0.0
	for len(words) > 0 {
		var b [blockWords]uint64
		for group := words[:d*blockWords]; len(group) > 0; group = group[blockWords:] {
			b[0] |= atomic.LoadUint64(&group[0])
			b[1] |= atomic.LoadUint64(&group[1])
			b[2] |= atomic.LoadUint64(&group[2])
			b[3] |= atomic.LoadUint64(&group[3])
		}
		words = words[d*blockWords:]
		product := uint64(1)
		for _, w := range b {
			product *= uint64(bits.OnesCount32(uint32(w)) * bits.OnesCount32(uint32(w>>32)))
		}
		sum += float64(product)
		if sum > limit*whole {
			break
		}
	}
	return sum / whole
}
