package bloom

import (
	"encoding/binary"

	"github.com/distkit/distkit/internal/codec"
)

// View is a Filter over its image, which may lie in a mapped file or in a block
// of a cache: opening it reads 64 bytes and copies nothing. It is a small value;
// any number of goroutines may query it. The bytes must not change while it is
// in use. The zero View contains nothing.
type View struct {
	image []byte // header, blocks and checksum
	raw   bool
	keyed
}

// filterHeader is the length of the header of a Filter's image, padding included.
const filterHeader = 64

// OpenView returns a View of data, exactly the image of a [Filter]. It checks
// the header and the length, not the checksum: see Verify. An image that was made
// under a secret is ErrIncompatible without it, and the reverse; anything else
// that is wrong is ErrCorrupt. It allocates nothing. Options: WithSecret.
func OpenView(data []byte, opts ...Option) (View, error) {
	v := View{image: data}
	if len(opts) > 0 {
		c, err := newConfig("OpenView", optSecret, opts)
		if err != nil {
			return View{}, err
		}
		v.keyed = c.keyed
	}
	const fixed = uint64(0xD1) | 0x6B<<8 | uint64(codec.BloomFilter)<<16 | filterVersion<<24 | filterParams<<48 | filterAlign<<56
	const flags = uint64(0xFFFF) << 32 // those to understand and those to ignore
	if len(data) < filterHeader+8 {
		return View{}, codec.Corrupt(codec.BloomFilter, "%d bytes, want at least %d", len(data), filterHeader+8)
	}
	if first := binary.LittleEndian.Uint64(data); first&^flags != fixed || data[4]&^filterRaw != 0 {
		return View{}, codec.Corrupt(codec.BloomFilter, "begins with %x, want the header of a bloom.Filter", data[:8])
	}
	z, check, payload := binary.LittleEndian.Uint64(data[8:]), binary.LittleEndian.Uint64(data[16:]), binary.LittleEndian.Uint64(data[24:])
	if err := checkFilterBlocks(z, payload); err != nil {
		return View{}, err
	}
	if have := uint64(len(data) - filterHeader - 8); have != payload {
		return View{}, codec.Corrupt(codec.BloomFilter, "payload of %d bytes, header says %d", have, payload)
	}
	if check != v.checkValue() {
		if err := v.Verify(); err != nil {
			return View{}, err
		}
		return View{}, v.acceptSecret(check)
	}
	v.raw = data[4]&filterRaw != 0
	return v, nil
}

// bitset returns the blocks. There are none in a zero View.
func (v View) bitset() []byte { return v.image[filterHeader : len(v.image)-8] }

// Contains reports whether key may have been added.
func (v View) Contains(key []byte) bool { return v.ContainsHash(v.Hash(key)) }

// ContainsString is Contains for a string.
func (v View) ContainsString(key string) bool { return v.ContainsHash(v.HashString(key)) }

// ContainsHash is Contains for the key that h identifies.
func (v View) ContainsHash(h uint64) bool {
	return len(v.image) > 0 && containsBytes(v.bitset(), v.raw, h)
}

// ContainsHashes sets out[i] to ContainsHash(hs[i]) for every i below the length
// of the shorter slice and returns how many are true, fetching memory ahead.
func (v View) ContainsHashes(out []bool, hs []uint64) int {
	n := min(len(out), len(hs))
	if len(v.image) == 0 {
		clear(out[:n])
		return 0
	}
	return containsBytesBatch(v.bitset(), v.raw, out[:n], hs[:n])
}

// Bits returns the number of bits of the filter, a multiple of 256.
func (v View) Bits() uint64 {
	if len(v.image) == 0 {
		return 0
	}
	return 8 * uint64(len(v.bitset()))
}

// Verify reads all of the image and compares its checksum; damage is ErrCorrupt.
func (v View) Verify() error {
	h, payload, err := codec.Parse(v.image, codec.BloomFilter, filterVersion)
	if err != nil {
		return err
	}
	return new(Filter).accept(h, uint64(len(payload)))
}
