package bloom

import (
	"fmt"

	bits "github.com/bits-and-blooms/bloom/v3"
	"github.com/distkit/distkit/bench/bar"
	"github.com/distkit/distkit/bloom"
	"github.com/greatroar/blobloom"
	boom "github.com/tylertreat/BoomFilters"
)

const keyedN = 10 * million

var keyedFilters = once(func(n int) *bloom.Filter {
	f := check(bloom.New(uint64(n), rate))
	addKeys(n, func(k []byte) { f.Add(k) })
	return f
})

var keyedClassics = once(func(n int) *bloom.Classic {
	f := check(bloom.NewClassic(uint64(n), rate))
	addKeys(n, func(k []byte) { f.Add(k) })
	return f
})

var keyedBits = once(func(n int) *bits.BloomFilter {
	f := bits.NewWithEstimates(uint(n), rate)
	addKeys(n, func(k []byte) { f.Add(k) })
	return f
})

var keyedBlobs = once(func(n int) *blobloom.Filter {
	f := blobloom.NewOptimized(blobloom.Config{Capacity: uint64(n), FPRate: rate})
	addKeys(n, func(k []byte) { f.Add(hash(k)) })
	return f
})

// asks returns a side that asks for keys; contains is called through a function
// value on both sides.
func asks(impl string, n int, hit bool, bind func() func(key []byte) bool) bar.Side {
	return bar.Side{Impl: impl, New: func() func(int) uint64 {
		contains, all := bind(), keys(n, hit)
		return func(n int) (sum uint64) {
			for i := range n {
				at := i & (keyCount - 1) * keyBytes
				if contains(all[at : at+keyBytes]) {
					sum++
				}
			}
			return sum
		}
	}}
}

// keyed are the bars with keys of 24 bytes, hashing included.
func keyed() (bars []bar.Bar) {
	for _, hit := range []bool{true, false} {
		ours := asks("distkit", keyedN, hit, func() func([]byte) bool { return keyedFilters(keyedN).Contains })
		limit := 0.26
		if !hit {
			limit = 0.18
		}
		name := fmt.Sprintf("Contains/key=24B/n=10M/%s", hitOrMiss(hit))
		bars = append(bars, bar.Bar{
			Name: name, Ours: ours, Limit: limit,
			Peer: asks("bits-and-blooms", keyedN, hit, func() func([]byte) bool { return keyedBits(keyedN).Test }),
		}, bar.Bar{
			Name: name, Ours: ours, Limit: 0.80,
			Peer: asks("blobloom and xxhash", keyedN, hit, func() func([]byte) bool {
				f := keyedBlobs(keyedN)
				return func(k []byte) bool { return f.Has(hash(k)) }
			}),
		})
	}
	return bars
}

// classics are the bars of the textbook's filter.
func classics() (bars []bar.Bar) {
	for _, hit := range []bool{true, false} {
		bars = append(bars, bar.Bar{
			Name: fmt.Sprintf("Classic.Contains/key=24B/n=10M/%s", hitOrMiss(hit)), Limit: 0.6,
			Ours: asks("distkit", keyedN, hit, func() func([]byte) bool { return keyedClassics(keyedN).Contains }),
			Peer: asks("bits-and-blooms", keyedN, hit, func() func([]byte) bool { return keyedBits(keyedN).Test }),
		})
	}
	return bars
}

// counters are the bars of the filter that keys can be removed from.
func counters() (bars []bar.Bar) {
	const n = million
	ours := once(func(n int) *bloom.Counting {
		f := check(bloom.NewCounting(uint64(n), rate))
		addKeys(n, func(k []byte) { f.Add(k) })
		return f
	})
	peer := once(func(n int) *boom.CountingBloomFilter {
		f := boom.NewDefaultCountingBloomFilter(uint(n), rate)
		addKeys(n, func(k []byte) { f.Add(k) })
		return f
	})
	for _, hit := range []bool{true, false} {
		bars = append(bars, bar.Bar{
			Name: "Counting.Contains/key=24B/n=1M/" + hitOrMiss(hit), Limit: 0.4,
			Ours: asks("distkit", n, hit, func() func([]byte) bool { return ours(n).Contains }),
			Peer: asks("BoomFilters", n, hit, func() func([]byte) bool { return peer(n).Test }),
		})
	}
	return append(bars, bar.Bar{
		Name: "Counting.Add/key=24B/n=1M", Limit: 0.4,
		Ours: asks("distkit", n, false, func() func([]byte) bool { return check(bloom.NewCounting(n, rate)).Add }),
		Peer: asks("BoomFilters", n, false, func() func([]byte) bool {
			f := boom.NewDefaultCountingBloomFilter(n, rate)
			return func(k []byte) bool { return f.Add(k) != nil }
		}),
	})
}
