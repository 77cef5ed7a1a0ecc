package cms

import (
	"fmt"
	"math"
	"slices"
)

// Sketch is a count-min sketch: it counts keys in depth rows of width counters,
// one a row for each key, and estimates a count by the smallest of them. An
// estimate is never below the truth; it is above by more than [Sketch.ErrorBound]
// with a probability of at most [Sketch.Delta]. Counters that are full stay full:
// an estimate is then at least 4,294,967,295, or 2^64-1 with WithWideCounters.
//
// A plain Sketch is linear: sketches merge and subtract to exactly what one
// sketch of the streams would be. WithConservative gives that up for half the
// error. Adding costs some 10 ns beside the hash, whatever is added, and counting 7,
// while the counters are in the cache; else a cache miss a row, which overlap. Both
// allocate nothing.
//
// Any number of goroutines may query a Sketch; changes need exclusion, or
// [Concurrent]. The zero Sketch counts nothing and is there to be decoded into;
// adding to it panics.
type Sketch struct {
	counters
	total uint64
	keyed
}

// counters are depth rows of width counters, row after row, in one of two sizes.
type counters struct {
	width, depth uint64
	narrow       []uint32
	wide         []uint64 // nil unless WithWideCounters
	conservative bool
}

// New returns an empty Sketch whose estimates exceed the truth by more than
// epsilon times the total with a probability of at most delta: ceil(e/epsilon)
// counters in each of ceil(ln(1/delta)) rows, 0 < epsilon, delta < 1, at most
// 2^32 counters a row, 16 rows and 2^40 bytes. New(0.001, 0.01) takes 53 KiB.
// Options: WithConservative, WithWideCounters, WithSecret.
func New(epsilon, delta float64, opts ...Option) (*Sketch, error) {
	width, depth, err := sizeFor(epsilon, delta)
	if err != nil {
		return nil, err
	}
	return newSketch("New", width, depth, opts)
}

// NewSize returns an empty Sketch of depth rows, 1 to 16, of width counters, 1 to
// 2^32. Options: WithConservative, WithWideCounters, WithSecret.
func NewSize(width, depth int, opts ...Option) (*Sketch, error) {
	if width < 0 || depth < 0 {
		return nil, fmt.Errorf("cms: width is %d and depth %d, want at least 1", width, depth)
	}
	return newSketch("NewSize", uint64(width), uint64(depth), opts)
}

func newSketch(constructor string, width, depth uint64, opts []Option) (*Sketch, error) {
	c, err := newConfig(constructor, optConservative|optWide|optSecret, opts)
	if err != nil {
		return nil, err
	}
	n, err := newCounters(width, depth, c)
	return &Sketch{counters: n, keyed: c.keyed}, err
}

func newCounters(width, depth uint64, c config) (counters, error) {
	n := counters{width: width, depth: depth, conservative: c.conservative}
	if err := checkSize(width, depth, counterBytes(c.wide)); err != nil {
		return counters{}, err
	}
	if c.wide {
		n.wide = make([]uint64, width*depth)
	} else {
		n.narrow = make([]uint32, width*depth)
	}
	return n, nil
}

// Add counts key once and returns its new estimate.
func (s *Sketch) Add(key []byte) uint64 { return s.AddHashN(s.Hash(key), 1) }

// AddString is Add for a string.
func (s *Sketch) AddString(key string) uint64 { return s.AddHashN(s.HashString(key), 1) }

// AddHash counts the key that h identifies: its distkit.Hash, or any other 64-bit
// value that is different for different keys. It need not be uniform.
func (s *Sketch) AddHash(h uint64) uint64 { return s.AddHashN(h, 1) }

// AddN counts key n times, at the cost of one, and returns its new estimate.
func (s *Sketch) AddN(key []byte, n uint64) uint64 { return s.AddHashN(s.Hash(key), n) }

// AddStringN is AddN for a string.
func (s *Sketch) AddStringN(key string, n uint64) uint64 { return s.AddHashN(s.HashString(key), n) }

// AddHashN is AddN for the key that h identifies.
func (s *Sketch) AddHashN(h, n uint64) uint64 {
	if s.width == 0 {
		panic("cms: Add to a zero Sketch, make one with New")
	}
	s.total = plus(s.total, n)
	x, g := spread(h)
	switch {
	case s.wide != nil && s.conservative:
		return addLow(s.wide, s.width, s.depth, x, g, n)
	case s.wide != nil:
		return addAll(s.wide, s.width, s.depth, x, g, n)
	case s.conservative:
		return uint64(addLow(s.narrow, s.width, s.depth, x, g, narrowed[uint32](n)))
	}
	return uint64(addAll(s.narrow, s.width, s.depth, x, g, narrowed[uint32](n)))
}

// Count returns an estimate of how often key was added: at least that often, and
// with probability 1-Delta at most ErrorBound more.
func (s *Sketch) Count(key []byte) uint64 { return s.CountHash(s.Hash(key)) }

// CountString is Count for a string.
func (s *Sketch) CountString(key string) uint64 { return s.CountHash(s.HashString(key)) }

// CountHash is Count for the key that h identifies.
func (s *Sketch) CountHash(h uint64) uint64 {
	if s.width == 0 {
		return 0
	}
	x, g := spread(h)
	if s.wide != nil {
		return lowest(s.wide, s.width, s.depth, x, g)
	}
	return uint64(lowest(s.narrow, s.width, s.depth, x, g))
}

// Total returns how many additions were counted, all keys together. It stays at
// 2^64-1 once it is there.
func (s *Sketch) Total() uint64 { return s.total }

// Width returns the number of counters a row.
func (s *Sketch) Width() int { return int(s.width) }

// Depth returns the number of rows.
func (s *Sketch) Depth() int { return int(s.depth) }

// Epsilon returns the share of the total that an estimate exceeds the truth by
// with a probability of at most Delta: e/Width. It is 0 for a zero Sketch.
func (s *Sketch) Epsilon() float64 { return epsilon(s.width) }

// Delta returns the probability that an estimate exceeds the truth by more than
// ErrorBound: e^-Depth. It is 0 for a zero Sketch.
func (s *Sketch) Delta() float64 {
	if s.depth == 0 {
		return 0
	}
	return math.Exp(-float64(s.depth))
}

// ErrorBound returns Epsilon times Total, rounded up: what an estimate exceeds
// the truth by with a probability of at most Delta.
func (s *Sketch) ErrorBound() uint64 { return errorBound(s.width, s.total) }

// Clone returns a copy of s that shares nothing but the secret.
func (s *Sketch) Clone() *Sketch {
	c := *s
	c.narrow, c.wide = slices.Clone(s.narrow), slices.Clone(s.wide)
	return &c
}

// Equal reports whether s and other have the same size, kind, secret and counts.
func (s *Sketch) Equal(other *Sketch) bool {
	return other != nil && s.compatible(&other.counters) == "" && s.sameSecret(&other.keyed) && s.total == other.total &&
		slices.Equal(s.narrow, other.narrow) && slices.Equal(s.wide, other.wide)
}

// Reset sets all counts to 0; s keeps its size, kind and secret.
func (s *Sketch) Reset() {
	clear(s.narrow)
	clear(s.wide)
	s.total = 0
}

// SizeBytes returns the memory that the counters take.
func (s *Sketch) SizeBytes() int { return 4*cap(s.narrow) + 8*cap(s.wide) }
