package codec

import (
	"cmp"
	"fmt"
	"io"

	"github.com/distkit/distkit/internal/hash64"
)

// Stored is what the encoding methods of a type stand on. The methods of Stored
// would show in its public face, so a type T has them on one of its own,
//
//	type image T
//
//	func (t *T) UnmarshalBinary(data []byte) error { return codec.Decode((*image)(t), data) }
//
// which costs nothing: a pointer is converted to a pointer.
type Stored interface {
	// Format returns the kind and the one version that is written and read.
	Format() (Kind, byte)
	// Secret returns the secret that keys are hashed under, or nil. Its
	// [hash64.Check] is the last parameter of an image.
	Secret() *[16]byte
	// Header returns what stands before the payload and the payload's length, and
	// false for a zero value, which has no image. Kind, version and the last
	// parameter are filled in later.
	Header() (h Header, payload int, ok bool)
	// AppendPayload appends the payload.
	AppendPayload(b []byte) []byte
	// Accept checks flags, parameters and alignment against a payload of that many
	// bytes, before any of it is read.
	Accept(h Header, payload uint64) error
	// Restore makes the value what h and its payload, accepted both, say. It keeps
	// nothing of the payload and changes nothing when it fails.
	Restore(h Header, payload []byte) error
}

// Streamed is a [Stored] that writes its payload without a second copy of it.
type Streamed interface {
	Stored
	WritePayload(w *Writer) error
}

// complete returns the header of s.
func complete(s Stored) (h Header, payload int, err error) {
	kind, version := s.Format()
	h, payload, ok := s.Header()
	if !ok {
		return h, 0, fmt.Errorf("%s: zero value has nothing to encode, make one with New", kind.pkg())
	}
	h.Kind, h.Version = kind, version
	h.Params[len(h.Params)-1] = hash64.Check(s.Secret())
	return h, payload, nil
}

// Append appends the image of s to b.
func Append(s Stored, b []byte) ([]byte, error) {
	h, payload, err := complete(s)
	if err != nil {
		return b, err
	}
	start := len(b)
	b = AppendHeader(b, h, payload)
	return AppendSum(s.AppendPayload(b), start), nil
}

// Write writes the image of s and returns how many bytes were written.
func Write(s Stored, w io.Writer) (int64, error) {
	h, payload, err := complete(s)
	if err != nil {
		return 0, err
	}
	e, err := NewWriter(w, h, payload)
	if err == nil {
		if part, ok := s.(Streamed); ok {
			err = part.WritePayload(e)
		} else {
			err = e.Bytes(s.AppendPayload(nil))
		}
	}
	n, err2 := e.Close()
	return n, cmp.Or(err, err2)
}

// Decode makes s what its image, exactly data, says. s keeps its secret, and after
// an error it is as it was.
func Decode(s Stored, data []byte) error {
	kind, version := s.Format()
	h, payload, err := Parse(data, kind, version)
	if err != nil {
		return err
	}
	if err := accept(s, h, uint64(len(payload))); err != nil {
		return err
	}
	return restore(s, h, payload)
}

// Read takes exactly one image from r, as [Decode] does, and returns how many bytes
// were taken. Memory grows with what arrives.
func Read(s Stored, r io.Reader) (int64, error) {
	kind, version := s.Format()
	d, h, err := NewReader(r, kind, version)
	if err != nil {
		return d.Count(), err
	}
	if err := accept(s, h, uint64(d.Len())); err != nil {
		return d.Count(), err
	}
	payload, err := d.Bytes(nil)
	if err != nil {
		return d.Count(), err
	}
	if err := d.Close(); err != nil {
		return d.Count(), err
	}
	return d.Count(), restore(s, h, payload)
}

// accept checks a header before the payload is read.
func accept(s Stored, h Header, payload uint64) error {
	kind, version := s.Format()
	switch {
	case h.Version != version:
		return Corrupt(kind, "version is %d, want %d", h.Version, version)
	case len(h.Params) == 0:
		return Corrupt(kind, "no parameters, want at least the check value of the secret")
	}
	return s.Accept(h, payload)
}

// restore compares the secrets of a sound image and of s, and restores s.
func restore(s Stored, h Header, payload []byte) error {
	kind, _ := s.Format()
	mine, its := s.Secret(), h.Params[len(h.Params)-1]
	switch {
	case its == hash64.Check(mine):
		return s.Restore(h, payload)
	case its == 0:
		return Incompatible(kind.pkg(), "image was made without a secret, receiver has one")
	case mine == nil:
		return Incompatible(kind.pkg(), "image was made under a secret, receiver has none")
	}
	return Incompatible(kind.pkg(), "image was made under another secret")
}

// MarshalText returns the text form of the image of s.
func MarshalText(s Stored) ([]byte, error) {
	image, err := Append(s, nil)
	if err != nil {
		return nil, err
	}
	return EncodeText(image), nil
}

// UnmarshalText is [Decode] for what [MarshalText] returned.
func UnmarshalText(s Stored, text []byte) error {
	kind, _ := s.Format()
	image, err := DecodeText(kind, text)
	if err != nil {
		return err
	}
	return Decode(s, image)
}
