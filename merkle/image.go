package merkle

import (
	"cmp"
	"errors"
	"io"

	"github.com/distkit/distkit/internal/codec"
	"github.com/distkit/distkit/internal/hash64"
)

// Flags of an image that a reader must understand.
const (
	flagPlain   = 1 << iota // without sketches
	flagSumOnly             // the secret keys sums, and not positions

	flagsKnown = flagPlain | flagSumOnly
)

const imageVersion = 0

// header returns the header and the length of the payload.
func (t *Tree) header() (h codec.Header, payload int, err error) {
	if t.keying == nil {
		return h, 0, errors.New("merkle: zero value has nothing to encode, make one with NewTree")
	}
	h = codec.Header{Kind: codec.MerkleTree, Version: imageVersion, Align: 3, Params: []uint64{hash64.Check(t.keying.secret)}}
	if !t.sketched {
		h.Must |= flagPlain
	}
	if t.keying.secret != nil && !t.keying.positions {
		h.Must |= flagSumOnly
	}
	return h, entrySize * t.Len(), nil
}

// payload calls emit with the words of the payload, some at a time.
func (t *Tree) payload(emit func(ws []uint64) error) (err error) {
	var buf [512]uint64
	ws := buf[:0]
	t.walk(everything, func(h, v uint64) bool {
		if ws = append(ws, h, v); len(ws) == len(buf) {
			err = emit(ws)
			ws = ws[:0]
		}
		return err == nil
	})
	if err != nil {
		return err
	}
	return emit(ws)
}

// MarshalBinary returns the image of the tree: see Format in the package comment.
// It has 32 bytes and 16 an entry, is the same for equal trees, and holds no
// secret. Encoding the zero Tree is an error.
func (t *Tree) MarshalBinary() ([]byte, error) { return t.AppendBinary(nil) }

// AppendBinary appends to b what MarshalBinary returns.
func (t *Tree) AppendBinary(b []byte) ([]byte, error) {
	h, payload, err := t.header()
	if err != nil {
		return b, err
	}
	start := len(b)
	b = codec.AppendHeader(b, h, payload)
	err = t.payload(func(ws []uint64) error {
		b = codec.AppendWords(b, ws)
		return nil
	})
	return codec.AppendSum(b, start), err
}

// WriteTo writes what MarshalBinary returns, without a second copy of it.
func (t *Tree) WriteTo(w io.Writer) (int64, error) {
	h, payload, err := t.header()
	if err != nil {
		return 0, err
	}
	e, err := codec.NewWriter(w, h, payload)
	if err == nil {
		err = t.payload(e.Words)
	}
	n, err2 := e.Close()
	return n, cmp.Or(err, err2)
}

// UnmarshalBinary replaces all of t but its secret by what an image holds, sketches
// or not included, in O(n) time. Bytes that are not exactly one image are
// [ErrCorrupt], one made under another secret, or with one where t has none, or
// the other way round, is [ErrIncompatible]; then t is as it was.
func (t *Tree) UnmarshalBinary(data []byte) error {
	h, payload, err := codec.Parse(data, codec.MerkleTree, imageVersion)
	if err != nil {
		return err
	}
	if err := acceptHeader(h, len(payload)); err != nil {
		return err
	}
	return t.restore(h, codec.Words(payload))
}

// ReadFrom is [Tree.UnmarshalBinary] for a stream, of which it takes one image and
// not a byte more. At the end of the stream the error is io.EOF too, within an
// image io.ErrUnexpectedEOF.
func (t *Tree) ReadFrom(r io.Reader) (int64, error) {
	d, h, err := codec.NewReader(r, codec.MerkleTree, imageVersion)
	if err != nil {
		return d.Count(), err
	}
	if err := acceptHeader(h, d.Len()); err != nil {
		return d.Count(), err
	}
	words, err := d.Words(nil)
	if err == nil {
		err = d.Close()
	}
	if err != nil {
		return d.Count(), err
	}
	return d.Count(), t.restore(h, words)
}

// MarshalText returns the image in standard base64.
func (t *Tree) MarshalText() ([]byte, error) {
	image, err := t.MarshalBinary()
	if err != nil {
		return nil, err
	}
	return codec.EncodeText(image), nil
}

// UnmarshalText is [Tree.UnmarshalBinary] for what MarshalText returned.
func (t *Tree) UnmarshalText(text []byte) error {
	image, err := codec.DecodeText(codec.MerkleTree, text)
	if err != nil {
		return err
	}
	return t.UnmarshalBinary(image)
}

// acceptHeader checks all that a header says, but for the secret.
func acceptHeader(h codec.Header, payload int) error {
	if err := h.Check(flagsKnown, 1, 3); err != nil {
		return err
	}
	switch {
	case payload%entrySize != 0:
		return corrupt("payload of %d bytes, want a multiple of %d", payload, entrySize)
	case h.Must&flagSumOnly != 0 && h.Params[0] == 0:
		return corrupt("a secret for sums, and no check of it")
	}
	return nil
}

// acceptSecret compares the secret that a sound image was made under with ours.
func (k *keying) acceptSecret(h codec.Header) error {
	sumOnly := h.Must&flagSumOnly != 0
	switch check := h.Params[0]; {
	case check == hash64.Check(k.secret) && sumOnly == (k.secret != nil && !k.positions):
		return nil
	case check == 0:
		return incompatible("image was made without a secret, receiver has one")
	case k.secret == nil:
		return incompatible("image was made under a secret, receiver has none")
	case sumOnly == k.positions:
		return incompatible("one of image and receiver has a secret by WithSecret, the other by WithSumSecret")
	}
	return incompatible("image was made under another secret")
}

// restore makes t what a header and its payload say, or leaves it as it was.
func (t *Tree) restore(h codec.Header, words []uint64) error {
	for i := 2; i < len(words); i += 2 {
		if words[i] <= words[i-2] {
			return corrupt("position %#x after %#x, want ascending ones", words[i], words[i-2])
		}
	}
	k := cmp.Or(t.keying, unkeyed)
	if err := k.acceptSecret(h); err != nil {
		return err
	}
	from := newTree(k, h.Must&flagPlain == 0)
	b := from.builder(len(words) / 2)
	for ; len(words) > 0; words = words[2:] {
		b.add(words[0], words[1])
	}
	b.done()
	t.take(from)
	return nil
}
