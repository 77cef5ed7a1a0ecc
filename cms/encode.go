package cms

import (
	"cmp"
	"errors"
	"io"

	"github.com/distkit/distkit/internal/codec"
	"github.com/distkit/distkit/internal/hash64"
)

// stored is what the encoding methods of a type stand on: its image is a header,
// whose last parameter is the check value of the secret, and a payload.
type stored interface {
	// image returns the header and the payload's length, or an error for a zero
	// value.
	image() (codec.Header, int, error)
	// appendPayload appends the payload.
	appendPayload(b []byte) []byte
	// format returns the kind and the one version that is read and written.
	format() (codec.Kind, byte)
	// accept checks all that a header says, against a payload of that many bytes.
	accept(h codec.Header, payload uint64) error
	// restore makes the receiver what h and its payload, accepted both, say. It
	// keeps nothing of the payload and changes nothing when it fails.
	restore(h codec.Header, payload []byte) error
	keys() *keyed
}

// streamed is a type that can write its payload without a second copy of it.
type streamed interface {
	writePayload(e *codec.Writer) error
}

func (k *keyed) keys() *keyed { return k }

// checkValue is the last parameter of every image.
func (k *keyed) checkValue() uint64 { return hash64.Check(k.secret) }

// acceptSecret compares the secret's check value of a sound image.
func (k *keyed) acceptSecret(check uint64) error {
	switch {
	case check == k.checkValue():
		return nil
	case check == 0:
		return codec.Incompatible("cms", "image was made without a secret, receiver has one")
	case k.secret == nil:
		return codec.Incompatible("cms", "image was made under a secret, receiver has none")
	}
	return codec.Incompatible("cms", "image was made under another secret")
}

var errEncodeZero = errors.New("cms: zero value has nothing to encode, make one with New")

func appendImage(s stored, b []byte) ([]byte, error) {
	h, payload, err := s.image()
	if err != nil {
		return b, err
	}
	start := len(b)
	b = codec.AppendHeader(b, h, payload)
	return codec.AppendSum(s.appendPayload(b), start), nil
}

func writeImage(s stored, w io.Writer) (int64, error) {
	h, payload, err := s.image()
	if err != nil {
		return 0, err
	}
	e, err := codec.NewWriter(w, h, payload)
	if err == nil {
		if part, ok := s.(streamed); ok {
			err = part.writePayload(e)
		} else {
			err = e.Bytes(s.appendPayload(nil))
		}
	}
	n, err2 := e.Close()
	return n, cmp.Or(err, err2)
}

// acceptHeader is what both ways of decoding check before the payload.
func acceptHeader(s stored, h codec.Header, payload uint64) error {
	if kind, version := s.format(); h.Version != version {
		return codec.Corrupt(kind, "version is %d, want %d", h.Version, version)
	}
	return s.accept(h, payload)
}

func decodeImage(s stored, data []byte) error {
	kind, version := s.format()
	h, payload, err := codec.Parse(data, kind, version)
	if err != nil {
		return err
	}
	if err := acceptHeader(s, h, uint64(len(payload))); err != nil {
		return err
	}
	if err := s.keys().acceptSecret(h.Params[len(h.Params)-1]); err != nil {
		return err
	}
	return s.restore(h, payload)
}

func readImage(s stored, r io.Reader) (int64, error) {
	kind, version := s.format()
	d, h, err := codec.NewReader(r, kind, version)
	if err != nil {
		return d.Count(), err
	}
	if err := acceptHeader(s, h, uint64(d.Len())); err != nil {
		return d.Count(), err
	}
	payload, err := d.Bytes(nil)
	if err != nil {
		return d.Count(), err
	}
	if err := d.Close(); err != nil {
		return d.Count(), err
	}
	if err := s.keys().acceptSecret(h.Params[len(h.Params)-1]); err != nil {
		return d.Count(), err
	}
	return d.Count(), s.restore(h, payload)
}

func encodeText(s stored) ([]byte, error) {
	image, err := appendImage(s, nil)
	if err != nil {
		return nil, err
	}
	return codec.EncodeText(image), nil
}

func decodeText(s stored, text []byte) error {
	kind, _ := s.format()
	image, err := codec.DecodeText(kind, text)
	if err != nil {
		return err
	}
	return decodeImage(s, image)
}
