package lru

import "time"

// What a Backed does to its cache is one step with what it does at a desk, whose
// lock it holds. So what left the cache is reported later, and the functions of the
// user are asked before.

// departures is what is to be reported of a change.
type departures[K comparable, V any] struct {
	from *shard[K, V]
	left *batch[K, V]
}

// report is called with nothing locked.
func (c *Concurrent[K, V]) report(d departures[K, V]) {
	if d.left != nil {
		c.engine().report(d.from, d.left)
	}
}

// setQuietly is SetWithTTL with the weight and the lifetime that terms returned.
func (c *Concurrent[K, V]) setQuietly(h uint64, key K, value V, w uint32, life time.Duration) departures[K, V] {
	e := c.engine()
	var m moment
	if life != 0 {
		m.read(&e.clock)
	}
	s, place := e.locate(h)
	i, fits := e.lockFor(&m, s, place, key, w)
	e.put(s, m, i, place, key, value, w, life, fits)
	return departures[K, V]{s, e.release(s)}
}

// deleteQuietly is Delete.
func (c *Concurrent[K, V]) deleteQuietly(h uint64, key K) departures[K, V] {
	e := c.engine()
	s, place := e.locate(h)
	s.mu.Lock()
	e.takeOut(s, place, key)
	return departures[K, V]{s, e.release(s)}
}
