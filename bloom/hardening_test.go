package bloom_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"testing"

	"github.com/cespare/xxhash/v2"
	"github.com/distkit/distkit/bloom"
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
	require.ErrorIs(t, got.UnmarshalBinary(image), bloom.ErrCorrupt, append([]any{what}, args...)...)
	_, err := got.ReadFrom(bytes.NewReader(image))
	require.ErrorIs(t, err, bloom.ErrCorrupt, append([]any{what}, args...)...)
	require.True(t, k.equal(k.value, got), append([]any{what}, args...)...)
}

func TestDamagedImagesAreRefused(t *testing.T) {
	for _, k := range kinds() {
		t.Run(k.name, func(t *testing.T) {
			image := must(k.value.MarshalBinary())
			for n := range image {
				got := k.zero()
				require.ErrorIs(t, got.UnmarshalBinary(image[:n]), bloom.ErrCorrupt, "cut to %d", n)
				_, err := got.ReadFrom(bytes.NewReader(image[:n]))
				require.ErrorIs(t, err, bloom.ErrCorrupt, "cut to %d", n)
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
			require.ErrorIs(t, got.UnmarshalBinary(append(image, 0)), bloom.ErrCorrupt, "trailing byte")
			require.ErrorIs(t, got.UnmarshalText([]byte("no base64!")), bloom.ErrCorrupt)
			require.ErrorIs(t, got.UnmarshalText(nil), bloom.ErrCorrupt)
			for _, other := range kinds() {
				foreign := must(other.value.MarshalBinary())
				if foreign[2] != image[2] {
					require.ErrorIs(t, got.UnmarshalBinary(foreign), bloom.ErrCorrupt, other.name)
				}
			}
		})
	}
}

// A header that promises anything, under a checksum that is right, allocates no
// more than its bytes justify. Peers die here: 24 bytes make one allocate 2^40
// bits on the next Add, 64 make another take a gigabyte.
func TestBombs(t *testing.T) {
	extremes := []uint64{
		0, 1, 1 << 16, 1 << 27, 1<<32 - 1, 1 << 32, 1 << 40, 1 << 58, 1 << 59, 1 << 61, 1 << 63,
		math.MaxInt64, math.MaxUint64, math.Float64bits(math.Inf(1)), math.Float64bits(math.NaN()), math.Float64bits(1e-300),
	}
	for _, k := range kinds() {
		t.Run(k.name, func(t *testing.T) {
			whole := must(k.value.MarshalBinary())
			for at := 0; at+8 <= min(len(whole)-8, 200); at += 4 {
				for _, v := range extremes {
					image := bytes.Clone(whole)
					binary.LittleEndian.PutUint64(image[at:], v)
					mend(image)
					got := k.zero()
					var err1, err2 error
					used := testkit.AllocatedBytes(func() { err1 = got.UnmarshalBinary(image) })
					require.LessOrEqual(t, used, uint64(2*len(image)+64<<10))
					used = testkit.AllocatedBytes(func() { _, err2 = got.ReadFrom(bytes.NewReader(image)) })
					require.LessOrEqual(t, used, uint64(2*len(image)+(64+16)<<10))
					require.Equal(t, err1 == nil, err2 == nil)
					if err1 != nil {
						require.True(t, errors.Is(err1, bloom.ErrCorrupt) || errors.Is(err1, bloom.ErrIncompatible), "%v", err1)
						continue
					}
					if image[5] == 0 { // flags that a reader may ignore are not written again
						require.Equal(t, image, must(got.MarshalBinary()))
					}
				}
			}
		})
	}
}

func TestFilterParameters(t *testing.T) {
	k := kinds()[0]
	whole := must(k.value.MarshalBinary())
	for what, change := range map[string]func(image []byte) []byte{
		"version 0":          func(b []byte) []byte { b[3] = 0; return b },
		"version 2":          func(b []byte) []byte { b[3] = 2; return b },
		"unknown flag":       func(b []byte) []byte { b[4] = 2; return b },
		"another kind":       func(b []byte) []byte { b[2] = 2; return b },
		"no blocks":          func(b []byte) []byte { b[8] = 0; return b },
		"one block less":     func(b []byte) []byte { b[8]--; return b },
		"one block more":     func(b []byte) []byte { b[8]++; return b },
		"too many blocks":    func(b []byte) []byte { b[12] = 1; return b },
		"padding":            func(b []byte) []byte { b[40] = 1; return b },
		"payload not whole":  func(b []byte) []byte { b[24]--; return b },
		"no alignment":       func(b []byte) []byte { b[7] = 0; return b },
		"another parameters": func(b []byte) []byte { b[6] = 1; return b },
		"empty": func(b []byte) []byte {
			clear(b[8:16])
			clear(b[24:32])
			return append(b[:64], make([]byte, 8)...)
		},
	} {
		refuses(t, k, mend(change(bytes.Clone(whole))), what)
	}
}

// What a machine of 32 bits cannot address is an error there, before make panics.
func TestMoreThanMemoryHolds(t *testing.T) {
	require.NoError(t, bloom.Fits(math.MaxInt))
	for _, bytes := range []uint64{math.MaxInt + 1, math.MaxUint64} {
		require.ErrorContains(t, bloom.Fits(bytes), fmt.Sprintf("bloom: filter needs %d bytes, want at most", bytes))
	}
}
