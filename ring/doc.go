// Package ring places keys on nodes by consistent hashing: which server holds a
// key, which others hold its copies, and what moves when servers come and go.
//
//	r, err := ring.New(ring.Nodes("a", "b", "c"))
//	id, ok := r.OwnerString("user:42")                     // the owner
//	ids := r.AppendOwnersString(nil, "user:42", 3)         // the owner and two more
//	next, err := r.Add(ring.Node{ID: "d", Weight: 2})      // r stays as it was
//	moves, err := ring.Moves(r, next, 3)                   // who has to receive what
//
// # Choosing
//
//	[Ring]        the default: moves no key that need not move, knows ranges and
//	              move plans, O(1) lookups. Shares vary by 4 % (512 tokens a node),
//	              or stay within a bound by [WithTolerance].
//	[Bounded]     over any of these: no node gets more work than a factor of its
//	              fair share, whatever keys are hot.
//	[Rendezvous]  up to some dozen nodes: perfect balance, exact weights, nearly no
//	              memory, 1 ns a node.
//	[Maglev]      load balancers: shares within 1 %, one table lookup; some keys
//	              move between nodes that stay.
//	[Table]       stores that move data by partition: exact shares, provably the
//	              fewest moves; but it has a history, which somebody must keep.
//	[Jump], [JumpBack]  shards numbered for good: no memory, perfect balance; only
//	              the last one can go.
//	[Ring.Subset] tenants that must not take each other down: a few nodes each.
//
// Hash modulo n moves nearly all keys when n changes; it suits nothing that lives.
// Do not use this package to decide who leads or who is up: placement is not
// agreement, and all processes must be told the same membership.
//
// # Rules
//
// Positions are 64-bit hashes: XXH64 (seed 0) of the key, as distkit.Hash
// computes it. Token k = 0, 1, ... of a node is SplitMix64's finalizer of
// XXH64(ID) + (k+1)*0x9E3779B97F4A7C15 with the low 16 bits set; the ID is never
// joined with a number, so "node1" and "node11" cannot collide. A node has
// max(1, round(weight * virtual nodes)) tokens, a prefix of its stream: a weight
// that grows pulls keys towards the node and moves no others. A key belongs to
// the node of the first token at or after its position, clockwise; of equal
// tokens the lowest ID goes first. Copies go to the next distinct nodes; with
// zones, every zone gives its first node before any gives its second.
//
// The order of calls, of arguments and of nodes means nothing: equal membership
// is an equal ring, with equal bytes and an equal [Ring.Fingerprint].
//
// A crash changes who is up, never the membership: keep the ring, and let the
// next nodes of [Ring.Walk] stand in. Join, leave, weight and zone are explicit.
//
// A [Table] alone has a history: what it is depends on what it was, so one process
// rebalances it, stores it, and hands it out with its version.
//
// Virtual nodes do not help against one hot key: its owner has it, whatever the
// tokens. Spread its work over nodes by Bounded, or read keys that are certified
// hot from all of their owners.
//
// # Concurrency
//
// Ring, Rendezvous, Maglev and Table are immutable and safe for concurrent use,
// but for decoding into them. [Live] gives readers the current ring by one atomic
// read while writers change it. Bounded is safe for concurrent use and takes no
// locks to acquire and release.
//
// # Accuracy
//
// With v tokens on each of n equal nodes, shares have a relative standard
// deviation of sqrt((n-1)/(n*v+1)). The largest share is, as a mean over many
// sets of nodes, in times of the fair one:
//
//	tokens   n=10   n=100   n=1000
//	    40   1.28    1.46     1.60
//	   160   1.11    1.21     1.28
//	   512   1.07    1.12     1.13
//	  1024   1.05    1.08     1.09
//
// [Ring.Share] gives the exact share of a node. Under WithTolerance all are in
// the bound that was asked for. Ranges, shares and move plans are exact.
// Weighted rendezvous draws with a precision of 2^-41. The loads of a Table are its
// nodes' exact shares, rounded down or up.
//
// # Format
//
// A Ring's image is the common envelope of kind 48, version 0, with a payload
// without alignment and four parameters: the virtual nodes, the tolerance as
// float64 bits (0 for none), the check value of the secret (0 for none), and the
// number of nodes. Flag 1 of those that must be understood says that the tokens
// are there. The payload:
//
//	nodes, by ascending ID, each
//	    uvarint, bytes   the ID
//	    uvarint, bytes   the zone
//	    8 bytes          the weight, float64 bits, little-endian
//	with flag 1, for each node
//	    uvarint          the number of its tokens, at least 1
//	    6 bytes each     the tokens without their low 16 bits, little-endian,
//	                     ascending
//
// A Table's image is of kind 49, version 0, without alignment and with five
// parameters: the partitions, the replicas that were asked for, the table's
// version, the check value of the secret (0 for none), and the number of nodes.
// The payload:
//
//	nodes, as above
//	2 bytes for each replica of each partition, or for each node if there are
//	    fewer: the place of its node among the nodes, little-endian, the owner
//	    first, in an order that the zone rule allows
//
// Varints have the shortest form. Equal rings have equal images, and so have equal
// tables.
//
// # Stability
//
// Placement is frozen from v0.1: tokens, the presets for foreign tokens, owners,
// the zone rule, WithTolerance, Rendezvous, Maglev, Jump and JumpBack give the
// same nodes in every version and on every architecture. The placement of Table
// is the same on every architecture, but may change before v1, as may the images
// of Ring and Table, which have version 0.
//
// # Security
//
// XXH64 has no key. Whoever chooses keys can aim all of them at one node, and whoever
// chooses IDs can try names until their tokens surround a victim's; a secret
// seed would not help, for what a key hits can be probed. [WithSecret] makes both
// blind: one secret for the cluster, never in an image. Bounded limits what a
// flood of keys does to one node without it. Membership itself must be
// authenticated.
//
// Decoding checks all that it reads, but a checksum detects damage and not
// forgery: authenticate images that strangers send. Processes whose virtual
// nodes, tolerance, secret or membership differ disagree in silence: compare
// fingerprints.
package ring
