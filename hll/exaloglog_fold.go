package hll

import (
	"math"
	"math/bits"

	"github.com/distkit/distkit/internal/codec"
)

// exaSums are the coefficients of the likelihood of all registers: what estimates
// depend on. Zero is right for no keys, as a sum of 2^64 wraps around.
type exaSums struct {
	absent uint64     // 2^64 times the probability that a new key changes a register
	seen   [64]uint32 // values seen, by the number of zeros they stand for
}

// account adds the coefficients of a register of 2^p, or takes them away for a
// sign of -1 (Ertl 2025, algorithm 3).
func (s *exaSums) account(r uint32, p uint8, sign int64) {
	u := int(r >> exaD)
	if u == 0 {
		s.absent += uint64(sign) << (64 - p)
		return
	}
	q := 63 - exaT - int(p)
	i := min(q, (u-1)>>exaT)
	below := u - 1 - i<<exaT // values below u of the same number of zeros
	mask := int32(-1) << max(0, exaD-below)
	here := uint32(mask) & exaSeen
	absent := uint64((i+2)<<exaT-u+bits.OnesCount32(^r&here)) << (q - i)
	s.seen[i] += uint32(sign) * uint32(1+bits.OnesCount32(r&here))
	window := uint32(mask ^ mask>>(1<<exaT))
	for ; i > 0 && window != 0; window >>= 1 << exaT {
		i--
		absent += uint64(bits.OnesCount32(window&^r)) << (q - i)
		s.seen[i] += uint32(sign) * uint32(bits.OnesCount32(window&r))
	}
	s.absent += uint64(sign) * absent
}

func exaCount(regs []uint32, p uint8) (s exaSums) {
	for _, r := range regs {
		s.account(r, p, 1)
	}
	return s
}

// unlikeliness returns 1 over the probability that the next new key changes a
// register.
func (s *exaSums) unlikeliness() float64 {
	if s.absent == 0 { // of empty registers: full ones do not change
		return 1
	}
	return 1 / (float64(s.absent) / (1 << 64))
}

func (s *exaSums) estimate(p uint8) float64 {
	m := float64(uint64(1) << p)
	f := m * (2 << exaT)
	n := f * solve(float64(s.absent)/(1<<64)*f, s.seen[:64-exaT-int(p)], 1e-3*exaError/math.Sqrt(m))
	return n / (1 + exaBias/m)
}

// Merge makes e the union of e and other; see [Sketch.Merge].
func (e *ExaLogLog) Merge(other *ExaLogLog) error {
	if e.p == 0 {
		panic("hll: Merge into a zero ExaLogLog, make one with NewExaLogLog")
	}
	switch {
	case other == nil || other.p == 0:
		return codec.Incompatible("hll", "merge with a zero sketch")
	case other.p < e.p:
		return codec.Incompatible("hll", "merge of precision %d into %d, Reduce the receiver first", other.p, e.p)
	case !e.sameSecret(other.keyed):
		return codec.Incompatible("hll", "merge of sketches with different secrets")
	}
	if len(other.regs) == 0 {
		e.mergeTokens(&other.tokens)
		return nil
	}
	if len(e.regs) == 0 {
		e.densify()
	}
	if e.martingale && !other.IsEmpty() {
		e.history = math.NaN()
	}
	exaFold(e.regs, other.regs, e.p, other.p)
	e.stale = true
	return nil
}

func (e *ExaLogLog) mergeTokens(other *tokens) {
	if len(e.regs) == 0 {
		e.tokens.reserve(min(e.tokens.n+other.n, exaLimit(e.p)))
	}
	for token := range other.all {
		if len(e.regs) == 0 {
			e.addToken(token)
		} else {
			e.addRegister(token)
		}
	}
}

// Reduce folds e to a smaller precision, at least 2, in place; see [Sketch.Reduce].
func (e *ExaLogLog) Reduce(precision int) error {
	if e.p == 0 {
		panic("hll: Reduce of a zero ExaLogLog, make one with NewExaLogLog")
	}
	if err := checkPrecision(precision, minExaPrecision, int(e.p)); err != nil {
		return err
	}
	from := e.p
	e.p = uint8(precision)
	switch {
	case len(e.regs) == 0:
		if e.tokens.n > exaLimit(e.p) {
			e.densify()
			break
		}
		e.tokens.lower(exaLimit(e.p))
	case from > e.p:
		old := e.regs
		e.regs = make([]uint32, 1<<e.p)
		exaFold(e.regs, old, e.p, from)
		e.sums, e.stale = exaCount(e.regs, e.p), false
	}
	return nil
}

// exaFold merges the 2^from registers of src into the 2^p of dst, p <= from.
func exaFold(dst, src []uint32, p, from uint8) {
	for i, r := range src {
		j := i & (1<<p - 1)
		dst[j] = exaMerge(dst[j], exaWiden(r, from, from-p, uint32(i>>p)))
	}
}

// exaMerge returns the register that saw what both saw.
func exaMerge(a, b uint32) uint32 {
	if a < b {
		a, b = b, a
	}
	if u, v := a>>exaD, b>>exaD; u > v && v > 0 {
		return a | (1<<exaD|b&exaSeen)>>(u-v)
	}
	return a | b
}

// exaWiden returns what a register of 2^p becomes when the top d bits of its index
// turn to bits of the value: where all bits before them were zeros, the zeros at
// the top of sub are zeros more.
func exaWiden(r uint32, p, d uint8, sub uint32) uint32 {
	u, longest := int(r>>exaD), (64-exaT-int(p))<<exaT+1
	shift := (int(d) - bits.Len32(sub)) << exaT
	if u < longest || shift <= 0 {
		return r
	}
	if n := exaD + longest - u; n > 0 {
		mask := ^uint32(0) << n
		r = r&mask | r&^mask>>shift
	}
	return r + uint32(shift)<<exaD
}
