// Package vclock tells which of two events or versions came first, and when
// neither did: causality, without trusting wall clocks.
//
//   - [Clock] is a vector clock or version vector: an immutable value,
//     comparable with ==, whose memory is its canonical encoding.
//   - [Siblings] holds the concurrent values of one key of a replicated store:
//     a dotted version vector set, with true conflicts and no false ones.
//   - [Lamport] is a counter that never contradicts causality: 8 bytes, a total
//     order, and no telling of concurrent events.
//   - [Causal] delivers broadcast messages in causal order.
//   - [Dot] names a single event; [NewActor] makes an id that nobody had before.
//
// The subpackage hlc is a hybrid logical clock, a Lamport clock that stays close
// to wall time; shiviz records executions and checks them; itc has clocks for
// actors that come and go.
//
// Use a Clock to order versions of a value, to tell a client what it has read,
// or to stamp messages. Use Siblings in a store that takes writes in several
// places. Keep ids to the servers that take writes: a clock with an id for every
// client grows for ever; an entry may be dropped only as [Clock.Without] says.
// Where a total order that respects causality is enough and conflicts need not
// be seen, use a Lamport or hybrid logical clock; where one leader orders all
// writes, a counter.
//
// A Clock never changes, so Merge returns the merged clock, where the mutable
// types of distkit merge into the receiver and return an error; nor does it need
// Clone or Reset.
//
// # Concurrency
//
// Clock, Dot and Siblings are immutable values and may be used by any number of
// goroutines at once; so may Lamport, which is lock-free, and Causal, which is
// not. The rule that remains is causality's own: an id is one
// serial writer. Two goroutines that tick one id from the same clock make the
// same dot twice, and then equal dots name different events.
//
// # Format
//
// The entries of a clock follow each other ascending by the bytes of their ids,
// each id once:
//
//	uvarint  length of the id, at most 1024
//	bytes    id
//	uvarint  counter, 1 to 2^62
//
// A uvarint is that of encoding/binary, as short as it can be. The binary form
// of a clock is
//
//	offset  size  field
//	0       1     version, 1
//	1       4     low 32 bits of the XXH64 (seed 0) of the entries, little-endian
//	5       ..    entries, at most 65536 bytes
//
// so {"a":1, "b":2} is 01 74 e3 34 3b 01 61 01 01 62 02. The text form is the
// binary form in base64url without padding. The JSON form is an object of
// counters, ascending by id. Equal clocks have equal bytes in all three.
//
// Encoded siblings are
//
//	offset  size  field
//	0       1     version, 0
//	1       4     low 32 bits of the XXH64 (seed 0) of the rest, little-endian
//	5       ..    uvarint length of the entries of the context, and these
//	..      ..    for each entry of the context: uvarint number k of its values,
//	              and k times uvarint length of a value, and the value
//
// The k values of an entry (id, n) have the dots n, n-1, ... n-k+1 of id. Their
// JSON form is an object with the context and, for each id, its values.
//
// # Stability
//
// Clock's binary, text and JSON forms are frozen: they will be read for ever.
// The encodings of siblings have version 0 and may change before v1.
//
// # Security
//
// Decoders refuse whatever is not the one canonical encoding of a value, bound
// their memory by their input, and never panic. Checksums find damage, not
// forgery: XXH64 is no message authentication code. A client that may invent a
// context can claim writes that have not happened, which then count as
// overwritten when they do happen. So put contexts into tokens that you
// authenticate, or clip them to what the server knows: seen.Meet(s.Context()).
// Counters above 2^62 are refused, so that no message brings a counter near its
// end; a counter that has been brought to 2^62 cannot be encoded after the next
// tick, which fails loudly. Lamport refuses times that are too far ahead, and
// Causal bounds what waits.
package vclock
