package lru

// node is an entry and its links. Links are numbers of nodes, not pointers, so
// the garbage collector sees one object whatever the number of entries, and none
// of its inside when keys and values hold no pointers.
type node[K comparable, V any] struct {
	older, newer uint32
	key          K
	value        V
}

// The first nodes of a slab are the heads of circular lists: newer of a head is
// its oldest entry, older of a head its newest. Free nodes are chained by newer.
const (
	recent    = iota // what may be evicted, or the newer part of it
	pinned           // entries of weight 0
	main             // what may be evicted too, in policies of two lists
	protected        // and in those of three
)

const none = recent // no node: a head where an entry is meant

// slab holds the nodes and what some caches need to know of each, in slices of
// the same length. It grows with the entries, by doubling up to the capacity.
type slab[K comparable, V any] struct {
	heads   uint32 // how many lists there are
	nodes   []node[K, V]
	hash    hasher[K]
	places  []uint32 // where the table has them, unless keys tell
	weights []uint32 // with a weigher
	free    uint32   // first free node
	fresh   int      // nodes from here on were never used
	cursors *cursor  // iterations under way

	*sharing[K, V] // in a cache that is looked up while it is changed, else nil
}

// reset empties s and gives its memory back.
func (s *slab[K, V]) reset() {
	s.nodes, s.free, s.fresh = make([]node[K, V], s.heads), none, int(s.heads)
	for i := range s.nodes {
		s.nodes[i].older, s.nodes[i].newer = uint32(i), uint32(i)
	}
	if s.places != nil {
		s.places = make([]uint32, s.heads)
	}
	if s.weights != nil {
		s.weights = make([]uint32, s.heads)
	}
	if s.sharing != nil {
		s.sharing.reset(len(s.nodes))
	}
}

// full says that grow must come before take.
func (s *slab[K, V]) full() bool { return s.free == none && s.fresh == len(s.nodes) }

// take returns a node that is in no list.
func (s *slab[K, V]) take() uint32 {
	if i := s.free; i != none {
		s.free = s.nodes[i].newer
		if s.sharing != nil && i == s.dirty {
			s.dirty = none
		}
		return i
	}
	s.fresh++
	return uint32(s.fresh - 1)
}

// grow makes room for at most limit entries.
func (s *slab[K, V]) grow(limit uint64) {
	n := int(min(max(2*uint64(len(s.nodes)), groupSize), limit+uint64(s.heads)))
	s.nodes = extended(s.nodes, n)
	if s.places != nil {
		s.places = extended(s.places, n)
	}
	if s.weights != nil {
		s.weights = extended(s.weights, n)
	}
	if s.sharing != nil {
		s.sharing.grow(n)
	}
}

// extended returns a copy of length n; append would round up.
func extended[E any](s []E, n int) []E {
	out := make([]E, n)
	copy(out, s)
	return out
}

// put gives back a node that is in no list, and forgets its key and value, at the
// latest when tidy is called.
func (s *slab[K, V]) put(i uint32) {
	if s.sharing != nil {
		s.tidy()
		s.nodes[i].newer, s.dirty = s.free, i
	} else {
		s.nodes[i] = node[K, V]{newer: s.free}
	}
	s.free = i
}

// tidy forgets key and value of the node that was given back last, if it was not
// taken again.
func (s *slab[K, V]) tidy() {
	if s.sharing != nil && s.dirty != none {
		s.erase(&s.nodes[s.dirty], s.dirty)
		s.dirty = none
	}
}

// store makes key and value those of node i, which is in no table.
func (s *slab[K, V]) store(i uint32, key K, value V) {
	if n := &s.nodes[i]; s.sharing != nil {
		s.write(n, i, key, value)
	} else {
		n.key, n.value = key, value
	}
}

// revalue makes value that of node i.
func (s *slab[K, V]) revalue(i uint32, value V) {
	if n := &s.nodes[i]; s.sharing != nil {
		s.write(n, i, n.key, value)
	} else {
		n.value = value
	}
}

// link makes i the newest entry of a list.
func (s *slab[K, V]) link(list, i uint32) {
	newest := s.nodes[list].older
	s.nodes[i].older, s.nodes[i].newer = newest, list
	s.nodes[newest].newer = i
	s.nodes[list].older = i
}

// linkAfter makes i the next newer entry after another, or the oldest of a list.
func (s *slab[K, V]) linkAfter(older, i uint32) {
	newer := s.nodes[older].newer
	s.nodes[i].older, s.nodes[i].newer = older, newer
	s.nodes[newer].older = i
	s.nodes[older].newer = i
}

// placeOf returns where the table has entry i.
func (s *slab[K, V]) placeOf(i uint32) uint32 {
	if s.places != nil {
		return s.places[i]
	}
	return s.hash.place(s.hash.sum(s.nodes[i].key))
}

// weightOf returns the weight of entry i.
func (s *slab[K, V]) weightOf(i uint32) uint64 {
	if s.weights == nil {
		return 1
	}
	return uint64(s.weights[i])
}

// unlink takes i out of its list; iterations that were to visit it next go on
// with its neighbor.
func (s *slab[K, V]) unlink(i uint32) {
	older, newer := s.nodes[i].older, s.nodes[i].newer
	s.nodes[older].newer = newer
	s.nodes[newer].older = older
	for c := s.cursors; c != nil; c = c.outer {
		c.leave(i, older, newer)
	}
}

// oldest returns the oldest entry of a list, other than keep, or the list itself.
func (s *slab[K, V]) oldest(list, keep uint32) uint32 {
	i := s.nodes[list].newer
	if i == keep {
		i = s.nodes[i].newer
	}
	return i
}

// newest returns the newest entry of a list, other than keep, or the list itself.
func (s *slab[K, V]) newest(list, keep uint32) uint32 {
	i := s.nodes[list].older
	if i == keep {
		i = s.nodes[i].older
	}
	return i
}

// inOrder returns the list that comes at that place in iterations: pinned is last.
func (s *slab[K, V]) inOrder(at uint32) uint32 {
	switch at {
	case recent:
		return recent
	case s.heads - 1:
		return pinned
	}
	return at + 1
}

// touch makes i the newest entry of its list.
func (s *slab[K, V]) touch(list, i uint32) {
	if s.nodes[list].older != i {
		s.unlink(i)
		s.link(list, i)
	}
}
