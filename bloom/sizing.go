package bloom

import (
	"fmt"
	"math"
	"math/bits"
)

// maxBlocks is what a 32-bit block choice can reach: 128 GiB.
const maxBlocks = 1<<32 - 1

// minRate is the lowest false-positive rate a Filter is built for: beyond, the
// unequal load of its blocks costs more than twice the bits of a Classic.
const minRate = 1e-6

// blockRate returns the false-positive rate of a filter whose blocks have eight
// lanes of that many places, of which a key takes one each, and hold load keys on
// average. Block loads are Poisson: P(i) = e^-load load^i/i!. A lane of a block
// with i keys has the asked place taken with probability 1-(1-1/places)^i. The
// last term is that of two keys that share a block and the 32 bits that choose
// inside it.
//
// The closed form in use elsewhere, (1-e^(-load/32))^8, forgets the variance of
// the loads: built by it, a filter for 1 % has 1.46 %, one for 1e-4 has 3.2e-4.
func blockRate(load, places float64) float64 {
	term, unset, sum := math.Exp(-load), 1.0, 0.0
	for i := 0.0; ; {
		set := 1 - unset
		set *= set
		set *= set
		sum += term * set * set
		i++
		term *= load / i
		unset *= 1 - 1/places
		if i > load && term < 1e-12*sum {
			return sum + load/(1<<32)
		}
	}
}

// maxLoad bounds the search: e^-maxLoad is still a normal number, and the rate
// there is within 2e-8 of 1.
const maxLoad = 640

// blockLoad inverts blockRate by bisection: the most keys a block may hold on
// average for a rate of at most p. It takes some 20 microseconds.
func blockLoad(p, places float64) float64 {
	low, high := 0.0, float64(maxLoad)
	for range 60 {
		if mid := (low + high) / 2; blockRate(mid, places) <= p {
			low = mid
		} else {
			high = mid
		}
	}
	return low
}

// blocksFor returns the number of blocks for n keys at rate p. It is a multiple
// of a power of two, 64 for the larger filters, so that Compact has something to
// fold by; that costs less than 0.4 % of memory.
func blocksFor(n uint64, p float64, powerOfTwo bool) (uint64, error) {
	exact := math.Ceil(float64(n) / blockLoad(p, laneBits))
	if exact > maxBlocks {
		return 0, fmt.Errorf("bloom: %d keys at a rate of %g need %.3g blocks of 32 bytes, want at most 2^32-1", n, p, exact)
	}
	z := max(uint64(exact), 1)
	step := min(64, uint64(1)<<max(bits.Len64(z/256)-1, 0))
	z = (z + step - 1) / step * step
	if powerOfTwo {
		z = 1 << bits.Len64(z-1)
	}
	if z > maxBlocks {
		return 0, fmt.Errorf("bloom: %d keys at a rate of %g need %d blocks of 32 bytes, want at most 2^32-1", n, p, z)
	}
	return z, nil
}
