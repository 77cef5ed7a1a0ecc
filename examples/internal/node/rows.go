package node

// Shows distkit/merkle: one tree a node, over all of its rows, whatever ranges
// of the ring they are in.

import (
	"iter"
	"slices"
	"sync"

	"github.com/distkit/distkit"
	"github.com/distkit/distkit/merkle"
	"github.com/distkit/distkit/ring"
)

// rows is the index of a node's copies by their positions on the ring: the tree
// that is compared with other nodes' trees, and the keys behind a position. It
// is in memory only and filled when the node starts.
type rows struct {
	mu   sync.Mutex
	tree *merkle.Tree
	keys map[uint64][]string
}

// indexRows reads the whole engine.
func indexRows(e Engine) (*rows, error) {
	tree, err := merkle.NewTree()
	if err != nil {
		return nil, err
	}
	r := &rows{tree: tree, keys: map[uint64][]string{}}
	all, err := e.All()
	if err != nil {
		return nil, err
	}
	for key, value := range all {
		r.put(key, value)
	}
	return r, nil
}

// put notes that value is what key's copy is now: equal copies are equal bytes.
func (r *rows) put(key string, value []byte) {
	at := distkit.HashString(key)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.tree.PutString(key, value)
	if !slices.Contains(r.keys[at], key) {
		r.keys[at] = append(r.keys[at], key)
	}
}

// drop forgets the rows in a range that another node owns now. The engine keeps
// them: they are behind at most, and read no more.
func (r *rows) drop(lost ring.Range) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for at := range r.tree.Cut(merkle.Range(lost)).Entries(merkle.Range{}) {
		delete(r.keys, at)
	}
}

// snapshot returns the tree as it is now, to be read while rows change.
func (r *rows) snapshot() *merkle.Tree {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.tree.Snapshot()
}

// at yields the keys at these positions.
func (r *rows) at(positions []uint64) iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, at := range positions {
			r.mu.Lock()
			keys := slices.Clone(r.keys[at])
			r.mu.Unlock()
			for _, key := range keys {
				if !yield(key) {
					return
				}
			}
		}
	}
}
