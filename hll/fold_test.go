package hll_test

import (
	"math/rand/v2"
	"testing"

	"github.com/distkit/distkit/hll"
	"github.com/stretchr/testify/require"
)

// sizes of sets that make sketches of precision p empty, sparse, at the turn, and
// dense.
func sizes(p int) []int {
	turn := 3 << p / 16
	return []int{0, 1, turn / 2, turn - 1, turn, turn + 1, 2 * turn, 20 * turn}
}

func sketch(p int, hs []uint64) *hll.Sketch {
	s := must(hll.New(p))
	for _, h := range hs {
		s.AddHash(h)
	}
	return s
}

func hashes(rng *rand.Rand, n int) []uint64 {
	hs := make([]uint64, n)
	for i := range hs {
		hs[i] = rng.Uint64()
	}
	return hs
}

// Merging gives what adding all keys to one gives, bit for bit, in any order,
// across precisions, sparse and dense.
func TestMergeIsUnion(t *testing.T) {
	rng := rand.New(rand.NewPCG(11, 12))
	for _, c := range [][2]int{{4, 4}, {8, 8}, {8, 9}, {6, 11}} {
		coarse, fine := c[0], c[1]
		for _, n := range sizes(coarse) {
			for _, m := range sizes(fine) {
				common := hashes(rng, min(n, m)/3)
				hs := append(hashes(rng, n-len(common)), common...)
				gs := append(hashes(rng, m-len(common)), common...)
				a, b, both := sketch(coarse, hs), sketch(fine, gs), sketch(coarse, append(append([]uint64{}, hs...), gs...))

				ab := a.Clone()
				require.NoError(t, ab.Merge(b))
				// What was dense when it was finer stays dense.
				if len(b.Registers()) == 0 || len(both.Registers()) > 0 {
					require.True(t, ab.Equal(both), "precisions %v, %d and %d keys", c, n, m)
				}
				require.Equal(t, must(ab.Clone().MarshalBinary()), must(ab.MarshalBinary()))
				require.True(t, b.Equal(sketch(fine, gs)), "other is not modified")
				again := ab.Clone()
				require.NoError(t, again.Merge(b))
				require.NoError(t, again.Merge(again))
				require.True(t, ab.Equal(again), "idempotent")
				require.True(t, ab.Equal(must(hll.Union(a, b))) && ab.Equal(must(hll.Union(b, a))), "the order does not matter")
				check(t, ab)

				reduced := b.Clone()
				require.NoError(t, reduced.Reduce(coarse))
				require.True(t, reduced.Equal(sketch(coarse, gs)) || len(sketch(coarse, gs).Registers()) == 0, "Reduce is direct")
				require.NoError(t, reduced.Merge(a))
				require.True(t, reduced.Equal(ab))
				check(t, reduced)
				ab.AddHash(1)
				check(t, ab)
			}
		}
	}
}

func TestMergeOfManyOrders(t *testing.T) {
	rng := rand.New(rand.NewPCG(13, 14))
	parts := make([]*hll.Sketch, 12)
	whole := twin{}
	for i := range parts {
		parts[i] = sketch(10, nil)
		for _, h := range hashes(rng, 1<<i) {
			parts[i].AddHash(h)
			whole.add(h)
		}
	}
	first := must(hll.Union(parts...))
	for range 20 {
		rng.Shuffle(len(parts), func(i, j int) { parts[i], parts[j] = parts[j], parts[i] })
		require.True(t, first.Equal(must(hll.Union(parts...))))
	}
	whole.same(t, first)
}

func TestRaiseAll(t *testing.T) {
	rng := rand.New(rand.NewPCG(15, 16))
	for round := range 100 {
		n := 16 << (round % 4)
		a, b, want := make([]uint8, n), make([]uint8, n), make([]uint8, n)
		for i := range a {
			a[i], b[i] = uint8(rng.IntN(64)), uint8(rng.IntN(64))
			want[i] = max(a[i], b[i])
		}
		hll.RaiseAll(a, b)
		require.Equal(t, want, a)
	}
}

func TestMergeRefuses(t *testing.T) {
	s := sketch(10, []uint64{1, 2, 3})
	before := s.Clone()
	for want, other := range map[string]*hll.Sketch{
		"hll: incompatible: merge with a zero sketch":                                {},
		"hll: incompatible: merge of precision 9 into 10, Reduce the receiver first": must(hll.New(9)),
		"hll: incompatible: merge of sketches with different secrets":                must(hll.New(10, hll.WithSecret([16]byte{1}))),
		"hll: incompatible: merge of precision 4 into 10, Reduce the receiver first": sketch(4, []uint64{5}),
	} {
		err := s.Merge(other)
		require.EqualError(t, err, want)
		require.ErrorIs(t, err, hll.ErrIncompatible)
		require.True(t, s.Equal(before))
	}
	require.ErrorIs(t, s.Merge(nil), hll.ErrIncompatible)

	for _, bad := range [][]*hll.Sketch{{nil}, {s, nil}, {{}, s}, {s, {}}, {s, must(hll.New(10, hll.WithSecret([16]byte{1})))}} {
		u, err := hll.Union(bad...)
		require.ErrorIs(t, err, hll.ErrIncompatible)
		require.Nil(t, u)
	}
	_, err := hll.Union()
	require.EqualError(t, err, "hll: union of no sketches, want at least 1")
	require.EqualError(t, s.Reduce(3), "hll: precision is 3, want 4 to 10")
	require.EqualError(t, s.Reduce(11), "hll: precision is 11, want 4 to 10")
	require.True(t, s.Equal(before))
}
