package ratelimit

import (
	"math/bits"
	"sync/atomic"
)

// table holds the keys of a [Keyed]: groups of eight slots, each a key's hash and
// a word for every rule. It has no pointers, so the garbage collector never looks
// into it, and with one rule a group is two cache lines that are fetched together.
//
// A key lives in one of two groups that its hash names: in the first, unless that
// is filled to six, and then in the emptier. Both are of one stripe, the groups that
// share a lock. A key is looked up without one. Since a slot that is taken stays so,
// a first group with three empty slots tells that the key is not in the second
// either: most new keys look at one group.
//
// What makes it small is that a word below its rule's floor says no more than no
// word at all. So the slot of a key whose debt is gone is free for another key,
// and nothing is ever forgiven. No goroutine and no clock hand looks for such
// slots: whoever needs one finds it in the two groups where it must be.
//
// What makes it right without locks on the way of decisions:
//
//   - A slot changes its key only while its word is frozen, under the lock of its
//     stripe. A decision that has read the old word fails to swap it, since no later
//     word of the slot can equal it: a slot is taken over only at an instant whose
//     floor is above all words that it has had, and words of the new key lie above
//     that floor. Cancel and Reset, which lower words, record in refunded what was
//     there, for the takeover to wait for.
//   - A new key whose instant is older than debts that are gone from its groups
//     starts at the largest of those, since it may be one that left: late instants
//     mint nothing.
//   - To replace a table, all of its words are frozen under all locks. Whoever meets
//     a frozen word takes the locks and looks for the new table.
type table struct {
	rules  []rule
	cells  []atomic.Int64
	mask   uint64 // number of groups - 1
	shared uint64 // number of stripes - 1: the bits of a group that name its stripe
	stride int    // cells of a slot: the hash and the words
	used   atomic.Int64

	earliest atomic.Int64 // instant before which no key loses its debt, by its charges so far
	attempts atomic.Int64 // to sweep, since the table was made

	// By part, the groups that are equal modulo stripes, under the lock of its stripe.
	lapsed   [stripes][]int64 // the largest word, by rule, that left
	refunded [stripes]int64   // the largest first word that was lowered
}

const (
	slotsPerGroup = 8
	comfortable   = 6 // slots of its first group are taken before a key looks further
	stripes       = 64
	// A stripe has at least so many groups, for a second choice to be one.
	groupsPerStripe = 8
	maxLimits       = 16 // of one key
)

func newTable(rules []rule, slots int) *table {
	t := &table{rules: rules, stride: 1 + len(rules)}
	groups := max(1, slots/slotsPerGroup)
	t.mask = uint64(groups) - 1
	t.shared = min(stripes-1, t.mask/groupsPerStripe)
	t.cells = make([]atomic.Int64, groups*slotsPerGroup*t.stride)
	t.earliest.Store(never)
	lapsed := make([]int64, stripes*len(rules))
	for i := range lapsed {
		lapsed[i] = fresh
	}
	for i := range t.lapsed {
		t.lapsed[i] = lapsed[i*len(rules):][:len(rules)]
		t.refunded[i] = fresh
	}
	return t
}

// slotsFor returns how many slots that many keys want: a quarter to half are taken.
func slotsFor(keys int) int { return max(slotsPerGroup, 1<<bits.Len(uint(2*keys-1))) }

func (t *table) slots() int { return slotsPerGroup * int(t.mask+1) }

// groups returns the two groups of a hash, of one stripe. In the smallest table they
// are one.
func (t *table) groups(h uint64) (first, second uint64) {
	first = h & t.mask
	second = (h>>32&^t.shared | h&t.shared) & t.mask
	if first == second {
		second ^= (t.shared + 1) & t.mask
	}
	return first, second
}

// cell returns where slot i of a group begins.
func (t *table) cell(group uint64, i int) int {
	return (int(group)*slotsPerGroup + i) * t.stride
}

// find returns where the slot of h begins, or -1.
func (t *table) find(h uint64) int {
	first, second := t.groups(h)
	at, empty := t.findIn(first, h)
	if at < 0 && slotsPerGroup-empty >= comfortable {
		at, _ = t.findIn(second, h)
	}
	return at
}

// findIn looks from a slot on that the hash names, first in its cache line. It
// returns -1 and the number of empty slots if the key is not there.
func (t *table) findIn(group uint64, h uint64) (at, empty int) {
	base, start := int(group)*slotsPerGroup, int(h>>61)
	for i := range slotsPerGroup {
		at := (base + i ^ start) * t.stride
		switch uint64(t.cells[at].Load()) {
		case h:
			return at, 0
		case 0:
			empty++
		}
	}
	return -1, empty
}

// read copies the words of the slot at, and reports whether they are those of h.
func (t *table) read(at int, h uint64, words []int64) bool {
	for i := range words {
		words[i] = t.cells[at+1+i].Load()
	}
	return words[0] != frozen && uint64(t.cells[at].Load()) == h
}

// debtor reports whether the words of the slot at still say something.
func (t *table) debtor(at int, now int64) bool {
	for i := range t.rules {
		if t.cells[at+1+i].Load() >= t.rules[i].floor(now) {
			return true
		}
	}
	return false
}

// reset returns when the debt of the slot at will be gone.
func (t *table) reset(at int, now int64) int64 {
	end := now
	for i := range t.rules {
		end = max(end, t.rules[i].reset(t.cells[at+1+i].Load(), now))
	}
	return end
}

// survey is what a look at a group finds.
type survey struct {
	taken         int
	empty, lapsed int // a slot, or -1
}

// look surveys a group, under its lock. A slot that may still be in some late
// decision's mind is not lapsed.
func (t *table) look(group uint64, now int64) survey {
	s := survey{empty: -1, lapsed: -1}
	floor := t.rules[0].floor(now)
	reusable := t.refunded[group%stripes] < floor
	for at := t.cell(group, 0); at < t.cell(group+1, 0); at += t.stride {
		switch {
		case t.cells[at].Load() == 0:
			if s.empty < 0 {
				s.empty = at
			}
			continue
		case s.lapsed < 0 && reusable && t.cells[at+1].Load() < floor && (len(t.rules) == 1 || !t.debtor(at, now)):
			s.lapsed = at
		}
		s.taken++
	}
	return s
}

// choose returns a slot for h, under the lock of its stripe: one whose debt is
// gone, or an empty one, or -1.
func (t *table) choose(h uint64, now int64) (lapsed, empty int) {
	first, second := t.groups(h)
	a := t.look(first, now)
	if a.lapsed >= 0 || a.taken < comfortable {
		return a.lapsed, a.empty
	}
	b := t.look(second, now)
	if b.empty < 0 || a.empty >= 0 && a.taken <= b.taken {
		return b.lapsed, a.empty
	}
	return b.lapsed, b.empty
}

// start sets words to those that a key starts with which is not in the table,
// under the lock of its stripe.
func (t *table) start(h uint64, words []int64) {
	first, second := t.groups(h)
	for i := range words {
		words[i] = max(t.lapsed[first%stripes][i], t.lapsed[second%stripes][i])
	}
}

// leave takes note of what is in a slot that another key is to take, under the
// lock of its stripe and with its first word, v, frozen.
func (t *table) leave(at int, v int64) {
	lapsed := t.lapsed[t.part(at)]
	lapsed[0] = max(lapsed[0], v)
	for i := 1; i < len(t.rules); i++ {
		lapsed[i] = max(lapsed[i], t.cells[at+1+i].Load())
	}
}

// part returns which of the parts that lapsed and refunded have a slot belongs to. A
// part is of one stripe.
func (t *table) part(at int) int { return at / (slotsPerGroup * t.stride) % stripes }

// write puts a key into a slot that is empty, or whose first word is frozen.
func (t *table) write(at int, h uint64, words []int64) {
	for i := len(words) - 1; i > 0; i-- {
		t.cells[at+1+i].Store(words[i])
	}
	if t.cells[at].Load() == 0 {
		t.cells[at+1].Store(words[0])
		t.cells[at].Store(int64(h))
		return
	}
	t.cells[at].Store(int64(h))
	t.cells[at+1].Store(words[0])
}

// expect lowers earliest to when the debt of the slot at will be gone.
func (t *table) expect(at int, now int64) {
	end := t.reset(at, now)
	for e := t.earliest.Load(); end < e && !t.earliest.CompareAndSwap(e, end); e = t.earliest.Load() {
	}
}
