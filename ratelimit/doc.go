// Package ratelimit decides how much may pass: exactly, in one atomic word, with
// the figures that clients are told.
//
//	limiter, err := ratelimit.New(ratelimit.PerSecond(100).WithBurst(20))
//	...
//	if !limiter.Allow() {
//		// refuse
//	}
//
// Limits are ratios of integers ([Limit]), with a text form for configurations, as
// in 100/s;burst=20 ([ParseLimit]). Which type is for what:
//
//	question                                                      type
//	may this pass, on average so much, with bursts?               Limiter, Keyed by client
//	so much a calendar minute, counted like a quota?              Limiter or Keyed, FixedWindow
//	so much in the last minute, about, without the border's double?  the same, SlidingWindow
//	at most so much in every minute, wherever it begins?          SlidingLog
//	so much a second and so much a day?                           Multi, NewKeyedMulti by client
//	one by one, at even distances, and who is first?              Queue
//	a share that is safe, and what the others leave?              Tiered
//
// A [Limiter] is the one to begin with: a token bucket, which is the leaky bucket as
// a meter. A [Keyed] is one for every key, of which there may be millions, and needs
// no cleaning: its memory follows the keys that are in debt. It is a [Decider]; so
// are limiters that share their state with other servers, and package httplimit puts
// any of them before a handler.
//
// What a refusal means is not the limiter's business. A hard limit refuses; a soft
// one lets some more pass, marked; a shadow limit only logs; a full queue says that
// the server is busy and not that the client did wrong. Do not use a rate limit
// where what counts is how much is under way at once: limit that.
//
// # Concurrency
//
// All types may be used by any number of goroutines at once. Decisions of a Limiter
// take no lock, nor do those of a Keyed with one limit on a key that it has: a
// refusal is a load, an admission a load and a compare-and-swap.
//
// # Accuracy
//
// A token bucket counts virtual time in binary fractions of a token, so that no
// rate drifts, not even a third of a token a second: in k periods, k times Events
// accrue. Only the reading of the clock is rounded, by less than a nanosecond: in any
// span of W, at most rate*(W + 1ns) + burst pass, and where an event takes whole
// nanoseconds, so do RetryAfter and every delay. An instant before one that was seen,
// as goroutines give when they are late, is only stricter, for a key too that has
// left its table since.
//
// A fixed window lets pass up to twice its events around a border. A sliding window
// takes the events of the window before as spread evenly: where they came at its end,
// more than the limit can pass in a Period, twice as much at worst. A [SlidingLog] is
// exact. What windows say in RetryAfter is when their own count will have room.
//
// # Format
//
// [Keyed.WriteTo] writes an envelope of distkit, all numbers little-endian:
//
//	offset  size  field
//	0       2     0xD1 0x6B
//	2       1     112: ratelimit.Keyed
//	3       1     0: version
//	4       2     0
//	6       1     3: parameters
//	7       1     3: the payload begins at a multiple of 2^3
//	8       8     check value of the secret
//	16      8     algorithm: 0 token bucket, 1 fixed window, 2 sliding window
//	24      8     number of limits, 1 to 16
//	32      8     length of the payload
//	40      24    events, period in nanoseconds and burst of a limit, for each limit
//	..      16    hash of a key and its debt, 8 bytes more for every further limit
//	..      8     XXH64
//
// Keys are in debt, ascend by their hash, which is the SipHash-2-4 of their bytes
// under the secret, and never 0. A debt is, of a token bucket, how many nanoseconds
// it takes until it is full, and of windows, how many events they still count.
//
// # Stability
//
// The layout of Keyed's snapshots has version 0 and may change before v1, and so may
// the state that redislimit keeps in Redis.
//
// # Security
//
// Costs and instants may come from strangers: a negative cost is refused, as is one
// above the burst, sums are checked, and no instant mints tokens. Refusals are
// cheaper than admissions, and write nothing.
//
// A Keyed hashes keys under a seed of its own, or a secret, so that nobody can spend
// another's limit with a key that collides. A flood of keys forgives nobody. To
// bound memory under one, use WithMaxKeys, and choose by WithFull whether newcomers
// are refused then, which lets a flood lock them out, or pass, or take the place of
// who owes least. Keep the anonymous in a table of their own, and take IPv6 clients
// by their /64.
package ratelimit
