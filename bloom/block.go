package bloom

import "github.com/distkit/distkit/internal/hash64"

// A block is 256 bits, half a cache line: eight lanes of 32 bits in four words,
// lane 2i in the low half of word i. Written as little-endian words this is the
// split block of the Parquet format. A key sets one bit in every lane of one
// block.
const (
	blockWords = 4
	laneBits   = 32
	blockBytes = 8 * blockWords
)

// The odd multipliers of the Parquet format (BloomFilter.md), one a lane.
const (
	salt0 = 0x47b6137b
	salt1 = 0x44974d91
	salt2 = 0x8824ad5b
	salt3 = 0xa2b7289d
	salt4 = 0x705495c7
	salt5 = 0x2df1424b
	salt6 = 0x9efc4947
	salt7 = 0x5c6bfb31
)

// saltBloom makes the bits of a key here independent of what else its hash
// chose. The assembly knows it too.
const saltBloom = hash64.SaltBloom

// blocks is a split-block bit array, the body of Filter and Concurrent. The
// assembly knows this type: block_amd64.s.
type blocks struct {
	words []uint64 // blockWords a block; none in a zero value
	raw   bool     // hashes are taken as they are, as Parquet wants; else remixed
}

func (b *blocks) count() uint64 { return uint64(len(b.words)) / blockWords }

// mixed returns the hash from which block and bits are taken.
func (b *blocks) mixed(h uint64) uint64 {
	if b.raw {
		return h
	}
	return hash64.Mix(h, saltBloom)
}

// block returns the four words of the block of a mixed hash: its high half
// chooses by multiplication, so any number of blocks up to 2^32-1 will do.
func block(words []uint64, h uint64) *[blockWords]uint64 {
	i := (h >> 32) * (uint64(len(words)) / blockWords) >> 32 * blockWords
	return (*[blockWords]uint64)(words[i : i+blockWords])
}

// masks returns the eight bits of the low half of a mixed hash, two a word. The
// loads, tests and stores that follow need no branch, and cost the same for a
// hit and a miss.
func masks(x uint32) (m0, m1, m2, m3 uint64) {
	m0 = 1<<(x*salt0>>27) | 1<<32<<(x*salt1>>27)
	m1 = 1<<(x*salt2>>27) | 1<<32<<(x*salt3>>27)
	m2 = 1<<(x*salt4>>27) | 1<<32<<(x*salt5>>27)
	m3 = 1<<(x*salt6>>27) | 1<<32<<(x*salt7>>27)
	return m0, m1, m2, m3
}

// containsGo is the portable membership test.
func containsGo(b *blocks, h uint64) bool {
	if len(b.words) == 0 {
		return false
	}
	h = b.mixed(h)
	w := block(b.words, h)
	m0, m1, m2, m3 := masks(uint32(h))
	return m0&^w[0]|m1&^w[1]|m2&^w[2]|m3&^w[3] == 0
}

// addGo is the portable insertion; it says whether a bit was new.
func addGo(b *blocks, h uint64) bool {
	if len(b.words) == 0 {
		panic("bloom: Add to a zero Filter, make one with New")
	}
	h = b.mixed(h)
	w := block(b.words, h)
	m0, m1, m2, m3 := masks(uint32(h))
	missing := m0&^w[0] | m1&^w[1] | m2&^w[2] | m3&^w[3]
	w[0] |= m0
	w[1] |= m1
	w[2] |= m2
	w[3] |= m3
	return missing != 0
}

func containsBatchGo(b *blocks, out []bool, hs []uint64) (present int) {
	for i, h := range hs {
		out[i] = containsGo(b, h)
		if out[i] {
			present++
		}
	}
	return present
}

func addBatchGo(b *blocks, hs []uint64) {
	for _, h := range hs {
		addGo(b, h)
	}
}

// containsAnyGo says whether one of several blocks has the bits of a mixed hash.
func containsAnyGo(group []uint64, h uint64) bool {
	m0, m1, m2, m3 := masks(uint32(h))
	found := uint64(0)
	for ; len(group) >= blockWords; group = group[blockWords:] {
		missing := m0&^group[0] | m1&^group[1] | m2&^group[2] | m3&^group[3]
		found |= (missing - 1) &^ missing // the top bit, if nothing is
	}
	return found>>63 != 0
}
