package hash64

import (
	"math/bits"

	"github.com/cespare/xxhash/v2"
	"golang.org/x/exp/constraints"
)

// The primes of XXH64 (Cyan4973/xxHash, doc/xxhash_spec.md).
const (
	prime1 uint64 = 0x9E3779B185EBCA87
	prime2 uint64 = 0xC2B2AE3D27D4EB4F
	prime3 uint64 = 0x165667B19E3779F9
	prime4 uint64 = 0x85EBCA77C2B2AE63
	prime5 uint64 = 0x27D4EB2F165667C5
)

// Bytes returns the XXH64 of b with seed 0.
func Bytes(b []byte) uint64 { return xxhash.Sum64(b) }

// String returns the XXH64 of s with seed 0. It equals Bytes([]byte(s)) and
// does not copy.
func String(s string) uint64 { return xxhash.Sum64String(s) }

// Integer returns the XXH64 (seed 0) of the 8 little-endian bytes of uint64(i):
// the same value as Bytes of those bytes, in less than half the time, because
// it is plain Go that the compiler inlines.
func Integer[I constraints.Integer](i I) uint64 {
	h := prime5 + 8
	h ^= bits.RotateLeft64(uint64(i)*prime2, 31) * prime1
	h = bits.RotateLeft64(h, 27)*prime1 + prime4
	h ^= h >> 33
	h *= prime2
	h ^= h >> 29
	h *= prime3
	return h ^ h>>32
}

// Mix returns a full-avalanche bijection of h^salt: Stafford's variant 13, the
// finalizer of SplitMix64. Distinct hashes stay distinct under one salt, and
// the results under two salts look independent. Package hash64's comment says
// why every structure needs it.
func Mix(h, salt uint64) uint64 {
	h ^= salt
	h ^= h >> 30
	h *= 0xbf58476d1ce4e5b9
	h ^= h >> 27
	h *= 0x94d049bb133111eb
	return h ^ h>>31
}

// Reduce maps h to [0, n) by its high bits: floor(h*n / 2^64). It is monotone
// in h, its bias is at most n/2^64, and it is 0 for n == 0. (Lemire 2019, "Fast
// random integer generation in an interval".)
func Reduce(h, n uint64) uint64 {
	hi, _ := bits.Mul64(h, n)
	return hi
}
