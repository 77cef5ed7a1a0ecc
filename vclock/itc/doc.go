// Package itc has interval tree clocks: vector clocks for actors that come and
// go. There is no list of ids: a new actor gets half of the interval that another
// owns, one that leaves gives its part back, and the clock grows and shrinks with
// the actors that are there. See Almeida, Baquero and Fonte, "Interval tree
// clocks: a logical clock for dynamic systems", 2008.
//
//	      [------------- Seed -------------]
//	Fork  [------ a ------][------ b ------]
//	Fork  [------ a ------][-- b --][-- c --]
//	Join  [------------- a -------][-- c --]
//
// Use it where actors are many and short-lived, as processes, tasks or replicas
// made by hand, and each can be told who made it. Where ids are few and stay, a
// vclock.Clock is simpler, names its actors, and survives the loss of one: an
// actor that disappears without a Join takes its part of the interval with it,
// and a stamp that is restored from a backup is a copy, which may repeat events.
//
// # Concurrency
//
// A [Stamp] is an immutable value and may be used by any number of goroutines at
// once. But each stamp is one actor: of two goroutines that both go on from one
// stamp, the events cannot be told apart. [ErrOverlap] finds such copies when
// they meet.
//
// # Format
//
//	offset  size  field
//	0       1     version, 0
//	1       4     low 32 bits of the XXH64 (seed 0) of the rest, little-endian
//	5       ..    id and events, in the bit code of the paper, and zero bits up
//	              to a whole byte; at most 65536 bytes
//
// The first bit is the highest of its byte. With N(x) for the bits of a number:
//
//	id     00 0          nothing             00 1            all
//	       01 R          of the right half   10 L            of the left half
//	       11 L R        of both
//	event  1 N(n)        n everywhere
//	       0 00 R        0, L and 0, 0, R    in the half without letter nothing,
//	       0 01 L                            in the other more
//	       0 10 L R                          in both more
//	       0 11 0 0 1 N(n) R                 the same three above n
//	       0 11 0 1 1 N(n) L
//	       0 11 1 1 N(n) L R
//	N      0 and two bits for 0 to 3, 10 and three bits for 4 to 11, 110 and four
//	       bits for 12 to 27, and so on
//
// Halves with equal ids or equal events are written as one, and n is as large as
// it can be, so a stamp has one encoding. A stamp that owns all and has seen
// nothing takes six bytes. The text form is the binary form in base64url without
// padding.
//
// # Stability
//
// The encoding has version 0 and may change before v1.
//
// # Security
//
// The decoder does not recurse, takes trees of up to 64 levels and refuses all
// that is not canonical; 64 KiB of bit code become at most 2 MB. The checksum
// finds damage, not forgery: a stranger who can invent stamps can own what others
// own, or claim events that have not happened. Authenticate what you join.
package itc
