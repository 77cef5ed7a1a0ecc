package hll_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"testing"
	"time"

	"github.com/cespare/xxhash/v2"
	"github.com/distkit/distkit/hll"
	"github.com/distkit/distkit/internal/testkit"
	"github.com/stretchr/testify/require"
)

// mend writes the right checksum under a changed image.
func mend(image []byte) []byte {
	if n := len(image) - 8; n >= 0 {
		binary.LittleEndian.PutUint64(image[n:], xxhash.Sum64(image[:n]))
	}
	return image
}

// refuses demands that image is refused both ways, as ErrCorrupt, and that the
// receiver keeps what it had.
func refuses(t *testing.T, k kind, image []byte, what string, args ...any) {
	t.Helper()
	got := k.zero()
	require.NoError(t, got.UnmarshalBinary(must(k.value.MarshalBinary())))
	require.ErrorIs(t, got.UnmarshalBinary(image), hll.ErrCorrupt, append([]any{what}, args...)...)
	_, err := got.ReadFrom(bytes.NewReader(image))
	require.ErrorIs(t, err, hll.ErrCorrupt, append([]any{what}, args...)...)
	require.True(t, k.equal(k.value, got), append([]any{what}, args...)...)
}

func TestDamagedImagesAreRefused(t *testing.T) {
	for _, k := range kinds() {
		if k.free {
			continue
		}
		t.Run(k.name, func(t *testing.T) {
			image := must(k.value.MarshalBinary())
			for n := range image {
				got := k.zero()
				require.ErrorIs(t, got.UnmarshalBinary(image[:n]), hll.ErrCorrupt, "cut to %d", n)
				_, err := got.ReadFrom(bytes.NewReader(image[:n]))
				require.ErrorIs(t, err, hll.ErrCorrupt, "cut to %d", n)
				end := io.ErrUnexpectedEOF
				if n == 0 {
					end = io.EOF
				}
				require.ErrorIs(t, err, end, "cut to %d", n)
			}
			for i := range image {
				for bit := range 8 {
					image[i] ^= 1 << bit
					refuses(t, k, image, "bit %d of byte %d", bit, i)
					image[i] ^= 1 << bit
				}
			}
			got := k.zero()
			require.ErrorIs(t, got.UnmarshalBinary(append(image, 0)), hll.ErrCorrupt, "trailing byte")
			require.ErrorIs(t, got.UnmarshalText([]byte("no base64!")), hll.ErrCorrupt)
			require.ErrorIs(t, got.UnmarshalText(nil), hll.ErrCorrupt)
			for _, other := range kinds() {
				foreign := must(other.value.MarshalBinary())
				if other.free || foreign[2] != image[2] {
					require.ErrorIs(t, got.UnmarshalBinary(foreign), hll.ErrCorrupt, other.name)
				}
			}
		})
	}
}

// A header that promises anything, under a checksum that is right, allocates no
// more than its bytes justify, and what is accepted is canonical.
func TestBombs(t *testing.T) {
	extremes := []uint64{
		0, 1, 4, 18, 3072, 49152, 1 << 16, 1<<32 - 1, 1 << 32, 1 << 40, 1 << 58, 1 << 63,
		math.MaxInt64, math.MaxUint64, math.Float64bits(math.Inf(1)), math.Float64bits(math.NaN()), math.Float64bits(-1),
	}
	for _, k := range kinds() {
		t.Run(k.name, func(t *testing.T) {
			whole := must(k.value.MarshalBinary())
			for at := range len(whole) - 8 {
				for _, v := range extremes {
					image := bytes.Clone(whole)
					var word [8]byte
					binary.LittleEndian.PutUint64(word[:], v)
					copy(image[at:len(image)-8], word[:])
					accepts(t, k, mend(image))
				}
			}
		})
	}
}

// Sparse images of the largest sketches take what their tokens take.
func TestSparseImagesAllocateNoRegisters(t *testing.T) {
	largest, registers := must(hll.New(hll.MaxPrecision)), must(hll.NewExaLogLog(24))
	window := must(hll.NewWindow(hll.MaxPrecision, time.Hour, hll.WithPanes(64)))
	largest.AddString("a")
	registers.AddString("a")
	window.AddString("a")
	for _, c := range []struct {
		value, into storable
		limit       uint64
	}{{largest, new(hll.Sketch), 4 << 10}, {registers, new(hll.ExaLogLog), 4 << 10}, {window, new(hll.Window), 64 << 10}} {
		image := must(c.value.MarshalBinary())
		used := testkit.AllocatedBytes(func() { require.NoError(t, c.into.UnmarshalBinary(image)) })
		require.LessOrEqual(t, used, c.limit, "%T", c.into)
	}
}

// accepts decodes an image both ways, and demands that they agree, take little
// memory, and give back the same bytes if they take it.
func accepts(t testing.TB, k kind, image []byte) {
	t.Helper()
	got, streamed := k.zero(), k.zero()
	var err, err2 error
	var n int64
	used := testkit.AllocatedBytes(func() {
		err = got.UnmarshalBinary(image)
		n, err2 = streamed.ReadFrom(bytes.NewReader(image))
	})
	require.LessOrEqual(t, used, uint64(8*len(image)+1<<20))
	require.Equal(t, err == nil, err2 == nil && n == int64(len(image)), "%v, %v", err, err2)
	if err != nil {
		require.True(t, errors.Is(err, hll.ErrCorrupt) || errors.Is(err, hll.ErrIncompatible), "%v", err)
		return
	}
	require.True(t, k.equal(got, streamed))
	if !k.free && image[5] == 0 { // flags that a reader may ignore are not written again
		require.Equal(t, image, must(got.MarshalBinary()))
	}
	if s, ok := got.(*hll.Sketch); ok {
		check(t.(*testing.T), s)
	}
}

func TestSketchParameters(t *testing.T) {
	dense, sparse := kinds()[2], kinds()[1]
	word := func(at int, v uint64) func(b []byte) []byte {
		return func(b []byte) []byte { binary.LittleEndian.PutUint64(b[at:], v); return b }
	}
	for what, change := range map[string]func(image []byte) []byte{
		"version 0":           func(b []byte) []byte { b[3] = 0; return b },
		"version 2":           func(b []byte) []byte { b[3] = 2; return b },
		"unknown flag":        func(b []byte) []byte { b[4] |= 4; return b },
		"precision 3":         word(8, 3),
		"precision 19":        word(8, 19),
		"another precision":   word(8, 7),
		"history without":     word(16, math.Float64bits(500)),
		"sparse by its flag":  func(b []byte) []byte { b[4] = 0; return b },
		"register 60 of 59":   func(b []byte) []byte { b[40] = b[40]&^63 | 60; return b },
		"register 63":         func(b []byte) []byte { b[87] |= 0xfc; return b },
		"one parameter fewer": func(b []byte) []byte { b[6] = 2; return b },
	} {
		refuses(t, dense, mend(change(must(dense.value.MarshalBinary()))), what)
	}
	for _, history := range []float64{math.Inf(1), math.Inf(-1), -1, 1, 63, math.Copysign(0, -1), math.Float64frombits(math.Float64bits(math.NaN()) + 1)} {
		k := kinds()[4]
		refuses(t, k, mend(word(16, math.Float64bits(history))(must(k.value.MarshalBinary()))), "%v", history)
	}
	tokens := func(n uint64, payload []byte) []byte {
		b := must(sparse.value.MarshalBinary())[:40]
		binary.LittleEndian.PutUint64(b[16:], n)
		binary.LittleEndian.PutUint64(b[32:], uint64(len(payload)))
		return mend(append(append(b, payload...), make([]byte, 8)...))
	}
	require.NoError(t, new(hll.Sketch).UnmarshalBinary(tokens(2, hll.EncodeTokens([]uint32{5 << 6, 5<<6 | 1}))))
	for what, image := range map[string][]byte{
		"a token twice":        tokens(2, hll.EncodeTokens([]uint32{5 << 6, 5 << 6})),
		"zeros not in order":   tokens(2, hll.EncodeTokens([]uint32{5<<6 | 1, 5 << 6})),
		"39 zeros":             tokens(1, hll.EncodeTokens([]uint32{5<<6 | 39})),
		"one token fewer":      tokens(1, hll.EncodeTokens([]uint32{5 << 6, 6 << 6})),
		"one token more":       tokens(3, hll.EncodeTokens([]uint32{5 << 6, 6 << 6})),
		"a byte more":          tokens(2, append(hll.EncodeTokens([]uint32{5 << 6, 6 << 6}), 0)),
		"padding not zero":     tokens(1, []byte{0, 0, 0, 0x80}),
		"index beyond 2^26":    tokens(1, []byte{0xff, 0xff, 0xff, 0xff, 0xff, 0x7f}),
		"never ends":           tokens(1, bytes.Repeat([]byte{0xff}, 100)),
		"none, but bytes":      tokens(0, []byte{0}),
		"more than fit":        tokens(3073, make([]byte, 10_000)),
		"more than the bytes":  tokens(3000, make([]byte, 100)),
		"more than any memory": tokens(math.MaxUint64, make([]byte, 100)),
	} {
		refuses(t, sparse, image, what)
	}
}

// Tokens chosen to fall into one place cost no more than others to decode, and the
// set is what it would be.
func TestCrowdedTokens(t *testing.T) {
	for _, first := range []uint32{0, 1<<26 - 1600} {
		var list []uint32
		for i := range uint32(3072) {
			list = append(list, (first+i/2)<<6|i%2)
		}
		payload := hll.EncodeTokens(list)
		image := must(must(hll.New(14)).MarshalBinary())[:40]
		binary.LittleEndian.PutUint64(image[16:], uint64(len(list)))
		binary.LittleEndian.PutUint64(image[32:], uint64(len(payload)))
		image = mend(append(append(image, payload...), make([]byte, 8)...))
		var s hll.Sketch
		require.NoError(t, s.UnmarshalBinary(image))
		require.Equal(t, list, s.Tokens())
		added := must(hll.New(14))
		for i := len(list) - 1; i >= 0; i-- {
			one := must(hll.New(14))
			require.NoError(t, one.UnmarshalBinary(tokenImage(list[i])))
			require.NoError(t, added.Merge(one))
		}
		require.True(t, s.Equal(added))
		check(t, &s)
	}
}

func tokenImage(token uint32) []byte {
	payload := hll.EncodeTokens([]uint32{token})
	image := must(must(hll.New(14)).MarshalBinary())[:40]
	binary.LittleEndian.PutUint64(image[16:], 1)
	binary.LittleEndian.PutUint64(image[32:], uint64(len(payload)))
	return mend(append(append(image, payload...), make([]byte, 8)...))
}
