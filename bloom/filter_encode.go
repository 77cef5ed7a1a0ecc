package bloom

import (
	"io"

	"github.com/distkit/distkit/internal/codec"
)

// The image of a Filter, frozen: package comment, Format.
const (
	filterVersion = 1
	filterRaw     = 1 // must-understand flag: hashes are not remixed
	filterParams  = 2 // blocks, check value of the secret
	filterAlign   = 6
)

func (f *Filter) format() (codec.Kind, byte) { return codec.BloomFilter, filterVersion }

func (f *Filter) image() (codec.Header, content, error) {
	if len(f.words) == 0 {
		return codec.Header{}, content{}, errEncodeZero
	}
	h := codec.Header{
		Kind: codec.BloomFilter, Version: filterVersion, Align: filterAlign,
		Params: []uint64{f.count(), f.checkValue()},
	}
	if f.raw {
		h.Must = filterRaw
	}
	return h, content{words: f.words}, nil
}

func (f *Filter) accept(h codec.Header, payload uint64) error {
	if err := h.Check(filterRaw, filterParams, filterAlign); err != nil {
		return err
	}
	if err := checkFilterBlocks(h.Params[0], payload); err != nil {
		return err
	}
	return f.acceptSize(payload)
}

func checkFilterBlocks(z, payload uint64) error {
	switch {
	case z == 0 || z > maxBlocks:
		return codec.Corrupt(codec.BloomFilter, "%d blocks, want 1 to 2^32-1", z)
	case z*blockBytes != payload:
		return codec.Corrupt(codec.BloomFilter, "payload of %d bytes, want %d for %d blocks", payload, z*blockBytes, z)
	}
	return nil
}

func (f *Filter) restore(h codec.Header, c content) error {
	f.blocks = blocks{words: c.words, raw: h.Must&filterRaw != 0}
	return nil
}

// MarshalBinary returns the image of f; see the package comment for its bytes.
func (f *Filter) MarshalBinary() ([]byte, error) { return appendImage(f, nil) }

// AppendBinary appends the image of f to b, with at most one allocation.
func (f *Filter) AppendBinary(b []byte) ([]byte, error) { return appendImage(f, b) }

// UnmarshalBinary makes f the filter whose image is exactly data, which it
// copies. f keeps its WithSecret and WithMaxBytes: an image that does not go with
// them is ErrIncompatible. Whatever else is wrong is ErrCorrupt. After an error
// f is as it was.
func (f *Filter) UnmarshalBinary(data []byte) error { return decodeImage(f, data) }

// WriteTo writes the image of f to w without a second copy of it in memory.
func (f *Filter) WriteTo(w io.Writer) (int64, error) { return writeImage(f, w) }

// ReadFrom reads exactly one image from r, as UnmarshalBinary does, and no byte
// beyond it. A source that ends before the first byte is io.EOF as well as
// ErrCorrupt, one that ends early io.ErrUnexpectedEOF. Memory grows with what
// arrives, whatever the header promises.
func (f *Filter) ReadFrom(r io.Reader) (int64, error) { return readImage(f, r) }

// MarshalText returns the image of f in standard base64, so that JSON works.
func (f *Filter) MarshalText() ([]byte, error) { return encodeText(f) }

// UnmarshalText is UnmarshalBinary for what MarshalText returned.
func (f *Filter) UnmarshalText(text []byte) error { return decodeText(f, text) }
