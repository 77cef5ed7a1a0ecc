package tlog_test

import (
	"math"
	"testing"

	"github.com/distkit/distkit/merkle"
	"github.com/distkit/distkit/merkle/tlog"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// frontier covers [begin, end) of d, one entry after the other.
func frontier(d twin, begin, end int) *tlog.Frontier {
	f := tlog.NewFrontierAt(uint64(begin))
	for _, leaf := range d[begin:end] {
		f.Append(leaf)
	}
	return f
}

// Every range of 24 entries: its root where it is a subtree, and the same
// frontier from every two parts of it.
func TestEveryFrontier(t *testing.T) {
	const most = 24
	l, d := logs(most)
	for begin := range most + 1 {
		for end := begin; end <= most; end++ {
			f := frontier(d, begin, end)
			assert.EqualValues(t, begin, f.Begin())
			assert.EqualValues(t, end-begin, f.Size())
			switch {
			case begin == end:
				require.Equal(t, tlog.EmptyRoot(), f.Root())
			case validSubtree(begin, end):
				require.Equal(t, d[begin:end].mth(), f.Root(), "[%d, %d)", begin, end)
			default:
				require.Equal(t, merkle.Hash{}, f.Root(), "[%d, %d)", begin, end)
			}
			for mid := begin; mid <= end; mid++ {
				left, right := frontier(d, begin, mid), frontier(d, mid, end)
				before := right.Clone()
				require.NoError(t, left.Merge(right))
				require.True(t, f.Equal(left), "[%d, %d, %d)", begin, mid, end)
				require.True(t, before.Equal(right), "the second is only read")
			}
		}
		v := l.Snapshot()
		require.EqualValues(t, most, v.Size())
		at := tlog.NewLog()
		for _, leaf := range d[:begin] {
			at.AppendHash(leaf)
		}
		require.True(t, frontier(d, 0, begin).Equal(at.Frontier()))
	}
}

func TestFrontierFollowsALog(t *testing.T) {
	l, _ := logs(1000)
	var f tlog.Frontier
	g := tlog.NewFrontier()
	for i := range uint64(1000) {
		leaf := must(l.Leaf(i))
		f.Append(leaf)
		g.Append(leaf)
		require.Equal(t, must(l.RootAt(i+1)), f.Root())
	}
	clone := f.Clone()
	assert.True(t, clone.Equal(g))
	clone.Append(merkle.Hash{})
	assert.False(t, clone.Equal(&f))
	assert.True(t, f.Equal(g), "a clone shares nothing")
}

func TestMergeWantsNeighbors(t *testing.T) {
	_, d := logs(10)
	f := frontier(d, 0, 5)
	err := f.Merge(frontier(d, 6, 9))
	assert.ErrorIs(t, err, merkle.ErrIncompatible)
	assert.EqualError(t, err, "tlog: incompatible: frontier ends before entry 5, the next begins with 6")
	assert.ErrorIs(t, f.Merge(f), merkle.ErrIncompatible)
	assert.True(t, f.Equal(frontier(d, 0, 5)))
	empty := tlog.NewFrontierAt(5)
	assert.NoError(t, empty.Merge(empty))
	assert.NoError(t, f.Merge(empty))
	assert.True(t, f.Equal(frontier(d, 0, 5)))
}

// The end of all indexes is reached without a wrap.
func TestFrontierAtTheEnd(t *testing.T) {
	f := tlog.NewFrontierAt(math.MaxUint64 - 3)
	for range 3 {
		f.Append(merkle.Hash{7})
	}
	assert.EqualValues(t, 3, f.Size())
	assert.PanicsWithValue(t, "tlog: frontier is at its last index, 2^64-2; NewFrontierAt takes a smaller one", func() { f.Append(merkle.Hash{}) })
	var back tlog.Frontier
	require.NoError(t, back.UnmarshalBinary(must(f.MarshalBinary())))
	assert.True(t, back.Equal(f))
	assert.ErrorIs(t, tlog.NewFrontierAt(math.MaxUint64).Merge(f), merkle.ErrIncompatible)
}
