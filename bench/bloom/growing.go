package bloom

import (
	"slices"
	"time"

	"github.com/distkit/distkit/bench/bar"
	"github.com/distkit/distkit/bloom"
	"github.com/distkit/distkit/internal/hash64"
	boom "github.com/tylertreat/BoomFilters"
)

// A thousandfold growth that ends with a full layer: 1023 times the first.
const (
	firstLayer = 1000
	grownTo    = 1023 * firstLayer
)

var scalables = once(func(n int) *bloom.Scalable {
	s := check(bloom.NewScalable(firstLayer, rate))
	addKeys(n, func(k []byte) { s.Add(k) })
	return s
})

var rotatings = once(func(n int) *bloom.Rotating {
	r := check(bloom.NewRotating(uint64(n), rate))
	addAll(2*n, func(h uint64) { r.AddHash(h) })
	return r
})

// growing are the bars of Scalable and Rotating.
func growing() []bar.Bar {
	peer := once(func(n int) *boom.ScalableBloomFilter {
		s := boom.NewScalableBloomFilter(firstLayer, rate, 0.8)
		addKeys(n, func(k []byte) { s.Add(k) })
		return s
	})
	const n = million
	return []bar.Bar{
		{
			Name: "Scalable.Contains/key=24B/grown 1000x/miss", Limit: 0.02,
			Ours: asks("distkit", grownTo, false, func() func([]byte) bool { return scalables(grownTo).Contains }),
			Peer: asks("BoomFilters", grownTo, false, func() func([]byte) bool { return peer(grownTo).Test }),
		},
		{
			// A Filter of as many bits.
			Name: "Rotating.ContainsHash/n=1M/miss", Limit: 3,
			Ours: bar.Side{Impl: "distkit", New: func() func(int) uint64 {
				f, hs := rotatings(n), hashes(8*n, false)
				return func(n int) (sum uint64) {
					for i := range n {
						if f.ContainsHash(hs[i&(queries-1)]) {
							sum++
						}
					}
					return sum
				}
			}},
			Peer: bar.Side{Impl: "Filter", New: func() func(int) uint64 {
				f, hs := check(bloom.FromParquet(make([]byte, rotatings(n).Bits()/8))), hashes(n, false)
				addAll(n, func(h uint64) { f.AddHash(h) })
				return func(n int) (sum uint64) {
					for i := range n {
						if f.ContainsHash(hs[i&(queries-1)]) {
							sum++
						}
					}
					return sum
				}
			}},
		},
	}
}

// worstAdd compares the slowest of many Adds with the usual one. A neighbor on
// the machine delays a few; so the worst is taken of blocks of Adds, each the
// fastest of several runs at the same turn of the filter.
func worstAdd() []bar.Figure {
	return []bar.Figure{{
		Name: "Rotating.AddHash/n=100k/worst of 1M, a block of 64", Unit: "x the median", Limit: 50,
		Measure: func() float64 {
			const n, block, blocks = 100_000, 64, million / 64
			best := slices.Repeat([]time.Duration{time.Hour}, blocks)
			for range 5 {
				r := check(bloom.NewRotating(n, rate))
				for b := range blocks {
					start := time.Now()
					for i := range block {
						r.AddHash(hash64.Integer(b*block + i))
					}
					best[b] = min(best[b], time.Since(start))
				}
			}
			slices.Sort(best)
			return float64(best[blocks-1]) / float64(best[blocks/2])
		},
	}}
}
