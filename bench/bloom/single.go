package bloom

import (
	"fmt"

	"github.com/distkit/distkit/bench/bar"
	"github.com/distkit/distkit/bloom"
)

// single are the bars of one ContainsHash at a time.
func single() (bars []bar.Bar) {
	const n = 10 * million
	for _, c := range []struct {
		hit   bool
		raw   bool
		peer  string
		limit float64
	}{
		{true, true, "blobloom", 0.40},
		{true, false, "blobloom", 0.40},
		{false, true, "blobloom", 0.50},
		{false, false, "blobloom", 0.60},
		{true, false, "holiman", 0.25},
		{false, false, "holiman", 0.25},
		{true, true, "parquet-go", 1.02},
		{true, false, "parquet-go", 1.25},
		{false, true, "parquet-go", 1.02},
		{false, false, "parquet-go", 1.25},
	} {
		peers := map[string]bar.Side{"blobloom": blobSide(n, c.hit), "holiman": holimanSide(n, c.hit), "parquet-go": parquetSide(n, c.hit)}
		bars = append(bars, bar.Bar{
			Name: fmt.Sprintf("ContainsHash/n=10M/%s%s", hitOrMiss(c.hit), rawOrNot(c.raw)),
			Ours: filterSide(n, c.hit, c.raw), Peer: peers[c.peer], Limit: c.limit,
		})
	}
	return bars
}

func hitOrMiss(hit bool) string {
	if hit {
		return "hit"
	}
	return "miss"
}

func rawOrNot(raw bool) string {
	if raw {
		return "/raw"
	}
	return ""
}

func filter(n int, raw bool) *bloom.Filter {
	if raw {
		return raws(n)
	}
	return filters(n)
}

func filterSide(n int, hit, raw bool) bar.Side {
	return bar.Side{Impl: "distkit", New: func() func(int) uint64 {
		f, hs := filter(n, raw), hashes(n, hit)
		return func(n int) (sum uint64) {
			for i := range n {
				if f.ContainsHash(hs[i&(queries-1)]) {
					sum++
				}
			}
			return sum
		}
	}}
}

func parquetSide(n int, hit bool) bar.Side {
	return bar.Side{Impl: "parquet-go", New: func() func(int) uint64 {
		f, hs := parquets(n), hashes(n, hit)
		return func(n int) (sum uint64) {
			for i := range n {
				if f.Check(hs[i&(queries-1)]) {
					sum++
				}
			}
			return sum
		}
	}}
}

func blobSide(n int, hit bool) bar.Side {
	return bar.Side{Impl: "blobloom", New: func() func(int) uint64 {
		f, hs := blobs(n), hashes(n, hit)
		return func(n int) (sum uint64) {
			for i := range n {
				if f.Has(hs[i&(queries-1)]) {
					sum++
				}
			}
			return sum
		}
	}}
}

func holimanSide(n int, hit bool) bar.Side {
	return bar.Side{Impl: "holiman", New: func() func(int) uint64 {
		f, hs := holimans(n), hashes(n, hit)
		return func(n int) (sum uint64) {
			for i := range n {
				if f.ContainsHash(hs[i&(queries-1)]) {
					sum++
				}
			}
			return sum
		}
	}}
}
