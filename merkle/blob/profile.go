package blob

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"math/bits"

	"github.com/distkit/distkit/merkle"
	"github.com/distkit/distkit/merkle/tlog"
)

// Profile says how chunks are hashed and how their hashes make a root.
type Profile uint8

const (
	// RFC9162 is the tree of package tlog, with a chunk as an entry: leaves and
	// nodes are hashed under different prefixes. It is the default.
	RFC9162 Profile = iota

	// BitTorrentV2 is the tree of BEP 52, whose root torrents hold as "pieces root":
	// chunks of 16 KiB, no prefixes, and zero hashes up to a power of two.
	BitTorrentV2
)

// String returns the name of the constant.
func (p Profile) String() string {
	switch p {
	case RFC9162:
		return "RFC9162"
	case BitTorrentV2:
		return "BitTorrentV2"
	}
	return fmt.Sprintf("profile %d", uint8(p))
}

// leaf returns the hash of a chunk.
func (p Profile) leaf(chunk []byte) merkle.Hash {
	if p == BitTorrentV2 {
		return sha256.Sum256(chunk)
	}
	return tlog.LeafHash(chunk)
}

// node returns the hash of the node over two.
func (p Profile) node(left, right merkle.Hash) merkle.Hash {
	if p == BitTorrentV2 {
		var buf [2 * merkle.HashSize]byte
		copy(buf[:], left[:])
		copy(buf[merkle.HashSize:], right[:])
		return sha256.Sum256(buf[:])
	}
	return tlog.NodeHash(left, right)
}

// lone returns the hash of a node that has no right child: in an RFC 9162 tree
// the left child itself, in BEP 52 one padded with zero leaves.
func (p Profile) lone(left merkle.Hash, level int) merkle.Hash {
	if p == BitTorrentV2 {
		return p.node(left, padding[level-1])
	}
	return left
}

// padding[level] is the hash of a BEP 52 subtree of 2^level zero leaves.
var padding = func() (pads [64]merkle.Hash) {
	for level := range len(pads) - 1 {
		pads[level+1] = BitTorrentV2.node(pads[level], pads[level])
	}
	return pads
}()

const (
	defaultChunk = 16 << 10
	minChunk     = 1 << 10
	maxChunk     = 16 << 20
)

type config struct {
	profile Profile
	chunk   int
	sized   bool // by WithChunkSize
}

// Option is an option of [New].
type Option func(*config)

// WithProfile (Blob) sets how the root is made. Default: [RFC9162].
func WithProfile(p Profile) Option { return func(c *config) { c.profile = p } }

// WithChunkSize (Blob) sets the number of bytes that are hashed and verified
// together: a power of two from 1 KiB to 16 MiB. Default: 16 KiB. Smaller chunks
// blame a bad peer sooner; each costs 64 bytes of memory. It goes with [RFC9162]
// only.
func WithChunkSize(n int) Option { return func(c *config) { c.chunk, c.sized = n, true } }

func (c *config) check() error {
	switch {
	case c.profile == BitTorrentV2 && c.sized:
		return errors.New("blob: WithChunkSize does not go with BitTorrentV2, whose chunks have 16384 bytes")
	case c.chunk < 0:
		return fmt.Errorf("blob: chunk size is %d, want a power of two from %d to %d", c.chunk, minChunk, maxChunk)
	}
	return checkShape(c.profile, uint64(c.chunk))
}

func checkShape(p Profile, chunk uint64) error {
	switch {
	case p > BitTorrentV2:
		return fmt.Errorf("blob: profile is %d, want RFC9162 (0) or BitTorrentV2 (1)", uint8(p))
	case chunk < minChunk || chunk > maxChunk || bits.OnesCount64(chunk) != 1:
		return fmt.Errorf("blob: chunk size is %d, want a power of two from %d to %d", chunk, minChunk, maxChunk)
	case p == BitTorrentV2 && chunk != defaultChunk:
		return fmt.Errorf("blob: chunk size is %d, want %d for BitTorrentV2", chunk, defaultChunk)
	}
	return nil
}
