// Package distkit is the front door of a library of distributed-systems
// primitives: the parts that every team rebuilds when one machine is no longer
// enough. Each is a small package of its own, embeddable, with nothing to run
// beside your program.
//
// # Which question do you have?
//
//   - Which node has this key, and what moves when nodes change? Package ring.
//   - Is this key in the set? Package bloom.
//   - How often, and which are the most frequent? Package cms.
//   - How many different ones? Package hll.
//   - What stays in memory? Package lru.
//   - May this request pass? Package ratelimit, with ratelimit/httplimit for
//     HTTP and the module ratelimit/redislimit for many servers.
//   - How many answers are enough, and what about the replica that is down?
//     Package quorum, with quorum/expr, quorum/pbs, quorum/hints and
//     quorum/gossip.
//   - Which version came first, and which are in conflict? Package vclock, with
//     vclock/hlc, vclock/itc and vclock/shiviz.
//   - Where do two replicas differ? Package merkle; for proofs to those who do
//     not trust you merkle/tlog, merkle/smt and merkle/blob.
//
// The command examples/dynamo puts them together: a replicated store that kills
// one of its nodes and proves that nothing acknowledged was lost.
//
// # One hash
//
// The structures share one 64-bit hash of a key, [Hash]. Compute it once and
// pass it to every method named ...Hash; each structure remixes it with a salt
// of its own, so that a filter on one shard of a ring works to the letter. Such
// a method takes any other 64-bit value that differs for different keys, too: an
// integer id needs no hashing at all.
//
// # Keys chosen by strangers
//
// The hash is not keyed, and no seed would make it so. Where keys come from
// people who might aim them, give the structures a secret, with their option
// WithSecret, and hash with [Secret].
//
// # What holds everywhere
//
// Constructors return errors that name the parameter and the value; there are
// few options, and one that does not apply is an error. The zero value of a type
// is like a nil map: queries answer, decoding fills it, and a change that needs
// parameters panics with a line that names the constructor. Encodings are
// canonical, versioned, checksummed and safe to decode; docs/formats.md has the
// envelope byte by byte. Methods that depend on time have a form that is told
// the time, named ...At.
package distkit

import "github.com/distkit/distkit/internal/hash64"

// Hash returns the hash of key that every method named ...Hash expects: XXH64
// with seed 0. Compute it once and pass it to all structures that see the key.
// It is stable across processes, versions and machines, and it is not keyed:
// for keys that strangers choose see [Secret].
func Hash(key []byte) uint64 { return hash64.Bytes(key) }

// HashString equals Hash([]byte(key)) and does not copy.
func HashString(key string) uint64 { return hash64.String(key) }

// Secret is a key for hashing: 16 bytes that only your processes know. It fits
// every WithSecret option, and its methods give what the ...Hash methods of a
// structure made with that option expect.
type Secret [16]byte

// Hash returns the SipHash-2-4 of key under s.
func (s Secret) Hash(key []byte) uint64 { return hash64.Sip((*[16]byte)(&s), key) }

// HashString equals s.Hash([]byte(key)) and does not copy.
func (s Secret) HashString(key string) uint64 { return hash64.SipString((*[16]byte)(&s), key) }
