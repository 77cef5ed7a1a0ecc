package vclock

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"iter"
	"slices"
	"strconv"
)

// Dot names one event: the N-th of the actor ID. Counting starts at 1; a dot
// with N = 0 names no event.
type Dot struct {
	ID string
	N  uint64
}

// Clock is a vector clock, or version vector: for every actor the number of its
// events that have been seen. An actor that is absent counts as zero, and zero
// counters are never stored.
//
// A Clock is an immutable value, held as its canonical encoding in one string.
// So == is equality, a Clock can be a map key, assigning it copies nothing, it
// may be used by any number of goroutines at once, and encoding it is a copy.
// The zero Clock has seen nothing and is ready for use. Methods that change
// something return the changed clock:
//
//	c = c.Tick("a").Merge(other)
//
// Operations take time linear in the number of entries, and those that make a
// new clock allocate once. See Mattern, "Virtual time and global states of
// distributed systems", 1989, and Parker et al., "Detection of mutual
// inconsistency in distributed systems", 1983.
type Clock struct{ enc string }

// Limits of what can be encoded and decoded.
const (
	maxID      = 1024    // bytes of an id
	maxCounter = 1 << 62 // leaves ticks enough to whoever takes over a counter
	maxClock   = 64 << 10
)

// Make returns the clock with the given counters, in any order. Dots with N = 0
// say nothing and are dropped. It refuses an id that occurs twice, an id longer
// than 1024 bytes, a counter above 2^62 and a clock of more than 64 KiB.
func Make(dots ...Dot) (Clock, error) {
	sorted := slices.DeleteFunc(slices.Clone(dots), func(d Dot) bool { return d.N == 0 })
	slices.SortFunc(sorted, func(a, b Dot) int { return cmp.Compare(a.ID, b.ID) })
	size := 0
	for i, d := range sorted {
		switch {
		case i > 0 && sorted[i-1].ID == d.ID:
			return Clock{}, fmt.Errorf("vclock: id %s occurs twice, want once", brief(d.ID))
		case len(d.ID) > maxID:
			return Clock{}, fmt.Errorf("vclock: id %s has %d bytes, want at most %d", brief(d.ID), len(d.ID), maxID)
		case d.N > maxCounter:
			return Clock{}, fmt.Errorf("vclock: counter of %s is %d, want at most 2^62", brief(d.ID), d.N)
		}
		size += entryLen(d.ID, d.N)
	}
	if size > maxClock {
		return Clock{}, fmt.Errorf("vclock: clock has %d bytes, want at most %d", size, maxClock)
	}
	if size == 0 {
		return Clock{}, nil
	}
	b := make([]byte, 0, size)
	for _, d := range sorted {
		b = appendEntry(b, d.ID, d.N)
	}
	return seal(b), nil
}

// Get returns the counter of id, 0 when it is absent.
func (c Clock) Get(id string) uint64 {
	mid, ok := find(c.enc, id)
	if !ok {
		return 0
	}
	n, _ := uvarint(c.enc, mid)
	return n
}

// Contains reports whether the clock has seen the event d. Nothing needs to be
// seen of a dot with N = 0.
func (c Clock) Contains(d Dot) bool { return c.Get(d.ID) >= d.N }

// Len returns the number of actors of which the clock has seen something.
func (c Clock) Len() int {
	n := 0
	for i := 0; i < len(c.enc); n++ {
		_, _, i = entryAt(c.enc, i)
	}
	return n
}

// All yields ids and counters, ascending by the bytes of the ids. It allocates
// nothing; the ids share the clock's memory.
func (c Clock) All() iter.Seq2[string, uint64] {
	return func(yield func(string, uint64) bool) {
		for i := 0; i < len(c.enc); {
			id, n, end := entryAt(c.enc, i)
			if !yield(id, n) {
				return
			}
			i = end
		}
	}
}

// Tick returns the clock after one more event of id: c with the counter of id
// incremented, or created at 1. Only one writer at a time may tick an id; see
// [NewActor]. An id longer than 1024 bytes can be ticked but not encoded.
func (c Clock) Tick(id string) Clock {
	if mid, ok := find(c.enc, id); ok {
		n, end := uvarint(c.enc, mid)
		return c.bump(mid, end, n+1)
	}
	i := 0 // where the entry belongs
	for i < len(c.enc) {
		have, _, end := entryAt(c.enc, i)
		if have > id {
			break
		}
		i = end
	}
	b := append(make([]byte, 0, len(c.enc)+entryLen(id, 1)), c.enc[:i]...)
	b = appendEntry(b, id, 1)
	return seal(append(b, c.enc[i:]...))
}

// bump returns the clock with n for the counter that is at enc[mid:end].
func (c Clock) bump(mid, end int, n uint64) Clock {
	if uvarintLen(n) == end-mid {
		b := []byte(c.enc)
		binary.PutUvarint(b[mid:], n)
		return seal(b)
	}
	b := append(make([]byte, 0, len(c.enc)+1), c.enc[:mid]...)
	b = binary.AppendUvarint(b, n)
	return seal(append(b, c.enc[end:]...))
}

// Without returns the clock without the entries of ids.
//
// This is the only way to make a clock smaller, and it is safe in one case
// only: the actor has left for good, and every replica has seen its last event,
// that is, its counter is at most that of the [Clock.Meet] of all replicas'
// clocks. Dropping an entry earlier, by age or by size, turns values that were
// overwritten long ago into siblings again, and two nodes that prune in
// different ways hand them to each other for ever.
func (c Clock) Without(ids ...string) Clock {
	size := len(c.enc)
	for i := 0; i < len(c.enc); {
		id, _, end := entryAt(c.enc, i)
		if slices.Contains(ids, id) {
			size -= end - i
		}
		i = end
	}
	switch size {
	case len(c.enc):
		return c
	case 0:
		return Clock{}
	}
	b := make([]byte, 0, size)
	for i := 0; i < len(c.enc); {
		id, _, end := entryAt(c.enc, i)
		if !slices.Contains(ids, id) {
			b = append(b, c.enc[i:end]...)
		}
		i = end
	}
	return seal(b)
}

// String returns the clock in the notation of ShiViz, {"a":1, "b":2}, ascending
// by id. It is JSON where the ids are UTF-8; other bytes show as \x escapes.
func (c Clock) String() string { return string(c.appendObject(nil, ", ")) }

// brief quotes an id for an error, however long it is.
func brief(id string) string {
	if len(id) > 40 {
		return strconv.Quote(id[:40]) + "..."
	}
	return strconv.Quote(id)
}
