//go:build purego

package bloom

import "github.com/distkit/distkit/bench/bar"

// portable are the bars of the portable code.
func portable() []bar.Bar {
	const n = million
	hit, miss := filterSide(n, true, false), filterSide(n, false, false)
	hit.Impl = "our hit"
	return []bar.Bar{
		{Name: "portable ContainsHash/n=1M/miss", Ours: miss, Peer: blobSide(n, false), Limit: 0.45},
		{Name: "portable ContainsHash/n=1M/miss to hit", Ours: miss, Peer: hit, Limit: 1.1},
		{Name: "portable ContainsHash/n=1M/hit to miss", Ours: filterSide(n, true, false), Peer: bar.Side{Impl: "our miss", New: miss.New}, Limit: 1.1},
	}
}
