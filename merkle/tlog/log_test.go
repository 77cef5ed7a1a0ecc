package tlog_test

import (
	"bytes"
	"fmt"
	"runtime"
	"sync"
	"testing"

	"github.com/distkit/distkit/internal/testkit"
	"github.com/distkit/distkit/merkle"
	"github.com/distkit/distkit/merkle/tlog"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestLogGrowsLikeItsTwin(t *testing.T) {
	l, d := tlog.NewLog(), twin{}
	check(t, d, l)
	for i := range 70 {
		assert.EqualValues(t, i, l.AppendHash(twinLeaf(entry(i))))
		d = append(d, twinLeaf(entry(i)))
		check(t, d, l)
	}
	var zero tlog.Log
	zero.Append(entry(0))
	check(t, d[:1], &zero)
}

// Sizes around the borders of tiles, of their second and third level, and of the
// blocks that workers take.
func TestLogAcrossTiles(t *testing.T) {
	l, d := logs(65_537)
	for _, size := range []int{255, 256, 257, 511, 512, 513, 4095, 4096, 4097, 65_537} {
		require.Equal(t, d[:size].mth(), must(l.RootAt(uint64(size))), size)
		for _, i := range []int{size / 3, size - 1} {
			require.Equal(t, d[:size].path(i), must(l.Inclusion(uint64(i), uint64(size))), "%d of %d", i, size)
			require.Equal(t, d[:size].subproof(i+1, true), must(l.Consistency(uint64(i+1), uint64(size))), "%d in %d", i+1, size)
		}
	}
}

// What workers append is what one goroutine appends, wherever it begins and ends.
func TestAppendAll(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(4))
	slow, d := logs(30_000)
	var entries [][]byte
	for i := range d {
		entries = append(entries, entry(i))
	}
	for _, first := range []int{0, 7, 8, 256, 4095, 4096, 9000} {
		for _, n := range []int{0, 1, 8, 255, 4096, 4097, 20_001} {
			l := tlog.NewLog()
			assert.EqualValues(t, 0, l.AppendAll(entries[:first]))
			assert.EqualValues(t, first, l.AppendAll(entries[first:first+n]))
			end := first + n
			require.EqualValues(t, end, l.Size())
			require.Equal(t, must(slow.RootAt(uint64(end))), l.Root(), "%d and %d", first, n)
			if end > 0 {
				require.Equal(t, must(slow.Inclusion(uint64(end/2), uint64(end))), must(l.Inclusion(uint64(end/2), uint64(end))))
			}
			assert.EqualValues(t, end, l.Append(entry(end)), "and it goes on")
			require.Equal(t, must(slow.RootAt(uint64(end+1))), l.Root())
		}
	}
}

func TestLeafHashOfAnyLength(t *testing.T) {
	for n := range 600 {
		e := bytes.Repeat([]byte{byte(n)}, n)
		require.Equal(t, twinLeaf(e), tlog.LeafHash(e), n)
	}
	assert.Equal(t, node(twinLeaf(nil), twinLeaf([]byte{1})), tlog.NodeHash(tlog.LeafHash(nil), tlog.LeafHash([]byte{1})))
	assert.Equal(t, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", tlog.EmptyRoot().String())
	long, short := make([]byte, 1000), make([]byte, 100)
	testkit.NoAllocs(t, "LeafHash", func() { tlog.LeafHash(long); tlog.LeafHash(short) })
}

// A snapshot answers as the log did when it was taken.
func TestSnapshotsDoNotMove(t *testing.T) {
	l, d := tlog.NewLog(), twin{}
	var views []*tlog.View
	for i := range 300 {
		views = append(views, l.Snapshot())
		l.Append(entry(i))
		d = append(d, twinLeaf(entry(i)))
	}
	image := must(tlog.NewLog().MarshalBinary())
	require.NoError(t, l.UnmarshalBinary(image), "decoding replaces the log, not its snapshots")
	assert.Zero(t, l.Size())
	for n, v := range views {
		require.EqualValues(t, n, v.Size())
		require.Equal(t, d[:n].mth(), v.Root())
		_, err := v.Leaf(uint64(n))
		require.ErrorIs(t, err, merkle.ErrRange)
		_, err = v.RootAt(uint64(n + 1))
		require.ErrorIs(t, err, merkle.ErrRange)
		if n == 0 {
			continue
		}
		require.Equal(t, d[n-1], must(v.Leaf(uint64(n-1))))
		i := n / 2
		require.Equal(t, d[:n].path(i), must(v.Inclusion(uint64(i), uint64(n))))
		require.Equal(t, d[:n].subproof(i+1, true), must(v.Consistency(uint64(i+1), uint64(n))))
		require.Equal(t, d[i:i+1].path(0), must(v.SubtreeInclusion(uint64(i), uint64(i+1), uint64(i))))
		require.Equal(t, d[:n].subtree(i, i+1, true), must(v.SubtreeConsistency(uint64(i), uint64(i+1), uint64(n))))
		require.Equal(t, d[i], must(v.SubtreeRoot(uint64(i), uint64(i+1))))
		require.Equal(t, d[:n].batch(0, func(k int) bool { return k == i }), must(v.Batch(uint64(n), uint64(i))))
		require.Equal(t, d[:n].mth(), v.Frontier().Root())
	}
	var zero tlog.View
	assert.Equal(t, tlog.EmptyRoot(), zero.Root())
	assert.Zero(t, zero.Frontier().Size())
}

// Readers prove while one goroutine appends, by one and by thousands; each proof
// holds against the root of the size that the reader saw.
func TestReadersBesideAWriter(t *testing.T) {
	l, total := tlog.NewLog(), uint64(12_000)
	_, d := logs(int(total))
	var wg sync.WaitGroup
	for r := range uint64(3) {
		wg.Go(func() {
			for seen := uint64(0); seen < total; {
				v := l.Snapshot()
				if seen = v.Size(); seen == 0 {
					continue
				}
				root, i := v.Root(), (seen*(r+3))/7%seen
				proof, err := v.Inclusion(i, seen)
				assert.NoError(t, err)
				assert.NoError(t, tlog.VerifyInclusion(root, seen, i, d[i], proof))
				proof, err = l.Consistency(i+1, seen)
				assert.NoError(t, err)
				old, err := l.RootAt(i + 1)
				assert.NoError(t, err)
				assert.NoError(t, tlog.VerifyConsistency(old, i+1, root, seen, proof))
			}
		})
	}
	for l.Size() < total {
		if n := l.Size(); n%3000 == 2999 {
			var entries [][]byte
			for i := n; i < min(n+5000, total); i++ {
				entries = append(entries, entry(int(i)))
			}
			l.AppendAll(entries)
		} else {
			l.Append(entry(int(n)))
		}
	}
	wg.Wait()
	assert.Equal(t, d.mth(), l.Root())
}

// Bad arguments are errors that name them.
func TestRangeErrors(t *testing.T) {
	l, _ := logs(10)
	for want, err := range map[string]error{
		"tlog: size is 11, want at most 10":                                 second(l.RootAt(11)),
		"tlog: index is 10, want one of [0, 10)":                            second(l.Leaf(10)),
		"tlog: index is 5, want one of [0, 5)":                              second(l.Inclusion(5, 5)),
		"tlog: size is 12, want at most 10":                                 second(l.Inclusion(5, 12)),
		"tlog: index is 0, want one of [0, 0)":                              second(l.Inclusion(0, 0)),
		"tlog: old size is 0, want 1 to 10":                                 second(l.Consistency(0, 10)),
		"tlog: old size is 7, want 1 to 6":                                  second(l.Consistency(7, 6)),
		"tlog: size is 13, want at most 10":                                 second(l.Consistency(1, 13)),
		"tlog: subtree is [8, 11), want entries below 10":                   second(l.SubtreeInclusion(8, 11, 8)),
		"tlog: index is 3, want one of [4, 8)":                              second(l.SubtreeInclusion(4, 8, 3)),
		"tlog: subtree is [2, 6), want a start that is a multiple of 4":     second(l.SubtreeConsistency(2, 6, 10)),
		"tlog: subtree is [5, 4), want entries below 10":                    second(l.SubtreeRoot(5, 4)),
		"tlog: size is 14, want at most 10":                                 second(l.SubtreeConsistency(0, 1, 14)),
		"tlog: batch of no indexes, want one at least":                      second(l.Batch(10)),
		"tlog: index 3 follows 3, want them ascending":                      second(l.Batch(10, 3, 3)),
		"tlog: index is 9, want one of [0, 9)":                              second(l.Batch(9, 1, 9)),
		"tlog: size is 15, want at most 10":                                 second(l.Batch(15, 1)),
		"tlog: index is 18446744073709551615, want one of [0, 10)":          second(l.Leaf(1<<64 - 1)),
		"tlog: subtree is [0, 18446744073709551615), want entries below 10": second(l.SubtreeRoot(0, 1<<64-1)),
	} {
		assert.EqualError(t, err, want+": "+merkle.ErrRange.Error())
		assert.ErrorIs(t, err, merkle.ErrRange)
	}
	dst := make([]merkle.Hash, 1, 8)
	got, err := l.AppendInclusion(dst, 10, 10)
	assert.ErrorIs(t, err, merkle.ErrRange)
	assert.Len(t, got, 1, "what was there stays")
	got, err = l.AppendConsistency(dst, 0, 10)
	assert.ErrorIs(t, err, merkle.ErrRange)
	assert.Len(t, got, 1)
}

func second[T any](_ T, err error) error { return err }

func TestHotPathsDoNotAllocate(t *testing.T) {
	l, d := logs(5000)
	buf := make([]merkle.Hash, 0, 64)
	testkit.NoAllocs(t, "AppendInclusion", func() { _, _ = l.AppendInclusion(buf, 1234, 4999) })
	testkit.NoAllocs(t, "AppendConsistency", func() { _, _ = l.AppendConsistency(buf, 1234, 4999) })
	testkit.NoAllocs(t, "Root", func() { l.Root() })
	proof, root := must(l.Inclusion(1234, 5000)), l.Root()
	testkit.NoAllocs(t, "VerifyInclusion", func() { _ = tlog.VerifyInclusion(root, 5000, 1234, d[1234], proof) })
	old, con := must(l.RootAt(1234)), must(l.Consistency(1234, 5000))
	testkit.NoAllocs(t, "VerifyConsistency", func() { _ = tlog.VerifyConsistency(old, 1234, root, 5000, con) })
	indexes := []uint64{1, 700, 701, 4000}
	leaves := []merkle.Hash{d[1], d[700], d[701], d[4000]}
	batch := must(l.Batch(5000, indexes...))
	testkit.NoAllocs(t, "VerifyBatch", func() { _ = tlog.VerifyBatch(root, 5000, indexes, leaves, batch) })
	f := l.Frontier()
	f.Append(d[0])
	testkit.NoAllocs(t, "Frontier.Append", func() { f.Append(d[1]); f.Root() })
}

// 64 bytes an entry, and a little for tables and for what appends.
func TestMemory(t *testing.T) {
	const n = 1 << 17
	used := testkit.LiveBytes(func() any {
		l := tlog.NewLog()
		for range n {
			l.AppendHash(merkle.Hash{1})
		}
		return l
	})
	assert.Less(t, float64(used)/n, 66.0, fmt.Sprint(used))
	assert.Greater(t, float64(used)/n, 60.0)

	used = testkit.LiveBytes(func() any { // many small logs
		logs := make([]tlog.Log, 1000)
		for i := range logs {
			for range 5 {
				logs[i].AppendHash(merkle.Hash{1})
			}
		}
		return logs
	})
	assert.Less(t, used/1000, uint64(1600))
}
