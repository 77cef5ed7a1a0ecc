package merkle_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/distkit/distkit/internal/codec"
	"github.com/distkit/distkit/internal/testkit"
	"github.com/distkit/distkit/merkle"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// mend puts the right checksum under a changed image.
func mend(image []byte) []byte { return codec.AppendSum(image[:len(image)-8], 0) }

// refused decodes image both ways into a tree that must not change.
func refused(t *testing.T, image []byte) error {
	t.Helper()
	tree, want := few(t, 7), few(t, 7)
	err := tree.UnmarshalBinary(image)
	require.Error(t, err)
	_, err2 := tree.ReadFrom(bytes.NewReader(image))
	require.EqualError(t, err2, err.Error())
	require.True(t, tree.Equal(want))
	require.NoError(t, tree.Check())
	return err
}

// Every cut, every flipped bit and every further byte is seen.
func TestDamagedImagesAreRefused(t *testing.T) {
	image := must(few(t, 6).MarshalBinary())
	tree := newTree(t)
	for n := range image {
		require.ErrorIs(t, tree.UnmarshalBinary(image[:n]), merkle.ErrCorrupt)
		_, err := tree.ReadFrom(bytes.NewReader(image[:n]))
		require.ErrorIs(t, err, merkle.ErrCorrupt)
		end := io.ErrUnexpectedEOF
		if n == 0 {
			end = io.EOF
		}
		require.ErrorIs(t, err, end)
	}
	for bit := range 8 * len(image) {
		bad := bytes.Clone(image)
		bad[bit/8] ^= 1 << (bit % 8)
		require.ErrorIs(t, tree.UnmarshalBinary(bad), merkle.ErrCorrupt)
	}
	require.ErrorIs(t, tree.UnmarshalBinary(append(bytes.Clone(image), 0)), merkle.ErrCorrupt)
	require.ErrorIs(t, tree.UnmarshalText([]byte("no base64!")), merkle.ErrCorrupt)
	broken := errors.New("cable cut")
	_, err := tree.ReadFrom(io.MultiReader(bytes.NewReader(image[:40]), iotest.ErrReader(broken)))
	require.ErrorIs(t, err, broken)
	require.NotErrorIs(t, err, merkle.ErrCorrupt)
	require.Zero(t, tree.Len())
}

// What is wrong under a right checksum is named.
func TestForgedImagesAreRefused(t *testing.T) {
	image := must(few(t, 6).MarshalBinary())
	const params, length, payload = 8, 16, 24
	first := binary.LittleEndian.Uint64(image[payload:])
	for want, change := range map[string]func(b []byte) []byte{
		"merkle: corrupt encoding: flags are 0x04, want none but 0x03":              func(b []byte) []byte { b[4] = 4; return b },
		"merkle: corrupt encoding: a secret for sums, and no check of it":           func(b []byte) []byte { b[4] = 2; return b },
		"merkle: corrupt encoding: 0 parameters, want 1":                            func(b []byte) []byte { b[6] = 0; copy(b[8:], b[16:24]); return append(b[:16], b[24:]...) },
		"merkle: corrupt encoding: version 1 is newer than 0":                       func(b []byte) []byte { b[3] = 1; return b },
		"merkle: corrupt encoding: holds ring.Ring, want merkle.Tree":               func(b []byte) []byte { b[2] = byte(codec.Ring); return b },
		"merkle: corrupt encoding: payload of 88 bytes, want a multiple of 16":      func(b []byte) []byte { b[length] = 88; return append(b[:payload+88], b[payload+96:]...) },
		"merkle: incompatible: image was made under a secret, receiver has none":    func(b []byte) []byte { b[params] = 1; return b },
		"merkle: corrupt encoding: position 0x0 after FIRST, want ascending ones":   func(b []byte) []byte { clear(b[payload+16 : payload+24]); return b },
		"merkle: corrupt encoding: position FIRST after FIRST, want ascending ones": func(b []byte) []byte { copy(b[payload+16:payload+24], b[payload:]); return b },
	} {
		err := refused(t, mend(change(bytes.Clone(image))))
		assert.EqualError(t, err, strings.ReplaceAll(want, "FIRST", fmt.Sprintf("%#x", first)))
	}
}

// Extreme values at every place, under a right checksum, allocate no more than the
// bytes justify.
func TestBombs(t *testing.T) {
	image := must(few(t, 40).MarshalBinary())
	for at := range len(image) - 8 {
		for _, extreme := range []uint64{0, 1, 1 << 20, 1 << 32, 1 << 40, math.MaxInt64, math.MaxUint64} {
			bad := bytes.Clone(image)
			var v [8]byte
			binary.LittleEndian.PutUint64(v[:], extreme)
			copy(bad[at:len(bad)-8], v[:])
			mend(bad)
			var err error
			used := testkit.AllocatedBytes(func() {
				var a, b merkle.Tree
				_, err2 := b.ReadFrom(bytes.NewReader(bad))
				err = errors.Join(a.UnmarshalBinary(bad), err2)
			})
			require.LessOrEqual(t, used, uint64(256<<10+8*len(bad)), "%#x at %d: %v", extreme, at, err)
			if err != nil {
				require.True(t, isOurs(err), "%v", err)
			}
		}
	}
}

// A secret is kept when an image is decoded, and what was made under another one
// is refused by name.
func TestImagesAndSecrets(t *testing.T) {
	a, b := [16]byte{1}, [16]byte{2}
	makers := map[string][]merkle.TreeOption{
		"none": nil, "a": {merkle.WithSecret(a)}, "b": {merkle.WithSecret(b)},
		"sum a": {merkle.WithSumSecret(a)}, "sum b": {merkle.WithSumSecret(b)},
	}
	for mine, opts := range makers {
		for its, other := range makers {
			tree := few(t, 20, opts...)
			image := must(few(t, 30, other...).MarshalBinary())
			err := tree.UnmarshalBinary(image)
			if mine == its {
				require.NoError(t, err)
				tree.PutString("key30", []byte("v30"))
				require.True(t, tree.Equal(few(t, 31, opts...)), "the secret is kept")
				continue
			}
			require.ErrorIs(t, err, merkle.ErrIncompatible, "%s from %s", mine, its)
			require.NotErrorIs(t, err, merkle.ErrCorrupt)
			require.True(t, tree.Equal(few(t, 20, opts...)))
			require.NotContains(t, string(image), string(a[:]))
		}
	}
	err := few(t, 1, merkle.WithSecret(a)).UnmarshalBinary(must(few(t, 1, merkle.WithSumSecret(a)).MarshalBinary()))
	assert.EqualError(t, err, "merkle: incompatible: one of image and receiver has a secret by WithSecret, the other by WithSumSecret")
	err = few(t, 1, merkle.WithSecret(a)).UnmarshalBinary(must(few(t, 1).MarshalBinary()))
	assert.EqualError(t, err, "merkle: incompatible: image was made without a secret, receiver has one")
	err = few(t, 1, merkle.WithSecret(a)).UnmarshalBinary(must(few(t, 1, merkle.WithSecret(b)).MarshalBinary()))
	assert.EqualError(t, err, "merkle: incompatible: image was made under another secret")
}

// Who listens learns no sums: what is sent of them is hashed under a salt, which is
// another one each time.
func TestMessagesTellNoSums(t *testing.T) {
	for name, opts := range optionSets {
		tree := few(t, 100, opts...)
		sum := tree.Summary(merkle.Range{}).Sum
		a, b := must2(must(tree.Initiate()).Next(nil, nil)), must2(must(tree.Initiate()).Next(nil, nil))
		require.Len(t, a, len(b))
		require.NotEqual(t, a[1:13], b[1:13], "%s: salt and check", name)
		require.NotEqual(t, a[len(a)-16:], b[len(b)-16:], "%s: tag", name)
		answer := must2(must(few(t, 90, opts...).Respond()).Next(nil, a))
		for _, message := range [][]byte{a, b, answer} {
			require.NotContains(t, string(message), string(sum[:8]), name)
			require.NotContains(t, string(message), string(sum[8:]), name)
		}
	}
}

// Positions of any choice make a tree no higher and no slower than logarithmic.
func TestChosenPositionsKeepTheTreeLow(t *testing.T) {
	for name, position := range map[string]func(i uint64) uint64{
		"ascending":  func(i uint64) uint64 { return i },
		"descending": func(i uint64) uint64 { return math.MaxUint64 - i },
		"high bits":  func(i uint64) uint64 { return i << 44 },
		"doubling":   func(i uint64) uint64 { return 1<<(i%64) + i/64 },
		"two ends":   func(i uint64) uint64 { return i>>1 ^ -(i & 1) },
	} {
		tree := newTree(t)
		const n = 50_000
		for i := range uint64(n) {
			tree.PutHash(position(i), 1)
		}
		require.NoError(t, tree.Check(), name)
		require.LessOrEqual(t, tree.Height(), 4, name) // a quarter full, it would be 4
		for i := range uint64(n) {
			if _, ok := tree.Get(position(i)); !ok {
				t.Fatalf("%s: no position %#x", name, position(i))
			}
		}
	}
}
