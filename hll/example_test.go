package hll_test

import (
	"fmt"

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
