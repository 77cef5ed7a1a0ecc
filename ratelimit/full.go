package ratelimit

// atCap answers q for a new key, for which a would be the answer, when there are
// as many keys as may be. It is to be repeated if it is not ok.
func (k *Keyed) atCap(t *table, h uint64, q request, a answer) (_ answer, ok bool) {
	if k.sweep(t, q.now) {
		return a, false
	}
	switch k.full {
	case AdmitNew:
		k.stats.admitted.Add(1)
		return a, true
	case EvictLeastDebt:
		k.evict(t, h, q.now)
		return a, false
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

// evict empties the slot with the least debt of the groups of h, or of the next
// group that has a key. A decision on it that is under way may be charged to who
// comes next.
func (k *Keyed) evict(t *table, h uint64, now int64) {
	defer k.lockAll()()
	if k.table.Load() != t || t.used.Load() < int64(k.cap) {
		return
	}
	first, second := t.groups(h)
	least, at := int64(never), -1
	consider := func(group uint64) {
		for i := range slotsPerGroup {
			slot := t.cell(group, i)
			if end := t.reset(slot, now); t.cells[slot].Load() != 0 && (at < 0 || end < least) {
				least, at = end, slot
			}
		}
	}
	consider(first)
	consider(second)
	for group := first; at < 0; group = (group + 1) & t.mask {
		consider(group)
	}
	t.cells[at+1].Store(frozen)
	t.cells[at].Store(0)
	t.used.Add(-1)
	k.stats.evicted.Add(1)
}
