package hll

import (
	"encoding/binary"
	"errors"
	"math"
	"math/bits"

	"github.com/distkit/distkit/internal/codec"
)

// Merge makes s the union of s and other: the sketch that all keys of both, added
// to one, give. A finer other is folded to the precision of s and not modified; a
// coarser one, a zero one and one under another secret are ErrIncompatible, and s
// is as it was. It costs one pass over the registers, or an Add a token.
func (s *Sketch) Merge(other *Sketch) error {
	if s.p == 0 {
		panic("hll: Merge into a zero Sketch, make one with New")
	}
	if err := mergeable(s.p, s.keyed, other); err != nil {
		return err
	}
	s.include(other)
	return nil
}

// include is Merge of what is mergeable.
func (s *Sketch) include(other *Sketch) {
	if len(other.regs) == 0 {
		s.mergeTokens(&other.tokens)
		return
	}
	if len(s.regs) == 0 {
		s.densify()
	}
	s.mergeRegisters(other)
}

// mergeable returns an error unless other can be merged into 2^p registers.
func mergeable(p uint8, k keyed, other *Sketch) error {
	switch {
	case other == nil || other.p == 0:
		return codec.Incompatible("hll", "merge with a zero sketch")
	case other.p < p:
		return codec.Incompatible("hll", "merge of precision %d into %d, Reduce the receiver first", other.p, p)
	case !k.sameSecret(other.keyed):
		return codec.Incompatible("hll", "merge of sketches with different secrets")
	}
	return nil
}

func (s *Sketch) mergeTokens(other *tokens) {
	if len(s.regs) == 0 {
		s.tokens.reserve(min(s.tokens.n+other.n, limit(s.p)))
	}
	for token := range other.all {
		if len(s.regs) == 0 {
			s.addToken(token)
		} else {
			s.addRegister(token)
		}
	}
}

// mergeRegisters merges a dense sketch into a dense one. The sums are left to
// whoever needs them.
func (s *Sketch) mergeRegisters(other *Sketch) {
	if s.martingale && !other.IsEmpty() {
		s.history = math.NaN()
	}
	if other.p == s.p {
		raiseAll(s.regs, other.regs)
	} else {
		fold(s.regs, other.regs, other.p-s.p)
	}
	s.stale = true
}

// raiseAll sets every register of dst to the larger of the two, eight at a time and
// four times a round. There are as many in both, a multiple of 8.
func raiseAll(dst, src []uint8) {
	src = src[:len(dst)]
	i := 0
	for ; i < len(dst)-31; i += 32 {
		d, s := dst[i:i+32:i+32], src[i:i+32:i+32]
		w0 := largerBytes(binary.LittleEndian.Uint64(d[:8]), binary.LittleEndian.Uint64(s[:8]))
		w1 := largerBytes(binary.LittleEndian.Uint64(d[8:]), binary.LittleEndian.Uint64(s[8:]))
		w2 := largerBytes(binary.LittleEndian.Uint64(d[16:]), binary.LittleEndian.Uint64(s[16:]))
		w3 := largerBytes(binary.LittleEndian.Uint64(d[24:]), binary.LittleEndian.Uint64(s[24:]))
		binary.LittleEndian.PutUint64(d[:8], w0)
		binary.LittleEndian.PutUint64(d[8:], w1)
		binary.LittleEndian.PutUint64(d[16:], w2)
		binary.LittleEndian.PutUint64(d[24:], w3)
	}
	for ; i < len(dst); i += 8 { // 16 registers are half a round
		binary.LittleEndian.PutUint64(dst[i:], largerBytes(binary.LittleEndian.Uint64(dst[i:]), binary.LittleEndian.Uint64(src[i:])))
	}
}

// largerBytes returns the larger one of each pair of bytes, all below 128: so each
// difference, with 128 added, stays within its byte and says by its top bit whether
// a was the larger; if so, it is added to b.
func largerBytes(a, b uint64) uint64 {
	const top = 0x8080808080808080
	d := (a | top) - b
	larger := d & top
	return b + d&(larger-larger>>7)
}

// fold merges registers of a precision larger by d into dst. Of the 2^d registers
// that become one, the first saw d zeros more than it knew; for each of the others
// the bits of its own place end the run of zeros.
func fold(dst, src []uint8, d uint8) {
	for i := range dst {
		group := src[i<<d:][:1<<d]
		r := dst[i]
		if group[0] > 0 {
			r = max(r, group[0]+d)
		}
		for j := 1; j < len(group); j++ {
			if group[j] > 0 { // the first of the group that is not empty is the largest
				r = max(r, d+1-uint8(bits.Len(uint(j))))
				break
			}
		}
		dst[i] = r
	}
}

// Reduce folds s to a smaller precision, in place: it then is the sketch that its
// keys give at that precision. The precision must be at least MinPrecision and at
// most that of s.
func (s *Sketch) Reduce(precision int) error {
	if s.p == 0 {
		panic("hll: Reduce of a zero Sketch, make one with New")
	}
	if err := checkPrecision(precision, MinPrecision, int(s.p)); err != nil {
		return err
	}
	d := s.p - uint8(precision)
	s.p = uint8(precision)
	switch {
	case len(s.regs) == 0:
		if s.tokens.n > limit(s.p) {
			s.densify()
			break
		}
		s.tokens.lower(limit(s.p))
	case d > 0:
		old := s.regs
		s.regs = make([]uint8, 1<<s.p)
		fold(s.regs, old, d)
		s.stats = count(s.regs, s.q())
		s.stale = false
	}
	return nil
}

// Union returns a new sketch of all keys of the given ones, at the smallest of
// their precisions and without their options. Zero sketches and different secrets
// are ErrIncompatible.
func Union(sketches ...*Sketch) (*Sketch, error) {
	if len(sketches) == 0 {
		return nil, errors.New("hll: union of no sketches, want at least 1")
	}
	u := &Sketch{p: MaxPrecision}
	for i, s := range sketches {
		if i == 0 && s != nil {
			u.keyed = s.keyed
		}
		if err := mergeable(0, u.keyed, s); err != nil {
			return nil, err
		}
		u.p = min(u.p, s.p)
	}
	for _, s := range sketches {
		u.include(s)
	}
	return u, nil
}
