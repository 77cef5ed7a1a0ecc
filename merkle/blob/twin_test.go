package blob_test

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"testing"

	"github.com/distkit/distkit/merkle"
	"github.com/distkit/distkit/merkle/blob"
	"github.com/distkit/distkit/merkle/tlog"
	"github.com/stretchr/testify/require"
)

// pattern is the file of the vectors.
func pattern(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i*131 + (i>>8)*7)
	}
	return b
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// twinLog is the log whose entries are the chunks.
func twinLog(data []byte, chunk int) *tlog.Log {
	l := tlog.NewLog()
	for piece := range slices.Chunk(data, chunk) {
		l.Append(piece)
	}
	return l
}

// twinPieces is the root of BEP 52: leaves up to a power of two, and recursion.
func twinPieces(data []byte) merkle.Hash {
	var leaves []merkle.Hash
	for piece := range slices.Chunk(data, 16<<10) {
		leaves = append(leaves, sha256.Sum256(piece))
	}
	n := 1
	for n < len(leaves) {
		n *= 2
	}
	leaves = append(leaves, make([]merkle.Hash, n-len(leaves))...)
	var root func(hs []merkle.Hash) merkle.Hash
	root = func(hs []merkle.Hash) merkle.Hash {
		if len(hs) == 1 {
			return hs[0]
		}
		l, r := root(hs[:len(hs)/2]), root(hs[len(hs)/2:])
		return sha256.Sum256(append(l[:], r[:]...))
	}
	return root(leaves)
}

// made returns a blob of data and its descriptor.
func made(t testing.TB, data []byte, opts ...blob.Option) (*blob.Blob, blob.Descriptor) {
	b, err := blob.New(opts...)
	require.NoError(t, err)
	n, err := b.Write(data)
	require.NoError(t, err)
	require.Equal(t, len(data), n)
	return b, b.Sum()
}

// files are blobs of all shapes in both profiles.
func files(t testing.TB) map[string]file {
	all := map[string]file{}
	add := func(name string, data []byte, opts ...blob.Option) {
		b, d := made(t, data, opts...)
		all[name] = file{data, b, d}
	}
	for _, n := range []int{1, 2, 3, 5, 8, 13} {
		add(fmt.Sprint("rfc/", n), pattern(n<<10-100), blob.WithChunkSize(1<<10))
		add(fmt.Sprint("bep/", n), pattern(n<<14-n%2), blob.WithProfile(blob.BitTorrentV2))
	}
	return all
}

type file struct {
	data []byte
	b    *blob.Blob
	d    blob.Descriptor
}

// chunks returns the bytes of n chunks.
func (f file) chunks(first, n uint64) []byte {
	start, _ := f.d.Bounds(first)
	_, end := f.d.Bounds(first + n - 1)
	return f.data[start:end]
}
