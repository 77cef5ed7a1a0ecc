package cms

import (
	"encoding/binary"
	"io"
	"slices"

	"github.com/distkit/distkit/internal/codec"
	"github.com/distkit/distkit/internal/hash64"
)

// The image of a Sketch, frozen: package comment, Format.
const (
	sketchVersion      = 1
	sketchConservative = 1 // must-understand flags
	sketchWide         = 2
	sketchParams       = 4 // width, depth, total, check value of the secret
	sketchAlign        = 6
)

// sketchImage is Sketch with the methods of its encoding.
type sketchImage Sketch

func (s *sketchImage) Format() (codec.Kind, byte) { return codec.CMSSketch, sketchVersion }

func (s *sketchImage) Secret() *[16]byte { return s.secret }

func (s *sketchImage) Header() (codec.Header, int, bool) {
	if s.width == 0 {
		return codec.Header{}, 0, false
	}
	return s.header(make([]uint64, sketchParams)), s.payload(), true
}

// header returns the header, whose parameters are put in params.
func (s *sketchImage) header(params []uint64) codec.Header {
	params[0], params[1], params[2], params[3] = s.width, s.depth, s.total, hash64.Check(s.secret)
	h := codec.Header{Kind: codec.CMSSketch, Version: sketchVersion, Align: sketchAlign, Params: params}
	if s.conservative {
		h.Must |= sketchConservative
	}
	if s.wide != nil {
		h.Must |= sketchWide
	}
	return h
}

func (s *sketchImage) payload() int { return 4*len(s.narrow) + 8*len(s.wide) }

func (s *sketchImage) AppendPayload(b []byte) []byte {
	return codec.AppendWords(appendNarrow(b, s.narrow), s.wide)
}

// appendNarrow appends cells, eight at a time.
func appendNarrow(b []byte, cells []uint32) []byte {
	n := len(b)
	b = slices.Grow(b, 4*len(cells))[:n+4*len(cells)]
	dst := b[n:]
	for len(cells) >= 8 && len(dst) >= 32 {
		binary.LittleEndian.PutUint64(dst, uint64(cells[0])|uint64(cells[1])<<32)
		binary.LittleEndian.PutUint64(dst[8:], uint64(cells[2])|uint64(cells[3])<<32)
		binary.LittleEndian.PutUint64(dst[16:], uint64(cells[4])|uint64(cells[5])<<32)
		binary.LittleEndian.PutUint64(dst[24:], uint64(cells[6])|uint64(cells[7])<<32)
		cells, dst = cells[8:], dst[32:]
	}
	for i, c := range cells {
		binary.LittleEndian.PutUint32(dst[4*i:], c)
	}
	return b
}

// chunk is how many counters are written at a time.
const chunk = 4096

func (s *sketchImage) WritePayload(e *codec.Writer) error { return writeCells(e, s.narrow, s.wide) }

// writeCells writes the one of both that there is.
func writeCells(e *codec.Writer, narrow []uint32, wide []uint64) error {
	buf := make([]byte, 0, 4*min(chunk, len(narrow)))
	for len(narrow) > 0 {
		n := min(chunk, len(narrow))
		if err := e.Bytes(appendNarrow(buf, narrow[:n])); err != nil {
			return err
		}
		narrow = narrow[n:]
	}
	return e.Words(wide)
}

func (s *sketchImage) Accept(h codec.Header, payload uint64) error {
	if err := h.Check(sketchConservative|sketchWide, sketchParams, sketchAlign); err != nil {
		return err
	}
	width, depth, size := h.Params[0], h.Params[1], counterBytes(h.Must&sketchWide != 0)
	switch {
	case width == 0 || width > maxWidth || depth == 0 || depth > maxDepth:
		return codec.Corrupt(codec.CMSSketch, "%d rows of %d counters, want 1 to %d of 1 to 2^32", depth, width, maxDepth)
	case width*depth*size != payload || payload > maxBytes:
		return codec.Corrupt(codec.CMSSketch, "payload of %d bytes, want %d for %d rows of %d counters", payload, width*depth*size, depth, width)
	}
	return nil
}

func (s *sketchImage) Restore(h codec.Header, payload []byte) error {
	c := counters{width: h.Params[0], depth: h.Params[1], conservative: h.Must&sketchConservative != 0}
	if h.Must&sketchWide != 0 {
		c.wide = codec.Words(payload)
	} else {
		c.narrow = narrowCells(payload)
	}
	total := h.Params[2]
	if row := c.fullestRow(); row > total {
		return codec.Corrupt(codec.CMSSketch, "a row holds %d, want at most the total, %d", row, total)
	}
	s.counters, s.total = c, total
	return nil
}

func narrowCells(payload []byte) []uint32 {
	cells := make([]uint32, len(payload)/4)
	for i := range cells {
		cells[i] = binary.LittleEndian.Uint32(payload[4*i:])
	}
	return cells
}

// MarshalBinary returns the image of s; see the package comment for its bytes.
func (s *Sketch) MarshalBinary() ([]byte, error) { return s.AppendBinary(nil) }

// AppendBinary appends the image of s to b. It allocates once, and not at all
// where b has room.
func (s *Sketch) AppendBinary(b []byte) ([]byte, error) {
	image := (*sketchImage)(s)
	if s.width == 0 {
		return codec.Append(image, b)
	}
	// What codec.Append does, but with parameters that stay on the stack.
	var params [sketchParams]uint64
	start := len(b)
	b = codec.AppendHeader(b, image.header(params[:]), image.payload())
	return codec.AppendSum(image.AppendPayload(b), start), nil
}

// UnmarshalBinary makes s the sketch whose image is exactly data, which it
// copies, size and kind included. s keeps its WithSecret: an image that was made
// under another one is ErrIncompatible. Whatever else is wrong is ErrCorrupt.
// After an error s is as it was.
func (s *Sketch) UnmarshalBinary(data []byte) error { return codec.Decode((*sketchImage)(s), data) }

// WriteTo writes the image of s to w without a second copy of it in memory.
func (s *Sketch) WriteTo(w io.Writer) (int64, error) { return codec.Write((*sketchImage)(s), w) }

// ReadFrom reads exactly one image from r, as UnmarshalBinary does, and no byte
// beyond it. A source that ends before the first byte is io.EOF as well as
// ErrCorrupt, one that ends early io.ErrUnexpectedEOF. Memory grows with what
// arrives, whatever the header promises.
func (s *Sketch) ReadFrom(r io.Reader) (int64, error) { return codec.Read((*sketchImage)(s), r) }

// MarshalText returns the image of s in standard base64, so that JSON works.
func (s *Sketch) MarshalText() ([]byte, error) { return codec.MarshalText((*sketchImage)(s)) }

// UnmarshalText is UnmarshalBinary for what MarshalText returned.
func (s *Sketch) UnmarshalText(text []byte) error {
	return codec.UnmarshalText((*sketchImage)(s), text)
}
