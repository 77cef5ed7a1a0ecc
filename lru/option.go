package lru

import (
	"fmt"
	"math"
)

// Option configures a constructor. Options are not generic: the types of those
// that take a function are inferred from it and checked by the constructor.
type Option func(*config)

type config struct {
	policy                    Policy
	stats                     bool
	weigher, onEvict, hashing any // functions of the constructor's K and V
	err                       error
}

// WithPolicy (Cache) chooses what is evicted. Default: LRU.
func WithPolicy(p Policy) Option {
	return func(c *config) {
		c.policy = p
		if err := p.check(); err != nil {
			c.fail(err)
		}
	}
}

// WithWeigher (Cache) makes the capacity count weight instead of entries: f
// returns the weight of an entry, in the unit of the capacity, and is called once
// a write, before anything is changed. An entry of weight 0 is pinned: it is
// never evicted. One heavier than the whole capacity is refused. It costs 4 bytes
// an entry. Default: every entry weighs 1.
func WithWeigher[K comparable, V any](f func(key K, value V) uint32) Option {
	return func(c *config) { c.weigher = c.function("WithWeigher", f, f == nil) }
}

// WithOnEvict (Cache) calls f for every entry that leaves, in the order in which
// they leave, when the change is complete and before the method returns. So f may
// use the cache. Where f panics, what is left to report comes with the next
// change. Default: none.
func WithOnEvict[K comparable, V any](f func(key K, value V, why Reason)) Option {
	return func(c *config) { c.onEvict = c.function("WithOnEvict", f, f == nil) }
}

// WithHasher (Cache) hashes keys by f, which must return the same for equal
// keys. With distkit.HashString a hash computed for a ring or a filter serves
// GetHashed and SetHashed too; use it for trusted keys only, since it is known to
// everybody, and the HashString of a distkit.Secret for others. It costs 4 bytes
// an entry for integer keys. Default: a hash seeded at random for every cache.
func WithHasher[K comparable](f func(key K) uint64) Option {
	return func(c *config) { c.hashing = c.function("WithHasher", f, f == nil) }
}

// WithStats (Cache) counts hits and misses, which costs about 1 ns a Get. What
// is off that path is counted anyway. Default: off.
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
func (c *Cache[K, V]) maxEntries() uint64 { return math.MaxUint32 + 1 - uint64(c.heads) }

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
