package lru_test

import (
	"slices"
	"testing"

	"github.com/distkit/distkit/lru"
	"github.com/stretchr/testify/require"
)

// twin is the cache by its definition: a map, the policy as a simulator, pinned
// keys in a slice of their own, and all that leaves in a log.
type twin[K comparable, V any] struct {
	policy   lru.Policy
	capacity uint64
	weigh    func(K, V) uint32
	entries  map[K]*twinEntry[V]
	weight   uint64 // of all entries
	sim      simulator[K]
	pinned   []K
	log      []left[K, V]
}

type twinEntry[V any] struct {
	value  V
	weight uint64
}

type left[K comparable, V any] struct {
	key   K
	value V
	why   lru.Reason
}

func newTwin[K comparable, V any](p lru.Policy, capacity int, weigh func(K, V) uint32) *twin[K, V] {
	t := &twin[K, V]{policy: p, capacity: uint64(capacity), weigh: weigh, entries: map[K]*twinEntry[V]{}}
	if weigh == nil {
		t.weigh = func(K, V) uint32 { return 1 }
	}
	t.sim = newSimulator[K](p, weigh != nil)
	t.sim.resize(t.capacity)
	return t
}

// access moves a pinned key where the order is by access.
func (t *twin[K, V]) access(key K, notify func(K)) {
	switch {
	case t.entries[key].weight > 0:
		notify(key)
	case t.policy == lru.LRU || t.policy == lru.MRU:
		t.pinned = append(without(t.pinned, key), key)
	}
}

func (t *twin[K, V]) get(key K) (value V, ok bool) {
	e := t.entries[key]
	if e == nil {
		return value, false
	}
	t.access(key, t.sim.hit)
	return e.value, true
}

func (t *twin[K, V]) remove(key K, why lru.Reason) (value V, ok bool) {
	e := t.entries[key]
	if e == nil {
		return value, false
	}
	if e.weight == 0 {
		t.pinned = without(t.pinned, key)
	} else {
		t.sim.remove(key)
	}
	t.drop(key, why)
	return e.value, true
}

func (t *twin[K, V]) drop(key K, why lru.Reason) {
	e := t.entries[key]
	delete(t.entries, key)
	t.weight -= e.weight
	t.log = append(t.log, left[K, V]{key, e.value, why})
}

func (t *twin[K, V]) set(key K, value V) bool {
	w := uint64(t.weigh(key, value))
	e := t.entries[key]
	switch {
	case w > t.capacity:
		t.remove(key, lru.Replaced)
		return false
	case e == nil:
		if w > 0 {
			t.sim.miss(key)
		}
		t.shrink(w, nil)
		t.entries[key] = &twinEntry[V]{value, w}
		t.weight += w
		t.enter(key)
		return true
	}
	t.log = append(t.log, left[K, V]{key, e.value, lru.Replaced})
	e.value = value
	t.weight += w - e.weight
	switch old := e.weight; {
	case old == w:
		t.access(key, t.sim.set)
	case old == 0:
		e.weight = w
		t.pinned = without(t.pinned, key)
		t.enter(key)
	case w == 0:
		e.weight = w
		t.sim.remove(key)
		t.enter(key)
	default:
		e.weight = w
		t.sim.reweigh(key, w)
		t.sim.set(key)
	}
	t.shrink(0, &key)
	return true
}

func (t *twin[K, V]) enter(key K) {
	if w := t.entries[key].weight; w > 0 {
		t.sim.insert(key, w)
	} else {
		t.pinned = append(t.pinned, key)
	}
}

func (t *twin[K, V]) shrink(room uint64, keep *K) {
	for t.weight+room > t.capacity {
		t.evict(keep)
	}
}

func (t *twin[K, V]) evict(keep *K) (key K, value V, ok bool) {
	if t.weight == 0 {
		return key, value, false
	}
	key = t.sim.evict(keep)
	value = t.entries[key].value
	t.drop(key, lru.Capacity)
	return key, value, true
}

func (t *twin[K, V]) resize(capacity int) {
	t.capacity = uint64(capacity)
	t.sim.resize(t.capacity)
	t.shrink(0, nil)
}

func (t *twin[K, V]) clear() {
	for _, k := range t.keys() {
		t.log = append(t.log, left[K, V]{k, t.entries[k].value, lru.Cleared})
	}
	clear(t.entries)
	t.pinned, t.weight = nil, 0
	t.sim.clear()
}

// keys returns all keys in the order of iteration, pinned ones last.
func (t *twin[K, V]) keys() []K { return append(t.sim.order(), t.pinned...) }

func without[K comparable](keys []K, key K) []K {
	if i := slices.Index(keys, key); i >= 0 {
		return slices.Delete(keys, i, i+1)
	}
	return keys
}

// same demands that c holds what the twin holds, in its order.
func same[K comparable, V any](t *testing.T, slow *twin[K, V], c cache[K, V]) {
	t.Helper()
	want := slow.keys()
	var forth, back []K
	for k, v := range c.All() {
		forth = append(forth, k)
		if e := slow.entries[k]; e == nil || any(e.value) != any(v) {
			require.Failf(t, "wrong entry", "key %v has value %v, want %+v", k, v, e)
		}
	}
	for k := range c.Backward() {
		back = append(back, k)
	}
	slices.Reverse(back)
	if !slices.Equal(forth, want) || !slices.Equal(back, want) {
		require.Failf(t, "wrong order", "All yields %v, Backward reversed %v, want %v", forth, back, want)
	}
	require.Equal(t, len(want), c.Len())
	require.Equal(t, slow.weight, c.Weight())
}

// check verifies the invariants of a cache.
func check(t *testing.T, c interface{ Check() error }) {
	t.Helper()
	require.NoError(t, c.Check())
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
