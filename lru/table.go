package lru

import (
	"math/bits"
	"math/rand/v2"
	"sync/atomic"

	"github.com/distkit/distkit/internal/hash64"
)

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
//
// Whoever sees hashes can choose keys whose searches all begin at one group. So a table
// that puts an entry far from there draws a secret by which places are mixed from then
// on, and hashes stay what they are. In a table that does not grow that never happens
// by chance, as no more than five eighths of its slots are full.
//
// In a shared table goroutines look up keys while another one changes it. Then the
// last slot of a group is none: it counts what left the group, or was given a new
// value, twice each time for a value, before and after. What is shared is written
// by atomic stores. Such a table is not rebuilt in place.
type table struct {
	groups []group
	used   int // slots that are not empty
	live   int // slots that are full
	shared bool

	secret uint64 // 0 until it is needed
	calm   uint64 // see resists
}

type group struct {
	control uint64
	nodes   [groupSize]uint32
}

const (
	groupSize = 8
	loadFull  = 5  // entries a group on average, at most
	loadUsed  = 7  // and deleted slots with them: more would slow look-ups
	farthest  = 64 // groups, all full, that an entry is put beyond

	ones  = 0x0101010101010101
	highs = 0x8080808080808080

	controlDeleted = 1

	versionSlot    = groupSize - 1
	controlVersion = controlDeleted << (8 * versionSlot) // neither full nor empty
)

// tag returns the control byte of place.
func tag(place uint32) uint64 { return 0x80 | uint64(place)&0x7f }

// match returns a high bit in every byte of the control word that is t, and
// rarely in one above such a byte that is t^1, a full slot too.
func (g *group) match(t uint64) uint64 { return matches(g.control, t) }

func matches(control, t uint64) uint64 {
	x := control ^ t*ones
	return (x - ones) &^ x & highs
}

// empties returns a high bit in every byte of an empty slot.
func (g *group) empties() uint64 { return empties(g.control) }

func empties(control uint64) uint64 { return ^(control | control<<7) & highs }

// vacant returns a high bit in every byte of a slot that is empty or deleted.
func (g *group) vacant() uint64 { return ^g.control & highs }

func slot(matches uint64) int { return bits.TrailingZeros64(matches) / 8 & (groupSize - 1) }

// spread returns the place that t uses for one.
func (t *table) spread(place uint32) uint32 { return spread(t.secret, place) }

func spread(secret uint64, place uint32) uint32 {
	if secret == 0 {
		return place
	}
	return uint32(hash64.Mix(uint64(place), secret))
}

// start returns the group where the search for what spread returned begins.
func (t *table) start(place uint32) int { return startOf(t.groups, place) }

func startOf(groups []group, place uint32) int {
	return int(uint64(place) * uint64(len(groups)) >> 32)
}

func (t *table) next(g int) int { return nextOf(t.groups, g) }

func nextOf(groups []group, g int) int {
	if g++; g < len(groups) {
		return g
	}
	return 0
}

// insert adds a node whose key is in no slot. There is an empty one: see fits. It
// says whether it had to go far.
func (t *table) insert(place, node uint32) (far bool) {
	place = t.spread(place)
	i, passed := t.start(place), 0
	for ; t.vacant(i) == 0; passed++ {
		i = t.next(i)
	}
	g := &t.groups[i]
	s := slot(t.vacant(i))
	if g.control>>(8*s)&0xff == 0 {
		t.used++
	}
	control := g.control&^(0xff<<(8*s)) | tag(place)<<(8*s)
	if t.shared {
		atomic.StoreUint32(&g.nodes[s], node)
		atomic.StoreUint64(&g.control, control)
	} else {
		g.control, g.nodes[s] = control, node
	}
	t.live++
	return passed > farthest
}

// resists draws a secret, after which the table is to be made anew, if there is none
// that is younger than half of the entries. So it costs little, whatever happens;
// inserts is how many entries there were ever.
func (t *table) resists(inserts uint64) bool {
	age := inserts + uint64(t.live) // which also grows where inserts are not counted
	if age < t.calm {
		return false
	}
	t.secret, t.calm = rand.Uint64()|1, age+uint64(t.live)/2
	return true
}

// vacant returns a high bit in every byte of a slot of group i for a node more.
func (t *table) vacant(i int) uint64 {
	if v := t.groups[i].vacant(); !t.shared {
		return v
	} else {
		return v & (1<<(8*versionSlot) - 1)
	}
}

// of returns the group and the slot of a node that is there.
func (t *table) of(place, node uint32) (g *group, s int) {
	place = t.spread(place)
	for i := t.start(place); ; i = t.next(i) {
		g = &t.groups[i]
		for m := g.match(tag(place)); m != 0; m &= m - 1 {
			if s = slot(m); g.nodes[s] == node {
				return g, s
			}
		}
	}
}

// remove takes the node out. Where its group has an empty slot, no search went
// through it, and the slot becomes empty; else it becomes deleted.
func (t *table) remove(place, node uint32) {
	g, s := t.of(place, node)
	t.live--
	control := g.control &^ (0xff << (8 * s))
	if g.empties() != 0 {
		t.used--
	} else {
		control |= controlDeleted << (8 * s)
	}
	if t.shared {
		atomic.StoreUint64(&g.control, control)
		atomic.AddUint32(&g.nodes[versionSlot], 2)
	} else {
		g.control = control
	}
}

// change says that the value of a node is about to change, and returns what is to be
// told when it has, nil where nobody looks on.
func (t *table) change(place, node uint32) *change {
	if !t.shared {
		return nil
	}
	g, _ := t.of(place, node)
	atomic.AddUint32(&g.nodes[versionSlot], 1)
	return (*change)(g)
}

// change is a group of which a value changes.
type change group

func (c *change) done() {
	if c != nil {
		atomic.AddUint32(&c.nodes[versionSlot], 1)
	}
}

// fits says whether one more entry leaves the searches short and an empty slot
// to end them.
func (t *table) fits() bool {
	if t.shared {
		return t.used < (loadUsed-1)*len(t.groups)
	}
	return t.used < loadUsed*len(t.groups)
}

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
	if t.shared {
		t.groups = make([]group, groups)
		for i := range t.groups {
			t.groups[i].control = controlVersion
		}
	} else if groups == len(t.groups) {
		clear(t.groups)
	} else {
		t.groups = make([]group, groups)
	}
	t.used, t.live = 0, 0
}
