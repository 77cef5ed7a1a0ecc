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

func newRows() (*rows, error) {
	tree, err := merkle.NewTree()
	return &rows{tree: tree, keys: map[uint64][]string{}}, err
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

// drop forgets the rows in a range that another node owns now, and returns their
// keys.
func (r *rows) drop(lost ring.Range) (keys []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for at := range r.tree.Cut(merkle.Range(lost)).Entries(merkle.Range{}) {
		keys = append(keys, r.keys[at]...)
		delete(r.keys, at)
	}
	return keys
}

// remove forgets key.
func (r *rows) remove(key string) {
	at := distkit.HashString(key)
	r.mu.Lock()
	defer r.mu.Unlock()
	rest := slices.DeleteFunc(r.keys[at], func(k string) bool { return k == key })
	if len(rest) > 0 {
		r.keys[at] = rest
		return
	}
	delete(r.keys, at)
	r.tree.DeleteHash(at)
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
