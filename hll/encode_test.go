package hll_test

import (
	"bytes"
	"encoding/binary"
	"encoding/gob"
	"encoding/json"
	"errors"
	"io"
	"testing"
	"testing/iotest"
	"time"

	"github.com/distkit/distkit/hll"
	"github.com/distkit/distkit/internal/testkit"
	"github.com/stretchr/testify/require"
)

// storable is the encoding part of every type that has one.
type storable interface {
	MarshalBinary() ([]byte, error)
	AppendBinary(b []byte) ([]byte, error)
	UnmarshalBinary(data []byte) error
	WriteTo(w io.Writer) (int64, error)
	ReadFrom(r io.Reader) (int64, error)
	MarshalText() ([]byte, error)
	UnmarshalText(text []byte) error
	SizeBytes() int
}

// kind is a type with a filled value, and what the tests of all types need of it.
type kind struct {
	name  string
	value storable
	zero  func() storable
	equal func(a, b storable) bool
	keyed func(opts ...hll.Option) storable // a filled value with options; nil: takes no secret
	free  bool                              // not in an envelope
}

func kinds() []kind {
	fill := func(n, p int, opts ...hll.Option) storable {
		s := must(hll.New(p, opts...))
		for i := range uint64(n) {
			s.AddHash(i)
		}
		return s
	}
	lost := fill(100, 5, hll.WithMartingale()).(*hll.Sketch)
	_ = lost.Merge(fill(100, 5).(*hll.Sketch))
	var ks []kind
	for _, k := range []kind{
		{name: "empty", value: fill(0, 14)},
		{name: "sparse", value: fill(40, 14)},
		{name: "dense", value: fill(500, 6)},
		{name: "martingale-sparse", value: fill(3, 6, hll.WithMartingale())},
		{name: "martingale", value: fill(500, 6, hll.WithMartingale())},
		{name: "martingale-lost", value: lost},
	} {
		k.zero = func() storable { return new(hll.Sketch) }
		k.equal = func(a, b storable) bool { return a.(*hll.Sketch).Equal(b.(*hll.Sketch)) }
		k.keyed = func(opts ...hll.Option) storable { return fill(40, 6, opts...) }
		ks = append(ks, k)
	}
	ks = append(ks, exaKinds()...)
	return append(append(ks, windowKinds()...), redisKind())
}

func windowKinds() (ks []kind) {
	fill := func(n int, opts ...hll.Option) storable {
		w := must(hll.NewWindow(4, time.Hour, append(opts, hll.WithPanes(3))...))
		for i := range n {
			w.AddHashAt(time.Unix(0, 0).Add(time.Duration(i)*time.Minute), uint64(i/2))
		}
		return w
	}
	for _, k := range []kind{
		{name: "window-empty", value: fill(0)},
		{name: "window", value: fill(91)},
		{name: "window-sparse", value: fill(5)},
		{name: "window-dense", value: fill(61, hll.WithDense())},
	} {
		k.zero = func() storable { return new(hll.Window) }
		k.equal = func(a, b storable) bool { return a.(*hll.Window).Equal(b.(*hll.Window)) }
		k.keyed = func(opts ...hll.Option) storable { return fill(40, opts...) }
		ks = append(ks, k)
	}
	return ks
}

func redisKind() kind {
	return kind{
		name: "redis", value: elements(40), free: true,
		zero:  func() storable { return new(hll.Redis) },
		equal: func(a, b storable) bool { return a.(*hll.Redis).Equal(b.(*hll.Redis)) },
	}
}

func exaKinds() (ks []kind) {
	fill := func(n, p int, opts ...hll.Option) storable {
		e := must(hll.NewExaLogLog(p, opts...))
		for i := range uint64(n) {
			e.AddHash(i)
		}
		return e
	}
	for _, k := range []kind{
		{name: "exaloglog-sparse", value: fill(20, 8)},
		{name: "exaloglog", value: fill(100, 4)},
		{name: "exaloglog-martingale", value: fill(100, 4, hll.WithMartingale())},
	} {
		k.zero = func() storable { return new(hll.ExaLogLog) }
		k.equal = func(a, b storable) bool { return a.(*hll.ExaLogLog).Equal(b.(*hll.ExaLogLog)) }
		k.keyed = func(opts ...hll.Option) storable { return fill(40, 4, opts...) }
		ks = append(ks, k)
	}
	return ks
}

// The bytes of today are the bytes of ever: files of version 1 are frozen.
func TestGoldenImages(t *testing.T) {
	for _, k := range kinds() {
		t.Run(k.name, func(t *testing.T) {
			image := must(k.value.MarshalBinary())
			dir := "testdata/v1/"
			if !k.free && image[3] == 0 {
				dir = "testdata/v0/"
			}
			testkit.Golden(t, dir+k.name+".bin", image)
			got := k.zero()
			require.NoError(t, got.UnmarshalBinary(image))
			require.True(t, k.equal(k.value, got))
		})
	}
}

func TestEveryEncodingRoundTrips(t *testing.T) {
	for _, k := range kinds() {
		t.Run(k.name, func(t *testing.T) {
			image := must(k.value.MarshalBinary())
			appended := must(k.value.AppendBinary([]byte("head")))
			require.Equal(t, append([]byte("head"), image...), appended)

			var stream bytes.Buffer
			n, err := k.value.WriteTo(&stream)
			require.NoError(t, err)
			require.Equal(t, int64(len(image)), n)
			require.Equal(t, image, stream.Bytes())

			// Two images and a byte in one stream: a reader takes exactly one each.
			stream.Write(image)
			stream.WriteByte('x')
			for range 2 {
				got := k.zero()
				n, err := got.ReadFrom(iotest.OneByteReader(&stream))
				require.NoError(t, err)
				require.Equal(t, int64(len(image)), n)
				require.True(t, k.equal(k.value, got))
				require.Equal(t, image, must(got.MarshalBinary()))
			}
			require.Equal(t, 1, stream.Len())

			got := k.zero()
			require.NoError(t, got.UnmarshalText(must(k.value.MarshalText())))
			require.True(t, k.equal(k.value, got))

			got = k.zero()
			require.NoError(t, json.Unmarshal(must(json.Marshal(k.value)), got))
			require.True(t, k.equal(k.value, got))

			got = k.zero()
			var buf bytes.Buffer
			require.NoError(t, gob.NewEncoder(&buf).Encode(k.value))
			require.NoError(t, gob.NewDecoder(&buf).Decode(got))
			require.True(t, k.equal(k.value, got))
		})
	}
}

func TestReceiverKeepsItsSecret(t *testing.T) {
	a, b := [16]byte{1}, [16]byte{2}
	for _, k := range kinds() {
		if k.keyed == nil {
			continue
		}
		decode := func(into, from storable) error {
			before := must(into.MarshalBinary())
			image := must(from.MarshalBinary())
			err := into.UnmarshalBinary(image)
			n, err2 := into.ReadFrom(bytes.NewReader(image))
			require.Equal(t, err == nil, err2 == nil)
			if err != nil {
				require.EqualError(t, err2, err.Error())
				require.ErrorIs(t, err, hll.ErrIncompatible)
				require.NotErrorIs(t, err, hll.ErrCorrupt)
				require.Equal(t, before, must(into.MarshalBinary()), "unchanged")
			} else {
				require.Equal(t, int64(len(image)), n)
				require.Equal(t, image, must(into.MarshalBinary()))
			}
			return err
		}
		plain, keyed, other := k.keyed(), k.keyed(hll.WithSecret(a)), k.keyed(hll.WithSecret(b))
		require.NoError(t, decode(k.keyed(hll.WithSecret(a)), keyed))
		require.NoError(t, decode(k.keyed(), plain))
		require.EqualError(t, decode(other, keyed), "hll: incompatible: image was made under another secret")
		require.EqualError(t, decode(plain, keyed), "hll: incompatible: image was made under a secret, receiver has none")
		require.EqualError(t, decode(keyed, plain), "hll: incompatible: image was made without a secret, receiver has one")
	}
}

func TestWriteToReportsErrors(t *testing.T) {
	failure := errors.New("disk is full")
	for _, k := range kinds() {
		image := must(k.value.MarshalBinary())
		for _, room := range []int{0, 1, len(image) - 1} {
			n, err := k.value.WriteTo(&limitedWriter{room, failure})
			require.ErrorIs(t, err, failure, "%s, room for %d", k.name, room)
			require.Equal(t, int64(room), n)
		}
		_, err := k.zero().ReadFrom(iotest.ErrReader(failure))
		require.ErrorIs(t, err, failure)
	}
}

// A value that no New made has no image: each way of encoding says so, writes
// nothing, and leaves it to be made by a decoder.
func TestZeroValuesHaveNoImage(t *testing.T) {
	for _, k := range kinds() {
		if k.free {
			continue
		}
		zero := k.zero()
		_, binaryErr := zero.MarshalBinary()
		appended, appendErr := zero.AppendBinary([]byte("head"))
		var out bytes.Buffer
		n, writeErr := zero.WriteTo(&out)
		_, textErr := zero.MarshalText()
		for _, err := range []error{binaryErr, appendErr, writeErr, textErr} {
			require.EqualError(t, err, "hll: zero value has nothing to encode, make one with New", k.name)
		}
		require.Equal(t, "head", string(appended))
		require.Zero(t, n)
		require.Zero(t, out.Len())
		require.Equal(t, k.zero(), zero, k.name)
		require.NoError(t, zero.UnmarshalBinary(must(k.value.MarshalBinary())))
		require.True(t, k.equal(k.value, zero), k.name)
	}
}

type limitedWriter struct {
	room int
	err  error
}

func (w *limitedWriter) Write(p []byte) (int, error) {
	n := min(len(p), w.room)
	w.room -= n
	if n < len(p) {
		return n, w.err
	}
	return n, nil
}

// The image by its offsets, as the package comment gives them.
func TestSketchLayout(t *testing.T) {
	s := must(hll.New(6))
	for i := range uint64(500) {
		s.AddHash(i)
	}
	image := must(s.MarshalBinary())
	require.Equal(t, []byte{0xD1, 0x6B, 32, 1, 1, 0, 3, 0}, image[:8])
	require.Equal(t, uint64(6), binary.LittleEndian.Uint64(image[8:]))
	require.Zero(t, binary.LittleEndian.Uint64(image[16:]), "no history")
	require.Zero(t, binary.LittleEndian.Uint64(image[24:]), "no secret")
	require.Equal(t, uint64(48), binary.LittleEndian.Uint64(image[32:]))
	for i, r := range s.Registers() {
		for b := range 6 {
			at := 6*i + b
			require.Equal(t, r>>b&1, image[40+at/8]>>(at%8)&1)
		}
	}
	require.Len(t, image, 40+48+8)

	s = must(hll.New(14))
	s.AddHash(1)
	s.AddHash(2)
	image = must(s.MarshalBinary())
	require.Equal(t, byte(0), image[4])
	require.Equal(t, uint64(2), binary.LittleEndian.Uint64(image[16:]))
	var stream []byte
	for i := range 8 * (len(image) - 48) {
		stream = append(stream, '0'+image[40+i/8]>>(i%8)&1)
	}
	const k = 24 // floor(log2(0.693 * 2^26 / 2))
	want, last := []byte{}, uint32(0)
	for _, token := range s.Tokens() {
		gap := token>>6 - last
		last = token >> 6
		want = append(append(want, bytes.Repeat([]byte{'1'}, int(gap>>k))...), '0')
		for b := range k {
			want = append(want, '0'+byte(gap>>b&1))
		}
		want = append(append(want, bytes.Repeat([]byte{'1'}, int(token&63))...), '0')
	}
	require.Equal(t, string(want), string(stream[:len(want)]))
	require.Less(t, len(stream)-len(want), 8)
}
