package cms

import (
	"fmt"
	"math"
	"math/bits"

	"github.com/distkit/distkit/internal/codec"
)

// compatible says what keeps the counters of two sketches from being added cell
// by cell, or "".
func (c *counters) compatible(other *counters) string {
	switch {
	case c.width != other.width || c.depth != other.depth:
		return fmt.Sprintf("%d rows of %d counters and %d of %d", c.depth, c.width, other.depth, other.width)
	case (c.wide != nil) != (other.wide != nil):
		return "counters of 32 and of 64 bits"
	case c.conservative != other.conservative:
		return "a plain sketch and a conservative one"
	}
	return ""
}

// pair returns an error unless s and other may be the two operands of what.
func (s *Sketch) pair(other *Sketch, what string) error {
	if other == nil || other.width == 0 {
		return codec.Incompatible("cms", "%s with a zero Sketch", what)
	}
	if why := s.compatible(&other.counters); why != "" {
		return codec.Incompatible("cms", "%s of %s", what, why)
	}
	if !s.sameSecret(&other.keyed) {
		return codec.Incompatible("cms", "%s of sketches with different secrets", what)
	}
	return nil
}

// Merge adds the counts of other, which must have the same size, kind and secret,
// else the error is ErrIncompatible and s is as it was. Of plain sketches the
// result is what one sketch of both streams would be.
func (s *Sketch) Merge(other *Sketch) error {
	if s.width == 0 {
		panic("cms: Merge into a zero Sketch, make one with New")
	}
	if err := s.pair(other, "merge"); err != nil {
		return err
	}
	addCells(s.narrow, other.narrow)
	addCells(s.wide, other.wide)
	s.total = plus(s.total, other.total)
	return nil
}

// addCells adds from to to, eight cells at a time: what there is to do for one is
// less than a loop costs.
func addCells[C counter](to, from []C) {
	for len(to) >= 8 && len(from) >= 8 {
		t, f := (*[8]C)(to), (*[8]C)(from)
		t[0], t[1], t[2], t[3] = plus(t[0], f[0]), plus(t[1], f[1]), plus(t[2], f[2]), plus(t[3], f[3])
		t[4], t[5], t[6], t[7] = plus(t[4], f[4]), plus(t[5], f[5]), plus(t[6], f[6]), plus(t[7], f[7])
		to, from = to[8:], from[8:]
	}
	for i := range to {
		to[i] = plus(to[i], from[i])
	}
}

// Subtract takes the counts of other from s, which must hold them: other is a
// sketch that was merged into s, or an older state of it. The error is
// ErrIncompatible and s as it was if a counter of s is less than that of other,
// or if they have other sizes or secrets or are conservative. Full counters stay
// full, since nobody knows what they missed.
func (s *Sketch) Subtract(other *Sketch) error {
	if s.width == 0 {
		panic("cms: Subtract from a zero Sketch, make one with New")
	}
	if err := s.linear(other, "subtraction"); err != nil {
		return err
	}
	if s.total < other.total || !holds(s.narrow, other.narrow) || !holds(s.wide, other.wide) {
		return codec.Incompatible("cms", "subtraction of a sketch that is no part of this one")
	}
	takeCells(s.narrow, other.narrow)
	takeCells(s.wide, other.wide)
	if s.total != math.MaxUint64 {
		// Rows with full counters may hold more than what is left of the total.
		s.total = max(s.total-other.total, s.fullestRow())
	}
	return nil
}

// linear is pair for what only plain sketches can do.
func (s *Sketch) linear(other *Sketch, what string) error {
	if err := s.pair(other, what); err != nil {
		return err
	}
	if s.conservative {
		return codec.Incompatible("cms", "%s of conservative sketches, want plain ones", what)
	}
	return nil
}

// holds says whether no cell of part exceeds that of whole.
func holds[C counter](whole, part []C) bool {
	part = part[:len(whole)]
	for i, c := range whole {
		if part[i] > c {
			return false
		}
	}
	return true
}

func takeCells[C counter](from, part []C) {
	part = part[:len(from)]
	for i, c := range from {
		if c != ^C(0) {
			from[i] = c - part[i]
		}
	}
}

// fullestRow returns the largest sum of a row's counters, at most 2^64-1.
func (c *counters) fullestRow() (most uint64) {
	for i := range c.depth {
		sum := uint64(0)
		if c.wide != nil {
			for _, n := range c.wide[i*c.width : (i+1)*c.width] {
				sum = plus(sum, n)
			}
		} else {
			for _, n := range c.narrow[i*c.width : (i+1)*c.width] {
				sum += uint64(n) // 2^32 of them do not wrap
			}
		}
		most = max(most, sum)
	}
	return most
}

// InnerProduct returns an estimate of the sum, over all keys, of the product of
// their counts in s and other: the size of the join of two streams, or, with s
// itself, the second moment of one. It is never below the truth unless counters
// are full or the truth exceeds 2^64-1, and above by more than
// Epsilon * s.Total() * other.Total() with a probability of at most Delta. Both
// must be plain and have the same size and secret, else the error is
// ErrIncompatible.
func (s *Sketch) InnerProduct(other *Sketch) (uint64, error) {
	if s.width == 0 {
		return 0, codec.Incompatible("cms", "inner product with a zero Sketch")
	}
	if err := s.linear(other, "inner product"); err != nil {
		return 0, err
	}
	least := uint64(math.MaxUint64)
	for i := range s.depth {
		least = min(least, s.rowProduct(&other.counters, i))
	}
	return least, nil
}

// rowProduct returns the product of row i of both, at most 2^64-1.
func (c *counters) rowProduct(other *counters, i uint64) uint64 {
	sum := uint64(0)
	for j := i * c.width; j < (i+1)*c.width; j++ {
		hi, lo := bits.Mul64(c.at(j), other.at(j))
		if hi != 0 {
			return math.MaxUint64
		}
		sum = plus(sum, lo)
	}
	return sum
}

// Halve halves all counts, rounding down: the past counts half as much as what
// comes. Estimates stay at least half of what was added, rounded down; a full
// counter is taken for what it shows.
func (s *Sketch) Halve() {
	for i := range s.narrow {
		s.narrow[i] >>= 1
	}
	for i := range s.wide {
		s.wide[i] >>= 1
	}
	s.total >>= 1
}
