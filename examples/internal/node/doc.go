// Package node is one node of a Dynamo-style store: what examples/dynamo runs
// five of in one process, and examples/cluster in five.
//
// [Start] starts a node on what its [Platform] gives it: an [Engine] to keep keys
// in, [Members] to know who belongs to the cluster and who is alive, and [Peers]
// to reach them. The package has an engine, a membership and peers of its own; a
// program may bring others. A [Client] speaks the public API.
//
// The files, in the order in which they are worth reading: coordinator.go (how
// a key is read and written), node.go (what a node is made of), store.go,
// compact.go, segment.go and wal.go (where it keeps things), hints.go, members.go
// and gossip.go (what happens when a node is down), rows.go, repair.go and
// lease.go (how copies become equal again), actor.go and collect.go (when a number
// and a tombstone may be forgotten), move.go (how a node joins), usage.go and
// limits.go (who asks for what, and how often), api.go, peerapi.go, peers.go and
// message.go (HTTP), client.go (the other side of it), platform.go and view.go
// (for the program around it).
package node
