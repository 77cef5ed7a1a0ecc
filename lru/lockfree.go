package lru

import (
	"reflect"
	"sync/atomic"
)

// Under SIEVE, S3FIFO and Adaptive a look-up needs no lock: a hit changes no order
// there and then, it only counts, and the policy catches up when it comes to decide
// about the entry. What follows lets goroutines read a shard's cache while another,
// which holds the lock, changes it.
//
//	view -> groups of the table -> number of a node -> its key and value
//
// Whatever they both touch is accessed by atomic loads and stores. There are two
// representations of an entry:
//
//   - If key and value have no pointers and 64 bytes at most, they are in the node,
//     and copied word by word. Then nothing is allocated for an entry.
//   - Else the node has a box, a copy of both that never changes, and the pointer to
//     it does. The garbage collector knows when the last reader is done.
//
// A reader believes a hit if the group has the version that it had before, so that
// nothing left it nor changed its value meanwhile, and the view is the one that it
// began with, so that it did not read what was given up. Else it takes the lock. It
// believes a miss in any case: an entry only moves within the table when the table
// is made anew, and the old one stays as it was for those who read it, so who does
// not find a key came at a moment when it was not there.

// sharing is what a cache needs for that beside what it has.
type sharing[K comparable, V any] struct {
	view  *atomic.Pointer[view[K, V]] // the shard's; nil before the cache has one
	boxed bool
	boxes []atomic.Pointer[box[K, V]] // by node, if boxed
	marks []atomic.Uint32             // a byte for each node: the hits yet to be counted
	most  uint32                      // of those
	heard *heard                      // under Adaptive
	votes *votes                      // under Adaptive, of all shards
	dirty uint32                      // a free node that still has a key and value, or none
}

// box is an entry that does not change.
type box[K comparable, V any] struct {
	key   K
	value V
}

// view is where readers find everything. A slice that has to grow is replaced, and
// so is the view then.
type view[K comparable, V any] struct {
	groups    []group
	secret    uint64
	nodes     []node[K, V]
	boxes     []atomic.Pointer[box[K, V]]
	marks     []atomic.Uint32
	deadlines []int64 // or nil
	quiet     *atomic.Int64
	most      uint32
	heard     *heard // or nil
}

const marksPerWord = 4

// mostMarks returns up to how many hits of an entry p wants to know of, or 0 if it
// must know of each at once.
func (p Policy) mostMarks() uint32 {
	switch p {
	case SIEVE, Adaptive:
		return 1
	case S3FIFO:
		return hitsMask
	}
	return 0
}

func newSharing[K comparable, V any](p Policy) *sharing[K, V] {
	s := &sharing[K, V]{boxed: !wordwise[K, V](), most: p.mostMarks()}
	if p == Adaptive {
		s.heard = new(heard)
	}
	return s
}

// plain says whether a type has no pointers.
func plain(t reflect.Type) bool {
	switch k := t.Kind(); {
	case reflect.Bool <= k && k <= reflect.Complex128:
		return true
	case k == reflect.Array:
		return t.Len() == 0 || plain(t.Elem())
	case k == reflect.Struct:
		for field := range t.Fields() {
			if !plain(field.Type) {
				return false
			}
		}
		return true
	}
	return false
}

func (s *sharing[K, V]) reset(nodes int) {
	s.marks, s.boxes, s.dirty = nil, nil, none
	s.grow(nodes)
}

// grow makes room for nodes below n. Hits that are marked meanwhile are lost.
func (s *sharing[K, V]) grow(n int) {
	marks := make([]atomic.Uint32, (n+marksPerWord-1)/marksPerWord)
	for i := range s.marks {
		marks[i].Store(s.marks[i].Load())
	}
	s.marks = marks
	if s.boxed {
		boxes := make([]atomic.Pointer[box[K, V]], n)
		for i := range s.boxes {
			boxes[i].Store(s.boxes[i].Load())
		}
		s.boxes = boxes
	}
}

// write makes key and value those of node i.
func (s *sharing[K, V]) write(n *node[K, V], i uint32, key K, value V) {
	if s.boxed {
		n.key, n.value = key, value
		s.boxes[i].Store(&box[K, V]{key, value})
	} else {
		storeWords(n, &node[K, V]{key: key, value: value})
	}
}

// erase forgets key and value of node i.
func (s *sharing[K, V]) erase(n *node[K, V], i uint32) {
	if s.boxed {
		n.key, n.value = *new(K), *new(V)
		s.boxes[i].Store(nil)
	} else {
		storeWords(n, new(node[K, V]))
	}
}

// seen returns how many hits of node i were marked since it was last asked.
func (s *sharing[K, V]) seen(i uint32) uint32 {
	if s == nil {
		return 0
	}
	w, shift := &s.marks[i/marksPerWord], i%marksPerWord*8
	if w.Load()>>shift&0xff == 0 {
		return 0
	}
	return w.And(^(0xff << shift)) >> shift & 0xff
}

// mark counts a hit of node i, unless another goroutine gets in between. A hot entry
// has as many as count, so its hits write nothing.
func (v *view[K, V]) mark(i uint32) {
	w, shift := &v.marks[i/marksPerWord], i%marksPerWord*8
	if marks := w.Load(); marks>>shift&0xff < v.most {
		w.CompareAndSwap(marks, marks+1<<shift)
	}
}

// publish shows readers what c consists of now.
func (c *Cache[K, V]) publish() {
	if c.sharing == nil || c.sharing.view == nil {
		return
	}
	v := &view[K, V]{groups: c.table.groups, secret: c.table.secret, nodes: c.nodes, boxes: c.boxes, marks: c.marks, most: c.most, heard: c.heard}
	if c.life.wheel != nil {
		v.deadlines, v.quiet = c.life.wheel.deadlines, &c.life.wheel.quiet
	}
	c.sharing.view.Store(v)
}

// attach makes c, which is shared, the cache that readers of s see, instead of the
// one that is there.
func (s *shard[K, V]) attach(c *Cache[K, V]) {
	if s.core != nil && s.core.sharing != nil {
		s.core.sharing.view = nil
	}
	if s.core = c; c.sharing != nil {
		c.sharing.view = &s.view
		c.publish()
	}
}

// lookUp finds key, whose hash is h, without the lock. It is not sure where something
// changes at that moment, or where the entry may have ended: then the lock must
// decide. Nor is it when it was first to read the clock for a while, as somebody must
// take out what has ended. It is one function, which calls none where nothing ends and
// keys are numbers: that makes a hit faster by a sixth.
func (e *engine[K, V]) lookUp(h uint64, key K, access bool) (value V, ok, sure bool) {
	x := e.hash.mixed(h)
	s, place := e.of(x), uint32(x)
	v := s.view.Load()
	if len(v.groups) == 0 {
		return value, false, true
	}
	spread := spread(v.secret, place)
	for at := startOf(v.groups, spread); ; at = nextOf(v.groups, at) {
		g := &v.groups[at]
		version := atomic.LoadUint32(&g.nodes[versionSlot])
		control := atomic.LoadUint64(&g.control)
		for m := matches(control, tag(spread)); m != 0; m &= m - 1 {
			i, nodes := atomic.LoadUint32(&g.nodes[slot(m)]), v.nodes
			if uint64(i) >= uint64(len(nodes)) {
				return value, false, false
			}
			if v.boxes == nil {
				var n node[K, V]
				if loadWords(&n, &nodes[i]); n.key != key {
					continue
				}
				value = n.value
			} else {
				b := v.boxes[i].Load()
				if b == nil || b.key != key {
					continue
				}
				value = b.value
			}
			if v.deadlines != nil && !v.lives(i, &e.clock) ||
				atomic.LoadUint32(&g.nodes[versionSlot]) != version&^1 || s.view.Load() != v {
				return value, false, false
			}
			if access {
				v.mark(i)
				if v.heard != nil && v.heard.wants(place) {
					v.heard.add(place)
				}
			}
			return value, true, true
		}
		if empties(control) != 0 {
			return value, false, true
		}
	}
}

// lives says whether node i has not ended for certain, and nobody need look for what
// has.
func (v *view[K, V]) lives(i uint32, clock *clock) bool {
	if last := clock.last.Load(); last != stale && v.quiet.Load() > last+int64(horizon) {
		return true
	}
	end := atomic.LoadInt64(&v.deadlines[i])
	if end == never {
		return true
	}
	sure, read := clock.fresh()
	return !read && end > sure
}
