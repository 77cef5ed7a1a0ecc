package lru

import "math/bits"

// table is an open-addressing index from keys to nodes, in groups of eight slots
// that are tested at once in one word. It holds no pointers and no keys.
//
//	group:  control word            eight node numbers
//	        [c7 c6 c5 c4 c3 c2 c1 c0] [n0 n1 n2 n3 n4 n5 n6 n7]
//
// A control byte is 0 for an empty slot, 1 for a deleted one, and 0x80 with seven
// bits of the hash for a full one. A look-up goes from the group of its hash to
// the next until it finds its key or a group with an empty slot.
//
// The number of groups is no power of two: it is chosen by multiplication, so a
// cache takes what its capacity needs, 8 bytes an entry.
type table struct {
	groups []group
	used   int // slots that are not empty
	live   int // slots that are full
}

type group struct {
	control uint64
	nodes   [groupSize]uint32
}

const (
	groupSize = 8
	loadFull  = 5 // entries a group on average, at most
	loadUsed  = 7 // and deleted slots with them: more would slow look-ups

	ones  = 0x0101010101010101
	highs = 0x8080808080808080

	controlDeleted = 1
)

// tag returns the control byte of place.
func tag(place uint32) uint64 { return 0x80 | uint64(place)&0x7f }

// match returns a high bit in every byte of the control word that is t, and
// rarely in one above such a byte that is t^1, a full slot too.
func (g *group) match(t uint64) uint64 {
	x := g.control ^ t*ones
	return (x - ones) &^ x & highs
}

// empties returns a high bit in every byte of an empty slot.
func (g *group) empties() uint64 { return ^(g.control | g.control<<7) & highs }

// vacant returns a high bit in every byte of a slot that is empty or deleted.
func (g *group) vacant() uint64 { return ^g.control & highs }

func slot(matches uint64) int { return bits.TrailingZeros64(matches) / 8 & (groupSize - 1) }

// start returns the group where the search for place begins.
func (t *table) start(place uint32) int {
	return int(uint64(place) * uint64(len(t.groups)) >> 32)
}

func (t *table) next(g int) int {
	if g++; g < len(t.groups) {
		return g
	}
	return 0
}

// insert adds a node whose key is in no slot. There is an empty one: see fits.
func (t *table) insert(place, node uint32) {
	i := t.start(place)
	for t.groups[i].vacant() == 0 {
		i = t.next(i)
	}
	g := &t.groups[i]
	s := slot(g.vacant())
	if g.control>>(8*s)&0xff == 0 {
		t.used++
	}
	g.control = g.control&^(0xff<<(8*s)) | tag(place)<<(8*s)
	g.nodes[s] = node
	t.live++
}

// remove takes the node out. Where its group has an empty slot, no search went
// through it, and the slot becomes empty; else it becomes deleted.
func (t *table) remove(place, node uint32) {
	for i := t.start(place); ; i = t.next(i) {
		g := &t.groups[i]
		for m := g.match(tag(place)); m != 0; m &= m - 1 {
			s := slot(m)
			if g.nodes[s] != node {
				continue
			}
			t.live--
			if g.empties() != 0 {
				g.control &^= 0xff << (8 * s)
				t.used--
			} else {
				g.control = g.control&^(0xff<<(8*s)) | controlDeleted<<(8*s)
			}
			return
		}
	}
}

// fits says whether one more entry leaves the searches short and an empty slot
// to end them.
func (t *table) fits() bool { return t.used < loadUsed*len(t.groups) }

// groupsFor returns how many groups the table needs to grow to, or to be cleaned
// of deleted slots in, for one more entry when there will be at most limit ones.
func (t *table) groupsFor(limit uint64) int {
	n := uint64(len(t.groups))
	if uint64(t.live)+1 > n*loadFull {
		n = max(2*n, 1)
	}
	return int(min(n, (limit+loadFull-1)/loadFull))
}

// reset makes t an empty table of that many groups.
func (t *table) reset(groups int) {
	if groups == len(t.groups) {
		clear(t.groups)
	} else {
		t.groups = make([]group, groups)
	}
	t.used, t.live = 0, 0
}
