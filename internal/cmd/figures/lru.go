package main

import (
	"container/heap"
	"math"

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
		best.Y = append(best.Y, 100*clairvoyant(load, size))
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

// clairvoyant returns the hit ratio of a cache that evicts what is used the latest
// (Belady 1966): no policy has a higher one.
func clairvoyant(load []uint64, size int) float64 {
	next, last := make([]int, len(load)), map[uint64]int{}
	for i := len(load) - 1; i >= 0; i-- {
		next[i] = math.MaxInt
		if j, ok := last[load[i]]; ok {
			next[i] = j
		}
		last[load[i]] = i
	}
	held := map[uint64]int{} // by key: when it is used next
	var order latest
	hits := 0
	for i, key := range load {
		if _, ok := held[key]; ok {
			hits++
		}
		held[key] = next[i]
		heap.Push(&order, use{key, next[i]})
		for len(held) > size {
			u := heap.Pop(&order).(use)
			if at, ok := held[u.key]; ok && at == u.at { // else it was used meanwhile
				delete(held, u.key)
			}
		}
	}
	return float64(hits) / float64(len(load))
}

// use is a key and when it is used next; latest a heap whose first is used the
// latest.
type use struct {
	key uint64
	at  int
}

type latest []use

func (l latest) Len() int           { return len(l) }
func (l latest) Less(i, j int) bool { return l[i].at > l[j].at }
func (l latest) Swap(i, j int)      { l[i], l[j] = l[j], l[i] }
func (l *latest) Push(x any)        { *l = append(*l, x.(use)) }
func (l *latest) Pop() any {
	u := (*l)[len(*l)-1]
	*l = (*l)[:len(*l)-1]
	return u
}
