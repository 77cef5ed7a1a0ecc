package cms_test

import (
	"bytes"
	"encoding/binary"
	"encoding/gob"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"testing"
	"testing/iotest"
	"time"

	"github.com/distkit/distkit/cms"
	"github.com/distkit/distkit/internal/hash64"
	"github.com/distkit/distkit/internal/testkit"
	"github.com/stretchr/testify/require"
)

var secret, otherSecret = [16]byte{0x5e, 1, 14: 0xc7}, [16]byte{0x5e, 2, 14: 0xc7}

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

// kind is a type with a value, and what the tests of all types need of it.
type kind struct {
	name  string
	value storable
	zero  func() storable
	equal func(a, b storable) bool
	// empty returns an empty value, of the smallest size, with options.
	empty func(opts ...cms.Option) storable
}

func kinds() (ks []kind) {
	for name, opts := range map[string][]cms.Option{
		"sketch": nil, "sketch-conservative": {cms.WithConservative()}, "sketch-wide": {cms.WithWideCounters()},
		"sketch-secret": {cms.WithSecret(secret)},
	} {
		s := must(cms.NewSize(7, 3, opts...))
		fill(s.AddStringN)
		ks = append(ks, sketchKind(name, s))
	}
	empty, top, topWide := must(cms.NewTopK(2, cms.WithCounters(3))), must(cms.NewTopK(4, cms.WithCounters(5))), must(cms.NewTopK(2, cms.WithCounters(3)))
	fill(top.AddStringN)
	fill(func(key string, n uint64) uint64 { return topWide.AddStringN(key, n<<30) })
	ks = append(ks, topKind("topk-empty", empty), topKind("topk", top), topKind("topk-wide", topWide))

	quiet, trend := must(cms.NewTrending(2, time.Hour, cms.WithCounters(3))), must(cms.NewTrending(4, time.Hour, cms.WithCounters(5)))
	at := noon
	fill(func(key string, n uint64) uint64 {
		// Whole half-lives: powers of two, which every machine computes alike.
		at = at.Add(time.Duration(n) * time.Hour)
		trend.AddStringAt(at, key)
		return 0
	})
	ks = append(ks, trendKind("trending-empty", quiet), trendKind("trending", trend))

	idle, window := must(cms.NewWindow(0.5, 0.2, time.Hour, cms.WithPanes(3))), must(cms.NewWindow(0.5, 0.2, time.Hour, cms.WithPanes(3)))
	wide := must(cms.NewWindow(0.5, 0.3, 100, cms.WithPanes(4), cms.WithWideCounters()))
	at = noon
	fill(func(key string, n uint64) uint64 {
		at = at.Add(time.Duration(n) * time.Minute)
		return window.AddStringAt(at, key) + wide.AddStringNAt(time.Unix(0, -int64(1000-n)), key, n<<40)
	})
	return append(ks, windowKind("window-empty", idle), windowKind("window", window), windowKind("window-wide", wide))
}

func fill(add func(key string, n uint64) uint64) {
	for i := range uint64(12) {
		add(fmt.Sprint("key", i*i%11), 1+i*i%7)
	}
}

func sketchKind(name string, s *cms.Sketch) kind {
	return kind{
		name, s, func() storable {
			if name == "sketch-secret" {
				return must(cms.NewSize(1, 1, cms.WithSecret(secret)))
			}
			return new(cms.Sketch)
		},
		func(a, b storable) bool { return a.(*cms.Sketch).Equal(b.(*cms.Sketch)) },
		func(opts ...cms.Option) storable { return must(cms.NewSize(1, 1, opts...)) },
	}
}

func topKind(name string, k *cms.TopK) kind {
	return kind{
		name, k, func() storable { return new(cms.TopK) },
		func(a, b storable) bool { return a.(*cms.TopK).Equal(b.(*cms.TopK)) },
		func(opts ...cms.Option) storable { return must(cms.NewTopK(1, append(opts, cms.WithCounters(1))...)) },
	}
}

func trendKind(name string, k *cms.Trending) kind {
	return kind{
		name, k, func() storable { return new(cms.Trending) },
		func(a, b storable) bool { return a.(*cms.Trending).Equal(b.(*cms.Trending)) },
		func(opts ...cms.Option) storable {
			return must(cms.NewTrending(1, 1, append(opts, cms.WithCounters(1))...))
		},
	}
}

func windowKind(name string, w *cms.Window) kind {
	return kind{
		name, w, func() storable { return new(cms.Window) },
		func(a, b storable) bool { return a.(*cms.Window).Equal(b.(*cms.Window)) },
		func(opts ...cms.Option) storable { return must(cms.NewWindow(0.9, 0.9, 1, opts...)) },
	}
}

// The bytes of today are the bytes of ever: files of version 1 are frozen.
func TestGoldenImages(t *testing.T) {
	for _, k := range kinds() {
		t.Run(k.name, func(t *testing.T) {
			image := must(k.value.MarshalBinary())
			testkit.Golden(t, fmt.Sprintf("testdata/v%d/%s.bin", image[3], k.name), image)
		})
	}
}

// What is read is what was written, in every form.
func TestEveryEncodingRoundTrips(t *testing.T) {
	for _, k := range kinds() {
		t.Run(k.name, func(t *testing.T) {
			image := must(k.value.MarshalBinary())
			require.Equal(t, "head"+string(image), string(must(k.value.AppendBinary([]byte("head")))))
			var stream bytes.Buffer
			for range 2 {
				n, err := k.value.WriteTo(&stream)
				require.NoError(t, err)
				require.EqualValues(t, len(image), n)
			}
			stream.WriteByte('x')
			for range 2 { // a reader takes exactly one image
				got := k.zero()
				n, err := got.ReadFrom(iotest.OneByteReader(&stream))
				require.NoError(t, err)
				require.EqualValues(t, len(image), n)
				require.True(t, k.equal(k.value, got))
				require.Equal(t, image, must(got.MarshalBinary()))
			}
			require.Equal(t, 1, stream.Len())

			got := k.zero()
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

func TestReceiversKeepTheirSecret(t *testing.T) {
	for _, k := range kinds() {
		decode := func(into, from storable) error {
			before, image := must(into.MarshalBinary()), must(from.MarshalBinary())
			err := into.UnmarshalBinary(image)
			_, err2 := into.ReadFrom(bytes.NewReader(image))
			if err != nil {
				require.EqualError(t, err2, err.Error())
				require.ErrorIs(t, err, cms.ErrIncompatible)
				require.Equal(t, before, must(into.MarshalBinary()), "unchanged")
				return err
			}
			require.Equal(t, image, must(into.MarshalBinary()))
			return err2
		}
		plain, keyed, other := k.empty(), k.empty(cms.WithSecret(secret)), k.empty(cms.WithSecret(otherSecret))
		require.NoError(t, decode(k.empty(cms.WithSecret(secret)), keyed))
		require.EqualError(t, decode(other, keyed), "cms: incompatible: image was made under another secret")
		require.EqualError(t, decode(plain, keyed), "cms: incompatible: image was made under a secret, receiver has none")
		require.EqualError(t, decode(keyed, plain), "cms: incompatible: image was made without a secret, receiver has one")
		require.False(t, bytes.Contains(must(keyed.MarshalBinary()), secret[:8]))
	}
}

func TestEncodingsReportErrors(t *testing.T) {
	failure := errors.New("disk is full")
	for _, k := range kinds() {
		image := must(k.value.MarshalBinary())
		for room := range image {
			n, err := k.value.WriteTo(&limitedWriter{room, failure})
			require.ErrorIs(t, err, failure, "%s, room for %d", k.name, room)
			require.EqualValues(t, room, n)
		}
		_, err := k.zero().ReadFrom(iotest.ErrReader(failure))
		require.ErrorIs(t, err, failure)
	}
	for _, zero := range []storable{new(cms.Sketch), new(cms.TopK), new(cms.Trending), new(cms.Window)} {
		_, err1 := zero.MarshalBinary()
		_, err2 := zero.WriteTo(io.Discard)
		_, err3 := zero.MarshalText()
		for _, err := range []error{err1, err2, err3} {
			require.EqualError(t, err, "cms: zero value has nothing to encode, make one with New")
		}
	}
}

type limitedWriter struct {
	room int
	err  error
}

func (w *limitedWriter) Write(p []byte) (int, error) {
	n := min(len(p), w.room)
	if w.room -= n; n < len(p) {
		return n, w.err
	}
	return n, nil
}

func word(b []byte, at int) uint64 { return binary.LittleEndian.Uint64(b[at:]) }

// The image of a Sketch by its offsets, and the cells of a key by their formula, as
// the package comment gives them.
func TestSketchLayout(t *testing.T) {
	const w, d = 7, 3
	s := must(cms.NewSize(w, d))
	s.AddHashN(42, 1000)
	image := must(s.MarshalBinary())
	require.Equal(t, []byte{0xD1, 0x6B, 16, 1, 0, 0, 4, 6}, image[:8])
	require.Equal(t, []uint64{w, d, 1000, 0, 4 * w * d}, []uint64{word(image, 8), word(image, 16), word(image, 24), word(image, 32), word(image, 40)})
	require.Equal(t, make([]byte, 16), image[48:64])
	require.Len(t, image, 64+4*w*d+8)
	m := func(x uint64) uint64 { return (x ^ x>>32) * 0xd6e8feb86659fd93 }
	x := hash64.Mix(42, hash64.SaltCMS)
	g := (m(m(x)) ^ m(m(x))>>32) | 1
	for i := range uint64(d) {
		column := int(math.Floor(float64((x<<(13*i)|x>>(64-13*i))+i*g) / (1 << 64) * w))
		for j := range w {
			want := uint32(0)
			if j == column {
				want = 1000
			}
			require.Equal(t, want, binary.LittleEndian.Uint32(image[64+4*(int(i)*w+j):]), "row %d, column %d", i, j)
		}
	}
}

func TestTopKLayout(t *testing.T) {
	k := must(cms.NewTopK(2, cms.WithCounters(3)))
	k.AddHashN(7, []byte("seven"), 300)
	k.AddHashN(8, nil, 5)
	k.AddHashN(9, []byte("nine"), 2)
	image := must(k.MarshalBinary())
	require.Equal(t, []byte{0xD1, 0x6B, 17, 0, 0, 0, 6, 0}, image[:8])
	for i, want := range []uint64{2, 3, 2, 2, 307, 0, 4*4*3 + 8 + 2 + 1 + 1 + 5 + 8 + 3} {
		require.Equal(t, want, word(image, 8+8*i), "parameter %d", i)
	}
	items := append([]byte{7, 0, 0, 0, 0, 0, 0, 0, 0xac, 2, 0, 5}, "seven"...)
	items = append(items, 8, 0, 0, 0, 0, 0, 0, 0, 5, 0, 0)
	require.Equal(t, items, image[64+4*4*3:len(image)-8])
}

func TestTrendingLayout(t *testing.T) {
	k := must(cms.NewTrending(1, 10, cms.WithCounters(3)))
	k.AddHashAt(time.Unix(0, 1000), 7, []byte("seven"))
	k.AddHashAt(time.Unix(0, 1020), 7, []byte("seven"))
	k.AddHashAt(time.Unix(0, 1010), 8, []byte("eight"))
	image := must(k.MarshalBinary())
	require.Equal(t, []byte{0xD1, 0x6B, 18, 0, 0, 0, 9, 3}, image[:8])
	f := math.Float64bits
	for i, want := range []uint64{1, 3, 1, 10, 100, 1020, f(2), f(1 + 4 + 2), 0, 8*4*3 + 24 + 1 + 5} {
		require.Equal(t, want, word(image, 8+8*i), "parameter %d", i)
	}
	item := image[88+8*4*3 : len(image)-8]
	require.Equal(t, []uint64{7, f(1 + 4), 0}, []uint64{word(item, 0), word(item, 8), word(item, 16)})
	require.Equal(t, "\x05seven", string(item[24:]))
}

func TestWindowLayout(t *testing.T) {
	w := must(cms.NewWindow(0.9, 0.9, 20, cms.WithPanes(3))) // a row of four
	w.AddHashNAt(time.Unix(0, 10), 42, 5)
	w.AddHashNAt(time.Unix(0, 39), 42, 6) // pane 3 takes the slot of pane 0
	image := must(w.MarshalBinary())
	require.Equal(t, []byte{0xD1, 0x6B, 19, 0, 0, 0, 6, 3}, image[:8])
	for i, want := range []uint64{4, 1, 3, 20, 3, 0, 8*3 + 4*4*3, 6, 5, 0} {
		require.Equal(t, want, word(image, 8+8*i), "word %d", i)
	}
	column := hash64.Reduce(hash64.Mix(42, hash64.SaltCMS), 4)
	for i := range uint64(12) {
		want := map[uint64]uint32{3 * column: 6, 3*column + 1: 5}[i]
		require.Equal(t, want, binary.LittleEndian.Uint32(image[88+4*i:]), "counter %d", i)
	}
}
