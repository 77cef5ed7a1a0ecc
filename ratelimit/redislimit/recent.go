package redislimit

import (
	"hash/maphash"
	"sync"
)

// recent remembers something about the keys that were touched within a span of time,
// and forgets it after at most two: each shard has two generations of keys, and the
// old one goes as a whole. It holds at most 2*shards*perGeneration keys, whatever
// comes in.
type recent[V any] struct {
	span   int64
	shards [shards]generations[V]
}

const (
	shards        = 16
	perGeneration = 2048
)

// generations are to be locked by their users.
type generations[V any] struct {
	sync.Mutex
	young, old map[uint64]V
	turned     int64
	hits       uint64 // what was answered from here
	_          [64]byte
}

// seed makes it hopeless to find keys that share a hash.
var seed = maphash.MakeSeed()

func hashOf(key string) uint64 { return maphash.String(seed, key) }

func (r *recent[V]) shard(h uint64) *generations[V] { return &r.shards[h%shards] }

// get returns what is remembered about the key of h.
func (g *generations[V]) get(h uint64) (v V, ok bool) {
	if v, ok = g.young[h]; ok {
		return v, true
	}
	v, ok = g.old[h]
	return v, ok
}

// put remembers v about the key of h, which keeps it young, at instant now.
func (g *generations[V]) put(h uint64, v V, now, span int64) {
	_, young := g.young[h]
	if age := now - g.turned; age >= span || len(g.young) >= perGeneration && !young {
		if age >= 2*span {
			g.young = nil
		}
		g.old, g.young, g.turned = g.young, nil, now
	}
	if g.young == nil {
		g.young = map[uint64]V{}
	}
	g.young[h] = v
}

// drop forgets the key of h.
func (g *generations[V]) drop(h uint64) {
	delete(g.young, h)
	delete(g.old, h)
}

// hits returns how many answers came from here.
func (r *recent[V]) hits() (n uint64) {
	for i := range r.shards {
		g := &r.shards[i]
		g.Lock()
		n += g.hits
		g.Unlock()
	}
	return n
}
