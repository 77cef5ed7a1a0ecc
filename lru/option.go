package lru

import (
	"fmt"
	"math"
	"time"
)

// Option configures a constructor. Options are not generic: the types of those
// that take a function are inferred from it and checked by the constructor.
type Option func(*config)

type config struct {
	policy                    Policy
	chosen                    bool // policy
	shards                    int  // 0 by default
	stats                     bool
	ttl                       time.Duration
	sliding                   bool
	jitter                    float64
	weigher, onEvict, hashing any // functions of the constructor's K and V
	expiry                    any
	err                       error
}

// WithPolicy (Cache, Concurrent, Backed) chooses what is evicted. Default: LRU for
// Cache, Adaptive for the others.
func WithPolicy(p Policy) Option {
	return func(c *config) {
		c.policy, c.chosen = p, true
		if err := p.check(); err != nil {
			c.fail(err)
		}
	}
}

// WithWeigher (Cache, Concurrent, Backed) makes the capacity count weight instead of
// entries: f returns the weight of an entry, in the unit of the capacity, and is
// called once a write, before anything is changed. An entry of weight 0 is pinned:
// it is never evicted. One heavier than the whole capacity is refused. It costs 4
// bytes an entry. Default: every entry weighs 1.
func WithWeigher[K comparable, V any](f func(key K, value V) uint32) Option {
	return func(c *config) { c.weigher = c.function("WithWeigher", f, f == nil) }
}

// WithTTL (Cache, Concurrent, Backed) gives entries a lifetime of d from their Set,
// after which no Get finds them. 0 is none. Lifetimes cost 16 bytes an entry, and no
// goroutine: what has ended leaves as the cache is used. Default: none.
func WithTTL(d time.Duration) Option {
	return func(c *config) {
		if c.ttl = d; d < 0 {
			c.fail(fmt.Errorf("lru: lifetime of WithTTL is %v, want at least 0", d))
		}
	}
}

// WithExpiry (Cache, Concurrent, Backed) gives each entry the lifetime that f
// returns for it, from its Set. 0 is that of WithTTL; a negative one has ended at
// once. It is called once a write, before anything is changed. Default: none.
func WithExpiry[K comparable, V any](f func(key K, value V) time.Duration) Option {
	return func(c *config) { c.expiry = c.function("WithExpiry", f, f == nil) }
}

// WithSliding (Cache, Concurrent, Backed) makes a hit restart the lifetime of its
// entry. It costs 8 bytes an entry more, and a look at the clock in each Get.
// Default: only a Set does.
func WithSliding() Option {
	return func(c *config) { c.sliding = true }
}

// WithJitter (Cache, Concurrent, Backed) shortens each lifetime at random by up to
// that fraction of it, 0 <= fraction <= 1, so that entries that came together do not
// all leave together. Default: 0.
func WithJitter(fraction float64) Option {
	return func(c *config) {
		if c.jitter = fraction; !(fraction >= 0 && fraction <= 1) {
			c.fail(fmt.Errorf("lru: fraction of WithJitter is %g, want 0 <= fraction <= 1", fraction))
		}
	}
}

// WithOnEvict (Cache, Concurrent, Backed) calls f for every entry that leaves, in
// the order in which they leave, when the change is complete and before the method
// returns. So f may use the cache. Where f panics, what is left to report comes with
// the next change. Default: none.
func WithOnEvict[K comparable, V any](f func(key K, value V, why Reason)) Option {
	return func(c *config) { c.onEvict = c.function("WithOnEvict", f, f == nil) }
}

// WithHasher (Cache, Concurrent, Backed) hashes keys by f, which must return the
// same for equal keys. With distkit.HashString a hash computed for a ring or a
// filter serves GetHashed and SetHashed too; use it for trusted keys only, since it
// is known to everybody, and the HashString of a distkit.Secret for others. It costs
// 4 bytes an entry for integer keys. Default: a hash seeded at random for every
// cache.
func WithHasher[K comparable](f func(key K) uint64) Option {
	return func(c *config) { c.hashing = c.function("WithHasher", f, f == nil) }
}

// WithShards (Concurrent, Backed) divides the cache into n parts, of which each is
// locked by itself, and which share the capacity; n is a power of two, at most
// 65536. More shards let more goroutines write at once, and loosen the order of
// eviction. Default: four for each processor that Go uses, as long as each has 64
// entries.
func WithShards(n int) Option {
	return func(c *config) {
		if c.shards = n; n < 1 || n > maxShards || n&(n-1) != 0 {
			c.fail(fmt.Errorf("lru: number of WithShards is %d, want a power of two, at most %d", n, maxShards))
		}
	}
}

// WithStats (Cache, Concurrent, Backed) counts hits and misses, which costs about 1
// ns a Get. What is off that path is counted anyway. Default: off.
func WithStats() Option {
	return func(c *config) { c.stats = true }
}

func (c *config) fail(err error) {
	if c.err == nil {
		c.err = err
	}
}

func (c *config) function(option string, f any, isNil bool) any {
	if isNil {
		c.fail(fmt.Errorf("lru: function of %s is nil", option))
	}
	return f
}

func newConfig(opts []Option) (config, error) {
	var c config
	for i, o := range opts {
		if o == nil {
			return c, fmt.Errorf("lru: option %d is nil", i)
		}
		o(&c)
	}
	return c, c.err
}

// typed stores in f the function of an option, whose types were inferred where
// the option was made and may be others than the cache's.
func typed[F any](f *F, given any, option string) error {
	if given == nil {
		return nil
	}
	fn, ok := given.(F)
	if !ok {
		return fmt.Errorf("lru: %s has a %T, want a %T", option, given, *f)
	}
	*f = fn
	return nil
}

// maxEntries is what 32-bit indexes reach, beside the heads of the lists.
func (c *Cache[K, V]) maxEntries() uint64 {
	heads := uint64(c.heads)
	if c.life.timed() {
		heads += wheelHeads
	}
	return math.MaxUint32 + 1 - heads
}

func (c *Cache[K, V]) checkCapacity(capacity int) error {
	switch {
	case capacity <= 0:
		return fmt.Errorf("lru: capacity is %d, want at least 1", capacity)
	case c.weigher == nil && uint64(capacity) > c.maxEntries():
		return fmt.Errorf("lru: capacity is %d entries, want at most %d", capacity, c.maxEntries())
	}
	return nil
}

const zeroCache = "lru: change of a zero Cache, make one with New"
