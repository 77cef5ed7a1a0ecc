// Package redislimit holds rate limits over many servers that share a Redis, or a
// Valkey, alone or as a cluster.
//
//	client := redis.NewClient(&redis.Options{
//		Addr: addr, ContextTimeoutEnabled: true, MaxRetries: -1, DialerRetries: 1,
//	})
//	limiter, err := redislimit.New(client, ratelimit.PerMinute(600).WithBurst(60))
//	...
//	r, err := limiter.Decide(ctx, account, 1)
//
// A [Limiter] is a [ratelimit.Decider]: package httplimit puts it before a handler.
// Each limit needs a prefix of its own ([WithPrefix]).
//
// Use it where one limit must hold over several servers. Where each may have a share
// of it, a [ratelimit.Keyed] on each is a thousand times cheaper and cannot be down.
// Over regions that are far apart, one store a region with a share of the limit admits
// nothing too much and loses the unused share of a quiet region, which is right where a
// refusal too many costs less than a trip around the world; else use one store, and
// leases.
//
// # What a decision costs
//
// One script call decides for a key, on all its limits. Calls that come while two trips
// are under way go together on the next, those for one key in one script; one that is alone
// waits for nobody. A refusal is remembered for as long as it is certain, a second at
// most, so that a flood costs a trip a second. With [WithLease] a key that is asked for
// again and again is decided here, and only what is taken in advance goes to the store.
//
// Set ContextTimeoutEnabled in the client's options: then the goroutine that asks makes
// the trip itself, at half the latency. For other clients another goroutine makes it,
// because [WithTimeout] must hold. Let the client neither send nor dial again (MaxRetries
// -1, DialerRetries 1): what is sent again may be charged again, and what takes long keeps
// requests waiting and the circuit breaker from knowing.
//
// # While the store is down
//
// Every trip ends after [WithTimeout]. When three in a row have failed, a circuit breaker
// keeps everybody from the store and lets one trip probe it, after a tenth of a second at
// first and two seconds at last. Nothing is queued meanwhile, and nothing is charged
// later. What is decided without the store is
//
//	fail closed (default)  refused
//	WithFailOpen()         allowed
//	WithFallback(share)    by a limiter in memory, at a share of the limit
//
// with an error that wraps [ErrUnavailable] next to the result. A middleware that takes
// an error for an answer, as httplimit does with 503, never sees the result; with
// [WithErrorHandler] it does, and the error goes elsewhere. In a cluster one breaker is
// for all nodes, and opens when a trip has no answer from any.
//
// # Concurrency
//
// A Limiter may be used by any number of goroutines at once. What one goroutine is told
// is charged in the store before it is told.
//
// # Accuracy
//
// The store's clock decides, in microseconds, and a debt is a whole number of
// microseconds and an exact fraction of one: no rate drifts, and in any span of W at most
// rate*W + burst pass over all servers. RetryAfter and ResetAfter are rounded up. A trip
// that the client repeats after an error may charge twice: that only refuses more.
//
// With leases of n on each of s servers the bound is the lesser of
//
//	rate*W + burst + s*n        what was held at the beginning may be spent
//	rate*(W + ttl) + burst      what is spent was charged within ttl before
//
// and events that are held by one server are refused by the others until they lapse.
//
// If the store's clock goes back, a key is locked for at most the time in which one event
// accrues; if it goes forward, a key may pass one burst too much. A store that loses keys
// forgives their debts: replicas that take over without the last writes, eviction (use
// maxmemory-policy noeviction, or volatile-ttl), FLUSHALL.
//
// # Format
//
// The key is the prefix and the caller's key; or the prefix and, in braces, the key in
// hexadecimal if it is empty or contains an opening brace, or {sha256:...} of it if it is
// longer than 256 bytes. The value is text: for each limit the Unix time in microseconds
// at which its bucket is full again, and the part of a microsecond, in units of a
// denominator that the limit has. It expires when all are full.
//
// Nothing is used that Redis 5 does not have, and no command that Valkey does not have:
// EVALSHA, EVAL, and in the script TIME, GET, SET with PX, and DEL.
//
// # Stability
//
// The state in Redis has version 0 and may change before v1: servers that share a prefix
// are upgraded together, or the prefix changes.
//
// # Security
//
// Keys are arguments and never part of a script. None chooses its slot in a cluster by
// braces of its own, none is longer than 540 bytes and the prefix. Costs may come from
// strangers: what is negative or above the burst is refused and charges nothing. State
// that is no debt of the limit is cut to one that is. A lost store is no way around the
// limit, unless WithFailOpen makes it one. What is remembered here is bounded: 65,536
// refused keys, as many leased ones, under hashes that nobody can predict.
package redislimit
