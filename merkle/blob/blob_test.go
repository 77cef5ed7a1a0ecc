package blob_test

import (
	"bytes"
	"errors"
	"io"
	"runtime"
	"sync"
	"testing"
	"testing/iotest"

	"github.com/distkit/distkit/internal/testkit"
	"github.com/distkit/distkit/merkle"
	"github.com/distkit/distkit/merkle/blob"
	"github.com/distkit/distkit/merkle/tlog"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Sums and proofs while a blob grows, in steps that do not fit chunks: those of
// the log of its chunks, or of BEP 52's tree.
func TestBlobGrowsLikeItsTwins(t *testing.T) {
	data := pattern(21 << 10)
	b, _ := made(t, nil, blob.WithChunkSize(1<<10))
	for end := 0; end < len(data); {
		l := twinLog(data[:end], 1<<10)
		d := b.Sum()
		require.Equal(t, blob.Descriptor{Profile: blob.RFC9162, ChunkSize: 1 << 10, Size: uint64(end), Root: l.Root()}, d)
		require.Equal(t, l.Size(), d.Chunks())
		for first := range l.Size() {
			for n := uint64(1); n <= l.Size()-first; n++ {
				var indexes []uint64
				for i := range n {
					indexes = append(indexes, first+i)
				}
				require.Equal(t, must(l.Batch(l.Size(), indexes...)), must(b.Proof(first, n)), "%d chunks from %d of %d", n, first, l.Size())
			}
		}
		next := min(len(data), end+700)
		_, err := b.Write(data[end:next])
		require.NoError(t, err)
		end = next
	}
	big := pattern(19 << 14)
	for _, n := range []int{1, 100, 1 << 14, 1<<14 + 1, 3 << 14, 5<<14 - 1, 8 << 14, 19 << 14} {
		_, d := made(t, big[:n], blob.WithProfile(blob.BitTorrentV2))
		require.Equal(t, twinPieces(big[:n]), d.Root, n)
	}
}

// What is read is what is written, however the source gives it.
func TestReadFrom(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(3))
	data := pattern(5<<20 + 12_345)
	for _, profile := range []blob.Profile{blob.RFC9162, blob.BitTorrentV2} {
		_, want := made(t, data, blob.WithProfile(profile))
		for name, src := range map[string]io.Reader{
			"whole": bytes.NewReader(data), "halves": iotest.HalfReader(bytes.NewReader(data)), "end with data": iotest.DataErrReader(bytes.NewReader(data)),
		} {
			b, _ := made(t, nil, blob.WithProfile(profile))
			n, err := b.ReadFrom(src)
			require.NoError(t, err)
			require.EqualValues(t, len(data), n)
			require.Equal(t, want, b.Sum(), name)
		}
		for _, head := range []int{1, 1 << 14, 1<<14 + 7, len(data) - 3, len(data)} {
			b, _ := made(t, data[:head], blob.WithProfile(profile))
			mid := head + (len(data)-head)/2
			for _, piece := range [][]byte{data[head:mid], data[mid:]} {
				n, err := b.ReadFrom(bytes.NewReader(piece))
				require.NoError(t, err)
				require.EqualValues(t, len(piece), n)
			}
			require.Equal(t, want, b.Sum(), head)
		}
	}
	b, _ := made(t, nil, blob.WithChunkSize(2<<20))
	n, err := b.ReadFrom(bytes.NewReader(data))
	require.NoError(t, err)
	require.EqualValues(t, len(data), n)
	require.Equal(t, twinLog(data, 2<<20).Root(), b.Sum().Root)
}

// An error of the source is passed on; what came before it counts.
func TestReadFromABrokenSource(t *testing.T) {
	broken := errors.New("connection reset")
	data := pattern(1<<20 + 100)
	for _, head := range []int{0, 10} {
		for _, end := range []int{0, 5, 600_000, len(data) - head} {
			b, _ := made(t, data[:head])
			n, err := b.ReadFrom(io.MultiReader(bytes.NewReader(data[head:head+end]), iotest.ErrReader(broken)))
			require.ErrorIs(t, err, broken)
			require.EqualValues(t, end, n)
			_, want := made(t, data[:head+end])
			require.Equal(t, want, b.Sum())
		}
	}
}

func TestEmptyBlobs(t *testing.T) {
	b, d := made(t, nil)
	assert.Equal(t, blob.Descriptor{ChunkSize: 16 << 10, Root: tlog.EmptyRoot()}, d)
	n, err := b.ReadFrom(bytes.NewReader(nil))
	assert.Zero(t, n)
	assert.NoError(t, err)
	_, bep := made(t, nil, blob.WithProfile(blob.BitTorrentV2))
	assert.Equal(t, blob.Descriptor{Profile: blob.BitTorrentV2, ChunkSize: 16 << 10}, bep)
	for _, d := range []blob.Descriptor{d, bep} {
		v, err := blob.NewVerifier(d)
		require.NoError(t, err)
		assert.True(t, v.Done())
		assert.False(t, v.Have(0) || v.Known(0, 0))
		for range v.Missing() {
			t.Error("a missing chunk")
		}
		assert.ErrorIs(t, v.Verify(0, []byte{1}, nil), merkle.ErrRange)
		start, end := d.Bounds(0)
		assert.Zero(t, start+end+d.Chunks())
	}
}

// A blob that nobody writes to is served to many at once.
func TestServedToMany(t *testing.T) {
	data := pattern(9<<10 + 1)
	b, d := made(t, data, blob.WithChunkSize(1<<10))
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			v := must(blob.NewVerifier(d))
			for i := range d.Chunks() {
				start, end := d.Bounds(i)
				proof, err := b.ProofFor(i, v.Known)
				assert.NoError(t, err)
				assert.NoError(t, v.Verify(i, data[start:end], proof))
			}
			assert.True(t, v.Done())
			assert.Equal(t, d, b.Sum())
		})
	}
	wg.Wait()
}

func TestOptionsAreChecked(t *testing.T) {
	for want, opts := range map[string][]blob.Option{
		"blob: chunk size is 1000, want a power of two from 1024 to 16777216":     {blob.WithChunkSize(1000)},
		"blob: chunk size is 512, want a power of two from 1024 to 16777216":      {blob.WithChunkSize(512)},
		"blob: chunk size is -1024, want a power of two from 1024 to 16777216":    {blob.WithChunkSize(-1024)},
		"blob: chunk size is 33554432, want a power of two from 1024 to 16777216": {blob.WithChunkSize(32 << 20)},
		"blob: profile is 2, want RFC9162 (0) or BitTorrentV2 (1)":                {blob.WithProfile(2)},
		"blob: option is nil": {nil},
		"blob: WithChunkSize does not go with BitTorrentV2, whose chunks have 16384 bytes": {blob.WithProfile(blob.BitTorrentV2), blob.WithChunkSize(16 << 10)},
	} {
		b, err := blob.New(opts...)
		assert.EqualError(t, err, want)
		assert.Nil(t, b)
	}
	assert.Equal(t, "RFC9162 BitTorrentV2 profile 9", blob.RFC9162.String()+" "+blob.BitTorrentV2.String()+" "+blob.Profile(9).String())
}

func TestRangesAreChecked(t *testing.T) {
	b, _ := made(t, pattern(3000), blob.WithChunkSize(1<<10))
	for want, err := range map[string]error{
		"blob: 0 chunks from 0 on, want some of [0, 3)":                    second(b.Proof(0, 0)),
		"blob: 1 chunks from 3 on, want some of [0, 3)":                    second(b.Proof(3, 1)),
		"blob: 2 chunks from 2 on, want some of [0, 3)":                    second(b.Proof(2, 2)),
		"blob: 18446744073709551615 chunks from 2 on, want some of [0, 3)": second(b.Proof(2, 1<<64-1)),
		"blob: chunk is 3, want one of [0, 3)":                             second(b.ProofFor(3, nil)),
		"blob: chunk is 0, want one of [0, 0)":                             second(new(blob.Blob).ProofFor(0, nil)),
	} {
		assert.EqualError(t, err, want+": "+merkle.ErrRange.Error())
		assert.ErrorIs(t, err, merkle.ErrRange)
	}
}

func second[T any](_ T, err error) error { return err }

func TestWritingDoesNotAllocate(t *testing.T) {
	b, _ := made(t, pattern(1<<20))
	small := pattern(100)
	testkit.NoAllocs(t, "Write", func() { _, _ = b.Write(small) })
}

func TestFSVerityErrors(t *testing.T) {
	digest := func(size int64, block int, salt int) error {
		_, err := blob.FSVerityDigest(bytes.NewReader(make([]byte, 5000)), size, block, make([]byte, salt))
		return err
	}
	assert.EqualError(t, digest(-1, 4096, 0), "blob: size is -1, want at least 0")
	assert.EqualError(t, digest(1, 5000, 0), "blob: block size is 5000, want a power of two from 1024 to 65536")
	assert.EqualError(t, digest(1, 512, 0), "blob: block size is 512, want a power of two from 1024 to 65536")
	assert.EqualError(t, digest(1, 1<<17, 0), "blob: block size is 131072, want a power of two from 1024 to 65536")
	assert.EqualError(t, digest(1, 4096, 33), "blob: salt of 33 bytes, want at most 32")
	assert.ErrorIs(t, digest(5001, 4096, 0), io.ErrUnexpectedEOF)
	assert.EqualError(t, digest(8193, 4096, 32), "blob: reading 8193 bytes, 4097 to come: unexpected EOF")
	assert.NoError(t, digest(4999, 1024, 32), "what follows is not read")
	_, err := blob.FSVerityDigest(bytes.NewReader(nil), 1, 4096, nil)
	assert.ErrorIs(t, err, io.ErrUnexpectedEOF)
	broken := errors.New("i/o")
	_, err = blob.FSVerityDigest(iotest.ErrReader(broken), 1, 4096, nil)
	assert.ErrorIs(t, err, broken)
}
