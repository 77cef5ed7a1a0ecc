package lru

import (
	"math"
	"math/bits"
	"sync/atomic"
)

// wheel finds entries whose deadline has passed (Varghese and Lauck 1987). It has
// no goroutine: time moves when the cache is used, forward or, where a caller's
// clock does, back.
//
// A deadline is a word of eleven digits of six bits. An entry is in the list of
// the first digit in which its deadline differs from the wheel's time, and of what
// that digit is. So when time moves, what is to be looked at is whole lists: all
// those of digits after the first that changes, and of that digit what it passed
// and reached. They are joined to the list due, whose entries are taken one by one:
// dead, or filed anew, at most once for each digit, some microseconds long or
// years.
//
// An entry whose deadline is put off stays where it is until it is due.
type wheel struct {
	time      uint64              // see order
	occupied  [wheelDigits]uint64 // lists that may have entries
	links     []wheelLinks        // heads first, then nodes
	deadlines []int64             // by node, in nanoseconds of the cache's clock
	quiet     atomic.Int64        // no deadline is before this
	shared    bool                // deadlines are read while they are written
}

// wheelLinks of a head are its first and last entry; those of a node that is in no
// list are 0.
type wheelLinks struct{ prev, next uint32 }

const (
	never = math.MaxInt64 // a deadline

	wheelBits   = 6
	wheelSlots  = 1 << wheelBits
	wheelDigits = (64 + wheelBits - 1) / wheelBits

	due        = 1       // head of what is to be looked at
	firstSlot  = due + 1 // of the least digit
	wheelHeads = firstSlot + wheelDigits*wheelSlots
)

// order maps times to words, so that later is more.
func order(t int64) uint64 { return uint64(t) ^ 1<<63 }

func newWheel(now int64, nodes int) *wheel {
	w := &wheel{time: order(now), links: make([]wheelLinks, wheelHeads)}
	w.quiet.Store(never)
	for h := range w.links {
		w.links[h] = wheelLinks{uint32(h), uint32(h)}
	}
	w.grow(nodes)
	return w
}

// grow makes room for nodes below n, which have no deadline.
func (w *wheel) grow(n int) {
	w.links = extended(w.links, wheelHeads+n)
	had := len(w.deadlines)
	w.deadlines = extended(w.deadlines, n)
	for i := range w.deadlines[had:] {
		w.deadlines[had+i] = never
	}
}

// set gives node i a deadline.
func (w *wheel) set(i uint32, deadline int64) {
	before := w.deadlines[i]
	w.put(i, deadline)
	if deadline < w.quiet.Load() {
		w.quiet.Store(deadline)
	}
	switch filed := w.links[wheelHeads+i].next != 0; {
	case !filed:
		w.file(i)
	case deadline < before:
		w.unlink(i)
		w.file(i)
	}
}

// remove forgets node i.
func (w *wheel) remove(i uint32) {
	if w.links[wheelHeads+i].next != 0 {
		w.unlink(i)
	}
	w.put(i, never)
}

func (w *wheel) put(i uint32, deadline int64) {
	if w.shared {
		atomic.StoreInt64(&w.deadlines[i], deadline)
	} else {
		w.deadlines[i] = deadline
	}
}

func (w *wheel) unlink(i uint32) {
	l := &w.links[wheelHeads+i]
	w.links[l.prev].next, w.links[l.next].prev = l.next, l.prev
	*l = wheelLinks{}
}

// file puts node i, which is in no list, into the list of its deadline.
func (w *wheel) file(i uint32) {
	if w.deadlines[i] == never {
		return
	}
	head := uint32(due)
	if end := order(w.deadlines[i]); end > w.time {
		d := digitOf(end ^ w.time)
		slot := digit(end, d)
		w.occupied[d] |= 1 << slot
		head = slotHead(d, slot)
	}
	last, at := w.links[head].prev, wheelHeads+i
	w.links[at] = wheelLinks{last, head}
	w.links[last].next, w.links[head].prev = at, at
}

// digitOf returns the first digit with a bit of the difference of two times.
func digitOf(diff uint64) int { return (bits.Len64(diff) - 1) / wheelBits }

func digit(t uint64, d int) uint { return uint(t>>(wheelBits*d)) % wheelSlots }

func slotHead(d int, slot uint) uint32 { return firstSlot + uint32(d)*wheelSlots + uint32(slot) }

// move makes it the time now. What may be dead then is due.
func (w *wheel) move(now int64) {
	to := order(now)
	if to == w.time {
		return
	}
	top := digitOf(to ^ w.time)
	from, head := digit(w.time, top), uint32(due)
	if to < w.time {
		// What differs from the time left in a later digit differs from the time
		// reached in this one.
		head = slotHead(top, from)
		w.occupied[top] |= 1 << from
	} else {
		passed := w.occupied[top] &^ (1<<from - 1) & (1<<digit(to, top)<<1 - 1)
		w.join(top, passed, due)
	}
	for d := range top {
		w.join(d, w.occupied[d], head)
	}
	w.time = to
}

// join moves the entries of those lists of a digit to the end of another.
func (w *wheel) join(d int, lists uint64, to uint32) {
	w.occupied[d] &^= lists
	for ; lists != 0; lists &= lists - 1 {
		h := slotHead(d, uint(bits.TrailingZeros64(lists)))
		l := w.links[h]
		if l.next == h {
			continue
		}
		last := w.links[to].prev
		w.links[last].next, w.links[l.next].prev = l.next, last
		w.links[l.prev].next, w.links[to].prev = to, l.prev
		w.links[h] = wheelLinks{h, h}
	}
}

// calm finds out until when nothing ends, if nothing is due: where the first list
// begins that has entries.
func (w *wheel) calm() {
	if w.links[due].next != due {
		return
	}
	for d := range wheelDigits {
		for lists := w.occupied[d]; lists != 0; lists &= lists - 1 {
			slot := uint(bits.TrailingZeros64(lists))
			if h := slotHead(d, slot); w.links[h].next != h {
				first := w.time&^(1<<(wheelBits*d+wheelBits)-1) | uint64(slot)<<(wheelBits*d)
				w.quiet.Store(int64(first ^ 1<<63))
				return
			}
		}
	}
	w.quiet.Store(never)
}

// take returns a node whose deadline is at most the wheel's time, if there is one
// among the next that are due, at most budget, and takes it out of its list. The
// others it files. It lowers budget by what it has seen.
func (w *wheel) take(budget *int) (node uint32, ok bool) {
	for ; *budget > 0; *budget-- {
		at := w.links[due].next
		if at == due {
			return none, false
		}
		i := at - wheelHeads
		w.unlink(i)
		if order(w.deadlines[i]) <= w.time {
			*budget--
			return i, true
		}
		w.file(i)
	}
	return none, false
}
