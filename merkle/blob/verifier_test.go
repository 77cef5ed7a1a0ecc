package blob_test

import (
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"github.com/distkit/distkit/internal/testkit"
	"github.com/distkit/distkit/merkle"
	"github.com/distkit/distkit/merkle/blob"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Every range of every shape, in a verifier that knows the root only.
func TestEveryRange(t *testing.T) {
	for name, f := range files(t) {
		for first := range f.d.Chunks() {
			for n := uint64(1); n <= f.d.Chunks()-first; n++ {
				proof, data := must(f.b.Proof(first, n)), f.chunks(first, n)
				v := must(blob.NewVerifier(f.d))
				require.NoError(t, v.Verify(first, data, proof), "%s: %d from %d", name, n, first)
				for i := range f.d.Chunks() {
					require.Equal(t, i >= first && i < first+n, v.Have(i))
				}
				if n == 1 {
					require.Equal(t, proof, must(f.b.ProofFor(first, nil)))
				}
			}
		}
	}
}

// Downloads in random order, some chunks in runs, from a peer that leaves out
// what is known: no hash comes twice, and all together are at most two a chunk.
func TestOutOfOrder(t *testing.T) {
	for name, f := range files(t) {
		for seed := range uint64(5) {
			rnd := rand.New(rand.NewPCG(seed, 1))
			v, hashes := must(blob.NewVerifier(f.d)), 0
			have := map[uint64]bool{}
			for _, i := range rnd.Perm(int(f.d.Chunks())) {
				chunk := uint64(i)
				proof := must(f.b.ProofFor(chunk, v.Known))
				hashes += len(proof)
				require.NoError(t, v.Verify(chunk, f.chunks(chunk, 1), proof), name)
				have[chunk] = true
				checkVerifier(t, f, v, have)
			}
			require.True(t, v.Done())
			require.LessOrEqual(t, hashes, 2*int(f.d.Chunks()))
		}
	}
}

// checkVerifier compares a verifier with the set of chunks that it was given.
func checkVerifier(t *testing.T, f file, v *blob.Verifier, have map[uint64]bool) {
	t.Helper()
	var missing []uint64
	last := int64(-2)
	for first, n := range v.Missing() {
		require.Greater(t, int64(first), last+1, "runs are as long as can be")
		require.NotZero(t, n)
		for i := range n {
			missing = append(missing, first+i)
		}
		last = int64(first + n - 1)
	}
	var want []uint64
	for i := range f.d.Chunks() {
		require.Equal(t, have[i], v.Have(i))
		if !have[i] {
			want = append(want, i)
		} else {
			require.True(t, v.Known(0, i))
		}
	}
	require.Equal(t, want, missing)
	require.Equal(t, len(want) == 0, v.Done())
	// With a node its sibling and its parent are known.
	width, level := f.d.Chunks(), 0
	for ; width > 1; level, width = level+1, (width+1)/2 {
		for i := range width {
			if v.Known(level, i) {
				require.True(t, v.Known(level+1, i/2))
				require.True(t, i^1 >= width || v.Known(level, i^1))
			}
		}
	}
	require.True(t, v.Known(level, 0), "the root")
	require.False(t, v.Known(level, 1) || v.Known(level+1, 0) || v.Known(-1, 0) || v.Known(0, f.d.Chunks()))
}

// Proofs may be made for less than is known when they arrive: with whole proofs,
// and with those of requests that were under way together.
func TestStaleProofs(t *testing.T) {
	for name, f := range files(t) {
		v := must(blob.NewVerifier(f.d))
		var proofs [][]merkle.Hash
		for i := range f.d.Chunks() {
			proofs = append(proofs, must(f.b.ProofFor(i, v.Known)))
			if i%3 == 2 {
				require.NoError(t, v.Verify(i, f.chunks(i, 1), proofs[i]))
			}
		}
		for i, proof := range slices.Backward(proofs) {
			require.NoError(t, v.Verify(uint64(i), f.chunks(uint64(i), 1), proof), name)
			require.NoError(t, v.Verify(uint64(i), f.chunks(uint64(i), 1), must(f.b.Proof(uint64(i), 1))), name)
			require.NoError(t, v.Verify(uint64(i), f.chunks(uint64(i), 1), nil), "%s: all is known", name)
		}
		require.True(t, v.Done())
		require.NoError(t, v.Verify(0, f.data, nil))
	}
}

// Who downloads serves others.
func TestVerifierServes(t *testing.T) {
	for name, f := range files(t) {
		first, second := must(blob.NewVerifier(f.d)), must(blob.NewVerifier(f.d))
		for i := range f.d.Chunks() {
			_, err := first.ProofFor(i, nil)
			require.ErrorIs(t, err, merkle.ErrRange)
			require.NoError(t, first.Verify(i, f.chunks(i, 1), must(f.b.ProofFor(i, first.Known))))
			require.Equal(t, must(f.b.ProofFor(i, nil)), must(first.ProofFor(i, nil)), name)
			proof := must(first.ProofFor(i, second.Known))
			require.Equal(t, must(f.b.ProofFor(i, second.Known)), proof)
			require.NoError(t, second.Verify(i, f.chunks(i, 1), proof))
		}
		require.True(t, second.Done())
		_, err := first.ProofFor(f.d.Chunks(), nil)
		require.ErrorIs(t, err, merkle.ErrRange)
	}
}

// Many peers at once, one of them a liar.
func TestConcurrentVerification(t *testing.T) {
	data := pattern(300 << 10)
	b, d := made(t, data, blob.WithChunkSize(1<<10))
	f := file{data, b, d}
	v := must(blob.NewVerifier(d))
	var wg sync.WaitGroup
	for p := range uint64(4) {
		wg.Go(func() {
			for k := range d.Chunks() {
				i := (k*7 + p*71) % d.Chunks()
				proof, err := b.ProofFor(i, v.Known)
				assert.NoError(t, err)
				chunk := slices.Clone(f.chunks(i, 1))
				if p == 3 {
					chunk[k%1024] ^= 1
					assert.ErrorIs(t, v.Verify(i, chunk, proof), merkle.ErrProof)
					continue
				}
				assert.NoError(t, v.Verify(i, chunk, proof))
				for range v.Missing() {
					break
				}
				assert.True(t, v.Have(i))
			}
		})
	}
	wg.Wait()
	assert.True(t, v.Done())
}

// Blobs across pages of 256 chunks and 8 levels.
func TestLargeBlob(t *testing.T) {
	const n = 70_000
	data := make([]byte, n<<10)
	for i := range n {
		data[i<<10], data[i<<10+1], data[i<<10+2] = byte(i), byte(i>>8), byte(i>>16)
	}
	b, d := made(t, data, blob.WithChunkSize(1<<10))
	f := file{data, b, d}
	v := must(blob.NewVerifier(d))
	have := map[uint64]bool{}
	rnd := rand.New(rand.NewPCG(3, 4))
	for range 200 {
		i := rnd.Uint64N(n)
		require.NoError(t, v.Verify(i, f.chunks(i, 1), must(b.ProofFor(i, v.Known))))
		have[i] = true
	}
	missing := uint64(0)
	for _, k := range v.Missing() {
		missing += k
	}
	require.EqualValues(t, n-len(have), missing)
	require.NoError(t, v.Verify(60_000, f.chunks(60_000, 10_000), must(b.Proof(60_000, 10_000))))
	require.NoError(t, v.Verify(0, data, nil), "the whole needs no proof")
	require.True(t, v.Done())
	used := testkit.LiveBytes(func() any {
		v := must(blob.NewVerifier(d))
		require.NoError(t, v.Verify(0, data, nil))
		return v
	})
	require.Less(t, used, uint64(67*n))
}
