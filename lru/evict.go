package lru

// departure is an entry that left and is to be reported.
type departure[K comparable, V any] struct {
	key   K
	value V
	why   Reason
}

// keptDepartures is how many a cache keeps room for between changes.
const keptDepartures = 256

// makeRoom takes out what has ended, and then evicts others than keep, until an
// additional weight of w fits; what is to stay is not heavier than the capacity.
// What is pinned weighs nothing, so there is always something to evict.
func (c *Cache[K, V]) makeRoom(now int64, w uint64, keep uint32) {
	if c.weight+w > c.capacity && c.life.wheel != nil {
		c.life.wheel.move(now)
		for budget := all; c.weight+w > c.capacity; {
			i, ok := c.life.wheel.take(&budget)
			if !ok {
				break
			}
			c.expire(i)
		}
	}
	for c.weight+w > c.capacity {
		c.drop(c.evict(keep), Capacity)
	}
}

// evict takes the entry that is to go, other than keep, out of its list.
func (c *Cache[K, V]) evict(keep uint32) (i uint32) {
	c.stats.Evictions++
	if c.chooser != nil {
		return c.chooser.evict(keep)
	}
	i = c.next(c.queue, keep)
	c.unlink(i)
	return i
}

// remove takes entry i out.
func (c *Cache[K, V]) remove(i uint32, why Reason) {
	c.leave(i)
	c.drop(i, why)
}

// enter makes i the newest entry of a list.
func (c *Cache[K, V]) enter(i, place uint32) {
	c.seen(i) // hits that it had as another, or pinned
	switch {
	case c.isPinned(i):
		c.link(pinned, i)
	case c.chooser != nil:
		c.chooser.insert(i, place)
	default:
		c.link(recent, i)
	}
}

// leave takes i out of its list.
func (c *Cache[K, V]) leave(i uint32) {
	if c.chooser != nil && !c.isPinned(i) {
		c.chooser.remove(i)
	} else {
		c.unlink(i)
	}
}

func (c *Cache[K, V]) isPinned(i uint32) bool { return c.weightOf(i) == 0 }

// drop forgets entry i, which is in no list.
func (c *Cache[K, V]) drop(i uint32, why Reason) {
	n := &c.nodes[i]
	if c.onEvict != nil {
		c.left = append(c.left, departure[K, V]{n.key, n.value, why})
	}
	c.table.remove(c.placeOf(i), i)
	c.put(i)
	if c.life.wheel != nil {
		c.life.wheel.remove(i)
	}
	c.weight -= c.weightOf(i)
}

// rebuild makes the table larger, or cleans it of deleted slots, before an entry
// is added.
func (c *Cache[K, V]) rebuild() { c.remake(c.table.groupsFor(c.limit())) }

// spread makes the table anew where entry i, which is in no list yet, was put far
// from where its search begins: larger if it grows soon, and with a secret if that
// is no help. The keys of a user's hash that collide do so under each secret.
func (c *Cache[K, V]) spread(place, i uint32) {
	if c.hash.mode == hashCustom {
		return
	}
	t, far := &c.table, true
	if n := t.groupsFor(c.limit()); n > len(t.groups) {
		c.remake(n)
		far = t.insert(place, i)
	}
	if far && t.resists(c.stats.Inserts) {
		c.remake(len(t.groups))
		t.insert(place, i)
	}
}

// remake makes a table of that many groups, for the entries in the lists.
func (c *Cache[K, V]) remake(groups int) {
	c.table.reset(groups)
	for list := range c.heads {
		for i := c.nodes[list].newer; i != list; i = c.nodes[i].newer {
			c.table.insert(c.placeOf(i), i)
		}
	}
	c.publish()
}

// report calls the function of WithOnEvict for all that left. It may change the
// cache, whose report then continues with what this one has not come to.
func (c *Cache[K, V]) report() {
	for c.reported < len(c.left) {
		d := c.left[c.reported]
		c.left[c.reported] = departure[K, V]{}
		c.reported++
		c.onEvict(d.key, d.value, d.why)
	}
	if c.reported > 0 {
		c.left, c.reported = c.left[:0], 0
	}
	if cap(c.left) > keptDepartures {
		c.left = nil
	}
}

// Delete takes key out and returns its value, and true if there was one.
func (c *Cache[K, V]) Delete(key K) (V, bool) { return c.deleteHashed(c.hash.sum(key), key) }

func (c *Cache[K, V]) deleteHashed(h uint64, key K) (value V, ok bool) {
	i := c.find(c.hash.place(h), key)
	if i == none {
		return value, false
	}
	if c.deadYet(i) {
		c.expire(i)
	} else {
		value, ok = c.nodes[i].value, true
		c.remove(i, Deleted)
	}
	c.report()
	return value, ok
}

// DeleteFunc takes out the entries for which del is true, and returns how many.
func (c *Cache[K, V]) DeleteFunc(del func(key K, value V) bool) int {
	deleted := 0
	c.walk(false, c.living(func(i uint32) bool {
		inserts, held := c.stats.Inserts, c.Len()
		key := c.nodes[i].key
		if !del(key, c.nodes[i].value) {
			return true
		}
		// Unless del itself put something in or took something out, node i is
		// still that of key; a key that is not equal to itself cannot be found.
		if c.stats.Inserts != inserts || c.Len() != held {
			i = c.find(c.hash.place(c.hash.sum(key)), key)
		}
		if i != none {
			c.remove(i, Deleted)
			deleted++
		}
		return true
	}))
	c.report()
	return deleted
}

// Evict takes out the entry that is next to be evicted, and returns it and true
// if there is one: entries of weight 0 are never evicted. What has ended goes
// first and is not returned.
func (c *Cache[K, V]) Evict() (key K, value V, ok bool) {
	c.DeleteExpired()
	if c.weight == 0 {
		return key, value, false
	}
	i := c.evict(none)
	key, value = c.nodes[i].key, c.nodes[i].value
	c.drop(i, Capacity)
	c.report()
	return key, value, true
}

// Clear takes all entries out, oldest first, and gives their memory back.
// Capacity and counts stay.
func (c *Cache[K, V]) Clear() {
	if c.capacity == 0 {
		return
	}
	c.empty()
	c.report()
}

func (c *Cache[K, V]) empty() {
	if c.onEvict != nil {
		c.walk(false, func(i uint32) bool {
			c.left = append(c.left, departure[K, V]{c.nodes[i].key, c.nodes[i].value, Cleared})
			return true
		})
	}
	for cur := c.cursors; cur != nil; cur = cur.outer {
		cur.at = cur.list
	}
	c.slab.reset()
	if c.chooser != nil {
		c.chooser.reset()
	}
	c.life.wheel, c.life.restarts = nil, nil
	c.watched = c.counting
	c.table = table{shared: c.sharing != nil}
	c.weight = 0
	c.publish()
}
