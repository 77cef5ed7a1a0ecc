package cms

import (
	"io"
	"math"
	"time"

	"github.com/distkit/distkit/internal/codec"
)

// The image of a Window: package comment, Format.
const (
	windowVersion = 0
	windowWide    = 1 // must-understand flag: counters have 64 bits
	windowParams  = 6 // width, depth, panes, window, newest pane, check value of the secret
	windowAlign   = 3
)

// windowImage is Window with the methods of its encoding.
type windowImage Window

func (w *windowImage) Format() (codec.Kind, byte) { return codec.CMSWindow, windowVersion }

func (w *windowImage) Secret() *[16]byte { return w.secret }

func (w *windowImage) Header() (codec.Header, int, bool) {
	if w.width == 0 {
		return codec.Header{}, 0, false
	}
	h := codec.Header{
		Align:  windowAlign,
		Params: []uint64{w.width, w.depth, w.panes, uint64(w.window), uint64(w.newest), 0},
	}
	if w.wide != nil {
		h.Must = windowWide
	}
	return h, 8*len(w.totals) + 4*len(w.narrow) + 8*len(w.wide), true
}

func (w *windowImage) AppendPayload(b []byte) []byte {
	s := (*Window)(w).settled()
	return codec.AppendWords(appendNarrow(codec.AppendWords(b, s.totals), s.narrow), s.wide)
}

func (w *windowImage) WritePayload(e *codec.Writer) error {
	s := (*Window)(w).settled()
	if err := e.Words(s.totals); err != nil {
		return err
	}
	return writeCells(e, s.narrow, s.wide)
}

func (w *windowImage) Accept(h codec.Header, payload uint64) error {
	if err := h.Check(windowWide, windowParams, windowAlign); err != nil {
		return err
	}
	width, depth, panes, window := h.Params[0], h.Params[1], h.Params[2], h.Params[3]
	switch {
	case width == 0 || width > maxWidth || depth == 0 || depth > maxDepth:
		return codec.Corrupt(codec.CMSWindow, "%d rows of %d counters, want 1 to %d of 1 to 2^32", depth, width, maxDepth)
	case panes < minPanes || panes > maxPanes:
		return codec.Corrupt(codec.CMSWindow, "%d panes, want %d to %d", panes, minPanes, maxPanes)
	case window == 0 || window > math.MaxInt64:
		return codec.Corrupt(codec.CMSWindow, "window is %d ns, want 1 to 2^63-1", window)
	}
	size := width * depth * panes * counterBytes(h.Must&windowWide != 0)
	if size > maxBytes || 8*panes+size != payload {
		return codec.Corrupt(codec.CMSWindow, "payload of %d bytes, want %d for %d panes of %d rows of %d counters", payload, 8*panes+size, panes, depth, width)
	}
	return nil
}

func (w *windowImage) Restore(h codec.Header, payload []byte) error {
	back := &Window{width: h.Params[0], depth: h.Params[1], panes: h.Params[2], window: time.Duration(h.Params[3]), keyed: w.keyed}
	back.span = paneSpan(back.window, back.panes)
	back.totals = codec.Words(payload[:8*back.panes])
	if payload = payload[8*back.panes:]; h.Must&windowWide != 0 {
		back.wide = codec.Words(payload)
	} else {
		back.narrow = narrowCells(payload)
	}
	if err := back.checkTotals(); err != nil {
		return err
	}
	places := back.width * back.depth
	back.current = make([]int64, (places+neighborhood-1)/neighborhood)
	if err := back.resume(int64(h.Params[4])); err != nil {
		return err
	}
	*w = windowImage(*back)
	return nil
}

// checkTotals returns an error for a row that holds more in a pane than the total.
func (w *Window) checkTotals() error {
	for row := range w.depth {
		var sums [maxPanes]uint64
		for i := row * w.width * w.panes; i < (row+1)*w.width*w.panes; i++ {
			c := uint64(0)
			if w.wide != nil {
				c = w.wide[i]
			} else {
				c = uint64(w.narrow[i])
			}
			sums[i%w.panes] = plus(sums[i%w.panes], c)
		}
		for p, total := range w.totals {
			if sums[p] > total {
				return codec.Corrupt(codec.CMSWindow, "a row holds %d in slot %d, want at most the total, %d", sums[p], p, total)
			}
		}
	}
	return nil
}

// resume makes a pane the newest of what an image held, which has nothing over.
func (w *Window) resume(pane int64) error {
	total := uint64(0)
	for _, t := range w.totals {
		total = plus(total, t)
	}
	if total == 0 {
		if pane != 0 {
			return codec.Corrupt(codec.CMSWindow, "newest pane is %d, and nothing was counted", pane)
		}
		return nil
	}
	first, _ := floorDiv(firstNano, w.span)
	if last := math.MaxInt64 / w.span; pane < first || pane > last {
		return codec.Corrupt(codec.CMSWindow, "newest pane is %d, want %d to %d", pane, first, last)
	}
	if w.set(pane); w.totals[w.slot] == 0 {
		return codec.Corrupt(codec.CMSWindow, "newest pane holds nothing")
	}
	return nil
}

// MarshalBinary returns the image of w; see the package comment for its bytes.
func (w *Window) MarshalBinary() ([]byte, error) { return codec.Append((*windowImage)(w), nil) }

// AppendBinary appends the image of w to b.
func (w *Window) AppendBinary(b []byte) ([]byte, error) { return codec.Append((*windowImage)(w), b) }

// UnmarshalBinary makes w what its image, exactly data, says; see
// Sketch.UnmarshalBinary.
func (w *Window) UnmarshalBinary(data []byte) error { return codec.Decode((*windowImage)(w), data) }

// WriteTo writes the image of w to dst, without a second copy of it in memory unless
// panes are over.
func (w *Window) WriteTo(dst io.Writer) (int64, error) { return codec.Write((*windowImage)(w), dst) }

// ReadFrom reads exactly one image from r; see Sketch.ReadFrom.
func (w *Window) ReadFrom(r io.Reader) (int64, error) { return codec.Read((*windowImage)(w), r) }

// MarshalText returns the image of w in standard base64, so that JSON works.
func (w *Window) MarshalText() ([]byte, error) { return codec.MarshalText((*windowImage)(w)) }

// UnmarshalText is UnmarshalBinary for what MarshalText returned.
func (w *Window) UnmarshalText(text []byte) error {
	return codec.UnmarshalText((*windowImage)(w), text)
}
