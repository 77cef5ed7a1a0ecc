// Package merkle finds where replicas differ. A [Tree] is an index of a
// replica's rows, kept up to date as they change; it tells in O(log n) what any
// range of the ring holds, in 24 bytes that are equal if the rows are.
//
// Trees of other shapes are compared all the same: a summary depends on the set
// of entries only. So a range is cut out or joined in O(log n) when it changes
// owner ([Tree.Cut], [Tree.Join]), where a fixed tree of hashes would have to be
// calculated again.
//
// A [Session] finds the differing entries of two trees by messages that you
// carry, and [Sync] carries them over a stream: the initiator asks, the responder
// answers with sums, cells of a rateless sketch or lists, and keeps nothing between
// messages. The initiator learns every difference, often from the first answer;
// the responder learns none.
//
// Do not use it between parties that do not trust each other: its sums are no
// commitment. The secret keeps those out who do not have it. Proofs for those who
// trust nobody are below: merkle/tlog (logs, RFC 9162), merkle/smt (maps) and
// merkle/blob (files).
//
// # Who learns what
//
// An opening tells the responder whether all is equal, and if not, nothing more. An
// answer tells the initiator whether all is equal or what differs: if it can be
// decoded, the two messages were the session, and the initiator knows every
// difference. Further requests name slices of the ring, never what was found in
// them. So repair in both directions is the initiator's: for each [Diff] it asks for
// the rows that the other side has and sends those that it has itself, and where
// both have one, the newer, which the rows say. A responder that should know by
// itself initiates a session of its own, at the same cost again.
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
// A [Hash] is 64 hexadecimal digits in text. A stored [Tree] has the envelope of
// all distkit types, with kind 64, version 0, its payload at a multiple of 8, and
//
//	flag 1       without sketches
//	flag 2       the secret is that of [WithSumSecret]
//	parameter 0  check of the secret: SipHash-2-4 of a constant, or 0
//	payload      8 position, 8 version for each entry, by position, each once
//
// It holds no sums and no nodes: decoding makes them anew, in a fifth of the time
// that Put takes.
//
// Messages have no envelope; integers are little-endian, varints those of
// encoding/binary, as short as can be. An initiator's message is
//
//	1   kind: 1 opens, 2 asks
//	8   salt; 4 check of the secret under the salt
//	..  uvarint: KiB that the answer may have
//	..  uvarint: number of spans, 0 for the whole ring; for each 8 first, 8 last
//	16  if it opens: SipHash-2-4-128 of salt, count and sum of all spans
//	..  if it asks, for each slice: 8 first, 8 last, 1 first cell, 1 cell to
//	    end before, uvarint number of parts
//
// and an answer is
//
//	1   kind: 3 equal, 4 tells
//	4   first bytes of the salt; if it tells, what follows:
//	..  uvarint: KiB that the responder takes in a message
//	..  for each part of a slice that was asked for, in order: 8 last position,
//	    uvarint count of entries, 8 tag of count and sum, 1 number of cells, which
//	    follow: 8 positions, 8 versions, 4 checks, all by exclusive or, and the
//	    zig-zag varint of their count less 2n/(i+2), rounded down, for cell i of n
//	    entries; if there are no cells, 8 position, 8 version for each entry
//	..  if it answers an opening with cells: the counts of those up to the 64th
//
// The tag is the first half of what an opening has for all spans. The counts at the
// end tell how many differences there are. Parts that have no room are left out and
// asked for again.
//
// # Stability
//
// Images, sums and messages have version 0 and may change before v1. Replicas that
// are compared should run one release until then.
//
// # Security
//
// Without a secret, all who write must be trusted: they can choose keys of equal
// position, and rows whose sums agree though they differ. With one, positions and
// sums are pseudo-random to whoever does not know it. The height of a tree does not
// depend on positions, whoever chose them. Sums are sent under a salt only.
//
// A peer that lies can hide or invent entries of its own, but every answer is held
// against its sum: what does not prove them is asked for again or refused. The
// length of messages, their number and the differences are bounded ([ErrLimit]).
package merkle
