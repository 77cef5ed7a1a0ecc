package cms

import (
	"encoding/binary"
	"fmt"
	"io"

	"github.com/distkit/distkit/internal/codec"
)

// The image of a TopK: package comment, Format.
const (
	topKVersion = 0
	topKWide    = 1 // must-understand flag: counters have 64 bits
	topKParams  = 6 // k, counters a row, items, rest, total, check value of the secret
	topKAlign   = 0
)

// topKImage is TopK with the methods of its encoding.
type topKImage TopK

func (t *topKImage) Format() (codec.Kind, byte) { return codec.CMSTopK, topKVersion }

func (t *topKImage) Secret() *[16]byte { return t.secret }

func (t *topKImage) Header() (codec.Header, int, bool) {
	if t.k == 0 {
		return codec.Header{}, 0, false
	}
	h := codec.Header{
		Align:  topKAlign,
		Params: []uint64{uint64(t.k), t.tail.width, uint64(len(t.slots)), t.rest, t.total, 0},
	}
	size := 4 * t.tail.len()
	if t.tail.needsWide() {
		h.Must, size = topKWide, 8*t.tail.len()
	}
	for _, s := range t.slots {
		size += 8 + uvarintLen(s.count) + uvarintLen(s.err) + uvarintLen(uint64(len(s.key))) + len(s.key)
	}
	return h, size, true
}

func uvarintLen(v uint64) int {
	var b [binary.MaxVarintLen64]byte
	return binary.PutUvarint(b[:], v)
}

func (t *topKImage) AppendPayload(b []byte) []byte {
	wide := t.tail.needsWide()
	for i := range t.tail.len() {
		if c := t.tail.at(i); wide {
			b = binary.LittleEndian.AppendUint64(b, c)
		} else {
			b = binary.LittleEndian.AppendUint32(b, uint32(c))
		}
	}
	for _, s := range t.sorted() {
		b = binary.LittleEndian.AppendUint64(b, s.hash)
		b = binary.AppendUvarint(b, s.count)
		b = binary.AppendUvarint(b, s.err)
		b = binary.AppendUvarint(b, uint64(len(s.key)))
		b = append(b, s.key...)
	}
	return b
}

func (t *topKImage) Accept(h codec.Header, payload uint64) error {
	if err := h.Check(topKWide, topKParams, topKAlign); err != nil {
		return err
	}
	k, width, items, rest := h.Params[0], h.Params[1], h.Params[2], h.Params[3]
	size := uint64(4)
	if h.Must&topKWide != 0 {
		size = 8
	}
	const leastItem = 8 + 3 // hash, count, error and an empty key
	switch {
	case k == 0 || k > maxK:
		return codec.Corrupt(codec.CMSTopK, "k is %d, want 1 to 2^24", k)
	case width == 0 || width > maxCounters || width*tailDepth*size > maxBytes:
		return codec.Corrupt(codec.CMSTopK, "%d counters a row, want 1 to 2^32 in at most 2^40 bytes", width)
	case items > k || items < k && rest != 0:
		return codec.Corrupt(codec.CMSTopK, "%d items of %d, and others with up to %d", items, k, rest)
	case width*tailDepth*size+items*leastItem > payload:
		return codec.Corrupt(codec.CMSTopK, "payload of %d bytes is too short for %d counters and %d items", payload, width*tailDepth, items)
	}
	return nil
}

func (t *topKImage) Restore(h codec.Header, payload []byte) error {
	k, width, items := int(h.Params[0]), h.Params[1], int(h.Params[2])
	rest, total := h.Params[3], h.Params[4]
	back := tail{width: width}
	if h.Must&topKWide != 0 {
		back.wide = codec.Words(payload[:8*tailDepth*width])
		payload = payload[8*tailDepth*width:]
		if !back.needsWide() {
			return codec.Corrupt(codec.CMSTopK, "counters have 64 bits and need 32")
		}
	} else {
		back.narrow = narrowCells(payload[:4*tailDepth*width])
		payload = payload[4*tailDepth*width:]
	}
	if rest == 0 && !back.empty() {
		return codec.Corrupt(codec.CMSTopK, "counters are set, though no key is without a slot")
	}
	s, err := parseSlots(codec.CMSTopK, payload, k, items, boundedBy(total))
	if err != nil {
		return err
	}
	t.countSlots, t.tail, t.rest, t.total = s, back, rest, total
	return nil
}

// boundedBy returns a parseItem for items whose certain counts are within the total.
func boundedBy(total uint64) func(b []byte) (slot[uint64], []byte, string) {
	certain := uint64(0)
	return func(b []byte) (item slot[uint64], rest []byte, why string) {
		if item, rest, why = parseItem(b); why != "" {
			return item, nil, why
		}
		if certain = plus(certain, item.count-item.err); item.err >= item.count || certain > total {
			why = fmt.Sprintf("counts %d with an error of %d, total is %d", item.count, item.err, total)
		}
		return item, rest, why
	}
}

// parseItem takes one item from b, or says what is wrong.
func parseItem(b []byte) (item slot[uint64], rest []byte, why string) {
	if len(b) < 8 {
		return item, nil, "is cut short"
	}
	item.hash, b = binary.LittleEndian.Uint64(b), b[8:]
	for _, v := range []*uint64{&item.count, &item.err} {
		var ok bool
		if *v, b, ok = parseUvarint(b); !ok {
			return item, nil, "has a number that is cut short or too long"
		}
	}
	item.key, rest, why = parseKey(b)
	return item, rest, why
}

// MarshalBinary returns the image of t; see the package comment for its bytes.
func (t *TopK) MarshalBinary() ([]byte, error) { return codec.Append((*topKImage)(t), nil) }

// AppendBinary appends the image of t to b.
func (t *TopK) AppendBinary(b []byte) ([]byte, error) { return codec.Append((*topKImage)(t), b) }

// UnmarshalBinary makes t what its image, exactly data, says; see
// Sketch.UnmarshalBinary.
func (t *TopK) UnmarshalBinary(data []byte) error { return codec.Decode((*topKImage)(t), data) }

// WriteTo writes the image of t to w.
func (t *TopK) WriteTo(w io.Writer) (int64, error) { return codec.Write((*topKImage)(t), w) }

// ReadFrom reads exactly one image from r; see Sketch.ReadFrom.
func (t *TopK) ReadFrom(r io.Reader) (int64, error) { return codec.Read((*topKImage)(t), r) }

// MarshalText returns the image of t in standard base64, so that JSON works.
func (t *TopK) MarshalText() ([]byte, error) { return codec.MarshalText((*topKImage)(t)) }

// UnmarshalText is UnmarshalBinary for what MarshalText returned.
func (t *TopK) UnmarshalText(text []byte) error { return codec.UnmarshalText((*topKImage)(t), text) }
