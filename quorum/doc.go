// Package quorum coordinates replicas: it asks N of them, returns when enough
// have answered, lets the rest finish in the background, has others stand in
// for the dead, repairs what is stale, and says precisely what happened.
//
//	c, err := quorum.New(3, 2, 2) // n, r, w
//	...
//	receipt, err := quorum.Write(ctx, c, prefs, quorum.WriteOp{Call: put})
//	result, err := quorum.Read(ctx, c, prefs, quorum.Op[V]{Call: get, Merge: newest})
//
// prefs names the nodes of a key, owners first, then possible stand-ins: what
// AppendOwners of package ring gives. The transport is yours: Call does one
// request to one node.
//
// Use it in a store, a cache or a registry whose data lives on several nodes
// without a leader. Do not use it for what needs consensus: a log, a lock, a
// counter that must not lose an increment. It does no retries of an operation
// and knows no membership; package gossip watches nodes, package hints keeps
// writes for those that are away, package expr describes which sets of nodes
// are enough, package pbs how stale a partial quorum may be.
//
// # Settings
//
//	R = 1, W = N       fast reads; no write survives a dead node
//	W = 1, R = N       fast writes; no read survives a dead node, and a lost node can lose data
//	R = W = ⌊N/2⌋+1    balanced; both survive ⌈N/2⌉-1 dead nodes
//	R = W = 1          eventual: a read may miss what was written
//
// If R + W > N, a read sees the last completed write ([Coordinator.Strict]). If
// 2W > N, two writes meet. For N = 3, (R 2, W 1) may miss the last write, (2, 2)
// does not; (3, 1) has slow reads and fast writes, (1, 3) the reverse.
//
// R + W > N is not linearizable: a read may see a write that is half done, and
// the next read miss it again. It becomes so with [RepairBlocking], which writes
// the merged value back to a write quorum before a read returns (phase two of
// Attiya, Bar-Noy and Dolev, "Sharing memory robustly in message-passing
// systems", JACM 1995; skipped where the replies that agree are a write quorum
// already), with versions that order all writes: a writer reads the largest
// version (v, id) of R replicas and writes (v+1, its own id) to W.
//
// # Stand-ins
//
// With [WithSloppy], nodes further down the list stand in for owners that are
// down or fail, as in Dynamo: they keep a hint and hand it over later; asked to
// read, they answer from their hints for that owner. Their answers count for R
// and W, so that operations succeed, but not for the promise above: until the
// handoff, a read may miss a write that only stand-ins and one owner have.
// [WithPrimaries] demands answers of owners themselves. A hint may be delivered
// twice and must be deleted only after the owner's ack, so that versions must
// make it idempotent.
//
// Without stand-ins, WriteOp.Missed is where the coordinator keeps a hint.
//
// # Tails
//
// A read asks every replica and returns with the first that are enough: the best
// latency, for N calls. With [WithHedge] it asks only as many as can be enough,
// the fastest, and one more when they are slow: where one answer in fifty takes
// 30 ms longer than the usual one, 2 of 3 have p99 at 3.3 ms for 2.1 calls; to ask
// all takes 1.9 ms and 3 calls, to ask two and wait 31 ms. [WriteBatch] sends one
// call a node for all keys of a batch, and decides for each key.
//
// # Read your writes
//
// A client that brings the version of its last write must not be answered with
// less. If the merged value does not descend from it, read again through a view
// that asks all, c.With(WithReadLevel(All())), and if that does not help or
// fails, say "unavailable"; never return the older value.
//
// # Membership
//
// With N = 3 and R = W = 2, a majority of the old owners of a key and one of
// the new need not meet. From the moment a change is decided until the new ring
// is used everywhere, writes need both:
//
//	sys, err := expr.NewSystem(
//	    expr.Majority(old...),
//	    expr.All(expr.Majority(old...), expr.Majority(new...)))
//	joint, err := c.With(quorum.WithSystem(sys))
//
// with prefs the union of the owners, one system for each range that moves. The
// steps, each on every coordinator, its older calls ended, before the next:
//
//  1. writes joint, reads old
//  2. copy the moved ranges, each from a majority of its old owners
//  3. swap the ring: reads new, writes still joint
//  4. writes new
//
// Neighboring steps may be live at once, for their quorums meet.
//
// # Concurrency
//
// A [Coordinator] is safe for concurrent use and meant to be shared. The
// functions of an [Op] or [WriteOp] run on several goroutines at once; Merge and
// Same run on the caller's. Nothing is left behind: replica calls end with the
// context they get, those of reads when the read has returned, those of writes
// at the straggler time-out at last, and [Coordinator.Close] waits for them.
//
// # Accuracy
//
// Whether a level is met, or cannot be met any more, is decided exactly, at
// every answer. Latencies in [Stats] are within an eighth.
//
// # Format
//
// Nothing here is stored or sent.
//
// # Stability
//
// The package follows semantic versioning with the module; before v1 names may
// still change.
//
// # Security
//
// A node counts once: names given twice are refused. A replica that never
// answers costs a goroutine until the straggler time-out, of at most
// [WithMaxBackground] calls; then writes slow down rather than pile up. Hedged
// reads are bounded by a budget, so that an outage cannot double the load.
// Answers are not authenticated: a replica that lies is believed.
package quorum
