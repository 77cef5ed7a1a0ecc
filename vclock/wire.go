package vclock

import (
	"encoding/binary"
	"math/bits"
	"strings"
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

// entryAt reads the entry at s[i:]: its id, its counter, and where the next
// entry starts.
func entryAt(s string, i int) (id string, n uint64, end int) {
	l, i := uvarint(s, i)
	mid := i + int(l)
	n, end = uvarint(s, mid)
	return s[i:mid], n, end
}

// entryLen is the number of bytes of an entry.
func entryLen(id string, n uint64) int {
	return uvarintLen(uint64(len(id))) + len(id) + uvarintLen(n)
}

// appendEntry appends an entry.
func appendEntry(b []byte, id string, n uint64) []byte {
	b = binary.AppendUvarint(b, uint64(len(id)))
	b = append(b, id...)
	return binary.AppendUvarint(b, n)
}

// seal turns a buffer into a clock without a copy. The buffer must be full and
// nobody may write to it again.
func seal(b []byte) Clock { return Clock{unsafe.String(unsafe.SliceData(b), len(b))} }

// find returns where the counter of id starts. It does not look at the order of
// ids, and tells most from the one it seeks by their last bytes: the ids of one
// system begin alike.
func find(s, id string) (mid int, ok bool) {
	if len(id) == 0 || len(id) >= 0x80 {
		return findRare(s, id)
	}
	t, want := textOf(s), len(id)
	last, tail, long := uint64(id[want-1]), uint64(0), want >= 8
	if long {
		tail = wordAt(textOf(id), want-8)
	}
	for i := 0; i < len(s); {
		l := int(byteAt(t, i))
		if l == want {
			mid = i + 1 + want // not l: a processor that guesses right need not wait for it
			if byteAt(t, mid-1) == last && (!long || wordAt(t, mid-8) == tail) && s[i+1:mid] == id {
				return mid, true
			}
		} else {
			if l >= 0x80 {
				return findRare(s, id)
			}
			mid = i + 1 + l
		}
		for i = mid; byteAt(t, i) >= 0x80; i++ {
		}
		i++
	}
	return 0, false
}

// findRare is find for the empty id and where ids have 128 bytes or more.
func findRare(s, id string) (mid int, ok bool) {
	for i := 0; i < len(s); {
		have, n, end := entryAt(s, i)
		if have == id {
			return end - uvarintLen(n), true
		}
		i = end
	}
	return 0, false
}

// step reads the entries at a[i:] and b[j:], both within their strings. If they
// have the same id it returns both counters and where the next entries start; if
// not, it reads only the one that comes first, and for the other returns a zero
// and where it is.
//
// All binary operations are loops over step, so it is written for the usual
// case: ids of up to 15 bytes and counters of up to two.
func step(a, b string, i, j int) (na, nb uint64, ea, eb int) {
	ta, tb := textOf(a), textOf(b)
	l := int(byteAt(ta, i))
	ma, mb := i+1+l, j+1+l
	switch {
	case l != int(byteAt(tb, j)) || l > 15:
		return slowStep(a, b, i, j)
	case l >= 7: // two words that overlap hold length and id
		if wordAt(ta, i) != wordAt(tb, j) || wordAt(ta, ma-8) != wordAt(tb, mb-8) {
			return slowStep(a, b, i, j)
		}
	case i+8 <= len(a) && j+8 <= len(b): // the low bytes of one do
		if (wordAt(ta, i)^wordAt(tb, j))<<(8*(7-l)) != 0 {
			return slowStep(a, b, i, j)
		}
	default:
		return slowStep(a, b, i, j)
	}
	na, nb = byteAt(ta, ma), byteAt(tb, mb)
	ea, eb = ma+1, mb+1
	if na >= 0x80 {
		next := byteAt(ta, ea)
		na += next<<7 - 0x80
		ea++
		if next >= 0x80 {
			na, ea = uvarint(a, ma)
		}
	}
	if nb >= 0x80 {
		next := byteAt(tb, eb)
		nb += next<<7 - 0x80
		eb++
		if next >= 0x80 {
			nb, eb = uvarint(b, mb)
		}
	}
	return na, nb, ea, eb
}

// slowStep is step for all entries.
func slowStep(a, b string, i, j int) (na, nb uint64, ea, eb int) {
	ida, na, ea := entryAt(a, i)
	idb, nb, eb := entryAt(b, j)
	switch c := strings.Compare(ida, idb); {
	case c < 0:
		return na, 0, ea, j
	case c > 0:
		return 0, nb, i, eb
	}
	return na, nb, ea, eb
}
