// Command figures draws the figures of docs/ring.md from measurements. Run it in
// the module's root:
//
//	go run ./ring/internal/figures           # what is the same on every machine
//	go run ./ring/internal/figures lookup    # the cost of lookups on this one
package main

import (
	"fmt"
	"log"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sort"
	"time"

	"github.com/distkit/distkit/internal/plot"
	"github.com/distkit/distkit/ring"
)

// figures are the same on every machine; a test compares them with docs/ring.
var figures = map[string]func() (string, error){"shares.svg": shares, "movement.svg": movement}

func main() {
	todo := figures
	if slices.Equal(os.Args[1:], []string{"lookup"}) {
		todo = map[string]func() (string, error){"lookup.svg": lookup}
	}
	for name, draw := range todo {
		svg, err := draw()
		if err == nil {
			err = os.WriteFile(filepath.Join("docs", "ring", name), []byte(svg), 0o644)
		}
		if err != nil {
			log.Fatalln("figures:", err)
		}
	}
}

// nodes returns n nodes of a set; sets differ in all names.
func nodes(set, n int) []ring.Node {
	ids := make([]string, n)
	for i := range ids {
		ids[i] = fmt.Sprintf("set-%d/node-%d", set, i)
	}
	return ring.Nodes(ids...)
}

// shares is the distribution of shares among 100 nodes, over many sets.
func shares() (string, error) {
	const sets, n, bin = 20, 100, 0.02
	var lines []plot.Series
	for _, c := range []struct {
		name string
		opts []ring.Option
	}{
		{"40 tokens", []ring.Option{ring.WithVirtualNodes(40)}},
		{"160 tokens", []ring.Option{ring.WithVirtualNodes(160)}},
		{"512 tokens, the default", nil},
		{"WithTolerance(0.05)", []ring.Option{ring.WithTolerance(0.05)}},
	} {
		counts := make([]float64, 100)
		for set := range sets {
			r, err := ring.New(nodes(set, n), c.opts...)
			if err != nil {
				return "", err
			}
			for i := range n {
				at := int(r.Share(r.Node(i).ID, 1) * n / bin)
				counts[min(at, len(counts)-1)] += 100. / (sets * n)
			}
		}
		s := plot.Series{Name: c.name}
		for i, count := range counts {
			if x := (float64(i) + 0.5) * bin; x >= 0.4 && x <= 1.6 {
				s.X, s.Y = append(s.X, x), append(s.Y, count)
			}
		}
		lines = append(lines, s)
	}
	return plot.SVG("How even 100 nodes are: the distribution of their shares",
		plot.Axis{Label: "share, in times of the fair one", Min: 0.4, Max: 1.6, Ticks: []float64{0.4, 0.6, 0.8, 1, 1.2, 1.4, 1.6}, Format: "%.1f"},
		plot.Axis{Label: "% of nodes per 0.02", Min: 0, Max: 20, Ticks: []float64{0, 5, 10, 15, 20}, Format: "%.0f"}, lines), nil
}

// movement is what moves when a node joins, against the number of nodes.
func movement() (string, error) {
	const keys = 40_000
	sizes := []int{3, 5, 10, 20, 50, 100, 200}
	names := []string{"hash modulo n", "Maglev", "WithTolerance(0.05)", "Ring", "the least: 1/(n+1)"}
	lines := make([]plot.Series, len(names))
	rng := rand.New(rand.NewPCG(1, 1))
	hashes := make([]uint64, keys)
	for i := range hashes {
		hashes[i] = rng.Uint64()
	}
	for _, n := range sizes {
		moved := []float64{1 - 1/float64(n+1), 0, 0, 0, 1 / float64(n+1)}
		for kind := 1; kind <= 3; kind++ {
			before, err := locator(kind, nodes(0, n))
			if err != nil {
				return "", err
			}
			after, err := locator(kind, nodes(0, n+1))
			if err != nil {
				return "", err
			}
			for _, h := range hashes {
				if before.Node(before.Locate(h)).ID != after.Node(after.Locate(h)).ID {
					moved[kind] += 1. / keys
				}
			}
		}
		for i := range lines {
			lines[i].Name = names[i]
			lines[i].X, lines[i].Y = append(lines[i].X, float64(n)), append(lines[i].Y, 100*moved[i])
		}
	}
	return plot.SVG("What moves when a node joins n others",
		plot.Axis{Label: "nodes before", Min: 3, Max: 200, Log: true, Ticks: []float64{3, 5, 10, 20, 50, 100, 200}, Format: "%.0f"},
		plot.Axis{Label: "% of keys", Min: 0.4, Max: 100, Log: true, Ticks: []float64{0.5, 1, 2, 5, 10, 20, 50, 100}, Format: "%g"}, lines), nil
}

func locator(kind int, nodes []ring.Node) (ring.Locator, error) {
	switch kind {
	case 1:
		return ring.NewMaglev(nodes)
	case 2:
		return ring.New(nodes, ring.WithTolerance(0.05))
	}
	return ring.New(nodes)
}

// lookup is the cost of a lookup by hash, against the number of nodes.
func lookup() (string, error) {
	sizes := []int{3, 10, 30, 100, 300, 1000, 3000, 10_000}
	lines := []plot.Series{{Name: "sort.Search"}, {Name: "Rendezvous"}, {Name: "Jump"}, {Name: "JumpBack"}, {Name: "Ring"}}
	for _, n := range sizes {
		r, err := ring.New(nodes(0, n), ring.WithVirtualNodes(160))
		if err != nil {
			return "", err
		}
		v, err := ring.NewRendezvous(nodes(0, n))
		if err != nil {
			return "", err
		}
		var tokens []uint64
		for t := range r.Tokens() {
			tokens = append(tokens, t)
		}
		for i, f := range []func(h uint64) int{
			func(h uint64) int { return sort.Search(len(tokens), func(i int) bool { return tokens[i] >= h }) },
			v.Locate,
			func(h uint64) int { return ring.Jump(h, n) },
			func(h uint64) int { return ring.JumpBack(h, n) },
			r.Locate,
		} {
			lines[i].X, lines[i].Y = append(lines[i].X, float64(n)), append(lines[i].Y, cost(f))
		}
	}
	lines[1].X, lines[1].Y = lines[1].X[:5], lines[1].Y[:5] // off the scale
	return plot.SVG("A lookup by hash, 160 tokens a node",
		plot.Axis{Label: "nodes", Min: 3, Max: 10_000, Log: true, Ticks: []float64{3, 10, 30, 100, 300, 1000, 3000, 10_000}, Format: "%.0f"},
		plot.Axis{Label: "ns", Min: 2, Max: 500, Log: true, Ticks: []float64{2, 5, 10, 20, 50, 100, 200, 500}, Format: "%g"}, lines), nil
}

// cost returns the nanoseconds of a call, of the fastest of many rounds.
func cost(f func(uint64) int) float64 {
	rng := rand.New(rand.NewPCG(2, 2))
	hashes := make([]uint64, 1<<14)
	for i := range hashes {
		hashes[i] = rng.Uint64()
	}
	best, sum := math.Inf(1), 0
	for range 40 {
		start := time.Now()
		for _, h := range hashes {
			sum += f(h)
		}
		best = min(best, float64(time.Since(start))/float64(len(hashes)))
	}
	runtime.KeepAlive(sum) // the work is not to be dropped
	return max(best, 2)
}
