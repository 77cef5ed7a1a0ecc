package lru

import (
	"fmt"
	"math/bits"
	"runtime"
	"sync"
	"sync/atomic"
)

// engine is what a Concurrent consists of.
type engine[K comparable, V any] struct {
	shards  []shard[K, V]
	shift   uint // from 64 bits of hash to the number of a shard
	model   *Cache[K, V]
	hash    hasher[K]
	clock   clock
	onEvict func(K, V, Reason)
	free    bool // look-ups need no lock
	votes   *votes

	capacity atomic.Uint64 // what Cap says
	entries  atomic.Int64  // with a weigher, else quota knows
	quota    quota
	batches  sync.Pool // of *batch[K, V]

	loading loading
}

// shard is a part of the keys, in a cache of its own. The capacity of that cache is
// the part of the quota that its entries take: an entry more needs quota, or
// eviction.
type shard[K comparable, V any] struct {
	view         atomic.Pointer[view[K, V]] // of core, for those who do not lock
	_            [120]byte
	hits, misses atomic.Uint64 // of those
	_            [112]byte

	mu      sync.Mutex
	core    *Cache[K, V]
	watches map[K]*watch[K, V]
	changes uint64        // what core holds is the same as long as this is
	counted int           // entries of core that engine.entries counts
	turns   uint8         // how often room was made
	weight  atomic.Uint64 // of core, for those who do not lock
	_       [56]byte      // no two shards in one pair of cache lines
}

const (
	maxShards     = 1 << 16
	mostByDefault = 1 << 10
	fewest        = 64 // entries a shard, where the number of shards is not given
)

func newEngine[K comparable, V any](capacity int, opts []Option) (*engine[K, V], error) {
	o, err := newConfig(opts)
	if err != nil {
		return nil, err
	}
	if !o.chosen {
		o.policy = defaultConcurrent
	}
	shards := o.shards
	if shards == 0 {
		shards = defaultShards(capacity)
	}
	o.shards = 0
	model, err := newCache[K, V](o)
	if err != nil {
		return nil, err
	}
	e := &engine[K, V]{
		shards: make([]shard[K, V], shards), shift: uint(64 - bits.Len(uint(shards-1))),
		model: model, hash: model.hash, clock: model.life.clock, onEvict: model.onEvict,
		free: o.policy.mostMarks() > 0 && !o.sliding, votes: newVotes(shards),
	}
	if err := e.checkCapacity(capacity); err != nil {
		return nil, err
	}
	e.batches.New = func() any { return new(batch[K, V]) }
	e.capacity.Store(uint64(capacity))
	e.quota.limit.Store(uint64(capacity))
	for i := range e.shards {
		e.shards[i].attach(e.part(e.share()))
		e.shards[i].watches = map[K]*watch[K, V]{}
	}
	return e, nil
}

// defaultShards returns a power of two.
func defaultShards(capacity int) int {
	n := min(4*runtime.GOMAXPROCS(0), mostByDefault)
	shards := 1 << bits.Len(uint(n-1))
	for shards > 1 && capacity/shards < fewest {
		shards /= 2
	}
	return shards
}

// share returns the part of the capacity that a shard takes if all are equal.
func (e *engine[K, V]) share() uint64 {
	return max(1, e.quota.limit.Load()/uint64(len(e.shards)))
}

// part returns an empty cache for a shard that has no quota yet.
func (e *engine[K, V]) part(share uint64) *Cache[K, V] {
	p := *e.model
	if e.free {
		p.sharing = newSharing[K, V](p.policy)
		p.sharing.votes = e.votes
	}
	p.capacity = share
	p.begin()
	p.capacity, p.share = 0, share
	return &p
}

// like returns an empty cache like c, with the same secret and clock.
func (c *Cache[K, V]) like(capacity uint64) *Cache[K, V] {
	p := *c
	p.capacity = capacity
	p.begin()
	return &p
}

// fit tells the policy of a shard how much it is to reckon with.
func (c *Cache[K, V]) fit(share uint64) {
	c.share = share
	if c.chooser != nil {
		c.chooser.resize(share)
	}
}

// of returns the shard of a mixed hash.
func (e *engine[K, V]) of(mixed uint64) *shard[K, V] {
	return &e.shards[mixed>>(e.shift&63)&uint64(len(e.shards)-1)]
}

// locate returns the shard and the place of key.
func (e *engine[K, V]) locate(h uint64) (s *shard[K, V], place uint32) {
	x := e.hash.mixed(h)
	return e.of(x), uint32(x)
}

// moment is a time of the engine's clock, or the time it is, which is read only
// where it matters.
type moment struct {
	at    int64
	given bool
}

func (m *moment) read(c *clock) {
	if !m.given {
		*m = moment{c.now(), true}
	}
}

// batch holds departures while they are reported.
type batch[K comparable, V any] struct{ left []departure[K, V] }

// unlock ends a change of s, and reports what left.
func (e *engine[K, V]) unlock(s *shard[K, V]) {
	if left := e.release(s); left != nil {
		e.report(s, left)
	}
}

// release is unlock without the report.
func (e *engine[K, V]) release(s *shard[K, V]) *batch[K, V] {
	e.account(s)
	c := s.core
	if len(c.left) == 0 {
		s.mu.Unlock()
		return nil
	}
	b := e.batches.Get().(*batch[K, V])
	b.left, c.left = c.left, b.left
	s.mu.Unlock()
	return b
}

// account does the accounts of s after a change: what its core no longer needs of
// the quota goes back.
func (e *engine[K, V]) account(s *shard[K, V]) {
	c := s.core
	c.tidy()
	s.changes++
	if c.capacity > c.weight {
		e.quota.give(c.capacity - c.weight)
		c.capacity = c.weight
	}
	if s.weight.Load() != c.weight {
		s.weight.Store(c.weight)
	}
	if c.weigher != nil && s.counted != c.Len() {
		e.entries.Add(int64(c.Len() - s.counted))
		s.counted = c.Len()
	}
}

// report calls the function of WithOnEvict. What it does not come to, as the
// function panicked, is reported with the next change of s.
func (e *engine[K, V]) report(s *shard[K, V], b *batch[K, V]) {
	done := 0
	defer func() {
		if done < len(b.left) {
			s.mu.Lock()
			s.core.left = append(b.left[done:len(b.left):len(b.left)], s.core.left...)
			s.mu.Unlock()
		} else if cap(b.left) <= keptDepartures {
			clear(b.left)
			b.left = b.left[:0]
			e.batches.Put(b)
		}
	}()
	for done < len(b.left) {
		d := b.left[done]
		done++
		e.onEvict(d.key, d.value, d.why)
	}
}

func (e *engine[K, V]) len() int {
	if e.model.weigher != nil {
		return int(e.entries.Load())
	}
	return int(e.quota.used.Load())
}

// stats adds up the counts of all shards.
func (e *engine[K, V]) stats() (sum Stats) {
	for i := range e.shards {
		s := &e.shards[i]
		s.mu.Lock()
		if p, ok := s.core.chooser.(*adaptive[K, V]); ok {
			p.listen()
		}
		sum.add(s.core.stats)
		s.mu.Unlock()
		sum.Hits += s.hits.Load()
		sum.Misses += s.misses.Load()
	}
	e.loading.count(&sum)
	return sum
}

func (e *engine[K, V]) checkCapacity(capacity int) error {
	most := uint64(len(e.shards)) * e.model.maxEntries()
	switch {
	case capacity <= 0:
		return fmt.Errorf("lru: capacity is %d, want at least 1", capacity)
	case e.model.weigher == nil && uint64(capacity) > most:
		return fmt.Errorf("lru: capacity is %d entries in %d shards, want at most %d", capacity, len(e.shards), most)
	}
	return nil
}
