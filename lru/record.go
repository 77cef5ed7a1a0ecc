package lru

import (
	"math"
	"math/rand/v2"
	"time"
)

// dated is an entry of a Backed cache. What it says about time is in nanoseconds
// of the cache's clock.
type dated[V any] struct {
	value  V
	born   int64  // when it was loaded or set
	ends   int64  // its lifetime, after which it may be kept for StaleIfError
	took   uint32 // microseconds to load it
	absent bool   // the Store has no value
}

func (r *dated[V]) answer() (V, error) {
	if r.absent {
		return r.value, ErrNotFound
	}
	return r.value, nil
}

// condition is what a record is good for.
type condition uint8

const (
	good  condition = iota
	aged            // good, and to be loaded anew
	spent           // to be loaded; good if that fails
)

// aging is what there is to know about the time of records.
type aging[K comparable, V any] struct {
	lifetimes[K, V]
	refresh, stale, negative time.Duration
	beta                     float64
}

// ages says whether the condition of a value depends on the time; otherwise the
// cache takes it out when it ends.
func (a *aging[K, V]) ages() bool { return a.refresh > 0 || a.stale > 0 || a.beta > 0 }

// condition returns that of r, for a Get.
func (a *aging[K, V]) condition(r *dated[V]) condition {
	if !r.absent && !a.ages() {
		return good
	}
	now := a.clock.now()
	switch {
	case now >= r.ends:
		return spent
	case r.absent:
		return good
	case a.refresh > 0 && now-r.born >= int64(a.refresh):
		return aged
	case a.beta > 0 && r.ends != never && a.early(r, now):
		return aged
	}
	return good
}

// early decides by XFetch.
func (a *aging[K, V]) early(r *dated[V], now int64) bool {
	ahead := float64(r.took) * 1e3 * a.beta * -math.Log(1-rand.Float64())
	return ahead >= float64(r.ends-now)
}

// value returns a record of a value that comes now, and how long the cache is to
// keep it: 0 is for ever, less has ended.
func (a *aging[K, V]) value(key K, value V, took time.Duration) (dated[V], time.Duration) {
	r := dated[V]{value: value, ends: never, took: uint32(min(max(took.Microseconds(), 0), math.MaxUint32))}
	life := a.lifetime(key, value, 0)
	if life == 0 && a.refresh == 0 || life < 0 || a.sliding && a.refresh == 0 {
		return r, life
	}
	r.born = a.clock.now()
	if life == 0 || a.sliding {
		return r, life
	}
	r.ends = a.deadline(r.born, life)
	return r, time.Duration(later(r.ends-r.born, a.stale))
}

// absence is value where there is none.
func (a *aging[K, V]) absence() (dated[V], time.Duration) {
	now := a.clock.now()
	r := dated[V]{ends: a.deadline(now, a.negative), absent: true}
	return r, time.Duration(r.ends - now)
}

// over says whether the lifetime of r has ended.
func (a *aging[K, V]) over(r *dated[V]) bool {
	return (r.absent || a.stale > 0) && a.clock.now() >= r.ends
}

// entry is a record with what the cache is to know of it.
type entry[V any] struct {
	dated[V]
	weight uint32
	life   time.Duration
}

// entry asks the functions of the user about a value that comes now. It is called
// with no lock held.
func (b *Backed[K, V]) entry(key K, value V, took time.Duration) entry[V] {
	r, life := b.aging.value(key, value, took)
	return b.weighed(key, r, life)
}

func (b *Backed[K, V]) weighed(key K, r dated[V], life time.Duration) entry[V] {
	w, life := b.cache.engine().model.terms(key, r, life)
	return entry[V]{r, w, life}
}

// keep makes e what is cached of key, or nothing. It is called with the lock of the
// desk held.
func (b *Backed[K, V]) keep(h uint64, key K, cache bool, e entry[V]) departures[K, dated[V]] {
	if cache {
		return b.cache.setQuietly(h, key, e.dated, e.weight, e.life)
	}
	return b.cache.deleteQuietly(h, key)
}
