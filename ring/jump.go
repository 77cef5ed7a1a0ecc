package ring

import (
	"math"
	"math/bits"

	"github.com/distkit/distkit/internal/hash64"
)

// Jump returns the bucket of h among buckets 0 to buckets-1, -1 unless 1 <=
// buckets <= 2^31-1. It is the jump consistent hash of Lamping and Veach (2014),
// and agrees with its other implementations: perfectly balanced, no memory, and
// from n to n+1 buckets a key moves only to the new one. It takes O(log buckets)
// time. h is a hash of the key, such as distkit.Hash; it is not remixed.
//
// Buckets can be added and removed at the end only: when server 3 of 10 fails,
// Jump cannot say so. That is for shards that are numbered for good, with
// replicas behind each; servers that come and go need a [Ring], [Rendezvous] or
// [Maglev].
func Jump(h uint64, buckets int) int {
	if buckets < 1 || int64(buckets) > math.MaxInt32 {
		return -1
	}
	// The paper compares the whole part of next with buckets. That is the same, but
	// would make the branch, which nothing can predict, wait for it.
	b, limit := int64(0), float64(buckets)
	for {
		h = h*2862933555777941757 + 1
		next := float64(b+1) * (float64(1<<31) / float64(int64(h>>33)+1))
		if next >= limit {
			return int(b)
		}
		b = int64(next)
	}
}

// JumpBack returns the bucket of h among buckets 0 to buckets-1, -1 unless 1 <=
// buckets <= 2^31-1. It is JumpBackHash (Ertl 2024, arXiv 2403.18682): it
// promises what [Jump] does, buckets at the end only, in constant expected time
// and in integers, but puts keys into other buckets than Jump. h is any 64-bit
// value that differs for different keys.
//
// It considers the powers of two below buckets as intervals [p, 2p). The bits of
// a first random word say in which of them the key once jumped; in the highest
// such interval it draws the bucket, back to where a bucket exists.
func JumpBack(h uint64, buckets int) int {
	if buckets < 1 || int64(buckets) > math.MaxInt32 {
		return -1
	}
	n := uint32(buckets)
	state := h + golden
	word := hash64.Mix(state, 0)
	mask := uint32(1)<<bits.Len32(n-1) - 1
	for jumps := (uint32(word) ^ uint32(word>>32)) & mask; jumps != 0; {
		low := uint32(1) << (bits.Len32(jumps) - 1)
		half := bits.OnesCount32(jumps) & 1 << 5 // either half is independent of jumps
		if b := low + uint32(word>>half)&(low-1); b < n {
			return int(b)
		}
		b := jumpBackOn(&state, low, n)
		if b >= 0 {
			return b
		}
		jumps ^= low
	}
	return 0
}

// jumpBackOn draws from [0, 2 low) until it hits a bucket in [low, n), or -1 for
// a draw below low: the key was not in that interval with n buckets.
func jumpBackOn(state *uint64, low, n uint32) int {
	for {
		*state += golden
		word := hash64.Mix(*state, 0)
		for range 2 {
			b := uint32(word) & (2*low - 1)
			if b < low {
				return -1
			}
			if b < n {
				return int(b)
			}
			word >>= 32
		}
	}
}
