// Package cms counts how often keys occur, in fixed memory. Estimates are never
// below the truth.
//
//	type        what it answers                       memory
//	Sketch      how often was this key added?         53 KiB for New(0.001, 0.01)
//	Concurrent  the same, for many goroutines         the same
//	TopK        which k keys were added most often?   23 KiB and the keys for NewTopK(100)
//	Trending    which k keys are added most, lately?  39 KiB and the keys for NewTrending(100, d)
//	Window      how often was this key added lately?  a Sketch for each pane of time
//
// Do not use a sketch where a map of all keys fits, where counts must be exact,
// for membership (package bloom), or to tell how many different keys there were
// (package hll).
//
// A key that a [TopK] certifies as hot, whose Count-Error is beyond what one node
// should serve, may be read from all its owners: virtual nodes of package ring do
// not spread a single key.
//
// # Hashes
//
// Add hashes its key once, with XXH64; AddHash takes that hash, as distkit.Hash
// gives it, from whoever computed it before, for a ring or a filter. It is remixed
// with a salt of this package. So the sketch of a shard, whose keys were chosen by
// bits of the very hash, keeps its bounds, and raw integer identities may be given
// to AddHash.
//
// # Concurrency
//
// Any number of goroutines may query one value at the same time, while none
// changes it. [Concurrent] may be changed by many.
//
// # Accuracy
//
// A [Sketch] of depth rows of width counters exceeds the truth by more than
// e/width times the total with a probability of at most e^-depth (Cormode and
// Muthukrishnan 2005). Conservative sketches (Estan and Varghese 2002) have about
// half the mean error. A full counter stays full and never wraps.
//
// The bounds of a [TopK] hold with certainty, after merges too; how narrow they
// are depends on how skewed the stream is. Those of a [Trending] hold but for the
// rounding of float64, a share of 1e-10. A [Window] has the bounds of a Sketch of
// what it covers, which is its duration and up to one pane more.
//
// # Format
//
// Images are envelopes of distkit: all numbers little-endian, the last 8 bytes
// the XXH64 of what is before. A [Sketch]:
//
//	offset  size  field
//	0       2     0xD1 0x6B
//	2       1     16: cms.Sketch
//	3       1     1: version
//	4       1     flags: 1 conservative, 2 counters of 64 bits
//	5       1     0
//	6       1     4: parameters
//	7       1     6: the counters begin at a multiple of 2^6
//	8       8     w: counters a row, 1 to 2^32
//	16      8     d: rows, 1 to 16
//	24      8     total
//	32      8     check value of the secret, 0 without one
//	40      8     4wd, or 8wd
//	48      16    zero
//	64      ..    counters, row after row
//	..      8     XXH64
//
// With x = Mix(hash) under the salt of this package and g = M(M(x)) ^ M(M(x))>>32
// | 1, where M(x) = (x ^ x>>32) * 0xd6e8feb86659fd93, a key counts in cell
// floor(r*w / 2^64) of row i, r being x, rotated left by 13i bits, plus i*g.
//
// A [TopK] has kind 17, version 0, A = 0, the flag 1 if counters have 64 bits, and
// the parameters k, counters a row, items, MinCount, total and check value. Its
// payload is the counters of four rows and the items, largest first, equal ones by
// hash: hash (8 bytes), count, error and length of the key (uvarints), key.
//
// A [Trending] has kind 18, version 0, A = 3, no flags, and the parameters k,
// counters a row, items, half-life in nanoseconds, landmark in half-lives since
// the Unix epoch, time of the newest addition in Unix nanoseconds, MinScore, total
// and check value. An addition at t weighs 2^(t/half-life - landmark); counters and
// all that is a score in the interface are sums of weights, as float64. Its payload
// is the counters of four rows and the items as in a TopK, with count and error of
// 8 bytes each.
//
// A [Window] has kind 19, version 0, A = 3, the flag 1 if counters have 64 bits, and
// the parameters w, d, panes, window in nanoseconds, newest pane and check value.
// Panes are ceil(window/(panes-1)) nanoseconds long and numbered since the Unix
// epoch; pane p has slot p mod panes. The payload is the total of each slot (8
// bytes) and the counters, row after row, those of all slots side by side. What is
// over by the newest pane is zero; an empty Window has newest pane 0.
//
// # Stability
//
// The layout of Sketch, which cells a key has included, is frozen: every later
// release reads it. Those of TopK, Trending and Window have version 0 and may change
// before v1.
//
// # Security
//
// XXH64 is no keyed hash, and it is inverted with ease: whoever chooses the keys can
// inflate the count of another key, never lower it, and get a key among the items
// that does not belong there. Use WithSecret for keys of strangers. A weight costs
// nothing: AddN(key, 1<<63) is one addition. A flood of different keys raises all
// counters evenly, which ErrorBound and the Error of items show.
//
// Whoever sets the time of additions can spoil what comes: one far in the future makes
// all else in a [Trending] count for nothing until then, and a [Window] stop. Bound
// times that come from strangers. None makes either panic or work for long.
//
// Decoding trusts nothing: it allocates no more than the input justifies and
// either gives a sound sketch or an error. A checksum detects damage, not forgery:
// authenticate what you take from strangers.
package cms
