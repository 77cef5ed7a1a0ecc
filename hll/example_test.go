package hll_test

import (
	"fmt"
	"sync"
	"time"

	"github.com/distkit/distkit/hll"
)

func ExampleSketch() {
	visitors, err := hll.New(14)
	if err != nil {
		fmt.Println(err)
		return
	}
	for i := range 1_000_000 {
		visitors.AddString(fmt.Sprint("visitor ", i%250_000))
	}
	lower, upper := visitors.Bounds(3)
	fmt.Println(lower < 250_000 && 250_000 < upper, visitors.SizeBytes())
	fmt.Println(visitors.AddString("visitor 0"))
	// Output:
	// true 16384
	// false
}

// Half the memory of a Sketch of precision 14, and less error.
func ExampleExaLogLog() {
	visitors, err := hll.NewExaLogLog(11)
	if err != nil {
		fmt.Println(err)
		return
	}
	for id := range uint64(1_000_000) {
		visitors.AddHash(id)
	}
	lower, upper := visitors.Bounds(3)
	fmt.Println(lower < 1_000_000 && 1_000_000 < upper, visitors.SizeBytes())
	// Output: true 8192
}

// Goes on with what GET gave of a key that PFADD wrote to.
func ExampleRedis() {
	got := "HYLL\x01\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00P@\x80o\xbd" // PFADD key element-0
	var visitors hll.Redis
	if err := visitors.UnmarshalBinary([]byte(got)); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(visitors.AddString("element-0"), visitors.AddString("element-1"))
	fmt.Println(visitors.Estimate())
	set, err := visitors.MarshalBinary() // SET key
	fmt.Println(len(set), err)
	// Output:
	// false true
	// 2
	// 24 <nil>
}

// Of two days' visitors, how many came on both?
func ExampleOverlap() {
	monday, _ := hll.New(14)
	tuesday, _ := hll.New(14)
	for id := range uint64(2000) {
		monday.AddHash(id)
		tuesday.AddHash(id + 1500)
	}
	days, err := hll.Intersect(monday, tuesday)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%.0f on both days, %.0f on one; %.2f of all came back\n", days.Both, days.OnlyA+days.OnlyB, days.Jaccard())
	// Output: 500 on both days, 3000 on one; 0.14 of all came back
}

func ExampleConcurrent() {
	visitors, err := hll.NewConcurrent(14)
	if err != nil {
		fmt.Println(err)
		return
	}
	var wg sync.WaitGroup
	for worker := range uint64(4) {
		wg.Go(func() {
			for id := range uint64(50_000) {
				visitors.AddHash(worker*25_000 + id) // half of them are another worker's too
			}
		})
	}
	wg.Wait()
	lower, upper := visitors.Bounds(3)
	fmt.Println(lower < 125_000 && 125_000 < upper)
	stored, err := visitors.Snapshot().MarshalBinary()
	fmt.Println(len(stored), err)
	// Output:
	// true
	// 12336 <nil>
}

// Visitors of the last hour, by the clock of a log.
func ExampleWindow() {
	visitors, err := hll.NewWindow(14, time.Hour)
	if err != nil {
		fmt.Println(err)
		return
	}
	noon := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	for minute := range 120 {
		visitors.AddStringAt(noon.Add(time.Duration(minute)*time.Minute), fmt.Sprint("visitor ", minute/2))
	}
	fmt.Println(visitors.EstimateAt(noon.Add(119 * time.Minute))) // 60 minutes, and up to a pane of 9 more
	fmt.Println(visitors.EstimateAt(noon.Add(150 * time.Minute)))
	fmt.Println(visitors.EstimateAt(noon.Add(200 * time.Minute)))
	// Output:
	// 34
	// 17
	// 0
}
