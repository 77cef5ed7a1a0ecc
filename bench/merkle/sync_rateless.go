package merkle

import (
	"fmt"
	"math"

	"github.com/distkit/distkit/internal/hash64"
)

// symbol is a coded symbol of a rateless IBLT (Yang, Gilad and Alizadeh, SIGCOMM
// 2024; the artifact yangl1996/riblt is no module that the proxy serves): 24 bytes
// and a count of two.
type symbol struct {
	h, v, check uint64
	count       int64
}

const symbolSize = 26

func (s *symbol) add(o symbol, n int64) {
	s.h ^= o.h
	s.v ^= o.v
	s.check ^= o.check
	s.count += n * o.count
}

// mapping is the paper's: the indexes of the symbols that an entry is part of. The
// state is odd, so that it never becomes zero.
type mapping struct{ at, state uint64 }

func (m *mapping) next() {
	m.state *= 0xda942042e4dd58b5
	u := float64(m.state) / (1 << 64)
	m.at += uint64(math.Ceil((float64(m.at) + 1.5) * (1/math.Sqrt(u) - 1)))
}

func coded(e entry) (symbol, mapping) {
	check := hash64.Mix(e.h^hash64.Mix(e.v, 3), 4)
	return symbol{e.h, e.v, check, 1}, mapping{0, check | 1}
}

// encoder makes the symbols of a set, the first ones first. It keeps where each
// entry goes next, so that more symbols cost one more pass over the entries: no
// more than the heap of the artifact.
type encoder struct {
	entries []symbol
	next    []mapping
	symbols []symbol
}

func newEncoder(es []entry) *encoder {
	e := &encoder{entries: make([]symbol, len(es)), next: make([]mapping, len(es))}
	for i := range es {
		e.entries[i], e.next[i] = coded(es[i])
	}
	return e
}

// grow makes sure that there are m symbols.
func (e *encoder) grow(m int) {
	e.symbols = append(e.symbols, make([]symbol, m-len(e.symbols))...)
	for i := range e.next {
		for m := &e.next[i]; m.at < uint64(len(e.symbols)); m.next() {
			e.symbols[m.at].add(e.entries[i], 1)
		}
	}
}

// ratelessOf streams coded symbols of a whole replica until the other one has
// decoded what differs: 1.35 to 1.72 symbols an item. The stream is made in steps
// of half as much again; what was made beyond the end is counted as time only.
func ratelessOf(p pair) func() traffic {
	sides := [2][]entry{p.all(0), p.all(1)}
	return func() traffic {
		a, b := newEncoder(sides[0]), newEncoder(sides[1])
		for m := 8; ; m += m / 2 {
			a.grow(m)
			b.grow(m)
			work := make([]symbol, m)
			for i := range work {
				work[i] = b.symbols[i]
				work[i].add(a.symbols[i], -1)
			}
			if found := peel(work); found >= 0 {
				if found != p.items {
					panic(fmt.Sprintf("rateless IBLT found %d of %d items", found, p.items))
				}
				return traffic{messages: 2, bytes: m * symbolSize, found: found}
			}
		}
	}
}

// peel returns how many entries symbols decode to, or -1.
func peel(work []symbol) (found int) {
	queue := make([]int, 0, len(work))
	for i := range work {
		queue = append(queue, i)
	}
	for len(queue) > 0 {
		c := work[queue[len(queue)-1]]
		queue = queue[:len(queue)-1]
		if c.count != 1 && c.count != -1 {
			continue
		}
		one, at := coded(entry{c.h, c.v})
		if one.check != c.check {
			continue
		}
		found++
		for ; at.at < uint64(len(work)); at.next() {
			work[at.at].add(one, -c.count)
			queue = append(queue, int(at.at))
		}
	}
	if work[0] != (symbol{}) {
		return -1
	}
	return found
}
