package tlog

import (
	"crypto/sha256"
	"hash"
	"sync"

	"github.com/distkit/distkit/internal/merklehash"
	"github.com/distkit/distkit/merkle"
)

// What stands before the bytes of a leaf and of a node, so that neither can be
// taken for the other.
const (
	leafPrefix = 0
	nodePrefix = 1
)

// EmptyRoot returns the root of the tree without entries: SHA-256 of nothing.
func EmptyRoot() merkle.Hash { return sha256.Sum256(nil) }

// LeafHash returns the hash of an entry as a leaf: SHA-256(0x00 || entry). It
// does not allocate.
func LeafHash(entry []byte) merkle.Hash {
	h := merklehash.Get()
	defer h.Put()
	return leafHash(h, entry)
}

func leafHash(h *merklehash.Hasher, entry []byte) merkle.Hash {
	if len(entry) > merklehash.MaxShort {
		return longLeafHash(entry)
	}
	return h.Short(leafPrefix, entry)
}

// longHasher hashes entries that are too long to be copied behind their prefix.
type longHasher struct {
	hash.Hash
	buf [merkle.HashSize]byte
}

var longHashers = sync.Pool{New: func() any { return &longHasher{Hash: sha256.New()} }}

func longLeafHash(entry []byte) merkle.Hash {
	h := longHashers.Get().(*longHasher)
	defer longHashers.Put(h)
	h.Reset()
	h.buf[0] = leafPrefix
	h.Write(h.buf[:1])
	h.Write(entry)
	return merkle.Hash(h.Sum(h.buf[:0]))
}

// NodeHash returns the hash of the node over two subtrees:
// SHA-256(0x01 || left || right).
func NodeHash(left, right merkle.Hash) merkle.Hash {
	h := merklehash.Get()
	defer h.Put()
	return combine(h, &left, &right)
}

func combine(h *merklehash.Hasher, left, right *merkle.Hash) merkle.Hash {
	return h.Pair(nodePrefix, (*merklehash.Hash)(left), (*merklehash.Hash)(right))
}
