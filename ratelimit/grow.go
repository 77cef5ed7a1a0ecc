package ratelimit

import "sync/atomic"

// counters are what Stats reports, all off the way of decisions on known keys.
type counters struct {
	inserted, reclaimed, evicted, resized atomic.Uint64
	refused, admitted                     atomic.Uint64
}

// placement is how the search for a slot ended.
type placement uint8

const (
	held placement = iota // there was nothing to search for
	placed
	due     // placed, and it is time for tend
	crowded // both groups are full of debtors
	capped  // there are as many keys as may be
)

// insert puts h into t, under the lock of its groups.
func (k *Keyed) insert(t *table, h uint64, words []int64, now int64) placement {
	for {
		full := k.cap > 0 && t.used.Load() >= int64(k.cap)
		lapsed, empty := t.choose(h, now)
		at := max(lapsed, empty)
		switch {
		case lapsed >= 0:
			v := t.cells[lapsed+1].Load()
			if v >= t.rules[0].floor(now) || !t.cells[lapsed+1].CompareAndSwap(v, frozen) {
				continue // its key has come back
			}
			at = lapsed
			t.leave(at, v)
			k.stats.reclaimed.Add(1)
		case full:
			return capped
		case empty < 0:
			return crowded
		case t.used.Add(1) > int64(k.cap) && k.cap > 0:
			t.used.Add(-1)
			return capped
		}
		t.write(at, h, words)
		if k.cap > 0 {
			t.expect(at, now)
		}
		if half := uint64(t.slots() / 2); k.stats.inserted.Add(1)&(half-1) == 0 && t.mask > 0 { // a power of two
			return due
		}
		return placed
	}
}

// lockAll takes all locks, of which the last is of the right to replace the table.
func (k *Keyed) lockAll() (unlock func()) {
	k.resize.Lock()
	for i := range k.stripe {
		k.stripe[i].Lock()
	}
	return func() {
		for i := range k.stripe {
			k.stripe[i].Unlock()
		}
		k.resize.Unlock()
	}
}

// replace puts a table of debtors only in the place of t, of at least so many
// slots, and with other rules unless those are nil. It returns how many keys were
// dropped; done is false if t had been replaced before.
func (k *Keyed) replace(t *table, rules []rule, now int64, least int) (dropped int, done bool) {
	defer k.lockAll()()
	if k.table.Load() != t {
		return 0, false
	}
	same := rules == nil
	if same {
		rules = t.rules
	}
	next := newTable(rules, max(least, slotsFor(t.debtors(now)+1)))
	left := t.mostLapsed()
	if !same {
		for i := range left {
			left[i] = rules[i].convertLapsed(&t.rules[i], left[i], now)
		}
	}
	next, dropped = t.moveDebtors(next, left, now, same)
	for i := range next.lapsed {
		copy(next.lapsed[i], left)
	}
	if k.cap > 0 {
		next.earliest.Store(next.firstReset(now))
	}
	k.table.Store(next)
	k.stats.resized.Add(1)
	return dropped, true
}

// debtors counts the keys in debt.
func (t *table) debtors(now int64) (n int) {
	for at := 0; at < len(t.cells); at += t.stride {
		if t.cells[at].Load() != 0 && t.debtor(at, now) {
			n++
		}
	}
	return n
}

// moveDebtors freezes all slots and adds those in debt to next, or to a larger table,
// which it returns with the number of the others. It raises left to what they leave.
func (t *table) moveDebtors(next *table, left []int64, now int64, same bool) (_ *table, dropped int) {
	words, gone := make([]int64, len(left)), make([]int64, len(left))
	for at := 0; at < len(t.cells); at += t.stride {
		h := uint64(t.cells[at].Load())
		if h == 0 {
			continue
		}
		t.takeOut(at, words)
		copy(gone, words)
		if !same {
			for i, v := range words {
				words[i] = next.rules[i].convertDebt(&t.rules[i], v, now)
				gone[i] = next.rules[i].convertLapsed(&t.rules[i], v, now)
			}
		}
		if next.says(words, now) {
			next = next.with(h, words)
			continue
		}
		dropped++
		for i := range left {
			left[i] = max(left[i], gone[i])
		}
	}
	return next, dropped
}

// takeOut freezes the slot at and copies its words.
func (t *table) takeOut(at int, words []int64) {
	words[0] = t.cells[at+1].Swap(frozen)
	for i := 1; i < len(words); i++ {
		words[i] = t.cells[at+1+i].Load()
	}
}

// mostLapsed returns the largest words that left any stripe.
func (t *table) mostLapsed() []int64 {
	most := make([]int64, len(t.rules))
	for i := range most {
		most[i] = fresh
		for _, lapsed := range t.lapsed {
			most[i] = max(most[i], lapsed[i])
		}
	}
	return most
}

// says reports whether words still say something.
func (t *table) says(words []int64, now int64) bool {
	for i := range t.rules {
		if words[i] >= t.rules[i].floor(now) {
			return true
		}
	}
	return false
}

// with adds a key to a table that nobody else sees yet, and returns the table, or
// a larger one if both groups are full.
func (t *table) with(h uint64, words []int64) *table {
	if at := t.vacancy(h); at >= 0 {
		t.write(at, h, words)
		t.used.Add(1)
		return t
	}
	larger := newTable(t.rules, 2*t.slots())
	moved := make([]int64, len(words))
	for at := 0; at < len(t.cells); at += t.stride {
		if h := uint64(t.cells[at].Load()); h != 0 {
			t.read(at, h, moved)
			larger = larger.with(h, moved)
		}
	}
	return larger.with(h, words)
}

// vacancy returns the slot that choose would in a table without lapsed debts.
func (t *table) vacancy(h uint64) int {
	first, second := t.groups(h)
	a, inFirst := t.count(first)
	if inFirst < comfortable {
		return a
	}
	if b, inSecond := t.count(second); b >= 0 && (a < 0 || inSecond < inFirst) {
		return b
	}
	return a
}

// count returns an empty slot of a group, or -1, and how many are taken.
func (t *table) count(group uint64) (empty, taken int) {
	empty = -1
	for i := range slotsPerGroup {
		if at := t.cell(group, i); t.cells[at].Load() != 0 {
			taken++
		} else if empty < 0 {
			empty = at
		}
	}
	return empty, taken
}

// firstReset returns the first instant at which a key has no debt any more.
func (t *table) firstReset(now int64) int64 {
	end := int64(never)
	for at := 0; at < len(t.cells); at += t.stride {
		if t.cells[at].Load() != 0 {
			end = min(end, t.reset(at, now))
		}
	}
	return end
}

// tend looks, once in as many new keys as half of the slots, whether a smaller
// table would do: whether less than an eighth of the slots hold debts, as far as
// 64 groups tell.
func (k *Keyed) tend(t *table, now int64) {
	groups := t.slots() / slotsPerGroup
	step := max(1, groups/64)
	debtors, seen := 0, 0
	for group := 0; group < groups; group += step {
		for i := range slotsPerGroup {
			seen++
			if at := t.cell(uint64(group), i); t.cells[at].Load() != 0 && t.debtor(at, now) {
				debtors++
			}
		}
	}
	if debtors < seen/8 {
		k.replace(t, nil, now, 0)
	}
}
