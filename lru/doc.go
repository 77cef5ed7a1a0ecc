// Package lru holds caches: maps of bounded size that make room by themselves.
//
// [Cache] is the exact one for a single goroutine, or for several behind a mutex
// of the user's. Hash tables without a bound are Go's maps; a cache that many
// goroutines read at once needs more than a mutex around this one.
//
// # Policies
//
// LRU, the default, evicts what was not used for the longest time. A miss with
// room inserts; a miss without takes the oldest entry out of list and table; a
// hit moves to the front; all in constant time.
//
// # Weight
//
// WithWeigher makes the capacity a sum of weights, bytes for example. Weight 0
// pins an entry. A value heavier than the whole capacity is refused, and takes
// its key's old value with it, so that no reader finds what was overwritten.
//
// # Keys that are not equal to themselves
//
// As in a map, a NaN key is never found again, and every Set of it makes a new
// entry. The capacity bounds them as all others: they are evicted in their turn.
//
// # Concurrency
//
// A Cache is for one goroutine at a time. Functions that the user gives, of
// WithOnEvict and of Update among them, may use the cache.
//
// # Stability
//
// LRU evicts exactly what its definition says, in every release.
//
// # Security
//
// Keys are hashed under a secret that every cache draws for itself, so nobody can
// choose keys that collide. WithHasher gives that up unless its hash is keyed.
// The capacity bounds memory at every moment. What leaves is overwritten with
// zeros in the cache's own memory, so secrets do not stay there.
package lru
