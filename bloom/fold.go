package bloom

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
