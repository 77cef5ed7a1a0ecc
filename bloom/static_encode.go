package bloom

import (
	"io"

	"github.com/distkit/distkit/internal/codec"
)

// The image of a Static: package comment, Format.
const (
	staticVersion = 0
	staticParams  = 5 // seed, segments, places a segment, width, check value of the secret
	staticAlign   = 3
)

func (s *Static) bytewise() {}

func (s *Static) format() (codec.Kind, byte) { return codec.BloomStatic, staticVersion }

func (s *Static) image() (codec.Header, content, error) {
	if s.width == 0 {
		return codec.Header{}, content{}, errEncodeZero
	}
	return codec.Header{
		Kind: codec.BloomStatic, Version: staticVersion, Align: staticAlign,
		Params: []uint64{s.seed, s.segments, s.segment, s.width, s.checkValue()},
	}, content{bytes: s.table}, nil
}

func fuseOf(h codec.Header) fuse {
	return fuse{seed: h.Params[0], segments: h.Params[1], segment: h.Params[2], width: h.Params[3]}.prepared()
}

func (s *Static) accept(h codec.Header, payload uint64) error {
	if err := h.Check(0, staticParams, staticAlign); err != nil {
		return err
	}
	f := fuseOf(h)
	switch {
	case f.width == 0 || f.width > 32:
		return codec.Corrupt(codec.BloomStatic, "fingerprints of %d bits, want 1 to 32", f.width)
	case f.segments == 0 && (f.seed != 0 || f.segment != 0):
		return codec.Corrupt(codec.BloomStatic, "no segments, with a seed or a size")
	case f.segments != 0 && (f.segment < 4 || f.segment > maxSegment || f.segment&(f.segment-1) != 0):
		return codec.Corrupt(codec.BloomStatic, "segments of %d places, want a power of two from 4 to 2^18", f.segment)
	case f.segments > maxPlaces/4 || f.places() > maxPlaces:
		return codec.Corrupt(codec.BloomStatic, "%d segments of %d places, want at most 2^40 places", f.segments, f.segment)
	case f.bytes() != payload:
		return codec.Corrupt(codec.BloomStatic, "payload of %d bytes, want %d", payload, f.bytes())
	}
	return s.acceptSize(payload)
}

func (s *Static) restore(h codec.Header, from content) error {
	f := fuseOf(h)
	for i := f.places() * f.width; i < 8*uint64(len(from.bytes)); i++ {
		if from.bytes[i>>3]>>(i&7)&1 != 0 {
			return codec.Corrupt(codec.BloomStatic, "bits beyond the last fingerprint, want zeros")
		}
	}
	s.fuse, s.table = f, from.bytes
	return nil
}

// MarshalBinary returns the image of s; see the package comment for its bytes.
func (s *Static) MarshalBinary() ([]byte, error) { return appendImage(s, nil) }

// AppendBinary appends the image of s to b, with at most one allocation.
func (s *Static) AppendBinary(b []byte) ([]byte, error) { return appendImage(s, b) }

// UnmarshalBinary makes s what its image, exactly data, says; see
// Filter.UnmarshalBinary.
func (s *Static) UnmarshalBinary(data []byte) error { return decodeImage(s, data) }

// WriteTo writes the image of s to w without a second copy of it in memory.
func (s *Static) WriteTo(w io.Writer) (int64, error) { return writeImage(s, w) }

// ReadFrom reads exactly one image from r; see Filter.ReadFrom.
func (s *Static) ReadFrom(r io.Reader) (int64, error) { return readImage(s, r) }

// MarshalText returns the image of s in standard base64, so that JSON works.
func (s *Static) MarshalText() ([]byte, error) { return encodeText(s) }

// UnmarshalText is UnmarshalBinary for what MarshalText returned.
func (s *Static) UnmarshalText(text []byte) error { return decodeText(s, text) }
