package hll

import "github.com/distkit/distkit/internal/codec"

// payload is what stands in an image behind the header.
type payload interface {
	size() int
	appendTo(b []byte) []byte
}

// stored is a type that has an image.
type stored interface {
	// format returns the kind and the one version that is read and written.
	format() (codec.Kind, byte)
	// encode returns header and payload, and false for a zero value. Kind, version and
	// the check value of the secret, the last parameter, are filled in later.
	encode() (codec.Header, payload, bool)
	// accept checks all that a header says, against a payload of that many bytes.
	accept(h codec.Header, payload int) error
	// restore makes the receiver what h, which was accepted, and its payload say. It
	// keeps nothing of the payload and changes nothing when it fails.
	restore(h codec.Header, payload []byte) error
	key() *[16]byte
}

func (k keyed) key() *[16]byte { return k.secret }

// image is a [codec.Stored] that keeps the payload between the header, which says
// how long it is, and its bytes: tokens are sorted once.
type image struct {
	of      stored
	payload payload
}

func imageOf(s stored) *image { return &image{of: s} }

func (i *image) Format() (codec.Kind, byte) { return i.of.format() }

func (i *image) Secret() *[16]byte { return i.of.key() }

func (i *image) Header() (h codec.Header, size int, ok bool) {
	if h, i.payload, ok = i.of.encode(); !ok {
		return h, 0, false
	}
	return h, i.payload.size(), true
}

func (i *image) AppendPayload(b []byte) []byte { return i.payload.appendTo(b) }

func (i *image) Accept(h codec.Header, payload uint64) error { return i.of.accept(h, int(payload)) }

func (i *image) Restore(h codec.Header, payload []byte) error { return i.of.restore(h, payload) }
