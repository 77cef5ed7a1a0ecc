// Package bar measures distkit against its peers. A [Bar] names two sides that
// do the same work and says how much of the peer's time ours may take; a
// [Figure] bounds something that is not a time. A [Suite] is what one package
// has of both, written once and used twice: as a table of bars,
//
//	GOWORK=off go -C bench run . [-run regexp] [-rounds n] [-traces dir] [package ...]
//
// and as benchmarks whose names benchstat reads,
//
//	GOWORK=off go -C bench test -bench . ./ring
//
// Both sides of a bar run in one process, in turn, for several rounds, and the
// fastest round of each counts: machines are shared and noisy, and noise only
// ever adds.
//
// A new suite is a folder bench/PACKAGE with `func Suite() bar.Suite`, a test
// file whose one benchmark calls [Benchmark], and a line in bench/main.go.
// See bench/hashing.
package bar

import (
	"strings"
	"testing"
)

// Side is one contestant.
type Side struct {
	// Impl names it, as in "distkit" or "stathat".
	Impl string
	// New prepares the input, outside the measured time, and returns the
	// workload: run does n operations and returns a value that depends on all
	// of them, so that the compiler cannot drop the work.
	New func() (run func(n int) uint64)
}

// Bar demands that ours takes at most Limit times the peer's time and Plus
// nanoseconds an operation, and allocates at most Allocs times.
type Bar struct {
	// Name says what is measured and for which size, as in "Owner/n=100".
	Name string
	Ours Side
	Peer Side // none, with Limit 0, where only Plus counts
	// Limit is the share of the peer's time, 0.5 for half of it.
	Limit float64
	// Plus is in nanoseconds an operation.
	Plus float64
	// Allocs bounds the allocations of one operation of ours; AnyAllocs lifts it.
	Allocs float64
}

// AnyAllocs as [Bar.Allocs] does not bound the allocations.
const AnyAllocs = -1

// Figure demands that what Measure returns is at most Limit, or at least Limit
// where AtLeast is set.
type Figure struct {
	Name    string
	Unit    string // as in "B/node" or "%"
	Limit   float64
	AtLeast bool
	Measure func() float64
}

// Table is what stands behind a figure, for the reader.
type Table struct {
	Name string
	Rows func() [][]string // the first is the heading
}

// Suite is what one package is held to.
type Suite struct {
	Package string
	Bars    []Bar
	Figures []Figure
	Tables  []Table
}

// Benchmark runs both sides of every bar as sub-benchmarks named NAME/impl=IMPL;
// a peer that several bars share at one name runs once.
func Benchmark(b *testing.B, s Suite) {
	seen := map[string]bool{}
	for _, bar := range s.Bars {
		for _, side := range []Side{bar.Ours, bar.Peer} {
			name := bar.Name + "/impl=" + strings.ReplaceAll(side.Impl, " ", "_")
			if side.New == nil || seen[name] {
				continue
			}
			seen[name] = true
			b.Run(name, func(b *testing.B) {
				run := side.New()
				b.ReportAllocs()
				b.ResetTimer()
				Sink = run(b.N)
			})
		}
	}
}

// Sink is where results go that the compiler must not drop.
var Sink uint64
