package codec_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"testing"
	"testing/iotest"

	"github.com/distkit/distkit/internal/codec"
	"github.com/stretchr/testify/require"
)

// note is a type as small as one can be: a text under a secret.
type note struct {
	text   string
	secret *[16]byte
}

func (n *note) Format() (codec.Kind, byte) { return codec.BloomFilter, 3 }
func (n *note) Secret() *[16]byte          { return n.secret }

func (n *note) Header() (h codec.Header, payload int, ok bool) {
	return codec.Header{Params: []uint64{uint64(len(n.text)), 0}}, len(n.text), n.text != ""
}

func (n *note) AppendPayload(b []byte) []byte { return append(b, n.text...) }

func (n *note) Accept(h codec.Header, payload uint64) error {
	if err := h.Check(0, 2, 0); err != nil {
		return err
	}
	if h.Params[0] != payload {
		return codec.Corrupt(h.Kind, "length is %d, payload has %d", h.Params[0], payload)
	}
	return nil
}

func (n *note) Restore(h codec.Header, payload []byte) error {
	if payload[0] == '!' {
		return codec.Corrupt(h.Kind, "text begins with !")
	}
	n.text = string(payload)
	return nil
}

// streamedNote writes its payload in two parts.
type streamedNote struct{ note }

func (n *streamedNote) WritePayload(w *codec.Writer) error {
	half := len(n.text) / 2
	return errors.Join(w.Bytes([]byte(n.text[:half])), w.Bytes([]byte(n.text[half:])))
}

func TestStoredRoundTrips(t *testing.T) {
	for _, secret := range []*[16]byte{nil, {1}} {
		n := &note{"hello", secret}
		image, err := codec.Append(n, []byte("head"))
		require.NoError(t, err)
		require.Equal(t, "head", string(image[:4]))
		image = image[4:]
		for _, s := range []codec.Stored{n, &streamedNote{*n}} {
			var out bytes.Buffer
			written, err := codec.Write(s, &out)
			require.NoError(t, err)
			require.EqualValues(t, len(image), written)
			require.Equal(t, image, out.Bytes())
		}
		back := &note{secret: secret}
		require.NoError(t, codec.Decode(back, image))
		require.Equal(t, n, back)
		back = &note{secret: secret}
		taken, err := codec.Read(back, iotest.OneByteReader(bytes.NewReader(append(bytes.Clone(image), 'x'))))
		require.NoError(t, err)
		require.EqualValues(t, len(image), taken)
		require.Equal(t, n, back)
		text, err := codec.MarshalText(n)
		require.NoError(t, err)
		back = &note{secret: secret}
		require.NoError(t, codec.UnmarshalText(back, text))
		require.Equal(t, n, back)
	}
}

func TestStoredZeroValues(t *testing.T) {
	const want = "bloom: zero value has nothing to encode, make one with New"
	b, err := codec.Append(new(note), []byte("head"))
	require.EqualError(t, err, want)
	require.Equal(t, "head", string(b))
	_, err = codec.Write(new(note), io.Discard)
	require.EqualError(t, err, want)
	_, err = codec.MarshalText(new(note))
	require.EqualError(t, err, want)
}

// Whatever is refused is refused both ways, and leaves the receiver as it was.
func TestStoredRefuses(t *testing.T) {
	image := func(text string, secret *[16]byte) []byte {
		b, err := codec.Append(&note{text, secret}, nil)
		require.NoError(t, err)
		return b
	}
	change := func(at int, v byte) []byte {
		b := image("hello", nil)
		b[at] = v
		return codec.AppendSum(b[:len(b)-8], 0)
	}
	bare := codec.AppendHeader(nil, codec.Header{Kind: codec.BloomFilter, Version: 3}, 0)
	a, b := &[16]byte{1}, &[16]byte{2}
	for _, c := range []struct {
		image []byte
		mine  *[16]byte
		want  string
		is    error
	}{
		{change(3, 2), nil, "bloom: corrupt encoding: version is 2, want 3", codec.ErrCorrupt},
		{change(3, 4), nil, "bloom: corrupt encoding: version 4 is newer than 3", codec.ErrCorrupt},
		{change(4, 1), nil, "bloom: corrupt encoding: flags are 0x01, want none but 0x00", codec.ErrCorrupt},
		{change(8, 9), nil, "bloom: corrupt encoding: length is 9, payload has 5", codec.ErrCorrupt},
		{codec.AppendSum(bare, 0), nil, "bloom: corrupt encoding: no parameters, want at least the check value of the secret", codec.ErrCorrupt},
		{image("!", nil), nil, "bloom: corrupt encoding: text begins with !", codec.ErrCorrupt},
		{image("hello", a), nil, "bloom: incompatible: image was made under a secret, receiver has none", codec.ErrIncompatible},
		{image("hello", nil), a, "bloom: incompatible: image was made without a secret, receiver has one", codec.ErrIncompatible},
		{image("hello", a), b, "bloom: incompatible: image was made under another secret", codec.ErrIncompatible},
	} {
		n := &note{"mine", c.mine}
		err := codec.Decode(n, c.image)
		require.EqualError(t, err, c.want)
		require.ErrorIs(t, err, c.is)
		_, err = codec.Read(n, bytes.NewReader(c.image))
		require.EqualError(t, err, c.want)
		require.Equal(t, &note{"mine", c.mine}, n)
	}
	whole := image("hello", nil)
	for cut := range whole {
		require.ErrorIs(t, codec.Decode(new(note), whole[:cut]), codec.ErrCorrupt)
		taken, err := codec.Read(new(note), bytes.NewReader(whole[:cut]))
		require.ErrorIs(t, err, codec.ErrCorrupt)
		require.EqualValues(t, cut, taken)
	}
	binary.LittleEndian.PutUint64(whole[len(whole)-8:], 1)
	_, err := codec.Read(new(note), bytes.NewReader(whole))
	require.ErrorIs(t, err, codec.ErrCorrupt)
	require.ErrorIs(t, codec.UnmarshalText(new(note), []byte("no base64!")), codec.ErrCorrupt)
	failure := errors.New("disk is full")
	for room := range whole {
		for _, s := range []codec.Stored{&note{text: "hello"}, &streamedNote{note{text: "hello"}}} {
			written, err := codec.Write(s, &fullDisk{room, failure})
			require.ErrorIs(t, err, failure)
			require.EqualValues(t, room, written)
		}
	}
	_, err = codec.Read(new(note), iotest.ErrReader(failure))
	require.ErrorIs(t, err, failure)
}

// fullDisk takes a number of bytes.
type fullDisk struct {
	room int
	err  error
}

func (w *fullDisk) Write(p []byte) (int, error) {
	n := min(len(p), w.room)
	if w.room -= n; n < len(p) {
		return n, w.err
	}
	return n, nil
}
