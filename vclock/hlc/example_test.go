package hlc_test

import (
	"fmt"
	"time"

	"github.com/distkit/distkit/vclock/hlc"
)

// A message goes from a host whose clock is fast to one whose clock is slow. Its
// arrival is after its departure nevertheless.
func ExampleClock() {
	noon := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	fast, _ := hlc.New()
	slow, _ := hlc.New()

	sent := fast.NowAt(noon.Add(200 * time.Millisecond))
	received, err := slow.ObserveAt(noon, sent)
	fmt.Println(sent.Time().Format(time.StampMilli), sent.Logical())
	fmt.Println(received.Time().Format(time.StampMilli), received.Logical(), err)

	// Eight hours are no drift but a mistake.
	_, err = slow.ObserveAt(noon, hlc.TimestampOf(noon.Add(8*time.Hour), 0))
	fmt.Println(err)
	// Output:
	// Jan  1 12:00:00.200 0
	// Jan  1 12:00:00.200 1 <nil>
	// hlc: timestamp 6475909a91000000 is 8h0m0s ahead, want at most 500ms: vclock: remote clock is too far ahead
}

// After a restart with a wall clock that went back nothing is issued twice.
func ExampleWithFloor() {
	noon := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	c, _ := hlc.New()
	durable := c.NowAt(noon) // written down once a second

	floor := hlc.TimestampOf(durable.Time().Add(time.Second), 0)
	c, _ = hlc.New(hlc.WithFloor(floor))
	fmt.Println(c.NowAt(noon.Add(-time.Hour)).Time().Format(time.TimeOnly))
	// Output:
	// 12:00:01
}

// A ticker keeps a coarse time, and reading that is all that Now does.
func ExampleOption() {
	coarse := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	c, err := hlc.New(hlc.WithSource(func() time.Time { return coarse }), hlc.WithMaxDrift(time.Second))
	fmt.Println(c.Now().Logical(), c.Now().Logical(), c.Now().Logical(), err)
	// Output:
	// 0 1 2 <nil>
}

func ExampleTimestamp() {
	a := hlc.TimestampOf(time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC), 0)
	b := a + 1
	fmt.Println(a, a.Time(), a.Logical())
	fmt.Println(b, b.Logical(), a < b, a.String() < b.String())
	// Output:
	// 64752550bf000000 2026-01-01 12:00:00 +0000 UTC 0
	// 64752550bf000001 1 true true
}

// Ids that sort by the time they were made: a timestamp and, as two servers may
// issue the same, the server's name.
func ExampleTimestamp_sortableIDs() {
	now := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	clock, err := hlc.New(hlc.WithSource(func() time.Time { return now }))
	if err != nil {
		panic(err)
	}
	id := func(server string) string { return clock.Now().String() + "-" + server }

	first, second := id("eu-1"), id("eu-1")
	now = now.Add(-time.Minute) // somebody sets the wall clock back
	third := id("eu-1")
	fmt.Println(first, second, third)
	fmt.Println(first < second && second < third)
	// Output:
	// 64752550bf000000-eu-1 64752550bf000001-eu-1 64752550bf000002-eu-1
	// true
}
