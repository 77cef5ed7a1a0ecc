// Package tinylfu tells which of two keys of a cache was asked for more often
// lately, in half a byte a counter (Einziger, Friedman and Manes, "TinyLFU", 2017).
// It is no count-min sketch to show to users: counts end at 15, the past is halved
// again and again, and all counters of a key lie in one cache line, so that one
// that meets the hottest key there takes its count. To compare a newcomer with a
// victim that is enough, at one cache miss.
package tinylfu

import (
	"math/bits"

	"github.com/distkit/distkit/internal/hash64"
)

const (
	rows    = 4
	most    = 15 // what a counter holds
	sample  = 10 // additions per key of the cache until the past is halved
	oneMask = 0x1111111111111111
	lowMask = 0x7777777777777777
)

// block is a cache line: 32 counters of 4 bits for each row, in two words a row.
type block [2 * rows]uint64

// Sketch counts keys by 64-bit hashes, which need not be uniform. It is not safe
// for concurrent use. Touch and Estimate allocate nothing.
type Sketch struct {
	blocks    []block // a power of two
	seed      uint64
	additions uint64 // that the counters hold, four counters each
	limit     uint64 // additions at which the past is halved
}

// New returns an empty Sketch for a cache of n keys: 8 to 16 bytes a key, and n
// below 8 is taken as 8. The seed decides which keys share counters; who knows it can
// keep a key warm by others, so it should be random outside of tests.
func New(n int, seed uint64) *Sketch {
	s := &Sketch{seed: seed}
	s.Resize(n)
	return s
}

// blocksFor returns the smallest power of two of blocks with n words.
func blocksFor(n int) int { return 1 << bits.Len(uint(max(n-1, 0))/8) }

// locate returns the block of a key and a word whose byte i, cut to 5 bits, is its
// counter in row i.
func (s *Sketch) locate(h uint64) (b *block, at uint64) {
	x := hash64.Mix(h, s.seed)
	return &s.blocks[x&uint64(len(s.blocks)-1)], x >> 32
}

// Touch counts one use of the key that h identifies, and halves all counts when
// there have been ten for each key of the cache.
func (s *Sketch) Touch(h uint64) {
	b, at := s.locate(h)
	// A key whose counters are all full adds nothing.
	added := b.add(0, at) | b.add(1, at>>8) | b.add(2, at>>16) | b.add(3, at>>24)
	s.additions += added
	if s.additions >= s.limit {
		s.halve()
	}
}

// add raises a counter of a row, unless it is full, and returns what it added. It
// has no branch.
func (b *block) add(row, at uint64) uint64 {
	w, shift := &b[(2*row+at>>4&1)%(2*rows)], at&15*4
	one := (*w>>shift&most+1)>>4 ^ 1
	*w += one << shift
	return one
}

// Estimate returns how often the key that h identifies was used lately, at most
// 15. Until the first halving it is never below the truth.
func (s *Sketch) Estimate(h uint64) uint8 {
	b, at := s.locate(h)
	return uint8(min(b.get(0, at), b.get(1, at>>8), b.get(2, at>>16), b.get(3, at>>24)))
}

// get returns a counter of a row.
func (b *block) get(row, at uint64) uint64 {
	return b[(2*row+at>>4&1)%(2*rows)] >> (at & 15 * 4) & most
}

// halve halves all counts. An odd counter loses half an addition, of which each
// has four counters.
func (s *Sketch) halve() {
	odd := uint64(0)
	for i := range s.blocks {
		for j, w := range s.blocks[i] {
			odd += uint64(bits.OnesCount64(w & oneMask))
			s.blocks[i][j] = w >> 1 & lowMask
		}
	}
	s.additions = (s.additions - min(odd/rows, s.additions)) / 2
}

// Resize makes s fit for a cache of n keys and keeps what it knows: an estimate
// stays as it is when the sketch grows and does not fall when it shrinks, but for
// the halving that may be due then. It allocates where the power of two changes.
func (s *Sketch) Resize(n int) {
	s.limit = sample * uint64(max(n, 8))
	old, size := s.blocks, blocksFor(n)
	switch {
	case size > len(old):
		s.blocks = make([]block, size)
		if len(old) > 0 {
			for i := range s.blocks {
				s.blocks[i] = old[i%len(old)]
			}
		}
	case size < len(old):
		s.blocks = make([]block, size)
		for i := range old {
			s.blocks[i%size].raise(&old[i])
		}
	}
	for s.additions >= s.limit {
		s.halve()
	}
}

// raise lifts all counters of b to those of c.
func (b *block) raise(c *block) {
	for i := range b {
		for shift := 0; shift < 64; shift += 4 {
			b[i] = b[i]&^(most<<shift) | max(b[i]&(most<<shift), c[i]&(most<<shift))
		}
	}
}

// Reset forgets all counts.
func (s *Sketch) Reset() {
	clear(s.blocks)
	s.additions = 0
}

// SizeBytes returns the memory that the counters take.
func (s *Sketch) SizeBytes() int { return len(s.blocks) * rows * 16 }
