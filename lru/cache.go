package lru

import "errors"

// Cache is a bounded map with O(1) operations that makes room by its Policy. Its
// size never exceeds its capacity, not for a moment, and it allocates nothing
// once it has grown: memory is 16 bytes an entry beside key and value (20
// where keys are no integers), in a handful of heap objects.
//
// Get and Set are accesses, Peek, Contains and iteration are not. Use Hash with
// GetHashed and SetHashed where one hash serves several look-ups.
//
// A Cache is not safe for concurrent use; Peek, Contains, Len, Cap, Weight and
// Stats are, among themselves.
//
// The zero Cache is empty: it answers queries, and panics when it is to change.
type Cache[K comparable, V any] struct {
	slab[K, V]
	policy   Policy
	queue    queue
	chooser  chooser // instead of queue, or nil
	table    table
	counting bool
	renews   bool // a hit makes an entry the newest of list recent, and no more
	watched  bool // hits are counted, or entries may have ended
	stats    Stats

	life lifetimes[K, V]

	capacity uint64 // 0: a zero Cache
	share    uint64 // of a shard: the part of the whole that is to be expected
	weight   uint64 // of all entries
	weigher  func(K, V) uint32

	onEvict  func(K, V, Reason)
	left     []departure[K, V]
	reported int // of those
}

// New returns an empty cache for at most capacity entries, or with WithWeigher
// for entries of that weight together; capacity >= 1, and at most 2^32-2 entries.
// It takes no memory before there are entries. Options: WithPolicy, WithWeigher,
// WithTTL, WithExpiry, WithSliding, WithJitter, WithOnEvict, WithHasher, WithStats.
func New[K comparable, V any](capacity int, opts ...Option) (*Cache[K, V], error) {
	o, err := newConfig(opts)
	if err != nil {
		return nil, err
	}
	if o.shards != 0 {
		return nil, errors.New("lru: WithShards is for NewConcurrent, not for New")
	}
	c, err := newCache[K, V](o)
	if err != nil {
		return nil, err
	}
	if err := c.checkCapacity(capacity); err != nil {
		return nil, err
	}
	c.capacity = uint64(capacity)
	c.begin()
	return c, nil
}

// newCache returns a cache of no capacity, which has yet to begin.
func newCache[K comparable, V any](o config) (*Cache[K, V], error) {
	c := &Cache[K, V]{counting: o.stats, policy: o.policy, queue: queueOf(o.policy)}
	c.heads = o.policy.heads()
	var custom func(K) uint64
	if err := typed(&c.weigher, o.weigher, "WithWeigher"); err != nil {
		return nil, err
	}
	if err := typed(&c.onEvict, o.onEvict, "WithOnEvict"); err != nil {
		return nil, err
	}
	if err := typed(&custom, o.hashing, "WithHasher"); err != nil {
		return nil, err
	}
	if err := typed(&c.life.by, o.expiry, "WithExpiry"); err != nil {
		return nil, err
	}
	c.life.usual, c.life.jitter, c.life.sliding = o.ttl, o.jitter, o.sliding
	c.life.clock = newClock()
	c.hash = newHasher(custom)
	if !c.hash.repeatable() {
		c.places = []uint32{}
	}
	if c.weigher != nil {
		c.weights = []uint32{}
	}
	return c, nil
}

// begin makes c empty, by new slices, so that a copy of it is not touched.
func (c *Cache[K, V]) begin() {
	c.slab.reset()
	var stats *Stats
	if c.counting {
		stats = &c.stats
	}
	if c.chooser = newChooser(c.policy, &c.slab, stats); c.chooser != nil {
		c.chooser.resize(c.capacity)
	}
	c.table = table{shared: c.sharing != nil}
	c.life.wheel, c.life.restarts = nil, nil
	c.weight, c.cursors = 0, nil
	c.renews = c.queue.moves && c.weigher == nil
	c.watched = c.counting
	c.publish()
}

// limit returns the most entries there can be, and for a shard, which may come to
// hold any part of a larger cache, the most to make room for at once.
func (c *Cache[K, V]) limit() uint64 {
	switch {
	case c.weigher != nil:
		return c.maxEntries()
	case c.share > 0:
		held := uint64(c.Len())
		return min(max(c.share+c.share/32, held+held/8)+groupSize, c.maxEntries())
	}
	return min(c.capacity, c.maxEntries())
}

// crowded says that there is no number for a new entry, whatever is evicted.
func (c *Cache[K, V]) crowded() bool {
	return uint64(c.Len()) == c.maxEntries() && uint64(c.Len()) != c.capacity
}

// Hash returns the hash of key for GetHashed and SetHashed: that of WithHasher,
// or one that is secret to c.
func (c *Cache[K, V]) Hash(key K) uint64 { return c.hash.sum(key) }

// find returns the node of key, or none.
func (c *Cache[K, V]) find(place uint32, key K) uint32 {
	t := &c.table
	if len(t.groups) == 0 {
		return none
	}
	place = t.spread(place)
	for i := t.start(place); ; i = t.next(i) {
		g := &t.groups[i]
		for m := g.match(tag(place)); m != 0; m &= m - 1 {
			if n := g.nodes[slot(m)]; c.nodes[n].key == key {
				return n
			}
		}
		if g.empties() != 0 {
			return none
		}
	}
}

// Get returns the value of key, and true if there is one. It is an access.
func (c *Cache[K, V]) Get(key K) (V, bool) { return c.GetHashed(c.hash.sum(key), key) }

// GetHashed is Get for a key whose hash, c.Hash(key), is known.
func (c *Cache[K, V]) GetHashed(h uint64, key K) (value V, ok bool) {
	i := c.find(c.hash.place(h), key)
	if c.watched && !c.livesOn(i) {
		return c.gotWatched(c.current(i))
	}
	if i == none {
		return value, false
	}
	if c.renews {
		c.touch(recent, i)
	} else {
		c.access(i)
	}
	return c.nodes[i].value, true
}

// gotWatched answers a Get that found i, which has not ended.
func (c *Cache[K, V]) gotWatched(i uint32) (value V, ok bool) {
	if c.counting {
		c.count(i)
	}
	if i != none {
		if c.renews {
			c.touch(recent, i)
		} else {
			c.access(i)
		}
		value, ok = c.nodes[i].value, true
	}
	if len(c.left) > 0 { // what has ended
		c.report()
	}
	return value, ok
}

// access tells the policy that a Get found i.
func (c *Cache[K, V]) access(i uint32) {
	switch {
	case c.chooser == nil:
		c.renew(i)
	case !c.isPinned(i):
		c.chooser.hit(i)
	}
}

// renew makes i the newest of its list where the queue is by access.
func (c *Cache[K, V]) renew(i uint32) {
	switch {
	case !c.queue.moves:
	case c.isPinned(i):
		c.touch(pinned, i)
	default:
		c.touch(recent, i)
	}
}

func (c *Cache[K, V]) count(i uint32) {
	if i == none {
		c.stats.Misses++
	} else {
		c.stats.Hits++
	}
}

// Peek is a Get that is no access: neither order nor counts change.
func (c *Cache[K, V]) Peek(key K) (value V, ok bool) {
	if i := c.find(c.hash.place(c.hash.sum(key)), key); i != none && !c.deadYet(i) {
		return c.nodes[i].value, true
	}
	return value, false
}

// Contains says whether there is a value of key. It is no access.
func (c *Cache[K, V]) Contains(key K) bool {
	i := c.find(c.hash.place(c.hash.sum(key)), key)
	return i != none && !c.deadYet(i)
}

// Len returns the number of entries.
func (c *Cache[K, V]) Len() int { return c.table.live }

// Cap returns the capacity, in entries or with WithWeigher in weight.
func (c *Cache[K, V]) Cap() int { return int(c.capacity) }

// Weight returns the weight of all entries, their number without WithWeigher.
func (c *Cache[K, V]) Weight() uint64 { return c.weight }

// Resize changes the capacity and evicts what no longer fits. Memory that is no
// longer needed is kept for entries to come until Clear.
func (c *Cache[K, V]) Resize(capacity int) error {
	if c.capacity == 0 {
		panic(zeroCache)
	}
	if err := c.checkCapacity(capacity); err != nil {
		return err
	}
	c.capacity = uint64(capacity)
	if c.chooser != nil {
		c.chooser.resize(c.capacity)
	}
	now := int64(0)
	if c.life.wheel != nil {
		now = c.life.clock.now()
	}
	c.makeRoom(now, 0, none)
	c.report()
	return nil
}
