package cms

import (
	"cmp"
	"math/bits"
	"slices"

	"github.com/distkit/distkit/internal/hash64"
)

// slot counts one key: the truth is in [count-err, count].
type slot[V uint64 | float64] struct {
	hash       uint64
	key        string
	count, err V
}

// slots counts the keys that lead exactly, in front of a sketch for all others
// (Roy, Khan and Alonso 2016). The index finds a key's slot by open addressing,
// and a heap finds the smallest count. The heap is lazy: what it has of a count
// may be an old value, which is less, as counts only grow; it is brought up to
// date when it comes to the top. So counting a leading key touches no heap.
type slots[V uint64 | float64] struct {
	k     int
	slots []slot[V]
	heap  []entry[V]
	index []uint32 // slot number and 1, 0 for none
}

// What TopK and Trending embed, under names that documentation hides.
type (
	countSlots  = slots[uint64]
	weightSlots = slots[float64]
)

// entry orders slots by count and then by hash, so that which slot is the smallest
// follows from what is counted and not from how it came about.
type entry[V uint64 | float64] struct {
	count V
	hash  uint64
	slot  uint32
}

func (e *entry[V]) less(f *entry[V]) bool {
	return e.count < f.count || e.count == f.count && e.hash < f.hash
}

func newSlots[V uint64 | float64](k int) slots[V] { return roomFor[V](k, k) }

// roomFor returns slots for k keys with memory for n; the rest comes with insert.
func roomFor[V uint64 | float64](n, k int) slots[V] {
	return slots[V]{
		k: k, slots: make([]slot[V], 0, n), heap: make([]entry[V], 0, n),
		index: make([]uint32, 1<<bits.Len(uint(max(2*n-1, 1)))), // at most half full
	}
}

// home returns where the index looks first for a hash. Cells take the high bits
// of the remixed hash.
func (s *slots[V]) home(h uint64) uint64 {
	return hash64.Mix(h, hash64.SaltCMS) & uint64(len(s.index)-1)
}

// find returns the slot of h, or nil.
func (s *slots[V]) find(h uint64) *slot[V] {
	if len(s.slots) == 0 {
		return nil
	}
	mask := uint64(len(s.index) - 1)
	for i := s.home(h); ; i = (i + 1) & mask {
		n := s.index[i&mask]
		if n == 0 {
			return nil
		}
		if t := &s.slots[n-1]; t.hash == h {
			return t
		}
	}
}

func (s *slots[V]) full() bool { return len(s.slots) == s.k }

// insert takes a free slot.
func (s *slots[V]) insert(t slot[V]) {
	n := uint32(len(s.slots))
	s.slots = append(s.slots, t)
	if 2*len(s.slots) > len(s.index) {
		s.index = make([]uint32, 2*len(s.index))
		for i := range s.slots[:n] {
			s.link(s.slots[i].hash, uint32(i))
		}
	}
	s.link(t.hash, n)
	s.heap = append(s.heap, entry[V]{t.count, t.hash, n})
	for i := len(s.heap) - 1; i > 0 && s.heap[i].less(&s.heap[(i-1)/2]); i = (i - 1) / 2 {
		s.heap[i], s.heap[(i-1)/2] = s.heap[(i-1)/2], s.heap[i]
	}
}

// least returns the smallest count, of full slots. k is at least 1.
func (s *slots[V]) least() V {
	for {
		top := &s.heap[0]
		now := s.slots[top.slot].count
		if top.count == now {
			return now
		}
		top.count = now
		s.down(0)
	}
}

// replace puts t in the slot of the smallest count, which least has found, and
// returns what it held.
func (s *slots[V]) replace(t slot[V]) (evicted slot[V]) {
	n := s.heap[0].slot
	evicted = s.slots[n]
	s.unlink(evicted.hash)
	s.slots[n] = t
	s.link(t.hash, n)
	s.heap[0].count, s.heap[0].hash = t.count, t.hash
	s.down(0)
	return evicted
}

// down sinks entry i to where it belongs.
func (s *slots[V]) down(i int) {
	h := s.heap
	for {
		child := 2*i + 1
		if child >= len(h) {
			return
		}
		if child+1 < len(h) && h[child+1].less(&h[child]) {
			child++
		}
		if !h[child].less(&h[i]) {
			return
		}
		h[i], h[child] = h[child], h[i]
		i = child
	}
}

func (s *slots[V]) link(h uint64, n uint32) {
	mask := uint64(len(s.index) - 1)
	i := s.home(h)
	for s.index[i] != 0 {
		i = (i + 1) & mask
	}
	s.index[i] = n + 1
}

// unlink takes h, which is there, out of the index and moves up what would no
// longer be found (Knuth, volume 3, algorithm 6.4R).
func (s *slots[V]) unlink(h uint64) {
	mask := uint64(len(s.index) - 1)
	i := s.home(h)
	for s.slots[s.index[i]-1].hash != h {
		i = (i + 1) & mask
	}
	for j := (i + 1) & mask; s.index[j] != 0; j = (j + 1) & mask {
		from := s.home(s.slots[s.index[j]-1].hash)
		if (j-from)&mask >= (j-i)&mask { // its home is at i or before
			s.index[i], i = s.index[j], j
		}
	}
	s.index[i] = 0
}

// sorted returns the slots, largest first, equal counts by hash.
func (s *slots[V]) sorted() []slot[V] {
	out := slices.Clone(s.slots)
	sortSlots(out)
	return out
}

// sortSlots sorts the largest first, equal counts by hash.
func sortSlots[V uint64 | float64](s []slot[V]) {
	slices.SortFunc(s, func(a, b slot[V]) int {
		return cmp.Or(cmp.Compare(b.count, a.count), cmp.Compare(a.hash, b.hash))
	})
}

// before says whether a comes before b in that order.
func before[V uint64 | float64](a, b *slot[V]) bool {
	return a.count > b.count || a.count == b.count && a.hash < b.hash
}

// clone returns a copy that shares only the keys, which never change.
func (s *slots[V]) clone() slots[V] {
	return slots[V]{s.k, slices.Clone(s.slots), slices.Clone(s.heap), slices.Clone(s.index)}
}

// apply replaces all counts and errors by what f, which keeps their order, makes of
// them.
func (s *slots[V]) apply(f func(V) V) {
	for i := range s.slots {
		t := &s.slots[i]
		t.count, t.err = f(t.count), f(t.err)
	}
	// Counts that became equal are ordered by hash, so the heap is made anew.
	for i := range s.heap {
		s.heap[i].count = s.slots[s.heap[i].slot].count
	}
	for i := len(s.heap)/2 - 1; i >= 0; i-- {
		s.down(i)
	}
}

func (s *slots[V]) reset() {
	clear(s.slots) // lets go of the keys
	clear(s.index)
	s.slots, s.heap = s.slots[:0], s.heap[:0]
}

// union returns a slot for each key that has one on either side, the largest first.
// Upper bounds add, those of keys without a slot too, and so does what is certain.
func union[V uint64 | float64](a, b *slots[V], boundA, boundB func(h uint64) V, add func(a, b V) V) []slot[V] {
	out := make([]slot[V], 0, len(a.slots)+len(b.slots))
	for _, s := range a.slots {
		most, least := add(s.count, boundB(s.hash)), s.count-s.err
		if t := b.find(s.hash); t != nil {
			s.key, least = min(s.key, t.key), add(least, t.count-t.err)
		}
		out = append(out, slot[V]{s.hash, s.key, most, most - least})
	}
	for _, t := range b.slots {
		if a.find(t.hash) == nil {
			most := add(t.count, boundA(t.hash))
			out = append(out, slot[V]{t.hash, t.key, most, most - (t.count - t.err)})
		}
	}
	sortSlots(out)
	return out
}

// slotBytes is the memory of slots without keys, and of heap and index.
func (s *slots[V]) slotBytes() int {
	const slotSize, entrySize = 8 + 2*bits.UintSize/8 + 16, 24
	n := slotSize*cap(s.slots) + entrySize*cap(s.heap) + 4*cap(s.index)
	for i := range s.slots {
		n += len(s.slots[i].key)
	}
	return n
}
