// Package hll estimates the number of distinct keys in fixed memory.
//
// A run of three heads and a tail, HHHT, comes once in 16 throws of four coins: the
// longest run of heads suggests how often they were thrown. The bits of a hash are
// such coins. Of keys whose hashes end in 2, 1, 0 and 2 zeros the longest run
// suggests 2^(2+1) = 8 keys. One such counter errs by more than its own size, ten by
// a third. [Sketch] keeps one for each of 2^p groups of keys and takes a mean, and
// [ExaLogLog] keeps some of the shorter runs too, for less error a byte. A billion
// visitors take a gigabyte at one byte each; here they take 16 or 8 KiB, for an
// error of 0.8 %.
//
//	type        bytes at 0.8 %   what it has
//	Sketch      16,384           bytes for registers, frozen images of 12 KiB
//	ExaLogLog    8,192           half the memory, a larger range of precisions
//	Concurrent  16,384           for many goroutines, without locks
//	Window      16,384 a pane    the keys of the last while
//	Redis       16,384           the strings that PFADD keeps, read and written
//
// Do not use it where the count must be exact, or to ask whether a key was there
// (package bloom) or how often (package cms).
//
// # Hashes
//
// Add hashes its key once, with XXH64; AddHash takes that hash, as distkit.Hash
// gives it, from whoever computed it before. Every sketch remixes it with a salt
// of this package. So the sketch of a shard, whose keys were chosen by bits of
// the very hash, counts right, and raw integer identities may be given to AddHash.
//
// # Concurrency
//
// Any number of goroutines may query one value at the same time, while none
// changes it. A [Concurrent] may be changed at the same time as well.
//
// # Accuracy
//
// With m registers the relative standard error is 1.039/sqrt(m) for a Sketch and
// 0.344/sqrt(m) for an ExaLogLog, over the whole range and without bias; 0.833 and
// 0.306 by WithMartingale. Small sets are kept as tokens of their hashes, and
// their counts err by 5e-5.
//
// Union and Merge lose nothing: the result is the sketch of all keys. [Intersect]
// errs by what theory says is the least possible for such pairs of registers.
//
// # Format
//
// Images are envelopes of distkit: all numbers little-endian, the last 8 bytes
// the XXH64 of what is before. A [Sketch]:
//
//	offset  size  field
//	0       2     0xD1 0x6B
//	2       1     32: hll.Sketch
//	3       1     1: version
//	4       1     flags: 1 dense, 2 WithMartingale
//	5       1     0
//	6       1     3: parameters
//	7       1     0
//	8       8     p: precision, 4 to 18
//	16      8     sparse: n, the number of tokens, at most 3*2^p/16
//	              dense: the martingale estimate as a float64, NaN (0x7FF8000000000001)
//	              once it is lost, 0 without WithMartingale
//	24      8     check value of the secret, 0 without one
//	32      8     L, the length of what follows
//	40      L     sparse: tokens; dense: 2^p registers of 6 bits, low bits first
//	..      8     XXH64
//
// With x = Mix(hash) (package comment of internal/hash64) the top p bits of x
// choose the register, whose value is the largest number of zeros that follow,
// plus 1. The token of x is its top 26 bits, the index, and the number of zeros
// that follow, at most 38. Tokens are written in increasing order as one stream of
// bits, low bits first, with zeros up to a whole byte: of the gap g to the index
// before (0 at first) g>>k ones, a 0 and the low k bits, where k is the floor of
// log2(ln 2 * 2^26/n), but at least 0; then as many ones as zeros follow, and a 0.
//
// An [ExaLogLog] has kind 33, version 0 and the same parameters; p is 2 to 24 and
// n at most min(3*2^p/4, 98304). Its registers take 32 bits: the largest value in
// the top 8, then a bit for each of the 24 values below. The low 2 bits of x are
// the low bits of the value, the next p choose the register. Tokens are those of x
// rotated left by 38.
//
// A [Window] has kind 34, version 0, no flags and five parameters: p; d in
// nanoseconds; the number n of panes, 2 to 64; the number of the newest pane, its
// time since the Unix epoch divided by w and rounded down, 0 if there is no key;
// the check value of the secret. A pane is w = d/(n-1) nanoseconds long, rounded
// up. The payload is the panes from the oldest to the newest, each as in a Sketch
// behind a head: the uint32 0xFFFFFFFF before registers, the number of tokens and
// that of their bytes as two uint32 before tokens. The newest has a key, if any has.
//
// A [Redis] is no envelope but the string that Redis keeps:
//
//	offset  size    field
//	0       4       "HYLL"
//	4       1       0 dense, 1 sparse
//	5       3       0
//	8       8       cached count; its top bit says that it is stale. Not read, and
//	                written as 0 and stale
//	16      12,288  dense: 2^14 registers of 6 bits, low bits first
//	                sparse: runs, 2^14 registers in all: 00xxxxxx of x+1 zeros,
//	                01xxxxxx yyyyyyyy of 256x+y+1 zeros, 1vvvvvxx of x+1 times v+1
//
// Its hash h is MurmurHash64A with seed 0xadc83b19; the low 14 bits choose the
// register, whose value is the largest number of zeros from bit 14 upwards, plus 1.
//
// # Stability
//
// The layout of Sketch is frozen: every later release reads it. That of Redis is
// Redis's. Those of ExaLogLog and Window have version 0 and may change before v1.
//
// # Security
//
// XXH64 is no keyed hash. Whoever chooses the keys, knowing the code, can add keys
// that do not count, or a few that count for any number (Paterson and Raynal
// 2021; Reviriego, Adell and Ting 2020). There are three levels of defense:
//
//   - WithSecret hashes keys with SipHash under a secret, so nobody can choose keys
//     beforehand. A [Redis] has no such option: its hash is given.
//   - A keyed hash of the caller's own, passed to AddHash, does the same and serves
//     other structures too: distkit.Secret, or maphash within one process.
//   - Whoever sees what Add returns, or the estimate after each key, still learns which
//     keys change it, under any secret: show neither to strangers.
//
// Decoding trusts nothing: it allocates no more than the input justifies and
// either gives a sound sketch or an error. A checksum detects damage, not
// forgery: authenticate what you take from strangers.
package hll
