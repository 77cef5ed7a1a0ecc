package lru

import "time"

func (e *engine[K, V]) get(h uint64, key K) (value V, ok bool) {
	if e.free {
		value, ok, sure := e.lookUp(h, key, true)
		if sure {
			if e.model.counting {
				e.count(h, ok)
			}
			return value, ok
		}
	}
	s, place := e.locate(h)
	return e.getLocked(s, place, key)
}

// count counts a Get without the lock.
func (e *engine[K, V]) count(h uint64, hit bool) {
	s, _ := e.locate(h)
	if hit {
		s.hits.Add(1)
	} else {
		s.misses.Add(1)
	}
}

// getLocked answers by the shard's cache.
func (e *engine[K, V]) getLocked(s *shard[K, V], place uint32, key K) (value V, ok bool) {
	s.mu.Lock()
	c := s.core
	i := c.find(place, key)
	if c.watched {
		if e.free { // other Gets did not look for what has ended
			c.life.reads |= readsPerLook - 1
		}
		held := c.Len()
		return e.gotWatched(s, held, c.current(i))
	}
	if i == none {
		s.mu.Unlock()
		return value, false
	}
	if c.renews {
		c.touch(recent, i)
	} else {
		c.access(i)
	}
	value = c.nodes[i].value
	s.mu.Unlock()
	return value, true
}

// gotWatched answers a get that found i, which has not ended, and unlocks s, which
// held so many entries before.
func (e *engine[K, V]) gotWatched(s *shard[K, V], before int, i uint32) (value V, ok bool) {
	c := s.core
	if c.counting {
		c.count(i)
	}
	if i != none {
		c.access(i)
		value, ok = c.nodes[i].value, true
	}
	if c.Len() == before { // nothing has ended
		s.mu.Unlock()
	} else {
		e.unlock(s)
	}
	return value, ok
}

func (e *engine[K, V]) getAt(now int64, key K) (value V, ok bool) {
	s, place := e.locate(e.hash.sum(key))
	s.mu.Lock()
	c := s.core
	i, before := c.find(place, key), c.Len()
	if c.life.wheel != nil {
		c.life.reads++
		i = c.currentAt(now, i)
	}
	return e.gotWatched(s, before, i)
}

func (e *engine[K, V]) peek(key K) (value V, ok bool) {
	h := e.hash.sum(key)
	if e.free {
		if value, ok, sure := e.lookUp(h, key, false); sure {
			return value, ok
		}
	}
	s, place := e.locate(h)
	s.mu.Lock()
	c := s.core
	if i := c.find(place, key); i != none && !c.deadYet(i) {
		value, ok = c.nodes[i].value, true
	}
	s.mu.Unlock()
	return value, ok
}

func (e *engine[K, V]) ttl(key K, now int64) (left time.Duration, ok bool) {
	s, place := e.locate(e.hash.sum(key))
	s.mu.Lock()
	c := s.core
	if i := c.find(place, key); i != none && !c.dead(i, now) {
		left, ok = c.remaining(i, now), true
	}
	s.mu.Unlock()
	return left, ok
}

// terms asks the functions of the user about a new value. If it is to end, m is read.
func (e *engine[K, V]) terms(m *moment, key K, value V, ttl time.Duration) (w uint32, life time.Duration) {
	w, life = e.model.terms(key, value, ttl)
	if life != 0 {
		m.read(&e.clock)
	}
	return w, life
}

func (e *engine[K, V]) set(m moment, h uint64, key K, value V, ttl time.Duration) bool {
	w, life := e.terms(&m, key, value, ttl)
	s, place := e.locate(h)
	i, ok := e.lockFor(&m, s, place, key, w)
	e.put(s, m, i, place, key, value, w, life, ok)
	e.unlock(s)
	return ok
}

// put makes value that of key in s, with what lockFor returned.
func (e *engine[K, V]) put(s *shard[K, V], m moment, i, place uint32, key K, value V, w uint32, life time.Duration, ok bool) {
	c := s.core
	s.wrote(key)
	if !ok {
		c.refuse(i)
		return
	}
	if life != 0 && c.life.wheel == nil {
		c.startTiming(m.at)
	}
	c.assign(m.at, i, place, key, value, w, life)
}

func (e *engine[K, V]) getOrSet(key K, value V) (actual V, loaded bool) {
	h := e.hash.sum(key)
	if actual, loaded = e.get(h, key); loaded {
		return actual, true
	}
	var m moment
	w, life := e.terms(&m, key, value, 0)
	s, place := e.locate(h)
	i, ok := e.lockFor(&m, s, place, key, w)
	if i != none { // it came meanwhile
		if s.core.life.wheel != nil {
			i = s.core.currentAt(m.at, i)
		}
		s.core.access(i)
		actual, loaded = s.core.nodes[i].value, true
	} else {
		e.put(s, m, i, place, key, value, w, life, ok)
		actual = value
	}
	e.unlock(s)
	return actual, loaded
}

// verdict is what is to become of an entry.
type verdict uint8

const (
	keepIt verdict = iota
	setIt
	deleteIt
)

func (e *engine[K, V]) update(key K, f func(old V, ok bool) (V, bool)) (V, bool) {
	return e.judge(key, func(old V, ok bool) (V, verdict) {
		if fresh, keep := f(old, ok); keep {
			return fresh, setIt
		}
		return old, deleteIt
	})
}

// judge does with the entry of key what f says about it, and returns the new value
// if there is one.
func (e *engine[K, V]) judge(key K, f func(old V, ok bool) (V, verdict)) (value V, ok bool) {
	h := e.hash.sum(key)
	for {
		if value, ok, done := e.tryJudge(h, key, f); done {
			return value, ok
		}
	}
}

// tryJudge calls f, and does what it says unless the entry changed meanwhile.
func (e *engine[K, V]) tryJudge(h uint64, key K, f func(old V, ok bool) (V, verdict)) (value V, ok, done bool) {
	s, place := e.locate(h)
	s.mu.Lock()
	var old V
	i := s.core.find(place, key)
	had := i != none && !s.core.deadYet(i)
	if had {
		old = s.core.nodes[i].value
	}
	w := s.watch(key)
	before, locked := w.writes, false
	s.mu.Unlock()
	defer func() {
		if !locked { // f panicked
			s.mu.Lock()
		}
		s.leave(key, w)
		e.unlock(s)
	}()

	fresh, say := f(old, had)
	var m moment
	var weight uint32
	var life time.Duration
	if say == setIt {
		weight, life = e.terms(&m, key, fresh, 0)
	}
	i, fits := e.lockFor(&m, s, place, key, weight)
	locked = true
	switch {
	case w.writes != before || had != (i != none):
		return value, false, false
	case say == setIt:
		e.put(s, m, i, place, key, fresh, weight, life, fits)
		if fits {
			return fresh, true, true
		}
	case say == deleteIt && had:
		s.wrote(key)
		s.core.remove(i, Deleted)
	}
	return value, false, true
}

func (e *engine[K, V]) remove(key K) (value V, ok bool) {
	s, place := e.locate(e.hash.sum(key))
	s.mu.Lock()
	value, ok = e.takeOut(s, place, key)
	e.unlock(s)
	return value, ok
}

// takeOut takes key out of s, which is locked.
func (e *engine[K, V]) takeOut(s *shard[K, V], place uint32, key K) (value V, ok bool) {
	c := s.core
	s.wrote(key)
	switch i := c.find(place, key); {
	case i == none:
	case c.deadYet(i):
		c.expire(i)
	default:
		value, ok = c.nodes[i].value, true
		c.remove(i, Deleted)
	}
	return value, ok
}

func (e *engine[K, V]) deleteExpired(now int64) (deleted int) {
	for k := range e.shards {
		s := &e.shards[k]
		s.mu.Lock()
		if s.core.life.wheel != nil {
			deleted += s.core.advance(now, all)
		}
		e.unlock(s)
	}
	return deleted
}

// evictOne evicts from the shard that is the heaviest.
func (e *engine[K, V]) evictOne() (key K, value V, ok bool) {
	e.deleteExpired(e.clock.now())
	for {
		s := &e.shards[0]
		for k := range e.shards {
			if e.shards[k].weight.Load() > s.weight.Load() {
				s = &e.shards[k]
			}
		}
		if s.weight.Load() == 0 {
			return key, value, false
		}
		s.mu.Lock()
		if c := s.core; c.weight > 0 {
			i := c.evict(none)
			key, value, ok = c.nodes[i].key, c.nodes[i].value, true
			c.drop(i, Capacity)
		}
		e.unlock(s)
		if ok {
			return key, value, true
		}
	}
}

func (e *engine[K, V]) clear() {
	for k := range e.shards {
		s := &e.shards[k]
		s.mu.Lock()
		s.wroteAll()
		s.core.empty()
		e.unlock(s)
	}
}
