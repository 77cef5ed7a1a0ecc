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
	blockBits  = 12 // a worker hashes the leaves of 2^12 entries and all nodes above
)

// tile holds eight levels of nodes over 256 nodes of the level below: 256 of the
// lowest, 128 of the next, at last 2. The root over these is the business of the
// tile above. It fills a size class of the allocator, 16 KiB.
type tile [2*tileLeaves - 2]merkle.Hash

// store holds the complete nodes of a tree, those over 2^level entries. Nodes are
// written once, before the size that makes them complete is published, and tiles
// never move; so whoever has loaded a size may read the nodes of a tree of that
// size without a lock, whatever the one writer does meanwhile.
type store struct {
	size   atomic.Uint64
	tables [tables]atomic.Pointer[[]*tile] // tables[g] has levels 8g to 8g+7
	edges  edges
	hasher *merklehash.Hasher // the writer's
}

func newStore() *store { return &store{hasher: merklehash.Get()} }

// node returns complete node i of a level.
func (s *store) node(level int, i uint64) *merkle.Hash {
	r := level % tileLevels
	t := (*s.tables[level/tileLevels].Load())[i>>(tileLevels-r)]
	return &t[2*tileLeaves-2*tileLeaves>>r+int(i&(tileLeaves>>r-1))]
}

// reserve makes room for the complete nodes of a tree of that size.
func (s *store) reserve(size uint64) {
	for g := 0; size > 0; g, size = g+1, size>>tileLevels {
		s.grow(g, int((size-1)>>tileLevels)+1)
	}
}

// grow makes room for that many tiles in a table. Readers keep the table that they
// have, which has all that they may read.
func (s *store) grow(g, want int) {
	var table []*tile
	if p := s.tables[g].Load(); p != nil {
		table = *p
	}
	if want > len(table) {
		larger := make([]*tile, max(want, 2*len(table)))
		copy(larger, table)
		s.tables[g].Store(&larger)
		table = larger
	}
	for i := want - 1; i >= 0 && table[i] == nil; i-- {
		table[i] = new(tile)
	}
}

// append adds one leaf and the nodes that it completes.
func (s *store) append(leaf merkle.Hash) (index uint64) {
	index = s.size.Load()
	h := leaf
	for g, i, more := 0, index, true; more; g, i = g+1, i>>tileLevels {
		if i%tileLeaves == 0 {
			s.grow(g, int(i>>tileLevels)+1)
		}
		more = (*s.tables[g].Load())[i>>tileLevels].add(s.hasher, int(i%tileLeaves), &h)
	}
	s.size.Store(index + 1)
	return index
}

// add writes lowest node i and those that it completes. If it completes the tile,
// it returns true, and in h the hash of the node above.
func (t *tile) add(hasher *merklehash.Hasher, i int, h *merkle.Hash) bool {
	t[i] = *h
	for level := t[:]; i&1 == 1; {
		*h = combine(hasher, &level[i-1], h)
		i /= 2
		half := (len(level) + 2) / 2 // nodes of this level; the next follows
		if level = level[half:]; len(level) == 0 {
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
