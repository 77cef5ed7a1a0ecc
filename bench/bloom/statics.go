package bloom

import (
	"fmt"
	"math"

	"github.com/FastFilter/xorfilter"
	"github.com/distkit/distkit/bench/bar"
	"github.com/distkit/distkit/bloom"
	"github.com/distkit/distkit/internal/hash64"
)

func ids(n int) []uint64 {
	all := make([]uint64, n)
	for i := range all {
		all[i] = hash64.Integer(i)
	}
	return all
}

// statics are the bars of the filter that is built once.
func statics() (bars []bar.Bar) {
	ours := once(func(n int) *bloom.Static { return check(bloom.NewStatic(ids(n), 1.0/256)) })
	peer := once(func(n int) *xorfilter.BinaryFuse8 { return check(xorfilter.PopulateBinaryFuse8(ids(n))) })
	for _, n := range []int{million, 10 * million} {
		for _, hit := range []bool{true, false} {
			bars = append(bars, bar.Bar{
				Name: fmt.Sprintf("Static.ContainsHash/p=2^-8/n=%dM/%s", n/million, hitOrMiss(hit)), Limit: 1.15,
				Ours: bar.Side{Impl: "distkit", New: func() func(int) uint64 {
					f, hs := ours(n), hashes(n, hit)
					return func(n int) (sum uint64) {
						for i := range n {
							if f.ContainsHash(hs[i&(queries-1)]) {
								sum++
							}
						}
						return sum
					}
				}},
				Peer: bar.Side{Impl: "xorfilter fuse8", New: func() func(int) uint64 {
					f, hs := peer(n), hashes(n, hit)
					return func(n int) (sum uint64) {
						for i := range n {
							if f.Contains(hs[i&(queries-1)]) {
								sum++
							}
						}
						return sum
					}
				}},
			})
		}
	}
	return append(bars, bar.Bar{
		Name: "NewStatic/p=2^-8/n=1M", Limit: 1.1, Allocs: 10,
		Ours: builds("distkit", func(all []uint64) uint64 { return check(bloom.NewStatic(all, 1.0/256)).Bits() }),
		Peer: builds("xorfilter fuse8", func(all []uint64) uint64 { return uint64(len(check(xorfilter.PopulateBinaryFuse8(all)).Fingerprints)) }),
	})
}

func builds(impl string, build func(all []uint64) uint64) bar.Side {
	return bar.Side{Impl: impl, New: func() func(int) uint64 {
		all := ids(million)
		return func(n int) (sum uint64) {
			for range n {
				sum += build(all)
			}
			return sum
		}
	}}
}

// staticSizes are bits a key, and that no size fails.
func staticSizes() (figures []bar.Figure) {
	for _, p := range []float64{0.01, 1e-3, 1e-6} {
		figures = append(figures, bar.Figure{
			Name: fmt.Sprintf("Static/p=%g/n=1M", p), Unit: "bits/key", Limit: 1.15*math.Ceil(-math.Log2(p)) + 0.1,
			Measure: func() float64 { return float64(check(bloom.NewStatic(ids(million), p)).Bits()) / million },
		})
	}
	return append(figures, bar.Figure{
		Name: "Static/n=0 to 20000, every one", Unit: "failures", Limit: 0,
		Measure: func() (failures float64) {
			all := ids(20_000)
			for n := range len(all) + 1 {
				f, err := bloom.NewStatic(all[:n], 0.5)
				if err != nil || n > 0 && !(f.ContainsHash(all[n-1]) && f.ContainsHash(all[n/2]) && f.ContainsHash(all[0])) {
					failures++
				}
			}
			return failures
		},
	})
}
