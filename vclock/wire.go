package vclock

import (
	"math/bits"
	"unsafe"
)

// A clock's encoding is a sequence of entries, ascending by the bytes of their
// ids, without padding or terminator:
//
//	uvarint(len(id)) id uvarint(counter)
//
// Varints are as short as they can be and counters at least 1, so every clock
// has exactly one encoding. The functions below trust their input: what comes
// from outside passes validate first.

// uvarint reads the varint at s[i:] and returns it with the index after it.
func uvarint(s string, i int) (v uint64, end int) {
	if b := s[i]; b < 0x80 {
		return uint64(b), i + 1
	}
	return longUvarint(s, i)
}

// longUvarint is uvarint without the short cut, apart so that uvarint inlines.
func longUvarint(s string, i int) (v uint64, end int) {
	for shift := 0; ; shift += 7 {
		b := s[i]
		i++
		if b < 0x80 {
			return v | uint64(b)<<shift, i
		}
		v |= uint64(b&0x7f) << shift
	}
}

// uvarintLen is the number of bytes of v's varint.
func uvarintLen(v uint64) int { return (bits.Len64(v|1) + 6) / 7 }

// putUvarint writes v at b[i:] and returns the index after it.
func putUvarint(b []byte, i int, v uint64) int {
	for v >= 0x80 {
		b[i] = byte(v) | 0x80
		v >>= 7
		i++
	}
	b[i] = byte(v)
	return i + 1
}

// entryAt reads the entry at s[i:]: its id, where its counter starts, the
// counter, and where the next entry starts.
func entryAt(s string, i int) (id string, mid int, n uint64, end int) {
	l, i := uvarint(s, i)
	mid = i + int(l)
	id = s[i:mid]
	n, end = uvarint(s, mid)
	return id, mid, n, end
}

// entryLen is the number of bytes of an entry.
func entryLen(id string, n uint64) int {
	return uvarintLen(uint64(len(id))) + len(id) + uvarintLen(n)
}

// putEntry writes an entry at b[i:] and returns the index after it.
func putEntry(b []byte, i int, id string, n uint64) int {
	i = putUvarint(b, i, uint64(len(id)))
	i += copy(b[i:], id)
	return putUvarint(b, i, n)
}

// seal turns a buffer into a clock without a copy. The buffer must be full and
// nobody may write to it again.
func seal(b []byte) Clock { return Clock{unsafe.String(unsafe.SliceData(b), len(b))} }

// walk goes through two encodings in step, an id at a time. After next has
// returned true, na and nb are that id's counters, 0 where it is absent, and
// a[x:i] and b[y:j] its entries, empty where it is absent.
type walk struct {
	a, b       string
	x, i, y, j int
	na, nb     uint64
}

func (w *walk) next() bool {
	w.x, w.y, w.na, w.nb = w.i, w.j, 0, 0
	switch {
	case w.i < len(w.a) && w.j < len(w.b):
		ida, _, na, i := entryAt(w.a, w.i)
		idb, _, nb, j := entryAt(w.b, w.j)
		switch {
		case ida == idb:
			w.na, w.i, w.nb, w.j = na, i, nb, j
		case ida < idb:
			w.na, w.i = na, i
		default:
			w.nb, w.j = nb, j
		}
	case w.i < len(w.a):
		_, _, w.na, w.i = entryAt(w.a, w.i)
	case w.j < len(w.b):
		_, _, w.nb, w.j = entryAt(w.b, w.j)
	default:
		return false
	}
	return true
}
