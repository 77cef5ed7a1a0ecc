package lru_test

import (
	"container/list"
	"testing"

	"github.com/distkit/distkit/lru"
	"github.com/stretchr/testify/require"
)

// twin is the cache by its definition: a map and a list from the oldest entry to
// the newest, pinned ones in a list of their own, and all that leaves in a log.
type twin[K comparable, V any] struct {
	capacity uint64
	weigh    func(K, V) uint32
	entries  map[K]*list.Element
	order    *list.List
	pinned   *list.List
	log      []left[K, V]
}

type twinEntry[K comparable, V any] struct {
	key    K
	value  V
	weight uint64
}

type left[K comparable, V any] struct {
	key   K
	value V
	why   lru.Reason
}

func newTwin[K comparable, V any](capacity int, weigh func(K, V) uint32) *twin[K, V] {
	if weigh == nil {
		weigh = func(K, V) uint32 { return 1 }
	}
	return &twin[K, V]{uint64(capacity), weigh, map[K]*list.Element{}, list.New(), list.New(), nil}
}

func (t *twin[K, V]) entry(e *list.Element) *twinEntry[K, V] { return e.Value.(*twinEntry[K, V]) }

func (t *twin[K, V]) weight() (sum uint64) {
	for e := t.order.Front(); e != nil; e = e.Next() {
		sum += t.entry(e).weight
	}
	return sum
}

func (t *twin[K, V]) get(key K) (value V, ok bool) {
	e := t.entries[key]
	if e == nil {
		return value, false
	}
	t.order.MoveToBack(e) // one of the two does nothing
	t.pinned.MoveToBack(e)
	return t.entry(e).value, true
}

func (t *twin[K, V]) remove(key K, why lru.Reason) (value V, ok bool) {
	e := t.entries[key]
	if e == nil {
		return value, false
	}
	delete(t.entries, key)
	t.order.Remove(e)
	t.pinned.Remove(e)
	t.log = append(t.log, left[K, V]{key, t.entry(e).value, why})
	return t.entry(e).value, true
}

func (t *twin[K, V]) set(key K, value V) bool {
	w := uint64(t.weigh(key, value))
	t.remove(key, lru.Replaced)
	if w > t.capacity {
		return false
	}
	t.shrink(w)
	e := &twinEntry[K, V]{key, value, w}
	if w == 0 {
		t.entries[key] = t.pinned.PushBack(e)
	} else {
		t.entries[key] = t.order.PushBack(e)
	}
	return true
}

func (t *twin[K, V]) shrink(room uint64) {
	for t.weight()+room > t.capacity {
		t.evict()
	}
}

func (t *twin[K, V]) evict() (key K, value V, ok bool) {
	if e := t.order.Front(); e != nil {
		key, value, ok = t.entry(e).key, t.entry(e).value, true
		t.remove(key, lru.Capacity)
	}
	return key, value, ok
}

// all returns keys and values, oldest first, pinned ones last.
func (t *twin[K, V]) all() (keys []K, values []V) {
	for _, l := range []*list.List{t.order, t.pinned} {
		for e := l.Front(); e != nil; e = e.Next() {
			keys, values = append(keys, t.entry(e).key), append(values, t.entry(e).value)
		}
	}
	return keys, values
}

// same demands that c holds what the twin holds, in its order.
func same[K comparable, V any](t *testing.T, slow *twin[K, V], c *lru.Cache[K, V]) {
	t.Helper()
	keys, values := slow.all()
	at := 0
	for k, v := range c.All() {
		require.Less(t, at, len(keys))
		require.Equal(t, keys[at], k)
		require.Equal(t, values[at], v)
		at++
	}
	require.Equal(t, len(keys), at)
	for k, v := range c.Backward() {
		at--
		require.Equal(t, keys[at], k)
		require.Equal(t, values[at], v)
	}
	require.Equal(t, len(keys), c.Len())
	require.Equal(t, slow.weight(), c.Weight())
}

// check verifies the invariants of c.
func check[K comparable, V any](t *testing.T, c *lru.Cache[K, V]) {
	t.Helper()
	require.NoError(t, lru.Check(c))
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
