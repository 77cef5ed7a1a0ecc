package ratelimit_test

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/distkit/distkit/ratelimit"
)

func Example() {
	limiter, err := ratelimit.New(ratelimit.PerMinute(3))
	if err != nil {
		panic(err)
	}
	for range 4 {
		fmt.Println(limiter.Allow())
	}
	// Output:
	// true
	// true
	// true
	// false
}

func ExampleLimiter() {
	limiter, err := ratelimit.New(ratelimit.PerSecond(10).WithBurst(5))
	if err != nil {
		panic(err)
	}
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for _, cost := range []int64{4, 3, 6} {
		r := limiter.TakeAt(now, cost)
		fmt.Println(r.Allowed, r.Remaining, r.RetryAfter)
	}
	granted, _ := limiter.TakeUpToAt(now, 3)
	fmt.Println("granted", granted)
	// Output:
	// true 1 0s
	// false 1 200ms
	// false 1 2562047h47m16.854775807s
	// granted 1
}

func ExampleReservation() {
	limiter, err := ratelimit.New(ratelimit.Every(time.Second))
	if err != nil {
		panic(err)
	}
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for range 2 {
		r := limiter.ReserveAt(now, 1)
		fmt.Println(r.OK(), r.DelayFrom(now))
		if r.DelayFrom(now) > 500*time.Millisecond {
			r.CancelAt(now) // too long for us
		}
	}
	// Output:
	// true 0s
	// true 1s
}

func ExampleParseLimit() {
	var config struct{ API, Login ratelimit.Limit }
	err := json.Unmarshal([]byte(`{"API": "100/s;burst=20", "Login": "5/10m"}`), &config)
	fmt.Println(config.API.Events, config.API.Burst, config.Login.Period, err)
	_, err = ratelimit.ParseLimit("many/s")
	fmt.Println(err)
	// Output:
	// 100 20 10m0s <nil>
	// ratelimit: invalid limit: "many/s": want a positive number of events, as in 100/s or 1000/h;burst=50
}

func ExampleLimit() {
	fmt.Println(ratelimit.PerDay(7), ratelimit.PerSecond(100).WithBurst(20), ratelimit.Every(90*time.Second), ratelimit.Unlimited)
	// Output: 7/day 100/s;burst=20 1/1m30s unlimited
}

// The sliding window of the textbooks: at 15 s into a minute, the 42 of the minute
// before weigh three quarters, 31.5; with 18 of this one that is 49.5 of 100.
func ExampleAlgorithm() {
	limiter, err := ratelimit.New(ratelimit.PerMinute(100), ratelimit.WithAlgorithm(ratelimit.SlidingWindow))
	if err != nil {
		panic(err)
	}
	minute := time.Date(2026, 1, 2, 3, 4, 0, 0, time.UTC)
	limiter.AllowAt(minute.Add(-20*time.Second), 42)
	limiter.AllowAt(minute.Add(5*time.Second), 18)
	fmt.Println(limiter.PeekAt(minute.Add(15 * time.Second)).Remaining)
	// Output: 50
}

func ExampleKeyed() {
	// Logins: five at once, then one a minute, for every account.
	logins, err := ratelimit.NewKeyed(ratelimit.PerMinute(1).WithBurst(5))
	if err != nil {
		panic(err)
	}
	for range 5 {
		logins.AllowString("alice")
	}
	fmt.Println("alice", logins.AllowString("alice"))
	fmt.Println("bob", logins.AllowString("bob"))
	// Output:
	// alice false
	// bob true
}

func ExampleNewKeyedMulti() {
	limits := []ratelimit.Limit{ratelimit.PerSecond(3), ratelimit.PerDay(10)}
	clients, err := ratelimit.NewKeyedMulti(limits)
	if err != nil {
		panic(err)
	}
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for range 5 {
		r := clients.TakeAt(now, []byte("alice"), 3)
		fmt.Println(r.Allowed, r.Remaining, limits[r.Index])
		now = now.Add(time.Second)
	}
	// Output:
	// true 0 3/s
	// true 0 3/s
	// true 0 3/s
	// false 1 10/day
	// false 1 10/day
}

// What holds for a Limiter holds for a key: reserve, wait, cancel.
func ExampleKey() {
	uploads, err := ratelimit.NewKeyed(ratelimit.PerSecond(100))
	if err != nil {
		panic(err)
	}
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	alice := uploads.KeyString("alice")
	alice.AllowAt(now, 100)
	r := alice.ReserveAt(now, 50)
	fmt.Println(r.OK(), r.DelayFrom(now))
	r.CancelAt(now)
	r = alice.ReserveAt(now, 20)
	fmt.Println(r.OK(), r.DelayFrom(now))
	// Output:
	// true 500ms
	// true 200ms
}

func ExampleFullPolicy() {
	for _, policy := range []ratelimit.FullPolicy{ratelimit.RefuseNew, ratelimit.AdmitNew, ratelimit.EvictLeastDebt} {
		k, err := ratelimit.NewKeyed(ratelimit.PerHour(1), ratelimit.WithMaxKeys(2), ratelimit.WithFull(policy))
		if err != nil {
			panic(err)
		}
		k.AllowString("alice")
		k.AllowString("bob")
		fmt.Printf("%v: carol %v, carol again %v\n", policy, k.AllowString("carol"), k.AllowString("carol"))
	}
	// Output:
	// refuse new: carol false, carol again false
	// admit new: carol true, carol again true
	// evict least debt: carol true, carol again false
}

// A thousand clients come by, one after the other. Their places are taken over as
// soon as their debts are gone.
func ExampleStats() {
	k, err := ratelimit.NewKeyed(ratelimit.PerSecond(10))
	if err != nil {
		panic(err)
	}
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for i := range 1000 {
		k.TakeAt(now, fmt.Append(nil, "client ", i), 1)
		now = now.Add(time.Second)
	}
	s := k.Stats()
	fmt.Println(s.Inserted, "came,", s.Slots, "slots")
	// Output: 1000 came, 8 slots
}

// Whoever can decide for a key is a Decider: this one lets friends pass.
func ExampleDecider() {
	k, err := ratelimit.NewKeyed(ratelimit.PerHour(1))
	if err != nil {
		panic(err)
	}
	d := friendly{k}
	for range 2 {
		friend, _ := d.Decide(context.Background(), "friend", 1)
		stranger, _ := d.Decide(context.Background(), "stranger", 1)
		fmt.Println(friend.Allowed, stranger.Allowed)
	}
	// Output:
	// true true
	// true false
}

type friendly struct{ ratelimit.Decider }

func (f friendly) Decide(ctx context.Context, key string, n int64) (ratelimit.Result, error) {
	if key == "friend" {
		return ratelimit.Result{Allowed: true}, nil
	}
	return f.Decider.Decide(ctx, key, n)
}

func ExamplePolicies() {
	var d ratelimit.Decider
	d, err := ratelimit.NewKeyedMulti([]ratelimit.Limit{ratelimit.PerSecond(10), ratelimit.PerDay(1000)})
	if err != nil {
		panic(err)
	}
	if p, ok := d.(ratelimit.Policies); ok {
		fmt.Println(p.Limits())
	}
	// Output: [10/s 1000/day]
}

func ExampleResult() {
	limiter, err := ratelimit.New(ratelimit.PerMinute(6).WithBurst(2))
	if err != nil {
		panic(err)
	}
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for range 3 {
		r := limiter.TakeAt(now, 1)
		fmt.Println(r.Allowed, r.Remaining, "of", r.Limit, "retry", r.RetryAfter, "reset", r.ResetAfter)
	}
	// Output:
	// true 1 of 2 retry 0s reset 10s
	// true 0 of 2 retry 0s reset 20s
	// false 0 of 2 retry 10s reset 20s
}

// Ten a second, but no more than a thousand a day.
func ExampleMulti() {
	limiter, err := ratelimit.NewMulti([]ratelimit.Limit{ratelimit.PerSecond(10), ratelimit.PerDay(1000)})
	if err != nil {
		panic(err)
	}
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	passed := 0
	for ; limiter.AllowAt(now, 10); now = now.Add(time.Second) {
		passed += 10
	}
	r := limiter.TakeAt(now, 10)
	fmt.Println(passed, "passed; now", limiter.Limits()[r.Index], "refuses, for", r.RetryAfter.Round(time.Second))
	// Output: 1000 passed; now 1000/day refuses, for 12m44s
}

// Three in every ten seconds, wherever those begin.
func ExampleSlidingLog() {
	limiter, err := ratelimit.NewSlidingLog(ratelimit.Limit{Events: 3, Period: 10 * time.Second})
	if err != nil {
		panic(err)
	}
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for _, second := range []time.Duration{0, 4, 8, 9, 10, 13, 14} {
		fmt.Print(limiter.AllowAt(now.Add(second*time.Second), 1), " ")
	}
	// Output: true true true false true false true
}

// Jobs leave one by one, a hundred a second, and no more than two wait.
func ExampleQueue() {
	q, err := ratelimit.NewQueue(ratelimit.PerSecond(100), 2)
	if err != nil {
		panic(err)
	}
	start := time.Now()
	for range 5 {
		if err := q.Wait(context.Background()); err != nil {
			fmt.Println(err)
		}
	}
	fmt.Println(time.Since(start) >= 40*time.Millisecond)
	// Output: true
}

// A table of 20,000 read units a second over ten partitions: each has 2,000 that are
// always its own, and may burst with what the others leave.
func ExampleTiered() {
	node, err := ratelimit.New(ratelimit.PerSecond(20_000))
	if err != nil {
		panic(err)
	}
	var parts []*ratelimit.Tiered
	for range 10 {
		p, err := ratelimit.NewTiered(ratelimit.PerSecond(2000), 600_000, node)
		if err != nil {
			panic(err)
		}
		parts = append(parts, p)
	}
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	fmt.Println("a hot partition:", parts[0].AllowAt(now, 20_000), parts[0].AllowAt(now, 1))
	fmt.Println("its neighbor:", parts[1].AllowAt(now, 2000), parts[1].AllowAt(now, 1))
	// Output:
	// a hot partition: true false
	// its neighbor: true false
}

// What a refusal means is the caller's business: a hard limit refuses, a soft one
// lets some more pass, marked, and a shadow limit only logs.
func Example_hardSoftShadow() {
	limit := ratelimit.PerMinute(2)
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	make := func(l ratelimit.Limit) *ratelimit.Limiter {
		limiter, err := ratelimit.New(l)
		if err != nil {
			panic(err)
		}
		return limiter
	}
	hard, soft, shadow, extra := make(limit), make(limit), make(limit), make(ratelimit.PerHour(1))
	for range 4 {
		fmt.Print("hard: ", hard.AllowAt(now, 1))
		switch {
		case soft.AllowAt(now, 1):
			fmt.Print(", soft: passes")
		case extra.AllowAt(now, 1):
			fmt.Print(", soft: passes, marked")
		default:
			fmt.Print(", soft: 429")
		}
		fmt.Println(", shadow: passes, would have been", shadow.AllowAt(now, 1))
	}
	// Output:
	// hard: true, soft: passes, shadow: passes, would have been true
	// hard: true, soft: passes, shadow: passes, would have been true
	// hard: false, soft: passes, marked, shadow: passes, would have been false
	// hard: false, soft: 429, shadow: passes, would have been false
}
