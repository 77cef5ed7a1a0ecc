package codec_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"runtime"
	"testing"
	"testing/iotest"

	"github.com/cespare/xxhash/v2"
	"github.com/distkit/distkit/internal/codec"
	"github.com/distkit/distkit/internal/testkit"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var words = []uint64{1, 2, math.MaxUint64}

func header(align byte) codec.Header {
	return codec.Header{Kind: codec.BloomFilter, Version: 1, Must: 2, May: 4, Align: align, Params: []uint64{7, math.MaxUint64}}
}

func image(align byte) []byte {
	b := codec.AppendHeader([]byte("before"), header(align), 8*len(words))
	b = codec.AppendSum(codec.AppendWords(b, words), len("before"))
	return b[len("before"):]
}

func TestRoundTrip(t *testing.T) {
	for _, align := range []byte{0, 3, 6} {
		data := image(align)
		h, payload, err := codec.Parse(data, codec.BloomFilter, 1)
		require.NoError(t, err)
		assert.Equal(t, header(align), h)
		assert.Equal(t, words, codec.Words(payload))
		assert.Len(t, data, h.Size(len(payload)))
		assert.Zero(t, (len(data)-8-len(payload))%(1<<align), "the payload is aligned from the image's start")

		var out bytes.Buffer
		w, err := codec.NewWriter(&out, header(align), 8*len(words))
		require.NoError(t, err)
		require.NoError(t, w.Words(words))
		n, err := w.Close()
		require.NoError(t, err)
		assert.EqualValues(t, len(data), n)
		assert.Equal(t, data, out.Bytes(), "the writer and the appender agree")
	}
}

func TestReaderTakesExactlyOneImage(t *testing.T) {
	two := append(image(6), image(0)...)
	src := iotest.OneByteReader(bytes.NewReader(two))
	for _, align := range []byte{6, 0} {
		r, h, err := codec.NewReader(src, codec.BloomFilter, 1)
		require.NoError(t, err)
		assert.Equal(t, header(align), h)
		assert.Equal(t, 24, r.Len())
		got, err := r.Words(nil)
		require.NoError(t, err)
		require.NoError(t, r.Close())
		assert.Equal(t, words, got)
		assert.EqualValues(t, len(image(align)), r.Count())
	}
	_, _, err := codec.NewReader(src, codec.BloomFilter, 1)
	assert.ErrorIs(t, err, codec.ErrCorrupt)
	assert.ErrorIs(t, err, io.EOF)
}

func TestReaderGrowsOverManyChunks(t *testing.T) {
	big := make([]uint64, 100_000)
	for i := range big {
		big[i] = uint64(i) * 0x9E3779B97F4A7C15
	}
	b := codec.AppendHeader(nil, header(6), 8*len(big))
	b = codec.AppendSum(codec.AppendWords(b, big), 0)

	r, _, err := codec.NewReader(bytes.NewReader(b), codec.BloomFilter, 1)
	require.NoError(t, err)
	got, err := r.Words([]uint64{42})
	require.NoError(t, err)
	require.NoError(t, r.Close())
	assert.Equal(t, append([]uint64{42}, big...), got)

	r, _, err = codec.NewReader(bytes.NewReader(b), codec.BloomFilter, 1)
	require.NoError(t, err)
	raw, err := r.Bytes(nil)
	require.NoError(t, err)
	require.NoError(t, r.Close())
	assert.Equal(t, big, codec.Words(raw))
}

// read decodes a stream as every package's ReadFrom does.
func read(r io.Reader) error {
	d, h, err := codec.NewReader(r, codec.BloomFilter, 1)
	if err != nil {
		return err
	}
	if err := h.Check(2, 2, h.Align); err != nil {
		return err
	}
	if _, err := d.Words(nil); err != nil {
		return err
	}
	return d.Close()
}

func TestEveryCutAndFlipIsCorrupt(t *testing.T) {
	for _, align := range []byte{0, 6} {
		data := image(align)
		for cut := range data {
			_, _, err := codec.Parse(data[:cut], codec.BloomFilter, 1)
			require.ErrorIs(t, err, codec.ErrCorrupt, "cut at %d", cut)
			err = read(bytes.NewReader(data[:cut]))
			require.ErrorIs(t, err, codec.ErrCorrupt, "cut at %d", cut)
			want := io.ErrUnexpectedEOF
			if cut == 0 {
				want = io.EOF
			}
			require.ErrorIs(t, err, want, "cut at %d", cut)
		}
		for bit := range 8 * len(data) {
			bad := bytes.Clone(data)
			bad[bit/8] ^= 1 << (bit % 8)
			_, _, err := codec.Parse(bad, codec.BloomFilter, 1)
			require.ErrorIs(t, err, codec.ErrCorrupt, "bit %d", bit)
			require.ErrorIs(t, read(bytes.NewReader(bad)), codec.ErrCorrupt, "bit %d", bit)
		}
		_, _, err := codec.Parse(append(bytes.Clone(data), 0), codec.BloomFilter, 1)
		require.ErrorIs(t, err, codec.ErrCorrupt, "a trailing byte")
	}
}

func TestErrorsSayWhatIsWrong(t *testing.T) {
	resum := func(change func(b []byte)) []byte {
		b := image(0)
		change(b)
		return codec.AppendSum(b[:len(b)-8], 0)
	}
	for _, c := range []struct {
		data []byte
		want string
	}{
		{nil, "bloom: corrupt encoding: 0 bytes, want at least 24"},
		{resum(func(b []byte) { b[0] = '{' }), "bloom: corrupt encoding: begins with 0x7b 0x6b, want 0xd1 0x6b"},
		{resum(func(b []byte) { b[2] = 32 }), "bloom: corrupt encoding: holds hll.Sketch, want bloom.Filter"},
		{resum(func(b []byte) { b[2] = 255 }), "bloom: corrupt encoding: holds kind 255, want bloom.Filter"},
		{resum(func(b []byte) { b[3] = 2 }), "bloom: corrupt encoding: version 2 is newer than 1"},
		{resum(func(b []byte) { b[6] = 16 }), "bloom: corrupt encoding: 16 parameters, want at most 15"},
		{resum(func(b []byte) { b[7] = 5 }), "bloom: corrupt encoding: alignment is 2^5, want 2^0, 2^3 or 2^6"},
		{resum(func(b []byte) { b[24]-- }), "bloom: corrupt encoding: payload of 24 bytes, header says 23"},
		{resum(func(b []byte) { b[31] = 255 }), "bloom: corrupt encoding: payload of 18374686479671623704 bytes is more than this machine can hold"},
	} {
		_, _, err := codec.Parse(c.data, codec.BloomFilter, 1)
		assert.EqualError(t, err, c.want)
	}
	h := header(0)
	assert.NoError(t, h.Check(2, 2, 0))
	assert.EqualError(t, h.Check(1, 2, 0), "bloom: corrupt encoding: flags are 0x02, want none but 0x01")
	assert.EqualError(t, h.Check(2, 3, 0), "bloom: corrupt encoding: 2 parameters, want 3")
	assert.EqualError(t, h.Check(2, 2, 6), "bloom: corrupt encoding: alignment is 2^0, want 2^6")

	err := codec.Incompatible("hll", "precision is %d and %d", 12, 14)
	assert.EqualError(t, err, "hll: incompatible: precision is 12 and 14")
	assert.ErrorIs(t, err, codec.ErrIncompatible)
	assert.NotErrorIs(t, err, codec.ErrCorrupt)
}

// What quorum/gossip sends and quorum/hints writes begins with the magic and the
// letter g or h: no image may begin like that.
func TestLettersOfOtherFormatsAreNoKinds(t *testing.T) {
	assert.Equal(t, "bloom.Filter", codec.BloomFilter.String())
	for _, letter := range []codec.Kind{'g', 'h'} {
		assert.Equal(t, fmt.Sprintf("kind %d", letter), letter.String())
	}
}

// A caller that closes a Reader without the payload has checked nothing: it is told
// so, and the rest of the image stays in the source.
func TestReaderWantsItsPayloadTaken(t *testing.T) {
	data := image(0)
	src := bytes.NewReader(data)
	r, _, err := codec.NewReader(src, codec.BloomFilter, 1)
	require.NoError(t, err)
	assert.EqualError(t, r.Close(), "bloom: corrupt encoding: 24 bytes of the payload were left unread")
	assert.ErrorIs(t, r.Close(), codec.ErrCorrupt)
	assert.Equal(t, 24, r.Len())
	assert.EqualValues(t, len(data)-src.Len(), r.Count())
	assert.Equal(t, 24+8, src.Len(), "payload and checksum are still to come")
	_, err = r.Bytes(nil)
	require.NoError(t, err)
	assert.NoError(t, r.Close(), "and can be")
}

func TestSourceErrorsAreNotCorruption(t *testing.T) {
	broken := errors.New("connection reset")
	for _, at := range []int{0, 3, 20, 60} {
		src := io.MultiReader(bytes.NewReader(image(6)[:at]), iotest.ErrReader(broken))
		err := read(src)
		assert.ErrorIs(t, err, broken)
		assert.NotErrorIs(t, err, codec.ErrCorrupt)
	}
}

type shortWriter struct{ room int }

func (w *shortWriter) Write(b []byte) (int, error) {
	n := min(w.room, len(b))
	w.room -= n
	return n, nil
}

func TestWriterReportsItsErrors(t *testing.T) {
	full := len(image(0))
	for room := range full {
		dst := &shortWriter{room}
		w, _ := codec.NewWriter(dst, header(0), 8*len(words))
		w.Words(words)
		n, err := w.Close()
		require.ErrorIs(t, err, io.ErrShortWrite, "room for %d", room)
		require.EqualValues(t, room, n)
	}
	w, err := codec.NewWriter(io.Discard, header(0), 8)
	require.NoError(t, err)
	assert.EqualError(t, w.Words(words), "bloom: payload is 16 bytes longer than its header says")
	w, err = codec.NewWriter(io.Discard, header(0), 16)
	require.NoError(t, err)
	require.NoError(t, w.Words(words[:1]))
	_, err = w.Close()
	assert.EqualError(t, err, "bloom: payload is 8 bytes shorter than its header says")
}

// A header that promises much must not make the reader allocate it. The
// checksum is repaired, so nothing but the length checks stands in between.
func TestBombsAllocateNoMoreThanTheInputJustifies(t *testing.T) {
	base := image(6)
	for at := range len(base) - 8 {
		for _, extreme := range []uint64{math.MaxUint64, math.MaxInt64, 1 << 40, 1 << 32} {
			bad := bytes.Clone(base)
			var v [8]byte
			binary.LittleEndian.PutUint64(v[:], extreme)
			copy(bad[at:len(bad)-8], v[:])
			binary.LittleEndian.PutUint64(bad[len(bad)-8:], xxhash.Sum64(bad[:len(bad)-8]))

			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, _, parseErr := codec.Parse(bad, codec.BloomFilter, 255)
			readErr := read(bytes.NewReader(bad))
			runtime.ReadMemStats(&after)
			require.LessOrEqual(t, after.TotalAlloc-before.TotalAlloc, uint64(256<<10+8*len(bad)),
				"offset %d, value %#x: %v, %v", at, extreme, parseErr, readErr)
		}
	}
}

func TestTextIsCanonical(t *testing.T) {
	data := image(0)
	text := codec.EncodeText(data)
	got, err := codec.DecodeText(codec.BloomFilter, text)
	require.NoError(t, err)
	assert.Equal(t, data, got)
	for _, bad := range []string{"!", string(text[:len(text)-1]), string(text) + "\n", string(text[:4]) + "\n" + string(text[4:])} {
		_, err := codec.DecodeText(codec.BloomFilter, []byte(bad))
		assert.ErrorIs(t, err, codec.ErrCorrupt, "%q", bad)
	}
}

func TestAppendingAllocatesOnce(t *testing.T) {
	h, buf := header(6), make([]byte, 0, 256)
	testkit.NoAllocs(t, "appending where there is room", func() {
		codec.AppendSum(codec.AppendWords(codec.AppendHeader(buf, h, 8*len(words)), words), 0)
	})
	b := codec.AppendHeader(nil, h, 8*len(words))
	assert.GreaterOrEqual(t, cap(b), h.Size(8*len(words)), "the header makes room for all that follows")
}
