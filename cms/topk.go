package cms

import (
	"cmp"
	"fmt"
	"iter"
	"slices"
)

// TopK finds the k keys that were added most often: an augmented sketch (Roy,
// Khan and Alonso, SIGMOD 2016), that is k slots with keys and counts in front of
// a conservative sketch of four rows for all other keys.
//
// Every bound is certain: the truth of each item lies in [Count-Error, Count],
// and every key that was added more often than [TopK.MinCount] is among the
// items. Nothing is drawn at random. TopKs of parts of a stream merge to one of
// the whole, with the same certainty. NewTopK(100) takes 16 KiB of counters and
// some 7 KiB of slots, and finds 100 of the 100 largest of a million keys with a
// skew of 1.1.
//
// Adding a key that leads is a look into a small table; another costs what it
// costs in a [Sketch]. The weight does not matter. Counters grow to 64 bits by
// themselves. A key is known by its hash; only keys that are admitted are copied.
//
// Any number of goroutines may call Count, Contains, Items and MinCount at the
// same time; changes need exclusion. To count in many goroutines have a TopK with
// a mutex for each shard, and merge them when somebody asks. The zero TopK counts
// nothing and is there to be decoded into; adding to it panics.
type TopK struct {
	countSlots
	tail  tail
	rest  uint64 // no key without a slot was added more often
	total uint64
	keyed
}

// Item is a key with its count: the truth lies in [Count-Error, Count].
type Item struct {
	Key          string
	Count, Error uint64
}

// maxK bounds the slots, and maxCounters the counters a row.
const (
	maxK        = 1 << 24
	maxCounters = 1 << 32
)

// WithCounters (TopK, Trending): n counters in each of the four rows behind the
// slots, n >= 1. More of them make errors smaller for streams with little skew.
// They take 4 bytes each in a TopK, 8 in a Trending. Default: max(1024, 8k).
func WithCounters(n int) Option {
	return func(c *config) {
		c.counters = n
		c.set |= optCounters
		if n < 1 || uint64(n) > maxCounters {
			c.err = fmt.Errorf("cms: counters of WithCounters are %d, want 1 to 2^32", n)
		}
	}
}

// NewTopK returns an empty TopK of k items, 1 to 2^24. Options: WithCounters,
// WithSecret.
func NewTopK(k int, opts ...Option) (*TopK, error) {
	c, err := newConfig("NewTopK", optCounters|optSecret, opts)
	if err != nil {
		return nil, err
	}
	width, err := tailWidth(k, c, 4)
	if err != nil {
		return nil, err
	}
	return &TopK{countSlots: newSlots[uint64](k), tail: newTail(width), keyed: c.keyed}, nil
}

// tailWidth checks k and returns the number of counters a row.
func tailWidth(k int, c config, counterBytes uint64) (uint64, error) {
	if k < 1 || k > maxK {
		return 0, fmt.Errorf("cms: number of items is %d, want 1 to 2^24", k)
	}
	width := uint64(max(1024, 8*k))
	if c.set&optCounters != 0 {
		width = uint64(c.counters)
	}
	return width, checkSize(width, tailDepth, counterBytes)
}

// Add counts key once and returns its new count, an upper bound.
func (t *TopK) Add(key []byte) uint64 { return addTop(t, t.Hash(key), key, 1) }

// AddString is Add for a string.
func (t *TopK) AddString(key string) uint64 { return addTop(t, t.HashString(key), key, 1) }

// AddHash counts the key that h identifies: its distkit.Hash, or any other 64-bit
// value that is different for different keys. The key is copied if it is admitted
// to the items and not looked at otherwise.
func (t *TopK) AddHash(h uint64, key []byte) uint64 { return addTop(t, h, key, 1) }

// AddN counts key n times, at the cost of one, and returns its new count.
func (t *TopK) AddN(key []byte, n uint64) uint64 { return addTop(t, t.Hash(key), key, n) }

// AddStringN is AddN for a string.
func (t *TopK) AddStringN(key string, n uint64) uint64 { return addTop(t, t.HashString(key), key, n) }

// AddHashN is AddN for the key that h identifies.
func (t *TopK) AddHashN(h uint64, key []byte, n uint64) uint64 { return addTop(t, h, key, n) }

func addTop[K string | []byte](t *TopK, h uint64, key K, n uint64) uint64 {
	if t.k == 0 {
		panic("cms: Add to a zero TopK, make one with NewTopK")
	}
	t.total = plus(t.total, n)
	if s := t.find(h); s != nil {
		s.count = plus(s.count, n)
		return s.count
	}
	if n == 0 {
		return t.CountHash(h)
	}
	if !t.full() {
		t.insert(slot[uint64]{h, string(key), n, 0})
		return n
	}
	x, g := spread(h)
	count := plus(min(t.tail.lowest(x, g), t.rest), n)
	if count <= t.least() {
		t.decline(x, g, count)
		return count
	}
	evicted := t.replace(slot[uint64]{h, string(key), count, count - n})
	x, g = spread(evicted.hash)
	t.decline(x, g, evicted.count)
	return count
}

// decline counts a key without a slot, up to count.
func (t *TopK) decline(x, g, count uint64) {
	t.tail.raise(x, g, count)
	t.rest = max(t.rest, count)
}

// Count returns an upper bound of how often key was added.
func (t *TopK) Count(key []byte) uint64 { return t.CountHash(t.Hash(key)) }

// CountString is Count for a string.
func (t *TopK) CountString(key string) uint64 { return t.CountHash(t.HashString(key)) }

// CountHash is Count for the key that h identifies.
func (t *TopK) CountHash(h uint64) uint64 {
	if s := t.find(h); s != nil {
		return s.count
	}
	if t.rest == 0 {
		return 0
	}
	x, g := spread(h)
	return min(t.tail.lowest(x, g), t.rest)
}

// Contains reports whether key is among the items.
func (t *TopK) Contains(key []byte) bool { return t.find(t.Hash(key)) != nil }

// ContainsString is Contains for a string.
func (t *TopK) ContainsString(key string) bool { return t.find(t.HashString(key)) != nil }

// ContainsHash is Contains for the key that h identifies.
func (t *TopK) ContainsHash(h uint64) bool { return t.find(h) != nil }

// Items returns the items, at most k, the largest count first and equal ones by
// key. It sorts a copy, so t may change while they are read.
func (t *TopK) Items() iter.Seq[Item] {
	items := make([]Item, len(t.slots))
	for i, s := range t.slots {
		items[i] = Item{s.key, s.count, s.err}
	}
	slices.SortFunc(items, func(a, b Item) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Key, b.Key))
	})
	return slices.Values(items)
}

// MinCount returns a count that no key exceeds that is not among the items: every
// key that was added more often is there. It is 0 until there were more than k
// keys, and of what was not merged at most the smallest count of an item.
func (t *TopK) MinCount() uint64 { return t.rest }

// Total returns how many additions were counted, all keys together. It stays at
// 2^64-1 once it is there.
func (t *TopK) Total() uint64 { return t.total }

// K returns the number of items that t has room for.
func (t *TopK) K() int { return t.k }

// Clone returns a copy of t that shares nothing but the secret.
func (t *TopK) Clone() *TopK {
	return &TopK{t.clone(), t.tail.clone(), t.rest, t.total, t.keyed}
}

// Equal reports whether t and other have the same size, secret, items and counts.
func (t *TopK) Equal(other *TopK) bool {
	return other != nil && t.k == other.k && t.sameSecret(&other.keyed) && t.rest == other.rest && t.total == other.total &&
		t.tail.equal(&other.tail) && slices.Equal(t.sorted(), other.sorted())
}

// Reset forgets all keys; t keeps its size and secret.
func (t *TopK) Reset() {
	t.reset()
	t.tail = newTail(t.tail.width)
	t.rest, t.total = 0, 0
}

// SizeBytes returns the memory that counters, slots and keys take.
func (t *TopK) SizeBytes() int {
	return 4*cap(t.tail.narrow) + 8*cap(t.tail.wide) + t.slotBytes()
}
