package smt

import (
	"encoding/binary"
	"math/bits"
	"sync"

	"github.com/distkit/distkit/internal/merklehash"
	"github.com/distkit/distkit/merkle"
)

// What stands before the bytes of a leaf and of a node.
const (
	leafPrefix = 0
	nodePrefix = 1
)

// depth is the number of bits of a path, and the bit of a leaf.
const depth = 8 * merkle.HashSize

// node is a leaf, whose bit is depth, or an inner node over two subtrees: their
// leaves share the bits before bit, and differ in it. The levels that an inner
// node skips, below its parent's bit, have an empty subtree on one side.
//
// Hashes are kept by the parent, so that a walk from the root finds those beside
// its path without a look at other nodes. A node whose owner is not the map's
// token is shared, and never changes, but that hashes become known, which they do
// once and under the family's lock.
type node struct {
	path  merkle.Hash    // of a leaf, or of any leaf below
	hash  [2]merkle.Hash // of the children's subtrees, which begin below bit; of a leaf hash[0] is its value's
	child [2]*node
	owner *token
	bit   uint16
	known [2]bool // the hashes of the children
}

// token is the right of one map to change nodes. It has a size, so that no two
// have the same address.
type token struct{ _ byte }

func (n *node) isLeaf() bool { return n.bit == depth }

// value is SHA-256 of a leaf's value.
func (n *node) value() *merkle.Hash { return &n.hash[0] }

// side returns to which child path leads.
func (n *node) side(path *merkle.Hash) byte { return bitOf(path, int(n.bit)) }

// bitOf returns bit i of a path; 0 is the highest bit of the first byte.
func bitOf(path *merkle.Hash, i int) byte { return path[i/8] >> (7 - i%8) & 1 }

// shared returns how many first bits a and b have in common, at most limit.
func shared(a, b *merkle.Hash, limit int) int {
	for i := 0; i < merkle.HashSize; i += 8 {
		if x := binary.BigEndian.Uint64(a[i:]) ^ binary.BigEndian.Uint64(b[i:]); x != 0 {
			return min(limit, 8*i+bits.LeadingZeros64(x))
		}
	}
	return limit
}

func hashLeaf(h *merklehash.Hasher, path, value *merkle.Hash) merkle.Hash {
	return h.Pair(leafPrefix, (*merklehash.Hash)(path), (*merklehash.Hash)(value))
}

func hashNode(h *merklehash.Hasher, left, right *merkle.Hash) merkle.Hash {
	return h.Pair(nodePrefix, (*merklehash.Hash)(left), (*merklehash.Hash)(right))
}

// empty is the hash of a subtree without leaves.
var empty merkle.Hash

// above returns the hash of the node over below, which path leads to, and the
// sibling, at a depth.
func above(h *merklehash.Hasher, below, sibling, path *merkle.Hash, at int) merkle.Hash {
	if bitOf(path, at) == 0 {
		return hashNode(h, below, sibling)
	}
	return hashNode(h, sibling, below)
}

// hashAt returns the hash of the subtree that begins at a depth not below its
// branch. The hashes of the children must be known.
func (n *node) hashAt(h *merklehash.Hasher, from int) merkle.Hash {
	if n.isLeaf() {
		return hashLeaf(h, &n.path, n.value())
	}
	sum := hashNode(h, &n.hash[0], &n.hash[1])
	for at := int(n.bit) - 1; at >= from; at-- {
		sum = above(h, &sum, &empty, &n.path, at)
	}
	return sum
}

// settle returns hashAt, and makes known what is not below n. The highest levels,
// fork of them, are shared among goroutines.
func (n *node) settle(h *merklehash.Hasher, from, fork int) merkle.Hash {
	switch {
	case n.isLeaf():
	case fork > 0 && !n.known[0] && !n.known[1]:
		n.findBoth(h, fork-1)
	default:
		n.find(h, 0, fork)
		n.find(h, 1, fork)
	}
	return n.hashAt(h, from)
}

func (n *node) find(h *merklehash.Hasher, side, fork int) {
	if !n.known[side] {
		n.hash[side] = n.child[side].settle(h, int(n.bit)+1, fork)
		n.known[side] = true
	}
}

func (n *node) findBoth(h *merklehash.Hasher, fork int) {
	var wg sync.WaitGroup
	wg.Go(func() {
		h := merklehash.Get()
		defer h.Put()
		n.find(h, 0, fork)
	})
	n.find(h, 1, fork)
	wg.Wait()
}
