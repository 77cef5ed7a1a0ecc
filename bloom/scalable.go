package bloom

import (
	"math"
	"slices"
)

// Scalable is a filter for a number of keys that nobody knows: it grows by
// layers, each twice as large as the one before, and keeps its rate (Almeida et
// al. 2007). Growing a thousandfold at 1 % ends with 10 layers and 22 bits a
// key; a [Filter] that is built large and made small by Compact takes 10.5.
//
// The layers' rates are p/4, 3p/16 ... so that their sum stays below p. A key is
// added to the newest layer, unless some layer has it; keys that come again do
// not fill it.
//
// Any number of goroutines may query a Scalable; adding needs exclusion. The zero
// Scalable contains nothing; adding to it panics.
type Scalable struct {
	layers []blocks
	first  uint64  // keys of layer 0
	rate   float64 // of all layers together
	fresh  uint64  // keys in the newest layer
	full   bool    // no further layer is to be had
	keyed
}

const (
	// layerShare is the rate of a layer to that of the one before. Almeida et al.
	// recommend 0.8 to 0.9; it is the sizes of the first ten layers that decide.
	layerShare = 0.75
	// layerStep makes the bits that a key sets in a layer independent of those in
	// others: it is added to the hash, once a layer.
	layerStep = 0x9E3779B185EBCA87
	maxLayers = 48
	// minScalableRate leaves room below for the layers.
	minScalableRate = 1e-5
)

// NewScalable returns an empty Scalable whose first layer is for first keys,
// first >= 1, and whose false-positive rate stays below p, 1e-5 <= p < 1, however
// many come. Where a further layer would exceed WithMaxBytes, or a layer's own
// bound of 128 GiB, keys go on filling the last one: then the rate rises, which
// EstimatedFPR tells. Options: WithSecret, WithMaxBytes.
func NewScalable(first uint64, p float64, opts ...Option) (*Scalable, error) {
	c, err := newConfig("NewScalable", optSecret|optMaxBytes, opts)
	if err != nil {
		return nil, err
	}
	if err := checkCount(first); err != nil {
		return nil, err
	}
	if err := checkRate(p, minScalableRate, "layers need rates below it"); err != nil {
		return nil, err
	}
	s := &Scalable{first: first, rate: p, keyed: c.keyed}
	if err := s.grow(); err != nil {
		return nil, err
	}
	return s, nil
}

// capacity returns how many keys layer i is for.
func (s *Scalable) capacity(i int) uint64 {
	if s.first > math.MaxUint64>>i {
		return math.MaxUint64
	}
	return s.first << i
}

// grow adds a layer, or says why it cannot.
func (s *Scalable) grow() error {
	i := len(s.layers)
	z, err := blocksFor(s.capacity(i), s.rate*(1-layerShare)*math.Pow(layerShare, float64(i)), false)
	if err != nil {
		return err
	}
	if err := s.fits(s.Bits()/8 + z*blockBytes); err != nil {
		return err
	}
	s.layers = append(s.layers, blocks{words: make([]uint64, z*blockWords)})
	s.fresh = 0
	return nil
}

// Add adds key and reports whether it was new to the filter.
func (s *Scalable) Add(key []byte) bool { return s.AddHash(s.Hash(key)) }

// AddString is Add for a string.
func (s *Scalable) AddString(key string) bool { return s.AddHash(s.HashString(key)) }

// AddHash adds the key that h identifies: its distkit.Hash, or any other 64-bit
// value that is different for different keys. It need not be uniform.
func (s *Scalable) AddHash(h uint64) bool {
	if len(s.layers) == 0 {
		panic("bloom: Add to a zero Scalable, make one with NewScalable")
	}
	if s.ContainsHash(h) {
		return false
	}
	if !s.full && s.fresh >= s.capacity(len(s.layers)-1) {
		s.full = len(s.layers) == maxLayers || s.grow() != nil
	}
	i := len(s.layers) - 1
	s.fresh++
	return add(&s.layers[i], h+uint64(i)*layerStep)
}

// AddHashes adds all keys of hs, as AddHash does.
func (s *Scalable) AddHashes(hs []uint64) {
	for _, h := range hs {
		s.AddHash(h)
	}
}

// Contains reports whether key may have been added: false means it was not.
func (s *Scalable) Contains(key []byte) bool { return s.ContainsHash(s.Hash(key)) }

// ContainsString is Contains for a string.
func (s *Scalable) ContainsString(key string) bool { return s.ContainsHash(s.HashString(key)) }

// ContainsHash is Contains for the key that h identifies. It looks into the
// newest layer first, which holds half of the keys.
func (s *Scalable) ContainsHash(h uint64) bool {
	for i := len(s.layers) - 1; i >= 0; i-- {
		if contains(&s.layers[i], h+uint64(i)*layerStep) {
			return true
		}
	}
	return false
}

// ContainsHashes sets out[i] to ContainsHash(hs[i]) for every i below the length
// of the shorter slice and returns how many are true.
func (s *Scalable) ContainsHashes(out []bool, hs []uint64) (present int) {
	for i := range min(len(out), len(hs)) {
		if out[i] = s.ContainsHash(hs[i]); out[i] {
			present++
		}
	}
	return present
}

// Layers returns the number of layers.
func (s *Scalable) Layers() int { return len(s.layers) }

// EstimatedCount returns the number of keys that were new when they came,
// estimated from the bits; see Filter.EstimatedCount. It reads all bits.
func (s *Scalable) EstimatedCount() (sum float64) {
	for _, l := range s.layers {
		sum += blocksCount(l.words)
	}
	return sum
}

// EstimatedFPR returns the probability, given the bits as they are, that a key
// that was never added is found. It reads all bits.
func (s *Scalable) EstimatedFPR() float64 {
	miss := 1.0
	for _, l := range s.layers {
		miss *= 1 - foldedRate(l.words, 1, 1)
	}
	return 1 - miss
}

// Clone returns a copy of s that shares nothing but the secret.
func (s *Scalable) Clone() *Scalable {
	t := *s
	t.layers = slices.Clone(s.layers)
	for i := range t.layers {
		t.layers[i].words = slices.Clone(t.layers[i].words)
	}
	return &t
}

// Equal reports whether s and other have the same parameters, layers and secret.
func (s *Scalable) Equal(other *Scalable) bool {
	return other != nil && s.first == other.first && s.rate == other.rate && s.fresh == other.fresh &&
		s.sameSecret(&other.keyed) &&
		slices.EqualFunc(s.layers, other.layers, func(a, b blocks) bool { return slices.Equal(a.words, b.words) })
}

// Reset empties s and leaves its first layer.
func (s *Scalable) Reset() {
	if len(s.layers) == 0 {
		return
	}
	clear(s.layers[0].words)
	clear(s.layers[1:])
	s.layers, s.fresh, s.full = s.layers[:1], 0, false
}

// Bits returns the number of bits of all layers.
func (s *Scalable) Bits() (sum uint64) {
	for _, l := range s.layers {
		sum += 64 * uint64(len(l.words))
	}
	return sum
}

// SizeBytes returns the memory that the bits take.
func (s *Scalable) SizeBytes() int { return int(s.Bits() / 8) }
