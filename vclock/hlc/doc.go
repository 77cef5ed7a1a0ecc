// Package hlc is a hybrid logical clock: timestamps of eight bytes that stay
// close to wall time and yet never contradict causality. If one event saw
// another, its timestamp is larger; two timestamps of one clock are never equal;
// and a timestamp is within the drift of the clocks of the time that people
// mean. See Kulkarni, Demirbas, Madappa, Avva and Leone, "Logical physical
// clocks and consistent snapshots in globally distributed databases", 2014.
//
// Use it to order versions and transactions, for last-writer-wins, for
// snapshots, and for ids that sort by time. Add the id of the host as the
// tie-break: two clocks may issue equal timestamps. It does not tell concurrent
// events from ordered ones: that takes a [vclock.Clock] of github.com/distkit/distkit/vclock.
//
// [Clock.Now] stamps what happens here and [Clock.Observe] what arrives: every
// message carries a timestamp, and the receiver observes it before it acts.
//
// # Concurrency
//
// A Clock may be used by any number of goroutines at once; it is lock-free. A
// Timestamp is a plain number.
//
// # Accuracy
//
// A timestamp has microseconds, and a counter for the events within one: up to
// 4096 of them, after which the count carries into the time, which then runs
// ahead of the wall clock and waits for it. The time of a clock is at most the
// maximal drift ahead of its own source, or ahead by such a carry.
//
// # Format
//
// A Timestamp is 52 bits of microseconds since 1970, to the year 2112, and 12
// bits of counter. Its binary form is the eight bytes of the number, big-endian,
// and its text form 16 lower-case hexadecimal digits: both sort as timestamps do.
//
// # Stability
//
// The encodings have version 0 and may change before v1.
//
// # Security
//
// A timestamp from the future would drag the clocks of all who hear of it along.
// [Clock.Observe] refuses those that are further ahead than the maximal drift,
// without a trace. Within that bound a peer may still push time forward.
package hlc
