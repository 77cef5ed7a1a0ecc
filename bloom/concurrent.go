package bloom

import (
	"sync/atomic"

	"github.com/distkit/distkit/internal/codec"
)

// Concurrent is a [Filter] for any number of goroutines that query and add at
// the same time, without locks. A key is found from the moment its Add returns.
// Queries cost what they cost in a Filter, and so does adding a key that is
// there already; a new one costs four atomic operations. Store its Snapshot.
//
// The zero Concurrent contains nothing; adding to it panics.
type Concurrent struct {
	blocks
	keyed
}

// NewConcurrent returns an empty filter for n keys at a false-positive rate of
// p; parameters, size and options are those of [New].
func NewConcurrent(n uint64, p float64, opts ...Option) (*Concurrent, error) {
	c, err := newConfig("NewConcurrent", optSecret|optMaxBytes|optPowerOfTwo, opts)
	if err != nil {
		return nil, err
	}
	f, err := newFilter(n, p, c, false)
	if err != nil {
		return nil, err
	}
	return &Concurrent{f.blocks, f.keyed}, nil
}

// Add adds key and reports whether it was new to the filter. Of goroutines that
// add one key at the same time at least one is told true.
func (c *Concurrent) Add(key []byte) bool { return c.AddHash(c.Hash(key)) }

// AddString is Add for a string.
func (c *Concurrent) AddString(key string) bool { return c.AddHash(c.HashString(key)) }

// AddHash adds the key that h identifies, as Filter.AddHash does.
func (c *Concurrent) AddHash(h uint64) bool {
	if len(c.words) == 0 {
		panic("bloom: Add to a zero Concurrent, make one with NewConcurrent")
	}
	if containsShared(&c.blocks, h) {
		return false // and takes no cache line from other processors
	}
	h = c.mixed(h)
	w := block(c.words, h)
	m0, m1, m2, m3 := masks(uint32(h))
	fresh := setShared(&w[0], m0)
	fresh = setShared(&w[1], m1) || fresh
	fresh = setShared(&w[2], m2) || fresh
	return setShared(&w[3], m3) || fresh
}

// setShared sets the bits of m and says whether one was missing when it looked.
func setShared(word *uint64, m uint64) bool {
	if m&^atomic.LoadUint64(word) == 0 {
		return false
	}
	atomic.OrUint64(word, m)
	return true
}

// AddHashes adds all keys of hs.
func (c *Concurrent) AddHashes(hs []uint64) {
	for _, h := range hs {
		c.AddHash(h)
	}
}

// Contains reports whether key may have been added: false means that no Add of
// it has returned.
func (c *Concurrent) Contains(key []byte) bool { return c.ContainsHash(c.Hash(key)) }

// ContainsString is Contains for a string.
func (c *Concurrent) ContainsString(key string) bool { return c.ContainsHash(c.HashString(key)) }

// ContainsHash is Contains for the key that h identifies.
func (c *Concurrent) ContainsHash(h uint64) bool { return containsShared(&c.blocks, h) }

// ContainsHashes sets out[i] to ContainsHash(hs[i]) for every i below the length
// of the shorter slice and returns how many are true, fetching memory ahead.
func (c *Concurrent) ContainsHashes(out []bool, hs []uint64) int {
	n := min(len(out), len(hs))
	return containsSharedBatch(&c.blocks, out[:n], hs[:n])
}

// Merge adds all keys of other, which must not change meanwhile, to c. The size
// of other must be that of c or a multiple of it. Another size, secret or layout
// is ErrIncompatible, and c is as it was.
func (c *Concurrent) Merge(other *Filter) error {
	if len(c.words) == 0 {
		panic("bloom: Merge into a zero Concurrent, make one with NewConcurrent")
	}
	if err := compatible(&c.blocks, c.keyed, other, "merge"); err != nil {
		return err
	}
	words := other.words
	switch a, b := c.count(), other.count(); {
	case b%a != 0:
		return codec.Incompatible("bloom", "merge of %d blocks into %d, want a multiple", b, a)
	case a < b:
		words = fold(words, b/a)
	}
	for i, w := range words {
		setShared(&c.words[i], w)
	}
	return nil
}

// Snapshot returns a Filter with what was added before the call, and perhaps
// some of what is added during it.
func (c *Concurrent) Snapshot() *Filter {
	f := &Filter{blocks{make([]uint64, len(c.words)), c.raw}, c.keyed}
	for i := range f.words {
		f.words[i] = atomic.LoadUint64(&c.words[i])
	}
	return f
}

// Bits returns the number of bits of the filter, a multiple of 256.
func (c *Concurrent) Bits() uint64 { return 64 * uint64(len(c.words)) }

// SizeBytes returns the memory that the bits take.
func (c *Concurrent) SizeBytes() int { return 8 * cap(c.words) }

// EstimatedCount estimates the number of different keys, as Filter's does.
func (c *Concurrent) EstimatedCount() float64 { return blocksCount(c.words) }

// EstimatedFPR returns the false-positive rate of the bits, as Filter's does.
func (c *Concurrent) EstimatedFPR() float64 { return foldedRate(c.words, 1, 1) }
