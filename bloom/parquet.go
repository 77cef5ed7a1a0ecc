package bloom

import (
	"github.com/distkit/distkit/internal/codec"
)

// NewParquet is New for the open format of Parquet files, which Arrow, DuckDB,
// ClickHouse, Impala and Velox read: blocks and bits are chosen by the XXH64 of
// the key as it is. So AddHash wants that hash and no other identity, and keys
// must not come from a shard chosen by bits of it. Some readers take only sizes
// that are a power of two (WithPowerOfTwo), some at most 128 MiB. Options:
// WithMaxBytes, WithPowerOfTwo.
func NewParquet(n uint64, p float64, opts ...Option) (*Filter, error) {
	c, err := newConfig("NewParquet", optMaxBytes|optPowerOfTwo, opts)
	if err != nil {
		return nil, err
	}
	return newFilter(n, p, c, true)
}

// FromParquet returns the filter whose blocks are bitset, as they stand in a
// Parquet file after the filter's header: 32 to 32*(2^32-1) bytes, a multiple of
// 32, which are copied. It is what NewParquet makes; anything else is ErrCorrupt.
func FromParquet(bitset []byte) (*Filter, error) {
	n := uint64(len(bitset))
	if n == 0 || n%blockBytes != 0 || n/blockBytes > maxBlocks {
		return nil, codec.Corrupt(codec.BloomFilter, "Parquet bitset of %d bytes, want a multiple of %d", n, blockBytes)
	}
	return &Filter{blocks: blocks{words: codec.Words(bitset), raw: true}}, nil
}

// AppendParquet appends the blocks of f, Bits()/8 bytes, as they stand in a
// Parquet file after the filter's header. It is ErrIncompatible unless f is a
// filter of NewParquet or FromParquet.
func (f *Filter) AppendParquet(b []byte) ([]byte, error) {
	if !f.raw {
		return b, codec.Incompatible("bloom", "filter of New remixes its hashes, want one of NewParquet")
	}
	return codec.AppendWords(b, f.words), nil
}
