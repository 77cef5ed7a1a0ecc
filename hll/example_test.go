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
