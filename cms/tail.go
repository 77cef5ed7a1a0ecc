package cms

import (
	"math"
	"slices"
)

// tailDepth is the number of rows behind the slots of a TopK.
const tailDepth = 4

// tail counts the keys without a slot, conservatively. Its counters have 32 bits
// until one needs more, so that no count is ever cut: a certificate must hold for
// bytes as well.
type tail struct {
	width  uint64
	narrow []uint32
	wide   []uint64 // nil while 32 bits do
}

func newTail(width uint64) tail {
	return tail{width: width, narrow: make([]uint32, tailDepth*width)}
}

// lowest returns the estimate of a key.
func (t *tail) lowest(x, g uint64) uint64 {
	if t.wide != nil {
		return lowest(t.wide, t.width, tailDepth, x, g)
	}
	return uint64(lowest(t.narrow, t.width, tailDepth, x, g))
}

// raise lifts the cells of a key to at least v.
func (t *tail) raise(x, g, v uint64) {
	if v > math.MaxUint32 && t.wide == nil {
		t.widen()
	}
	if t.wide != nil {
		raise(t.wide, t.width, tailDepth, x, g, v)
		return
	}
	raise(t.narrow, t.width, tailDepth, x, g, uint32(v))
}

func (t *tail) widen() {
	t.wide = make([]uint64, len(t.narrow))
	for i, c := range t.narrow {
		t.wide[i] = uint64(c)
	}
	t.narrow = nil
}

// needsWide says whether a counter has more than 32 bits: images of equal counts
// are equal, whatever the counters were.
func (t *tail) needsWide() bool {
	return slices.ContainsFunc(t.wide, func(c uint64) bool { return c > math.MaxUint32 })
}

// empty says whether nothing was counted.
func (t *tail) empty() bool {
	return !slices.ContainsFunc(t.narrow, func(c uint32) bool { return c != 0 }) &&
		!slices.ContainsFunc(t.wide, func(c uint64) bool { return c != 0 })
}

func (t *tail) at(i int) uint64 {
	if t.wide != nil {
		return t.wide[i]
	}
	return uint64(t.narrow[i])
}

func (t *tail) len() int { return len(t.narrow) + len(t.wide) }

// add adds the counters of other, which has the same width.
func (t *tail) add(other *tail) {
	if t.wide == nil && t.fits(other) {
		addCells(t.narrow, other.narrow)
		return
	}
	if t.wide == nil {
		t.widen()
	}
	for i := range t.wide {
		t.wide[i] = plus(t.wide[i], other.at(i))
	}
}

// fits says whether no sum of counters exceeds 32 bits.
func (t *tail) fits(other *tail) bool {
	for i, c := range t.narrow {
		if uint64(c)+min(other.at(i), math.MaxUint64-math.MaxUint32) > math.MaxUint32 {
			return false
		}
	}
	return other.wide == nil
}

func (t *tail) equal(other *tail) bool {
	if t.width != other.width {
		return false
	}
	for i := range t.len() {
		if t.at(i) != other.at(i) {
			return false
		}
	}
	return true
}

func (t *tail) clone() tail {
	return tail{t.width, slices.Clone(t.narrow), slices.Clone(t.wide)}
}
