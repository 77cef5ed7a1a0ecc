// Package merkle finds where replicas differ. A [Tree] is an index of a
// replica's rows, kept up to date as they change; it tells in O(log n) what any
// range of the ring holds, in 24 bytes that are equal if the rows are.
//
// Trees of other shapes are compared all the same: a summary depends on the set
// of entries only. So a range is cut out or joined in O(log n) when it changes
// owner ([Tree.Cut], [Tree.Join]), where a fixed tree of hashes would have to be
// calculated again.
//
// Do not use it between parties that do not trust each other: its sums are no
// commitment. The secret keeps those out who do not have it.
//
// # Rows by position
//
// A [Tree] names positions, not keys. Index the rows by (position, key), as
// Cassandra does by token, and fetch by range of positions; the rows of one
// position travel together. The position is distkit.Hash of the key (XXH64) or,
// under [WithSecret], distkit.Secret.Hash of it: then a Tree counts a ring's
// ranges exactly. WithSecret goes with the ring's own WithSecret, [WithSumSecret]
// with a ring that has none: a mismatch selects the wrong rows in silence.
//
// # Concurrency
//
// A Tree has one writer and no readers beside it; a [Tree.Snapshot] takes no time
// and may be read by any number of goroutines while the tree goes on changing.
//
// # Accuracy
//
// Summaries of different sets are equal by chance once in 2^128. A version is
// known by a 64-bit digest, a key by a 64-bit position.
//
// # Format
//
// A [Hash] is 64 hexadecimal digits in text.
//
// # Stability
//
// The sums have version 0 and may change before v1.
//
// # Security
//
// Without a secret, all who write must be trusted: they can choose keys of equal
// position, and rows whose sums agree though they differ. With one, positions and
// sums are pseudo-random to who does not know it. The height of a tree does not
// depend on positions, whoever chose them.
package merkle
