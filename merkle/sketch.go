package merkle

import (
	"math/bits"
	"sync"

	"github.com/distkit/distkit/internal/hash64"
)

// cellsMax is how many cells a sketch has at most: one bit each of a word.
const cellsMax = 64

// cell is one coded symbol of a rateless IBLT (Yang, Gilad and Alizadeh, SIGCOMM
// 2024): the sum, in a group, of the entries that map to it.
type cell struct {
	h, v  uint64 // exclusive ors
	check uint32 // exclusive or of 32 bits of the fingerprints
	count int32  // modulo 2^32
}

func (c *cell) add(o cell) {
	c.h ^= o.h
	c.v ^= o.v
	c.check ^= o.check
	c.count += o.count
}

func (c *cell) sub(o cell) {
	o.count = -o.count
	c.add(o)
}

type cells [cellsMax]cell

// Groups of cells share a table of patterns, which an entry chooses from by as
// many bits of its fingerprint.
const (
	groups      = 4
	groupCells  = cellsMax / groups
	patternBits = 11
)

// An entry maps to cell i with probability 1/(1+i/2), to all cells independently
// (that is what the gaps of the paper, section 4.2, amount to). So the cells of
// an entry are one word, put together from four tables, with no arithmetic in
// floating point, which might differ between machines, and no chain of steps
// that each wait for the last.
type patterns [groups][1 << patternBits]uint16

var theirPatterns = sync.OnceValue(func() *patterns {
	p := new(patterns)
	for g := range groups {
		for e := range p[g] {
			for k := range groupCells {
				i := uint64(g*groupCells + k)
				// 2/(i+2) of all words are below the threshold; cell 0 takes all.
				if word := hash64.Mix(uint64(e)*cellsMax+i, salt1) >> 32; word*(i+2) < 2<<32 {
					p[g][e] |= 1 << k
				}
			}
		}
	}
	return p
})

// of returns the cells of an entry by the low half of its fingerprint.
func (p *patterns) of(lo uint64) uint64 {
	const mask = 1<<patternBits - 1
	return uint64(p[0][lo&mask]) |
		uint64(p[1][lo>>patternBits&mask])<<groupCells |
		uint64(p[2][lo>>(2*patternBits)&mask])<<(2*groupCells) |
		uint64(p[3][lo>>(3*patternBits)&mask])<<(3*groupCells)
}

// mark adds an entry, with its fingerprint, n times (1 or -1) to the first
// len(dst) cells.
func (p *patterns) mark(dst []cell, h, v uint64, f total, n int32) {
	set := p.of(f.lo)
	if len(dst) < cellsMax {
		set &= 1<<len(dst) - 1
	}
	check := uint32(f.hi >> 32)
	for ; set != 0; set &= set - 1 {
		c := &dst[bits.TrailingZeros64(set)]
		c.h ^= h
		c.v ^= v
		c.check ^= check
		c.count += n
	}
}

func addCells(dst, src []cell) {
	for i := range dst {
		dst[i].add(src[i])
	}
}

func subCells(dst, src []cell) {
	for i := range dst {
		dst[i].sub(src[i])
	}
}
