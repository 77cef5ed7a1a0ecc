package hll

import (
	"math"
	"math/bits"
	"slices"
)

// ExaLogLog counts distinct keys in half the memory that a [Sketch] takes: every
// register, 32 bits, holds the largest value it saw, as there, and which of the 24
// values below it were seen too. 2^11 registers, 8 KiB, err by 0.76 %, a Sketch of
// 16 KiB by 0.81 %. (Ertl 2025, "ExaLogLog: Space-efficient and practical
// approximate distinct counting up to the exa-scale", with t = 2 and d = 24.)
//
// An estimate takes constant time, except between a Merge that brought in
// registers and the next change: it looks at every register then. All else is as
// in Sketch: small sets are kept as tokens, equal sets have equal images,
// precisions fold.
//
// An ExaLogLog is not safe for concurrent use, except that any number of
// goroutines may query it while none changes it. The zero ExaLogLog is empty and
// is there to be decoded into; adding to it panics.
type ExaLogLog struct {
	p      uint8
	regs   []uint32 // dense: the registers
	tokens tokens   // sparse: the tokens
	sums   exaSums  // dense, and not stale: the sums of the registers
	stale  bool
	dense  bool // WithDense: what Reset goes back to

	martingale bool    // WithMartingale
	history    float64 // dense: its estimate, NaN once it is lost
	keyed
}

// Parameters of ExaLogLog: values have exaT bits beside the number of zeros, and
// registers know exaD values below their largest.
const (
	exaT            = 2
	exaD            = 24
	exaSeen         = 1<<exaD - 1
	minExaPrecision = 2
	maxExaPrecision = tokenIndexBits - exaT
	maxExaTokens    = 3 << 15

	exaError           = .3437583867745506
	exaMartingaleError = .3062654664381608
	exaBias            = .09119360205952269
)

// NewExaLogLog returns an empty ExaLogLog of 2^precision registers, 2 to 24, whose
// estimates have a relative standard error of 0.344/sqrt(2^precision). It takes
// 4*2^precision bytes, and less while keys are few. Options: WithSecret,
// WithDense, WithMartingale.
func NewExaLogLog(precision int, opts ...Option) (*ExaLogLog, error) {
	c, err := newConfig("NewExaLogLog", optSecret|optDense|optMartingale, opts)
	if err != nil {
		return nil, err
	}
	if err := checkPrecision(precision, minExaPrecision, maxExaPrecision); err != nil {
		return nil, err
	}
	e := &ExaLogLog{p: uint8(precision), dense: c.dense, martingale: c.martingale, keyed: c.keyed}
	e.Reset()
	return e, nil
}

// Add adds key and reports whether that changed e; see [Sketch.Add].
func (e *ExaLogLog) Add(key []byte) bool { return e.AddHash(e.Hash(key)) }

// AddString is Add for a string.
func (e *ExaLogLog) AddString(key string) bool { return e.AddHash(e.HashString(key)) }

// AddHash adds the key that h identifies; see [Sketch.AddHash].
func (e *ExaLogLog) AddHash(h uint64) bool {
	x := remix(h)
	if len(e.regs) == 0 {
		return e.addToken(tokenOf(bits.RotateLeft64(x, tokenRestBits)))
	}
	i, k := e.place(x)
	if exaSaw(e.regs[i], k) {
		return false
	}
	e.raise(i, k)
	return true
}

// place returns the register of a remixed hash, and the value for it. Its low bits
// choose the register and the fine part of the value, its high zeros the coarse
// part.
func (e *ExaLogLog) place(x uint64) (i uint64, k uint32) {
	mask := uint64(1)<<((e.p+exaT)&63) - 1
	return x & mask >> exaT, uint32(bits.LeadingZeros64(x|mask))<<exaT + uint32(x&(1<<exaT-1)) + 1
}

// exaSaw says whether value k, which is not 0, would change nothing in register r:
// because it is the largest, a smaller one that was seen, or too small to be kept.
// All of these are bits of one word, from the top down.
func exaSaw(r, k uint32) bool {
	const top = 63 - exaD
	word := (uint64(r)|1<<exaD)<<top | (1<<top - 1)
	below := int(r>>exaD) - int(k)
	return below >= 0 && word>>((63-min(below, 63))&63)&1 != 0
}

// raise notes a value in a register that did not see it.
func (e *ExaLogLog) raise(i uint64, k uint32) {
	r := e.regs[i]
	if u := r >> exaD; k > u {
		r = k<<exaD | (1<<exaD|r&exaSeen)>>(k-u)
	} else {
		r |= 1 << (exaD + k - u)
	}
	e.set(i, r)
}

// set changes a register and keeps account of it.
func (e *ExaLogLog) set(i uint64, r uint32) {
	if e.stale {
		e.sums, e.stale = exaCount(e.regs, e.p), false
	}
	if e.martingale {
		e.history += e.sums.unlikeliness()
	}
	e.sums.account(e.regs[i], e.p, -1)
	e.sums.account(r, e.p, 1)
	e.regs[i] = r
}

func exaLimit(p uint8) int { return min(3<<p>>2, maxExaTokens) }

func (e *ExaLogLog) addToken(token uint32) bool {
	if known, ok := e.tokens.add(token); ok {
		return !known
	}
	if e.p == 0 {
		panic("hll: Add to a zero ExaLogLog, make one with NewExaLogLog")
	}
	known, full := e.tokens.addSlowly(token, exaLimit(e.p))
	if full {
		e.densify()
		e.addRegister(token)
	}
	return !known
}

// addRegister adds a token to a dense sketch.
func (e *ExaLogLog) addRegister(token uint32) {
	if i, k := e.place(bits.RotateLeft64(tokenHash(token), tokenIndexBits)); !exaSaw(e.regs[i], k) {
		e.raise(i, k)
	}
}

func (e *ExaLogLog) densify() {
	old := e.tokens
	e.tokens = tokens{}
	e.regs = make([]uint32, 1<<e.p)
	e.sums, e.stale = exaCount(e.regs, e.p), false
	for token := range old.all {
		e.addRegister(token)
	}
	if e.martingale {
		e.history = old.estimate()
	}
}

// Estimate returns the estimated number of distinct keys: the most likely one, or
// with WithMartingale that of the history. It does not modify e.
func (e *ExaLogLog) Estimate() uint64 { return whole(e.estimate()) }

func (e *ExaLogLog) estimate() float64 {
	switch {
	case len(e.regs) == 0:
		return e.tokens.estimate()
	case e.martingale && !math.IsNaN(e.history):
		return e.history
	case e.stale:
		sums := exaCount(e.regs, e.p)
		return sums.estimate(e.p)
	}
	return e.sums.estimate(e.p)
}

// Bounds returns an interval around Estimate as [Sketch.Bounds] does.
func (e *ExaLogLog) Bounds(sigmas float64) (lower, upper uint64) {
	if len(e.regs) == 0 {
		return bounds(e.tokens.estimate(), tokenError, sigmas, e.tokens.n)
	}
	return bounds(e.estimate(), e.RelativeError(), sigmas, e.changed())
}

// changed returns the number of registers that are not zero.
func (e *ExaLogLog) changed() (n int) {
	for _, r := range e.regs {
		if r != 0 {
			n++
		}
	}
	return n
}

// Precision returns log2 of the number of registers, and 0 for a zero ExaLogLog.
func (e *ExaLogLog) Precision() int { return int(e.p) }

// RelativeError returns the relative standard error of estimates of a sketch with
// registers: 0.344/sqrt(2^Precision), or 0.306/sqrt(2^Precision) as long as
// WithMartingale holds. Sparse sketches err by 5e-5.
func (e *ExaLogLog) RelativeError() float64 {
	c := exaError
	switch {
	case e.p == 0:
		return 0
	case e.martingale && !math.IsNaN(e.history):
		c = exaMartingaleError
	}
	return c / math.Sqrt(float64(uint64(1)<<e.p))
}

// IsEmpty reports whether no key was added.
func (e *ExaLogLog) IsEmpty() bool { return e.tokens.n == 0 && e.changed() == 0 }

// Clone returns a copy of e that shares nothing but the secret.
func (e *ExaLogLog) Clone() *ExaLogLog {
	c := *e
	c.regs = slices.Clone(e.regs)
	c.tokens = e.tokens.clone()
	return &c
}

// Equal reports whether e and other have the same precision, secret, options and
// state, and so the same estimates and images.
func (e *ExaLogLog) Equal(other *ExaLogLog) bool {
	return other != nil && e.p == other.p && e.martingale == other.martingale && e.sameSecret(other.keyed) &&
		math.Float64bits(e.history) == math.Float64bits(other.history) &&
		slices.Equal(e.regs, other.regs) && e.tokens.equal(&other.tokens)
}

// Reset empties e.
func (e *ExaLogLog) Reset() {
	e.tokens, e.history, e.stale, e.regs, e.sums = tokens{}, 0, false, nil, exaSums{}
	if e.dense {
		e.regs = make([]uint32, 1<<e.p)
	}
}

// SizeBytes returns the memory that e holds now: 4*2^Precision bytes for
// registers, or at most that for tokens.
func (e *ExaLogLog) SizeBytes() int { return 4*cap(e.regs) + e.tokens.sizeBytes() }
