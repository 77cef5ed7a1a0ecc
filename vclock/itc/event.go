package itc

import (
	"encoding/binary"
	"strconv"
	"strings"
)

// What a stamp has seen is a number for each point of [0, 1): how many events.
// A string holds it as the leaves of the paper's tree, from left to right, each a
// byte for its depth and a varint for the number. Depths alone say where a leaf
// lies, for together they fill the interval; and as numbers are whole, not what
// is left after the paper's common base, comparing is one walk over two lists,
// and an event changes its own leaf and leaves all others as they are. Two halves
// with one number are always held as one leaf, and a single leaf with 0 as "", so
// that equal knowledge has one string.

// nothing is how the walks read "".
const nothing = "\x00\x00"

// leafAt reads the leaf at s[i:], and where the next one starts.
func leafAt(s string, i int) (depth int, n uint64, end int) {
	depth, n, end = int(s[i]), uint64(s[i+1]), i+2
	if n < 0x80 {
		return depth, n, end
	}
	n &= 0x7f
	for shift := 7; ; shift += 7 {
		b := s[end]
		end++
		if b < 0x80 {
			return depth, n | uint64(b)<<shift, end
		}
		n |= uint64(b&0x7f) << shift
	}
}

func leavesOf(event string) string {
	if event == "" {
		return nothing
	}
	return event
}

func eventOf(leaves []byte) string {
	if string(leaves) == nothing {
		return ""
	}
	return string(leaves)
}

// appendLeaf appends n for the interval p after all that b has, as one leaf with
// the other half if that comes last and has the same number.
func appendLeaf(b []byte, p part, n uint64) []byte {
	for p.isRight() {
		i := len(b) - 1 // the last byte of the leaf before, and back to its first
		for b[i-1] >= 0x80 {
			i--
		}
		i--
		if int(b[i]) != p.depth {
			break
		}
		if before, _ := binary.Uvarint(b[i+1:]); before != n {
			break
		}
		b, p = b[:i], p.parent()
	}
	b = append(b, byte(p.depth))
	return binary.AppendUvarint(b, n)
}

// relate says whether a number of a is less than that of b, and whether one is
// more.
func relate(a, b string) (less, more bool) {
	if a == b {
		return false, false
	}
	a, b = leavesOf(a), leavesOf(b)
	da, na, i := leafAt(a, 0)
	db, nb, j := leafAt(b, 0)
	pa, pb := part{0, da}, part{0, db}
	for {
		less = less || na < nb
		more = more || na > nb
		la, lb := pa.last(), pb.last()
		if less && more || la == lb && i == len(a) {
			return less, more
		}
		if la <= lb {
			pa.depth, na, i = leafAt(a, i)
			pa.start = la + 1
		}
		if lb <= la {
			pb.depth, nb, j = leafAt(b, j)
			pb.start = lb + 1
		}
	}
}

// join returns the larger number at each point.
func join(a, b string) string {
	switch less, more := relate(a, b); {
	case !less:
		return a
	case !more:
		return b
	}
	a, b = leavesOf(a), leavesOf(b)
	var small [256]byte
	out := small[:0]
	da, na, i := leafAt(a, 0)
	db, nb, j := leafAt(b, 0)
	pa, pb := part{0, da}, part{0, db}
	for {
		// One of two intervals holds the other: they come from halving.
		p, la, lb := pa, pa.last(), pb.last()
		if pb.depth > pa.depth {
			p = pb
		}
		out = appendLeaf(out, p, max(na, nb))
		if la == lb && i == len(a) {
			return eventOf(out)
		}
		if la <= lb {
			pa.depth, na, i = leafAt(a, i)
			pa.start = la + 1
		}
		if lb <= la {
			pb.depth, nb, j = leafAt(b, j)
			pb.start = lb + 1
		}
	}
}

// eventString returns the events in the notation of the paper.
func eventString(event string) string {
	var b strings.Builder
	writeEvent(&b, parse(event), 0, 0)
	return b.String()
}

func writeEvent(b *strings.Builder, ls []leaf, depth int, base uint64) {
	if ls[0].depth == depth {
		b.WriteString(strconv.FormatUint(ls[0].n-base, 10))
		return
	}
	left, right := split(ls, depth)
	least := least(ls)
	b.WriteString("(" + strconv.FormatUint(least-base, 10) + ", ")
	writeEvent(b, left, depth+1, least)
	b.WriteString(", ")
	writeEvent(b, right, depth+1, least)
	b.WriteByte(')')
}

// leaf is one that has been read.
type leaf struct {
	depth int
	n     uint64
}

func parse(event string) (ls []leaf) {
	event = leavesOf(event)
	for i := 0; i < len(event); {
		var l leaf
		l.depth, l.n, i = leafAt(event, i)
		ls = append(ls, l)
	}
	return ls
}

// split divides the leaves of an interval that is no leaf itself into those of
// its halves.
func split(ls []leaf, depth int) (left, right []leaf) {
	n, filled := 0, uint64(0) // of the left half, as a fraction of 2^64
	for n == 0 || filled != 0 {
		filled += 1 << (maxDepth - (ls[n].depth - depth - 1))
		n++
	}
	return ls[:n], ls[n:]
}

func least(ls []leaf) uint64 {
	n := ls[0].n
	for _, l := range ls {
		n = min(n, l.n)
	}
	return n
}
