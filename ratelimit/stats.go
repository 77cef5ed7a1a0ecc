package ratelimit

// Stats are figures of a [Keyed]'s table. Decisions are not counted, so that a
// refusal writes nothing: a caller that wants their number counts them.
type Stats struct {
	Keys  int // in the table, those included whose debt is gone since
	Slots int // of the table

	Inserted  uint64 // keys that came in
	Reclaimed uint64 // slots that were taken over, from keys without debt
	Evicted   uint64 // debts that were forgiven, by EvictLeastDebt
	Resized   uint64 // tables that were replaced

	FullRefused  uint64 // new keys that were refused at WithMaxKeys
	FullAdmitted uint64 // new keys that passed there, not remembered
}

// Stats returns the figures of the table. Those of a zero Keyed are zero.
func (k *Keyed) Stats() Stats {
	t := k.table.Load()
	if t == nil {
		return Stats{}
	}
	return Stats{
		Keys: int(t.used.Load()), Slots: t.slots(),
		Inserted: k.stats.inserted.Load(), Reclaimed: k.stats.reclaimed.Load(),
		Evicted: k.stats.evicted.Load(), Resized: k.stats.resized.Load(),
		FullRefused: k.stats.refused.Load(), FullAdmitted: k.stats.admitted.Load(),
	}
}

// Len returns the number of keys in the table: those in debt, and those whose place
// has not been taken over since their debt is gone.
func (k *Keyed) Len() int { return k.Stats().Keys }

// Compact drops the keys that have no debt any more, makes the table as small as
// the others allow, and returns how many were dropped. There is no need to call
// it; it takes time in proportion to the table, and decisions wait meanwhile.
func (k *Keyed) Compact() int {
	if k.table.Load() == nil {
		return 0
	}
	for {
		if dropped, done := k.replace(k.load(), nil, k.clock.now(), 0); done {
			return dropped
		}
	}
}
