package bloom

import (
	"cmp"
	"errors"
	"io"
	"slices"

	"github.com/distkit/distkit/internal/codec"
	"github.com/distkit/distkit/internal/hash64"
)

// content is the payload of an image: words, or bytes. A type that holds its
// words in several parts writes them as more; they are read as one.
type content struct {
	words []uint64
	more  [][]uint64
	bytes []byte
}

func (c content) size() int {
	n := len(c.bytes) + 8*len(c.words)
	for _, part := range c.more {
		n += 8 * len(part)
	}
	return n
}

// stored is what the encoding methods of a type stand on: its image is a header,
// whose last parameter is the check value of the secret, and content.
type stored interface {
	// image returns header and content, or an error for a zero value.
	image() (codec.Header, content, error)
	// format returns the kind and the one version that is read and written.
	format() (codec.Kind, byte)
	// accept checks all that a header says, against a payload of that many bytes
	// and against the receiver's limit.
	accept(h codec.Header, payload uint64) error
	// restore makes the receiver what h and its payload, accepted both, say. It
	// changes nothing when it fails.
	restore(h codec.Header, c content) error
	keys() *keyed
}

// bytewise marks a type whose payload is bytes.
type bytewise interface{ bytewise() }

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
	h, c, err := s.image()
	if err != nil {
		return b, err
	}
	start := len(b)
	b = codec.AppendHeader(b, h, c.size())
	b = codec.AppendWords(b, c.words)
	for _, part := range c.more {
		b = codec.AppendWords(b, part)
	}
	return codec.AppendSum(append(b, c.bytes...), start), nil
}

func writeImage(s stored, w io.Writer) (int64, error) {
	h, c, err := s.image()
	if err != nil {
		return 0, err
	}
	e, err := codec.NewWriter(w, h, c.size())
	if err == nil {
		err = e.Words(c.words)
	}
	for _, part := range c.more {
		if err == nil {
			err = e.Words(part)
		}
	}
	if err == nil && c.bytes != nil {
		err = e.Bytes(c.bytes)
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
	if _, ok := s.(bytewise); ok {
		return s.restore(h, content{bytes: slices.Clone(payload)})
	}
	return s.restore(h, content{words: codec.Words(payload)})
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
	var c content
	if _, ok := s.(bytewise); ok {
		c.bytes, err = d.Bytes(nil)
	} else {
		c.words, err = d.Words(nil)
	}
	if err != nil {
		return d.Count(), err
	}
	if err := d.Close(); err != nil {
		return d.Count(), err
	}
	if err := s.keys().acceptSecret(h.Params[len(h.Params)-1]); err != nil {
		return d.Count(), err
	}
	return d.Count(), s.restore(h, c)
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
