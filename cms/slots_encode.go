package cms

import (
	"encoding/binary"

	"github.com/distkit/distkit/internal/codec"
)

// parseSlots reads exactly n items, the largest first, into slots for k. parse takes
// one item from b, or says what is wrong with it.
func parseSlots[V uint64 | float64](kind codec.Kind, b []byte, k, n int, parse func(b []byte) (slot[V], []byte, string)) (slots[V], error) {
	s, last := roomFor[V](n, k), slot[V]{}
	for i := range n {
		item, rest, why := parse(b)
		switch {
		case why != "":
			return s, codec.Corrupt(kind, "item %d %s", i, why)
		case s.find(item.hash) != nil:
			return s, codec.Corrupt(kind, "item %d is there twice", i)
		case i > 0 && !before(&last, &item):
			return s, codec.Corrupt(kind, "item %d is out of order", i)
		}
		s.insert(item)
		b, last = rest, item
	}
	if len(b) != 0 {
		return s, codec.Corrupt(kind, "%d bytes after the items", len(b))
	}
	return s, nil
}

// parseUvarint takes a number in its shortest form from b.
func parseUvarint(b []byte) (v uint64, rest []byte, ok bool) {
	v, used := binary.Uvarint(b)
	if used <= 0 || used != uvarintLen(v) {
		return 0, nil, false
	}
	return v, b[used:], true
}

// parseKey takes a key and its length from b, or says what is wrong.
func parseKey(b []byte) (key string, rest []byte, why string) {
	size, b, ok := parseUvarint(b)
	switch {
	case !ok:
		return "", nil, "has a length that is cut short or too long"
	case size > uint64(len(b)):
		return "", nil, "has a key that is cut short"
	}
	return string(b[:size]), b[size:], ""
}
