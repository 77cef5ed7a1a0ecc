package blob_test

import (
	"crypto/sha256"
	"math"
	"testing"

	"github.com/distkit/distkit/internal/testkit"
	"github.com/distkit/distkit/merkle"
	"github.com/distkit/distkit/merkle/blob"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestDescriptorsComeBack(t *testing.T) {
	ids := map[merkle.Hash]bool{}
	for _, f := range files(t) {
		image := must(f.d.MarshalBinary())
		var d blob.Descriptor
		require.NoError(t, d.UnmarshalBinary(image))
		require.Equal(t, f.d, d)
		require.Equal(t, "before"+string(image), string(must(d.AppendBinary([]byte("before")))))
		require.Equal(t, merkle.Hash(sha256.Sum256(append([]byte{2}, image...))), d.ID())
		ids[d.ID()] = true
	}
	assert.Len(t, ids, len(files(t)))
}

func TestBounds(t *testing.T) {
	d := blob.Descriptor{ChunkSize: 1 << 10, Size: 2500}
	for chunk, want := range [][2]uint64{{0, 1024}, {1024, 2048}, {2048, 2500}, {2500, 2500}} {
		start, end := d.Bounds(uint64(chunk))
		assert.Equal(t, want, [2]uint64{start, end})
	}
	assert.EqualValues(t, 3, d.Chunks())
	assert.Zero(t, blob.Descriptor{}.Chunks())
	start, end := blob.Descriptor{ChunkSize: 1 << 10, Size: math.MaxInt64}.Bounds(1<<53 - 1)
	assert.Equal(t, [2]uint64{1<<63 - 1024, 1<<63 - 1}, [2]uint64{start, end})
}

// The image of version 0, and what it holds at which place.
func TestGolden(t *testing.T) {
	_, d := made(t, pattern(100_000))
	testkit.Golden(t, "testdata/v0/descriptor.bin", must(d.MarshalBinary()))
}
