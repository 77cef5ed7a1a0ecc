package lru

import (
	"cmp"
	"errors"
	"io"
	"math"
	"slices"
)

// Snapshot returns a copy of c as a Cache, of the same capacity and options but for
// WithOnEvict: of every shard at one moment, and of one after another. The shards'
// orders are laid into one another.
func (c *Concurrent[K, V]) Snapshot() *Cache[K, V] {
	e := c.made.Load()
	if e == nil {
		return new(Cache[K, V])
	}
	return e.snapshot()
}

// WriteTo writes an image of c, which is that of its Snapshot, and returns its
// length; see [Cache.WriteTo].
func (c *Concurrent[K, V]) WriteTo(w io.Writer) (int64, error) {
	e := c.made.Load()
	if e == nil {
		return 0, errors.New("lru: zero Concurrent has nothing to encode, make one with NewConcurrent")
	}
	return e.snapshot().WriteTo(w)
}

// ReadFrom replaces the entries by those of an image, of a Cache or a Concurrent; see
// [Cache.ReadFrom]. No change of another goroutine comes between, and loads under way
// are too old for what it brings. A Get that takes no lock may find it in one shard
// before another.
func (c *Concurrent[K, V]) ReadFrom(r io.Reader) (int64, error) {
	var image Cache[K, V]
	e := c.made.Load()
	if e != nil {
		image = *e.model.like(e.capacity.Load())
		image.onEvict = nil
	}
	n, err := image.ReadFrom(r)
	if err != nil {
		return n, err
	}
	if e == nil {
		fresh, err := newEngine[K, V](image.Cap(), []Option{WithPolicy(image.policy)})
		if err != nil {
			return n, err
		}
		if e = fresh; !c.made.CompareAndSwap(nil, fresh) {
			e = c.made.Load()
		}
	}
	e.adopt(&image)
	return n, nil
}

// copied is an entry on its way to another cache.
type copied[K comparable, V any] struct {
	record[K, V]
	place, weight uint32
	deadline      int64
	list          uint32  // at which place in iterations its list comes
	rank          float64 // in that list, between 0 and 1
}

// copies appends the entries of c that have not ended, in the order of iterations.
func (c *Cache[K, V]) copies(to []copied[K, V]) []copied[K, V] {
	first := len(to)
	c.eachCopy(func(r copied[K, V]) {
		if len(to) > first && to[first].list != r.list {
			rank(to[first:])
			first = len(to)
		}
		to = append(to, r)
	})
	rank(to[first:])
	return to
}

// rank tells the entries of a list where they are in it.
func rank[K comparable, V any](list []copied[K, V]) {
	for k := range list {
		list[k].rank = float64(k) / float64(len(list))
	}
}

// eachCopy visits what copies appends, of which none has its rank.
func (c *Cache[K, V]) eachCopy(visit func(r copied[K, V])) {
	if p, ok := c.chooser.(*adaptive[K, V]); ok {
		p.settle()
	}
	for at := range c.heads {
		list := c.inOrder(at)
		c.walkList(list, func(i uint32) {
			r := copied[K, V]{place: c.placeOf(i), weight: uint32(c.weightOf(i)), list: at, deadline: never}
			r.key, r.value = c.nodes[i].key, c.nodes[i].value
			if c.chooser != nil && list != pinned {
				r.note, r.noted = c.chooser.note(i), true
			}
			if c.life.wheel != nil {
				r.deadline = c.life.wheel.deadlines[i]
				if c.life.sliding {
					r.life = c.life.restarts[i]
				}
			}
			visit(r)
		})
	}
}

// walkList visits a list, oldest first, without what has ended.
func (c *Cache[K, V]) walkList(list uint32, visit func(i uint32)) {
	alive := c.living(func(i uint32) bool { visit(i); return true })
	for i := c.nodes[list].newer; i != list; i = c.nodes[i].newer {
		alive(i)
	}
}

// add puts in a copy as the newest entry. There must be room.
func (c *Cache[K, V]) add(r *copied[K, V], now int64) {
	i := c.hold(r.place, r.key, r.value, r.weight)
	if r.noted {
		c.chooser.restore(i, r.note)
	} else {
		c.enter(i, r.place)
	}
	c.goOn(i, now, r.deadline, r.life)
}

func (e *engine[K, V]) snapshot() *Cache[K, V] {
	var all []copied[K, V]
	for k := range e.shards {
		s := &e.shards[k]
		s.mu.Lock()
		all = s.core.copies(all)
		s.mu.Unlock()
	}
	slices.SortStableFunc(all, func(a, b copied[K, V]) int {
		if c := cmp.Compare(a.list, b.list); c != 0 {
			return c
		}
		if c := cmp.Compare(a.note, b.note); c != 0 && e.model.policy == LFU {
			return c
		}
		return cmp.Compare(a.rank, b.rank)
	})
	capacity := e.capacity.Load()
	c := e.model.like(capacity)
	c.onEvict = nil
	c.capacity = math.MaxUint64 // an entry may have moved from shard to shard meanwhile
	now := e.clock.now()
	for k := range all {
		c.add(&all[k], now)
	}
	c.capacity = capacity
	c.makeRoom(now, 0, none)
	c.stats = e.stats()
	return c
}

// adopt makes the entries of image, which has its secret, those of e.
func (e *engine[K, V]) adopt(image *Cache[K, V]) {
	e.quota.gathering.Lock()
	cores, now := make([]*Cache[K, V], len(e.shards)), e.clock.now()
	for k := range cores {
		cores[k] = e.part(e.share())
		cores[k].onEvict = nil
	}
	shift := image.life.clock.base.Sub(e.clock.base)
	image.eachCopy(func(r copied[K, V]) {
		if r.deadline != never {
			r.deadline = later(r.deadline, shift)
		}
		x := e.hash.mixed(e.hash.sum(r.key))
		r.place = uint32(x)
		cores[x>>e.shift&uint64(len(cores)-1)].add(&r, now)
	})
	left := e.exchange(cores, now)
	e.quota.gathering.Unlock()
	if len(left) > 0 {
		e.report(&e.shards[0], &batch[K, V]{left})
	}
}

// exchange gives the shards new caches, all at one moment, after these have evicted
// what is more than the capacity by now.
func (e *engine[K, V]) exchange(cores []*Cache[K, V], now int64) (left []departure[K, V]) {
	before, after := uint64(0), uint64(0)
	for k := range e.shards {
		e.shards[k].mu.Lock()
		before += e.shards[k].core.weight
		after += cores[k].weight
	}
	underway := e.quota.used.Load() - before // of those who have yet to lock a shard
	for k := 0; after+underway > e.quota.limit.Load(); k = (k + 1) % len(cores) {
		c := cores[k]
		if n := min(after+underway-e.quota.limit.Load(), c.weight/16+1); c.weight >= n {
			after -= c.weight
			c.capacity = c.weight
			c.makeRoom(now, n, none)
			after += c.weight
		}
	}
	e.quota.used.Add(after - before)
	for k := range e.shards {
		s := &e.shards[k]
		old := s.core
		s.attach(cores[k])
		old.empty()
		left = append(left, old.left...)
		s.core.onEvict, s.core.stats, s.core.capacity = e.onEvict, old.stats, s.core.weight
		s.wroteAll()
		e.account(s)
		s.mu.Unlock()
	}
	return left
}
