// Package blob verifies large files piece by piece, while they arrive in any
// order from peers that nobody trusts.
//
//   - [Blob] is the publisher's side: it hashes a file chunk by chunk, describes
//     it, and proves of every chunk that it belongs to it.
//   - [Descriptor] is what a receiver must trust: 80 bytes, or the 32 of its ID.
//   - [Verifier] is the receiver's side: it takes or refuses chunks as they come,
//     knows which are missing, and tells peers which hashes they need not send.
//   - [FSVerityDigest] is the digest that Linux gives a file under fs-verity.
//
// Use it where a download must not have to end before a lie in it is found out, or
// where peers serve a file that they are still fetching themselves. For a file
// that comes whole from one place a plain SHA-256 does. For a list that grows, use
// package tlog.
//
// Chunks are hashed as a log of package tlog, or as BitTorrent v2 does
// ([WithProfile]). SHA-256 is the one hash; BLAKE3 trees and the bao format are
// faster in assembly, and other packages have them.
//
// # Concurrency
//
// A Blob has one writer; when nobody writes any longer, any number of goroutines
// may use it. A Verifier is safe for concurrent use. A Descriptor is a value.
//
// # Format
//
// Level 0 of a tree has a node for each chunk, and each level above one for every
// two of the level below. The last of an odd number is, in the RFC 9162 profile,
// carried up as it is; under BitTorrent v2 it is combined with the root of as many
// zero leaves as are missing. A proof for a range of chunks has the hashes of the
// largest nodes beside it, from left to right, below known nodes or the root; what
// a verifier calculates by itself is left out. Send the hashes one after the
// other, 32 bytes each.
//
// The image of a Descriptor is kind 67 of distkit's envelope: the parameters
// profile (0 RFC 9162, 1 BitTorrent v2), chunk size and size, and the root. Its
// ID is SHA-256(0x02 || image).
//
// # Stability
//
// Roots are fixed by RFC 9162, BEP 52 and Linux. The image of a Descriptor, and so
// its ID, has version 0 and may change before v1.
//
// # Security
//
// A root does not commit to the size of a file: trust descriptors, not roots. The
// size fixes the depth of every chunk, so that under BitTorrent v2, which has no
// prefixes to tell leaves from nodes, none can pass for the other; do not take the
// size from a peer.
//
// [Verifier.Verify] refuses data or a proof that was changed in any bit, and keeps
// nothing of it; its memory is bounded by what it has accepted. A peer that has
// been refused may have been misled itself, if it does not verify what it passes
// on.
package blob
