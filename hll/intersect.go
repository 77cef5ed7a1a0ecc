package hll

import (
	"math"

	"github.com/distkit/distkit/internal/codec"
)

// Overlap estimates how two sets of keys lie to each other. [Intersect] makes it.
type Overlap struct {
	OnlyA, OnlyB float64 // keys of one set and not of the other
	Both         float64 // keys of both
}

// Union returns the number of keys of either set.
func (o Overlap) Union() float64 { return o.OnlyA + o.OnlyB + o.Both }

// Jaccard returns the share of all keys that both sets have: 1 for equal sets, 0
// for disjoint ones, and 0 for two empty ones.
func (o Overlap) Jaccard() float64 {
	if o.Both == 0 {
		return 0
	}
	return o.Both / o.Union()
}

// Intersect estimates how many keys a and b have in common, and how many each has
// alone. It does not modify them. Of sparse sketches the tokens are compared, which
// is near exact. Of registers it takes the three numbers that make the pairs of
// registers most likely (Ertl 2017, "New cardinality estimation algorithms for
// HyperLogLog sketches", section 4).
//
// The error is that which theory says is the least possible. That of
// |A| + |B| - |A or B| is never less, and more than twice as large where a
// twentieth is in common or less: 25 % instead of 12 % for 2,000 common keys of
// 22,000 and 22,000 at precision 12. A number that is far below one key means none.
//
// Sketches of different precisions are compared at the smaller one. It costs a pass
// over the registers and some 50 microseconds. Zero sketches and different secrets
// are ErrIncompatible.
func Intersect(a, b *Sketch) (Overlap, error) {
	switch {
	case a == nil || a.p == 0 || b == nil || b.p == 0:
		return Overlap{}, codec.Incompatible("hll", "intersection with a zero sketch")
	case !a.sameSecret(b.keyed):
		return Overlap{}, codec.Incompatible("hll", "intersection of sketches with different secrets")
	case len(a.regs) == 0 && len(b.regs) == 0:
		return a.tokens.overlap(&b.tokens), nil
	}
	p := min(a.p, b.p)
	return newPairs(a.registers(p), b.registers(p)).overlap(p), nil
}

// registers returns the registers that s has, or would have, at a precision of at
// most its own.
func (s *Sketch) registers(p uint8) []uint8 {
	if s.p == p && len(s.regs) > 0 {
		return s.regs
	}
	regs := make([]uint8, 1<<p)
	if len(s.regs) > 0 {
		fold(regs, s.regs, s.p-p)
		return regs
	}
	for token := range s.tokens.all {
		i, r := register(token, p)
		regs[i] = max(regs[i], r)
	}
	return regs
}

// overlap counts tokens apart.
func (t *tokens) overlap(other *tokens) Overlap {
	var common tokens // its counts alone
	if other.n > 0 {
		for token := range t.all {
			if _, ok := other.has(token); ok {
				common.n++
				common.counts[min(token&63, maxTokenZeros-1)]++
			}
		}
	}
	return Overlap{OnlyA: t.without(&common), OnlyB: other.without(&common), Both: common.estimate()}
}

// without returns the estimate of the tokens that are not in a subset.
func (t *tokens) without(subset *tokens) float64 {
	counts := t.counts
	for j := range counts {
		counts[j] -= subset.counts[j]
	}
	return tokenEstimate(t.n-subset.n, &counts)
}

// pairs counts the pairs of registers of two sketches by value, apart for each
// way that they lie to each other: all that the likelihood depends on.
type pairs struct {
	aLess, bMore [64]uint32 // of pairs a < b
	aMore, bLess [64]uint32 // of pairs a > b
	same         [64]uint32
}

func newPairs(a, b []uint8) *pairs {
	var c pairs
	for i, r := range a {
		s := b[i]
		switch {
		case r < s:
			c.aLess[r&63]++
			c.bMore[s&63]++
		case r > s:
			c.aMore[r&63]++
			c.bLess[s&63]++
		default:
			c.same[r&63]++
		}
	}
	return &c
}

// a, b and union return the sums of registers of each set.
func (c *pairs) a(q uint8) stats     { return total(q, &c.aLess, &c.aMore, &c.same) }
func (c *pairs) b(q uint8) stats     { return total(q, &c.bLess, &c.bMore, &c.same) }
func (c *pairs) union(q uint8) stats { return total(q, &c.aMore, &c.bMore, &c.same) }

func total(q uint8, counts ...*[64]uint32) (s stats) {
	for _, by := range counts {
		for k, n := range by {
			s.add(q, uint8(k), n)
		}
	}
	return s
}

func (c *pairs) overlap(p uint8) Overlap {
	q := 64 - p
	a, b, union := c.a(q), c.b(q), c.union(q)
	na, nb, nu := finite(a.estimate(p)), finite(b.estimate(p)), finite(union.estimate(p))
	if c.aLess[0]+c.same[0]+c.bLess[0] == 1<<p { // every pair has a zero
		return Overlap{OnlyA: na, OnlyB: nb}
	}
	// Begin with inclusion and exclusion, within reason.
	both := na + nb - nu
	n := newJoint(c, p).maximize([3]float64{max(na-both, 1), max(nb-both, 1), max(both, 1)})
	unbiased := 1 + likelihoodBias/float64(uint64(1)<<p)
	return Overlap{OnlyA: n[0] / unbiased, OnlyB: n[1] / unbiased, Both: n[2] / unbiased}
}

// finite keeps an estimate of registers that are all full within what is counted.
func finite(x float64) float64 { return min(x, math.MaxUint64) }
