package bloom_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"testing"

	"github.com/distkit/distkit/bloom"
	"github.com/distkit/distkit/internal/testkit"
	"github.com/stretchr/testify/require"
)

// Whatever is accepted encodes to the same bytes again, both ways of decoding
// agree, and memory stays within what the input justifies. Every input is tried
// as it is and under a right checksum.
func FuzzDecode(f *testing.F) {
	for _, k := range kinds() {
		f.Add(must(k.value.MarshalBinary()))
		f.Add(must(k.value.MarshalBinary())[:40])
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, image := range [][]byte{data, mend(bytes.Clone(data))} {
			for _, k := range kinds() {
				got, streamed := k.zero(), k.zero()
				var err error
				used := testkit.AllocatedBytes(func() { err = got.UnmarshalBinary(image) })
				require.LessOrEqual(t, used, uint64(8*len(image)+1<<20)) // the fuzzer allocates too
				n, err2 := streamed.ReadFrom(bytes.NewReader(image))
				require.Equal(t, err == nil, err2 == nil && n == int64(len(image)), "%v, %v", err, err2)
				if err != nil {
					require.True(t, errors.Is(err, bloom.ErrCorrupt) || errors.Is(err, bloom.ErrIncompatible), "%v", err)
					continue
				}
				require.True(t, k.equal(got, streamed))
				if image[5] == 0 {
					require.Equal(t, image, must(got.MarshalBinary()))
				}
			}
		}
	})
}

// Hashes and block counts of any kind: the same bits and answers as the slow
// twin, the portable code and the batches.
func FuzzFilter(f *testing.F) {
	f.Add(uint16(1), false, []byte("0123456789abcdef"))
	f.Add(uint16(300), true, bytes.Repeat([]byte{0xff, 0, 1, 0x80, 7}, 80))
	f.Fuzz(func(t *testing.T, z uint16, raw bool, data []byte) {
		var hs []uint64
		for ; len(data) >= 8; data = data[8:] {
			hs = append(hs, binary.LittleEndian.Uint64(data))
		}
		blocks := int(z)%1000 + 1
		slow, one, portable, batch := newTwin(blocks, raw), bloom.NewBlocks(blocks, raw), bloom.NewBlocks(blocks, raw), bloom.NewBlocks(blocks, raw)
		batch.AddHashes(hs[:len(hs)/2])
		for i, h := range hs[:len(hs)/2] {
			want := slow.add(h)
			require.Equal(t, want, one.AddHash(h), "key %d", i)
			require.Equal(t, want, portable.AddGo(h), "key %d", i)
		}
		out := make([]bool, len(hs))
		present := batch.ContainsHashes(out, hs)
		for i, h := range hs {
			want := slow.contains(h)
			require.Equal(t, []bool{want, want, want}, []bool{one.ContainsHash(h), one.ContainsGo(h), out[i]}, "key %d", i)
			if want {
				present--
			}
		}
		require.Zero(t, present)
		require.Equal(t, slow.words(), one.Words())
		require.True(t, one.Equal(portable) && one.Equal(batch))
		check(t, one)
	})
}
