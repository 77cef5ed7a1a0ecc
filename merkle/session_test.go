package merkle_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/distkit/distkit/internal/testkit"
	"github.com/distkit/distkit/merkle"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// exchange passes messages until a side has nothing to say, each to a responder
// of its own, since responders keep nothing, and returns what the initiator found.
func exchange(t testing.TB, a, b *merkle.Tree, opts ...merkle.SessionOption) (map[uint64]merkle.Diff, merkle.Stats) {
	t.Helper()
	s, err := a.Initiate(opts...)
	require.NoError(t, err)
	diffs := map[uint64]merkle.Diff{}
	var in []byte
	for {
		out, done, err := s.Next(nil, in)
		require.NoError(t, err)
		for d := range s.Diffs() {
			if _, ok := diffs[d.Hash]; ok {
				t.Fatalf("%+v twice", d)
			}
			diffs[d.Hash] = d
		}
		if len(out) == 0 {
			require.True(t, done)
			break
		}
		r, err := b.Respond(opts...)
		require.NoError(t, err)
		in, _, err = r.Next(nil, out)
		require.NoError(t, err)
		require.NotEmpty(t, in)
	}
	require.EqualValues(t, len(diffs), s.Stats().Diffs)
	return diffs, s.Stats()
}

func difference(a, b twin) map[uint64]merkle.Diff {
	diffs := map[uint64]merkle.Diff{}
	for h, v := range a {
		if w, ok := b[h]; !ok || w != v {
			diffs[h] = merkle.Diff{Hash: h, Local: v, HasLocal: true, Remote: w, HasRemote: ok}
		}
	}
	for h, w := range b {
		if _, ok := a[h]; !ok {
			diffs[h] = merkle.Diff{Hash: h, Remote: w, HasRemote: true}
		}
	}
	return diffs
}

// replicas returns two twins of n entries that differ in about d.
func replicas(rng *rand.Rand, position func(*rand.Rand) uint64, n, d int) (a, b twin) {
	a, b = twin{}, twin{}
	for i := range n {
		h, v := position(rng), rng.Uint64()
		a[h], b[h] = v, v
		if i >= d {
			continue
		}
		switch i % 3 {
		case 0:
			b[h] = v + 1
		case 1:
			delete(a, h)
		default:
			delete(b, h)
		}
	}
	return a, b
}

func TestSessionFindsExactlyTheDifference(t *testing.T) {
	testkit.NotUnderRace(t)
	rng := rand.New(rand.NewPCG(11, 12))
	for shape, position := range shapes {
		for name, opts := range optionSets {
			for _, n := range []int{0, 1, 50, 800} {
				for _, d := range []int{0, 1, 8, 100, 800} {
					a, b := replicas(rng, position, n, min(n, d))
					x, y := treeOf(t, a, opts...), treeOf(t, b, opts...)
					for _, size := range []int{1 << 10, 64 << 10} {
						what := fmt.Sprint(shape, " ", name, " ", n, " ", d, " ", size)
						got, stats := exchange(t, x, y, merkle.WithMaxMessage(size))
						require.Equal(t, difference(a, b), got, what)
						if len(got) == 0 {
							require.EqualValues(t, 2, stats.Messages)
							require.LessOrEqual(t, stats.BytesIn+stats.BytesOut, uint64(64))
						}
						back, _ := exchange(t, y, x, merkle.WithMaxMessage(size))
						require.Equal(t, difference(b, a), back, what)
					}
				}
			}
			a, _ := replicas(rng, position, 2000, 0)
			got, _ := exchange(t, treeOf(t, a, opts...), newTree(t, opts...))
			require.Equal(t, difference(a, twin{}), got)
			got, _ = exchange(t, newTree(t, opts...), treeOf(t, a, opts...))
			require.Equal(t, difference(twin{}, a), got)
		}
	}
}

func TestSessionOfRanges(t *testing.T) {
	rng := rand.New(rand.NewPCG(13, 14))
	a, b := replicas(rng, shapes["uniform"], 5000, 900)
	x, y := treeOf(t, a), treeOf(t, b)
	for k := range 12 {
		rs := make([]merkle.Range, k)
		for i := range rs {
			rs[i] = merkle.Range{Start: rng.Uint64(), End: rng.Uint64()}
			if rng.IntN(2) == 0 {
				rs[i].End = rs[i].Start + 1<<57
			}
		}
		want := difference(a, b)
		for h := range want {
			if !slices.ContainsFunc(rs, func(r merkle.Range) bool { return r.Contains(h) }) {
				delete(want, h)
			}
		}
		got, _ := exchange(t, x, y, merkle.WithRanges(rs...))
		require.Equal(t, want, got)
	}
	s, err := x.Initiate()
	require.NoError(t, err)
	out, _, err := s.Next(nil, nil)
	require.NoError(t, err)
	r, err := y.Respond(merkle.WithRanges(merkle.Range{Start: 1, End: 2}))
	require.NoError(t, err)
	_, _, err = r.Next(nil, out)
	assert.ErrorIs(t, err, merkle.ErrIncompatible)
	r, err = newTree(t, merkle.WithSecret([16]byte{})).Respond()
	require.NoError(t, err)
	_, _, err = r.Next(nil, out)
	assert.ErrorIs(t, err, merkle.ErrIncompatible)
}

// A peer that says anything at all ends in an error or an end, in so many messages.
func TestLyingPeers(t *testing.T) {
	rng := rand.New(rand.NewPCG(17, 18))
	a, b := replicas(rng, shapes["uniform"], 3000, 600)
	x, y := treeOf(t, a), treeOf(t, b)
	for range 300 {
		s, err := x.Initiate(merkle.WithMaxMessage(4<<10), merkle.WithMaxDiffs(5000))
		require.NoError(t, err)
		r, err := y.Respond(merkle.WithMaxMessage(4 << 10))
		require.NoError(t, err)
		var in []byte
		for n := 0; ; n++ {
			require.Less(t, n, 3000)
			out, done, err := s.Next(nil, in)
			if err != nil {
				require.True(t, isOurs(err), "%v", err)
				break
			}
			for range s.Diffs() {
			}
			if done {
				break
			}
			require.LessOrEqual(t, len(out), 4<<10)
			in, _, err = r.Next(nil, out)
			require.NoError(t, err)
			require.LessOrEqual(t, len(in), 4<<10)
			for range rng.IntN(3) {
				in[rng.IntN(len(in))] ^= 1 << rng.IntN(8)
			}
			if rng.IntN(20) == 0 {
				in = in[:rng.IntN(len(in))+1]
			}
			bad := slices.Clone(out)
			bad[rng.IntN(len(bad))] ^= 1 << rng.IntN(8)
			if _, _, err := r.Next(nil, bad); err != nil {
				require.True(t, isOurs(err), "%v", err)
			}
		}
	}
}

func TestSessionLimits(t *testing.T) {
	tree := newTree(t)
	_, err := tree.Initiate(merkle.WithMaxMessage(1000))
	assert.EqualError(t, err, "merkle: maximum of a message is 1000, want 1024 to 1073741824 bytes")
	_, err = tree.Respond(merkle.WithMaxDiffs(-2))
	assert.EqualError(t, err, "merkle: maximum of differences is -2, want at least 1")
	_, err = new(merkle.Tree).Initiate()
	assert.Error(t, err)
	_, err = tree.Initiate(nil)
	assert.EqualError(t, err, "merkle: option is nil")

	other := newTree(t)
	for h := range uint64(10) {
		other.PutHash(h, 1)
	}
	s, err := tree.Initiate(merkle.WithMaxDiffs(9))
	require.NoError(t, err)
	r, err := other.Respond()
	require.NoError(t, err)
	out, _, err := s.Next(nil, nil)
	require.NoError(t, err)
	in, _, err := r.Next(nil, out)
	require.NoError(t, err)
	_, _, err = s.Next(nil, in)
	assert.ErrorIs(t, err, merkle.ErrLimit)
	_, _, err = s.Next(nil, make([]byte, 65<<10))
	assert.ErrorIs(t, err, merkle.ErrLimit)

	var zero merkle.Session
	assert.Zero(t, zero.Stats())
	for range zero.Diffs() {
		t.Error("a difference")
	}
	assert.PanicsWithValue(t, "merkle: Next of a zero Session: make one by Tree.Initiate or Tree.Respond", func() { zero.Next(nil, nil) })
}

// A bound of no differences would be none at all.
func TestMaxDiffsIsChecked(t *testing.T) {
	for n, want := range map[int]string{0: "merkle: maximum of differences is 0, want at least 1", -3: "merkle: maximum of differences is -3, want at least 1"} {
		_, err := newTree(t).Initiate(merkle.WithMaxDiffs(n))
		require.EqualError(t, err, want)
	}
	_, err := newTree(t).Initiate(merkle.WithMaxDiffs(5), merkle.WithMaxMessage(1<<10))
	require.NoError(t, err)
}

// Two differences that are part of the same 64 cells: if one is ours, it is found
// among our entries; if both are the other side's, in two of its parts.
func TestTwoOfTheSameCells(t *testing.T) {
	rng := rand.New(rand.NewPCG(19, 20))
	common, _ := replicas(rng, shapes["uniform"], 2000, 0)
	for name, opts := range optionSets {
		tree := newTree(t, opts...)
		by, one, two := map[uint64]uint64{}, uint64(0), uint64(0)
		for two == 0 {
			h := rng.Uint64()
			if first, ok := by[tree.Cells(h, 1)]; ok {
				one, two = first, h
			}
			by[tree.Cells(h, 1)] = h
		}
		for sides, messages := range map[[2]bool]uint64{{true, true}: 6, {true, false}: 6, {false, true}: 6, {false, false}: 8} {
			a, b := maps.Clone(common), maps.Clone(common)
			for i, h := range []uint64{one, two} {
				if sides[i] {
					a[h] = 1
				} else {
					b[h] = 1
				}
			}
			got, stats := exchange(t, treeOf(t, a, opts...), treeOf(t, b, opts...))
			require.Equal(t, difference(a, b), got)
			require.Equal(t, messages, stats.Messages, "%s %v", name, sides)
		}
	}
}
