// Package hints keeps writes for nodes that are away, and delivers them when
// they are back: the hinted handoff of Dynamo (DeCandia et al., SOSP 2007).
//
//	log, err := hints.Open(dir)
//	...
//	err = log.Put(hints.Hint{Owner: "node-3", Key: key, Value: versioned})
//	...
//	// when node-3 is up again
//	err = hints.Replay(ctx, log, "node-3", func(ctx context.Context, h hints.Hint) error {
//	    return put(ctx, h.Owner, h.Key, h.Value)
//	})
//
// A hint is kept by the stand-in that took a write for an owner (package quorum:
// Target.Owner is another than Target.Node), or by the coordinator, in
// WriteOp.Missed. It is a promise to one node, bounded in bytes and in age: use
// it for absences of minutes or hours, and something that compares replicas,
// such as a Merkle tree, for the rest. It is not a queue for work that must not
// be lost: when it is full, the write has one copy less, and the store says so.
//
// [Memory] is gone with the process, [Log] survives it. [Replay] delivers at
// least once: a crash between a send and its Done sends once more, and a hint
// may arrive after a newer write. So values carry versions, and a node keeps
// the newer one.
//
// # Concurrency
//
// Stores are safe for concurrent use; Put and Done may go on while hints are
// iterated over or replayed. One process at a time may use the directory of a
// Log.
//
// # Format
//
// The directory of a [Log] is flat. Files are named after an id in 16 lowercase
// hexadecimal digits, and each stands alone:
//
//	ID.hints   hints of one owner, the first of which has that id or a larger one
//	ID.done    the ids in ID.hints that are delivered
//	ID.next    empty: ids below were used
//
// The first two begin with 8 bytes, D1 6B 68 73 (.hints) or D1 6B 68 64 (.done),
// the version of the layout, 0, and three zeros. Records follow, integers
// little-endian:
//
//	size  field
//	4     L, the length of the payload
//	8     XXH64 (seed 0) of the payload
//	L     payload
//
// The payload in .done is an id (8 bytes). In .hints it is
//
//	size  field
//	8     id, ascending in a file and over all files
//	..    owner, key and value, each a length (unsigned varint) and so many bytes
//	8     time, milliseconds since 1970
//
// A file ends at the first record that is not whole and sound.
//
// # Stability
//
// The layout has version 0: it may change before v1. Files of other versions
// are left alone and counted as damaged.
//
// # Security
//
// Bounds hold per owner and in total, owners can be restricted to known nodes
// ([WithKnownOwner]), and hints expire. Loading allocates no more than the files
// hold. Checksums find damage, not forgery: protect the directory.
package hints
