package lru

import (
	"math/bits"
	"math/rand/v2"
)

// ghost remembers keys that left, by 32 bits of their hash, in the order in which
// they left: a ring, and a table that finds a hash in it. It grows with what it
// holds: 12 to 15 bytes a key.
//
// What is taken out of the middle of the ring leaves a hole there, and what leaves it
// stays in the table, where it leads to a hole or to another hash. So one search of
// the table is all that a key costs, until too many of its slots are in use: then it
// is made anew.
//
// Two keys of one hash are taken for one another, which among a million keys
// happens to one look-up in four thousand.
type ghost struct {
	ring  []uint32 // hashes, never 0, and 0 for a hole or nothing
	first uint32   // index in ring of the oldest hash or hole
	span  uint32   // hashes and holes
	live  uint32   // hashes

	// slots has an index of the ring, plus 1, for each hash, 0 where a slot is empty, by
	// linear probing from where a hash begins. In the bits that this leaves it has the
	// lowest of the hash, so that the ring is not asked about others.
	slots []uint32
	used  uint32 // slots that are not empty
	bits  uint   // of an index plus 1
	odd   uint64 // a secret, by which hashes are spread over the slots
}

const firstGhosts = 8

// named returns what stands for h, which is h but for one.
func named(h uint32) uint32 { return max(h, 1) }

// add remembers h as the newest.
func (g *ghost) add(h uint32) {
	if int(g.span) == len(g.ring) || uint64(g.used) >= uint64(len(g.slots))*7/8 {
		g.rebuild()
	}
	at := g.index(g.span)
	g.ring[at] = named(h)
	g.span++
	g.live++
	g.enter(named(h), at)
}

// take forgets h and says whether it was there.
func (g *ghost) take(h uint32) bool {
	if g.live == 0 {
		return false
	}
	h = named(h)
	for s := g.start(h); g.slots[s] != 0; s = g.next(s) {
		if (g.slots[s]^h<<g.bits)>>g.bits != 0 {
			continue
		}
		if at := g.slots[s]&(1<<g.bits-1) - 1; g.ring[at] == h {
			g.ring[at] = 0
			g.live--
			return true
		}
	}
	return false
}

// drop forgets the oldest. There is one.
func (g *ghost) drop() {
	for live := g.live; g.live == live; {
		if g.ring[g.first] != 0 {
			g.ring[g.first] = 0
			g.live--
		}
		g.first = g.index(1)
		g.span--
	}
}

// rebuild makes room in the ring, by growth unless a quarter is free, closes its
// holes, and leaves slots that lead nowhere out.
func (g *ghost) rebuild() {
	live := uint32(0)
	for k := range g.span {
		at := g.index(k)
		if h := g.ring[at]; h != 0 {
			g.ring[at] = 0
			g.ring[g.index(live)] = h
			live++
		}
	}
	g.span = live
	if g.odd == 0 {
		g.odd = rand.Uint64() | 1
	}
	if size := len(g.ring); uint64(live) >= uint64(size)*3/4 {
		size = max(size+size/4, firstGhosts)
		ring := make([]uint32, size)
		for k := range live {
			ring[k] = g.ring[g.index(k)]
		}
		g.ring, g.first = ring, 0
		g.slots, g.bits = make([]uint32, size+size/4), uint(bits.Len(uint(size)))
	} else {
		clear(g.slots)
	}
	g.used = 0
	for k := range live {
		at := g.index(k)
		g.enter(g.ring[at], at)
	}
}

// index returns where the k-th oldest is in the ring; k is at most its length.
func (g *ghost) index(k uint32) uint32 {
	at := uint64(g.first) + uint64(k)
	if n := uint64(len(g.ring)); at >= n {
		at -= n
	}
	return uint32(at)
}

func (g *ghost) start(h uint32) uint32 {
	return uint32(uint64(h) * g.odd >> 32 * uint64(len(g.slots)) >> 32)
}

func (g *ghost) next(s uint32) uint32 {
	if s++; int(s) < len(g.slots) {
		return s
	}
	return 0
}

func (g *ghost) enter(h, at uint32) {
	s := g.start(h)
	for g.slots[s] != 0 {
		s = g.next(s)
	}
	g.slots[s] = h<<g.bits | (at + 1)
	g.used++
}
