package lru

import (
	"fmt"
	"strings"
)

// Policy chooses the entry to evict.
type Policy uint8

const (
	// LRU evicts the least recently used entry: the one whose last Get or Set is
	// the oldest. It is the default of Cache.
	LRU Policy = iota
	// FIFO evicts the oldest insertion. A new value of a key is no insertion.
	FIFO
	// LIFO evicts the newest insertion. A text that means the newest access by it
	// means MRU.
	LIFO
	// MRU evicts the most recently used entry, which suits loops that are longer
	// than the cache.
	MRU
	// LFU evicts the entry with the least hits since its insertion, of several the
	// least recently used. It never ages: what was popular once stays. It costs 4
	// bytes an entry more (Shah, Mitra and Matani 2010).
	LFU
	// Random evicts any entry, all with the same probability. It costs 8 bytes an
	// entry more.
	Random
	// SIEVE passes once over the entries and evicts the first that had no hit since
	// the last time (Zhang et al., NSDI 2024). A hit sets a bit. It can freeze:
	// where every key is used twice, soon after one another, old entries may keep
	// the cache full for ever and its hit ratio near 0. It costs a byte an entry
	// more.
	SIEVE
	// S3FIFO lets new entries into a tenth of the cache and keeps in the rest what
	// had two hits there, or was asked for again soon after it had left (Yang et
	// al., SOSP 2023). A hit adds to a count of 2 bits. It costs 1 byte an entry
	// more, and up to 14 for what it remembers of keys that left.
	S3FIFO
	// Adaptive keeps what was used last, most often, or more than once: what would
	// have had the most hits, as small models of the cache tell that see a sample of
	// the keys. It is W-TinyLFU (Einziger et al. 2018) with a window of all the
	// capacity, a hundredth or a quarter. It has the highest hit ratio where the kind
	// of the load is not known, or changes, and is never much below LRU. It costs 9 to
	// 17 bytes an entry more, and up to 40 KB in all; in a Concurrent, in each shard.
	Adaptive
)

// defaultConcurrent is the policy of a Concurrent that is not told.
const defaultConcurrent = Adaptive

var policyNames = [...]string{"LRU", "FIFO", "LIFO", "MRU", "LFU", "Random", "SIEVE", "S3FIFO", "Adaptive"}

// String returns the name of p, as in "LRU".
func (p Policy) String() string {
	if int(p) < len(policyNames) {
		return policyNames[p]
	}
	return fmt.Sprintf("Policy(%d)", uint8(p))
}

func (p Policy) check() error {
	if int(p) < len(policyNames) {
		return nil
	}
	return fmt.Errorf("lru: policy is %v, want one of %s", p, strings.Join(policyNames[:], ", "))
}

// chooser is a policy that needs to know more than the order of one list, which
// is what queue is content with. It keeps its entries, which are node numbers, in
// lists of the slab other than pinned, and what else it knows of an entry in
// slices of its own, indexed by node. Entries of weight 0 it never sees.
//
// For a Set of a key that is not held, the cache calls miss, then evict until
// there is room, then insert.
type chooser interface {
	// resize tells the capacity, in the beginning and whenever it changes.
	resize(capacity uint64)
	// grow says that nodes below n are used from now on.
	grow(n int)
	// reset forgets everything but the capacity.
	reset()

	// miss says that the key of this place is to be set, and is not held. It returns
	// whether it left not long ago: a larger cache would still have it.
	miss(place uint32) bool
	// insert links a new entry.
	insert(i, place uint32)
	// hit says that a Get found the entry.
	hit(i uint32)
	// set says that the entry has a new value.
	set(i uint32)
	// reweigh says that the entry's weight is now by more than it was. The sum
	// wraps around for less.
	reweigh(i uint32, by uint64)
	// evict unlinks the entry that is to go, which is not keep, and returns it. The
	// cache calls it only if there is one.
	evict(keep uint32) uint32
	// remove unlinks an entry that leaves for another reason.
	remove(i uint32)

	// note returns what it knows of the entry, other than its place in a list.
	note(i uint32) uint64
	// restore links an entry of that note as the newest; it returns false if no
	// entry can have it, or none that comes after those before. It is called for
	// all entries of an image, in the order of iteration.
	restore(i uint32, note uint64) bool
}

// heads returns how many lists p needs.
func (p Policy) heads() uint32 {
	switch p {
	case S3FIFO:
		return main + 1
	case Adaptive:
		return protected + 1
	}
	return pinned + 1
}

// isQueue says whether p does without a chooser.
func (p Policy) isQueue() bool { return p == LRU || p == FIFO || p == LIFO || p == MRU }

// newChooser returns what p needs beside the slab, or nil for a queue. It may add to
// stats, if any.
func newChooser[K comparable, V any](p Policy, s *slab[K, V], stats *Stats) chooser {
	switch p {
	case LFU:
		return &lfu[K, V]{slab: s}
	case Random:
		return newRandom(s)
	case SIEVE:
		return &sieve[K, V]{slab: s}
	case S3FIFO:
		return &s3fifo[K, V]{slab: s}
	case Adaptive:
		return newAdaptive(s, stats)
	}
	return nil
}

// unconcerned has the methods of a chooser that does without them.
type unconcerned struct{}

func (unconcerned) resize(uint64)          {}
func (unconcerned) miss(uint32) bool       { return false }
func (unconcerned) set(uint32)             {}
func (unconcerned) reweigh(uint32, uint64) {}
