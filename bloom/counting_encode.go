package bloom

import (
	"io"

	"github.com/distkit/distkit/internal/codec"
)

// The image of a Counting: package comment, Format.
const (
	countingVersion = 0
	countingParams  = 2 // lines, check value of the secret
	countingAlign   = 6
)

func (c *Counting) format() (codec.Kind, byte) { return codec.BloomCounting, countingVersion }

func (c *Counting) image() (codec.Header, content, error) {
	if len(c.words) == 0 {
		return codec.Header{}, content{}, errEncodeZero
	}
	return codec.Header{
		Kind: codec.BloomCounting, Version: countingVersion, Align: countingAlign,
		Params: []uint64{uint64(len(c.words)) / lineWords, c.checkValue()},
	}, content{words: c.words}, nil
}

func (c *Counting) accept(h codec.Header, payload uint64) error {
	if err := h.Check(0, countingParams, countingAlign); err != nil {
		return err
	}
	switch lines := h.Params[0]; {
	case lines == 0 || lines > maxBlocks:
		return codec.Corrupt(codec.BloomCounting, "%d lines, want 1 to 2^32-1", lines)
	case lines*lineBytes != payload:
		return codec.Corrupt(codec.BloomCounting, "payload of %d bytes, want %d", payload, lines*lineBytes)
	}
	return c.acceptSize(payload)
}

func (c *Counting) restore(_ codec.Header, from content) error {
	c.words = from.words
	return nil
}

// MarshalBinary returns the image of c; see the package comment for its bytes.
func (c *Counting) MarshalBinary() ([]byte, error) { return appendImage(c, nil) }

// AppendBinary appends the image of c to b, with at most one allocation.
func (c *Counting) AppendBinary(b []byte) ([]byte, error) { return appendImage(c, b) }

// UnmarshalBinary makes c what its image, exactly data, says; see
// Filter.UnmarshalBinary.
func (c *Counting) UnmarshalBinary(data []byte) error { return decodeImage(c, data) }

// WriteTo writes the image of c to w without a second copy of it in memory.
func (c *Counting) WriteTo(w io.Writer) (int64, error) { return writeImage(c, w) }

// ReadFrom reads exactly one image from r; see Filter.ReadFrom.
func (c *Counting) ReadFrom(r io.Reader) (int64, error) { return readImage(c, r) }

// MarshalText returns the image of c in standard base64, so that JSON works.
func (c *Counting) MarshalText() ([]byte, error) { return encodeText(c) }

// UnmarshalText is UnmarshalBinary for what MarshalText returned.
func (c *Counting) UnmarshalText(text []byte) error { return decodeText(c, text) }
