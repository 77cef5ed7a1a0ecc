package blob_test

import (
	"bytes"
	"encoding/binary"
	"testing"

	"github.com/cespare/xxhash/v2"
	"github.com/distkit/distkit/merkle"
	"github.com/distkit/distkit/merkle/blob"
	"github.com/stretchr/testify/require"
)

// Whatever is accepted encodes to the same bytes again.
func FuzzDescriptor(f *testing.F) {
	for _, file := range files(f) {
		f.Add(must(file.d.MarshalBinary()))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		mended := bytes.Clone(data)
		if n := len(data) - 8; n >= 0 {
			binary.LittleEndian.PutUint64(mended[n:], xxhash.Sum64(mended[:n]))
		}
		for _, image := range [][]byte{data, mended} {
			var d blob.Descriptor
			if err := d.UnmarshalBinary(image); err != nil {
				require.ErrorIs(t, err, merkle.ErrCorrupt)
				continue
			}
			if image[5] == 0 {
				require.Equal(t, image, must(d.MarshalBinary()))
			}
			_, err := blob.NewVerifier(d)
			require.NoError(t, err)
		}
	})
}

// Whatever peers send: no panic, and only the blob's own chunks are taken.
func FuzzVerifier(f *testing.F) {
	all := files(f)
	names := []string{"rfc/1", "rfc/5", "rfc/8", "bep/3", "bep/5"}
	for i, name := range names {
		for chunk := range all[name].d.Chunks() {
			var proof []byte
			for _, h := range must(all[name].b.Proof(chunk, 1)) {
				proof = append(proof, h[:]...)
			}
			f.Add(byte(i), chunk, all[name].chunks(chunk, 1), proof, chunk/2)
		}
	}
	f.Fuzz(func(t *testing.T, pick byte, chunk uint64, data, hashes []byte, before uint64) {
		file := all[names[int(pick)%len(names)]]
		v := must(blob.NewVerifier(file.d))
		if before < file.d.Chunks() {
			require.NoError(t, v.Verify(before, file.chunks(before, 1), must(file.b.Proof(before, 1))))
		}
		var proof []merkle.Hash
		for ; len(hashes) >= 32; hashes = hashes[32:] {
			proof = append(proof, merkle.Hash(hashes))
		}
		if v.Verify(chunk, data, proof) == nil {
			start, _ := file.d.Bounds(chunk)
			require.True(t, bytes.HasPrefix(file.data[start:], data))
			require.True(t, v.Have(chunk))
		}
	})
}
