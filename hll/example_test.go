package hll_test

import (
	"encoding/json"
	"fmt"
	"math"
	"math/bits"
	"sync"
	"time"

	"github.com/distkit/distkit/hll"
)

// Three heads and a tail come once in sixteen throws of four coins: the longest run
// tells how many keys threw. One such counter errs by more than its own size, ten by
// a third, 16,384 by less than a hundredth.
func Example_coinRuns() {
	fmt.Println("HHHT suggests", 1<<len("HHHT"))
	longest := 0
	for _, hash := range []uint{0b10100, 0b00110, 0b10011, 0b01100} {
		longest = max(longest, bits.TrailingZeros(hash)) // 2, 1, 0, 2
	}
	fmt.Println("2, 1, 0, 2 zeros suggest", 1<<(longest+1))
	fmt.Printf("10 counters err by %.0f %%\n", 100*1.04/math.Sqrt(10))

	sketch, err := hll.New(14, hll.WithDense())
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%d err by %.2f %%, and count a billion visitors too\n", sketch.SizeBytes(), 100*sketch.RelativeError())
	// Output:
	// HHHT suggests 16
	// 2, 1, 0, 2 zeros suggest 8
	// 10 counters err by 33 %
	// 16384 err by 0.81 %, and count a billion visitors too
}

// Shards count on their own, at the precision that each can afford; their union is
// the sketch of all keys.
func ExampleSketch_Merge() {
	total, err := hll.New(12)
	if err != nil {
		fmt.Println(err)
		return
	}
	for shard := range 3 {
		fine, _ := hll.New(14)
		for i := range 1000 {
			fine.AddString(fmt.Sprint("visitor ", 500*shard+i)) // half of them were on the last shard too
		}
		if err := total.Merge(fine); err != nil { // folds the finer one
			fmt.Println(err)
			return
		}
	}
	lower, upper := total.Bounds(3)
	fmt.Println(lower <= 2000 && 2000 <= upper)

	coarse, _ := hll.New(10)
	fmt.Println(total.Merge(coarse))
	// Output:
	// true
	// hll: incompatible: merge of precision 10 into 12, Reduce the receiver first
}

// Sketches are text in JSON, and small as long as their sets are.
func ExampleSketch_MarshalText() {
	visitors, err := hll.New(14)
	if err != nil {
		fmt.Println(err)
		return
	}
	visitors.AddString("alice")
	visitors.AddString("bob")
	page, err := json.Marshal(map[string]any{"path": "/", "visitors": visitors})
	fmt.Println(string(page), err)

	var back struct{ Visitors *hll.Sketch }
	if err := json.Unmarshal(page, &back); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(back.Visitors.Estimate(), back.Visitors.Equal(visitors))
	// Output:
	// {"path":"/","visitors":"0WsgAQAAAwAOAAAAAAAAAAIAAAAAAAAAAAAAAAAAAAAHAAAAAAAAAKb3Ie055iC63k7TArI/vQ=="} <nil>
	// 2 true
}

// Where strangers choose the keys, hash them under a secret.
func ExampleSketch_hostileKeys() {
	secret := [16]byte([]byte("from a key store")) // a distkit.Secret
	visitors, err := hll.New(14, hll.WithSecret(secret))
	if err != nil {
		fmt.Println(err)
		return
	}
	visitors.AddString("mallory")
	image, _ := visitors.MarshalBinary() // may be stored and sent: the secret is not in it

	var other hll.Sketch
	fmt.Println(other.UnmarshalBinary(image))
	mine, _ := hll.New(14, hll.WithSecret(secret))
	fmt.Println(mine.UnmarshalBinary(image), mine.Estimate())
	// Output:
	// hll: incompatible: image was made under a secret, receiver has none
	// <nil> 1
}

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
