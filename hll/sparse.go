package hll

import (
	"math/bits"
	"slices"
)

// A token is what a sparse sketch keeps of a key: 26 bits of its remixed hash and
// the number of zeros that follow, 0 to 38. A register of any precision up to 26
// can be told from it, so small sets are counted at 2^26 registers' precision.
// (Ertl 2024, ExaLogLog, section 4.3.)
const (
	tokenIndexBits = 26
	tokenRestBits  = 64 - tokenIndexBits
	maxTokenZeros  = tokenRestBits
	// tokenError is the relative standard error of a count of tokens: of n keys,
	// n^2/(6*2^26) share their token with another one.
	tokenError = 4.9835e-5
)

func tokenOf(x uint64) uint32 {
	zeros := bits.LeadingZeros64(^(^x << tokenIndexBits))
	return uint32(x>>tokenRestBits)<<6 | uint32(zeros)
}

// tokenHash returns a hash with that token.
func tokenHash(token uint32) uint64 {
	return uint64(token&^63)<<32 | uint64(1<<tokenRestBits-1)>>(token&63)
}

// tokens is a set of tokens: a table with open addressing whose home slots follow
// the order of tokens, so that it lies nearly sorted. A slot holds the complement
// of its token; 0 is free, as no token has 63 zeros.
type tokens struct {
	slots  []uint32 // a power of two, or none
	shift  uint8    // of a token to its home slot
	n      int
	room   int                   // tokens at which the next one needs a look
	counts [maxTokenZeros]uint32 // tokens by min(zeros, 37): all that the estimate depends on
}

// Tables begin with minSlots, all but a quarter of which are used, as small sets are
// many; then they have four times as many, then twice.
const minSlots = 16

// roomFor returns how many slots n tokens need, n >= 1: at most 3 of 4 are taken.
func roomFor(n int) int { return 1 << bits.Len(uint((n*4+2)/3-1)) }

// has reports whether token is in the set, which has slots, and if not, the slot to
// put it in.
func (t *tokens) has(token uint32) (slot int, ok bool) {
	slots := t.slots
	mask := len(slots) - 1
	slot = t.home(token) & mask
	for {
		switch slots[slot] {
		case ^token:
			return slot, true
		case 0:
			return slot, false
		}
		slot = (slot + 1) & mask
	}
}

func (t *tokens) home(token uint32) int { return int(token >> (t.shift & 31)) }

// put adds a token that has found its free slot.
func (t *tokens) put(slot int, token uint32) {
	t.slots[slot] = ^token
	t.n++
	t.counts[min(token&63, maxTokenZeros-1)]++
}

// add adds a token while there is room, and else does nothing: then see addSlowly.
func (t *tokens) add(token uint32) (known, ok bool) {
	if t.n >= t.room {
		return false, false
	}
	slot, known := t.has(token)
	if !known {
		t.put(slot, token)
	}
	return known, true
}

// addSlowly adds token unless it is there or there are limit tokens already. It
// reports whether it was there, and whether there was no place.
func (t *tokens) addSlowly(token uint32, limit int) (known, full bool) {
	if len(t.slots) > 0 {
		if _, known := t.has(token); known {
			return true, false
		}
		if t.n >= limit {
			return false, true
		}
	}
	if t.n >= t.room {
		t.grow(limit)
	}
	slot, _ := t.has(token)
	t.put(slot, token)
	return false, false
}

// grow makes a larger table, or the first. It is half full when the next one is
// due, for the sake of short searches, but the first and the largest take all that
// they can.
func (t *tokens) grow(limit int) {
	slots, largest := 2*len(t.slots), roomFor(limit)
	switch len(t.slots) {
	case 0:
		slots = minSlots
	case minSlots:
		slots = 4 * minSlots
	}
	switch {
	case slots >= largest:
		slots, t.room = largest, limit
	case slots == minSlots:
		t.room = slots * 3 / 4
	default:
		t.room = slots / 2
	}
	t.resize(slots)
}

// resize makes a table of so many slots, which are enough for the tokens. First it
// moves these together, without a branch: whether a slot is free is a coin toss.
func (t *tokens) resize(slots int) {
	if slots == len(t.slots) {
		return
	}
	old, taken := t.slots, 0
	for _, c := range old {
		old[taken] = c
		if c != 0 {
			taken++
		}
	}
	t.slots = make([]uint32, slots)
	t.shift = uint8(32 - bits.TrailingZeros(uint(slots)))
	for _, c := range old[:taken] {
		slot, _ := t.has(^c)
		t.slots[slot] = c
	}
}

// reserve makes room for n tokens. Whoever adds the tokens of another set must
// reserve for all of them first: they come in the order of their slots, and a
// small table would have them all in one place.
func (t *tokens) reserve(n int) {
	if n > 0 && roomFor(n) > len(t.slots) {
		t.resize(roomFor(n))
	}
	t.room = max(t.room, n)
}

// lower makes the table no larger than a smaller limit needs.
func (t *tokens) lower(limit int) {
	if len(t.slots) > roomFor(limit) {
		t.resize(roomFor(limit))
	}
	t.room = t.n
}

// all calls yield with every token, in the order of slots.
func (t *tokens) all(yield func(token uint32) bool) {
	for _, c := range t.slots {
		if c != 0 && !yield(^c) {
			return
		}
	}
}

// sorted returns the tokens in increasing order.
func (t *tokens) sorted() []uint32 {
	list := make([]uint32, 0, t.n)
	moves := 0
	for token := range t.all {
		i := len(list)
		list = append(list, token)
		// Tokens are out of order only within a run of full slots.
		for ; i > 0 && list[i-1] > token && moves <= 16*t.n; i-- {
			list[i] = list[i-1]
			moves++
		}
		list[i] = token
	}
	if moves > 16*t.n { // runs made on purpose
		slices.Sort(list)
	}
	return list
}

// estimate returns the most likely number of keys: near the number of tokens, and
// more by those whose token another key had.
func (t *tokens) estimate() float64 { return tokenEstimate(t.n, &t.counts) }

func tokenEstimate(n int, counts *[maxTokenZeros]uint32) float64 {
	absent, unit := float64(1<<(tokenIndexBits+1)), 1.0
	for _, c := range counts {
		absent -= float64(c) * unit
		unit /= 2
	}
	return max(float64(n), solve(absent, counts[:], 1e-9)*(1<<(tokenIndexBits+1)))
}

func (t *tokens) clone() tokens {
	c := *t
	c.slots = slices.Clone(t.slots)
	return c
}

// equal reports whether both hold the same tokens.
func (t *tokens) equal(other *tokens) bool {
	if t.n != other.n || t.counts != other.counts {
		return false
	}
	for token := range t.all {
		if _, ok := other.has(token); !ok {
			return false
		}
	}
	return true
}

func (t *tokens) sizeBytes() int { return 4 * cap(t.slots) }
