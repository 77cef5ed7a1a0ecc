package lru

import "math/rand/v2"

// ghost remembers keys that left, by 32 bits of their hash, in the order in which
// they left: a ring, and a table that finds a hash in it. What is taken out of the
// middle of the ring leaves a hole there. It grows with what it holds: 7 to 14
// bytes a key.
//
// Two keys of one hash are taken for one another, which among a million keys
// happens to one look-up in four thousand.
type ghost struct {
	ring  []uint32 // hashes
	first uint32   // index in ring of the oldest hash or hole
	span  uint32   // hashes and holes
	live  uint32   // hashes

	// slots has an index of the ring, plus 1, for each hash, 0 where a slot is
	// empty, by linear probing from where a hash begins.
	slots []uint32
	odd   uint64 // a secret, by which hashes are spread over them
}

const firstGhosts = 8

// add remembers h as the newest.
func (g *ghost) add(h uint32) {
	if int(g.span) == len(g.ring) {
		g.rebuild()
	}
	at := g.index(g.span)
	g.ring[at] = h
	g.span++
	g.live++
	g.enter(h, at)
}

// take forgets h and says whether it was there.
func (g *ghost) take(h uint32) bool {
	if g.live == 0 {
		return false
	}
	for s := g.start(h); g.slots[s] != 0; s = g.next(s) {
		if g.ring[g.slots[s]-1] == h {
			g.vacate(s)
			g.live--
			return true
		}
	}
	return false
}

// drop forgets the oldest and returns it. There is one.
func (g *ghost) drop() (h uint32) {
	for live := g.live; g.live == live; {
		h = g.ring[g.first]
		if s, ok := g.slotOf(g.first); ok {
			g.vacate(s)
			g.live--
		}
		g.first = g.index(1)
		g.span--
	}
	return h
}

// slotOf returns the slot of the hash at an index of the ring, which may be a hole.
func (g *ghost) slotOf(at uint32) (slot uint32, ok bool) {
	s := g.start(g.ring[at])
	for ; g.slots[s] != 0; s = g.next(s) {
		if g.slots[s] == at+1 {
			return s, true
		}
	}
	return s, false
}

// rebuild makes room in the ring: it grows where there are few holes, and closes
// them.
func (g *ghost) rebuild() {
	live := uint32(0)
	for k := range g.span {
		if at := g.index(k); g.holds(at) {
			g.ring[g.index(live)] = g.ring[at] // which is not after it
			live++
		}
	}
	g.span = live
	if g.odd == 0 {
		g.odd = rand.Uint64() | 1
	}
	if size := len(g.ring); uint64(live) > uint64(size)*2/3 || size == 0 {
		size = max(size+size/2, firstGhosts)
		ring := make([]uint32, size)
		for k := range live {
			ring[k] = g.ring[g.index(k)]
		}
		g.ring, g.first = ring, 0
		g.slots = make([]uint32, size+size/4)
	} else {
		clear(g.slots)
	}
	for k := range live {
		at := g.index(k)
		g.enter(g.ring[at], at)
	}
}

func (g *ghost) holds(at uint32) bool { _, ok := g.slotOf(at); return ok }

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
	g.slots[s] = at + 1
}

// vacate empties a slot, and moves those after it that began at or before it.
func (g *ghost) vacate(hole uint32) {
	for s := g.next(hole); g.slots[s] != 0; s = g.next(s) {
		begin := g.start(g.ring[g.slots[s]-1])
		if g.distance(begin, s) >= g.distance(hole, s) {
			g.slots[hole] = g.slots[s]
			hole = s
		}
	}
	g.slots[hole] = 0
}

// distance returns how many steps lead from one slot to another.
func (g *ghost) distance(from, to uint32) uint32 {
	if from <= to {
		return to - from
	}
	return to + uint32(len(g.slots)) - from
}
