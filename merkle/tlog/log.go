package tlog

import (
	"sync/atomic"

	"github.com/distkit/distkit/internal/merklehash"
	"github.com/distkit/distkit/merkle"
)

// Log is an append-only log whose [Log.Root] commits to all its entries and
// their order. It keeps hashes, not entries: 64 bytes an entry, and 1.5 KiB at
// least. The zero Log is empty and ready for use. A Log must not be copied.
//
// Append takes one hash of the entry and, on average, one of a node; a proof
// takes O(log n), and hashes nothing if it is for the same size as those before. A [Frontier] appends and has a root
// in O(log n) memory, but makes no proofs.
//
// One goroutine at a time may append or decode. Any number may read meanwhile,
// without a lock: each call sees the log as it was at one moment. For several
// calls that see the same moment, take a [Log.Snapshot].
type Log struct {
	s atomic.Pointer[store] // replaced by decoding, for snapshots stay
}

// NewLog returns an empty log. The zero value will do as well.
func NewLog() *Log { return new(Log) }

func (l *Log) store() *store {
	s := l.s.Load()
	if s == nil {
		s = newStore()
		l.s.Store(s)
	}
	return s
}

// Append adds an entry and returns its index.
func (l *Log) Append(entry []byte) (index uint64) {
	s := l.store()
	return s.append(leafHash(s.hasher, entry))
}

// AppendHash adds the entry whose [LeafHash] is leaf and returns its index.
func (l *Log) AppendHash(leaf merkle.Hash) (index uint64) { return l.store().append(leaf) }

// AppendAll adds entries in their order and returns the index of the first. It
// hashes on all processors, 4096 entries at a time. Readers see all of them at
// once.
func (l *Log) AppendAll(entries [][]byte) (first uint64) {
	return l.store().extend(len(entries), func(h *merklehash.Hasher, i int) merkle.Hash { return leafHash(h, entries[i]) })
}

// Snapshot returns the log as it is now, for any number of goroutines and for as
// long as they like; it takes no copy. It may be called while another goroutine
// appends.
func (l *Log) Snapshot() *View {
	v := l.view()
	return &v
}

// view loads the size before anything else: what it covers has been written.
func (l *Log) view() View {
	s := l.s.Load()
	if s == nil {
		return View{}
	}
	return View{s, s.size.Load()}
}

// Size returns the number of entries.
func (l *Log) Size() uint64 {
	v := l.view()
	return v.Size()
}

// Root returns the root of the whole log, [EmptyRoot] if it is empty. It hashes
// at most log2(n) times, and not at all when it is asked again.
func (l *Log) Root() merkle.Hash {
	v := l.view()
	return v.Root()
}

// RootAt returns the root when the log had size entries. A size above the log's
// is merkle.ErrRange.
func (l *Log) RootAt(size uint64) (merkle.Hash, error) {
	v := l.view()
	return v.RootAt(size)
}

// Leaf returns the leaf hash of an entry. An index beyond the log is
// merkle.ErrRange.
func (l *Log) Leaf(index uint64) (merkle.Hash, error) {
	v := l.view()
	return v.Leaf(index)
}

// Inclusion returns the proof that the tree of the first size entries has the
// leaf of index at its place, for [VerifyInclusion]: the siblings from the leaf
// up, at most log2(size) rounded up. An index or size that is not there is
// merkle.ErrRange.
func (l *Log) Inclusion(index, size uint64) ([]merkle.Hash, error) {
	v := l.view()
	return v.Inclusion(index, size)
}

// AppendInclusion appends what [Log.Inclusion] returns to dst. It does not
// allocate where dst has room.
func (l *Log) AppendInclusion(dst []merkle.Hash, index, size uint64) ([]merkle.Hash, error) {
	v := l.view()
	return v.AppendInclusion(dst, index, size)
}

// Consistency returns the proof that the tree of newSize entries begins with
// that of oldSize entries, for [VerifyConsistency]. Sizes that are not
// 1 <= oldSize <= newSize <= Size are merkle.ErrRange: nothing is consistent with
// the empty tree, for everything would be.
func (l *Log) Consistency(oldSize, newSize uint64) ([]merkle.Hash, error) {
	v := l.view()
	return v.Consistency(oldSize, newSize)
}

// AppendConsistency appends what [Log.Consistency] returns to dst. It does not
// allocate where dst has room.
func (l *Log) AppendConsistency(dst []merkle.Hash, oldSize, newSize uint64) ([]merkle.Hash, error) {
	v := l.view()
	return v.AppendConsistency(dst, oldSize, newSize)
}

// SubtreeInclusion returns the proof that the subtree of the entries [start, end)
// has the leaf of index at its place, for [VerifySubtreeInclusion]. The package
// comment says what a subtree is; another range is merkle.ErrRange.
func (l *Log) SubtreeInclusion(start, end, index uint64) ([]merkle.Hash, error) {
	v := l.view()
	return v.SubtreeInclusion(start, end, index)
}

// SubtreeConsistency returns the proof that the tree of size entries has the
// subtree of [start, end) in it, for [VerifySubtreeConsistency]. A size beyond the
// log, or a range that is no subtree of that tree, is merkle.ErrRange.
func (l *Log) SubtreeConsistency(start, end, size uint64) ([]merkle.Hash, error) {
	v := l.view()
	return v.SubtreeConsistency(start, end, size)
}

// SubtreeRoot returns the root of the subtree of the entries [start, end), which
// is [EmptyRoot] if there are none. A range that is no subtree of the log is
// merkle.ErrRange.
func (l *Log) SubtreeRoot(start, end uint64) (merkle.Hash, error) {
	v := l.view()
	return v.SubtreeRoot(start, end)
}

// Batch returns one proof that the tree of the first size entries has the leaves
// of all indexes, for [VerifyBatch]. For k indexes of n it takes about
// k*log2(n/k) hashes, where single proofs take k*log2(n). Indexes must ascend
// strictly; none at all, or one that is not there, is merkle.ErrRange too.
func (l *Log) Batch(size uint64, indexes ...uint64) ([]merkle.Hash, error) {
	v := l.view()
	return v.Batch(size, indexes...)
}

// Frontier returns the frontier of the whole log: it goes on where the log is,
// without the log's memory.
func (l *Log) Frontier() *Frontier {
	v := l.view()
	return v.Frontier()
}
