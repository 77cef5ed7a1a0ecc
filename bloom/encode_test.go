package bloom_test

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

	"github.com/distkit/distkit/bloom"
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
}

// kind is a type with a filled value, and what the tests of all types need of it.
type kind struct {
	name    string
	version int // of the image
	value   storable
	zero    func() storable
	equal   func(a, b storable) bool
	open    func(opts ...bloom.Option) storable // a receiver with options
	keyed   func(opts ...bloom.Option) storable // a filled value with options
}

func fill(n int, add func(h uint64) bool) {
	for i := range n {
		add(uint64(i))
	}
}

func kinds() []kind {
	filter := func(opts ...bloom.Option) storable {
		f := must(bloom.New(40, 0.05, opts...))
		fill(40, f.AddHash)
		return f
	}
	parquet := must(bloom.NewParquet(40, 0.05))
	fill(40, parquet.AddHash)
	ks := []kind{
		{name: "filter", version: 1, value: filter(), keyed: filter},
		{name: "parquet", version: 1, value: parquet, keyed: filter},
	}
	ks = append(ks, classicKind(), countingKind(), staticKind(), scalableKind(), rotatingKind())
	for i := range ks {
		if ks[i].zero == nil {
			ks[i].zero = func() storable { return new(bloom.Filter) }
			ks[i].equal = func(a, b storable) bool { return a.(*bloom.Filter).Equal(b.(*bloom.Filter)) }
			ks[i].open = func(opts ...bloom.Option) storable { return must(bloom.New(1, 0.5, opts...)) }
		}
	}
	return ks
}

func classicKind() kind {
	filled := func(opts ...bloom.Option) storable {
		c := must(bloom.NewClassic(40, 0.05, opts...))
		fill(40, c.AddHash)
		return c
	}
	return kind{
		name: "classic", version: 1, value: filled(), keyed: filled,
		zero:  func() storable { return new(bloom.Classic) },
		equal: func(a, b storable) bool { return a.(*bloom.Classic).Equal(b.(*bloom.Classic)) },
		open:  func(opts ...bloom.Option) storable { return must(bloom.NewClassic(1, 0.5, opts...)) },
	}
}

func countingKind() kind {
	filled := func(opts ...bloom.Option) storable {
		c := must(bloom.NewCounting(40, 0.05, opts...))
		fill(40, c.AddHash)
		return c
	}
	return kind{
		name: "counting", value: filled(), keyed: filled,
		zero:  func() storable { return new(bloom.Counting) },
		equal: func(a, b storable) bool { return a.(*bloom.Counting).Equal(b.(*bloom.Counting)) },
		open:  func(opts ...bloom.Option) storable { return must(bloom.NewCounting(1, 0.5, opts...)) },
	}
}

func staticKind() kind {
	filled := func(opts ...bloom.Option) storable {
		var hs []uint64
		fill(40, func(h uint64) bool { hs = append(hs, h); return true })
		return must(bloom.NewStatic(hs, 0.05, opts...))
	}
	return kind{
		name: "static", value: filled(), keyed: filled,
		zero:  func() storable { return new(bloom.Static) },
		equal: func(a, b storable) bool { return a.(*bloom.Static).Equal(b.(*bloom.Static)) },
		open:  func(opts ...bloom.Option) storable { return must(bloom.NewStatic(nil, 0.5, opts...)) },
	}
}

func scalableKind() kind {
	filled := func(opts ...bloom.Option) storable {
		s := must(bloom.NewScalable(10, 0.05, opts...))
		fill(40, s.AddHash)
		return s
	}
	return kind{
		name: "scalable", value: filled(), keyed: filled,
		zero:  func() storable { return new(bloom.Scalable) },
		equal: func(a, b storable) bool { return a.(*bloom.Scalable).Equal(b.(*bloom.Scalable)) },
		open:  func(opts ...bloom.Option) storable { return must(bloom.NewScalable(1, 0.5, opts...)) },
	}
}

func rotatingKind() kind {
	filled := func(opts ...bloom.Option) storable {
		r := must(bloom.NewRotating(25, 0.05, append(opts, bloom.WithWindow(time.Hour), bloom.WithPanes(3))...))
		fill(40, func(h uint64) bool { return r.AddHashAt(time.Unix(1_700_000_000+int64(h), 5), h) })
		return r
	}
	return kind{
		name: "rotating", value: filled(), keyed: filled,
		zero:  func() storable { return new(bloom.Rotating) },
		equal: func(a, b storable) bool { return a.(*bloom.Rotating).Equal(b.(*bloom.Rotating)) },
		open: func(opts ...bloom.Option) storable {
			return must(bloom.NewRotating(1, 0.5, append(opts, bloom.WithPanes(2))...))
		},
	}
}

// The bytes of today are the bytes of ever: files of version 1 are frozen.
func TestGoldenImages(t *testing.T) {
	for _, k := range kinds() {
		t.Run(k.name, func(t *testing.T) {
			image := must(k.value.MarshalBinary())
			dir := map[int]string{0: "testdata/v0/", 1: "testdata/v1/"}[k.version]
			testkit.Golden(t, dir+k.name+".bin", image)
			require.Equal(t, byte(k.version), image[3])
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

func TestReceiverKeepsSecretAndLimit(t *testing.T) {
	a, b := [16]byte{1}, [16]byte{2}
	for _, k := range kinds() {
		t.Run(k.name, func(t *testing.T) {
			plain, keyed := k.keyed(), k.keyed(bloom.WithSecret(a))
			decode := func(into, from storable) error {
				before := must(into.MarshalBinary())
				image := must(from.MarshalBinary())
				err := into.UnmarshalBinary(image)
				n, err2 := into.ReadFrom(bytes.NewReader(image))
				require.Equal(t, err == nil, err2 == nil)
				if err != nil {
					require.EqualError(t, err2, err.Error())
					require.ErrorIs(t, err, bloom.ErrIncompatible)
					require.NotErrorIs(t, err, bloom.ErrCorrupt)
					require.Equal(t, before, must(into.MarshalBinary()), "unchanged")
				} else {
					require.Equal(t, int64(len(image)), n)
					require.Equal(t, image, must(into.MarshalBinary()))
				}
				return err
			}
			require.NoError(t, decode(k.open(bloom.WithSecret(a)), keyed))
			require.NoError(t, decode(k.open(), plain))
			require.EqualError(t, decode(k.open(bloom.WithSecret(b)), keyed), "bloom: incompatible: image was made under another secret")
			require.EqualError(t, decode(k.open(), keyed), "bloom: incompatible: image was made under a secret, receiver has none")
			require.EqualError(t, decode(k.open(bloom.WithSecret(a)), plain), "bloom: incompatible: image was made without a secret, receiver has one")

			// Room for itself, not for what comes, and it stays so after a failure.
			size := plain.(interface{ SizeBytes() int }).SizeBytes()
			small := k.open(bloom.WithMaxBytes(uint64(size) - 1))
			for range 2 {
				require.ErrorContains(t, decode(small, plain), "limit of WithMaxBytes is")
			}
			require.NoError(t, decode(k.open(bloom.WithMaxBytes(uint64(size))), plain))
		})
	}
}

func TestWriteToReportsErrors(t *testing.T) {
	failure := errors.New("disk is full")
	for _, k := range kinds() {
		image := must(k.value.MarshalBinary())
		for _, room := range []int{0, 1, 63, 64, len(image) - 1} {
			n, err := k.value.WriteTo(&limitedWriter{room, failure})
			require.ErrorIs(t, err, failure, "%s, room for %d", k.name, room)
			require.Equal(t, int64(room), n)
		}
		_, err := k.zero().ReadFrom(iotest.ErrReader(failure))
		require.ErrorIs(t, err, failure)
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

// The header by its offsets, as the package comment gives them.
func TestFilterHeader(t *testing.T) {
	f := must(bloom.NewParquet(40, 0.05))
	image := must(f.MarshalBinary())
	z := f.Bits() / 256
	require.Equal(t, []byte{0xD1, 0x6B, 1, 1, 1, 0, 2, 6}, image[:8])
	require.Equal(t, z, binary.LittleEndian.Uint64(image[8:]))
	require.Zero(t, binary.LittleEndian.Uint64(image[16:]))
	require.Equal(t, 32*z, binary.LittleEndian.Uint64(image[24:]))
	require.Equal(t, make([]byte, 32), image[32:64])
	require.Equal(t, must(f.AppendParquet(nil)), image[64:len(image)-8])
}
