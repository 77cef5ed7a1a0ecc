// Package codec is the envelope that every stored distkit type rides in, and
// the two errors that all decoders share.
//
//	offset  size  field
//	0       2     magic 0xD1 0x6B (no ASCII and no UTF-8: never mistaken for text)
//	2       1     kind: what is inside, from one table that is never reused
//	3       1     version of the kind's layout: 0 may change before v1, from 1 on frozen
//	4       1     flags that a reader must understand: an unknown bit is refused
//	5       1     flags that a reader may ignore
//	6       1     P, the number of parameters, 0..15
//	7       1     A, log2 of the payload's alignment from the image's start: 0, 3 or 6
//	8       8*P   parameters, uint64 little-endian (floats by math.Float64bits)
//	..      8     L, the payload's length in bytes, uint64 little-endian
//	..      0..63 zero bytes up to a multiple of 2^A
//	..      L     payload
//	..      8     XXH64 (seed 0) of everything before, little-endian
//
// Fields are fixed and not varints, so that ten lines in any language read a
// header, and the payload of the large kinds starts at a multiple of 64, so
// that a file can be mapped and queried in place.
//
// # Rules
//
// Images are canonical: equal state gives equal bytes, and what a decoder
// accepts it encodes to the same bytes again, but for unknown flags that it may
// ignore, which it does not write. Decoding a slice wants exactly
// one image; reading a stream takes exactly one and not a byte more, so images
// concatenate. A decoder leaves its receiver as it was when it fails.
//
// Whatever fails is [ErrCorrupt], other kinds, newer versions and unknown flags
// included; [ErrIncompatible] is left for a sound image that the receiver must
// not take: another secret, or more bytes than its limit.
//
// [Stored] is what most types stand on: what a header and a payload say is theirs,
// the seven methods of encoding, the secret and the order of checks are here.
//
// The checksum detects damage, not forgery: authenticate what strangers send.
//
// # Allocation
//
// [Parse] checks the length that the header states against the bytes at hand
// before anything is allocated. [Reader] cannot know what will come, so it grows
// its buffer with what has arrived: at most twice that and 64 KiB.
package codec
