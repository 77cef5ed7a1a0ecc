// Package hash64 is the hashing core that every distkit package stands on: one
// 64-bit hash per key, remixed by every structure that uses it.
//
// # One hash, many structures
//
// A key is hashed once, by XXH64 with seed 0 ([Bytes], [String], [Key],
// [Integer]). The value is public (distkit.Hash) and travels: a ring picks a
// node by it, and on that node a filter, a sketch or a counter takes the same
// value. Whoever uses its bits directly is wrong then: on the node that a ring
// or a shard function chose, some bits of every hash are the same, and a
// blocked Bloom filter fed with those answers "present" to everything. So every
// structure first applies [Mix] with a salt of its own. Mix is a bijection with
// full avalanche: it loses nothing, it makes structures independent of each
// other and of the shard function, and it lets callers pass any identity that
// differs for different keys, raw integer ids included.
//
// # Keys chosen by strangers
//
// XXH64 is not keyed, and a secret seed does not make it so: there are keys
// that collide under every seed, and it is inverted in closed form. Where keys
// come from strangers, structures hash them with SipHash-2-4 under a secret
// ([Sip], [SipString], [Sip128]); images hold [Check] of the secret, never the
// secret.
//
// # Reduction
//
// [Reduce] takes the high bits of a hash, by a multiplication; choices inside
// what it picked (a bit in a block, a fingerprint) take the low ones. [Probe]
// yields a sequence of positions from one mixed word.
package hash64
