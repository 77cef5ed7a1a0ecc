// Package gossip lets the nodes of a cluster learn from each other who belongs
// to it and who lives, without a coordinator: a table at each node, heartbeats,
// and messages between random pairs.
//
//	t, err := gossip.New("node-1")
//	...
//	t.Join("node-1", 1, "zone-a")       // a decision; and the seeds, to have whom to talk to
//	for range time.Tick(time.Second) {
//	    t.Tick()
//	    peer := ...                      // one or a few random members
//	    // send t.AppendDigest(nil), get a delta and a digest back, t.Apply the
//	    // one, answer the other by t.AppendDelta (see Table)
//	}
//
// Use it for tens to some thousands of nodes, for ring.New (from Members) and
// quorum.WithHealth (Up). It is no consensus: two nodes may see two memberships
// for some rounds, so that a change of a ring needs joint quorums (package
// quorum). Where an orchestrator or a database knows the members, use that.
//
// # Two halves
//
// What is known of a node has two halves that never touch. The administrative
// half, status, weight and zone, changes only by [Table.Join] and [Table.Leave],
// has a generation, and is kept by every node ([Table.MarshalBinary]); it alone
// builds the ring. The half of the living is heartbeats; it is forgotten when a
// process ends. A crash changes the second and never the first: a node that is
// down is still a member, and its ranges are still its own.
//
// # Detection
//
// A member is suspected by this node when its silence is too unlikely, φ ≥ 8:
// φ is -log10 of the chance of a longer gap, from the mean of the last 1000
// gaps (Hayashibara et al. 2004; exponential, as in Cassandra). One observer's
// report is a suspicion; two make the node down ([WithObservers]), after a time
// that is shorter the more agree. A newer heartbeat ends all of it, and a node
// that learns that it is suspected raises its incarnation to be heard.
//
// With an interval of one second and the defaults a crash is seen after about
// 20 seconds. WithPhi(2) and WithSuspicion of an interval or less make that six,
// and false suspicions common, though hardly ever two of one node at once.
//
// # Concurrency
//
// A [Table] is safe for concurrent use; Up takes no lock.
//
// # Accuracy
//
// Times are local and only differences count, but for the incarnation, which is
// the wall clock at the first tick: a clock that stands back is made up for by
// the image or by what peers tell.
//
// # Format
//
// Integers are unsigned varints in their shortest form unless a size is given;
// a text is its length and so many bytes. Messages:
//
//	size  field
//	3     D1 6B 67
//	1     64 (digest) or 65 (delta)
//	1     version of the layout: 0
//	..    number of entries, then the entries, by name
//	8     XXH64 (seed 0) of everything before, little-endian
//
// An entry of a digest: name, generation, incarnation, heartbeat, and 4 bytes:
// the low half of the XXH64 of the administrative half followed by the names of
// the observers. An entry of a delta: name, administrative half, incarnation,
// heartbeat, number of observers, their names in order. The administrative half:
// status (1 byte: 0 unknown, 1 member, 2 left), generation, weight (8 bytes,
// IEEE 754, little-endian), zone.
//
// The image is in distkit's envelope, kind 80, version 0, with two parameters,
// the last incarnation of the node and the number of entries; its payload is the
// node's own name, then name and administrative half of each node, by name.
//
// # Stability
//
// Messages and images have version 0: they may change before v1. Another version
// is refused (ErrCorrupt).
//
// # Security
//
// Decoding never allocates more than a message justifies, names and zones have
// at most 255 bytes, tables a limit ([WithMaxNodes]), incarnations a day's lead.
// Only members count as observers, so that one node cannot kill another by
// inventing reporters. But messages are not authenticated, and a node that
// forges reports in the name of members, or decisions, is believed: let only
// members talk, over a transport that knows them.
package gossip
