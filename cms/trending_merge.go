package cms

import (
	"math"

	"github.com/distkit/distkit/internal/codec"
)

// Merge adds the additions of other, which must have the same k, half-life, number
// of counters and secret, else the error is ErrIncompatible and t is as it was.
// The bounds of every item and of MinScore hold for both streams together; MinScore
// is about the sum of both. The order of merges does not matter for two.
func (t *Trending) Merge(other *Trending) error {
	if t.k == 0 {
		panic("cms: Merge into a zero Trending, make one with NewTrending")
	}
	switch {
	case other == nil || other.k == 0:
		return codec.Incompatible("cms", "merge with a zero Trending")
	case t.halfLife != other.halfLife:
		return codec.Incompatible("cms", "merge of half-lives of %v and of %v", t.HalfLife(), other.HalfLife())
	case t.k != other.k || t.width != other.width:
		return codec.Incompatible("cms", "merge of %d items over %d counters a row and of %d over %d", t.k, t.width, other.k, other.width)
	case !t.sameSecret(&other.keyed):
		return codec.Incompatible("cms", "merge of Trendings with different secrets")
	case other.unit == 0:
		return nil
	case t.unit == 0:
		t.landmark = other.landmark
	}
	other = t.align(other)
	keys := union(&t.weightSlots, &other.weightSlots, t.weighs, other.weighs, heavier)
	t.reset()
	for i, c := range other.cells {
		t.cells[i] = math.Float64bits(heavier(math.Float64frombits(t.cells[i]), math.Float64frombits(c)))
	}
	t.rest, t.total = heavier(t.rest, other.rest), heavier(t.total, other.total)
	if t.unit == 0 || other.newest > t.newest {
		t.decay = other.decay // whose landmark is the same by now
	}
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

// align gives both the later landmark, other in a copy.
func (t *Trending) align(other *Trending) *Trending {
	switch {
	case t.landmark < other.landmark:
		t.move(other.landmark)
	case t.landmark > other.landmark:
		other = other.Clone()
		other.move(t.landmark)
	}
	return other
}
