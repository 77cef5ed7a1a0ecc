package bloom

import (
	"fmt"
	"math"
	"math/bits"
	"slices"

	"github.com/distkit/distkit/internal/codec"
	"github.com/distkit/distkit/internal/hash64"
)

// Counting is a filter from which keys can be removed (Fan et al. 1998), blocked
// as [Filter] is: a key counts in eight counters of four bits, one in every word
// of one cache line. It needs 45.8 bits a key at 1 %, 78 at 0.1 %.
//
// A counter that reaches 15 stays there, so keys that were added more than 14
// times may be found for ever; nothing that was added is lost by it. But removing
// a key that was never added and is found by chance does take counts from others:
// remove only what was added.
//
// Any number of goroutines may query a Counting; changes need exclusion. The zero
// Counting contains nothing; adding to it panics.
type Counting struct {
	words []uint64 // lineWords a line, 16 counters a word
	keyed
}

const (
	lineWords    = 8
	lineBytes    = 8 * lineWords
	wordCounters = 16
	counterOnes  = 0x1111111111111111
	counterMax   = 15
)

// NewCounting returns an empty Counting for n keys, n >= 1, at a false-positive
// rate of p, 1e-6 <= p < 1, while n keys are in. Options: WithSecret,
// WithMaxBytes.
func NewCounting(n uint64, p float64, opts ...Option) (*Counting, error) {
	c, err := newConfig("NewCounting", optSecret|optMaxBytes, opts)
	if err != nil {
		return nil, err
	}
	if err := checkCount(n); err != nil {
		return nil, err
	}
	if err := checkRate(p, minRate, "blocks of counters grow too large"); err != nil {
		return nil, err
	}
	exact := math.Ceil(float64(n) / blockLoad(p, wordCounters))
	if exact > maxBlocks {
		return nil, fmt.Errorf("bloom: %d keys at a rate of %g need %.3g lines of 64 bytes, want at most 2^32-1", n, p, exact)
	}
	lines := max(uint64(exact), 1)
	if err := c.fits(lines * lineBytes); err != nil {
		return nil, err
	}
	return &Counting{make([]uint64, lines*lineWords), c.keyed}, nil
}

// line returns the line of a mixed hash. There are lines.
func (c *Counting) line(h uint64) *[lineWords]uint64 {
	i := (h >> 32) * (uint64(len(c.words)) / lineWords) >> 32 * lineWords
	return (*[lineWords]uint64)(c.words[i : i+lineWords])
}

// counter returns the counter of word that the low half of a mixed hash chooses.
func counter(word uint64, x, salt uint32) uint64 { return word >> (x * salt >> 28 * 4) & counterMax }

var counterSalts = [lineWords]uint32{salt0, salt1, salt2, salt3, salt4, salt5, salt6, salt7}

// Add counts key and reports whether it was new to the filter.
func (c *Counting) Add(key []byte) bool { return c.AddHash(c.Hash(key)) }

// AddString is Add for a string.
func (c *Counting) AddString(key string) bool { return c.AddHash(c.HashString(key)) }

// AddHash counts the key that h identifies: its distkit.Hash, or any other 64-bit
// value that is different for different keys. It need not be uniform.
func (c *Counting) AddHash(h uint64) bool {
	if len(c.words) == 0 {
		panic("bloom: Add to a zero Counting, make one with NewCounting")
	}
	h = hash64.Mix(h, saltBloom)
	line := c.line(h)
	fresh := false
	for i, salt := range counterSalts {
		shift := uint32(h) * salt >> 28 * 4
		n := line[i] >> shift & counterMax
		fresh = fresh || n == 0
		line[i] += (1 - (n+1)>>4) << shift // nothing for a full counter
	}
	return fresh
}

// Remove takes one Add of key back and reports whether it did: if key is not
// found nothing is changed. Remove only keys that were added.
func (c *Counting) Remove(key []byte) bool { return c.RemoveHash(c.Hash(key)) }

// RemoveString is Remove for a string.
func (c *Counting) RemoveString(key string) bool { return c.RemoveHash(c.HashString(key)) }

// RemoveHash is Remove for the key that h identifies.
func (c *Counting) RemoveHash(h uint64) bool {
	if c.CountHash(h) == 0 {
		return false
	}
	h = hash64.Mix(h, saltBloom)
	line := c.line(h)
	for i, salt := range counterSalts {
		shift := uint32(h) * salt >> 28 * 4
		n := line[i] >> shift & counterMax
		line[i] -= (1 - (n+1)>>4) << shift
	}
	return true
}

// Count returns an upper bound of how often key is in, 15 for more than 14, and
// 0 if it is not.
func (c *Counting) Count(key []byte) int { return c.CountHash(c.Hash(key)) }

// CountString is Count for a string.
func (c *Counting) CountString(key string) int { return c.CountHash(c.HashString(key)) }

// CountHash is Count for the key that h identifies.
func (c *Counting) CountHash(h uint64) int {
	if len(c.words) == 0 {
		return 0
	}
	h = hash64.Mix(h, saltBloom)
	w, x := c.line(h), uint32(h)
	return int(min(
		counter(w[0], x, salt0), counter(w[1], x, salt1), counter(w[2], x, salt2), counter(w[3], x, salt3),
		counter(w[4], x, salt4), counter(w[5], x, salt5), counter(w[6], x, salt6), counter(w[7], x, salt7),
	))
}

// Contains reports whether key may be in: false means it is not.
func (c *Counting) Contains(key []byte) bool { return c.CountHash(c.Hash(key)) > 0 }

// ContainsString is Contains for a string.
func (c *Counting) ContainsString(key string) bool { return c.CountHash(c.HashString(key)) > 0 }

// ContainsHash is Contains for the key that h identifies.
func (c *Counting) ContainsHash(h uint64) bool { return c.CountHash(h) > 0 }

// AddHashes adds all keys of hs, as AddHash does.
func (c *Counting) AddHashes(hs []uint64) {
	for _, h := range hs {
		c.AddHash(h)
	}
}

// ContainsHashes sets out[i] to ContainsHash(hs[i]) for every i below the length
// of the shorter slice and returns how many are true.
func (c *Counting) ContainsHashes(out []bool, hs []uint64) (present int) {
	for i := range min(len(out), len(hs)) {
		if out[i] = c.ContainsHash(hs[i]); out[i] {
			present++
		}
	}
	return present
}

// Merge adds the counts of other, which must have the same size and secret, to
// those of c, else the error is ErrIncompatible and c is as it was.
func (c *Counting) Merge(other *Counting) error {
	if len(c.words) == 0 {
		panic("bloom: Merge into a zero Counting, make one with NewCounting")
	}
	switch {
	case other == nil || len(other.words) == 0:
		return codec.Incompatible("bloom", "merge with a zero Counting")
	case len(c.words) != len(other.words):
		return codec.Incompatible("bloom", "merge of %d lines and %d", len(c.words)/lineWords, len(other.words)/lineWords)
	case !c.sameSecret(&other.keyed):
		return codec.Incompatible("bloom", "merge of filters with different secrets")
	}
	for i, w := range other.words {
		sum := uint64(0)
		for s := 0; s < 64; s += 4 {
			sum |= min(c.words[i]>>s&counterMax+w>>s&counterMax, counterMax) << s
		}
		c.words[i] = sum
	}
	return nil
}

// taken returns a bit for every counter of w that is not 0.
func taken(w uint64) uint64 {
	w |= w >> 2
	return (w | w>>1) & counterOnes
}

// EstimatedCount returns the number of different keys in c, estimated from its
// counters; see Filter.EstimatedCount. It reads all counters.
func (c *Counting) EstimatedCount() float64 {
	if len(c.words) == 0 {
		return 0
	}
	free, total := 0, wordCounters*len(c.words)
	for _, w := range c.words {
		free += wordCounters - bits.OnesCount64(taken(w))
	}
	return float64(total) / lineWords * math.Log(float64(total)/float64(max(free, 1)))
}

// EstimatedFPR returns the probability, given the counters as they are, that a
// key that is not in is found. It reads all counters.
func (c *Counting) EstimatedFPR() float64 {
	lines := len(c.words) / lineWords
	if lines == 0 {
		return 0
	}
	sum := 0.0
	for line := range slices.Chunk(c.words, lineWords) {
		product := uint64(1)
		for _, w := range line {
			product *= uint64(bits.OnesCount64(taken(w)))
		}
		sum += float64(product)
	}
	return sum / float64(lines) / (1 << 32) // 16^8
}

// Clone returns a copy of c that shares nothing but the secret.
func (c *Counting) Clone() *Counting { return &Counting{slices.Clone(c.words), c.keyed} }

// Equal reports whether c and other have the same size, secret and counts.
func (c *Counting) Equal(other *Counting) bool {
	return other != nil && c.sameSecret(&other.keyed) && slices.Equal(c.words, other.words)
}

// Reset empties c; it keeps its size.
func (c *Counting) Reset() { clear(c.words) }

// Bits returns the number of bits that the counters take, a multiple of 512.
func (c *Counting) Bits() uint64 { return 64 * uint64(len(c.words)) }

// SizeBytes returns the memory that the counters take.
func (c *Counting) SizeBytes() int { return 8 * cap(c.words) }
