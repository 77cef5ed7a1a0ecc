package lru

import (
	"math/rand/v2"
	"sync"
	"sync/atomic"
)

// quota is the capacity that the shards of a Concurrent share. A shard has as much
// of it as its entries weigh; what is in use is never more than the limit, and
// never less than the weight of all entries.
type quota struct {
	limit, used atomic.Uint64

	// gathering is held by whoever collects quota from several shards: two at once
	// could each wait for what the other has.
	gathering sync.Mutex
}

// claim takes up to n and returns how much.
func (q *quota) claim(n uint64) uint64 {
	for {
		used, limit := q.used.Load(), q.limit.Load()
		if used >= limit {
			return 0
		}
		n := min(n, limit-used)
		if q.used.CompareAndSwap(used, used+n) {
			return n
		}
	}
}

func (q *quota) give(n uint64) { q.used.Add(-n) }

// elsewhere is how often a shard that needs room has another shard evict for it, one
// in so many times. It is rare, as the newcomer then enters without being compared
// with what would have left for it.
const elsewhere = 64

const attempts = 8 // at finding that shard

// lockFor locks the shard of key and makes sure of room for an entry of weight w, or
// returns false if there cannot be. It returns the node of key, which has not ended.
// What the core lacks in quota it can then evict itself.
func (e *engine[K, V]) lockFor(m *moment, s *shard[K, V], place uint32, key K, w uint32) (i uint32, ok bool) {
	s.mu.Lock()
	for tried := false; ; tried = true {
		c := s.core // which ReadFrom may change when s is unlocked
		if c.life.wheel != nil {
			m.read(&e.clock)
		}
		i = c.prepare(m.at, place, key)
		if uint64(w) > e.quota.limit.Load() || i == none && c.crowded() {
			return i, false
		}
		needed, held := c.weight+uint64(w), uint64(0)
		if i != none {
			held = c.weightOf(i)
			needed -= held
		}
		if needed <= c.capacity {
			return i, true
		}
		c.capacity += e.quota.claim(needed - c.capacity)
		if needed <= c.capacity {
			return i, true
		}
		if n := needed - c.capacity; c.weight-held < n {
			e.gather(s, m, needed-c.weight)
		} else if tried || len(e.shards) == 1 || !e.trade(s, m) {
			e.refit(c)
			return i, true
		}
	}
}

// refit tells the policy of a shard that has come to be much larger or smaller
// than it was told.
func (e *engine[K, V]) refit(c *Cache[K, V]) {
	if len(e.shards) == 1 {
		return
	}
	if c.weight > c.share+c.share/4+1 || c.weight < c.share-c.share/4 {
		c.fit(c.weight)
	}
}

// trade has another shard evict an entry in favor of s, if it is the turn for that.
// Shards are chosen in proportion to their weight, as if entries were.
func (e *engine[K, V]) trade(s *shard[K, V], m *moment) bool {
	mean, every := e.quota.used.Load()/uint64(len(e.shards)), uint8(elsewhere)
	switch weight := s.core.weight; {
	case weight < mean/2: // it came late
		every = 2
	case weight < mean-mean/8:
		every = elsewhere / 4
	}
	if s.turns++; s.turns%every != 0 {
		return false
	}
	for range attempts {
		other := &e.shards[rand.Uint64()&uint64(len(e.shards)-1)]
		if rand.Uint64N(2*mean+2) >= other.weight.Load() {
			continue
		}
		if other == s {
			return false
		}
		left := e.suspend(s)
		n, gone := e.take(other, m, 1)
		e.resume(s, n, append(left, gone...))
		return true
	}
	return false
}

// suspend unlocks s in the midst of a change and returns what is yet to be
// reported. Quota that s does not use yet goes back, as others may need it.
func (e *engine[K, V]) suspend(s *shard[K, V]) (left []departure[K, V]) {
	e.account(s)
	left, s.core.left = s.core.left, nil
	s.mu.Unlock()
	return left
}

// resume locks s again, with n more of the quota, and with what is to be reported.
func (e *engine[K, V]) resume(s *shard[K, V], n uint64, left []departure[K, V]) {
	s.mu.Lock()
	s.core.capacity += n
	if len(left) > 0 {
		s.core.left = append(left, s.core.left...)
	}
}

// take has s evict until it has given up a weight of n, or as much as it can, and
// returns how much, which stays in use, and what is to be reported.
func (e *engine[K, V]) take(s *shard[K, V], m *moment, n uint64) (taken uint64, left []departure[K, V]) {
	s.mu.Lock()
	c := s.core
	if c.life.wheel != nil {
		m.read(&e.clock)
	}
	if n = min(n, c.weight); n > 0 {
		c.makeRoom(m.at, n, none)
		taken, c.capacity = c.capacity-c.weight, c.weight
	}
	return taken, e.suspend(s)
}

// gather collects quota for s, n of it, first what is free and then from one shard
// after another, which evict for it. It may get less when all others have nothing
// left; what is missing s can evict then, or another goroutine is about to.
func (e *engine[K, V]) gather(s *shard[K, V], m *moment, n uint64) {
	left := e.suspend(s)
	e.quota.gathering.Lock()
	defer e.quota.gathering.Unlock()
	got := e.quota.claim(n)
	first := rand.Uint64()
	for k := range uint64(len(e.shards)) {
		other := &e.shards[(first+k)&uint64(len(e.shards)-1)]
		if got >= n {
			break
		}
		if other != s {
			more, gone := e.take(other, m, n-got)
			got += more
			left = append(left, gone...)
		}
	}
	e.resume(s, got, left)
}

// resize changes the capacity. A smaller one is told when nothing exceeds it.
func (e *engine[K, V]) resize(capacity int) error {
	if err := e.checkCapacity(capacity); err != nil {
		return err
	}
	e.quota.gathering.Lock()
	to := uint64(capacity)
	if to > e.capacity.Load() {
		e.capacity.Store(to)
	}
	e.quota.limit.Store(to)
	for i := range e.shards {
		// A claim is made with the shard locked: after this, none is that
		// has not seen the new limit.
		s := &e.shards[i]
		s.mu.Lock()
		s.core.fit(e.share())
		s.mu.Unlock()
	}
	var left []departure[K, V]
	var m moment
	for {
		used := e.quota.used.Load()
		if used <= to {
			break
		}
		for i := range e.shards {
			s := &e.shards[i]
			excess := e.quota.used.Load()
			if excess <= to {
				break
			}
			// In proportion to what each has, so that none loses all.
			excess -= to
			part := float64(excess) * float64(s.weight.Load()) / float64(used)
			n, gone := e.take(s, &m, min(excess, uint64(part)+1))
			e.quota.give(n)
			left = append(left, gone...)
		}
	}
	e.capacity.Store(to)
	e.quota.gathering.Unlock()
	e.report(&e.shards[0], &batch[K, V]{left})
	return nil
}
