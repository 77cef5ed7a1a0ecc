package ratelimit

import (
	"iter"
	"slices"
)

// Debtors iterates over the keys in debt, by what they are hashed to, with their
// state: of the instant at which the iteration begins, in ascending order of the
// hashes. It takes memory for all of them, 8 bytes and 8 a limit each; decisions
// go on meanwhile.
func (k *Keyed) Debtors() iter.Seq2[uint64, Result] {
	return func(yield func(uint64, Result) bool) {
		if k.table.Load() == nil {
			return
		}
		now := k.clock.now()
		rules, debts := k.debts(now)
		for d := range slices.Chunk(debts, 1+len(rules)) {
			if !yield(uint64(d[0]), serveAll(rules, d[1:], request{want: wantNothing, now: now}).Result) {
				return
			}
		}
	}
}

// debts copies the keys in debt at instant now: hash and words of each, ascending by
// hash. It takes the locks of a group at a time, at which its words are not frozen.
func (k *Keyed) debts(now int64) (rules []rule, debts []int64) {
	k.resize.Lock()
	t := k.load()
	groups := t.slots() / slotsPerGroup
	for group := range uint64(groups) {
		k.stripe[group&t.shared].Lock()
		for i := range slotsPerGroup {
			if at := t.cell(group, i); t.cells[at].Load() != 0 && t.reset(at, now) > now {
				for j := range t.stride {
					debts = append(debts, t.cells[at+j].Load())
				}
			}
		}
		k.stripe[group&t.shared].Unlock()
	}
	k.resize.Unlock()
	return t.rules, sortRecords(debts, t.stride)
}

// sortRecords sorts records of so many words by the first, unsigned.
func sortRecords(words []int64, size int) []int64 {
	records := slices.Collect(slices.Chunk(words, size))
	slices.SortFunc(records, func(a, b []int64) int {
		if uint64(a[0]) < uint64(b[0]) {
			return -1
		}
		return 1
	})
	return slices.Concat(records...)
}
