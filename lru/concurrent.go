package lru

import (
	"iter"
	"sync/atomic"
	"time"
)

// Concurrent is a cache for any number of goroutines. It has the methods of
// [Cache], which mean the same, and GetOrLoad, which asks for a value once however
// many goroutines miss it.
//
// It is divided into shards. Each evicts by the policy among its own keys, so the
// order of eviction is that of a Cache only nearly. The capacity is one for all:
// nothing is evicted before the whole is full, however unequal the shards are, and
// Len is at most Cap at every moment. Once full, a shard makes room for its keys
// itself, and once in 64 times another one does, chosen in proportion to its
// size: so shards grow and shrink with what is asked of them.
//
// Under SIEVE, S3FIFO and Adaptive, the default, a Get takes no lock, unless a hit
// restarts the lifetime of its entry by WithSliding, or the entry is about to end or is
// being written. Its hit counts when the policy comes to decide about the entry, and of
// many hits in between up to three count under S3FIFO, and one under the others. On
// recorded loads that, and the shards, have cost at most 0.1 points of hit ratio under
// S3FIFO; under Adaptive they made between 0.5 points less and 0.4 more. Where key and
// value have no pointers, and 64 bytes together at most, a Set allocates nothing; else
// it allocates a copy of both, which costs their size and 8 bytes an entry more, except
// with a policy whose Get takes a lock.
//
// What a method returns is what it found or did at one moment between its call and
// its return: a Get that begins after a Set of the same key returned finds that
// value or a later one, or nothing if it was evicted meanwhile. Methods over all
// entries see one shard after another.
//
// Functions of the user are called on the goroutine of the method that causes the
// call, when nothing is locked, so they may use the cache. GetOrLoad loads on a
// goroutine of its own, and there is no other.
//
// The zero Concurrent is empty: it answers queries, and panics when it is to change.
type Concurrent[K comparable, V any] struct {
	made atomic.Pointer[engine[K, V]] // nil in a zero Concurrent
}

// NewConcurrent returns an empty cache for at most capacity entries, or with
// WithWeigher for entries of that weight together; capacity >= 1, and at most
// 2^32-2 entries a shard. Options: those of New, and WithShards.
func NewConcurrent[K comparable, V any](capacity int, opts ...Option) (*Concurrent[K, V], error) {
	e, err := newEngine[K, V](capacity, opts)
	if err != nil {
		return nil, err
	}
	c := new(Concurrent[K, V])
	c.made.Store(e)
	return c, nil
}

const zeroConcurrent = "lru: change of a zero Concurrent, make one with NewConcurrent"

// engine returns what does the work of a change.
func (c *Concurrent[K, V]) engine() *engine[K, V] {
	e := c.made.Load()
	if e == nil {
		panic(zeroConcurrent)
	}
	return e
}

// Hash returns the hash of key for GetHashed and SetHashed: that of WithHasher,
// or one that is secret to c.
func (c *Concurrent[K, V]) Hash(key K) uint64 {
	if e := c.made.Load(); e != nil {
		return e.hash.sum(key)
	}
	return 0
}

// Get returns the value of key, and true if there is one. It is an access.
func (c *Concurrent[K, V]) Get(key K) (value V, ok bool) {
	e := c.made.Load()
	if e == nil {
		return value, false
	}
	return e.get(e.hash.sum(key), key)
}

// GetHashed is Get for a key whose hash, c.Hash(key), is known.
func (c *Concurrent[K, V]) GetHashed(h uint64, key K) (value V, ok bool) {
	e := c.made.Load()
	if e == nil {
		return value, false
	}
	return e.get(h, key)
}

// GetAt is Get at a time of the caller's clock.
func (c *Concurrent[K, V]) GetAt(now time.Time, key K) (value V, ok bool) {
	e := c.made.Load()
	if e == nil {
		return value, false
	}
	return e.getAt(e.clock.at(now), key)
}

func (c *Concurrent[K, V]) getBytes(key []byte) (V, bool) { return c.Get(viewed[K](key)) }

// Peek is a Get that is no access: neither order nor counts change.
func (c *Concurrent[K, V]) Peek(key K) (value V, ok bool) {
	e := c.made.Load()
	if e == nil {
		return value, false
	}
	return e.peek(key)
}

// Contains says whether there is a value of key. It is no access.
func (c *Concurrent[K, V]) Contains(key K) bool {
	_, ok := c.Peek(key)
	return ok
}

// Set makes value that of key; where there is no room, entries are evicted first.
// It returns false if it refuses the value, as heavier than the whole capacity;
// then the key's old value is gone too, and nothing else.
func (c *Concurrent[K, V]) Set(key K, value V) bool {
	e := c.engine()
	return e.set(moment{}, e.hash.sum(key), key, value, 0)
}

// SetHashed is Set for a key whose hash, c.Hash(key), is known.
func (c *Concurrent[K, V]) SetHashed(h uint64, key K, value V) bool {
	return c.engine().set(moment{}, h, key, value, 0)
}

// SetWithTTL is Set of an entry that ends ttl from now: no Get finds it then. A ttl
// of 0 means the lifetime by WithExpiry or else WithTTL; a negative one has ended
// already, so that no value of key is left.
func (c *Concurrent[K, V]) SetWithTTL(key K, value V, ttl time.Duration) bool {
	e := c.engine()
	return e.set(moment{}, e.hash.sum(key), key, value, ttl)
}

// SetAt is SetWithTTL at a time of the caller's clock.
func (c *Concurrent[K, V]) SetAt(now time.Time, key K, value V, ttl time.Duration) bool {
	e := c.engine()
	return e.set(moment{e.clock.at(now), true}, e.hash.sum(key), key, value, ttl)
}

// GetOrSet returns the value of key and true, or else sets it to value and
// returns that and false, also when it is refused and not kept. Of goroutines that
// call it for one key at the same time, all return the same value, and one false.
func (c *Concurrent[K, V]) GetOrSet(key K, value V) (actual V, loaded bool) {
	return c.engine().getOrSet(key, value)
}

// Update sets key to what f makes of its value, or deletes it where f returns
// false; ok tells f whether there is a value. It returns what is held then, which
// is nothing when f returned false or its value was refused. It is a Set, and no
// Get: it counts neither hit nor miss.
//
// No other change of key comes between: where one did while f ran, f is called
// again with what there is now. So f may be called several times, it may use the
// cache, and it must not change the value of key itself, for which it would be
// called without end.
func (c *Concurrent[K, V]) Update(key K, f func(old V, ok bool) (V, bool)) (V, bool) {
	return c.engine().update(key, f)
}

// Delete takes key out and returns its value, and true if there was one.
func (c *Concurrent[K, V]) Delete(key K) (value V, ok bool) {
	e := c.made.Load()
	if e == nil {
		return value, false
	}
	return e.remove(key)
}

// DeleteFunc takes out the entries for which del is true, and returns how many. An
// entry that is changed while del looks at it is shown to del again.
func (c *Concurrent[K, V]) DeleteFunc(del func(key K, value V) bool) int {
	e := c.made.Load()
	if e == nil {
		return 0
	}
	return e.deleteFunc(del)
}

// DeleteExpired takes out all entries that have ended, and returns how many. It
// need not be called: they are never found, and they go when room is needed and, a
// thousand at a time at most, whenever the cache is used.
func (c *Concurrent[K, V]) DeleteExpired() int {
	e := c.made.Load()
	if e == nil {
		return 0
	}
	return e.deleteExpired(e.clock.now())
}

// DeleteExpiredAt is DeleteExpired at a time of the caller's clock.
func (c *Concurrent[K, V]) DeleteExpiredAt(now time.Time) int {
	e := c.made.Load()
	if e == nil {
		return 0
	}
	return e.deleteExpired(e.clock.at(now))
}

// Evict takes out the entry that is next to be evicted in one of the shards, and
// returns it and true if there is one: entries of weight 0 are never evicted. What
// has ended goes first and is not returned.
func (c *Concurrent[K, V]) Evict() (key K, value V, ok bool) {
	e := c.made.Load()
	if e == nil {
		return key, value, false
	}
	return e.evictOne()
}

// TTL returns how long the entry of key has yet to live, and true if there is one.
// For one that does not end it is the longest Duration, 292 years. It is no access.
func (c *Concurrent[K, V]) TTL(key K) (time.Duration, bool) {
	e := c.made.Load()
	if e == nil {
		return 0, false
	}
	return e.ttl(key, e.clock.now())
}

// TTLAt is TTL at a time of the caller's clock.
func (c *Concurrent[K, V]) TTLAt(now time.Time, key K) (time.Duration, bool) {
	e := c.made.Load()
	if e == nil {
		return 0, false
	}
	return e.ttl(key, e.clock.at(now))
}

// Len returns the number of entries. It counts for one that is being put in.
func (c *Concurrent[K, V]) Len() int {
	e := c.made.Load()
	if e == nil {
		return 0
	}
	return e.len()
}

// Cap returns the capacity, in entries or with WithWeigher in weight.
func (c *Concurrent[K, V]) Cap() int {
	e := c.made.Load()
	if e == nil {
		return 0
	}
	return int(e.capacity.Load())
}

// Weight returns the weight of all entries, their number without WithWeigher. It is
// never more than Cap.
func (c *Concurrent[K, V]) Weight() uint64 {
	e := c.made.Load()
	if e == nil {
		return 0
	}
	return e.quota.used.Load()
}

// Resize changes the capacity and evicts what no longer fits. Memory that is no
// longer needed is kept for entries to come until Clear.
func (c *Concurrent[K, V]) Resize(capacity int) error { return c.engine().resize(capacity) }

// Clear takes all entries out, and gives their memory back. Capacity and counts
// stay.
func (c *Concurrent[K, V]) Clear() {
	if e := c.made.Load(); e != nil {
		e.clear()
	}
}

// All yields the entries, one shard after another, each in the order of Cache.All.
// It is no access. The loop may change the cache, and so may others: what was there
// from beginning to end is visited once, what has left before its turn is not, and
// what came meanwhile may be.
func (c *Concurrent[K, V]) All() iter.Seq2[K, V] { return c.entries(false) }

// Backward yields the entries in the reverse order of All.
func (c *Concurrent[K, V]) Backward() iter.Seq2[K, V] { return c.entries(true) }

func (c *Concurrent[K, V]) entries(backward bool) iter.Seq2[K, V] {
	return func(yield func(K, V) bool) {
		if e := c.made.Load(); e != nil {
			e.each(backward, yield)
		}
	}
}

// Stats returns the counts of c; see [Cache.Stats].
func (c *Concurrent[K, V]) Stats() Stats {
	e := c.made.Load()
	if e == nil {
		return Stats{}
	}
	return e.stats()
}
