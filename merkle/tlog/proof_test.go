package tlog_test

import (
	"fmt"
	"math/bits"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/distkit/distkit/internal/invariants"
	"github.com/distkit/distkit/merkle"
	"github.com/distkit/distkit/merkle/tlog"
	"github.com/stretchr/testify/require"
)

// most is the size up to which every tree is tried. The race detector makes
// hashing dear.
var most = map[bool]int{false: 33, true: 17}[invariants.Enabled]

// Every proof of every tree of up to 33 entries: made as the RFC writes it down,
// verified, of the length that the formulas give, and refused when a hash is
// taken out, put in, or changed.
func TestEveryInclusion(t *testing.T) {
	l, d := logs(most)
	for size := 1; size <= most; size++ {
		root := d[:size].mth()
		for i := range size {
			proof := must(l.Inclusion(uint64(i), uint64(size)))
			require.Equal(t, d[:size].path(i), proof)
			inner := bits.Len(uint(i ^ (size - 1)))
			require.Len(t, proof, inner+bits.OnesCount(uint(i>>inner)))
			verify := func(p []merkle.Hash) error {
				return tlog.VerifyInclusion(root, uint64(size), uint64(i), d[i], p)
			}
			require.NoError(t, verify(proof))
			refusesMutations(t, proof, verify)
			for other := range most + 2 { // no other leaf, index or size
				if other != i {
					require.Error(t, tlog.VerifyInclusion(root, uint64(size), uint64(other), d[i], proof))
				}
				if other < size && other != i {
					require.ErrorIs(t, tlog.VerifyInclusion(root, uint64(size), uint64(i), d[other], proof), merkle.ErrProof)
				}
				if differs := other != size && pathBits(i, other) != pathBits(i, size); differs {
					require.Error(t, tlog.VerifyInclusion(root, uint64(other), uint64(i), d[i], proof))
				}
			}
		}
	}
}

// pathBits writes down the turns of the path of index i in a tree of n: trees of
// different sizes share a proof if and only if the turns are the same, which is
// why a size is to be trusted with its root.
func pathBits(i, n int) string {
	switch {
	case i >= n:
		return "none"
	case n == 1:
		return ""
	}
	if k := below(n); i < k {
		return pathBits(i, k) + "l"
	} else {
		return pathBits(i-k, n-k) + "r"
	}
}

func TestEveryConsistency(t *testing.T) {
	l, d := logs(most)
	for size := 1; size <= most; size++ {
		root := d[:size].mth()
		for old := 1; old <= size; old++ {
			proof := must(l.Consistency(uint64(old), uint64(size)))
			require.Equal(t, d[:size].subproof(old, true), proof)
			verify := func(p []merkle.Hash) error {
				return tlog.VerifyConsistency(d[:old].mth(), uint64(old), root, uint64(size), p)
			}
			require.NoError(t, verify(proof))
			refusesMutations(t, proof, verify)
			for other := range old {
				require.Error(t, tlog.VerifyConsistency(d[:old].mth(), uint64(other), root, uint64(size), proof), "a smaller size")
				require.Error(t, tlog.VerifyConsistency(d[:other].mth(), uint64(old), root, uint64(size), proof), "another root")
				require.Error(t, tlog.VerifyConsistency(d[:old].mth(), uint64(old), d[:other].mth(), uint64(size), proof), "another new root")
			}
			forked := slices.Clone(d[:size])
			forked[old-1] = merkle.Hash{1}
			require.ErrorIs(t, tlog.VerifyConsistency(d[:old].mth(), uint64(old), forked.mth(), uint64(size), forked.subproof(old, true)), merkle.ErrProof, "a fork")
		}
	}
}

func TestEverySubtree(t *testing.T) {
	l, d := logs(most)
	for start := range most {
		for end := start; end <= most; end++ {
			if start == end {
				require.Equal(t, tlog.EmptyRoot(), must(l.SubtreeRoot(uint64(start), uint64(end))))
				require.Empty(t, must(l.SubtreeConsistency(uint64(start), uint64(end), uint64(most))))
				require.NoError(t, tlog.VerifySubtreeConsistency(tlog.EmptyRoot(), uint64(start), uint64(end), d.mth(), uint64(most), nil))
				require.ErrorIs(t, tlog.VerifySubtreeConsistency(d.mth(), uint64(start), uint64(end), d.mth(), uint64(most), nil), merkle.ErrProof)
				require.ErrorIs(t, tlog.VerifySubtreeConsistency(tlog.EmptyRoot(), uint64(start), uint64(end), d.mth(), uint64(most), d[:1]), merkle.ErrProof)
				_, err := l.SubtreeInclusion(uint64(start), uint64(end), uint64(start))
				require.ErrorIs(t, err, merkle.ErrRange)
				continue
			}
			if !validSubtree(start, end) {
				_, err := l.SubtreeRoot(uint64(start), uint64(end))
				require.ErrorIs(t, err, merkle.ErrRange, "[%d, %d)", start, end)
				require.ErrorIs(t, tlog.VerifySubtreeInclusion(merkle.Hash{}, uint64(start), uint64(end), uint64(start), merkle.Hash{}, nil), merkle.ErrRange)
				require.ErrorIs(t, tlog.VerifySubtreeConsistency(merkle.Hash{}, uint64(start), uint64(end), merkle.Hash{}, uint64(most), nil), merkle.ErrRange)
				continue
			}
			sub := d[start:end].mth()
			require.Equal(t, sub, must(l.SubtreeRoot(uint64(start), uint64(end))))
			for i := start; i < end; i++ {
				proof := must(l.SubtreeInclusion(uint64(start), uint64(end), uint64(i)))
				require.Equal(t, d[start:end].path(i-start), proof)
				verify := func(p []merkle.Hash) error {
					return tlog.VerifySubtreeInclusion(sub, uint64(start), uint64(end), uint64(i), d[i], p)
				}
				require.NoError(t, verify(proof))
				refusesMutations(t, proof, verify)
			}
			for size := end; size <= most; size++ {
				proof := must(l.SubtreeConsistency(uint64(start), uint64(end), uint64(size)))
				require.Equal(t, d[:size].subtree(start, end, true), proof, "[%d, %d) of %d", start, end, size)
				verify := func(p []merkle.Hash) error {
					return tlog.VerifySubtreeConsistency(sub, uint64(start), uint64(end), d[:size].mth(), uint64(size), p)
				}
				require.NoError(t, verify(proof))
				refusesMutations(t, proof, verify)
			}
		}
	}
}

// Every set of indexes of every tree of up to 8 entries.
func TestEveryBatch(t *testing.T) {
	const most = 8
	l, d := logs(most)
	for size := 1; size <= most; size++ {
		for set := 1; set < 1<<size; set++ {
			var indexes []uint64
			var leaves []merkle.Hash
			for i := range size {
				if set>>i&1 == 1 {
					indexes, leaves = append(indexes, uint64(i)), append(leaves, d[i])
				}
			}
			proof := must(l.Batch(uint64(size), indexes...))
			require.Equal(t, d[:size].batch(0, func(i int) bool { return set>>i&1 == 1 }), proof)
			root := d[:size].mth()
			verify := func(p []merkle.Hash) error {
				return tlog.VerifyBatch(root, uint64(size), indexes, leaves, p)
			}
			require.NoError(t, verify(proof))
			refusesMutations(t, proof, verify)
			refusesMutations(t, leaves, func(p []merkle.Hash) error {
				return tlog.VerifyBatch(root, uint64(size), indexes, p, proof)
			})
		}
	}
}

// A batch of many is much smaller than its single proofs, and holds.
func TestLargeBatch(t *testing.T) {
	const n, k = 20_000, 300
	l, d := logs(n)
	rnd := rand.New(rand.NewPCG(1, 2))
	picked := map[uint64]bool{}
	for len(picked) < k {
		picked[rnd.Uint64N(n)] = true
	}
	var indexes []uint64
	var leaves []merkle.Hash
	for i := range uint64(n) {
		if picked[i] {
			indexes, leaves = append(indexes, i), append(leaves, d[i])
		}
	}
	proof := must(l.Batch(n, indexes...))
	require.Equal(t, d.batch(0, func(i int) bool { return picked[uint64(i)] }), proof)
	require.NoError(t, tlog.VerifyBatch(l.Root(), n, indexes, leaves, proof))
	single := 0
	for _, i := range indexes {
		single += len(must(l.Inclusion(i, n)))
	}
	require.Less(t, float64(len(proof))/float64(single), 0.5)
}

// refusesMutations demands ErrProof of every list of hashes that differs from a
// sound one by one bit, one hash, or the order of two.
func refusesMutations(t *testing.T, sound []merkle.Hash, verify func([]merkle.Hash) error) {
	t.Helper()
	refuse := func(what string, p []merkle.Hash) {
		t.Helper()
		if slices.Equal(p, sound) {
			return
		}
		require.ErrorIs(t, verify(p), merkle.ErrProof, what)
	}
	for i := range sound {
		for _, bit := range []int{0, 7, 100, 255} {
			p := slices.Clone(sound)
			p[i][bit/8] ^= 1 << (bit % 8)
			refuse(fmt.Sprintf("bit %d of hash %d", bit, i), p)
		}
		refuse(fmt.Sprint("without hash ", i), slices.Delete(slices.Clone(sound), i, i+1))
		refuse(fmt.Sprint("hash twice ", i), slices.Insert(slices.Clone(sound), i, sound[i]))
		p := slices.Clone(sound)
		p[0], p[i] = p[i], p[0]
		refuse(fmt.Sprint("swapped with hash ", i), p)
	}
	refuse("a zero hash in front", slices.Insert(slices.Clone(sound), 0, merkle.Hash{}))
	refuse("a zero hash behind", append(slices.Clone(sound), merkle.Hash{}))
	refuse("nothing", nil)
	refuse("far too much", make([]merkle.Hash, 200))
}
