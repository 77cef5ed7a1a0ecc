package hll

import (
	"encoding/binary"
	"math/bits"
	"sync/atomic"
)

// Concurrent is a [Sketch] for any number of goroutines that add and query at the
// same time, without locks. Its registers are there from the start, eight to a
// word. An Add that changes nothing, which is what nearly all are, is one atomic
// load; one that does is a compare-and-swap, repeated only while others change the
// same word.
//
// A key counts from the moment its Add returns: an estimate that is asked for later
// takes it in, and may or may not take in what is added meanwhile. Once all is
// added, the registers are those of a Sketch of the same keys. Nothing is kept up
// to date on the way, so an estimate costs a pass over the registers. Store its
// Snapshot.
//
// The zero Concurrent is empty; adding to it panics.
type Concurrent struct {
	p     uint8
	words []uint64 // register i is byte i%8 of word i/8, from the low end
	keyed
}

// NewConcurrent returns an empty Concurrent of 2^precision registers, 2^4 to 2^18,
// and bytes. Option: WithSecret.
func NewConcurrent(precision int, opts ...Option) (*Concurrent, error) {
	c, err := newConfig("NewConcurrent", optSecret, opts)
	if err != nil {
		return nil, err
	}
	if err := checkPrecision(precision, MinPrecision, MaxPrecision); err != nil {
		return nil, err
	}
	return &Concurrent{p: uint8(precision), words: make([]uint64, 1<<precision/8), keyed: c.keyed}, nil
}

// Add adds key and reports whether that changed c. Of goroutines that add one key
// at the same time at most one is told true.
func (c *Concurrent) Add(key []byte) bool { return c.AddHash(c.Hash(key)) }

// AddString is Add for a string.
func (c *Concurrent) AddString(key string) bool { return c.AddHash(c.HashString(key)) }

// AddHash adds the key that h identifies; see [Sketch.AddHash].
func (c *Concurrent) AddHash(h uint64) bool {
	x := remix(h)
	i := x >> ((64 - c.p) & 63)
	if i>>3 >= uint64(len(c.words)) {
		panic("hll: Add to a zero Concurrent, make one with NewConcurrent")
	}
	r := uint64(bits.LeadingZeros64(x<<(c.p&63)|1<<(c.p-1)&63)) + 1
	word, shift := &c.words[i>>3], i&7*8
	if r <= atomic.LoadUint64(word)>>shift&0xff {
		return false
	}
	return raiseShared(word, shift, r)
}

// raiseShared sets one register of a word to r if that is larger, and says whether
// it was.
func raiseShared(word *uint64, shift, r uint64) bool {
	for {
		old := atomic.LoadUint64(word)
		if r <= old>>shift&0xff {
			return false
		}
		if atomic.CompareAndSwapUint64(word, old, old&^(0xff<<shift)|r<<shift) {
			return true
		}
	}
}

// Merge adds all keys of other, which must not change meanwhile, to c. A finer
// other is folded; a coarser one, a zero one and one under another secret are
// ErrIncompatible.
func (c *Concurrent) Merge(other *Sketch) error {
	if len(c.words) == 0 {
		panic("hll: Merge into a zero Concurrent, make one with NewConcurrent")
	}
	if err := mergeable(c.p, c.keyed, other); err != nil {
		return err
	}
	for token := range other.tokens.all {
		i, r := register(token, c.p)
		raiseShared(&c.words[i>>3], i&7*8, uint64(r))
	}
	if len(other.regs) == 0 {
		return nil
	}
	regs := other.registers(c.p)
	for i := range c.words {
		raiseWord(&c.words[i], binary.LittleEndian.Uint64(regs[8*i:]))
	}
	return nil
}

// raiseWord sets every register of a word to that of other if that is larger.
func raiseWord(word *uint64, other uint64) {
	for {
		old := atomic.LoadUint64(word)
		larger := largerBytes(old, other)
		if larger == old || atomic.CompareAndSwapUint64(word, old, larger) {
			return
		}
	}
}

// Snapshot returns a Sketch, with registers, of what was added before the call, and
// perhaps some of what is added during it.
func (c *Concurrent) Snapshot() *Sketch {
	s := &Sketch{p: c.p, keyed: c.keyed}
	if len(c.words) == 0 {
		return s
	}
	s.regs = make([]uint8, 8*len(c.words))
	for i := range c.words {
		binary.LittleEndian.PutUint64(s.regs[8*i:], atomic.LoadUint64(&c.words[i]))
	}
	s.stats = count(s.regs, s.q())
	return s
}

// sums counts the registers.
func (c *Concurrent) sums() stats {
	var h histograms
	for i := range c.words {
		h.word(atomic.LoadUint64(&c.words[i]))
	}
	return h.sums(64 - c.p)
}

// Estimate returns the estimated number of distinct keys, after a pass over the
// registers.
func (c *Concurrent) Estimate() uint64 {
	if len(c.words) == 0 {
		return 0
	}
	sums := c.sums()
	return whole(sums.estimate(c.p))
}

// Bounds returns an interval around Estimate as [Sketch.Bounds] does.
func (c *Concurrent) Bounds(sigmas float64) (lower, upper uint64) {
	if len(c.words) == 0 {
		return 0, 0
	}
	sums := c.sums()
	return bounds(sums.estimate(c.p), c.RelativeError(), sigmas, 1<<c.p-sums.zeros)
}

// Precision returns log2 of the number of registers, and 0 for a zero Concurrent.
func (c *Concurrent) Precision() int { return int(c.p) }

// RelativeError returns the relative standard error of estimates,
// 1.04/sqrt(2^Precision).
func (c *Concurrent) RelativeError() float64 {
	if c.p == 0 {
		return 0
	}
	return precisionError(int(c.p))
}

// Reset empties c. What is added meanwhile may or may not stay.
func (c *Concurrent) Reset() {
	for i := range c.words {
		atomic.StoreUint64(&c.words[i], 0)
	}
}

// SizeBytes returns the memory that c holds: 2^Precision bytes.
func (c *Concurrent) SizeBytes() int { return 8 * cap(c.words) }
