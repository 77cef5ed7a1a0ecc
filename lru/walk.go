package lru

// held is an entry as a walk finds it.
type held[K comparable, V any] struct {
	key   K
	value V
	node  uint32
}

// list returns the entries of s in the order of the policy, without those that have
// ended, and which state of s they are of.
func (e *engine[K, V]) list(s *shard[K, V], backward bool) (entries []held[K, V], state uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.core
	entries = make([]held[K, V], 0, c.Len())
	c.walk(backward, c.living(func(i uint32) bool {
		entries = append(entries, held[K, V]{c.nodes[i].key, c.nodes[i].value, i})
		return true
	}))
	return entries, s.changes
}

// each yields the entries of one shard after another.
func (e *engine[K, V]) each(backward bool, yield func(K, V) bool) {
	for k := range e.shards {
		s := &e.shards[k]
		if backward {
			s = &e.shards[len(e.shards)-1-k]
		}
		entries, _ := e.list(s, backward)
		for _, h := range entries {
			value, ok := e.peek(h.key)
			if h.key != h.key { // which no look-up finds
				value, ok = h.value, true
			}
			if ok && !yield(h.key, value) {
				return
			}
		}
	}
}

func (e *engine[K, V]) deleteFunc(del func(key K, value V) bool) (deleted int) {
	for k := range e.shards {
		s := &e.shards[k]
		entries, state := e.list(s, false)
		for _, h := range entries {
			if !del(h.key, h.value) {
				continue
			}
			s.mu.Lock()
			if s.changes != state { // perhaps of this entry
				s.mu.Unlock()
				if e.deleteIf(h.key, del) {
					deleted++
				}
				continue
			}
			s.wrote(h.key)
			s.core.remove(h.node, Deleted)
			e.unlock(s)
			state++
			deleted++
		}
	}
	return deleted
}

// deleteIf takes key out if del is true for what its value is now.
func (e *engine[K, V]) deleteIf(key K, del func(key K, value V) bool) (deleted bool) {
	e.judge(key, func(old V, ok bool) (V, verdict) {
		if deleted = ok && del(key, old); deleted {
			return old, deleteIt
		}
		return old, keepIt
	})
	return deleted
}
