// Package httplimit holds HTTP clients to limits, and lets a client of its own
// obey those of others.
//
// A [Middleware] asks a [ratelimit.Decider] for every request: a
// [ratelimit.Keyed] for one server, a Redis limiter for many. What it refuses is
// answered with 429, Retry-After and a body of type application/problem+json;
// all answers carry RateLimit and RateLimit-Policy. [NewRules] has a limit for
// each pattern of [http.ServeMux].
//
//	keyed, err := ratelimit.NewKeyed(ratelimit.PerMinute(600).WithBurst(60))
//	limit, err := httplimit.New(keyed)
//	http.ListenAndServe(addr, limit.Handler(mux))
//
// [NewTransport] is the other side: it waits out 429 and 503.
//
// Use it behind whatever authenticates, with [WithKey] for the account, where
// that is known, and by address before it. Do not use it against a flood that
// fills the line: that is for the network in front.
//
// # What is beyond a limit
//
//	hard (default)      429 with Retry-After
//	WithSoft(extra)     passes, marked, from a second bucket of the key; then 429
//	WithShadow()        passes, always, marked
//	WithDelay(max)      waits up to max; where 1,000 wait already, 503
//	WithConcurrency(n)  503 with Retry-After, while n are under way
//	a full queue, or a  503 with Retry-After: the client did nothing wrong
//	store that is down  (WithFailOpen lets pass what a store cannot decide)
//
// Marked means that [FromContext] and [WithObserver] give the limiter's Result,
// with Allowed false, and that RateLimit says r=0.
//
// # Concurrency
//
// A Middleware and a transport are safe for concurrent use.
//
// # Format
//
// The fields are those of draft-ietf-httpapi-ratelimit-headers-11: lists of
// strings with parameters (RFC 9651),
//
//	RateLimit-Policy: "burst";q=100;w=60,"daily";q=1000;w=86400
//	RateLimit: "daily";r=12;t=30
//
// where q events pass in w seconds, r remain, and after t seconds there are more.
// Of several limits RateLimit names the one that binds; middlewares around one another
// each add theirs, so name them apart by [WithPolicy]. Retry-After (RFC 9110) is
// in whole seconds, rounded up, and never earlier than t. 429 is that of RFC
// 6585, the problem types are quota-exceeded and temporary-reduced-capacity.
//
// # Stability
//
// The package follows semantic versioning with the module; the fields follow the
// draft, and WithLegacyHeaders what was before it.
//
// # Security
//
// X-Forwarded-For is believed from proxies that [KeyByIP] is told to trust, and
// from nobody else. IPv6 clients own a /64 and are counted by it. A key that
// cannot be had is 400, also with WithFailOpen. Neither keys nor what is known of
// them is in any header. Refusing takes no memory that lasts.
package httplimit
