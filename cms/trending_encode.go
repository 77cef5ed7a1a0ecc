package cms

import (
	"encoding/binary"
	"io"
	"math"

	"github.com/distkit/distkit/internal/codec"
)

// The image of a Trending: package comment, Format.
const (
	trendVersion = 0
	trendParams  = 9 // k, counters a row, items, half-life, landmark, newest, rest, total, check value of the secret
	trendAlign   = 3
)

// trendImage is Trending with the methods of its encoding.
type trendImage Trending

func (t *trendImage) Format() (codec.Kind, byte) { return codec.CMSTrending, trendVersion }

func (t *trendImage) Secret() *[16]byte { return t.secret }

func (t *trendImage) Header() (codec.Header, int, bool) {
	if t.k == 0 {
		return codec.Header{}, 0, false
	}
	h := codec.Header{
		Align: trendAlign,
		Params: []uint64{
			uint64(t.k), t.width, uint64(len(t.slots)), uint64(t.halfLife), uint64(t.landmark), uint64(t.newest),
			math.Float64bits(t.rest), math.Float64bits(t.total), 0,
		},
	}
	size := 8 * len(t.cells)
	for _, s := range t.slots {
		size += trendItem + uvarintLen(uint64(len(s.key))) + len(s.key)
	}
	return h, size, true
}

const trendItem = 24 // hash, sum and error of an item

func (t *trendImage) AppendPayload(b []byte) []byte {
	b = codec.AppendWords(b, t.cells)
	for _, s := range t.sorted() {
		b = binary.LittleEndian.AppendUint64(b, s.hash)
		b = binary.LittleEndian.AppendUint64(b, math.Float64bits(s.count))
		b = binary.LittleEndian.AppendUint64(b, math.Float64bits(s.err))
		b = binary.AppendUvarint(b, uint64(len(s.key)))
		b = append(b, s.key...)
	}
	return b
}

// isSum says whether bits are those of a float that may be a sum of weights: from
// 0 to maxSum, and not -0, which would be a second image of 0.
func isSum(bits uint64) bool { return bits <= math.Float64bits(maxSum) }

func (t *trendImage) Accept(h codec.Header, payload uint64) error {
	if err := h.Check(0, trendParams, trendAlign); err != nil {
		return err
	}
	k, width, items, halfLife := h.Params[0], h.Params[1], h.Params[2], h.Params[3]
	rest, total := h.Params[6], h.Params[7]
	switch {
	case k == 0 || k > maxK:
		return codec.Corrupt(codec.CMSTrending, "k is %d, want 1 to 2^24", k)
	case width == 0 || width > maxCounters || width*tailDepth*8 > maxBytes:
		return codec.Corrupt(codec.CMSTrending, "%d counters a row, want 1 to 2^32 in at most 2^40 bytes", width)
	case halfLife == 0 || halfLife > math.MaxInt64:
		return codec.Corrupt(codec.CMSTrending, "half-life is %d ns, want 1 to 2^63-1", halfLife)
	case !isSum(rest) || !isSum(total):
		return codec.Corrupt(codec.CMSTrending, "sums are %g and %g, want 0 to 2^600", math.Float64frombits(rest), math.Float64frombits(total))
	case items > k || items < k && rest != 0 || (items == 0) != (total == 0):
		return codec.Corrupt(codec.CMSTrending, "%d items of %d, others with up to %g, all with %g", items, k, math.Float64frombits(rest), math.Float64frombits(total))
	case width*tailDepth*8+items*(trendItem+1) > payload:
		return codec.Corrupt(codec.CMSTrending, "payload of %d bytes is too short for %d counters and %d items", payload, width*tailDepth, items)
	}
	return nil
}

func (t *trendImage) Restore(h codec.Header, payload []byte) error {
	k, width, items := int(h.Params[0]), h.Params[1], int(h.Params[2])
	d := newDecay(int64(h.Params[3]))
	d.landmark, d.newest = int64(h.Params[4]), int64(h.Params[5])
	if err := d.settle(items == 0); err != nil {
		return err
	}
	rest := math.Float64frombits(h.Params[6])
	cells := codec.Words(payload[:8*tailDepth*width])
	for i, c := range cells {
		if !isSum(c) || rest == 0 && c != 0 {
			return codec.Corrupt(codec.CMSTrending, "counter %d is %g, others have up to %g", i, math.Float64frombits(c), rest)
		}
	}
	s, err := parseSlots(codec.CMSTrending, payload[8*tailDepth*width:], k, items, parseTrend)
	if err != nil {
		return err
	}
	t.weightSlots, t.cells, t.width, t.decay = s, cells, width, d
	t.rest, t.total = rest, math.Float64frombits(h.Params[7])
	return nil
}

// settle checks the times of an image, and computes the weight of the newest.
func (d *decay) settle(empty bool) error {
	if empty {
		if d.landmark != 0 || d.newest != 0 {
			return codec.Corrupt(codec.CMSTrending, "has times and no items")
		}
		return nil
	}
	if d.newest < firstNano {
		return codec.Corrupt(codec.CMSTrending, "newest addition is of %d ns, want at least %d", d.newest, int64(firstNano))
	}
	fraction, exponent := d.power(d.newest)
	if exponent < 0 || exponent > maxExponent {
		return codec.Corrupt(codec.CMSTrending, "newest addition is %d half-lives after the landmark, want 0 to %d", exponent, maxExponent)
	}
	period, rest := floorDiv(d.newest, d.halfLife)
	d.unit, d.period, d.from = ldexp(fraction, exponent), period, d.newest-rest
	return nil
}

// parseTrend takes one item from b, or says what is wrong.
func parseTrend(b []byte) (item slot[float64], rest []byte, why string) {
	if len(b) < trendItem {
		return item, nil, "is cut short"
	}
	count, err := binary.LittleEndian.Uint64(b[8:]), binary.LittleEndian.Uint64(b[16:])
	if count == 0 || !isSum(count) || err > count {
		return item, nil, "has a sum or an error that cannot be"
	}
	item.hash, item.count, item.err = binary.LittleEndian.Uint64(b), math.Float64frombits(count), math.Float64frombits(err)
	item.key, rest, why = parseKey(b[trendItem:])
	return item, rest, why
}

// MarshalBinary returns the image of t; see the package comment for its bytes.
func (t *Trending) MarshalBinary() ([]byte, error) { return codec.Append((*trendImage)(t), nil) }

// AppendBinary appends the image of t to b.
func (t *Trending) AppendBinary(b []byte) ([]byte, error) { return codec.Append((*trendImage)(t), b) }

// UnmarshalBinary makes t what its image, exactly data, says; see
// Sketch.UnmarshalBinary.
func (t *Trending) UnmarshalBinary(data []byte) error { return codec.Decode((*trendImage)(t), data) }

// WriteTo writes the image of t to w.
func (t *Trending) WriteTo(w io.Writer) (int64, error) { return codec.Write((*trendImage)(t), w) }

// ReadFrom reads exactly one image from r; see Sketch.ReadFrom.
func (t *Trending) ReadFrom(r io.Reader) (int64, error) { return codec.Read((*trendImage)(t), r) }

// MarshalText returns the image of t in standard base64, so that JSON works.
func (t *Trending) MarshalText() ([]byte, error) { return codec.MarshalText((*trendImage)(t)) }

// UnmarshalText is UnmarshalBinary for what MarshalText returned.
func (t *Trending) UnmarshalText(text []byte) error {
	return codec.UnmarshalText((*trendImage)(t), text)
}
