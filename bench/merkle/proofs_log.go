package merkle

import (
	"crypto/sha256"
	"math/rand/v2"
	"runtime"
	"slices"

	"github.com/distkit/distkit/bench/bar"
	"github.com/distkit/distkit/internal/testkit"
	"github.com/distkit/distkit/merkle"
	"github.com/distkit/distkit/merkle/tlog"
	"github.com/transparency-dev/merkle/compact"
	"github.com/transparency-dev/merkle/rfc6962"
	gotlog "golang.org/x/mod/sumdb/tlog"
)

// logEntry is that of the entries of all logs.
const logEntry = 32

// shaFloor is what no log can do without: SHA-256 of a leaf, and of a node for
// each leaf.
var shaFloor = always("SHA-256 of leaf and node", func() func(uint64) uint64 {
	leaf, node := make([]byte, 1+logEntry), make([]byte, 65)
	return func(i uint64) uint64 {
		number(leaf, i)
		h := sha256.Sum256(leaf)
		copy(node, h[:])
		h = sha256.Sum256(node)
		return uint64(h[0])
	}
})

// appending builds logs of a million entries, one after the other, and takes the
// root of each.
var appending = always("distkit", func() func(uint64) uint64 {
	l, entry := tlog.NewLog(), make([]byte, logEntry)
	return func(i uint64) uint64 {
		l.Append(number(entry, i))
		if l.Size() == million {
			root := l.Root()
			l = tlog.NewLog()
			return uint64(root[0])
		}
		return 1
	}
})

// stored is what x/mod tlog reads its hashes from.
type stored []gotlog.Hash

func (s stored) ReadHashes(indexes []int64) ([]gotlog.Hash, error) {
	hs := make([]gotlog.Hash, len(indexes))
	for i, at := range indexes {
		hs[i] = s[at]
	}
	return hs, nil
}

func (s *stored) add(n int64, entry []byte) {
	hs, err := gotlog.StoredHashes(n, entry, s)
	must(err)
	*s = append(*s, hs...)
}

func logBars() []bar.Bar {
	xmod := always("x/mod tlog", func() func(uint64) uint64 {
		var s stored
		entry, n := make([]byte, logEntry), int64(0)
		return func(i uint64) uint64 {
			s.add(n, number(entry, i))
			if n++; n == million {
				root := check(gotlog.TreeHash(n, s))
				s, n = nil, 0
				return uint64(root[0])
			}
			return 1
		}
	})
	td := always("transparency-dev compact.Range", func() func(uint64) uint64 {
		f := compact.RangeFactory{Hash: rfc6962.DefaultHasher.HashChildren}
		r, entry := f.NewEmptyRange(0), make([]byte, logEntry)
		return func(i uint64) uint64 {
			must(r.Append(rfc6962.DefaultHasher.HashLeaf(number(entry, i)), nil))
			return r.End()
		}
	})
	frontier := always("distkit", func() func(uint64) uint64 {
		var f tlog.Frontier
		entry := make([]byte, logEntry)
		return func(i uint64) uint64 {
			f.Append(tlog.LeafHash(number(entry, i)))
			return f.Size()
		}
	})
	return []bar.Bar{
		{Name: "tlog Log.Append, Root, floor/n=1M", Ours: appending, Peer: shaFloor, Limit: 1.2},
		{Name: "tlog Log.Append, Root/n=1M", Ours: appending, Peer: xmod, Limit: 0.5},
		{Name: "tlog Log.AppendAll, floor/n=1M", Ours: bar.Side{Impl: "distkit", New: appendingAll}, Peer: shaFloor, Limit: 0.75, Allocs: bar.AnyAllocs},
		{Name: "tlog Frontier.Append", Ours: frontier, Peer: td, Limit: 0.6},
	}
}

// appendingAll appends 65536 entries at a time.
func appendingAll() func(int) uint64 {
	const batch = 1 << 16
	l, entries := tlog.NewLog(), make([][]byte, batch)
	for i := range entries {
		entries[i] = number(make([]byte, logEntry), uint64(i))
	}
	return func(n int) uint64 {
		for ; n > 0; n -= batch {
			l.AppendAll(entries[:min(n, batch)])
			if l.Size() >= million {
				l = tlog.NewLog()
			}
		}
		return l.Size()
	}
}

// millionLog returns a log of a million entries.
func millionLog() (*tlog.Log, []merkle.Hash) {
	l, leaves, entry := tlog.NewLog(), make([]merkle.Hash, million), make([]byte, logEntry)
	for i := range leaves {
		leaves[i] = tlog.LeafHash(number(entry, uint64(i)))
		l.AppendHash(leaves[i])
	}
	return l, leaves
}

// batchOf returns a thousand indexes of a million, ascending.
func batchOf() (indexes []uint64) {
	for _, i := range rand.New(rand.NewPCG(5, 6)).Perm(million)[:1000] {
		indexes = append(indexes, uint64(i))
	}
	slices.Sort(indexes)
	return indexes
}

func logFigures() []bar.Figure {
	return []bar.Figure{
		{Name: "tlog Log memory/n=1M", Unit: "B/entry", Limit: 66, Measure: func() float64 {
			return float64(testkit.LiveBytes(func() any {
				l, _ := millionLog()
				runtime.GC()
				return l
			})) / million
		}},
		{Name: "tlog Batch of 1000 of 1M, of single proofs", Unit: "%", Limit: 55, Measure: func() float64 {
			l, _ := millionLog()
			single := 0
			for _, i := range batchOf() {
				single += len(check(l.Inclusion(i, million)))
			}
			return 100 * float64(len(check(l.Batch(million, batchOf()...)))) / float64(single)
		}},
	}
}
