package lru

import "time"

// Set makes value that of key; where there is no room, entries are evicted first.
// Under LRU, MRU, LFU and Adaptive it is an access. It returns false if it refuses
// the value, as heavier than the whole capacity; then the key's old value is gone
// too, and nothing else.
func (c *Cache[K, V]) Set(key K, value V) bool { return c.SetHashed(c.hash.sum(key), key, value) }

// SetHashed is Set for a key whose hash, c.Hash(key), is known.
func (c *Cache[K, V]) SetHashed(h uint64, key K, value V) bool {
	if c.capacity == 0 {
		panic(zeroCache)
	}
	if c.renews && c.onEvict == nil && !c.life.timed() {
		c.setPlain(c.hash.place(h), key, value)
		return true
	}
	now := int64(0)
	if c.life.timed() {
		now = c.life.clock.now()
	}
	return c.setReported(now, h, key, value, 0)
}

// setPlain is set where there are no weights, no lifetimes, no callback, and the
// policy is LRU or MRU.
func (c *Cache[K, V]) setPlain(place uint32, key K, value V) {
	if i := c.find(place, key); i != none {
		c.nodes[i].value = value
		c.touch(recent, i)
		return
	}
	if c.weight >= c.capacity {
		c.drop(c.evict(none), Capacity)
	}
	c.link(recent, c.hold(place, key, value, 1))
	c.stats.Inserts++
}

func (c *Cache[K, V]) setReported(now int64, h uint64, key K, value V, ttl time.Duration) bool {
	ok := c.set(now, c.hash.place(h), key, value, ttl)
	if c.onEvict != nil {
		c.report()
	}
	return ok
}

func (c *Cache[K, V]) set(now int64, place uint32, key K, value V, ttl time.Duration) bool {
	w, life := c.terms(key, value, ttl)
	if life != 0 && c.life.wheel == nil {
		c.startTiming(now)
	}
	i := c.prepare(now, place, key)
	if uint64(w) > c.capacity || i == none && c.crowded() {
		c.refuse(i)
		return false
	}
	c.assign(now, i, place, key, value, w, life)
	return true
}

// terms asks the functions of the user for the weight and the lifetime of an entry.
func (c *Cache[K, V]) terms(key K, value V, ttl time.Duration) (w uint32, life time.Duration) {
	w = 1
	if c.weigher != nil {
		w = c.weigher(key, value)
	}
	return w, c.life.lifetime(key, value, ttl)
}

// prepare is what comes before a change of key: it takes out some of what has
// ended, of key at least, and returns the node of key.
func (c *Cache[K, V]) prepare(now int64, place uint32, key K) uint32 {
	if c.life.wheel == nil {
		return c.find(place, key)
	}
	c.advance(now, promptly)
	i := c.find(place, key)
	if i != none && c.dead(i, now) {
		c.expire(i)
		return none
	}
	return i
}

// refuse takes out i, if there is one, whose new value is not kept.
func (c *Cache[K, V]) refuse(i uint32) {
	if i != none {
		c.remove(i, Replaced)
	}
	c.stats.Rejections++
}

// assign makes value that of key, whose node is i, or none: what prepare returned.
func (c *Cache[K, V]) assign(now int64, i, place uint32, key K, value V, w uint32, life time.Duration) {
	switch {
	case life < 0:
		c.pass(i, key, value)
	case i == none:
		i = c.insert(now, place, key, value, w)
		if c.life.wheel != nil {
			c.start(i, now, life)
		}
	default:
		if c.onEvict != nil {
			n := &c.nodes[i]
			c.left = append(c.left, departure[K, V]{n.key, n.value, Replaced})
		}
		change := c.table.change(place, i)
		if c.life.wheel != nil {
			c.start(i, now, life)
		}
		c.revalue(i, value)
		change.done()
		c.reconsider(now, i, w)
	}
}

// pass lets an entry that has ended come and go. It displaces the value of its
// key, which i has, and nothing else.
func (c *Cache[K, V]) pass(i uint32, key K, value V) {
	if i != none {
		c.remove(i, Replaced)
	} else {
		c.stats.Inserts++
	}
	c.stats.Expirations++
	if c.onEvict != nil {
		c.left = append(c.left, departure[K, V]{key, value, Expired})
	}
}

func (c *Cache[K, V]) insert(now int64, place uint32, key K, value V, w uint32) (i uint32) {
	if c.chooser != nil && w > 0 && c.chooser.miss(place) {
		c.stats.GhostHits++
	}
	c.makeRoom(now, uint64(w), none)
	i = c.hold(place, key, value, w)
	c.enter(i, place)
	c.stats.Inserts++
	return i
}

// hold takes in an entry, which is to be linked yet.
func (c *Cache[K, V]) hold(place uint32, key K, value V, w uint32) (i uint32) {
	if !c.table.fits() {
		c.rebuild()
	}
	if c.full() {
		c.grow()
	}
	i = c.take()
	c.store(i, key, value)
	if c.places != nil {
		c.places[i] = place
	}
	if c.weigher != nil {
		c.weights[i] = w
	}
	if far := c.table.insert(place, i); far {
		c.spread(place, i)
	}
	c.weight += uint64(w)
	return i
}

func (c *Cache[K, V]) grow() {
	c.slab.grow(c.limit())
	if c.chooser != nil {
		c.chooser.grow(len(c.nodes))
	}
	if c.life.wheel != nil {
		c.life.wheel.grow(len(c.nodes))
		if c.life.sliding {
			c.life.restarts = extended(c.life.restarts, len(c.nodes))
		}
	}
	c.publish()
}

// reconsider gives entry i, which has a new value, the weight and the place in its
// list that it is to have now.
func (c *Cache[K, V]) reconsider(now int64, i, w uint32) {
	if c.weigher != nil && c.weights[i] != w {
		c.reweigh(now, i, w)
	} else if c.chooser == nil {
		c.renew(i)
	} else if !c.isPinned(i) {
		c.chooser.set(i)
	}
}

// reweigh changes the weight of i, which has a new value, and evicts others where
// that makes it too much. What is no longer pinned enters as the newest.
func (c *Cache[K, V]) reweigh(now int64, i, w uint32) {
	by := uint64(w) - c.weightOf(i)
	c.weight += by
	switch {
	case c.isPinned(i), w == 0:
		c.leave(i)
		c.weights[i] = w
		c.enter(i, c.placeOf(i))
	case c.chooser == nil:
		c.weights[i] = w
		c.renew(i)
	default:
		c.weights[i] = w
		c.chooser.reweigh(i, by)
		c.chooser.set(i)
	}
	c.makeRoom(now, 0, i)
}

// GetOrSet returns the value of key and true, or else sets it to value and
// returns that and false, also when it is refused and not kept.
func (c *Cache[K, V]) GetOrSet(key K, value V) (actual V, loaded bool) {
	if c.capacity == 0 {
		panic(zeroCache)
	}
	h := c.hash.sum(key)
	if actual, loaded = c.GetHashed(h, key); loaded {
		return actual, true
	}
	c.SetHashed(h, key, value)
	return value, false
}

// Update sets key to what f makes of its value, or deletes it where f returns
// false; ok tells f whether there is a value. It returns what is held then, which
// is nothing when f returned false or its value was refused. It is a Set, and no
// Get: it counts neither hit nor miss. What f itself does to the cache comes first.
func (c *Cache[K, V]) Update(key K, f func(old V, ok bool) (V, bool)) (value V, ok bool) {
	if c.capacity == 0 {
		panic(zeroCache)
	}
	old, had := c.Peek(key)
	fresh, keep := f(old, had)
	h := c.hash.sum(key)
	if keep && c.SetHashed(h, key, fresh) {
		return fresh, true
	}
	if !keep {
		c.deleteHashed(h, key)
	}
	return value, false
}
