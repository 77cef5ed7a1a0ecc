package merkle_test

import (
	"errors"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/distkit/distkit/internal/testkit"
	"github.com/distkit/distkit/merkle"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// twin is a tree that anybody can see is right.
type twin map[uint64]uint64

func (w twin) in(r merkle.Range) twin {
	part := twin{}
	for h, v := range w {
		if r.Contains(h) {
			part[h] = v
		}
	}
	return part
}

// order returns the positions as Entries yields them.
func (w twin) order(r merkle.Range) []uint64 {
	hs := slices.Sorted(maps.Keys(w.in(r)))
	after := func(h uint64) uint64 { return h - r.Start - 1 }
	slices.SortFunc(hs, func(a, b uint64) int {
		if after(a) < after(b) {
			return -1
		}
		return 1
	})
	return hs
}

func newTree(t testing.TB, opts ...merkle.TreeOption) *merkle.Tree {
	t.Helper()
	tree, err := merkle.NewTree(opts...)
	require.NoError(t, err)
	return tree
}

func treeOf(t testing.TB, w twin, opts ...merkle.TreeOption) *merkle.Tree {
	t.Helper()
	tree := newTree(t, opts...)
	for h, v := range w {
		tree.PutHash(h, v)
	}
	return tree
}

// check holds the tree to its own invariants and to what the twin says.
func check(t testing.TB, w twin, tree *merkle.Tree) {
	t.Helper()
	require.NoError(t, tree.Check())
	require.Equal(t, len(w), tree.Len())
	got := twin{}
	last, first := uint64(0), true
	for h, v := range tree.Entries(merkle.Range{Start: math.MaxUint64, End: math.MaxUint64}) {
		if !first && h <= last {
			t.Fatalf("%#x after %#x", h, last)
		}
		got[h], last, first = v, h, false
	}
	require.True(t, maps.Equal(w, got), "other entries than the twin's")
}

// shapes are ways to choose positions.
var shapes = map[string]func(*rand.Rand) uint64{
	"uniform":   func(rng *rand.Rand) uint64 { return rng.Uint64() },
	"dense":     func(rng *rand.Rand) uint64 { return rng.Uint64N(3000) },
	"extremes":  func(rng *rand.Rand) uint64 { return uint64(rng.Int64N(2000) - 1000) },
	"clustered": func(rng *rand.Rand) uint64 { return rng.Uint64N(8)<<61 + 1<<rng.Uint64N(60) + rng.Uint64N(200) },
}

var optionSets = map[string][]merkle.TreeOption{
	"plain":     nil,
	"secret":    {merkle.WithSecret([16]byte{1, 2, 3})},
	"sumSecret": {merkle.WithSumSecret([16]byte{1, 2, 3})},
	"lean":      {merkle.WithoutSketches()},
}

func TestTreeAgainstTwin(t *testing.T) {
	testkit.NotUnderRace(t)
	for shape, position := range shapes {
		for name, opts := range optionSets {
			t.Run(shape+"/"+name, func(t *testing.T) {
				rng := rand.New(rand.NewPCG(1, 2))
				w, tree := twin{}, newTree(t, opts...)
				var snapshot *merkle.Tree
				var then twin
				for step := range 12000 {
					h := position(rng)
					grow := step/3000%2 == 0
					switch x := rng.IntN(20); {
					case x == 0 && rng.IntN(30) == 0:
						if snapshot != nil {
							check(t, then, snapshot)
						}
						snapshot, then = tree.Snapshot(), maps.Clone(w)
					case grow == (x < 15):
						v := rng.Uint64N(4)
						tree.PutHash(h, v)
						w[h] = v
					default:
						if rng.IntN(2) == 0 {
							if near := slices.Collect(take(tree.Entries(merkle.Range{Start: h, End: h}), 1)); len(near) > 0 {
								h = near[0]
							}
						}
						if _, had := w[h]; had != tree.DeleteHash(h) {
							t.Fatalf("deleted %#x: want %t", h, had)
						}
						delete(w, h)
					}
					v, ok := tree.Get(h)
					if want, had := w[h]; had != ok || want != v {
						t.Fatalf("Get(%#x) is %d, %t, want %d, %t", h, v, ok, want, had)
					}
					if step%1000 == 0 {
						check(t, w, tree)
					}
				}
				check(t, w, tree)
				check(t, then, snapshot)
				checkSummaries(t, rng, position, w, tree, opts)
			})
		}
	}
}

func take(seq func(func(uint64, uint64) bool), n int) func(func(uint64) bool) {
	return func(yield func(uint64) bool) {
		seq(func(h, _ uint64) bool {
			n--
			return n >= 0 && yield(h)
		})
	}
}

// checkSummaries compares summaries and entries of ranges with those of a tree
// that holds only them.
func checkSummaries(t *testing.T, rng *rand.Rand, position func(*rand.Rand) uint64, w twin, tree *merkle.Tree, opts []merkle.TreeOption) {
	t.Helper()
	for range 20 {
		r := merkle.Range{Start: position(rng), End: position(rng)}
		if rng.IntN(5) == 0 {
			r.End = r.Start
		}
		part := w.in(r)
		require.Equal(t, treeOf(t, part, opts...).Summary(merkle.Range{}), tree.Summary(r), "%v", r)
		require.EqualValues(t, len(part), tree.Summary(r).Count)
		var got []uint64
		for h, v := range tree.Entries(r) {
			if w[h] != v {
				t.Fatalf("version %d at %#x, want %d", v, h, w[h])
			}
			got = append(got, h)
		}
		require.Equal(t, w.order(r), got, "%v", r)
	}
}

func TestCutAndJoinAgainstTwin(t *testing.T) {
	testkit.NotUnderRace(t)
	for shape, position := range shapes {
		for name, opts := range optionSets {
			t.Run(shape+"/"+name, func(t *testing.T) {
				rng := rand.New(rand.NewPCG(3, 4))
				w, tree := twin{}, newTree(t, opts...)
				for range 4000 {
					h, v := position(rng), rng.Uint64()
					tree.PutHash(h, v)
					w[h] = v
				}
				whole := tree.Summary(merkle.Range{})
				for range 6 {
					snapshot, then := tree.Snapshot(), maps.Clone(w)
					r := merkle.Range{Start: position(rng), End: position(rng)}
					in := w.in(r)
					maps.DeleteFunc(w, func(h, _ uint64) bool { return r.Contains(h) })
					cut := tree.Cut(r)
					check(t, in, cut)
					check(t, w, tree)
					check(t, then, snapshot)
					for range 10 { // what was cut is free to change
						h := position(rng)
						cut.PutHash(h, 7)
						cut.DeleteHash(h)
						delete(in, h)
					}
					check(t, in, cut)
					check(t, w, tree)
					require.NoError(t, tree.Join(cut))
					maps.Copy(w, in)
					check(t, w, tree)
					check(t, in, cut)
					check(t, then, snapshot)
				}
				if shape == "uniform" {
					assert.Equal(t, whole, tree.Summary(merkle.Range{}))
				}
			})
		}
	}
}

// Joining trees that interleave, in few runs and in many.
func TestJoinAgainstTwin(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	for _, bits := range []uint{1, 2, 4, 8, 64} { // of the position choose the tree
		for _, opts := range optionSets {
			w := [2]twin{{}, {}}
			for range 3000 {
				h := rng.Uint64()
				side := h >> (64 - bits) & 1
				w[side][h] = rng.Uint64()
			}
			a, b := treeOf(t, w[0], opts...), treeOf(t, w[1], opts...)
			require.NoError(t, a.Join(b))
			check(t, w[1], b)
			maps.Copy(w[0], w[1])
			check(t, w[0], a)
			before := a.Summary(merkle.Range{})
			assert.ErrorIs(t, a.Join(b), merkle.ErrIncompatible, "they share positions now")
			assert.ErrorIs(t, a.Join(a), merkle.ErrIncompatible)
			assert.Equal(t, before, a.Summary(merkle.Range{}))
			check(t, w[0], a)
		}
	}
}

func TestMerge(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 8))
	w := [2]twin{{}, {}}
	for range 4000 {
		w[rng.IntN(2)][rng.Uint64N(3000)] = rng.Uint64()
	}
	a, b := treeOf(t, w[0]), treeOf(t, w[1], merkle.WithoutSketches())
	require.NoError(t, a.Merge(b))
	maps.Copy(w[0], w[1])
	check(t, w[0], a)
	check(t, w[1], b)
	require.NoError(t, a.Merge(a))
	check(t, w[0], a)
}

// The summary depends on the set alone, whatever happened on the way to it.
func TestHistoryDoesNotMatter(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 10))
	w := twin{}
	for range 2000 {
		w[rng.Uint64()] = rng.Uint64()
	}
	want := treeOf(t, w).Summary(merkle.Range{})
	for range 5 {
		tree := newTree(t)
		var extra []uint64
		for h, v := range w { // in another order each time
			tree.PutHash(h, v+1)
			x := rng.Uint64()
			tree.PutHash(x, 1)
			tree.PutHash(h, v)
			extra = append(extra, x)
		}
		for _, x := range extra {
			require.True(t, tree.DeleteHash(x))
		}
		check(t, w, tree)
		assert.Equal(t, want, tree.Summary(merkle.Range{}))
	}
}

func TestLooseEndsOfALoop(t *testing.T) {
	w := twin{}
	for i := range uint64(5000) {
		w[i*i*1e12] = i
	}
	tree := treeOf(t, w)
	for h := range tree.Entries(merkle.Range{}) { // the body may change the tree
		require.True(t, tree.DeleteHash(h))
	}
	check(t, twin{}, tree)
	for range tree.Entries(merkle.Range{}) {
		t.Error("entries of an empty tree")
	}
}

func isOurs(err error) bool {
	return errors.Is(err, merkle.ErrCorrupt) || errors.Is(err, merkle.ErrIncompatible) || errors.Is(err, merkle.ErrLimit)
}

// What is cut out of a tree and what stays add up to what it was.
func TestSummariesAddUp(t *testing.T) {
	add := func(a, b merkle.Summary) (s merkle.Summary) {
		s.Count = a.Count + b.Count
		carry := 0
		for i := range s.Sum {
			carry += int(a.Sum[i]) + int(b.Sum[i])
			s.Sum[i] = byte(carry)
			carry >>= 8
		}
		return s
	}
	rng := rand.New(rand.NewPCG(63, 64))
	for name, opts := range optionSets {
		tree := newTree(t, opts...)
		for range 3000 {
			tree.PutHash(rng.Uint64(), rng.Uint64())
		}
		for range 50 {
			r := merkle.Range{Start: rng.Uint64(), End: rng.Uint64()}
			rest := merkle.Range{Start: r.End, End: r.Start}
			whole := tree.Summary(merkle.Range{})
			require.Equal(t, whole, add(tree.Summary(r), tree.Summary(rest)), name)
			s := tree.Snapshot()
			part := s.Cut(r)
			require.Equal(t, whole, add(part.Summary(merkle.Range{}), s.Summary(merkle.Range{})), name)
			require.Equal(t, tree.Summary(r), part.Summary(merkle.Range{}), name)
		}
	}
}
