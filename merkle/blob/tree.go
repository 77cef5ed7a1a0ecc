package blob

import (
	"math/bits"

	"github.com/distkit/distkit/merkle"
)

// shape is the tree over a number of chunks: level 0 has a node for each, and
// each level above one for two of the level below. In both profiles the last node
// of a level has no right child if the number below is odd.
type shape struct{ chunks uint64 }

// top returns the level of the root. There must be a chunk.
func (s shape) top() int { return bits.Len64(s.chunks - 1) }

// width returns the number of nodes of a level.
func (s shape) width(level int) uint64 { return (s.chunks-1)>>level + 1 }

// span is a range of chunks, first and last included, that a proof is about.
type span struct{ first, last uint64 }

// beside tells whether node i of a level has no chunk of r in it.
func (r span) beside(level int, i uint64) bool {
	return i < r.first>>level || i > r.last>>level
}

// edges returns how many hashes of a level a proof for r needs: those of nodes
// beside the range whose parents are not.
func (s shape) edges(r span, level int) (n int) {
	if r.first>>level&1 == 1 {
		n++
	}
	if right := r.last>>level + 1; right&1 == 1 && right < s.width(level) {
		n++
	}
	return n
}

// appendProof appends the hashes beside r below node i of a level, from left to
// right; hash gives them.
func (s shape) appendProof(dst []merkle.Hash, r span, level int, i uint64, hash func(level int, i uint64) merkle.Hash) []merkle.Hash {
	if r.beside(level, i) {
		return append(dst, hash(level, i))
	}
	if level == 0 {
		return dst
	}
	dst = s.appendProof(dst, r, level-1, 2*i, hash)
	if 2*i+1 < s.width(level-1) {
		dst = s.appendProof(dst, r, level-1, 2*i+1, hash)
	}
	return dst
}

// growing holds the nodes over whole chunks, of a blob that grows.
type growing struct {
	profile Profile
	levels  [][]merkle.Hash
}

// push adds a whole chunk and the nodes that it completes.
func (g *growing) push(h merkle.Hash) {
	for level := 0; ; level++ {
		if level == len(g.levels) {
			g.levels = append(g.levels, nil)
		}
		g.levels[level] = append(g.levels[level], h)
		n := len(g.levels[level])
		if n%2 == 1 {
			return
		}
		h = g.profile.node(g.levels[level][n-2], h)
	}
}

// whole returns the number of whole chunks.
func (g *growing) whole() uint64 {
	if len(g.levels) == 0 {
		return 0
	}
	return uint64(len(g.levels[0]))
}

// node returns node i of a level of the tree of that shape, whose last chunk, if
// it is not whole, has the hash rest.
func (g *growing) node(s shape, rest merkle.Hash, level int, i uint64) merkle.Hash {
	switch {
	case level < len(g.levels) && i < uint64(len(g.levels[level])):
		return g.levels[level][i]
	case level == 0:
		return rest
	}
	left := g.node(s, rest, level-1, 2*i)
	if 2*i+1 < s.width(level-1) {
		return g.profile.node(left, g.node(s, rest, level-1, 2*i+1))
	}
	return g.profile.lone(left, level)
}
