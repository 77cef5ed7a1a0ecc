// Package merklehash hashes what Merkle trees hash, by SHA-256: a prefix and two
// hashes, or a prefix and a few bytes.
//
// Of the 180 ns that sha256.Sum256 takes for 65 bytes only half go into its two
// blocks; the rest pads, buffers and copies. Here the padded blocks are laid out
// beforehand and written whole, and the hash is read from the state that the hash
// function marshals, which takes 135 ns. Nothing says how the state is laid out,
// so [Get] relies on it only after a comparison with Sum256 when the program
// starts; if another implementation or a later Go does it differently, Sum256 is
// called.
package merklehash

import (
	"crypto/sha256"
	"encoding"
	"hash"
	"sync"
)

const (
	// Size is the length of a hash.
	Size = sha256.Size
	// MaxShort is the length of the data that [Hasher.Short] takes at most: two
	// blocks less prefix, end mark and length.
	MaxShort = 2*sha256.BlockSize - 1 - trailer

	trailer  = 1 + 8 // end mark and length in bits
	pairSize = 1 + 2*Size
	stateAt  = 4 // the marshaled state begins with 4 bytes that name it
)

// Hash is a SHA-256 hash.
type Hash = [Size]byte

// state is what crypto/sha256 gives out.
type state interface {
	hash.Hash
	encoding.BinaryAppender
}

// Hasher hashes pairs and short data without allocating. It is for one goroutine
// at a time.
type Hasher struct {
	s       state // nil: by Sum256
	pair    [2 * sha256.BlockSize]byte
	short   [2 * sha256.BlockSize]byte
	marshal [128]byte
}

var pool = sync.Pool{New: func() any { return newHasher(sound()) }}

// Get returns a Hasher, to be returned by [Hasher.Put].
func Get() *Hasher { return pool.Get().(*Hasher) }

// Put ends the use of h.
func (h *Hasher) Put() { pool.Put(h) }

func newHasher(direct bool) *Hasher {
	h := new(Hasher)
	if direct {
		h.s, _ = sha256.New().(state)
	}
	finish(h.pair[:], pairSize)
	return h
}

// sound compares both ways once.
var sound = sync.OnceValue(func() bool {
	direct, plain := newHasher(true), newHasher(false)
	a, b := sha256.Sum256([]byte("left")), sha256.Sum256([]byte("right"))
	ok := direct.Pair(1, &a, &b) == plain.Pair(1, &a, &b)
	for n := range MaxShort + 1 {
		data := append(a[:], append(b[:], make([]byte, MaxShort)...)...)[:n]
		ok = ok && direct.Short(0, data) == plain.Short(0, data)
	}
	return ok
})

// finish puts the end of a message of n bytes into the last of its blocks: the end
// mark, zeros, and the length in bits, which is below 2^16.
func finish(blocks []byte, n int) {
	blocks[n] = 0x80
	clear(blocks[n+1:])
	end := len(blocks)
	blocks[end-2], blocks[end-1] = byte(8*n>>8), byte(8*n)
}

// Pair returns SHA-256(prefix || left || right).
func (h *Hasher) Pair(prefix byte, left, right *Hash) Hash {
	h.pair[0] = prefix
	copy(h.pair[1:], left[:])
	copy(h.pair[1+Size:], right[:])
	if h.s == nil {
		return sha256.Sum256(h.pair[:pairSize])
	}
	return h.blocks(h.pair[:])
}

// Short returns SHA-256(prefix || data) of at most [MaxShort] bytes.
func (h *Hasher) Short(prefix byte, data []byte) Hash {
	h.short[0] = prefix
	n := 1 + copy(h.short[1:], data)
	if h.s == nil {
		return sha256.Sum256(h.short[:n])
	}
	blocks := h.short[:sha256.BlockSize]
	if n > sha256.BlockSize-trailer {
		blocks = h.short[:]
	}
	finish(blocks, n)
	return h.blocks(blocks)
}

// blocks returns the hash of a message that is padded already.
func (h *Hasher) blocks(b []byte) Hash {
	h.s.Reset()
	h.s.Write(b)
	m, err := h.s.AppendBinary(h.marshal[:0])
	if err != nil || len(m) < stateAt+Size {
		return Hash{} // no hash of anything: sound sees it
	}
	return Hash(m[stateAt:])
}
