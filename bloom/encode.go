package bloom

import (
	"errors"
	"io"

	"github.com/distkit/distkit/internal/codec"
	"github.com/distkit/distkit/internal/hash64"
)

// stored is what the encoding methods of a type stand on: its image is a header,
// whose last parameter is the check value of the secret, and words.
type stored interface {
	// image returns the header and the payload in parts, or an error for a zero value.
	image() (codec.Header, [][]uint64, error)
	// format returns the kind and the one version that is read and written.
	format() (codec.Kind, byte)
	// accept checks all that a header says, against a payload of that many bytes
	// and against the receiver's limit.
	accept(h codec.Header, payload uint64) error
	// restore makes the receiver what h and the words of its payload say. It
	// changes nothing when it fails.
	restore(h codec.Header, words []uint64) error
	keys() *keyed
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
		return codec.Incompatible("bloom", "image was made without a secret, receiver has one")
	case k.secret == nil:
		return codec.Incompatible("bloom", "image was made under a secret, receiver has none")
	}
	return codec.Incompatible("bloom", "image was made under another secret")
}

// acceptSize compares what an image needs in memory with the receiver's limit.
func (k *keyed) acceptSize(bytes uint64) error {
	if k.limit != 0 && bytes > k.limit {
		return codec.Incompatible("bloom", "image needs %d bytes, limit of WithMaxBytes is %d", bytes, k.limit)
	}
	return nil
}

var errEncodeZero = errors.New("bloom: zero value has nothing to encode, make one with New")

func appendImage(s stored, b []byte) ([]byte, error) {
	h, parts, err := s.image()
	if err != nil {
		return b, err
	}
	start := len(b)
	b = codec.AppendHeader(b, h, payloadSize(parts))
	for _, p := range parts {
		b = codec.AppendWords(b, p)
	}
	return codec.AppendSum(b, start), nil
}

func payloadSize(parts [][]uint64) int {
	n := 0
	for _, p := range parts {
		n += 8 * len(p)
	}
	return n
}

func writeImage(s stored, w io.Writer) (int64, error) {
	h, parts, err := s.image()
	if err != nil {
		return 0, err
	}
	e, err := codec.NewWriter(w, h, payloadSize(parts))
	if err != nil {
		return e.Close()
	}
	for _, p := range parts {
		if e.Words(p) != nil {
			break // Close returns the error
		}
	}
	return e.Close()
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
	return s.restore(h, codec.Words(payload))
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
	words, err := d.Words(nil)
	if err != nil {
		return d.Count(), err
	}
	if err := d.Close(); err != nil {
		return d.Count(), err
	}
	if err := s.keys().acceptSecret(h.Params[len(h.Params)-1]); err != nil {
		return d.Count(), err
	}
	return d.Count(), s.restore(h, words)
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
