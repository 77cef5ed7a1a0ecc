package lru

import (
	"errors"
	"fmt"
	"hash/maphash"
	"math/rand/v2"
	"reflect"
	"runtime"
	"slices"
	"time"

	"github.com/distkit/distkit/internal/hash64"
)

// Fix makes what is drawn at random the same in every run. The cache must be empty.
func Fix[K comparable, V any](c *Cache[K, V], seed uint64) {
	c.hash.fix(seed)
	switch p := c.chooser.(type) {
	case *random[K, V]:
		p.rng = rand.New(rand.NewPCG(seed, 0))
	case *adaptive[K, V]:
		p.rng = rand.New(rand.NewPCG(seed, 0))
		p.reset()
	}
}

func (h *hasher[K]) fix(seed uint64) {
	for i := range h.key {
		h.key[i] = seed<<32 + uint64(2*i) + 0x9e3779b9
	}
	// A maphash.Seed cannot be chosen, so a hash that depends on one gives way.
	other := *h
	other.seed = maphash.MakeSeed()
	if key := *new(K); h.custom == nil && h.sum(key) != other.sum(key) {
		h.mode, h.custom = hashCustom, known[K]
	}
}

// known is a hash that is the same in every run.
func known[K comparable](key K) uint64 {
	switch v := reflect.ValueOf(key); {
	case v.CanUint():
		return hash64.Integer(v.Uint())
	case v.CanInt():
		return hash64.Integer(v.Int())
	case v.Kind() == reflect.String:
		return hash64.String(v.String())
	}
	return hash64.String(fmt.Sprint(key))
}

// Place returns where a table has a key, and a sketch its count.
func Place[K comparable, V any](c *Cache[K, V], key K) uint64 {
	return uint64(c.hash.place(c.hash.sum(key)))
}

// Place is Place.
func (c *Cache[K, V]) Place(key K) uint64 { return Place(c, key) }

// Place returns where a shard's table has a key.
func (c *Concurrent[K, V]) Place(key K) uint64 { return Place(c.made.Load().model, key) }

// Fix is Fix.
func (c *Cache[K, V]) Fix(seed uint64) { Fix(c, seed) }

// Check is Check.
func (c *Cache[K, V]) Check() error { return Check(c) }

// Fix makes what is drawn at random the same in every run. The cache must be empty.
func (c *Concurrent[K, V]) Fix(seed uint64) {
	e := c.made.Load()
	for k := range e.shards {
		Fix(e.shards[k].core, seed)
	}
	Fix(e.model, seed)
	e.hash = e.model.hash
}

// Wordwise says whether entries of a type are copied by words.
func Wordwise[K comparable, V any]() bool { return wordwise[K, V]() }

// Check returns what is wrong with c, which must be nothing while nobody uses it.
func (c *Concurrent[K, V]) Check() error {
	e := c.made.Load()
	if e == nil {
		return nil
	}
	weight, entries := uint64(0), 0
	for k := range e.shards {
		s := &e.shards[k]
		core := s.core
		if len(s.watches) != 0 {
			return fmt.Errorf("shard %d: %d watches", k, len(s.watches))
		}
		if core.capacity != core.weight || s.weight.Load() != core.weight {
			return fmt.Errorf("shard %d: weight %d, capacity %d, published %d", k, core.weight, core.capacity, s.weight.Load())
		}
		for i := range core.All() {
			if got, _ := e.locate(e.hash.sum(i)); got != s && i == i {
				return fmt.Errorf("shard %d holds key %v of another", k, i)
			}
		}
		weight += core.weight
		entries += core.Len()
		if err := e.checkView(s); err != nil {
			return fmt.Errorf("shard %d: %w", k, err)
		}
		alike := *core
		alike.capacity++ // a core of no entries is no zero Cache
		if err := Check(&alike); err != nil {
			return fmt.Errorf("shard %d: %w", k, err)
		}
	}
	switch limit := e.quota.limit.Load(); {
	case weight != e.quota.used.Load(), weight > limit, limit != e.capacity.Load():
		return fmt.Errorf("weight %d, used %d, limit %d, capacity %d", weight, e.quota.used.Load(), limit, e.capacity.Load())
	case entries != e.len():
		return fmt.Errorf("%d entries, Len is %d", entries, e.len())
	}
	return e.loading.check()
}

// check waits for loads that have told their callers and are about to end.
func (l *loading) check() error {
	for range 1_000_000 {
		l.calls.mu.Lock()
		underWay := l.calls.n
		l.calls.mu.Unlock()
		if underWay == 0 {
			return nil
		}
		runtime.Gosched()
	}
	return errors.New("loads that do not end")
}

// checkView returns what is wrong with what readers of s see.
func (e *engine[K, V]) checkView(s *shard[K, V]) error {
	c := s.core
	if c.sharing == nil {
		return nil
	}
	v := s.view.Load()
	if len(v.nodes) != len(c.nodes) || &v.nodes[0] != &c.nodes[0] || len(v.groups) != len(c.table.groups) || len(v.groups) > 0 && &v.groups[0] != &c.table.groups[0] {
		return fmt.Errorf("the view is not of the cache: %d nodes of %d, %d groups of %d", len(v.nodes), len(c.nodes), len(v.groups), len(c.table.groups))
	}
	if (c.life.wheel == nil) != (v.deadlines == nil) || v.deadlines != nil && &v.deadlines[0] != &c.life.wheel.deadlines[0] {
		return fmt.Errorf("the view has other deadlines than the cache")
	}
	for i := range v.groups {
		if n := v.groups[i].nodes[versionSlot]; n%2 != 0 {
			return fmt.Errorf("group %d has version %d", i, n)
		}
	}
	for list := range c.heads {
		for _, i := range c.order(list) {
			key := c.nodes[i].key
			value, ok, sure := e.lookUp(e.hash.sum(key), key, false)
			if sure && (!reflect.DeepEqual(value, c.nodes[i].value) && ok || ok != (key == key)) {
				return fmt.Errorf("readers find %v, %v in node %d, which has %v", value, ok, i, c.nodes[i].value)
			}
		}
	}
	return nil
}

// Check returns what is wrong with c, which must be nothing after every method.
func Check[K comparable, V any](c *Cache[K, V]) error {
	if c.capacity == 0 {
		if c.table.live != 0 || len(c.nodes) != 0 {
			return fmt.Errorf("a zero cache holds something")
		}
		return nil
	}
	if c.cursors != nil {
		return fmt.Errorf("an iteration is left")
	}
	if c.reported != len(c.left) {
		return fmt.Errorf("%d departures, %d reported", len(c.left), c.reported)
	}
	for list := range c.nodes[:c.heads] {
		if n := c.nodes[list]; any(n.key) != any(*new(K)) {
			return fmt.Errorf("head %d holds a key", list)
		}
	}
	seen := make([]bool, len(c.nodes))
	entries, weight := 0, uint64(0)
	for list := range c.heads {
		last := list
		for i := c.nodes[list].newer; i != list; i = c.nodes[i].newer {
			if i < c.heads || int(i) >= c.fresh || seen[i] {
				return fmt.Errorf("list %d: node %d is no entry, or seen twice", list, i)
			}
			if c.nodes[i].older != last {
				return fmt.Errorf("list %d: node %d follows %d and says %d", list, i, last, c.nodes[i].older)
			}
			if c.isPinned(i) != (list == pinned) {
				return fmt.Errorf("node %d is in list %d", i, list)
			}
			seen[i], last = true, i
			entries++
			if c.weigher != nil {
				weight += uint64(c.weights[i])
			} else {
				weight++
			}
			if got := c.find(c.placeOf(i), c.nodes[i].key); got != i && c.nodes[i].key == c.nodes[i].key {
				return fmt.Errorf("key %v of node %d is found in %d", c.nodes[i].key, i, got)
			}
		}
		if c.nodes[list].older != last {
			return fmt.Errorf("list %d ends in %d, head says %d", list, last, c.nodes[list].older)
		}
	}
	used := slices.Clone(seen)
	free := 0
	for i := c.free; i != none; i = c.nodes[i].newer {
		if seen[i] {
			return fmt.Errorf("node %d is free and used", i)
		}
		seen[i] = true
		free++
		if any(c.nodes[i].key) != any(*new(K)) {
			return fmt.Errorf("free node %d still holds key %v", i, c.nodes[i].key)
		}
	}
	if int(c.heads)+entries+free != c.fresh {
		return fmt.Errorf("%d entries and %d free nodes of %d", entries, free, c.fresh)
	}
	switch {
	case entries != c.Len():
		return fmt.Errorf("%d entries, Len is %d", entries, c.Len())
	case weight != c.Weight():
		return fmt.Errorf("weight is %d, Weight says %d", weight, c.Weight())
	case weight > c.capacity:
		return fmt.Errorf("weight %d of %d", weight, c.capacity)
	case c.places != nil && len(c.places) != len(c.nodes), c.weights != nil && len(c.weights) != len(c.nodes):
		return fmt.Errorf("slabs of %d, %d and %d", len(c.nodes), len(c.places), len(c.weights))
	}
	if err := checkChooser(c); err != nil {
		return err
	}
	if w := c.life.wheel; w != nil {
		if err := w.check(used); err != nil {
			return err
		}
	}
	return checkTable(&c.table)
}

// check returns what is wrong with w, whose nodes in use are among those.
func (w *wheel) check(used []bool) error {
	filed := 0
	for h := uint32(due); h < wheelHeads; h++ {
		last := h
		for at := w.links[h].next; at != h; at = w.links[at].next {
			i := at - wheelHeads
			if at < wheelHeads || w.links[at].prev != last || !used[i] {
				return fmt.Errorf("wheel: list %d has %d after %d, of node %d", h, at, last, i)
			}
			last = at
			filed++
			d, slot := int(h-firstSlot)/wheelSlots, uint(h-firstSlot)%wheelSlots
			if h == due {
				continue
			}
			// A list must be looked at before any entry of it ends.
			reached := w.time&^(1<<(wheelBits*d+wheelBits)-1) | uint64(slot)<<(wheelBits*d)
			if w.occupied[d]>>slot&1 == 0 || slot <= digit(w.time, d) || order(w.deadlines[i]) < reached {
				return fmt.Errorf("wheel: node %d of deadline %d is in slot %d of digit %d at %d", i, w.deadlines[i], slot, d, int64(w.time^1<<63))
			}
		}
		if w.links[h].prev != last {
			return fmt.Errorf("wheel: list %d ends with %d, says %d", h, last, w.links[h].prev)
		}
	}
	for i := range w.deadlines {
		if quiet := w.quiet.Load(); w.deadlines[i] < quiet {
			return fmt.Errorf("wheel: node %d ends at %d, nothing before %d", i, w.deadlines[i], quiet)
		}
		if w.links[wheelHeads+i].next != 0 {
			filed--
		} else if w.deadlines[i] != never {
			return fmt.Errorf("wheel: node %d of deadline %d is in no list", i, w.deadlines[i])
		}
	}
	if filed != 0 || len(w.links) != wheelHeads+len(used) {
		return fmt.Errorf("wheel: %d more filed than linked, %d links for %d nodes", filed, len(w.links), len(used))
	}
	return nil
}

// order returns the nodes of a list, oldest first.
func (s *slab[K, V]) order(list uint32) (nodes []uint32) {
	for i := s.nodes[list].newer; i != list; i = s.nodes[i].newer {
		nodes = append(nodes, i)
	}
	return nodes
}

func checkChooser[K comparable, V any](c *Cache[K, V]) error {
	nodes := c.order(recent)
	switch p := c.chooser.(type) {
	case *random[K, V]:
		if len(p.entries) != len(nodes) {
			return fmt.Errorf("random: %d entries, %d listed", len(p.entries), len(nodes))
		}
		for at, i := range p.entries {
			if p.at[i] != uint32(at) {
				return fmt.Errorf("random: entry %d is at %d, says %d", i, at, p.at[i])
			}
		}
	case *lfu[K, V]:
		last, used := uint64(0), 0
		for at, i := range nodes {
			b := p.buckets[p.of[i]]
			ends := at == len(nodes)-1 || p.of[nodes[at+1]] != p.of[i]
			if b.count < last || b.count == last && at > 0 && p.of[nodes[at-1]] != p.of[i] || ends != (b.newest == i) {
				return fmt.Errorf("lfu: entry %d has bucket %+v after count %d", i, b, last)
			}
			if last = b.count; ends {
				used++
			}
		}
		for b := p.free; b != noBucket; b = p.buckets[b].newest {
			used++
		}
		if used != max(0, len(p.buckets)-1) {
			return fmt.Errorf("lfu: %d buckets in use or free of %d", used, len(p.buckets))
		}
	case *s3fifo[K, V]:
		for list, want := range map[uint32]uint64{recent: p.weight, main: p.mainWeight} {
			sum := uint64(0)
			for _, i := range c.order(list) {
				sum += c.weightOf(i)
				if (p.state[i]&inMain != 0) != (list == main) {
					return fmt.Errorf("s3fifo: entry %d of list %d has state %#x", i, list, p.state[i])
				}
			}
			if sum != want {
				return fmt.Errorf("s3fifo: list %d weighs %d, says %d", list, sum, want)
			}
		}
		if n := len(nodes) + len(c.order(main)); uint64(n) != p.count {
			return fmt.Errorf("s3fifo: %d entries, says %d", n, p.count)
		}
		return p.ghost.check()
	case *adaptive[K, V]:
		entries, sums := uint64(0), [protected + 1]uint64{}
		for _, list := range noteLists {
			for _, i := range c.order(uint32(list)) {
				sums[list] += c.weightOf(i)
				entries++
				if p.lists[i] != list {
					return fmt.Errorf("adaptive: entry %d of list %d says %d", i, list, p.lists[i])
				}
			}
		}
		if sums != p.weight || entries != p.count || p.window == 0 || p.window > p.capacity {
			return fmt.Errorf("adaptive: %d entries weigh %d, says %d of %d; window of %d in %d", entries, sums, p.count, p.weight, p.window, p.capacity)
		}
		return p.models.check()
	}
	return nil
}

func (m *models) check() (err error) {
	m.each(func(c *model, _ float64) {
		if err == nil {
			err = c.Check()
		}
		for place := range c.All() {
			if !m.sampled(place) {
				err = fmt.Errorf("model holds %#x, which is not in the sample", place)
			}
		}
	})
	return err
}

// check returns what is wrong with g.
func (g *ghost) check() error {
	used, leads, live := 0, map[uint32]bool{}, 0
	for s, slot := range g.slots {
		if slot == 0 {
			continue
		}
		used++
		at := slot&(1<<g.bits-1) - 1
		h := g.ring[at]
		if h == 0 || h<<g.bits != slot&^(1<<g.bits-1) {
			continue // it leads nowhere
		}
		for way := g.start(h); ; way = g.next(way) {
			if int(way) == s {
				leads[at] = true
				break
			}
			if g.slots[way] == 0 {
				break
			}
		}
	}
	for k := range uint32(len(g.ring)) {
		h := g.ring[g.index(k)]
		if h == 0 {
			continue
		}
		live++
		if k >= g.span || !leads[g.index(k)] {
			return fmt.Errorf("ghost: hash %#x is at %d of %d, and found: %v", h, k, g.span, leads[g.index(k)])
		}
	}
	if used != int(g.used) || used == len(g.slots) && used > 0 || live != int(g.live) || int(g.span) > len(g.ring) {
		return fmt.Errorf("ghost: %d slots of %d used, says %d; %d live, says %d; %d of %d in the ring", used, len(g.slots), g.used, live, g.live, g.span, len(g.ring))
	}
	return nil
}

// Ghost gives tests what remembers keys that left.
type Ghost struct{ g ghost }

func (g *Ghost) Add(h uint32)       { g.g.add(h) }
func (g *Ghost) Take(h uint32) bool { return g.g.take(h) }
func (g *Ghost) Drop()              { g.g.drop() }
func (g *Ghost) Len() int           { return int(g.g.live) }
func (g *Ghost) Check() error       { return g.g.check() }

// Farthest returns the most slots that a search for a hash passes.
func (g *Ghost) Farthest() (most int) {
	for _, h := range g.g.ring {
		passed := 0
		for s := g.g.start(h); h != 0 && g.g.slots[s] != 0; s = g.g.next(s) {
			passed++
		}
		most = max(most, passed)
	}
	return most
}

func checkTable(t *table) error {
	live, used := 0, 0
	nodes := map[uint32]bool{}
	for i := range t.groups {
		g := &t.groups[i]
		for s := range groupSize {
			if t.shared && s == versionSlot {
				if g.control>>(8*s) != controlDeleted {
					return fmt.Errorf("group %d: control word %#x", i, g.control)
				}
				continue
			}
			b := g.control >> (8 * s) & 0xff
			switch {
			case b == 0:
				continue
			case b >= 0x80:
				live++
				if nodes[g.nodes[s]] {
					return fmt.Errorf("node %d has two slots", g.nodes[s])
				}
				nodes[g.nodes[s]] = true
			case b != controlDeleted:
				return fmt.Errorf("control byte %#x", b)
			}
			used++
		}
	}
	if live != t.live || used != t.used || used == groupSize*len(t.groups) && used != 0 {
		return fmt.Errorf("table: %d live, %d used in %d groups; counts say %d, %d", live, used, len(t.groups), t.live, t.used)
	}
	return nil
}

// Groups returns how many groups the table has.
func Groups[K comparable, V any](c *Cache[K, V]) int { return len(c.table.groups) }

// NewHash returns the hash that a new cache would have.
func NewHash[K comparable]() func(K) uint64 {
	h := newHasher[K](nil)
	return h.sum
}

// RoundTrip encodes v as in an image and decodes it. It returns the code of its
// type, too.
func RoundTrip[T any](v T) (got T, code byte, err error) {
	c, err := newCoder[T]("type of values")
	if err != nil {
		return got, 0, err
	}
	b, err := c.append(nil, &v)
	if err != nil {
		return got, 0, err
	}
	rest, err := c.take(b, &got)
	if err == nil && len(rest) > 0 {
		err = errors.New("bytes are left")
	}
	return got, byte(c.code), err
}

// Quiet returns how long nothing ends in c, as far as it knows without a look at the
// entries.
func Quiet[K comparable, V any](c *Cache[K, V]) time.Duration {
	return time.Duration(c.life.wheel.quiet.Load() - c.life.clock.now())
}

// Secret returns what a table mixes places with, 0 if it does not.
func Secret[K comparable, V any](c *Cache[K, V]) uint64 { return c.table.secret }

// Spread returns the place that a table uses for a key.
func Spread[K comparable, V any](c *Cache[K, V], key K) uint32 {
	return c.table.spread(uint32(Place(c, key)))
}

// Farthest returns the most groups that a search for an entry passes.
func Farthest[K comparable, V any](c *Cache[K, V]) (most int) {
	t := &c.table
	for list := range c.heads {
		for _, i := range c.order(list) {
			place, passed := t.spread(c.placeOf(i)), 0
			for g := t.start(place); ; g = t.next(g) {
				if slices.Contains(t.groups[g].nodes[:], i) {
					break
				}
				passed++
			}
			most = max(most, passed)
		}
	}
	return most
}

// Cores returns the caches of the shards.
func Cores[K comparable, V any](c *Concurrent[K, V]) (cores []*Cache[K, V]) {
	e := c.made.Load()
	for k := range e.shards {
		cores = append(cores, e.shards[k].core)
	}
	return cores
}
