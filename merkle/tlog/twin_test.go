package tlog_test

import (
	"crypto/sha256"
	"encoding/binary"
	"slices"
	"testing"

	"github.com/distkit/distkit/merkle"
	"github.com/distkit/distkit/merkle/tlog"
	"github.com/stretchr/testify/require"
)

// twin is a log as RFC 9162 writes it down: leaf hashes, and recursion over them.
type twin []merkle.Hash

func sum(parts ...[]byte) merkle.Hash { return sha256.Sum256(slices.Concat(parts...)) }

func node(l, r merkle.Hash) merkle.Hash { return sum([]byte{1}, l[:], r[:]) }

func twinLeaf(entry []byte) merkle.Hash { return sum([]byte{0}, entry) }

// below is the largest power of two below n.
func below(n int) int {
	k := 1
	for 2*k < n {
		k *= 2
	}
	return k
}

// mth is the Merkle Tree Hash of section 2.1.1.
func (d twin) mth() merkle.Hash {
	switch len(d) {
	case 0:
		return sum()
	case 1:
		return d[0]
	}
	k := below(len(d))
	return node(d[:k].mth(), d[k:].mth())
}

// path is PATH of section 2.1.3.1.
func (d twin) path(m int) []merkle.Hash {
	if len(d) == 1 {
		return nil
	}
	if k := below(len(d)); m < k {
		return append(d[:k].path(m), d[k:].mth())
	} else {
		return append(d[k:].path(m-k), d[:k].mth())
	}
}

// subproof is SUBPROOF of section 2.1.4.1.
func (d twin) subproof(m int, whole bool) []merkle.Hash {
	if m == len(d) {
		if whole {
			return nil
		}
		return []merkle.Hash{d.mth()}
	}
	if k := below(len(d)); m <= k {
		return append(d[:k].subproof(m, whole), d[k:].mth())
	} else {
		return append(d[k:].subproof(m-k, false), d[:k].mth())
	}
}

// subtree is SUBTREE_SUBPROOF of draft-ietf-plants-merkle-tree-certs.
func (d twin) subtree(start, end int, whole bool) []merkle.Hash {
	if start == 0 && end == len(d) {
		if whole {
			return nil
		}
		return []merkle.Hash{d.mth()}
	}
	k := below(len(d))
	switch {
	case end <= k:
		return append(d[:k].subtree(start, end, whole), d[k:].mth())
	case start >= k:
		return append(d[k:].subtree(start-k, end-k, whole), d[:k].mth())
	}
	return append(d[k:].subtree(0, end-k, false), d[:k].mth())
}

// batch is the proof of the leaves of which in tells.
func (d twin) batch(from int, in func(i int) bool) []merkle.Hash {
	any := false
	for i := range d {
		any = any || in(from+i)
	}
	switch {
	case !any:
		return []merkle.Hash{d.mth()}
	case len(d) == 1:
		return nil
	}
	k := below(len(d))
	return append(d[:k].batch(from, in), d[k:].batch(from+k, in)...)
}

// validSubtree tells whether [start, end) is a subtree, by trying all sizes.
func validSubtree(start, end int) bool {
	size := 1
	for size < end-start {
		size *= 2
	}
	return start < end && start%size == 0
}

func entry(i int) []byte {
	return binary.BigEndian.AppendUint32(nil, uint32(i))
}

// logs returns a log of n entries and its twin.
func logs(n int) (*tlog.Log, twin) {
	l, d := tlog.NewLog(), twin{}
	for i := range n {
		l.Append(entry(i))
		d = append(d, twinLeaf(entry(i)))
	}
	return l, d
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// check holds that l is the log of d, by all that it answers.
func check(t *testing.T, d twin, l *tlog.Log) {
	t.Helper()
	require.EqualValues(t, len(d), l.Size())
	require.Equal(t, d.mth(), l.Root())
	for i := range d {
		require.Equal(t, d[i], must(l.Leaf(uint64(i))))
	}
	for size := 1; size <= len(d); size += 1 + len(d)/7 {
		require.Equal(t, d[:size].mth(), must(l.RootAt(uint64(size))))
		i := (size * 31) % size
		require.Equal(t, d[:size].path(i), must(l.Inclusion(uint64(i), uint64(size))))
	}
}
