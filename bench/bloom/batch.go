package bloom

import (
	"fmt"

	"github.com/distkit/distkit/bench/bar"
)

// chunk is how many keys a batch has.
const chunk = 1024

// batches are the bars of many keys at once. parquet-go has no bulk look-up, so
// its single one is what a user has there.
func batches() (bars []bar.Bar) {
	for _, c := range []struct {
		millions    int
		raw, hit    bool
		look, limit float64
	}{
		{1, true, true, 0.45, 1.0},
		{1, false, true, 0.68, 1.65},
		{1, true, false, 0.45, 0},
		{1, false, false, 0.68, 0},
		{10, true, true, 0.65, 0.75},
		{10, false, true, 0.75, 0.90},
		{10, true, false, 0.65, 0},
		{10, false, false, 0.75, 0},
		{100, true, true, 0.55, 0},
		{100, false, true, 0.60, 0},
		{100, true, false, 0.55, 0},
		{100, false, false, 0.60, 0},
	} {
		n := c.millions * million
		bars = append(bars, bar.Bar{
			Name: fmt.Sprintf("ContainsHashes/n=%dM/%s%s", c.millions, hitOrMiss(c.hit), rawOrNot(c.raw)),
			Ours: lookSide(n, c.hit, c.raw), Peer: parquetSide(n, c.hit), Limit: c.look,
		})
		if c.limit > 0 {
			bars = append(bars, bar.Bar{
				Name: fmt.Sprintf("AddHashes/n=%dM%s", c.millions, rawOrNot(c.raw)),
				Ours: fillSide(n, c.raw), Peer: parquetFillSide(n), Limit: c.limit,
			})
		}
	}
	return bars
}

// chunks calls do for slices of hs that hold n keys together.
func chunks(hs []uint64, n int, do func(hs []uint64) uint64) (sum uint64) {
	for at := 0; n > 0; n -= chunk {
		sum += do(hs[at:][:min(chunk, n)])
		at = (at + chunk) & (queries - 1)
	}
	return sum
}

func lookSide(n int, hit, raw bool) bar.Side {
	return bar.Side{Impl: "distkit", New: func() func(int) uint64 {
		f, hs, out := filter(n, raw), hashes(n, hit), make([]bool, chunk)
		return func(n int) uint64 {
			return chunks(hs, n, func(hs []uint64) uint64 { return uint64(f.ContainsHashes(out, hs)) })
		}
	}}
}

func fillSide(n int, raw bool) bar.Side {
	return bar.Side{Impl: "distkit", New: func() func(int) uint64 {
		f, hs := filter(n, raw).Clone(), hashes(n, true)
		f.Reset()
		return func(n int) uint64 {
			return chunks(hs, n, func(hs []uint64) uint64 { f.AddHashes(hs); return 1 })
		}
	}}
}

func parquetFillSide(n int) bar.Side {
	return bar.Side{Impl: "parquet-go InsertBulk", New: func() func(int) uint64 {
		f, hs := append(parquets(n)[:0:0], parquets(n)...), hashes(n, true)
		f.Reset()
		return func(n int) uint64 {
			return chunks(hs, n, func(hs []uint64) uint64 { f.InsertBulk(hs); return 1 })
		}
	}}
}
