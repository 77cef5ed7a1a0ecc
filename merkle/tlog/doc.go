// Package tlog is a transparency log: a list that only grows, whose root, one
// SHA-256 hash, commits to every entry and to their order. Its trees and proofs
// are those of RFC 9162 (Certificate Transparency), byte for byte.
//
//   - [Log] keeps the hashes of all entries and makes proofs. [Log.Snapshot] gives
//     a [View], which readers use while the log grows.
//   - [Frontier] keeps what the root needs, 32*log2(n) bytes, and makes none.
//   - The Verify functions check proofs and keep nothing: a verifier needs a root
//     that it trusts and the size that goes with it.
//
// Use it where others must be able to check what you say about a history: that
// an entry is in it ([VerifyInclusion]), that nothing was changed or taken out
// since they last looked ([VerifyConsistency]). A root is worth what its
// publication is worth: sign it with its size, and let readers compare what they
// got. For a set of keys that change, with proofs of absence, use package smt; to
// check a large file piece by piece, package blob; to find where two of your own
// replicas differ, package merkle.
//
// # Trees
//
// A tree of n > 1 entries has a left subtree over the first k, the largest power
// of two below n, and a right one over the rest:
//
//	       root            leaf = SHA-256(0x00 || entry)
//	      /    \           node = SHA-256(0x01 || left || right)
//	     .      \          root of no entries = SHA-256("")
//	   /   \     \
//	  .     .     .
//	 / \   / \   / \
//	0   1 2   3 4   5
//
// A subtree is a range [start, end) of entries whose start is a multiple of the
// smallest power of two that is not below its length, as in
// draft-ietf-plants-merkle-tree-certs: [0, 6), [4, 6) or [4, 7), not [2, 6), and
// any [n, n). It has the root of a tree of its own entries, whether or not it is a node of a
// larger tree.
//
// # Concurrency
//
// A Log has one writer and any number of readers beside it, none of which takes a
// lock. A View is immutable. A Frontier is for one goroutine at a time.
//
// # Format
//
// Proofs are lists of hashes and have no encoding of their own: send them one
// after the other, 32 bytes each. An inclusion or consistency proof has the order
// of RFC 9162, from the leaf up. A batch proof has the order of a walk from the
// root, left before right: where a subtree has none of the indexes its hash comes,
// and where it is a single leaf of them nothing does.
//
// The image of a Log is kind 65 of distkit's envelope: one parameter, the size,
// and the leaf hashes. That of a Frontier is kind 66: the parameters begin and
// end, and the hashes of the largest complete subtrees that cover [begin, end),
// from left to right.
//
// # Stability
//
// Hashes, roots and proofs are fixed by RFC 9162; the order of batch proofs is
// frozen too. The images of Log and Frontier have version 0 and may change before
// v1.
//
// # Security
//
// Leaves and nodes are hashed under different prefixes, so that no entry can pass
// for a node. No leaf is duplicated to fill a level, and every verification takes
// the size: a proof has exactly one length that fits, and trees of different sizes
// do not share proofs. A proof that was changed in any bit, or has a hash too few
// or too many, is refused. Verifying hashes at most 2*log2 of the size times, for a
// batch 64 times an index, and takes no memory.
//
// The checksum of an image detects damage, not forgery. Whoever can replace an
// image can replace the history: compare the root with one that you trust.
package tlog
