package main

import (
	"github.com/distkit/distkit/internal/plot"
	"github.com/distkit/distkit/lru"
)

// draw returns a chart of hit ratios from a quarter of a capacity to four times it.
func draw(keys []string, capacity int) (string, error) {
	var sizes []float64
	for n := max(1, capacity/4); n <= 4*capacity; n *= 2 {
		sizes = append(sizes, float64(n))
	}
	best := plot.Series{Name: "possible", X: sizes}
	for _, n := range sizes {
		best.Y = append(best.Y, 100*possible(keys, int(n)))
	}
	lines := []plot.Series{best}
	for _, p := range []lru.Policy{lru.Adaptive, lru.S3FIFO, lru.SIEVE, lru.LRU} {
		line := plot.Series{Name: p.String(), X: sizes}
		for _, n := range sizes {
			ratio, err := replay(p, int(n), keys)
			if err != nil {
				return "", err
			}
			line.Y = append(line.Y, 100*ratio)
		}
		lines = append(lines, line)
	}
	return plot.SVG("Hits by policy and capacity",
		plot.Axis{Label: "entries", Min: sizes[0], Max: sizes[len(sizes)-1], Log: true, Ticks: sizes, Format: "%g"},
		plot.Axis{Label: "% hits", Max: 100, Ticks: []float64{0, 25, 50, 75, 100}, Format: "%g"}, lines), nil
}
