package lru

import "iter"

// cursor is an iteration under way. The slab moves it when the entry to be
// visited next leaves its place.
type cursor struct {
	at, list uint32
	backward bool
	outer    *cursor
}

func (c *cursor) leave(i, older, newer uint32) {
	switch {
	case c.at != i:
	case c.backward:
		c.at = older
	default:
		c.at = newer
	}
}

// All yields the entries, oldest first: by the last access under LRU and MRU, by
// hits and then by the last access under LFU, else by insertion, S3FIFO's small
// queue before its main one; entries of weight 0 come last, and those that have
// ended not at all. It is no access. The loop may change the cache; an entry that it
// sets or gets may become newer and be visited there, perhaps again, but a loop has
// no more turns than there were entries.
func (c *Cache[K, V]) All() iter.Seq2[K, V] {
	return func(yield func(K, V) bool) {
		c.walk(false, c.living(func(i uint32) bool { return yield(c.nodes[i].key, c.nodes[i].value) }))
	}
}

// Backward yields the entries in the reverse order of All.
func (c *Cache[K, V]) Backward() iter.Seq2[K, V] {
	return func(yield func(K, V) bool) {
		c.walk(true, c.living(func(i uint32) bool { return yield(c.nodes[i].key, c.nodes[i].value) }))
	}
}

// living returns visit for those that have not ended when the walk begins.
func (c *Cache[K, V]) living(visit func(i uint32) bool) func(i uint32) bool {
	if c.life.wheel == nil {
		return visit
	}
	now := c.life.clock.now()
	return func(i uint32) bool { return c.dead(i, now) || visit(i) }
}

func (c *Cache[K, V]) walk(backward bool, visit func(i uint32) bool) {
	if c.Len() == 0 {
		return
	}
	cur := &cursor{backward: backward, outer: c.cursors}
	c.cursors = cur
	defer c.forget(cur)

	turns := c.Len()
	for at := range c.heads {
		list := c.inOrder(at)
		if backward {
			list = c.inOrder(c.heads - 1 - at)
		}
		cur.list, cur.at = list, list
		cur.step(c.nodes[list].older, c.nodes[list].newer)
		for ; turns > 0 && cur.at != list; turns-- {
			i := cur.at
			cur.step(c.nodes[i].older, c.nodes[i].newer)
			if !visit(i) {
				return
			}
		}
	}
}

func (c *cursor) step(older, newer uint32) {
	if c.at = newer; c.backward {
		c.at = older
	}
}

// forget removes an iteration, the innermost unless loops were left crosswise by
// iter.Pull.
func (c *Cache[K, V]) forget(done *cursor) {
	for p := &c.cursors; *p != nil; p = &(*p).outer {
		if *p == done {
			*p = done.outer
			return
		}
	}
}
