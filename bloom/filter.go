package bloom

import (
	"slices"

	"github.com/distkit/distkit/internal/codec"
)

// Filter is a split-block Bloom filter: a set that never forgets a key and that
// takes a stranger for a member at a known rate. Every operation touches one
// half of one cache line, and costs the same whether the key is present.
//
// Use AddHashes and ContainsHashes where many keys are at hand: they fetch
// memory ahead and take less than half the time a key. Use [Classic] or [Static]
// for rates below 1e-4, where this layout needs noticeably more bits.
//
// Any number of goroutines may query a Filter; adding needs exclusion. Use
// [Concurrent] where keys are added by several.
//
// The zero Filter contains nothing and is there to be decoded into; adding to
// it panics.
type Filter struct {
	blocks
	keyed
}

// New returns an empty Filter for n keys, n >= 1, at a false-positive rate of p,
// 1e-6 <= p < 1, once all n are in. Memory: 10.5 bits a key at 1 %, 16.9 at
// 0.1 %, 26.3 at 1e-4. Options: WithSecret, WithMaxBytes, WithPowerOfTwo.
//
// Hashes are remixed before they choose bits. So a filter works to its rate on a
// shard whose keys were chosen by bits of the same hash, and AddHash may be fed
// raw integer identities.
func New(n uint64, p float64, opts ...Option) (*Filter, error) {
	c, err := newConfig("New", optSecret|optMaxBytes|optPowerOfTwo, opts)
	if err != nil {
		return nil, err
	}
	return newFilter(n, p, c, false)
}

func newFilter(n uint64, p float64, c config, raw bool) (*Filter, error) {
	if err := checkCount(n); err != nil {
		return nil, err
	}
	if err := checkRate(p, minRate, "a Classic or a Static reaches lower"); err != nil {
		return nil, err
	}
	z, err := blocksFor(n, p, c.powerOfTwo)
	if err != nil {
		return nil, err
	}
	if err := c.fits(z * blockBytes); err != nil {
		return nil, err
	}
	return &Filter{blocks: blocks{words: make([]uint64, z*blockWords), raw: raw}, keyed: c.keyed}, nil
}

// Add adds key and reports whether it was new to the filter: false if it was
// added before, or at the false-positive rate by chance.
func (f *Filter) Add(key []byte) bool { return f.AddHash(f.Hash(key)) }

// AddString is Add for a string.
func (f *Filter) AddString(key string) bool { return f.AddHash(f.HashString(key)) }

// AddHash adds the key that h identifies: its distkit.Hash, or any other 64-bit
// value that is different for different keys, such as an integer identity or a
// keyed hash. It need not be uniform, except for a NewParquet filter.
func (f *Filter) AddHash(h uint64) bool { return add(&f.blocks, h) }

// AddHashes adds all keys of hs, as AddHash does, fetching memory ahead.
func (f *Filter) AddHashes(hs []uint64) { addBatch(&f.blocks, hs) }

// Contains reports whether key may have been added: false means it was not.
func (f *Filter) Contains(key []byte) bool { return f.ContainsHash(f.Hash(key)) }

// ContainsString is Contains for a string.
func (f *Filter) ContainsString(key string) bool { return f.ContainsHash(f.HashString(key)) }

// ContainsHash is Contains for the key that h identifies, see AddHash.
func (f *Filter) ContainsHash(h uint64) bool { return contains(&f.blocks, h) }

// ContainsHashes sets out[i] to ContainsHash(hs[i]) for every i below the length
// of the shorter slice and returns how many are true, fetching memory ahead.
func (f *Filter) ContainsHashes(out []bool, hs []uint64) int {
	n := min(len(out), len(hs))
	return containsBatch(&f.blocks, out[:n], hs[:n])
}

// Merge makes f the union of f and other, which holds every key of both. The
// sizes must be equal, or one a multiple of the other: then the larger is folded,
// and f ends with the smaller size. Layout and secret must be the same, else
// the error is ErrIncompatible and f is as it was.
func (f *Filter) Merge(other *Filter) error {
	words, err := f.align(other, "merge")
	if err != nil {
		return err
	}
	for i, w := range words {
		f.words[i] |= w
	}
	return nil
}

// Intersect leaves in f only bits that other has too: a filter that holds every
// key of both, at a rate between that of their intersection built afresh and the
// smaller of the two. Sizes and errors are Merge's.
func (f *Filter) Intersect(other *Filter) error {
	words, err := f.align(other, "intersect")
	if err != nil {
		return err
	}
	for i, w := range words {
		f.words[i] &= w
	}
	return nil
}

// align folds f to the size of other if that is smaller, and returns the words
// of other in f's size.
func (f *Filter) align(other *Filter, verb string) ([]uint64, error) {
	if len(f.words) == 0 {
		panic("bloom: " + verb + " into a zero Filter, make one with New")
	}
	if err := compatible(&f.blocks, f.keyed, other, verb); err != nil {
		return nil, err
	}
	a, b := f.count(), other.count()
	switch {
	case a%b != 0 && b%a != 0:
		return nil, codec.Incompatible("bloom", "%s of %d blocks and %d, want one a multiple of the other", verb, a, b)
	case a > b:
		f.words = fold(f.words, a/b)
		return other.words, nil
	case a < b:
		return fold(other.words, b/a), nil
	}
	return other.words, nil
}

// compatible returns an error unless the keys of other set the same bits in a
// filter of any size as those of the filter that b and k make up.
func compatible(b *blocks, k keyed, other *Filter, verb string) error {
	switch {
	case other == nil || len(other.words) == 0:
		return codec.Incompatible("bloom", "%s with a zero filter", verb)
	case b.raw != other.raw:
		return codec.Incompatible("bloom", "%s of a NewParquet filter and one of New", verb)
	case !k.sameSecret(&other.keyed):
		return codec.Incompatible("bloom", "%s of filters with different secrets", verb)
	}
	return nil
}

// Clone returns a copy of f that shares nothing but the secret.
func (f *Filter) Clone() *Filter {
	g := *f
	g.words = slices.Clone(f.words)
	return &g
}

// Equal reports whether f and other have the same layout, size, secret and bits,
// and so the same answers and images.
func (f *Filter) Equal(other *Filter) bool {
	return other != nil && f.raw == other.raw && f.sameSecret(&other.keyed) && slices.Equal(f.words, other.words)
}

// Reset empties f; it keeps its size.
func (f *Filter) Reset() { clear(f.words) }

// Bits returns the number of bits of the filter, a multiple of 256.
func (f *Filter) Bits() uint64 { return 64 * uint64(len(f.words)) }

// SizeBytes returns the memory that the bits take.
func (f *Filter) SizeBytes() int { return 8 * cap(f.words) }
