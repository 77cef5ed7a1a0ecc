// Package bloom answers "was this key added?" from a few bits a key: never a
// false no, and a false yes at the rate that was asked for.
//
// [Filter] is the one to begin with: a split-block Bloom filter, one half of a
// cache line an operation, in the layout of the Parquet format.
//
//	type        bits a key at 1 %, 0.1 %   lines touched   what it has
//	Filter      10.5  16.9                 1               batches, merges, folding, Parquet
//	Concurrent  10.5  16.9                 1               a Filter for many goroutines
//	View        10.5  16.9                 1               a Filter over bytes, read-only
//	Classic      9.6  14.4                 up to k         smallest to add to, rates to 1e-10
//	Static       7.9  11.3                 3               smallest, built once from all keys
//	Counting    45.8  78.1                 1               removal
//	Scalable    22.2  34.5                 1 a layer       grows (bits after a thousandfold), keeps its rate
//	Rotating    18.4  28.8                 3               the last n keys, or the last hour's
//
// Do not use a filter where a false yes cannot be afforded, where the set is so
// small that a map will do, or to count (use package cms) or to tell how many
// different keys there were (use package hll).
//
// # Hashes
//
// Add hashes its key once, with XXH64; AddHash takes that hash, as distkit.Hash
// gives it, from whoever computed it before, for a ring or a sketch. Every
// filter remixes it with a salt of this package. So the filter of a shard, whose
// keys were chosen by bits of the very hash, works to its rate, and raw integer
// identities may be given to AddHash.
//
// # Concurrency
//
// Any number of goroutines may query one value at the same time, while none
// changes it. A [Concurrent] may be changed at the same time as well.
//
// # Accuracy
//
// New sizes a filter by the exact Poisson mixture of its block loads, so a rate
// of 1 % is 1 %: measured rates lie within 3 % of the asked one. Closed forms in
// common use forget the variance of the loads and give 1.46 % for it.
// EstimatedFPR computes the rate of a filter as it stands from its bits.
//
// # Format
//
// Images are envelopes of distkit: all numbers little-endian, the last 8 bytes
// the XXH64 of what is before. A [Filter]:
//
//	offset  size  field
//	0       2     0xD1 0x6B
//	2       1     1: bloom.Filter
//	3       1     1: version
//	4       1     flags: 1 if hashes are not remixed (NewParquet)
//	5       1     0
//	6       1     2: parameters
//	7       1     6: the bits begin at a multiple of 2^6
//	8       8     Z: number of blocks, 1 to 2^32-1
//	16      8     check value of the secret, 0 without one
//	24      8     32 Z
//	32      32    zero
//	64      32 Z  blocks: eight 32-bit lanes each
//	..      8     XXH64
//
// A [Classic] has kind 2, version 1, no flags, A = 3 and the parameters m (bits, a
// multiple of 64), k and the check value; its payload is m/8 bytes, bit i in byte
// i/8. With h = Mix(hash) and step = Mix(h, prime3)|1 the positions of a key are
// floor(h*m/2^64), after each of which h grows by step and step by i*prime2, i = 1,
// 2 ... (Mix and the primes of XXH64: package comment of internal/hash64).
//
// A [Counting] has kind 3, version 0, A = 6 and the parameters lines and check
// value; its payload is 64 bytes a line: eight words of sixteen counters.
//
// A [Static] has kind 6, version 0, A = 3 and the parameters seed, segments, places
// a segment, width and check value; its payload is (segments+2)*places fingerprints
// of width bits, packed from the low bit on, and 8 zero bytes; nothing without keys.
//
// A [Scalable] has kind 4, version 0, A = 3 and the parameters first, rate (a
// float64), keys in the newest layer, layers and check value; its payload is the
// numbers of blocks of all layers, then the blocks of all layers, as in a Filter.
// To the hash of a key, layer i adds i*prime1.
//
// A [Rotating] has kind 5, version 0, A = 6, the flag 1 if it has a beginning in
// time, and the parameters blocks Z, panes G, newest pane, keys a pane is for, keys
// in the newest, blocks of the oldest that are cleared, window and beginning
// (nanoseconds) and check value; its payload is Z groups of G blocks.
//
// # Stability
//
// The layouts of Filter and Classic are frozen: every later release reads them.
// Those of the other types have version 0 and may change before v1.
//
// # Security
//
// XXH64 is no keyed hash, and it is inverted with ease: whoever chooses the keys can
// fill a filter, or find keys that it takes for members. Use WithSecret for keys
// of strangers (user names, URLs), watch EstimatedFPR, and replace the secret and
// rebuild from time to time: whoever sees the answers can still collect false
// positives and replay them.
//
// Decoding trusts nothing: it allocates no more than the input justifies and
// either gives a sound filter or an error. A checksum detects damage, not
// forgery: authenticate what you take from strangers.
package bloom
