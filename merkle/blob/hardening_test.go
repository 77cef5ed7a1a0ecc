package blob_test

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/distkit/distkit/internal/codec"
	"github.com/distkit/distkit/internal/testkit"
	"github.com/distkit/distkit/merkle"
	"github.com/distkit/distkit/merkle/blob"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Whatever is changed in data, proof or place is found out, and nothing of it is
// kept.
func TestLiesAreFoundOut(t *testing.T) {
	for name, f := range files(t) {
		rnd := rand.New(rand.NewPCG(5, 6))
		for first := range f.d.Chunks() {
			n := min(1+first%3, f.d.Chunks()-first)
			proof, data := must(f.b.Proof(first, n)), f.chunks(first, n)
			v := must(blob.NewVerifier(f.d))
			refuse := func(what string, chunk uint64, data []byte, proof []merkle.Hash) {
				t.Helper()
				require.ErrorIs(t, v.Verify(chunk, data, proof), merkle.ErrProof, "%s: %s", name, what)
				require.False(t, v.Done() || v.Have(chunk))
				require.False(t, f.d.Chunks() > 1 && v.Known(0, chunk))
			}
			for range 5 {
				bad := slices.Clone(data)
				bit := rnd.IntN(8 * len(bad))
				bad[bit/8] ^= 1 << (bit % 8)
				refuse(fmt.Sprint("bit ", bit, " of the data"), first, bad, proof)
			}
			refuse("no data", first, nil, proof)
			refuse("a byte less", first, data[:len(data)-1], proof)
			refuse("a byte more", first, append(slices.Clone(data), 0), proof)
			for i := range proof {
				bad := slices.Clone(proof)
				bad[i][rnd.IntN(32)] ^= 1 << rnd.IntN(8)
				refuse("a bit of the proof", first, data, bad)
				refuse("a hash less", first, data, slices.Delete(slices.Clone(proof), i, i+1))
				refuse("a hash twice", first, data, slices.Insert(slices.Clone(proof), i, proof[i]))
				if bad = slices.Clone(proof); bad[0] != bad[i] {
					bad[0], bad[i] = bad[i], bad[0]
					refuse("swapped", first, data, bad)
				}
			}
			refuse("a hash more", first, data, append(slices.Clone(proof), merkle.Hash{}))
			refuse("a thousand hashes", first, data, make([]merkle.Hash, 1000))
			for other := range f.d.Chunks() {
				if other != first {
					refuse("another place", other, data, proof)
				}
			}
			require.ErrorIs(t, v.Verify(f.d.Chunks(), data, proof), merkle.ErrRange)
			require.ErrorIs(t, v.Verify(1<<64-1, data, proof), merkle.ErrRange)
			require.NoError(t, v.Verify(first, data, proof), "and the truth still holds")
		}
	}
}

// What no blob can be is refused wherever it comes from.
func TestImpossibleDescriptors(t *testing.T) {
	_, sound := made(t, pattern(5000))
	_, bep := made(t, pattern(5000), blob.WithProfile(blob.BitTorrentV2))
	for want, d := range map[string]blob.Descriptor{
		"blob: profile is 7, want RFC9162 (0) or BitTorrentV2 (1)":            {7, sound.ChunkSize, sound.Size, sound.Root},
		"blob: chunk size is 0, want a power of two from 1024 to 16777216":    {},
		"blob: chunk size is 3000, want a power of two from 1024 to 16777216": {0, 3000, 5, sound.Root},
		"blob: chunk size is 1024, want 16384 for BitTorrentV2":               {blob.BitTorrentV2, 1024, 5, bep.Root},
		"blob: size is 9223372036854775808, want at most 2^63-1":              {0, 1024, 1 << 63, sound.Root},
		"blob: root is zero, which is the hash of nothing":                    {0, 1024, 1, merkle.Hash{}},
		"blob: root of an empty blob is 0900000000000000000000000000000000000000000000000000000000000000, want 0000000000000000000000000000000000000000000000000000000000000000": {blob.BitTorrentV2, 16384, 0, merkle.Hash{9}},
	} {
		_, err := d.MarshalBinary()
		assert.EqualError(t, err, want)
		_, err = blob.NewVerifier(d)
		assert.EqualError(t, err, want)
		assert.Zero(t, d.ID())

		image := codec.AppendHeader(nil, codec.Header{Kind: codec.BlobDescr, Params: []uint64{uint64(d.Profile), uint64(d.ChunkSize), d.Size}}, 32)
		image = codec.AppendSum(append(image, d.Root[:]...), 0)
		got := sound
		err = got.UnmarshalBinary(image)
		assert.ErrorIs(t, err, merkle.ErrCorrupt)
		assert.EqualError(t, err, "blob: corrupt encoding: "+want)
		assert.Equal(t, sound, got)
	}
}

func TestDamagedDescriptors(t *testing.T) {
	_, sound := made(t, pattern(5000))
	image := must(sound.MarshalBinary())
	got := sound
	refuse := func(bad []byte, what ...any) {
		t.Helper()
		require.ErrorIs(t, got.UnmarshalBinary(bad), merkle.ErrCorrupt, what...)
		require.Equal(t, sound, got)
	}
	for i := range image {
		refuse(image[:i], "cut to %d", i)
		for bit := range 8 {
			bad := bytes.Clone(image)
			bad[i] ^= 1 << bit
			refuse(bad, "bit %d of byte %d", bit, i)
		}
	}
	refuse(append(bytes.Clone(image), 0))
	mended := func(h codec.Header, payload int) []byte {
		b := codec.AppendHeader(nil, h, payload)
		return codec.AppendSum(append(b, make([]byte, payload)...), 0)
	}
	refuse(mended(codec.Header{Kind: codec.BlobDescr, Params: []uint64{0, 1024, 0}}, 31), "a short root")
	refuse(mended(codec.Header{Kind: codec.BlobDescr, Params: []uint64{0, 1024}}, 32), "two parameters")
	refuse(mended(codec.Header{Kind: codec.BlobDescr, Params: []uint64{256, 1024, 1}}, 32), "a large profile")
	refuse(mended(codec.Header{Kind: codec.BlobDescr, Params: []uint64{0, 1<<32 + 1024, 1}}, 32), "a large chunk size")
	refuse(mended(codec.Header{Kind: codec.BlobDescr, Must: 1, Params: []uint64{0, 1024, 1}}, 32), "a flag")
	refuse(mended(codec.Header{Kind: codec.BlobDescr, Version: 1, Params: []uint64{0, 1024, 1}}, 32), "a version")
}

// Descriptors that promise a blob of 2^63 bytes cost no memory.
func TestHugeDescriptor(t *testing.T) {
	d := blob.Descriptor{ChunkSize: 1 << 10, Size: math.MaxInt64, Root: merkle.Hash{1}}
	used := testkit.AllocatedBytes(func() {
		v := must(blob.NewVerifier(d))
		for first, n := range v.Missing() {
			require.Zero(t, first)
			require.Equal(t, uint64(1<<53), n)
		}
		require.ErrorIs(t, v.Verify(1<<53-1, make([]byte, 1023), make([]merkle.Hash, 53)), merkle.ErrProof)
		require.ErrorIs(t, v.Verify(0, make([]byte, 1024), make([]merkle.Hash, 52)), merkle.ErrProof)
	})
	assert.Less(t, used, uint64(1<<20))
}

// Every bit of a chunk and of its proof counts.
func TestEveryBit(t *testing.T) {
	b, d := made(t, pattern(5000), blob.WithChunkSize(1<<10))
	v, data, proof := must(blob.NewVerifier(d)), pattern(5000)[4096:], must(b.Proof(4, 1))
	for bit := range 8 * len(data) {
		data[bit/8] ^= 1 << (bit % 8)
		require.ErrorIs(t, v.Verify(4, data, proof), merkle.ErrProof, "bit %d of the data", bit)
		data[bit/8] ^= 1 << (bit % 8)
	}
	for i := range proof {
		for bit := range 256 {
			proof[i][bit/8] ^= 1 << (bit % 8)
			require.ErrorIs(t, v.Verify(4, data, proof), merkle.ErrProof, "bit %d of hash %d", bit, i)
			proof[i][bit/8] ^= 1 << (bit % 8)
		}
	}
	require.NoError(t, v.Verify(4, data, proof))
}
