package tlog_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"testing"

	"github.com/cespare/xxhash/v2"
	"github.com/distkit/distkit/internal/testkit"
	"github.com/distkit/distkit/merkle"
	"github.com/distkit/distkit/merkle/tlog"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// An entry that looks like a node is no node: whoever may choose entries cannot
// make a tree of two leaves that has the root of another of four.
func TestSecondPreimage(t *testing.T) {
	_, d := logs(4)
	left, right := node(d[0], d[1]), node(d[2], d[3])
	forged := tlog.NewLog()
	for _, pair := range [][2]merkle.Hash{{d[0], d[1]}, {d[2], d[3]}} {
		forged.Append(append(pair[0][:], pair[1][:]...))
	}
	assert.NotEqual(t, d.mth(), forged.Root())
	// A verifier that is told a size of 2 takes inner nodes for leaves if it is
	// given them as leaf hashes: so leaf hashes are to be made from entries.
	assert.NoError(t, tlog.VerifyInclusion(d.mth(), 2, 0, left, []merkle.Hash{right}))
	assert.NotEqual(t, left, tlog.LeafHash(append(d[0][:], d[1][:]...)))
}

// Trees that fill up by repeating the last leaf share roots: [A,B,C] and
// [A,B,C,C] (CVE-2012-2459). Here they do not.
func TestNoLeafIsDuplicated(t *testing.T) {
	three, four := tlog.NewLog(), tlog.NewLog()
	for _, e := range []string{"A", "B", "C"} {
		three.Append([]byte(e))
		four.Append([]byte(e))
	}
	four.Append([]byte("C"))
	assert.NotEqual(t, three.Root(), four.Root())
}

// Every bit of a proof of each kind, of its leaf and of its roots counts.
func TestEveryBit(t *testing.T) {
	l, d := logs(700)
	root, old, sub := l.Root(), must(l.RootAt(300)), must(l.SubtreeRoot(512, 700))
	for what, sound := range map[string]struct {
		hashes []merkle.Hash // what is trusted, then the proof
		verify func([]merkle.Hash) error
	}{
		"inclusion": {
			append([]merkle.Hash{root, d[300]}, must(l.Inclusion(300, 700))...),
			func(h []merkle.Hash) error { return tlog.VerifyInclusion(h[0], 700, 300, h[1], h[2:]) },
		},
		"consistency": {
			append([]merkle.Hash{root, old}, must(l.Consistency(300, 700))...),
			func(h []merkle.Hash) error { return tlog.VerifyConsistency(h[1], 300, h[0], 700, h[2:]) },
		},
		"subtree inclusion": {
			append([]merkle.Hash{sub, d[600]}, must(l.SubtreeInclusion(512, 700, 600))...),
			func(h []merkle.Hash) error { return tlog.VerifySubtreeInclusion(h[0], 512, 700, 600, h[1], h[2:]) },
		},
		"subtree consistency": {
			append([]merkle.Hash{root, must(l.SubtreeRoot(512, 650))}, must(l.SubtreeConsistency(512, 650, 700))...),
			func(h []merkle.Hash) error { return tlog.VerifySubtreeConsistency(h[1], 512, 650, h[0], 700, h[2:]) },
		},
		"batch": {
			append([]merkle.Hash{root, d[3], d[699]}, must(l.Batch(700, 3, 699))...),
			func(h []merkle.Hash) error {
				return tlog.VerifyBatch(h[0], 700, []uint64{3, 699}, h[1:3], h[3:])
			},
		},
	} {
		require.NoError(t, sound.verify(sound.hashes), what)
		for i := range sound.hashes {
			for bit := range 256 {
				sound.hashes[i][bit/8] ^= 1 << (bit % 8)
				require.ErrorIs(t, sound.verify(sound.hashes), merkle.ErrProof, "%s: bit %d of hash %d", what, bit, i)
				sound.hashes[i][bit/8] ^= 1 << (bit % 8)
			}
		}
	}
}

// A root that somebody forgot to set proves nothing, not even of a leaf that
// somebody forgot as well.
func TestZeroHashesProveNothing(t *testing.T) {
	zero := merkle.Hash{}
	assert.ErrorIs(t, tlog.VerifyInclusion(zero, 1, 0, zero, nil), merkle.ErrProof)
	assert.ErrorIs(t, tlog.VerifyConsistency(zero, 5, zero, 5, nil), merkle.ErrProof)
	assert.ErrorIs(t, tlog.VerifySubtreeInclusion(zero, 0, 1, 0, zero, nil), merkle.ErrProof)
	assert.ErrorIs(t, tlog.VerifySubtreeConsistency(zero, 0, 4, zero, 4, nil), merkle.ErrProof)
	assert.ErrorIs(t, tlog.VerifyBatch(zero, 1, []uint64{0}, []merkle.Hash{zero}, nil), merkle.ErrProof)
}

// Sizes and indexes at the end of their range neither wrap nor loop.
func TestExtremeSizes(t *testing.T) {
	h, long := merkle.Hash{1}, make([]merkle.Hash, 70)
	extremes := []uint64{0, 1, 2, 3, math.MaxInt64 - 1, math.MaxInt64, 1 << 63, 1<<63 + 1, math.MaxUint64 - 1, math.MaxUint64}
	for _, a := range extremes {
		for _, b := range extremes {
			for n := range 70 {
				p := long[:n]
				fails := func(err error) {
					require.True(t, errors.Is(err, merkle.ErrProof) || errors.Is(err, merkle.ErrRange), "%d %d %d: %v", a, b, n, err)
				}
				fails(tlog.VerifyInclusion(h, a, b, merkle.Hash{2}, p))
				fails(tlog.VerifyConsistency(h, a, merkle.Hash{2}, b, p))
				fails(tlog.VerifySubtreeInclusion(h, 0, a, b, merkle.Hash{2}, p))
				fails(tlog.VerifySubtreeConsistency(h, a, b, merkle.Hash{2}, math.MaxUint64, p))
				fails(tlog.VerifyBatch(h, a, []uint64{b}, []merkle.Hash{{2}}, p))
			}
		}
	}
	// The longest proof there is: of the last index but one of 2^64-1 entries.
	root := merkle.Hash{2}
	for range 64 {
		root = node(root, merkle.Hash{9})
	}
	assert.ErrorIs(t, tlog.VerifyInclusion(root, math.MaxUint64, 0, merkle.Hash{2}, make([]merkle.Hash, 64)), merkle.ErrProof)
}

func TestBatchesThatDoNotFit(t *testing.T) {
	l, d := logs(100)
	root, proof := l.Root(), must(l.Batch(100, 3, 50))
	for want, err := range map[string]error{
		"tlog: 1 leaves for 2 indexes: " + merkle.ErrProof.Error():                        tlog.VerifyBatch(root, 100, []uint64{3, 50}, d[3:4], proof),
		"tlog: index 3 follows 50, want them ascending: " + merkle.ErrRange.Error():       tlog.VerifyBatch(root, 100, []uint64{50, 3}, d[:2], proof),
		"tlog: batch of no indexes, want one at least: " + merkle.ErrRange.Error():        tlog.VerifyBatch(root, 100, nil, nil, nil),
		"tlog: index is 100, want one of [0, 100): " + merkle.ErrRange.Error():            tlog.VerifyBatch(root, 100, []uint64{100}, d[:1], proof),
		"tlog: proof of 0 hashes is of the wrong length: " + merkle.ErrProof.Error():      tlog.VerifyBatch(root, 100, []uint64{3}, d[3:4], nil),
		"tlog: proof of 200000 hashes is of the wrong length: " + merkle.ErrProof.Error(): tlog.VerifyBatch(root, 100, []uint64{3}, d[3:4], make([]merkle.Hash, 200_000)),
		"tlog: proof of 1 hashes is of the wrong length: " + merkle.ErrProof.Error():      tlog.VerifyBatch(root, 1<<63, []uint64{3}, d[3:4], proof[:1]),
		"tlog: proof of 11 hashes is of the wrong length: " + merkle.ErrProof.Error():     tlog.VerifyInclusion(root, 100, 3, d[3], proof),
	} {
		assert.EqualError(t, err, want)
	}
}

// storable is what Log and Frontier have of encodings.
type storable interface {
	MarshalBinary() ([]byte, error)
	AppendBinary([]byte) ([]byte, error)
	UnmarshalBinary([]byte) error
	WriteTo(io.Writer) (int64, error)
	ReadFrom(io.Reader) (int64, error)
}

// stored is a value with an image, and what an empty receiver is.
type stored struct {
	name  string
	value storable
	zero  func() storable
	equal func(a, b storable) bool
}

func kinds() []stored {
	l, d := logs(600)
	return []stored{
		{
			"log", l,
			func() storable { return new(tlog.Log) },
			func(a, b storable) bool {
				x, y := a.(*tlog.Log), b.(*tlog.Log)
				return x.Size() == y.Size() && x.Root() == y.Root()
			},
		},
		{
			"frontier", frontier(d, 3, 600),
			func() storable { return new(tlog.Frontier) },
			func(a, b storable) bool { return a.(*tlog.Frontier).Equal(b.(*tlog.Frontier)) },
		},
	}
}

// mend writes the right checksum under a changed image.
func mend(image []byte) []byte {
	if n := len(image) - 8; n >= 0 {
		binary.LittleEndian.PutUint64(image[n:], xxhash.Sum64(image[:n]))
	}
	return image
}

// refuses demands that image is refused both ways and that the receiver keeps
// what it had.
func refuses(t *testing.T, k stored, image []byte, what ...any) {
	t.Helper()
	got := k.zero()
	require.NoError(t, got.UnmarshalBinary(must(k.value.MarshalBinary())))
	require.ErrorIs(t, got.UnmarshalBinary(image), merkle.ErrCorrupt, what...)
	_, err := got.ReadFrom(bytes.NewReader(image))
	require.ErrorIs(t, err, merkle.ErrCorrupt, what...)
	require.True(t, k.equal(got, k.value), what...)
}

func TestDamagedImagesAreRefused(t *testing.T) {
	for _, k := range kinds() {
		image := must(k.value.MarshalBinary())
		for n := 0; n < len(image); n += 1 + n/40 {
			refuses(t, k, image[:n], "cut to %d", n)
			_, err := k.zero().ReadFrom(bytes.NewReader(image[:n]))
			want := io.ErrUnexpectedEOF
			if n == 0 {
				want = io.EOF
			}
			require.ErrorIs(t, err, want, "cut to %d", n)
		}
		for i := 0; i < len(image); i += 1 + i/40 {
			image[i] ^= 1 << (i % 8)
			refuses(t, k, image, "byte %d", i)
			image[i] ^= 1 << (i % 8)
		}
		require.ErrorIs(t, k.zero().UnmarshalBinary(append(image, 0)), merkle.ErrCorrupt)
		for _, other := range kinds() {
			if other.name != k.name {
				refuses(t, k, must(other.value.MarshalBinary()), other.name)
			}
		}
	}
}

// Parameters that promise anything, under a right checksum.
func TestBombs(t *testing.T) {
	for _, k := range kinds() {
		whole := must(k.value.MarshalBinary())
		for at := 0; at < 48; at += 4 {
			for _, v := range []uint64{0, 1, 2, 599, 601, 1 << 32, 1 << 58, 1 << 59, 1 << 63, math.MaxInt64, math.MaxUint64} {
				image := bytes.Clone(whole)
				binary.LittleEndian.PutUint64(image[at:], v)
				mend(image)
				got, streamed := k.zero(), k.zero()
				var err, err2 error
				used := testkit.AllocatedBytes(func() { err = got.UnmarshalBinary(image) })
				require.LessOrEqual(t, used, uint64(3*len(image)+256<<10))
				used = testkit.AllocatedBytes(func() { _, err2 = streamed.ReadFrom(bytes.NewReader(image)) })
				require.LessOrEqual(t, used, uint64(4*len(image)+256<<10))
				require.Equal(t, err == nil, err2 == nil)
				if err != nil {
					require.ErrorIs(t, err, merkle.ErrCorrupt)
				} else if image[5] == 0 {
					require.Equal(t, image, must(got.MarshalBinary()))
				}
			}
		}
	}
}

func TestCorruptionIsNamed(t *testing.T) {
	change := func(k stored, at int, v uint64) error {
		image := must(k.value.MarshalBinary())
		binary.LittleEndian.PutUint64(image[at:], v)
		return k.zero().UnmarshalBinary(mend(image))
	}
	log, front := kinds()[0], kinds()[1]
	assert.EqualError(t, change(log, 8, 599), "tlog: corrupt encoding: payload of 19200 bytes, want 32 for each of 599 entries")
	assert.EqualError(t, change(front, 8, 601), "tlog: corrupt encoding: begins with entry 601, ends before 600")
	assert.EqualError(t, change(front, 8, 0), "tlog: corrupt encoding: payload of 352 bytes, want 4 hashes for entries [0, 600)")
}
