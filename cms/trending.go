package cms

import (
	"cmp"
	"fmt"
	"iter"
	"math"
	"slices"
	"time"
)

// Trending finds the k keys that are added most often now: a [TopK] that forgets.
// An addition counts 1 when it is made, 1/2 a half-life later, 1/4 after two. The
// score of a key is the sum of that.
//
// It decays forward (Cormode, Shkapenyuk, Srivastava and Xu, ICDE 2009): what is
// added later weighs more, and only a query divides by the weight of that moment.
// So the order of keys does not change while time passes, adding costs little more
// than in a TopK and reading at any later time needs no pass over the counters.
// Once in 500 half-lives all counters are scaled.
//
// The truth of each item lies in [Score-Error, Score], and every key whose score
// is more than [Trending.MinScore] is among the items; but for rounding, a share
// of 1e-10 with a million additions of one key in a half-life.
//
// Additions may come late and in any order: each has the weight of its time.
// Scores are those of the time that is given or of the newest addition, whichever
// is later. A clock that is set back repairs itself; one that was far ahead makes
// what comes then count for little, until Reset. Times before 1823 and after 2262 are
// taken for the nearest of those between.
//
// Any number of goroutines may query a Trending; changes need exclusion. The zero
// Trending counts nothing and is there to be decoded into; adding to it panics.
type Trending struct {
	weightSlots
	// Cells, rest, total and the slots hold sums of the weights of [decay]. Cells
	// are kept as math.Float64bits, which order numbers from 0 on as they are.
	cells []uint64
	width uint64
	rest  float64 // no key without a slot weighs more
	total float64
	decay
	keyed
}

// Trend is a key with its score: the truth lies in [Score-Error, Score].
type Trend struct {
	Key          string
	Score, Error float64
}

// NewTrending returns an empty Trending of k items, 1 to 2^24, whose additions
// count half after each halfLife, which must be more than 0. Options:
// WithCounters, WithSecret. NewTrending(100, time.Hour) takes 39 KiB and the keys.
func NewTrending(k int, halfLife time.Duration, opts ...Option) (*Trending, error) {
	c, err := newConfig("NewTrending", optCounters|optSecret, opts)
	if err != nil {
		return nil, err
	}
	if halfLife <= 0 {
		return nil, fmt.Errorf("cms: half-life is %v, want more than 0", halfLife)
	}
	width, err := tailWidth(k, c, 8)
	if err != nil {
		return nil, err
	}
	return &Trending{
		weightSlots: newSlots[float64](k), cells: make([]uint64, tailDepth*width), width: width,
		decay: newDecay(int64(halfLife)), keyed: c.keyed,
	}, nil
}

// Add counts key once and returns its new score, an upper bound.
func (t *Trending) Add(key []byte) float64 { return addTrend(t, time.Now(), t.Hash(key), key) }

// AddString is Add for a string.
func (t *Trending) AddString(key string) float64 {
	return addTrend(t, time.Now(), t.HashString(key), key)
}

// AddHash counts the key that h identifies; see TopK.AddHash.
func (t *Trending) AddHash(h uint64, key []byte) float64 { return addTrend(t, time.Now(), h, key) }

// AddAt is Add at a given time.
func (t *Trending) AddAt(now time.Time, key []byte) float64 {
	return addTrend(t, now, t.Hash(key), key)
}

// AddStringAt is AddString at a given time.
func (t *Trending) AddStringAt(now time.Time, key string) float64 {
	return addTrend(t, now, t.HashString(key), key)
}

// AddHashAt is AddHash at a given time.
func (t *Trending) AddHashAt(now time.Time, h uint64, key []byte) float64 {
	return addTrend(t, now, h, key)
}

func addTrend[K string | []byte](t *Trending, now time.Time, h uint64, key K) float64 {
	if t.k == 0 {
		panic("cms: Add to a zero Trending, make one with NewTrending")
	}
	weight := t.arrive(unixNano(now))
	t.total = heavier(t.total, weight)
	return t.scoreAt(t.newest, count(t, h, key, weight))
}

// count adds weight to a key and returns what it weighs then.
func count[K string | []byte](t *Trending, h uint64, key K, weight float64) float64 {
	if s := t.find(h); s != nil {
		s.count = heavier(s.count, weight)
		return s.count
	}
	if !t.full() {
		t.insert(slot[float64]{h, string(key), weight, 0})
		return weight
	}
	x, g := spread(h)
	before := t.bound(x, g)
	sum := heavier(before, weight)
	if sum <= t.least() {
		t.decline(x, g, sum)
		return sum
	}
	evicted := t.replace(slot[float64]{h, string(key), sum, before})
	x, g = spread(evicted.hash)
	t.decline(x, g, evicted.count)
	return sum
}

// bound returns what a key without a slot weighs at most.
func (t *Trending) bound(x, g uint64) float64 {
	return math.Float64frombits(min(lowest(t.cells, t.width, tailDepth, x, g), math.Float64bits(t.rest)))
}

// decline counts a key without a slot, up to sum.
func (t *Trending) decline(x, g uint64, sum float64) {
	raise(t.cells, t.width, tailDepth, x, g, math.Float64bits(sum))
	t.rest = max(t.rest, sum)
}

// weighs returns an upper bound of what a key weighs.
func (t *Trending) weighs(h uint64) float64 {
	if s := t.find(h); s != nil {
		return s.count
	}
	if t.rest == 0 {
		return 0
	}
	return t.bound(spread(h))
}

// Score returns an upper bound of the score of key.
func (t *Trending) Score(key []byte) float64 { return t.ScoreHashAt(time.Now(), t.Hash(key)) }

// ScoreString is Score for a string.
func (t *Trending) ScoreString(key string) float64 {
	return t.ScoreHashAt(time.Now(), t.HashString(key))
}

// ScoreHash is Score for the key that h identifies.
func (t *Trending) ScoreHash(h uint64) float64 { return t.ScoreHashAt(time.Now(), h) }

// ScoreAt is Score at a given time.
func (t *Trending) ScoreAt(now time.Time, key []byte) float64 {
	return t.ScoreHashAt(now, t.Hash(key))
}

// ScoreStringAt is ScoreString at a given time.
func (t *Trending) ScoreStringAt(now time.Time, key string) float64 {
	return t.ScoreHashAt(now, t.HashString(key))
}

// ScoreHashAt is ScoreHash at a given time.
func (t *Trending) ScoreHashAt(now time.Time, h uint64) float64 {
	return t.scoreAt(unixNano(now), t.weighs(h))
}

// Contains reports whether key is among the items.
func (t *Trending) Contains(key []byte) bool { return t.find(t.Hash(key)) != nil }

// ContainsString is Contains for a string.
func (t *Trending) ContainsString(key string) bool { return t.find(t.HashString(key)) != nil }

// ContainsHash is Contains for the key that h identifies.
func (t *Trending) ContainsHash(h uint64) bool { return t.find(h) != nil }

// Items returns the items, at most k, the largest score first and equal ones by
// key. It sorts a copy, so t may change while they are read.
func (t *Trending) Items() iter.Seq[Trend] { return t.ItemsAt(time.Now()) }

// ItemsAt is Items at a given time.
func (t *Trending) ItemsAt(now time.Time) iter.Seq[Trend] {
	ordered := slices.Clone(t.slots)
	slices.SortFunc(ordered, func(a, b slot[float64]) int {
		return cmp.Or(cmp.Compare(b.count, a.count), cmp.Compare(a.key, b.key))
	})
	items, at := make([]Trend, len(ordered)), unixNano(now)
	for i, s := range ordered {
		items[i] = Trend{s.key, t.scoreAt(at, s.count), t.scoreAt(at, s.err)}
	}
	return slices.Values(items)
}

// MinScore returns a score that no key exceeds that is not among the items. It is
// 0 until there were more than k keys.
func (t *Trending) MinScore() float64 { return t.MinScoreAt(time.Now()) }

// MinScoreAt is MinScore at a given time.
func (t *Trending) MinScoreAt(now time.Time) float64 { return t.scoreAt(unixNano(now), t.rest) }

// Total returns the score of all keys together.
func (t *Trending) Total() float64 { return t.TotalAt(time.Now()) }

// TotalAt is Total at a given time.
func (t *Trending) TotalAt(now time.Time) float64 { return t.scoreAt(unixNano(now), t.total) }

// K returns the number of items that t has room for.
func (t *Trending) K() int { return t.k }

// HalfLife returns the time after which an addition counts half.
func (t *Trending) HalfLife() time.Duration { return time.Duration(t.halfLife) }

// Clone returns a copy of t that shares nothing but the secret.
func (t *Trending) Clone() *Trending {
	c := *t
	c.weightSlots, c.cells = t.clone(), slices.Clone(t.cells)
	return &c
}

// Equal reports whether t and other have the same size, half-life, secret, items
// and scores.
func (t *Trending) Equal(other *Trending) bool {
	return other != nil && t.k == other.k && t.width == other.width && t.decay == other.decay && t.sameSecret(&other.keyed) &&
		t.rest == other.rest && t.total == other.total && slices.Equal(t.cells, other.cells) && slices.Equal(t.sorted(), other.sorted())
}

// Reset forgets all keys and times; t keeps its size, half-life and secret.
func (t *Trending) Reset() {
	t.reset()
	clear(t.cells)
	t.rest, t.total, t.decay = 0, 0, decay{halfLife: t.halfLife, rate: t.rate}
}

// SizeBytes returns the memory that counters, slots and keys take.
func (t *Trending) SizeBytes() int { return 8*cap(t.cells) + t.slotBytes() }
