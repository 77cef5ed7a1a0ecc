package bloom_test

import (
	"testing"

	"github.com/distkit/distkit/bloom"
	"github.com/distkit/distkit/internal/hash64"
	"github.com/stretchr/testify/require"
)

// twin is the split-block filter as the Parquet specification words it: slow and
// obvious, a bool a bit.
type twin struct {
	blocks [][8][32]bool
	raw    bool
}

func newTwin(z int, raw bool) *twin { return &twin{make([][8][32]bool, z), raw} }

// bits returns the block of h and the bit of each lane.
func (t *twin) bits(h uint64) (block uint64, lane [8]uint32) {
	if !t.raw {
		h = hash64.Mix(h, hash64.SaltBloom)
	}
	salts := [8]uint32{0x47b6137b, 0x44974d91, 0x8824ad5b, 0xa2b7289d, 0x705495c7, 0x2df1424b, 0x9efc4947, 0x5c6bfb31}
	for i, salt := range salts {
		lane[i] = uint32(h) * salt >> 27
	}
	return (h >> 32) * uint64(len(t.blocks)) >> 32, lane
}

func (t *twin) add(h uint64) bool {
	fresh := !t.contains(h)
	b, lane := t.bits(h)
	for i, bit := range lane {
		t.blocks[b][i][bit] = true
	}
	return fresh
}

func (t *twin) contains(h uint64) bool {
	b, lane := t.bits(h)
	for i, bit := range lane {
		if !t.blocks[b][i][bit] {
			return false
		}
	}
	return true
}

// words returns the bits as Filter holds them.
func (t *twin) words() []uint64 {
	out := make([]uint64, 4*len(t.blocks))
	for b, block := range t.blocks {
		for i, lane := range block {
			for bit, set := range lane {
				if set {
					out[4*b+i/2] |= 1 << (32*(i%2) + bit)
				}
			}
		}
	}
	return out
}

// check verifies what holds for every Filter: sizes that agree, an image that
// decodes to an equal filter, a clone that is equal, estimates that are finite.
func check(t *testing.T, f *bloom.Filter) {
	t.Helper()
	words := f.Words()
	require.Zero(t, len(words)%4)
	require.Equal(t, uint64(64*len(words)), f.Bits())
	require.GreaterOrEqual(t, f.SizeBytes(), 8*len(words))
	require.True(t, f.Equal(f.Clone()))
	require.GreaterOrEqual(t, f.EstimatedCount(), 0.0)
	require.Less(t, f.EstimatedCount(), 1e12)
	require.GreaterOrEqual(t, f.EstimatedFPR(), 0.0)
	require.LessOrEqual(t, f.EstimatedFPR(), 1.0)
	if len(words) == 0 {
		return
	}
	image, err := f.MarshalBinary()
	require.NoError(t, err)
	g := f.Clone()
	g.Reset()
	require.NoError(t, g.UnmarshalBinary(image))
	require.True(t, f.Equal(g))
}

// must returns v or ends the test.
func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
