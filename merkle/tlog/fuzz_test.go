package tlog_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"slices"
	"testing"

	"github.com/distkit/distkit/internal/testkit"
	"github.com/distkit/distkit/merkle"
	"github.com/distkit/distkit/merkle/tlog"
	"github.com/stretchr/testify/require"
)

// Whatever is accepted encodes to the same bytes again, both ways of decoding
// agree, and memory stays within what the input justifies.
func FuzzDecode(f *testing.F) {
	for _, k := range kinds() {
		image := must(k.value.MarshalBinary())
		f.Add(image)
		f.Add(image[:40])
	}
	f.Add(must(tlog.NewFrontierAt(1 << 63).MarshalBinary()))
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, image := range [][]byte{data, mend(bytes.Clone(data))} {
			for _, k := range kinds() {
				got, streamed := k.zero(), k.zero()
				var err error
				used := testkit.AllocatedBytes(func() { err = got.UnmarshalBinary(image) })
				require.LessOrEqual(t, used, uint64(8*len(image)+1<<20))
				n, err2 := streamed.ReadFrom(bytes.NewReader(image))
				require.Equal(t, err == nil, err2 == nil && n == int64(len(image)), "%v, %v", err, err2)
				if err != nil {
					require.ErrorIs(t, err, merkle.ErrCorrupt)
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

// hashesOf cuts bytes into hashes.
func hashesOf(data []byte) (hs []merkle.Hash) {
	for ; len(data) > 0; data = data[min(len(data), merkle.HashSize):] {
		var h merkle.Hash
		copy(h[:], data)
		hs = append(hs, h)
	}
	return hs
}

// Whatever the proof, sizes and indexes: no panic, and nothing holds but what the
// log would have said.
func FuzzVerify(f *testing.F) {
	l, d := logs(40)
	join := func(hs []merkle.Hash) (b []byte) {
		for _, h := range hs {
			b = append(b, h[:]...)
		}
		return b
	}
	for i := range uint64(40) {
		f.Add(i, i+1, uint64(40), join(must(l.Inclusion(i, 40))))
		f.Add(uint64(0), i+1, uint64(40), join(must(l.Consistency(i+1, 40))))
	}
	for i := range uint64(39) {
		f.Add(i, uint64(39), uint64(40), join(must(l.Batch(40, i, 39))))
	}
	f.Add(uint64(1<<63), uint64(1<<64-1), uint64(1<<64-1), make([]byte, 64*32))
	f.Fuzz(func(t *testing.T, start, end, size uint64, data []byte) {
		proof := hashesOf(data)
		known := size <= 40
		root, leaf := merkle.Hash{1}, merkle.Hash{2}
		if known {
			root = must(l.RootAt(size))
		}
		if start < 40 {
			leaf = d[start]
		}
		agrees := func(err error, want []merkle.Hash, wantErr error) {
			t.Helper()
			if err != nil {
				require.True(t, errors.Is(err, merkle.ErrProof) || errors.Is(err, merkle.ErrRange), "%v", err)
			}
			require.Equal(t, err == nil, known && wantErr == nil && slices.Equal(proof, want))
		}
		want, wantErr := l.Inclusion(start, size)
		agrees(tlog.VerifyInclusion(root, size, start, leaf, proof), want, wantErr)
		if known {
			sub, subErr := l.SubtreeRoot(start, end)
			want, wantErr = l.SubtreeConsistency(start, end, size)
			agrees(tlog.VerifySubtreeConsistency(sub, start, end, root, size, proof), want, errors.Join(subErr, wantErr))
		} else {
			_ = tlog.VerifySubtreeConsistency(leaf, start, end, root, size, proof)
			_ = tlog.VerifyConsistency(leaf, start, root, end, proof)
		}
		indexes := []uint64{start, end}
		leaves := []merkle.Hash{leaf, {3}}
		if end < 40 {
			leaves[1] = d[end]
		}
		want, wantErr = l.Batch(size, indexes...)
		agrees(tlog.VerifyBatch(root, size, indexes, leaves, proof), want, wantErr)
	})
}

// Any sequence of appends and merges gives the frontier of its range.
func FuzzFrontier(f *testing.F) {
	f.Add(uint16(0), []byte{1, 2, 3, 200, 0, 5})
	f.Add(uint16(65535), []byte{255, 255, 1})
	f.Fuzz(func(t *testing.T, begin uint16, parts []byte) {
		whole, merged := tlog.NewFrontierAt(uint64(begin)), tlog.NewFrontierAt(uint64(begin))
		for _, n := range parts[:min(len(parts), 20)] {
			part := tlog.NewFrontierAt(merged.Begin() + merged.Size())
			for i := range n {
				leaf := merkle.Hash(sum(binary.LittleEndian.AppendUint16(nil, uint16(i))))
				whole.Append(leaf)
				part.Append(leaf)
			}
			require.NoError(t, merged.Merge(part))
			require.True(t, merged.Equal(whole))
		}
	})
}
