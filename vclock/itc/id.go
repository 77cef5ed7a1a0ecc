package itc

import (
	"encoding/binary"
	"math/bits"
	"strings"
)

// The id is the interval [0, 1). A stamp owns some intervals that come from
// halving it, and a string of them is held ascending: eight bytes for where one
// starts, as a fraction of 2^64, and a byte for its depth, how often the whole
// was halved. Two halves of one interval are always held as one, so that a set
// of points has one string.

// maxDepth is where nothing is left to halve.
const maxDepth = 64

// part is an interval.
type part struct {
	start uint64
	depth int
}

const partBytes = 9

const whole = "\x00\x00\x00\x00\x00\x00\x00\x00\x00"

// last returns the last point of the interval; the end of the whole would not
// be a number of 64 bits.
func (p part) last() uint64 { return p.start + 1<<(maxDepth-p.depth) - 1 }

// half is the size of half of the interval.
func (p part) half() uint64 { return 1 << (maxDepth - 1 - p.depth) }

func (p part) isRight() bool { return p.depth > 0 && p.start&(1<<(maxDepth-p.depth)) != 0 }

// parent returns the interval of which p is a half.
func (p part) parent() part {
	return part{p.start &^ (1 << (maxDepth - p.depth)), p.depth - 1}
}

func partAt(id string, i int) part {
	return part{binary.BigEndian.Uint64([]byte(id[i : i+8])), int(id[i+8])}
}

// appendPart appends an interval after all that b has, as one with the other
// half if that comes last.
func appendPart(b []byte, p part) []byte {
	for p.isRight() && len(b) > 0 {
		left := partAt(string(b[len(b)-partBytes:]), 0)
		if left.depth != p.depth || left.last()+1 != p.start {
			break
		}
		b, p = b[:len(b)-partBytes], p.parent()
	}
	b = binary.BigEndian.AppendUint64(b, p.start)
	return append(b, byte(p.depth))
}

// sum returns what both own, or ErrOverlap.
func sum(a, b string) (string, error) {
	switch {
	case a == "":
		return b, nil
	case b == "":
		return a, nil
	}
	out := make([]byte, 0, len(a)+len(b))
	next, taken := uint64(0), false // where the next may start, and whether there is no such place
	for i, j := 0, 0; i < len(a) || j < len(b); {
		var p part
		// Fractions are big-endian: strings sort as starts do.
		if j == len(b) || i < len(a) && a[i:i+partBytes] < b[j:j+partBytes] {
			p, i = partAt(a, i), i+partBytes
		} else {
			p, j = partAt(b, j), j+partBytes
		}
		if taken || p.start < next {
			return "", ErrOverlap
		}
		next = p.last() + 1
		taken = next == 0
		out = appendPart(out, p)
	}
	return string(out), nil
}

// divide returns an id in two: where the first and the last interval part ways,
// or the halves of the only one. Beyond the last depth the second gets nothing.
func divide(id string) (string, string) {
	if len(id) <= partBytes {
		if id == "" {
			return "", ""
		}
		p := partAt(id, 0)
		if p.depth == maxDepth {
			return id, ""
		}
		left := part{p.start, p.depth + 1}
		right := part{p.start + p.half(), p.depth + 1}
		return string(appendPart(nil, left)), string(appendPart(nil, right))
	}
	first, last := partAt(id, 0), partAt(id, len(id)-partBytes)
	branch := uint64(1) << (63 - bits.LeadingZeros64(first.start^last.start))
	i := 0
	for partAt(id, i).start&branch == 0 {
		i += partBytes
	}
	return id[:i], id[i:]
}

// idString returns the id in the notation of the paper.
func idString(id string) string {
	var b strings.Builder
	writeID(&b, id, part{})
	return b.String()
}

// writeID writes what id owns of p.
func writeID(b *strings.Builder, id string, p part) {
	left, right, leaf := halves(id, p)
	switch {
	case leaf && id == "":
		b.WriteByte('0')
	case leaf:
		b.WriteByte('1')
	default:
		b.WriteByte('(')
		writeID(b, left, part{p.start, p.depth + 1})
		b.WriteString(", ")
		writeID(b, right, part{p.start + p.half(), p.depth + 1})
		b.WriteByte(')')
	}
}

// halves divides what is owned of p, unless that is nothing or all.
func halves(id string, p part) (left, right string, leaf bool) {
	if id == "" || partAt(id, 0) == p {
		return "", "", true
	}
	i := 0
	for i < len(id) && partAt(id, i).start < p.start+p.half() {
		i += partBytes
	}
	return id[:i], id[i:], false
}
