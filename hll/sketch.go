package hll

import (
	"bytes"
	"fmt"
	"math"
	"math/bits"
	"slices"

	"github.com/distkit/distkit/internal/hash64"
)

// The range of precisions of [Sketch]: 16 to 262,144
// registers.
const (
	MinPrecision = 4
	MaxPrecision = 18
)

// Sketch counts distinct keys by HyperLogLog. While the keys are few it keeps a
// 32-bit token of each and is near exact; beyond 3/16 of the registers' number it
// turns to registers of one byte. Adding a key that changes nothing, which is
// what nearly all do, takes a remix, one load and one comparison.
//
// Estimate takes constant time, whatever the size, except between a Merge that
// brought in registers and the next change by Add: then it counts the registers.
//
// What a sketch holds depends on the set of its keys alone, not on their order
// nor on the way they came, by Add or by Merge. So equal sets have equal images,
// unless WithDense or WithMartingale is used.
//
// A Sketch is not safe for concurrent use, except that any number of goroutines
// may query it while none changes it; guard it where several add. The
// zero Sketch is empty and is there to be decoded into; adding to it panics.
type Sketch struct {
	p      uint8
	regs   []uint8 // dense: the registers
	tokens tokens  // sparse: the tokens
	stats          // dense, and not stale: the sums of the registers
	stale  bool
	dense  bool // WithDense: what Reset goes back to

	martingale bool    // WithMartingale
	history    float64 // dense: its estimate, NaN once it is lost
	keyed
}

// New returns an empty Sketch of 2^precision registers, whose estimates have a
// relative standard error of 1.04/sqrt(2^precision): 0.81 % at 14, where it takes
// 16 KiB, and before that some 20 bytes a key at most. See [Precision] for the
// choice. Options: WithSecret, WithDense, WithMartingale.
func New(precision int, opts ...Option) (*Sketch, error) {
	c, err := newConfig("New", optSecret|optDense|optMartingale, opts)
	if err != nil {
		return nil, err
	}
	if err := checkPrecision(precision, MinPrecision, MaxPrecision); err != nil {
		return nil, err
	}
	s := &Sketch{p: uint8(precision), dense: c.dense, martingale: c.martingale, keyed: c.keyed}
	s.Reset()
	return s, nil
}

// Add adds key and reports whether that changed s. A key that was added before
// changes nothing; of those that were not, an ever smaller share does. So a
// replica needs to hear only of keys for which Add is true.
func (s *Sketch) Add(key []byte) bool {
	if s.secret == nil { // as Hash does, one call less
		return s.AddHash(hash64.Bytes(key))
	}
	return s.AddHash(s.Hash(key))
}

// AddString is Add for a string.
func (s *Sketch) AddString(key string) bool {
	if s.secret == nil {
		return s.AddHash(hash64.String(key))
	}
	return s.AddHash(s.HashString(key))
}

// AddHash adds the key that h identifies: its distkit.Hash, or any other 64-bit
// value that is different for different keys, such as an integer identity or a
// keyed hash. It need not be uniform.
func (s *Sketch) AddHash(h uint64) bool {
	x := remix(h)
	if len(s.regs) == 0 {
		return s.addToken(tokenOf(x))
	}
	i := x >> ((64 - s.p) & 63)
	r := uint8(bits.LeadingZeros64(x<<(s.p&63)|1<<(s.p-1)&63)) + 1
	if r <= s.regs[i] {
		return false
	}
	s.raise(i, r)
	return true
}

// raise sets a register to a larger value and keeps account of it.
func (s *Sketch) raise(i uint64, r uint8) {
	if s.stale || s.martingale {
		s.beforeChange()
	}
	s.change(s.q(), s.regs[i], r)
	s.regs[i] = r
}

// beforeChange does what is due before a register changes, but mostly is not.
func (s *Sketch) beforeChange() {
	if s.stale {
		s.stats, s.stale = count(s.regs, s.q()), false
	}
	if s.martingale {
		s.history += s.unlikeliness()
	}
}

// unlikeliness returns 1 over the probability that the next new key changes a
// register, which is agg/2^64.
func (s *Sketch) unlikeliness() float64 {
	if s.zeros == len(s.regs) {
		return 1
	}
	return 1 / (float64(s.agg) / (1 << 64))
}

// q is the number of hash bits beside the index; registers are at most q+1.
func (s *Sketch) q() uint8 { return 64 - s.p }

// limit is how many tokens a sketch of 2^p registers keeps: their table is then as
// large as the registers. The switch depends on the number alone, so that equal
// sets have equal images.
func limit(p uint8) int { return 3 << p >> 4 }

// addToken is AddHash for a sparse sketch.
func (s *Sketch) addToken(token uint32) bool {
	if known, ok := s.tokens.add(token); ok {
		return !known
	}
	if s.p == 0 {
		panic("hll: Add to a zero Sketch, make one with New")
	}
	known, full := s.tokens.addSlowly(token, limit(s.p))
	if full {
		s.densify()
		s.addRegister(token)
	}
	return !known
}

// densify turns tokens to registers.
func (s *Sketch) densify() {
	old := s.tokens
	s.tokens = tokens{}
	s.regs = make([]uint8, 1<<s.p)
	s.stats, s.stale = newStats(s.p), false
	for token := range old.all {
		s.addRegister(token)
	}
	if s.martingale {
		s.history = old.estimate()
	}
}

// addRegister adds a token to a dense sketch.
func (s *Sketch) addRegister(token uint32) {
	if i, r := register(token, s.p); r > s.regs[i] {
		s.raise(i, r)
	}
}

// register returns the register of a token at precision p, and the value for it.
func register(token uint32, p uint8) (i uint64, r uint8) {
	x := tokenHash(token)
	return x >> (64 - p), uint8(bits.LeadingZeros64(x<<p|1<<(p-1))) + 1
}

// Estimate returns the estimated number of distinct keys. It does not modify s.
func (s *Sketch) Estimate() uint64 { return whole(s.estimate()) }

func (s *Sketch) estimate() float64 {
	switch {
	case len(s.regs) == 0:
		return s.tokens.estimate()
	case s.martingale && !math.IsNaN(s.history):
		return s.history
	}
	sums := s.sums()
	return sums.estimate(s.p)
}

// sums returns the statistics of a dense sketch.
func (s *Sketch) sums() stats {
	if s.stale {
		return count(s.regs, s.q())
	}
	return s.stats
}

// Bounds returns an interval around Estimate that holds the true number with the
// confidence of that many standard errors: 68 % for 1, 95 % for 2, 99.7 % for 3.
// The lower end is never less than what is certain. Negative sigmas count as 0.
func (s *Sketch) Bounds(sigmas float64) (lower, upper uint64) {
	if len(s.regs) == 0 {
		return bounds(s.tokens.estimate(), tokenError, sigmas, s.tokens.n)
	}
	sums := s.sums()
	return bounds(s.estimate(), s.RelativeError(), sigmas, len(s.regs)-sums.zeros)
}

// Precision returns log2 of the number of registers, and 0 for a zero Sketch.
func (s *Sketch) Precision() int { return int(s.p) }

// RelativeError returns the relative standard error of estimates of a sketch with
// registers: 1.04/sqrt(2^Precision), or 0.83/sqrt(2^Precision) as long as
// WithMartingale holds. Sparse sketches err by 5e-5.
func (s *Sketch) RelativeError() float64 {
	switch {
	case s.p == 0:
		return 0
	case s.martingale && !math.IsNaN(s.history):
		return martingaleError / math.Sqrt(float64(uint64(1)<<s.p))
	}
	return precisionError(int(s.p))
}

// IsEmpty reports whether no key was added.
func (s *Sketch) IsEmpty() bool {
	if len(s.regs) == 0 {
		return s.tokens.n == 0
	}
	sums := s.sums()
	return sums.zeros == len(s.regs)
}

// Clone returns a copy of s that shares nothing but the secret.
func (s *Sketch) Clone() *Sketch {
	c := *s
	c.regs = slices.Clone(s.regs)
	c.tokens = s.tokens.clone()
	return &c
}

// Equal reports whether s and other have the same precision, secret, options and
// state, and so the same estimates and images.
func (s *Sketch) Equal(other *Sketch) bool {
	return other != nil && s.p == other.p && s.martingale == other.martingale && s.sameSecret(other.keyed) &&
		math.Float64bits(s.history) == math.Float64bits(other.history) &&
		bytes.Equal(s.regs, other.regs) && s.tokens.equal(&other.tokens)
}

// Reset empties s.
func (s *Sketch) Reset() {
	s.tokens, s.history, s.stale = tokens{}, 0, false
	if !s.dense {
		s.regs, s.stats = nil, stats{}
		return
	}
	if len(s.regs) != 1<<s.p {
		s.regs = make([]uint8, 1<<s.p)
	}
	clear(s.regs)
	s.stats = newStats(s.p)
}

// SizeBytes returns the memory that s holds now: 2^Precision bytes for registers,
// or at most that for tokens.
func (s *Sketch) SizeBytes() int { return cap(s.regs) + s.tokens.sizeBytes() }

// Precision returns the smallest precision at which a Sketch errs by at most
// relativeError, as in 0.01 for 1 %, which gives 14. It is an error if even
// MaxPrecision, with 0.2 %, errs by more.
func Precision(relativeError float64) (int, error) {
	for p := MinPrecision; p <= MaxPrecision; p++ {
		if precisionError(p) <= relativeError {
			return p, nil
		}
	}
	return 0, fmt.Errorf("hll: relative error is %g, want at least %.4g", relativeError, precisionError(MaxPrecision))
}

// precisionError returns the relative standard error of 2^p registers.
func precisionError(p int) float64 { return rawError / math.Sqrt(float64(uint64(1)<<p)) }
