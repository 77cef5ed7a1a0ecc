// Package lru holds caches: maps of bounded size that make room by themselves.
//
//	one goroutine, or an exact order of eviction   Cache
//	many goroutines                                Concurrent
//	in front of something slower                   Backed
//
// [Cache] is the exact one, for a single goroutine or for several behind a mutex of
// the user's. [Concurrent] has the same methods for any number of goroutines, and
// GetOrLoad, which loads a missing value once for all who wait for it. [Backed] knows
// the system behind the cache, loads from it and writes to it.
//
// Where nothing needs to be evicted, a map or a sync.Map is enough.
//
// # Policies
//
// LRU, the default of Cache, evicts the entry that was not used for the longest time.
// A miss inserts the new entry, after the oldest one has left list and table if the
// cache is full; a hit moves an entry to the front. The others, chosen by WithPolicy,
// and the loads that they are for:
//
//	FIFO      keys that are used soon after they come, or never; a hit costs nothing
//	LIFO      a working set that comes first and stays
//	MRU       loops that are longer than the cache, where LRU has no hit at all
//	LFU       popularity that does not change
//	Random    nothing is known, or an adversary chooses the keys
//	SIEVE     popularity with many keys that are used once; may freeze, see there
//	S3FIFO    the same without freezing; scans pass through a tenth of the cache
//	Adaptive  unknown and changing loads: the highest hit ratio over all; the default
//	          of Concurrent and Backed
//
// All take constant time a call, SIEVE, S3FIFO and Adaptive averaged over many
// calls. Get is an access under all; Set of a key that is there is one under LRU,
// MRU, LFU and Adaptive, and changes only the value under the others.
//
// # Weight
//
// WithWeigher makes the capacity a sum of weights, bytes for example. Weight 0 pins
// an entry, under every policy; an entry that has weight again enters as if it were
// new. Where a new value is heavier than the old one, other entries are evicted for
// it. A value that is heavier than the whole capacity is refused, and takes its key's
// old value with it, so that no reader finds what was overwritten.
//
// # Lifetimes
//
// WithTTL gives entries a lifetime, SetWithTTL one of its own to an entry,
// WithExpiry one that depends on it, WithSliding restarts it at a hit, WithJitter
// keeps what came together from leaving together. An entry that has ended is not
// found from that nanosecond on. It leaves when it is asked for, when room is
// needed, before any that lives, and otherwise up to a thousand at a time with
// each Set and each 64th Get: there is no goroutine. Until then Len, Weight and
// Cap count it.
//
// Time is the monotonic clock. Get reads it only where the answer depends on it.
// Should the machine be so busy that a timer of 16 ms runs 48 ms late, Get may find
// what ended in between. Methods with At take the time from the caller, who may go
// back in time too: an entry that has not left lives again. Times by time.Now have a
// monotonic reading and can be mixed with it; others are compared by the wall clock.
//
// # In front of a Store
//
// An application that calls Get, loads what is missing and calls Set has a cache
// aside: that is simple, but a slow load may put an old value over a newer one.
// Backed loads and writes by itself, and a value that was replaced never comes back.
// What suits what:
//
//	Get, GetMany   read-through: one load for all who wait for a key
//	RefreshAhead   what is asked for often never makes anybody wait; it may be that
//	               old, and a load more
//	EarlyExpiry    the same for what is asked for very often, by chance: keys that end
//	               together are not loaded together
//	StaleIfError   outages of the Store go unnoticed as long as that
//	NegativeTTL    keys that do not exist are asked for often
//	WriteThrough   the default: a write that returned is saved, and cached
//	WriteAround    a write that returned is saved; for what is written and hardly read
//	WriteBehind    a key is written often, as counters are, or in bursts: writes take
//	               no time, and many of a key are one for the Store
//
// WriteBehind is the one that can lose something: a crash loses what is unsaved, at
// most DirtyLimit keys, written within the last FlushInterval and the time that a
// save takes, or earlier while the Store fails, which OnError and Stats tell. Close
// saves all. Where every write must last, use WriteThrough.
//
// Where a write to the Store fails, nobody knows what the Store holds then. Set
// returns the error, and the cache drops the value.
//
// Caches on several machines either each hold what is asked of them, or divide the
// keys, by package ring; examples/peercache of the module compares. Backed does not
// see changes that come to the Store from elsewhere: call Invalidate when told of
// one, and let a lifetime bound what is missed. For priorities, use a cache for each;
// for versions, make them part of the key.
//
// # Keys that are not equal to themselves
//
// As in a map, a NaN key is never found again, and every Set of it makes a new
// entry. The capacity bounds them as all others: they are evicted in their turn.
//
// # Images
//
// WriteTo writes the entries in their order, with the lifetimes that they have left
// and the counts of the policy, and ReadFrom puts them into a cache of the same or
// another type, capacity and policy: a restart begins with a warm cache. What S3FIFO
// remembers of keys that left is not written, nor what Adaptive has sampled.
//
// # Concurrency
//
// A Cache is for one goroutine at a time, a Concurrent or Backed for any number.
// Functions that the user gives, of WithOnEvict and of Update among them, may use the
// cache: they are called when nothing is locked.
//
// A Concurrent has shards, by default four for each processor, which are locked one
// by one and share the capacity: none evicts before the whole is full. Each evicts
// by the policy among its own entries. Under SIEVE, S3FIFO and Adaptive, the
// default, a Get takes no lock, and a hit of a hot entry writes nothing, unless the
// models of Adaptive see its key. Under the others every Get locks a shard.
//
// # Format
//
// An image is an envelope of kind 96, which docs/formats.md of the module
// describes, with version 0, alignment 1 and five parameters:
//
//	0  policy: LRU 0, FIFO 1, LIFO 2, MRU 3, LFU 4, Random 5, SIEVE 6, S3FIFO 7,
//	   Adaptive 8
//	1  capacity
//	2  number of entries
//	3  how many of them, the last ones, have weight 0
//	4  type of the keys in the lowest byte, of the values in the next
//
// Flags that a reader must understand: 1, the capacity is a weight; 2, entries have
// deadlines; 4, and lifetimes that a hit restarts. The payload holds the entries in
// the order of All, each as
//
//	key    by its type
//	value  by its type
//	left   with flag 2: nanoseconds to the deadline, 8 bytes, 2^63-1 for never
//	life   with flag 4: nanoseconds that a hit gives it, 8 bytes, 0 for never
//	note   a varint, absent under LRU, FIFO, LIFO and MRU and where the weight is 0
//
//	       LFU       its count
//	       Random    0
//	       SIEVE     1 if marked, and 2 more if the hand is at it
//	       S3FIFO    its count up to 3, and 4 more in the main queue
//	       Adaptive  0 in the window, 1 in probation, 2 if protected; 4 more while it
//	                 keeps what is used most often, 8 more while what was used twice;
//	                 and 16 for each of up to 15 uses
//
// Types are 0x11 for bool; 0x20, 0x30 and 0x40 for signed, unsigned and float
// numbers, plus the size in bytes, which for int and uint is 8; 0x50 for strings,
// 0x60 for []byte, 0x70 for what encodes itself. Numbers are little-endian; the
// last three begin with their length, a varint. Varints are the shortest. A cache
// without deadlines writes what it has read, byte by byte, but for uses, which are
// estimates.
//
// # Stability
//
// Images have version 0: they may change before v1.
//
// LRU, FIFO, LIFO, MRU, LFU, SIEVE and S3FIFO evict exactly what their definitions
// say, in every release. Random may draw otherwise, Adaptive may become cleverer.
//
// # Security
//
// Keys are hashed under a secret that every cache draws for itself, so nobody can
// choose keys that collide. If somebody does, having seen what Hash returns, the table
// mixes hashes with another secret from the 520th such key on: searches are short
// again, and Hash stays as it is. WithHasher gives that up unless its hash is keyed:
// keys of one hash are all found, by a search through every one of them.
//
// The capacity bounds memory at every moment, entries that have ended included. What
// leaves is overwritten with zeros in the cache's own memory, so secrets do not stay
// there.
//
// ReadFrom allocates for what has arrived and not for what an image promises: its
// bytes, at most twice, and the entries in them. It checks checksum, order, counts
// and that no key comes twice before anything is replaced.
package lru

// How a policy plugs in: LRU, FIFO, LIFO and MRU are a queue, that is two
// booleans, and run without a call through an interface. Every other policy is a
// chooser, see there: it has a file of its own, a constant and a name in
// policy.go, a line in newChooser, and in heads if it needs more lists than one.
// In the tests it has a simulator, which TestPoliciesDecideAsTheirDefinitions and
// FuzzCache hold it to, and its invariants in checkChooser.
