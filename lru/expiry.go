package lru

import (
	"math/rand/v2"
	"time"
)

// lifetimes is what a cache needs where entries end by themselves.
type lifetimes[K comparable, V any] struct {
	usual   time.Duration // WithTTL; 0 for none
	by      func(K, V) time.Duration
	jitter  float64
	sliding bool

	clock    clock
	wheel    *wheel          // nil before the first lifetime
	restarts []time.Duration // by node, with sliding: the lifetime that a hit restarts
	reads    uint8
}

// promptly is how many entries one call takes out, or looks at, beside what it is
// for. The rest comes with later calls, unless it must be now.
const promptly = 1000

// readsPerLook is how many Gets there are for each that looks for what has ended.
const readsPerLook = 64

// timed says whether an entry may have a lifetime that its Set did not name.
func (l *lifetimes[K, V]) timed() bool { return l.wheel != nil || l.usual != 0 || l.by != nil }

// lifetime returns the lifetime of a new value, 0 for one that never ends.
func (l *lifetimes[K, V]) lifetime(key K, value V, given time.Duration) time.Duration {
	if given == 0 && l.by != nil {
		given = l.by(key, value)
	}
	if given == 0 {
		return l.usual
	}
	return given
}

// deadline returns when a lifetime that starts now ends.
func (l *lifetimes[K, V]) deadline(now int64, life time.Duration) int64 {
	if life == 0 {
		return never
	}
	if l.jitter > 0 {
		life = max(1, life-time.Duration(float64(life)*l.jitter*rand.Float64()))
	}
	return later(now, life)
}

// startTiming makes room for deadlines.
func (c *Cache[K, V]) startTiming(now int64) {
	c.life.wheel = newWheel(now, len(c.nodes))
	c.life.wheel.shared = c.sharing != nil
	c.watched = true
	if c.life.sliding {
		c.life.restarts = make([]time.Duration, len(c.nodes))
	}
	c.publish()
}

// start gives entry i, which has a new value, its lifetime.
func (c *Cache[K, V]) start(i uint32, now int64, life time.Duration) {
	c.goOn(i, now, c.life.deadline(now, life), life)
}

// goOn gives entry i a lifetime that began earlier, and what a hit restarts.
func (c *Cache[K, V]) goOn(i uint32, now, deadline int64, life time.Duration) {
	l := &c.life
	if l.wheel == nil {
		if deadline == never {
			return
		}
		c.startTiming(now)
	}
	l.wheel.set(i, deadline)
	if l.sliding {
		l.restarts[i] = life
	}
}

// dead says whether entry i has ended.
func (c *Cache[K, V]) dead(i uint32, now int64) bool {
	return c.life.wheel != nil && c.life.wheel.deadlines[i] <= now
}

// deadYet is dead at the time it is. It changes nothing.
func (c *Cache[K, V]) deadYet(i uint32) bool {
	return c.life.wheel != nil && c.life.wheel.deadlines[i] != never && c.dead(i, c.life.clock.now())
}

// current returns i, or none if i is none or has ended, and takes it out then. It
// reads the clock only where the answer or a sliding lifetime depends on it.
func (c *Cache[K, V]) current(i uint32) uint32 {
	l := &c.life
	if l.wheel == nil {
		return i
	}
	l.reads++
	if l.reads%readsPerLook != 0 && (i == none || !l.sliding && l.wheel.deadlines[i] > l.clock.sure()) {
		return i
	}
	return c.currentAt(l.clock.now(), i)
}

// livesOn says that entry i has not ended, where that is known without the clock and a
// Get has nothing else to do about lifetimes and counts. Where nothing ends soon, its
// deadline is not read, which lies in a cache line of its own.
func (c *Cache[K, V]) livesOn(i uint32) bool {
	l := &c.life
	if i == none || c.counting || l.sliding || l.wheel == nil || (l.reads+1)%readsPerLook == 0 {
		return false
	}
	last := l.clock.last.Load()
	sure := last + int64(horizon)
	if last == stale || l.wheel.quiet.Load() <= sure && l.wheel.deadlines[i] <= sure {
		return false
	}
	l.reads++
	return true
}

func (c *Cache[K, V]) currentAt(now int64, i uint32) uint32 {
	l := &c.life
	if i != none && l.wheel.deadlines[i] <= now {
		c.expire(i)
		i = none
	}
	if i != none && l.sliding && l.restarts[i] != 0 {
		l.wheel.set(i, l.deadline(now, l.restarts[i]))
	}
	if l.reads%readsPerLook == 0 {
		c.advance(now, promptly)
	}
	return i
}

// expire takes out i, which has ended.
func (c *Cache[K, V]) expire(i uint32) {
	c.stats.Expirations++
	c.remove(i, Expired)
}

// advance takes out what has ended, and looks at no more than that many entries.
func (c *Cache[K, V]) advance(now int64, budget int) (expired int) {
	w := c.life.wheel
	w.move(now)
	for i, ok := w.take(&budget); ok; i, ok = w.take(&budget) {
		c.expire(i)
		expired++
	}
	if w.quiet.Load() <= now {
		w.calm()
	}
	return expired
}

const all = int(^uint(0) >> 1) // a budget without a bound

// GetAt is Get at a time of the caller's clock.
func (c *Cache[K, V]) GetAt(now time.Time, key K) (value V, ok bool) {
	i := c.find(c.hash.place(c.hash.sum(key)), key)
	if c.life.wheel != nil {
		c.life.reads++
		i = c.currentAt(c.life.clock.at(now), i)
	}
	return c.gotWatched(i)
}

// SetWithTTL is Set of an entry that ends ttl from now: no Get finds it then. A ttl
// of 0 means the lifetime by WithExpiry or else WithTTL; a negative one has ended
// already, so that no value of key is left. Lifetimes reach to the end of time, 292
// years from now.
func (c *Cache[K, V]) SetWithTTL(key K, value V, ttl time.Duration) bool {
	if c.capacity == 0 {
		panic(zeroCache)
	}
	return c.setReported(c.life.clock.now(), c.hash.sum(key), key, value, ttl)
}

// SetAt is SetWithTTL at a time of the caller's clock.
func (c *Cache[K, V]) SetAt(now time.Time, key K, value V, ttl time.Duration) bool {
	if c.capacity == 0 {
		panic(zeroCache)
	}
	return c.setReported(c.life.clock.at(now), c.hash.sum(key), key, value, ttl)
}

// TTL returns how long the entry of key has yet to live, and true if there is one.
// For one that does not end it is the longest Duration, 292 years. It is no access.
func (c *Cache[K, V]) TTL(key K) (time.Duration, bool) {
	if c.life.wheel == nil {
		return c.ttl(key, 0)
	}
	return c.ttl(key, c.life.clock.now())
}

// TTLAt is TTL at a time of the caller's clock.
func (c *Cache[K, V]) TTLAt(now time.Time, key K) (time.Duration, bool) {
	return c.ttl(key, c.life.clock.at(now))
}

func (c *Cache[K, V]) ttl(key K, now int64) (time.Duration, bool) {
	i := c.find(c.hash.place(c.hash.sum(key)), key)
	if i == none || c.dead(i, now) {
		return 0, false
	}
	return c.remaining(i, now), true
}

// remaining returns how long i, which has not ended, has yet to live.
func (c *Cache[K, V]) remaining(i uint32, now int64) time.Duration {
	if c.life.wheel == nil || c.life.wheel.deadlines[i] == never {
		return never
	}
	if d := c.life.wheel.deadlines[i] - now; d > 0 {
		return time.Duration(d)
	}
	return never // more than a Duration holds
}

// DeleteExpired takes out all entries that have ended, and returns how many. It
// need not be called: they are never found, and they go when room is needed and, a
// thousand at a time at most, whenever the cache is used.
func (c *Cache[K, V]) DeleteExpired() int {
	if c.life.wheel == nil {
		return 0
	}
	return c.deleteExpired(c.life.clock.now())
}

// DeleteExpiredAt is DeleteExpired at a time of the caller's clock.
func (c *Cache[K, V]) DeleteExpiredAt(now time.Time) int {
	if c.life.wheel == nil {
		return 0
	}
	return c.deleteExpired(c.life.clock.at(now))
}

func (c *Cache[K, V]) deleteExpired(now int64) int {
	n := c.advance(now, all)
	c.report()
	return n
}
