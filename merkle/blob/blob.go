package blob

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"runtime"

	"github.com/distkit/distkit/merkle"
)

// Blob hashes a file chunk by chunk, tells what it is by a [Descriptor], and
// proves of every chunk that it belongs to it. It keeps hashes, not data: 64 bytes
// a chunk. Write to it, or let it read by [Blob.ReadFrom], which uses all
// processors; sums and proofs are of what has been written so far.
//
// One goroutine at a time may write. A Blob that nobody writes to, such as one
// that is served, may be used by any number. The zero Blob has no chunks and
// panics when it is written to: make one by [New].
type Blob struct {
	growing
	chunk int // 0 in a zero Blob
	size  uint64
	rest  hash.Hash   // of the chunk that is not whole yet
	open  int         // bytes of it
	sum   merkle.Hash // scratch
}

// New returns an empty blob. It fails for a chunk size that is no power of two
// from 1 KiB to 16 MiB, for a profile that is none, and for a chunk size besides
// BitTorrentV2.
func New(opts ...Option) (*Blob, error) {
	c := config{chunk: defaultChunk}
	for _, opt := range opts {
		if opt == nil {
			return nil, errors.New("blob: option is nil")
		}
		opt(&c)
	}
	if err := c.check(); err != nil {
		return nil, err
	}
	return &Blob{growing: growing{profile: c.profile}, chunk: c.chunk, rest: sha256.New()}, nil
}

// Write adds p to the blob. The error is always nil.
func (b *Blob) Write(p []byte) (int, error) {
	b.wantMade()
	n := len(p)
	for len(p) > 0 {
		if b.open == 0 {
			b.rest.Reset()
			if b.profile == RFC9162 {
				b.rest.Write(leafPrefix)
			}
		}
		k := min(len(p), b.chunk-b.open)
		b.rest.Write(p[:k])
		b.open += k
		p = p[k:]
		if b.open == b.chunk {
			b.rest.Sum(b.sum[:0])
			b.push(b.sum)
			b.open = 0
		}
	}
	b.size += uint64(n)
	return n, nil
}

var leafPrefix = []byte{0}

// ahead is how much is read at a time, unless a chunk is larger.
const ahead = 512 << 10

// part is a piece of the source, whole chunks, that a goroutine hashes.
type part struct {
	buf    []byte
	hashes []merkle.Hash
	done   chan struct{}
}

// ReadFrom adds all that r gives, up to io.EOF, and returns its length. It hashes
// on all processors while it reads, in memory of half a megabyte, or a chunk, for
// each. After an error of r, what came before is in the blob. Call it rather than
// io.Copy, which lets sources such as bytes.Reader write by themselves.
func (b *Blob) ReadFrom(r io.Reader) (total int64, err error) {
	b.wantMade()
	if b.open > 0 { // parts begin with a chunk
		head := make([]byte, b.chunk-b.open)
		n, err := io.ReadFull(r, head)
		_, _ = b.Write(head[:n])
		if total += int64(n); err != nil {
			return total, endOf(err)
		}
	}
	parts := make([]part, runtime.GOMAXPROCS(0)+1)
	for turn := 0; ; turn++ {
		p := &parts[turn%len(parts)]
		b.collect(p)
		if p.buf == nil {
			p.buf = make([]byte, max(b.chunk, ahead))
		}
		n, err := io.ReadFull(r, p.buf)
		total += int64(n)
		whole := n - n%b.chunk
		p.start(b.profile, b.chunk, whole)
		if err != nil {
			rest := p.buf[whole:n]
			for i := range parts { // from the oldest
				b.collect(&parts[(turn+1+i)%len(parts)])
			}
			_, _ = b.Write(rest)
			return total, endOf(err)
		}
	}
}

func (p *part) start(profile Profile, chunk, n int) {
	p.done = make(chan struct{})
	go func() {
		defer close(p.done)
		for at := 0; at < n; at += chunk {
			p.hashes = append(p.hashes, profile.leaf(p.buf[at:at+chunk]))
		}
	}()
}

// collect waits for a part and adds its chunks.
func (b *Blob) collect(p *part) {
	if p.done == nil {
		return
	}
	<-p.done
	for _, h := range p.hashes {
		b.push(h)
	}
	b.size += uint64(len(p.hashes) * b.chunk)
	p.hashes, p.done = p.hashes[:0], nil
}

// endOf returns nil for an error that says that the source has ended.
func endOf(err error) error {
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		return nil
	}
	return err
}

func (b *Blob) wantMade() {
	if b.chunk == 0 {
		panic("blob: write to a zero Blob, make one by New")
	}
}

// Sum returns the descriptor of what has been written. It may go on being
// written to. The sum of a zero Blob is the zero Descriptor.
func (b *Blob) Sum() Descriptor {
	d := Descriptor{Profile: b.profile, ChunkSize: uint32(b.chunk), Size: b.size}
	switch s := b.shape(); {
	case s.chunks > 0:
		d.Root = b.node(s, b.leftover(), s.top(), 0)
	case b.chunk > 0:
		d.Root = emptyRoots[b.profile]
	}
	return d
}

// shape counts the last chunk whether it is whole or not.
func (b *Blob) shape() shape {
	s := shape{b.whole()}
	if b.open > 0 {
		s.chunks++
	}
	return s
}

// leftover returns the hash of the chunk that is not whole.
func (b *Blob) leftover() (h merkle.Hash) {
	if b.open > 0 {
		h = merkle.Hash(b.rest.Sum(nil))
	}
	return h
}

// Proof returns the proof that the n chunks from first on belong to the blob:
// the hashes at the edges of the range, from left to right, at most 2*log2 of the
// number of chunks. [Verifier.Verify] takes it; under [RFC9162] it is the batch
// proof of these indexes, and tlog.VerifyBatch takes it too. A range that is empty
// or not there is merkle.ErrRange.
func (b *Blob) Proof(first, n uint64) ([]merkle.Hash, error) {
	s := b.shape()
	if n == 0 || first >= s.chunks || n > s.chunks-first {
		return nil, fmt.Errorf("blob: %d chunks from %d on, want some of [0, %d): %w", n, first, s.chunks, merkle.ErrRange)
	}
	return b.prove(s, span{first, first + n - 1}, s.top()), nil
}

// ProofFor returns the proof for one chunk of which the receiver knows some nodes
// already, and so has fewer hashes: known tells of node i of a level, over the
// chunks from i*2^level on, whether the receiver knows its hash. [Verifier.Known]
// of the receiver is such a function; nil means that it knows the root only. A
// chunk that is not there is merkle.ErrRange.
func (b *Blob) ProofFor(chunk uint64, known func(level int, i uint64) bool) ([]merkle.Hash, error) {
	s := b.shape()
	if err := s.check(chunk); err != nil {
		return nil, err
	}
	return b.prove(s, span{chunk, chunk}, s.base(chunk, known)), nil
}

// prove goes up to the nodes of a level.
func (b *Blob) prove(s shape, r span, level int) (proof []merkle.Hash) {
	rest := b.leftover()
	for i := r.first >> level; i <= r.last>>level; i++ {
		proof = s.appendProof(proof, r, level, i, func(level int, i uint64) merkle.Hash {
			return b.node(s, rest, level, i)
		})
	}
	return proof
}

// base returns the lowest level of a known node over a chunk. What is known has
// been proved, so that all above it is known as well.
func (s shape) base(chunk uint64, known func(level int, i uint64) bool) int {
	if known != nil {
		for level := range s.top() {
			if known(level, chunk>>level) {
				return level
			}
		}
	}
	return s.top()
}

func (s shape) check(chunk uint64) error {
	if chunk >= s.chunks {
		return fmt.Errorf("blob: chunk is %d, want one of [0, %d): %w", chunk, s.chunks, merkle.ErrRange)
	}
	return nil
}
