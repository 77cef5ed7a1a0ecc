package bloom

import (
	"io"
	"math"
	"time"

	"github.com/distkit/distkit/internal/codec"
)

// The image of a Rotating: package comment, Format.
const (
	rotatingVersion = 0
	rotatingParams  = 9 // blocks, panes, newest, share, fill, swept, window, start, check value of the secret
	rotatingAlign   = 6
	rotatingBegun   = 1 // must-understand flag: start is set
)

func (r *Rotating) format() (codec.Kind, byte) { return codec.BloomRotating, rotatingVersion }

func (r *Rotating) image() (codec.Header, content, error) {
	if len(r.words) == 0 {
		return codec.Header{}, content{}, errEncodeZero
	}
	h := codec.Header{
		Kind: codec.BloomRotating, Version: rotatingVersion, Align: rotatingAlign,
		Params: []uint64{
			r.blocks, r.panes, r.newest, r.share, r.fill, r.swept, uint64(r.window), uint64(r.start), r.checkValue(),
		},
	}
	if r.begun {
		h.Must = rotatingBegun
	}
	return h, content{words: r.words}, nil
}

func (r *Rotating) accept(h codec.Header, payload uint64) error {
	if err := h.Check(rotatingBegun, rotatingParams, rotatingAlign); err != nil {
		return err
	}
	z, panes, newest, share, fill, swept := h.Params[0], h.Params[1], h.Params[2], h.Params[3], h.Params[4], h.Params[5]
	window, start := h.Params[6], h.Params[7]
	switch {
	case z == 0 || z > maxBlocks:
		return codec.Corrupt(codec.BloomRotating, "%d blocks, want 1 to 2^32-1", z)
	case panes < minPanes || panes > maxPanes:
		return codec.Corrupt(codec.BloomRotating, "%d panes, want %d to %d", panes, minPanes, maxPanes)
	case newest >= panes:
		return codec.Corrupt(codec.BloomRotating, "newest pane is %d of %d", newest, panes)
	case share <= fill || share > math.MaxInt64 || swept > z:
		return codec.Corrupt(codec.BloomRotating, "%d keys of %d, %d blocks cleared of %d", fill, share, swept, z)
	case window != 0 && window < panes-1 || window > math.MaxInt64 || h.Must == 0 && start != 0 || window == 0 && h.Must != 0:
		return codec.Corrupt(codec.BloomRotating, "window of %d ns that began at %d", window, start)
	case z*panes*blockBytes != payload:
		return codec.Corrupt(codec.BloomRotating, "payload of %d bytes, want %d", payload, z*panes*blockBytes)
	}
	return r.acceptSize(payload)
}

func (r *Rotating) restore(h codec.Header, from content) error {
	p := h.Params
	r.words, r.blocks, r.panes, r.newest, r.share, r.fill, r.swept = from.words, p[0], p[1], p[2], p[3], p[4], p[5]
	r.window, r.begun, r.start = time.Duration(p[6]), h.Must == rotatingBegun, int64(p[7])
	return nil
}

// MarshalBinary returns the image of r; see the package comment for its bytes.
func (r *Rotating) MarshalBinary() ([]byte, error) { return appendImage(r, nil) }

// AppendBinary appends the image of r to b, with at most one allocation.
func (r *Rotating) AppendBinary(b []byte) ([]byte, error) { return appendImage(r, b) }

// UnmarshalBinary makes r what its image, exactly data, says, window and number
// of generations included; see Filter.UnmarshalBinary.
func (r *Rotating) UnmarshalBinary(data []byte) error { return decodeImage(r, data) }

// WriteTo writes the image of r to w without a second copy of it in memory.
func (r *Rotating) WriteTo(w io.Writer) (int64, error) { return writeImage(r, w) }

// ReadFrom reads exactly one image from src; see Filter.ReadFrom.
func (r *Rotating) ReadFrom(src io.Reader) (int64, error) { return readImage(r, src) }

// MarshalText returns the image of r in standard base64, so that JSON works.
func (r *Rotating) MarshalText() ([]byte, error) { return encodeText(r) }

// UnmarshalText is UnmarshalBinary for what MarshalText returned.
func (r *Rotating) UnmarshalText(text []byte) error { return decodeText(r, text) }
