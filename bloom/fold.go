package bloom

import (
	"cmp"
	"slices"
)

// fold returns the words of a filter of 1/d of the blocks that contains all keys
// of this one, the very bits that building it at that size gives. It is exact
// because a block is chosen by multiplication: floor(x*z/d) = floor(floor(x*z)/d),
// so d neighbors become one. d divides the number of blocks.
func fold(words []uint64, d uint64) []uint64 {
	z := uint64(len(words)) / blockWords / d
	out := make([]uint64, z*blockWords)
	for i := range z {
		to := out[i*blockWords:][:blockWords]
		for from := words[i*d*blockWords:][:d*blockWords]; len(from) > 0; from = from[blockWords:] {
			to[0] |= from[0]
			to[1] |= from[1]
			to[2] |= from[2]
			to[3] |= from[3]
		}
	}
	return out
}

// Compact returns f folded to the smallest size, by a divisor of its number of
// blocks, at which its EstimatedFPR is at most p; a copy of f if there is none.
// So a filter may be built before n is known, large, and be stored small: sizes
// that New chooses for 1.6 million keys and more can be divided by 2, 4 ... 64,
// smaller ones by less. It reads the bits a few times.
func (f *Filter) Compact(p float64) *Filter {
	for _, d := range divisors(f.count()) {
		if foldedRate(f.words, d, p) <= p {
			g := *f
			g.words = fold(f.words, d)
			return &g
		}
	}
	return f.Clone()
}

// divisors returns the divisors of z, the largest first; z < 2^32.
func divisors(z uint64) (all []uint64) {
	for d := uint64(1); d*d <= z; d++ {
		if z%d != 0 {
			continue
		}
		all = append(all, d)
		if d*d != z {
			all = append(all, z/d)
		}
	}
	slices.SortFunc(all, func(a, b uint64) int { return cmp.Compare(b, a) })
	return all
}
