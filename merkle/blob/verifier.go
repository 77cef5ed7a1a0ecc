package blob

import (
	"fmt"
	"iter"
	"maps"
	"math/bits"
	"slices"
	"sync"

	"github.com/distkit/distkit/merkle"
)

// Verifier checks the chunks of a blob as they come, in any order and from any
// number of peers that it does not trust. Whoever sends a chunk that is not the
// blob's, or a proof that does not hold, is found out by that one message.
//
// It keeps the hashes that were proved, so that peers need not send them again:
// tell them by [Verifier.Known] what to leave out, and a whole blob takes less
// than two hashes a chunk. It keeps no data. Memory grows with what was verified,
// to about 64 bytes a chunk. To go on after a restart, verify the chunks on disk
// again: their proofs bring no more hashes than the download did.
//
// A Verifier is safe for concurrent use. The zero Verifier knows nothing and
// panics when it is to verify: make one by [NewVerifier].
type Verifier struct {
	d Descriptor
	shape

	mu    sync.RWMutex
	known map[pageKey]*page // nil in a zero Verifier
	have  uint64            // chunks
}

const (
	pageLevels = 8
	pageLeaves = 1 << pageLevels
)

// A page has the nodes of eight levels below one node: 256, 128, and so on to 2.
type page struct {
	hashes []merkle.Hash // by themselves they fill a size class of the allocator
	known  [2 * pageLeaves / 64]uint64
	have   [pageLeaves / 64]uint64 // chunks verified, in pages of the lowest levels
}

type pageKey struct {
	level int // the lowest, a multiple of pageLevels
	index uint64
}

func place(level int, i uint64) (key pageKey, slot uint64) {
	r := level % pageLevels
	return pageKey{level - r, i >> (pageLevels - r)}, 2*pageLeaves - 2*pageLeaves>>r + i&(pageLeaves>>r-1)
}

// NewVerifier returns a verifier of the blob that d describes. d must come from
// someone who is trusted, or have an ID that does. NewVerifier fails if no blob
// can have d.
func NewVerifier(d Descriptor) (*Verifier, error) {
	if err := d.check(); err != nil {
		return nil, err
	}
	v := &Verifier{d: d, shape: shape{d.Chunks()}, known: map[pageKey]*page{}}
	if v.chunks > 0 {
		v.set(v.top(), 0, d.Root)
	}
	return v, nil
}

func (v *Verifier) get(level int, i uint64) (h merkle.Hash, ok bool) {
	key, slot := place(level, i)
	p := v.known[key]
	if p == nil || p.known[slot/64]>>(slot%64)&1 == 0 {
		return h, false
	}
	return p.hashes[slot], true
}

func (v *Verifier) set(level int, i uint64, h merkle.Hash) {
	key, slot := place(level, i)
	p := v.known[key]
	if p == nil {
		p = &page{hashes: make([]merkle.Hash, 2*pageLeaves-2)}
		v.known[key] = p
	}
	p.hashes[slot] = h
	p.known[slot/64] |= 1 << (slot % 64)
}

// Verify checks that data, one or more whole chunks from chunk on, belongs to the
// blob, and remembers what the proof has shown. The proof is of [Blob.Proof] for
// just these chunks, or of [Blob.ProofFor]; it may have been made for less than is
// known now.
//
// Data or a proof that does not hold is merkle.ErrProof: whoever sent it lied, or was
// misled itself. It leaves v as it was. A chunk that the blob does not have is
// merkle.ErrRange, the caller's mistake. A chunk may be verified twice. Data may
// hold more chunks than were asked for, if they are the blob's too: all of them
// count as verified, so keep all, or check the length before.
func (v *Verifier) Verify(chunk uint64, data []byte, proof []merkle.Hash) error {
	if v.known == nil {
		panic("blob: verify by a zero Verifier, make one by NewVerifier")
	}
	if err := v.check(chunk); err != nil {
		return err
	}
	c := climb{shape: v.shape, profile: v.d.Profile, proof: proof}
	if err := v.cut(&c, chunk, data); err != nil {
		return err
	}
	bases, level, ok := v.reached(c.span, len(proof))
	if !ok {
		return fmt.Errorf("blob: proof of %d hashes is of the wrong length for chunk %d: %w", len(proof), chunk, merkle.ErrProof)
	}
	for i, want := range bases {
		if c.hash(level, c.first>>level+uint64(i)) != want {
			return fmt.Errorf("blob: chunks %d to %d do not lead to what is known: %w", c.first, c.last, merkle.ErrProof)
		}
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, n := range c.found {
		v.set(n.level, n.i, n.hash)
	}
	for i := c.first; i <= c.last; i++ {
		v.keep(i)
	}
	return nil
}

// cut hashes data chunk by chunk.
func (v *Verifier) cut(c *climb, chunk uint64, data []byte) error {
	start, end := v.d.Bounds(chunk)
	size := uint64(len(data))
	whole := size%uint64(v.d.ChunkSize) == 0 || start+size == v.d.Size
	if size == 0 || size > v.d.Size-start || !whole {
		return fmt.Errorf("blob: %d bytes from chunk %d on, want whole chunks, as the first %d: %w", size, chunk, end-start, merkle.ErrProof)
	}
	for piece := range slices.Chunk(data, int(v.d.ChunkSize)) {
		c.leaves = append(c.leaves, v.d.Profile.leaf(piece))
	}
	c.span = span{chunk, chunk + uint64(len(c.leaves)) - 1}
	return nil
}

// reached returns the hashes of the known nodes, all of one level, that a proof of
// that length leads to. Proofs to higher levels have more hashes, and what is
// known never shrinks, so the length tells the level.
func (v *Verifier) reached(r span, length int) (hashes []merkle.Hash, level int, ok bool) {
	v.mu.RLock()
	defer v.mu.RUnlock()
	for n := 0; level <= v.top() && n <= length; level++ {
		if n == length {
			hashes = hashes[:0]
			for i := r.first >> level; i <= r.last>>level; i++ {
				h, ok := v.get(level, i)
				if !ok {
					break
				}
				hashes = append(hashes, h)
			}
			if uint64(len(hashes)) == r.last>>level-r.first>>level+1 {
				return hashes, level, true
			}
		}
		n += v.edges(r, level)
	}
	return nil, 0, false
}

// climb calculates nodes from chunks and a proof that is being used up.
type climb struct {
	shape
	profile Profile
	span
	leaves []merkle.Hash
	proof  []merkle.Hash
	found  []found
}

type found struct {
	level int
	i     uint64
	hash  merkle.Hash
}

// hash takes the walk of appendProof. The length of the proof has been checked.
func (c *climb) hash(level int, i uint64) (h merkle.Hash) {
	switch {
	case c.beside(level, i):
		h, c.proof = c.proof[0], c.proof[1:]
	case level == 0:
		h = c.leaves[i-c.first]
	default:
		h = c.hash(level-1, 2*i)
		if 2*i+1 < c.width(level-1) {
			h = c.profile.node(h, c.hash(level-1, 2*i+1))
		} else {
			h = c.profile.lone(h, level)
		}
	}
	c.found = append(c.found, found{level, i, h})
	return h
}

// keep marks a chunk as verified. Its page is there, for its hash is known.
func (v *Verifier) keep(chunk uint64) {
	key, slot := place(0, chunk)
	word, bit := &v.known[key].have[slot/64], uint64(1)<<(slot%64)
	if *word&bit == 0 {
		*word |= bit
		v.have++
	}
}

// Known tells whether the hash of node i of a level, over the chunks from
// i*2^level on, has been proved, so that no peer needs to send it. With a node its
// sibling and all above it are known. See [Blob.ProofFor].
func (v *Verifier) Known(level int, i uint64) bool {
	if v.chunks == 0 || level < 0 || level > v.top() {
		return false
	}
	v.mu.RLock()
	defer v.mu.RUnlock()
	_, ok := v.get(level, i)
	return ok
}

// Have tells whether the chunk has been verified.
func (v *Verifier) Have(chunk uint64) bool {
	v.mu.RLock()
	defer v.mu.RUnlock()
	key, slot := place(0, chunk)
	p := v.known[key]
	return p != nil && p.have[slot/64]>>(slot%64)&1 == 1
}

// Done tells whether all chunks have been verified. An empty blob is done at once.
func (v *Verifier) Done() bool {
	v.mu.RLock()
	defer v.mu.RUnlock()
	return v.known != nil && v.have == v.chunks
}

// Missing returns the runs of chunks that have not been verified, first chunk and
// number, ascending, as they are when the loop begins: it may verify chunks.
func (v *Verifier) Missing() iter.Seq2[uint64, uint64] {
	return func(yield func(uint64, uint64) bool) {
		start := uint64(0) // of the run of missing chunks before here
		for chunk := range v.verified() {
			if chunk > start && !yield(start, chunk-start) {
				return
			}
			start = chunk + 1
		}
		if start < v.chunks {
			yield(start, v.chunks-start)
		}
	}
}

// verified returns the verified chunks in ascending order.
func (v *Verifier) verified() iter.Seq[uint64] {
	v.mu.RLock()
	defer v.mu.RUnlock()
	have := map[uint64][pageLeaves / 64]uint64{}
	for key, p := range v.known {
		if key.level == 0 && p.have != [pageLeaves / 64]uint64{} {
			have[key.index] = p.have
		}
	}
	return func(yield func(uint64) bool) {
		for _, index := range slices.Sorted(maps.Keys(have)) {
			for w, word := range have[index] {
				for ; word != 0; word &= word - 1 {
					if !yield(index<<pageLevels + uint64(w*64+bits.TrailingZeros64(word))) {
						return
					}
				}
			}
		}
	}
}

// ProofFor is [Blob.ProofFor] of a blob of which v has verified the chunk: whoever
// downloads can serve others meanwhile. A chunk that it does not have yet is
// merkle.ErrRange.
func (v *Verifier) ProofFor(chunk uint64, known func(level int, i uint64) bool) ([]merkle.Hash, error) {
	if err := v.check(chunk); err != nil {
		return nil, err
	}
	if !v.Have(chunk) {
		return nil, fmt.Errorf("blob: chunk %d has not been verified: %w", chunk, merkle.ErrRange)
	}
	level := v.base(chunk, known) // may be another Verifier's: no lock is held
	v.mu.RLock()
	defer v.mu.RUnlock()
	return v.appendProof(nil, span{chunk, chunk}, level, chunk>>level, func(level int, i uint64) merkle.Hash {
		h, _ := v.get(level, i)
		return h
	}), nil
}
