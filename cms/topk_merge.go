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
	keys := union(&t.countSlots, &other.countSlots, t.CountHash, other.CountHash, plus[uint64])
	t.reset()
	t.tail.add(&other.tail)
	t.rest = plus(t.rest, other.rest)
	t.total = plus(t.total, other.total)
	led := min(t.k, len(keys))
	for _, s := range keys[:led] {
		t.insert(s)
	}
	for _, s := range keys[led:] {
		x, g := spread(s.hash)
		t.decline(x, g, s.count)
	}
	return nil
}
