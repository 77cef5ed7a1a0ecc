package tlog

import (
	"math/bits"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/distkit/distkit/internal/merklehash"
	"github.com/distkit/distkit/merkle"
)

const (
	tileLevels = 8
	tileLeaves = 1 << tileLevels
	tables     = 64 / tileLevels
	firstTile  = 8
	blockBits  = 12 // a worker hashes the leaves of 2^12 entries and all nodes above
)

// tile holds eight levels of nodes over 256 nodes of the level below: 256 of the
// lowest, 128 of the next, at last 2. The root over these is the business of the
// tile above. It fills a size class of the allocator, 16 KiB. The first tile of
// each table begins with room for 8 nodes and is replaced by larger ones.
type tile []merkle.Hash

// newTile has room for a power of two of nodes on its lowest level.
func newTile(leaves int) tile { return make(tile, 2*leaves-2) }

// leaves returns how many nodes of its lowest level t has room for.
func (t tile) leaves() int { return (len(t) + 2) / 2 }

// store holds the complete nodes of a tree, those over 2^level entries. Nodes are
// written once, before the size that makes them complete is published, and what is
// replaced by something larger is left as it is; so whoever has loaded a size may
// read the nodes of a tree of that size without a lock, whatever the one writer
// does meanwhile.
type store struct {
	size   atomic.Uint64
	tables [tables]atomic.Pointer[[]tile] // tables[g] has levels 8g to 8g+7
	edges  edges
	hasher *merklehash.Hasher // the writer's
}

func newStore() *store { return &store{hasher: merklehash.Get()} }

// node returns complete node i of a level.
func (s *store) node(level int, i uint64) *merkle.Hash {
	r := level % tileLevels
	t := (*s.tables[level/tileLevels].Load())[i>>(tileLevels-r)]
	room := t.leaves()
	return &t[2*room-2*room>>r+int(i&(tileLeaves>>r-1))]
}

// reserve makes room for the complete nodes of a tree of that size.
func (s *store) reserve(size uint64) {
	for g := 0; size > 0; g, size = g+1, size>>tileLevels {
		s.grow(g, size)
	}
}

// grow makes room in a table for n > 0 nodes of its lowest level.
func (s *store) grow(g int, n uint64) {
	want := int((n-1)>>tileLevels) + 1
	first := tileLeaves
	if want == 1 {
		first = min(tileLeaves, max(firstTile, 1<<bits.Len64(n))) // more than n, for the node over all
	}
	var table []tile
	if p := s.tables[g].Load(); p != nil {
		table = *p
	}
	if want > len(table) || table[0].leaves() < first {
		size := len(table)
		if want > size {
			size = max(want, 2*size)
		}
		larger := make([]tile, size)
		copy(larger, table)
		larger[0] = larger[0].widened(first)
		s.tables[g].Store(&larger)
		table = larger
	}
	for i := want - 1; table[i] == nil; i-- {
		table[i] = newTile(tileLeaves)
	}
}

// widened returns a tile with room for so many nodes that has those of t.
func (t tile) widened(leaves int) tile {
	if t != nil && t.leaves() >= leaves {
		return t
	}
	w := newTile(leaves)
	for from, to := t, w; len(from) > 0; {
		n, m := from.leaves(), to.leaves()
		copy(to, from[:n])
		from, to = from[n:], to[m:]
	}
	return w
}

// append adds one leaf and the nodes that it completes.
func (s *store) append(leaf merkle.Hash) (index uint64) {
	index = s.size.Load()
	h := leaf
	for g, i, more := 0, index, true; more; g, i = g+1, i>>tileLevels {
		if i%tileLeaves == 0 || i < tileLeaves && i&(i+1) == 0 {
			s.grow(g, i+1)
		}
		more = (*s.tables[g].Load())[i>>tileLevels].add(s.hasher, int(i%tileLeaves), &h)
	}
	s.size.Store(index + 1)
	return index
}

// add writes lowest node i and those that it completes. If it completes the tile,
// it returns true, and in h the hash of the node above.
func (t tile) add(hasher *merklehash.Hasher, i int, h *merkle.Hash) bool {
	t[i] = *h
	for level := t; i&1 == 1; {
		*h = combine(hasher, &level[i-1], h)
		i /= 2
		if level = level[level.leaves():]; len(level) == 0 {
			return true
		}
		level[i] = *h
	}
	return false
}

// extend adds n leaves. Workers take blocks of 2^blockBits entries; what lies
// above the blocks is little and comes last.
func (s *store) extend(n int, leaf func(h *merklehash.Hasher, i int) merkle.Hash) (first uint64) {
	first = s.size.Load()
	if n == 0 {
		return first
	}
	end := first + uint64(n)
	s.reserve(end)
	var next atomic.Uint64
	next.Store(first >> blockBits)
	work := func() {
		h := merklehash.Get()
		defer h.Put()
		for {
			b := next.Add(1) - 1
			lo, hi := max(first, b<<blockBits), min(end, (b+1)<<blockBits)
			if lo >= hi {
				return
			}
			for i := lo; i < hi; i++ {
				*s.node(0, i) = leaf(h, int(i-first))
			}
			s.combine(h, 1, blockBits, lo, hi)
		}
	}
	blocks := (end+1<<blockBits-1)>>blockBits - first>>blockBits
	var workers sync.WaitGroup
	for range min(uint64(runtime.GOMAXPROCS(0)), blocks) - 1 { // and this goroutine
		workers.Go(work)
	}
	work()
	workers.Wait()
	s.combine(s.hasher, blockBits+1, bits.Len64(end), first, end)
	s.size.Store(end)
	return first
}

// combine writes the nodes of some levels that the entries [lo, hi) complete.
func (s *store) combine(h *merklehash.Hasher, level, last int, lo, hi uint64) {
	for ; level <= last; level++ {
		for i := lo >> level; i < hi>>level; i++ {
			*s.node(level, i) = combine(h, s.node(level-1, 2*i), s.node(level-1, 2*i+1))
		}
	}
}

// complete tells whether a subtree of n entries is complete: 2^level of them.
func complete(n uint64) bool { return n&(n-1) == 0 }

// levelOf returns the level of a complete subtree of n entries.
func levelOf(n uint64) int { return bits.TrailingZeros64(n) }

// split returns the size of the left subtree of a tree of n > 1 entries: the
// largest power of two below n.
func split(n uint64) uint64 { return 1 << (bits.Len64(n-1) - 1) }
