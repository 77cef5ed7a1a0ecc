package smt

import (
	"crypto/sha256"
	"math/bits"
	"runtime"
	"sync"
	"sync/atomic"

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
	pending atomic.Int64          // changes since all hashes were there
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
		toward, _ := n.child(&path)
		n = *toward
	}
	if n == nil || n.path != path {
		return merkle.Hash{}, false
	}
	return n.value, true
}

// Set gives key a value, which may be empty: that is not the same as no value, as
// it is in other implementations.
func (m *Map) Set(key, value []byte) {
	path, v := merkle.Hash(sha256.Sum256(key)), merkle.Hash(sha256.Sum256(value))
	if m.family == nil {
		m.family = new(family)
	}
	if root, changed := m.put(m.root, &path, &v); changed {
		m.changed(root)
	}
}

func (m *Map) changed(root *node) {
	m.root = root
	m.pending.Add(1)
}

// put returns n with the leaf in it, and whether that is a change.
func (m *Map) put(n *node, path, value *merkle.Hash) (*node, bool) {
	if n == nil {
		return m.leaf(path, value), true
	}
	if at := shared(&n.path, path, int(n.bit)); at < int(n.bit) { // it branches off above n
		inner := &node{path: *path, bit: uint16(at), owner: m.token()}
		toward, beside := inner.child(path)
		*toward, *beside = m.leaf(path, value), m.moved(n)
		return inner, true
	}
	if n.isLeaf() {
		if n.value == *value {
			return n, false
		}
		n = m.own(n)
		n.value = *value
		return n, true
	}
	toward, _ := n.child(path)
	next, changed := m.put(*toward, path, value)
	if !changed {
		return n, false
	}
	n = m.own(n)
	toward, _ = n.child(path)
	*toward = next
	return n, true
}

func (m *Map) leaf(path, value *merkle.Hash) *node {
	m.len++
	return &node{path: *path, value: *value, bit: depth, owner: m.token()}
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

// own returns n, or a copy of it if it is not the map's own, to be changed. Its
// hash is void. (That of a shared node may be written just now and is not read.)
func (m *Map) own(n *node) *node {
	if t := m.token(); n.owner != t {
		n = &node{path: n.path, value: n.value, left: n.left, right: n.right, bit: n.bit, owner: t}
	}
	n.hashed = false
	return n
}

// moved returns n for a place below another parent, where its hash begins at
// another depth. Leaves have one hash wherever they are.
func (m *Map) moved(n *node) *node {
	if n.isLeaf() {
		return n
	}
	return m.own(n)
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
	toward, beside := n.child(path)
	next, changed := m.cut(*toward, path)
	switch {
	case !changed:
		return n, false
	case next == nil: // n has lost a side: the other takes its place
		return m.moved(*beside), true
	}
	n = m.own(n)
	toward, _ = n.child(path)
	*toward = next
	return n, true
}

// Root returns the root, which is zero if the map is empty. It calculates what
// has changed since it was last called.
func (m *Map) Root() merkle.Hash {
	if m.root == nil {
		return empty
	}
	m.settle()
	return m.root.hash
}

// forkChanges is how many changes are worth more than one goroutine.
const forkChanges = 64

// settle calculates the hashes that are not there. It may be called by several
// goroutines, unless one of them changes the map.
func (m *Map) settle() {
	if m.root == nil || m.pending.Load() == 0 {
		return
	}
	m.family.mu.Lock()
	defer m.family.mu.Unlock()
	fork := 0
	if procs := runtime.GOMAXPROCS(0); procs > 1 && m.pending.Load() >= forkChanges {
		fork = bits.Len(uint(procs)) + 1 // some more parts than processors
	}
	m.root.settle(0, fork)
	m.pending.Store(0)
}

// Snapshot returns the map as it is now. It takes O(1): both share all nodes, and
// whichever changes, which both may, copies those on its way. Keep one for each
// version to be proved or compared.
func (m *Map) Snapshot() *Map {
	s := &Map{root: m.root, len: m.len, family: m.family}
	s.pending.Store(m.pending.Load())
	if m.owner.Load() != nil {
		m.owner.Store(nil)
	}
	return s
}
