// Package ring holds package ring to its bars against the consistent-hashing
// libraries that Go users choose from today. All rings have 160 points a node,
// Maglev tables 65537 entries; keys are 65,536 random strings of 21 bytes.
package ring

import (
	"fmt"
	"slices"

	"github.com/dgryski/go-jump"
	"github.com/distkit/distkit/bench/bar"
	"github.com/distkit/distkit/ring"
)

// Suite returns the bars of package ring.
func Suite() bar.Suite {
	return bar.Suite{
		Package: "ring",
		Bars:    slices.Concat(owners(), lists(), builds(), changes(), tables(), jumps(), loads()),
		Figures: slices.Concat(sizes(), quality(), tableQuality()),
	}
}

// jumps are the bars of hashing to numbered buckets.
func jumps() (bars []bar.Bar) {
	side := func(impl string, f func(uint64, int) int, n int) bar.Side {
		return each(impl, hashes, func() func(uint64) uint64 { return func(h uint64) uint64 { return uint64(f(h, n)) } })
	}
	peer := func(h uint64, n int) int { return int(jump.Hash(h, n)) }
	for _, c := range []struct {
		name  string
		f     func(uint64, int) int
		n     int
		limit float64
	}{{"JumpBack", ring.JumpBack, 100, 0.5}, {"JumpBack", ring.JumpBack, 1000, 0.25}, {"Jump", ring.Jump, 100, 1}, {"Jump", ring.Jump, 1000, 1}} {
		bars = append(bars, bar.Bar{
			Name: fmt.Sprintf("%s/n=%d", c.name, c.n), Ours: side("distkit", c.f, c.n), Peer: side("go-jump", peer, c.n), Limit: c.limit,
		})
	}
	return bars
}

// loads are the bars of bounded loads.
func loads() []bar.Bar {
	return []bar.Bar{{
		Name: "Acquire and Release/n=100",
		Ours: each("distkit", hashes, func() func(uint64) uint64 {
			b := check(ring.NewBounded(rings(100), 1.25))
			for _, h := range hashes()[:1000] {
				b.Acquire(h)
			}
			return func(h uint64) uint64 {
				l, _ := b.Acquire(h)
				l.Release()
				return 1
			}
		}),
		Plus: 60,
	}}
}
