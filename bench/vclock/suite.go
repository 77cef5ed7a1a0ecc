// Package vclock holds the causality packages to their bars. The peers that Go
// programs use are not all to be had as modules, so stand-ins of the same
// representation take their place: a map for GoVector, a mutex for CockroachDB's
// hybrid logical clock, pointer trees for fgrid/itc.
package vclock

import (
	"fmt"

	"github.com/distkit/distkit/bench/bar"
	"github.com/distkit/distkit/vclock"
)

// Suite returns the bars of vclock, hlc and itc.
func Suite() bar.Suite {
	s := bar.Suite{Package: "vclock"}
	s.Bars = append(s.Bars, clockBars()...)
	s.Bars = append(s.Bars, encodingBars()...)
	s.Bars = append(s.Bars, scalarBars()...)
	s.Bars = append(s.Bars, siblingBars()...)
	s.Bars = append(s.Bars, causalBars()...)
	s.Bars = append(s.Bars, itcBars()...)
	s.Figures = sizeFigures()
	return s
}

// side repeats one operation.
func side(impl string, op func() uint64) bar.Side {
	return bar.Side{Impl: impl, New: func() func(int) uint64 {
		return func(n int) (sum uint64) {
			for range n {
				sum += op()
			}
			return sum
		}
	}}
}

// pair is a clock and its map.
type pair struct {
	c vclock.Clock
	m VClock
}

// clocks returns a clock of n entries, of which f says the counter, twice: the
// second time in memory of its own.
func clocks(n int, f func(i int) uint64) pair {
	p := pair{m: VClock{}}
	var dots []vclock.Dot
	for i := range n {
		if v := f(i); v > 0 {
			id := fmt.Sprintf("node-%03d", i)
			dots = append(dots, vclock.Dot{ID: id, N: v})
			p.m[id] = v
		}
	}
	var err error
	if p.c, err = vclock.Make(dots...); err != nil {
		panic(err)
	}
	return p
}
