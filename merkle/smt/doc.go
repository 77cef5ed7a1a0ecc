// Package smt is a map whose root, one SHA-256 hash, commits to every key, to its
// value, and to there being no other keys: a sparse Merkle tree with proofs of
// presence and of absence.
//
//   - [Map] holds the tree. [Map.Snapshot] keeps a version in O(1), as git does a
//     commit, and [Diff] tells in which keys two versions differ.
//   - [Proof] shows to whoever has a root that a key has a value, or that it has none.
//
// Use it for state that others must be able to check key by key: balances,
// revocations, the owner of a name. For a history, where nothing is ever taken
// out, use package tlog. To find where replicas that trust each other differ, use
// package merkle, whose index takes no SHA-256; between parties that do not trust
// each other, compare roots and take Diff of two maps.
//
// # Trees
//
// The path of a key is SHA-256(key), read from its highest bit: 0 leads left. A
// subtree without keys has the hash zero, one with a single key that key's leaf,
// wherever it begins, and any other a node:
//
//	leaf = SHA-256(0x00 || path || SHA-256(value))
//	node = SHA-256(0x01 || left || right)
//
// These are the trees of celestiaorg/smt: Proof.Siblings are the SideNodes there,
// and [Proof.OtherLeaf] is the NonMembershipLeafData. There, setting an empty value
// deletes; here it does not. ics23 verifies them by its SmtSpec, absence by the
// presence of the keys with the paths before and after.
//
// # Concurrency
//
// A Map that changes is for one goroutine at a time; snapshots may be used by any
// number of them meanwhile, and hash what they share once.
//
// # Format
//
// A Proof is, in the order from the bottom up,
//
//	1   version, 0
//	1   1 if there is another leaf, else 0
//	..  number of siblings n, 0 to 256, as a shortest varint
//	..  (n+7)/8 bytes: bit i, from the lowest of the first byte, is set if
//	    sibling i is not zero; the bits beyond are 0
//	..  32 bytes for each sibling that is not zero
//	64  path and SHA-256(value) of the other leaf, if there is one
//
// # Stability
//
// Roots and proofs are those of celestiaorg/smt v0.3. The encoding of a Proof has
// version 0 and may change before v1.
//
// # Security
//
// A proof that was changed in any bit does not hold, and decoding is canonical: of
// all bytes one string is the proof. Verifying takes at most 256 steps, and
// decoding no more memory than 256 hashes.
//
// The zero root is that of the empty map: do not take a root that was forgotten
// for one. Whoever chooses keys can lengthen a path by k levels at the price of 2^k
// hashes, never beyond 256. Roots do not hide: whoever guesses a key and its value can
// check the guess against a proof of a neighbor.
package smt
