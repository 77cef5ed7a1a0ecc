// Package expr describes quorum systems: which sets of nodes are enough to read
// and to write, and what follows from the choice.
//
// A quorum system is written as an expression of nodes and gates, after
// Whittaker et al., "Read-Write Quorum Systems Made Practical" (PaPoC 2021):
//
//	a*b + a*c + b*c              a majority of three
//	majority(a, b, c)            the same
//	a*b*c + d*e*f                a whole row of a grid; its dual, a node of every row
//	leader*(f1 + f2)             the leader and one follower
//	majority(a,b,c)*majority(c,d,e)   joint: old and new owners
//
// [NewSystem] proves that reads and writes always meet, and shows two quorums
// that do not where they need not. [Expr.Compile] makes a [Rule] that counts
// votes in nanoseconds. Package quorum executes the same system, so that what
// was proved is what runs.
//
// Use it to choose a layout of replicas, or to count votes in a protocol of
// your own. Three replicas and majorities need none of it: that is
// quorum.New(3, 2, 2).
//
// # Replication models
//
// Writes leader*f1*f2 (synchronous), leader*(f1 + f2) (semi-synchronous) and
// leader (asynchronous) are expressions like any other. Reads from any one
// node, leader + f1 + f2, go with the first only; NewSystem refuses the other
// two with two quorums that miss each other.
//
// # Proofs
//
// Two facts carry the package. Reads and writes meet always if and only if
// every write quorum satisfies the dual of the reads. And a monotone function
// of nodes has a small decision diagram (Bryant 1986) whenever it is made of
// thresholds, rows or hierarchies: a majority of 63 nodes takes about a
// thousand vertices where its quorums are 9·10¹⁷. So nothing here lists quorums
// but [Expr.Quorums], which is asked to.
//
// # Strategies
//
// A system says which quorums are enough, a [Strategy] which of them to ask how
// often. [System.Optimize] finds the one whose busiest node does the least work
// for a mix of reads and writes and nodes of unequal capacity ([WithCapacity]);
// or the one with the least latency ([WithLatency]) or the fewest messages, with
// a limit on the load; or one for several mixes at once; or one whose quorums
// bear the failure of f nodes.
//
// The load of a node is the share of all operations that it takes part in, over
// its capacity. It cannot fall below max(1/c, c/n) for n equal nodes and a
// smallest quorum of c (Naor and Wool, "The load, capacity, and availability of
// quorum systems", 1998); a majority has (⌊n/2⌋+1)/n. How far a system is from
// what it can do is not left to that formula: the result carries a bound of its
// own, [Strategy.LowerBound], proved by prices of the nodes. The search ends when
// the two are within a part in 10⁹, or, at the latest, after 20,000 quorums.
//
// # Concurrency
//
// Every type is immutable and safe for concurrent use.
//
// # Accuracy
//
// Proofs and counts are exact, availabilities up to rounding; how near a strategy
// is to the best, its [Strategy.LowerBound] tells. An expression whose diagram
// exceeds 2^20 vertices is refused ([ErrTooComplex]), never guessed at.
//
// # Format
//
// [Expr.String] prints what [Parse] reads.
//
// # Stability
//
// The language of Parse only grows: what one release reads, later ones read
// alike.
//
// # Security
//
// Parse bounds depth, nodes and work, so that it may be given to strangers.
// The proofs need up to about 200 MB before they give up.
package expr
