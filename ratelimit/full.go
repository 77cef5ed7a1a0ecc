package ratelimit

// atCap answers q for a new key, for which a would be the answer and words would be
// written, when there are as many keys as may be. It is to be repeated if it is not ok.
func (k *Keyed) atCap(t *table, h uint64, words []int64, q request, a answer) (_ answer, ok bool) {
	if k.sweep(t, q.now) {
		return a, false
	}
	switch k.full {
	case AdmitNew:
		k.stats.admitted.Add(1)
		return a, true
	case EvictLeastDebt:
		return a, k.evict(t, h, words, q.now)
	}
	k.stats.refused.Add(1)
	r := &t.rules[0]
	pause := max(t.earliest.Load()-q.now, int64(r.limit.Period)/r.limit.Events, 1)
	return answer{full: true, Result: Result{Limit: r.most, RetryAfter: wait(pause, 0), ResetAfter: wait(pause, 0)}}, true
}

// sweep drops the keys without debt, if there are any, and reports whether there
// were. A large table is swept once in as many attempts as an eighth of its slots,
// so that a flood of new keys costs no more than a few slots each.
func (k *Keyed) sweep(t *table, now int64) bool {
	const small = 4096
	if now < t.earliest.Load() {
		return false
	}
	if t.slots() > small && t.attempts.Add(1) < int64(t.slots()/8) {
		return false
	}
	dropped, done := k.replace(t, nil, now, 0)
	return dropped > 0 || !done
}

// evict gives h the slot with the least debt of those where it may live or, if there
// is none, an empty one for that of a key in the next groups. It is to be repeated if
// it is not ok. A decision on the evicted key that is under way may be charged to h.
func (k *Keyed) evict(t *table, h uint64, words []int64, now int64) (ok bool) {
	defer k.lockAll()()
	if k.table.Load() != t || t.used.Load() < int64(k.cap) || t.find(h) >= 0 {
		return false
	}
	first, second := t.groups(h)
	at, taken := t.leastDebt(first, now)
	if taken >= comfortable {
		if other, _ := t.leastDebt(second, now); at < 0 || other >= 0 && t.reset(other, now) < t.reset(at, now) {
			at = other
		}
	}
	if at < 0 {
		if !t.vacate(first, now) {
			k.stats.evicted.Add(1)
			return false
		}
		at = t.cell(first, 0)
	}
	t.cells[at+1].Store(frozen)
	t.write(at, h, words)
	t.expect(at, now)
	k.stats.evicted.Add(1)
	k.stats.inserted.Add(1)
	return true
}

// leastDebt returns the slot with the least debt of a group, or -1, and how many are
// taken.
func (t *table) leastDebt(group uint64, now int64) (at, taken int) {
	at = -1
	for i := range slotsPerGroup {
		slot := t.cell(group, i)
		if t.cells[slot].Load() == 0 {
			continue
		}
		taken++
		if at < 0 || t.reset(slot, now) < t.reset(at, now) {
			at = slot
		}
	}
	return at, taken
}

// vacate empties the slot with the least debt of a group after this one. Not of one
// that is filled to the number at which keys look further, which would hide those: if
// there are only such, a key is forgiven, for the next sweep to drop, and vacate
// returns false.
func (t *table) vacate(group uint64, now int64) bool {
	last := -1
	for range t.mask {
		group = (group + 1) & t.mask
		at, taken := t.leastDebt(group, now)
		if at >= 0 && taken != comfortable {
			t.cells[at+1].Store(frozen)
			t.cells[at].Store(0)
			return true
		}
		last = max(last, at)
	}
	for i := range t.rules {
		t.cells[last+1+i].Store(fresh)
	}
	t.earliest.Store(0)
	t.attempts.Store(int64(t.slots()))
	return false
}
