package hll

import (
	"encoding/binary"
	"io"
	"math"
	"time"

	"github.com/distkit/distkit/internal/codec"
)

// The image of a Window: package comment, Format.
const (
	windowVersion = 0
	windowParams  = 5 // precision, duration, panes, newest, check value of the secret
	// denseWindowPane is what stands for the number of tokens before registers.
	denseWindowPane = math.MaxUint32
)

func (w *Window) format() (codec.Kind, byte) { return codec.HLLWindow, windowVersion }

func (w *Window) encode() (codec.Header, payload, bool) {
	if len(w.panes) == 0 {
		return codec.Header{}, nil, false
	}
	h := codec.Header{
		Align:  sketchAlign,
		Params: []uint64{uint64(w.p), uint64(w.d), uint64(len(w.panes)), uint64(w.newest), 0},
	}
	var code paneCode
	for i := range w.panes {
		code = append(code, w.pane(w.newest-int64(len(w.panes)-1-i)).payload())
	}
	return h, code, true
}

// paneCode is the payload: the panes from the oldest to the newest, each as a
// Sketch is stored, behind what is known from the header there.
type paneCode []payload

func (c paneCode) size() (n int) {
	for _, p := range c {
		n += 4 + p.size()
		if _, sparse := p.(tokenCode); sparse {
			n += 4
		}
	}
	return n
}

func (c paneCode) appendTo(b []byte) []byte {
	for _, p := range c {
		if tokens, sparse := p.(tokenCode); sparse {
			b = binary.LittleEndian.AppendUint32(b, uint32(len(tokens)))
			b = binary.LittleEndian.AppendUint32(b, uint32(tokens.size()))
		} else {
			b = binary.LittleEndian.AppendUint32(b, denseWindowPane)
		}
		b = p.appendTo(b)
	}
	return b
}

func (w *Window) accept(h codec.Header, payload int) error {
	if err := h.Check(0, windowParams, sketchAlign); err != nil {
		return err
	}
	p, d, n, newest := h.Params[0], h.Params[1], h.Params[2], int64(h.Params[3])
	switch {
	case p < MinPrecision || p > MaxPrecision:
		return codec.Corrupt(h.Kind, "precision is %d, want %d to %d", p, MinPrecision, MaxPrecision)
	case n < minPanes || n > maxPanes:
		return codec.Corrupt(h.Kind, "number of panes is %d, want %d to %d", n, minPanes, maxPanes)
	case d < n-1 || d > math.MaxInt64:
		return codec.Corrupt(h.Kind, "window of %d ns, want at least one for each of %d panes, and at most 2^63-1", d, n-1)
	case payload < 8*int(n):
		return codec.Corrupt(h.Kind, "payload of %d bytes, want at least %d for %d panes", payload, 8*n, n)
	}
	width := paneWidth(time.Duration(d), int(n))
	if newest < paneAt(earliest, width) || newest > paneAt(math.MaxInt64, width) {
		return codec.Corrupt(h.Kind, "newest pane is %d, at no time", newest)
	}
	return nil
}

func (w *Window) restore(h codec.Header, body []byte) error {
	d := newWindow(uint8(h.Params[0]), time.Duration(h.Params[1]), int(h.Params[2]), w.keyed)
	newest, empty := int64(h.Params[3]), true
	for i := range d.panes {
		pane := d.pane(newest - int64(len(d.panes)-1-i))
		var err error
		if body, err = pane.restorePane(d.p, body); err != nil {
			return err
		}
		pane.keyed = w.keyed
		empty = empty && pane.IsEmpty()
	}
	switch {
	case len(body) > 0:
		return codec.Corrupt(h.Kind, "%d bytes follow the last pane", len(body))
	case empty && newest != 0:
		return codec.Corrupt(h.Kind, "newest pane of no keys is %d, want 0", newest)
	case !empty && d.pane(newest).IsEmpty():
		return codec.Corrupt(h.Kind, "newest pane is empty, and others are not")
	}
	d.union = &Sketch{p: d.p, keyed: w.keyed}
	d.includeAll()
	d.begun, d.newest, d.start = !empty, newest, newest*d.width
	*w = *d
	return nil
}

// restorePane makes s the pane that body begins with, and returns what follows it.
func (s *Sketch) restorePane(p uint8, body []byte) (rest []byte, err error) {
	const kind = codec.HLLWindow
	n, body, err := cutUint32(body)
	if err != nil {
		return nil, err
	}
	s.p = p
	if n == denseWindowPane {
		size := packedSize(1 << p)
		if len(body) < size {
			return nil, codec.Corrupt(kind, "pane of %d bytes, want %d for precision %d", len(body), size, p)
		}
		if s.regs, err = unpack(kind, body[:size], s.q()+1); err != nil {
			return nil, err
		}
		s.stats = count(s.regs, s.q())
		return body[size:], nil
	}
	size, body, err := cutUint32(body)
	if err != nil {
		return nil, err
	}
	if uint64(len(body)) < uint64(size) {
		return nil, codec.Corrupt(kind, "pane of %d bytes, want %d", len(body), size)
	}
	if err := acceptTokens(kind, uint64(n), limit(p), int(size)); err != nil {
		return nil, err
	}
	if s.tokens, err = decodeTokens(body[:size], int(n)); err != nil {
		return nil, corruptTokens(kind, err)
	}
	return body[size:], nil
}

func cutUint32(b []byte) (v uint32, rest []byte, err error) {
	if len(b) < 4 {
		return 0, nil, codec.Corrupt(codec.HLLWindow, "panes end early")
	}
	return binary.LittleEndian.Uint32(b), b[4:], nil
}

// MarshalBinary returns the image of w; see the package comment for its bytes.
func (w *Window) MarshalBinary() ([]byte, error) { return codec.Append(imageOf(w), nil) }

// AppendBinary appends the image of w to b.
func (w *Window) AppendBinary(b []byte) ([]byte, error) { return codec.Append(imageOf(w), b) }

// UnmarshalBinary makes w what its image, exactly data, says, duration and panes
// included; see [Sketch.UnmarshalBinary].
func (w *Window) UnmarshalBinary(data []byte) error { return codec.Decode(imageOf(w), data) }

// WriteTo writes the image of w to dst.
func (w *Window) WriteTo(dst io.Writer) (int64, error) { return codec.Write(imageOf(w), dst) }

// ReadFrom reads exactly one image from src; see [Sketch.ReadFrom].
func (w *Window) ReadFrom(src io.Reader) (int64, error) { return codec.Read(imageOf(w), src) }

// MarshalText returns the image of w in standard base64, so that JSON works.
func (w *Window) MarshalText() ([]byte, error) { return codec.MarshalText(imageOf(w)) }

// UnmarshalText is UnmarshalBinary for what MarshalText returned.
func (w *Window) UnmarshalText(text []byte) error { return codec.UnmarshalText(imageOf(w), text) }
