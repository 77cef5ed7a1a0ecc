package main

import (
	"github.com/distkit/distkit/internal/hash64"
	"github.com/distkit/distkit/internal/plot"
	"github.com/distkit/distkit/internal/testkit"
	"github.com/distkit/distkit/lru"
)

// hitsFigure replays a load that has what real ones have, popular keys, keys that are
// asked for once, and popularity that changes, against caches of several sizes.
func hitsFigure() (string, error) {
	load := mixedLoad()
	sizes := []int{250, 500, 1000, 2000, 4000, 8000, 16_000}
	best := plot.Series{Name: "who knows the future"}
	for _, size := range sizes {
		best.X = append(best.X, float64(size))
		best.Y = append(best.Y, 100*float64(testkit.Belady(load, size))/float64(len(load)))
	}
	lines := []plot.Series{best}
	for _, p := range []lru.Policy{lru.Adaptive, lru.S3FIFO, lru.SIEVE, lru.LRU, lru.LFU} {
		s := plot.Series{Name: p.String()}
		for _, size := range sizes {
			cache, err := lru.New[uint64, struct{}](size, lru.WithPolicy(p), lru.WithStats(),
				lru.WithHasher(func(key uint64) uint64 { return hash64.Mix(key, 1) })) // the same in every run
			if err != nil {
				return "", err
			}
			for _, key := range load {
				cache.GetOrSet(key, struct{}{})
			}
			s.X = append(s.X, float64(size))
			s.Y = append(s.Y, 100*cache.Stats().HitRatio())
		}
		lines = append(lines, s)
	}
	return plot.SVG("Hits on a mixed load, by policy",
		plot.Axis{Label: "entries", Min: 250, Max: 16_000, Log: true, Ticks: []float64{250, 500, 1000, 2000, 4000, 8000, 16_000}, Format: "%.0f"},
		plot.Axis{Label: "% hits", Min: 0, Max: 80, Ticks: []float64{0, 20, 40, 60, 80}, Format: "%.0f"}, lines), nil
}

// mixedLoad returns 400,000 requests: keys by a Zipf distribution of 50,000, whose
// order of popularity shifts three times, and after every 20,000 a scan of 3000
// keys that nobody asks for again.
func mixedLoad() (load []uint64) {
	rank := testkit.Zipf(1, 0.9, 50_000)
	for i := range uint64(400_000) {
		load = append(load, (rank()+i/100_000*5000)%50_000)
		if i%20_000 == 0 {
			for k := range uint64(3000) {
				load = append(load, 1_000_000+i*1000+k)
			}
		}
	}
	return load
}
