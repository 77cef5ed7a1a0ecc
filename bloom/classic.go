package bloom

import (
	"fmt"
	"math"
	"math/bits"
	"slices"

	"github.com/distkit/distkit/internal/codec"
	"github.com/distkit/distkit/internal/hash64"
)

// Classic is the textbook Bloom filter (Bloom 1970): k bits anywhere among m. It
// is the smallest filter that keys can be added to, 9.6 bits a key at 1 %, and
// reaches every rate down to 1e-10; but an operation touches up to k cache lines
// where a [Filter] touches one.
//
// More bits a key help only up to k = m/n ln 2, about 0.7 of the bits that there are
// for each: beyond, they fill the filter faster than they tell keys apart. NewClassic
// takes that k.
//
// The k positions of a key come from one 64-bit hash by enhanced double hashing
// (Dillinger and Manolios 2004) on two full words.
//
// Any number of goroutines may query a Classic; adding needs exclusion. The zero
// Classic contains nothing; adding to it panics.
type Classic struct {
	words []uint64
	m     uint64 // bits, 64 a word
	k     int
	keyed
}

const (
	minClassicRate = 1e-10   // two hashes of 64 bits must not be what decides
	maxClassicBits = 1 << 40 // 128 GiB
	maxClassicK    = 64
)

// NewClassic returns an empty Classic for n keys, n >= 1, at a false-positive
// rate of p, 1e-10 <= p < 1, once all n are in. It needs some 1.44 log2(1/p) bits
// a key, and up to 20 KiB more where n is small and p below 1e-5. Options:
// WithSecret, WithMaxBytes.
func NewClassic(n uint64, p float64, opts ...Option) (*Classic, error) {
	c, err := newConfig("NewClassic", optSecret|optMaxBytes, opts)
	if err != nil {
		return nil, err
	}
	if err := checkCount(n); err != nil {
		return nil, err
	}
	if err := checkRate(p, minClassicRate, "hashes of 64 bits allow no less"); err != nil {
		return nil, err
	}
	exact, k := classicFit(float64(n), p)
	if exact > maxClassicBits {
		return nil, fmt.Errorf("bloom: %d keys at a rate of %g need %.3g bits, want at most 2^40", n, p, exact)
	}
	words := uint64(math.Ceil(exact / 64))
	if err := c.fits(8 * words); err != nil {
		return nil, err
	}
	return &Classic{make([]uint64, words), 64 * words, k, c.keyed}, nil
}

// classicSize returns the least number of bits a key for rate p, and the k that
// it needs: one of the two whole numbers beside log2(1/p).
func classicSize(p float64) (perKey float64, k int) {
	low := max(int(-math.Log2(p)), 1)
	if bitsPerKey(p, low) <= bitsPerKey(p, low+1) {
		return bitsPerKey(p, low), low
	}
	return bitsPerKey(p, low+1), low + 1
}

// bitsPerKey returns m/n for rate p and a given k: n keys leave a share e^(-kn/m)
// of the bits zero, and p is (1 - that)^k.
func bitsPerKey(p float64, k int) float64 {
	return float64(k) / -math.Log1p(-math.Pow(p, 1/float64(k)))
}

// closeRate returns the part of the false-positive rate that the textbook leaves
// out: of keys whose two words of double hashing are so close to those of one of
// the n keys that all k positions are the same. It is measured: 2n/(km)^2 while few
// bits are set, up to 4n/(km)^2 when half are. One position has no others to share.
func closeRate(n, m float64, k int) float64 {
	if k == 1 {
		return 0
	}
	km := float64(k) * m
	return 4 * n / (km * km)
}

// classicFit returns the number of bits for n keys at rate p, and k. It is the
// textbook's unless keys are few and p is low, so that close words decide. Then
// both parts of the rate get a share of p; k may be more than the textbook's, as
// long as half of the bits or fewer are set.
func classicFit(n, p float64) (m float64, k int) {
	perKey, k := classicSize(p)
	m = n * perKey
	whole := 64 * math.Ceil(m/64)
	shared := closeRate(n, whole, k)
	if math.Pow(-math.Expm1(-float64(k)*n/whole), float64(k))+shared <= 1.01*p {
		return m, k
	}
	shared = min(shared, p/2)
	m = math.Inf(1)
	for j := k; j <= maxClassicK; j++ {
		textbook, apart, half := n*bitsPerKey(p-shared, j), math.Sqrt(4*n/shared)/float64(j), n*float64(j)/math.Ln2
		if need := max(textbook, apart, half); need < m {
			m, k = need, j
		}
	}
	return m, k
}

// probe returns the positions of the key that h identifies.
func (c *Classic) probe(h uint64) hash64.Probe { return hash64.Start(hash64.Mix(h, saltBloom)) }

// Add adds key and reports whether it was new to the filter.
func (c *Classic) Add(key []byte) bool { return c.AddHash(c.Hash(key)) }

// AddString is Add for a string.
func (c *Classic) AddString(key string) bool { return c.AddHash(c.HashString(key)) }

// AddHash adds the key that h identifies: its distkit.Hash, or any other 64-bit
// value that is different for different keys. It need not be uniform.
func (c *Classic) AddHash(h uint64) bool {
	if c.m == 0 {
		panic("bloom: Add to a zero Classic, make one with NewClassic")
	}
	missing := uint64(0)
	p := c.probe(h)
	for range c.k {
		i := p.Next(c.m)
		w := &c.words[i>>6]
		missing |= 1 << (i & 63) &^ *w
		*w |= 1 << (i & 63)
	}
	return missing != 0
}

// Contains reports whether key may have been added: false means it was not.
func (c *Classic) Contains(key []byte) bool { return c.ContainsHash(c.Hash(key)) }

// ContainsString is Contains for a string.
func (c *Classic) ContainsString(key string) bool { return c.ContainsHash(c.HashString(key)) }

// ContainsHash is Contains for the key that h identifies. It loads four words at
// a time, so that their cache misses overlap.
func (c *Classic) ContainsHash(h uint64) bool {
	if c.m == 0 {
		return false
	}
	p, words, m := c.probe(h), c.words, c.m
	k := c.k
	for ; k >= 4; k -= 4 {
		i0, i1, i2, i3 := p.Next(m), p.Next(m), p.Next(m), p.Next(m)
		if words[i0>>6]>>(i0&63)&(words[i1>>6]>>(i1&63))&(words[i2>>6]>>(i2&63))&(words[i3>>6]>>(i3&63))&1 == 0 {
			return false
		}
	}
	set := uint64(1)
	for range k {
		i := p.Next(m)
		set &= words[i>>6] >> (i & 63)
	}
	return set != 0
}

// AddHashes adds all keys of hs, as AddHash does.
func (c *Classic) AddHashes(hs []uint64) {
	for _, h := range hs {
		c.AddHash(h)
	}
}

// ContainsHashes sets out[i] to ContainsHash(hs[i]) for every i below the length
// of the shorter slice and returns how many are true.
func (c *Classic) ContainsHashes(out []bool, hs []uint64) (present int) {
	for i := range min(len(out), len(hs)) {
		if out[i] = c.ContainsHash(hs[i]); out[i] {
			present++
		}
	}
	return present
}

// Merge makes c the union of c and other, which must have the same size, K and
// secret, else the error is ErrIncompatible and c is as it was.
func (c *Classic) Merge(other *Classic) error {
	if c.m == 0 {
		panic("bloom: Merge into a zero Classic, make one with NewClassic")
	}
	switch {
	case other == nil || other.m == 0:
		return codec.Incompatible("bloom", "merge with a zero Classic")
	case c.m != other.m || c.k != other.k:
		return codec.Incompatible("bloom", "merge of %d bits, K %d and %d bits, K %d", c.m, c.k, other.m, other.k)
	case !c.sameSecret(&other.keyed):
		return codec.Incompatible("bloom", "merge of filters with different secrets")
	}
	for i, w := range other.words {
		c.words[i] |= w
	}
	return nil
}

// K returns how many bits a key sets.
func (c *Classic) K() int { return c.k }

func (c *Classic) ones() float64 {
	n := 0
	for _, w := range c.words {
		n += bits.OnesCount64(w)
	}
	return float64(n)
}

// EstimatedCount returns the number of different keys in c, estimated from its
// bits (Swamidass and Baldi 2007). It reads all bits.
func (c *Classic) EstimatedCount() float64 {
	if c.m == 0 {
		return 0
	}
	m := float64(c.m)
	return m / float64(c.k) * math.Log(m/max(m-c.ones(), 1))
}

// EstimatedFPR returns the probability, given the bits as they are, that a key
// that was never added is found, if the positions of a key were independent. That
// they are not adds up to 4/K^4, divided by the number of keys. It reads all bits.
func (c *Classic) EstimatedFPR() float64 {
	if c.m == 0 {
		return 0
	}
	return math.Pow(c.ones()/float64(c.m), float64(c.k))
}

// Clone returns a copy of c that shares nothing but the secret.
func (c *Classic) Clone() *Classic {
	d := *c
	d.words = slices.Clone(c.words)
	return &d
}

// Equal reports whether c and other have the same size, K, secret and bits.
func (c *Classic) Equal(other *Classic) bool {
	return other != nil && c.k == other.k && c.sameSecret(&other.keyed) && slices.Equal(c.words, other.words)
}

// Reset empties c; it keeps its size.
func (c *Classic) Reset() { clear(c.words) }

// Bits returns the number of bits of the filter.
func (c *Classic) Bits() uint64 { return c.m }

// SizeBytes returns the memory that the bits take.
func (c *Classic) SizeBytes() int { return 8 * cap(c.words) }
