package pbs_test

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/distkit/distkit/quorum/pbs"
)

// N = 3: the settings of the textbooks.
func ExampleStaleProbability() {
	for _, rw := range [][2]int{{2, 1}, {2, 2}, {3, 1}, {1, 3}, {1, 1}} {
		fmt.Printf("R %d, W %d: %.3f\n", rw[0], rw[1], pbs.StaleProbability(3, rw[0], rw[1], 1))
	}
	// Output:
	// R 2, W 1: 0.333
	// R 2, W 2: 0.000
	// R 3, W 1: 0.000
	// R 1, W 3: 0.000
	// R 1, W 1: 0.667
}

// Writes that take their time, and answers that do not: how long until nearly all
// reads see a write.
func ExampleWARS() {
	fast := func(*rand.Rand) time.Duration { return time.Millisecond }
	slow := func(rng *rand.Rand) time.Duration {
		return time.Duration(rng.ExpFloat64() * 20 * float64(time.Millisecond))
	}
	p, err := pbs.Predict(3, 1, 1, pbs.WARS{W: slow, A: fast, R: fast, S: fast}, 100_000, rand.New(rand.NewPCG(1, 2)))
	if err != nil {
		panic(err)
	}
	fmt.Println("99 % of reads are fresh after", p.Visible(.99).Round(10*time.Millisecond))
	// Output: 99 % of reads are fresh after 80ms
}

func ExamplePrediction() {
	delay := func(rng *rand.Rand) time.Duration { return time.Duration(rng.ExpFloat64() * float64(time.Millisecond)) }
	p, err := pbs.Predict(3, 1, 1, pbs.WARS{W: delay, A: delay, R: delay, S: delay}, 100_000, rand.New(rand.NewPCG(1, 2)))
	if err != nil {
		panic(err)
	}
	fmt.Printf("fresh at once: %.2f, after 10 ms: %.2f\n", p.Fresh(0), p.Fresh(10*time.Millisecond))
	// Output: fresh at once: 0.75, after 10 ms: 1.00
}
