package cms

import "github.com/distkit/distkit/internal/codec"

// Merge adds the counts of other, which must have the same k, number of counters
// and secret, else the error is ErrIncompatible and t is as it was. The bounds of
// every item and of MinCount hold for both streams together; MinCount is about
// the sum of both. The order of merges does not matter for two.
func (t *TopK) Merge(other *TopK) error {
	if t.k == 0 {
		panic("cms: Merge into a zero TopK, make one with NewTopK")
	}
	switch {
	case other == nil || other.k == 0:
		return codec.Incompatible("cms", "merge with a zero TopK")
	case t.k != other.k || t.tail.width != other.tail.width:
		return codec.Incompatible("cms", "merge of %d items over %d counters a row and of %d over %d", t.k, t.tail.width, other.k, other.tail.width)
	case !t.sameSecret(&other.keyed):
		return codec.Incompatible("cms", "merge of TopKs with different secrets")
	}
	union := make([]slot[uint64], 0, len(t.slots.slots)+len(other.slots.slots))
	for a, b := range both(&t.slots, &other.slots) {
		union = append(union, joined(t, other, a, b))
	}
	sortSlots(union)
	t.reset()
	t.tail.add(&other.tail)
	t.rest = plus(t.rest, other.rest)
	t.total = plus(t.total, other.total)
	for _, s := range union[:min(t.k, len(union))] {
		t.insert(s)
	}
	for _, s := range union[min(t.k, len(union)):] {
		x, g := spread(s.hash)
		t.decline(x, g, s.count)
	}
	return nil
}

// joined returns a slot for a key that has one in t, in other or in both: bounds
// add, and the side without a slot answers for itself.
func joined(t, other *TopK, a, b *slot[uint64]) slot[uint64] {
	switch {
	case b == nil:
		count := plus(a.count, other.CountHash(a.hash))
		return slot[uint64]{a.hash, a.key, count, count - (a.count - a.err)}
	case a == nil:
		return joined(other, t, b, nil)
	}
	count := plus(a.count, b.count)
	return slot[uint64]{a.hash, min(a.key, b.key), count, count - plus(a.count-a.err, b.count-b.err)}
}
