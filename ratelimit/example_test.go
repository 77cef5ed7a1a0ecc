package ratelimit_test

import (
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
		fmt.Println(r.Allowed, r.Remaining, r.RetryAfter.Round(time.Microsecond))
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
		fmt.Println(r.OK(), r.DelayFrom(now).Round(time.Microsecond))
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
