package bloom

import (
	"io"

	"github.com/distkit/distkit/internal/codec"
)

// The image of a Classic, frozen: package comment, Format.
const (
	classicVersion = 1
	classicParams  = 3 // m, k, check value of the secret
	classicAlign   = 3
)

func (c *Classic) format() (codec.Kind, byte) { return codec.BloomClassic, classicVersion }

func (c *Classic) image() (codec.Header, content, error) {
	if c.m == 0 {
		return codec.Header{}, content{}, errEncodeZero
	}
	return codec.Header{
		Kind: codec.BloomClassic, Version: classicVersion, Align: classicAlign,
		Params: []uint64{c.m, uint64(c.k), c.checkValue()},
	}, content{words: c.words}, nil
}

func (c *Classic) accept(h codec.Header, payload uint64) error {
	if err := h.Check(0, classicParams, classicAlign); err != nil {
		return err
	}
	switch m, k := h.Params[0], h.Params[1]; {
	case m == 0 || m%64 != 0 || m > maxClassicBits+63:
		return codec.Corrupt(codec.BloomClassic, "%d bits, want a multiple of 64 up to 2^40", m)
	case k == 0 || k > maxClassicK:
		return codec.Corrupt(codec.BloomClassic, "K is %d, want 1 to %d", k, maxClassicK)
	case m/8 != payload:
		return codec.Corrupt(codec.BloomClassic, "payload of %d bytes, want %d", payload, m/8)
	}
	return c.acceptSize(payload)
}

func (c *Classic) restore(h codec.Header, from content) error {
	c.words, c.m, c.k = from.words, h.Params[0], int(h.Params[1])
	return nil
}

// MarshalBinary returns the image of c; see the package comment for its bytes.
func (c *Classic) MarshalBinary() ([]byte, error) { return appendImage(c, nil) }

// AppendBinary appends the image of c to b, with at most one allocation.
func (c *Classic) AppendBinary(b []byte) ([]byte, error) { return appendImage(c, b) }

// UnmarshalBinary makes c what its image, exactly data, says; see
// Filter.UnmarshalBinary.
func (c *Classic) UnmarshalBinary(data []byte) error { return decodeImage(c, data) }

// WriteTo writes the image of c to w without a second copy of it in memory.
func (c *Classic) WriteTo(w io.Writer) (int64, error) { return writeImage(c, w) }

// ReadFrom reads exactly one image from r; see Filter.ReadFrom.
func (c *Classic) ReadFrom(r io.Reader) (int64, error) { return readImage(c, r) }

// MarshalText returns the image of c in standard base64, so that JSON works.
func (c *Classic) MarshalText() ([]byte, error) { return encodeText(c) }

// UnmarshalText is UnmarshalBinary for what MarshalText returned.
func (c *Classic) UnmarshalText(text []byte) error { return decodeText(c, text) }
