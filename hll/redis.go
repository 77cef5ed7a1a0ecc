package hll

import (
	"math/bits"

	"github.com/distkit/distkit/internal/codec"
)

// Redis counts distinct keys as Redis does, on the string that PFADD keeps: its
// hash, its 2^14 registers, its estimator. Decode what GET gives or a dump holds,
// count and merge, and write it back with SET: Redis goes on from there. An image
// is the string itself, not an envelope of distkit.
//
// It takes 16 KiB once it is not empty, and errs by 0.81 %. A [Sketch] is near
// exact for small sets and takes any hash and a secret; use it where Redis need
// not read along. The hash is public, MurmurHash64A with a known seed: strangers
// who choose keys can make them count for nothing or for millions.
//
// A Redis is not safe for concurrent use, except that any number of goroutines may
// query it while none changes it. The zero Redis is empty and ready for use.
type Redis struct {
	// Dense, precision 14, its registers in the order of Redis, which takes the
	// low bits of the hash for the index and counts zeros from the low end. Without
	// registers it is empty.
	s Sketch
}

const (
	redisPrecision = 14
	redisRegisters = 1 << redisPrecision
	redisSeed      = 0xadc83b19
)

// NewRedis returns an empty Redis.
func NewRedis() *Redis { return new(Redis) }

// Add adds key as PFADD does, and reports whether that changed r.
func (r *Redis) Add(key []byte) bool { return r.add(murmur64A(key, redisSeed)) }

// AddString is Add for a string.
func (r *Redis) AddString(key string) bool { return r.add(murmur64A(key, redisSeed)) }

func (r *Redis) add(h uint64) bool {
	if len(r.s.regs) == 0 {
		r.s = redisSketch(make([]uint8, redisRegisters))
	}
	const q = 64 - redisPrecision
	i := h & (redisRegisters - 1)
	v := uint8(bits.TrailingZeros64(h>>redisPrecision|1<<q)) + 1
	if v <= r.s.regs[i] {
		return false
	}
	r.s.raise(i, v)
	return true
}

// redisSketch returns the Sketch of these registers, whose sums are still to be
// counted.
func redisSketch(regs []uint8) Sketch { return Sketch{p: redisPrecision, regs: regs, stale: true} }

// Estimate returns the estimated number of distinct keys: what PFCOUNT answers. It
// does not modify r.
func (r *Redis) Estimate() uint64 { return r.s.Estimate() }

// Bounds returns an interval around Estimate as [Sketch.Bounds] does.
func (r *Redis) Bounds(sigmas float64) (lower, upper uint64) { return r.s.Bounds(sigmas) }

// IsEmpty reports whether no key was added.
func (r *Redis) IsEmpty() bool { return len(r.s.regs) == 0 }

// Merge makes r the union of r and other, as PFMERGE does. A nil other is
// ErrIncompatible.
func (r *Redis) Merge(other *Redis) error {
	switch {
	case other == nil:
		return codec.Incompatible("hll", "merge with a nil Redis")
	case other.IsEmpty():
		return nil
	case r.IsEmpty():
		r.s = redisSketch(make([]uint8, redisRegisters))
	}
	r.s.mergeRegisters(&other.s)
	return nil
}

// Clone returns a copy of r that shares nothing.
func (r *Redis) Clone() *Redis { return &Redis{*r.s.Clone()} }

// Equal reports whether r and other hold the same registers, and so have the same
// estimates and images.
func (r *Redis) Equal(other *Redis) bool { return other != nil && r.s.Equal(&other.s) }

// Reset empties r.
func (r *Redis) Reset() { r.s = Sketch{} }

// SizeBytes returns the memory that r holds: 16 KiB, or nothing when it is empty.
func (r *Redis) SizeBytes() int { return r.s.SizeBytes() }

// murmur64A is MurmurHash64A, little-endian (Appleby, public domain).
func murmur64A[K string | []byte](key K, seed uint64) uint64 {
	const m, shift = 0xc6a4a7935bd1e995, 47
	h := seed ^ uint64(len(key))*m
	for ; len(key) >= 8; key = key[8:] {
		k := uint64(key[0]) | uint64(key[1])<<8 | uint64(key[2])<<16 | uint64(key[3])<<24 |
			uint64(key[4])<<32 | uint64(key[5])<<40 | uint64(key[6])<<48 | uint64(key[7])<<56
		k *= m
		k ^= k >> shift
		h = (h ^ k*m) * m
	}
	if len(key) > 0 {
		for i := range len(key) {
			h ^= uint64(key[i]) << (8 * i)
		}
		h *= m
	}
	h ^= h >> shift
	h *= m
	return h ^ h>>shift
}
