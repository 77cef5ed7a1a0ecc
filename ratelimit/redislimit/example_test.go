package redislimit_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/distkit/distkit/ratelimit"
	"github.com/distkit/distkit/ratelimit/httplimit"
	"github.com/distkit/distkit/ratelimit/redislimit"
	"github.com/redis/go-redis/v9"
)

// startStore stands in for a Redis, so that the examples run anywhere.
func startStore() (client *redis.Client, stop func()) {
	m, err := miniredis.Run()
	if err != nil {
		panic(err)
	}
	c := redis.NewClient(&redis.Options{Addr: m.Addr(), ContextTimeoutEnabled: true})
	return c, func() { c.Close(); m.Close() }
}

// Two servers hold one limit.
func Example() {
	client, stop := startStore()
	defer stop()
	var servers [2]*redislimit.Limiter
	for i := range servers {
		var err error
		if servers[i], err = redislimit.New(client, ratelimit.PerHour(5)); err != nil {
			panic(err)
		}
		defer servers[i].Close()
	}
	for i := range 7 {
		r, err := servers[i%2].Decide(context.Background(), "alice", 1)
		fmt.Println(r.Allowed, r.Remaining, err)
	}
	// Output:
	// true 4 <nil>
	// true 3 <nil>
	// true 2 <nil>
	// true 1 <nil>
	// true 0 <nil>
	// false 0 <nil>
	// false 0 <nil>
}

// A limiter before a handler: package httplimit asks it, names its limits in
// RateLimit-Policy, and answers 503 while Redis is down, unless a fallback decides.
func Example_http() {
	client, stop := startStore()
	defer stop()
	limiter, err := redislimit.NewMulti(client,
		[]ratelimit.Limit{ratelimit.PerSecond(10).WithBurst(2), ratelimit.PerDay(1000)},
		redislimit.WithPrefix("api:"),
		redislimit.WithFallback(0.25), // one of four servers
		redislimit.WithErrorHandler(func(err error) { fmt.Println("redis is down:", err) }))
	if err != nil {
		panic(err)
	}
	defer limiter.Close()
	limit, err := httplimit.New(limiter, httplimit.WithPolicy("burst", "daily"))
	if err != nil {
		panic(err)
	}
	h := limit.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {}))
	for range 3 {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil))
		fmt.Println(w.Code, w.Header().Get("RateLimit"))
	}
	// Output:
	// 200 "burst";r=1;t=1
	// 200 "burst";r=0;t=1
	// 429 "burst";r=0;t=1
}

func ExampleNewMulti() {
	client, stop := startStore()
	defer stop()
	limits := []ratelimit.Limit{ratelimit.PerMinute(3), ratelimit.PerDay(5)}
	limiter, err := redislimit.NewMulti(client, limits)
	if err != nil {
		panic(err)
	}
	defer limiter.Close()
	for range 2 {
		r, err := limiter.Decide(context.Background(), "alice", 3)
		fmt.Println(r.Allowed, r.Remaining, limits[r.Index], err)
	}
	// Output:
	// true 0 3/m <nil>
	// false 2 5/day <nil>
}

func ExampleRequest() {
	client, stop := startStore()
	defer stop()
	limiter, err := redislimit.New(client, ratelimit.PerHour(3))
	if err != nil {
		panic(err)
	}
	defer limiter.Close()
	results, err := limiter.DecideBatch(context.Background(), []redislimit.Request{
		{Key: "alice", N: 2}, {Key: "bob", N: 1}, {Key: "alice", N: 2}, {Key: "alice", N: 1},
	})
	for _, r := range results {
		fmt.Println(r.Allowed, r.Remaining)
	}
	fmt.Println(err, limiter.Stats().Trips, "trip")
	// Output:
	// true 1
	// true 2
	// false 1
	// true 0
	// <nil> 1 trip
}

// A hot key is decided here most of the time.
func ExampleWithLease() {
	client, stop := startStore()
	defer stop()
	limiter, err := redislimit.New(client, ratelimit.PerHour(10_000), redislimit.WithLease(500, time.Minute))
	if err != nil {
		panic(err)
	}
	defer limiter.Close()
	passed := 0
	for range 10_000 {
		if r, err := limiter.Decide(context.Background(), "celebrity", 1); err == nil && r.Allowed {
			passed++
		}
	}
	fmt.Println(passed, "passed, on fewer than 50 trips:", limiter.Stats().Trips < 50)
	// Output: 10000 passed, on fewer than 50 trips: true
}

func ExampleStats() {
	client, stop := startStore()
	defer stop()
	limiter, err := redislimit.New(client, ratelimit.PerHour(1))
	if err != nil {
		panic(err)
	}
	defer limiter.Close()
	for range 1000 {
		_, _ = limiter.Decide(context.Background(), "flood", 1)
	}
	fmt.Printf("%+v\n", limiter.Stats())
	// Output: {Trips:2 Commands:2 Leased:0 DenialsHere:998 Failures:0 Down:false}
}

// While Redis is down, each of four servers holds a quarter of the limit.
func ExampleWithFallback() {
	client := redis.NewClient(&redis.Options{Addr: "127.0.0.1:1", MaxRetries: -1, DialerRetries: 1})
	defer client.Close()
	limiter, err := redislimit.New(client, ratelimit.PerHour(8), redislimit.WithFallback(0.25))
	if err != nil {
		panic(err)
	}
	defer limiter.Close()
	for range 3 {
		r, err := limiter.Decide(context.Background(), "alice", 1)
		fmt.Println(r.Allowed, r.Remaining, err != nil)
	}
	// Output:
	// true 1 true
	// true 0 true
	// false 0 true
}
