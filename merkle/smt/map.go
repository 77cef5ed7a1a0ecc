package smt

import (
	"crypto/sha256"
	"math/bits"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/distkit/distkit/internal/merklehash"
	"github.com/distkit/distkit/merkle"
)

// Map is a set of keys with values whose [Map.Root] commits to all of them, and
// to there being no others; it does not depend on the order of changes. A Map
// keeps hashes of keys and values, not these: 256 bytes a key. The zero Map is
// empty and ready for use. A Map must not be copied, but see [Map.Snapshot].
//
// Set and Delete take O(log n) and hash nothing but key and value: the tree is
// hashed when a root, a proof or a difference is asked for, each node once however
// many changes went through it, and on all processors.
//
// One goroutine at a time may use a Map that changes. A Map that nobody changes
// (any longer), such as a snapshot, may be used by any number.
type Map struct {
	root    *node
	len     int
	owner   atomic.Pointer[token] // of the nodes that this map may change; nil: none
	family  *family               // nil as long as root is
	pending atomic.Int64          // changes since all hashes were known
	hash    merkle.Hash           // the root, if there are none
}

// family is a map and the snapshots that share nodes with it. The lock orders
// those who calculate the hashes of shared nodes.
type family struct{ mu sync.Mutex }

// New returns an empty map. The zero value will do as well.
func New() *Map { return new(Map) }

// Len returns the number of keys.
func (m *Map) Len() int { return m.len }

// Get returns SHA-256 of the value of key, and whether the map has the key.
func (m *Map) Get(key []byte) (value merkle.Hash, ok bool) {
	path := merkle.Hash(sha256.Sum256(key))
	n := m.root
	for n != nil && !n.isLeaf() {
		n = n.child[n.side(&path)]
	}
	if n == nil || n.path != path {
		return merkle.Hash{}, false
	}
	return *n.value(), true
}

// Set gives key a value, which may be empty: that is not the same as no value, as
// it is in other implementations.
func (m *Map) Set(key, value []byte) {
	path, v := merkle.Hash(sha256.Sum256(key)), merkle.Hash(sha256.Sum256(value))
	if m.family == nil {
		m.family = new(family)
	}
	if root, changed := m.put(m.root, 0, &path, &v); changed {
		m.changed(root)
	}
}

func (m *Map) changed(root *node) {
	m.root = root
	m.pending.Add(1)
}

// put returns n, whose subtree begins at a depth, with the leaf in it, and whether
// that is a change.
func (m *Map) put(n *node, from int, path, value *merkle.Hash) (*node, bool) {
	if n == nil {
		return m.leaf(path, value), true
	}
	if int(n.bit) > from { // it skips levels: the path may branch off above n
		if at := shared(&n.path, path, int(n.bit)); at < int(n.bit) {
			inner := &node{path: *path, bit: uint16(at), owner: m.token()}
			side := inner.side(path)
			inner.child[side], inner.child[1-side] = m.leaf(path, value), n
			return inner, true
		}
	}
	if n.isLeaf() {
		if *n.value() == *value {
			return n, false
		}
		n = m.own(n)
		*n.value() = *value
		return n, true
	}
	side := n.side(path)
	next, changed := m.put(n.child[side], int(n.bit)+1, path, value)
	if !changed {
		return n, false
	}
	return m.with(n, side, next), true
}

func (m *Map) leaf(path, value *merkle.Hash) *node {
	m.len++
	return &node{path: *path, hash: [2]merkle.Hash{*value}, bit: depth, owner: m.token()}
}

// with returns n, or a copy, with another child.
func (m *Map) with(n *node, side byte, child *node) *node {
	n = m.own(n)
	n.child[side], n.known[side] = child, false
	return n
}

// token returns the map's right to change nodes, a new one after a snapshot.
func (m *Map) token() *token {
	t := m.owner.Load()
	if t == nil {
		t = new(token)
		m.owner.Store(t)
	}
	return t
}

// own returns n, or a copy of it if it is not the map's own, to be changed.
func (m *Map) own(n *node) *node {
	t := m.token()
	if n.owner == t {
		return n
	}
	m.family.mu.Lock() // a snapshot may be finding its hashes
	defer m.family.mu.Unlock()
	c := *n
	c.owner = t
	return &c
}

// Delete takes key out of the map and tells whether it was there.
func (m *Map) Delete(key []byte) bool {
	path := merkle.Hash(sha256.Sum256(key))
	root, changed := m.cut(m.root, &path)
	if changed {
		m.len--
		m.changed(root)
	}
	return changed
}

// cut returns n without the leaf at path, and whether it was there.
func (m *Map) cut(n *node, path *merkle.Hash) (*node, bool) {
	if n == nil {
		return nil, false
	}
	if n.isLeaf() {
		if n.path != *path {
			return n, false
		}
		return nil, true
	}
	side := n.side(path)
	next, changed := m.cut(n.child[side], path)
	switch {
	case !changed:
		return n, false
	case next == nil: // n has lost a side: the other takes its place
		return n.child[1-side], true
	}
	return m.with(n, side, next), true
}

// Root returns the root, which is zero if the map is empty. It calculates what
// has changed since it was last called.
func (m *Map) Root() merkle.Hash {
	if m.root == nil {
		return empty
	}
	m.settle()
	return m.hash
}

// forkChanges is how many changes are worth more than one goroutine.
const forkChanges = 64

// settle makes all hashes known. It may be called by several goroutines, unless
// one of them changes the map.
func (m *Map) settle() {
	if m.root == nil || m.pending.Load() == 0 {
		return
	}
	m.family.mu.Lock()
	defer m.family.mu.Unlock()
	if m.pending.Load() == 0 {
		return
	}
	fork := 0
	if procs := runtime.GOMAXPROCS(0); procs > 1 && m.pending.Load() >= forkChanges {
		fork = bits.Len(uint(procs)) + 1 // some more parts than processors
	}
	h := merklehash.Get()
	defer h.Put()
	m.hash = m.root.settle(h, 0, fork)
	m.pending.Store(0)
}

// Snapshot returns the map as it is now. It takes O(1): both share all nodes, and
// whichever changes, which both may, copies those on its way. Keep one for each
// version to be proved or compared.
func (m *Map) Snapshot() *Map {
	s := &Map{root: m.root, len: m.len, family: m.family}
	if n := m.pending.Load(); n > 0 {
		s.pending.Store(n)
	} else {
		s.hash = m.hash
	}
	if m.owner.Load() != nil {
		m.owner.Store(nil)
	}
	return s
}
