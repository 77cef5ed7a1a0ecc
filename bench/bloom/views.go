package bloom

import (
	"github.com/distkit/distkit/bench/bar"
	"github.com/distkit/distkit/bloom"
)

// views is the bar of opening an image of a megabyte and asking once.
func views() []bar.Bar {
	const n = million
	return []bar.Bar{{
		Name: "OpenView and ContainsHash/n=1M", Limit: 1, Plus: 30,
		Ours: bar.Side{Impl: "distkit", New: func() func(int) uint64 {
			image, hs := check(filters(n).MarshalBinary()), hashes(n, true)
			return func(n int) (sum uint64) {
				for i := range n {
					v, err := bloom.OpenView(image)
					if err == nil && v.ContainsHash(hs[i&(queries-1)]) {
						sum++
					}
				}
				return sum
			}
		}},
		Peer: bar.Side{Impl: "Filter.ContainsHash", New: filterSide(n, true, false).New},
	}}
}
