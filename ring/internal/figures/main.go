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
	"slices"
	"sort"
	"time"

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
	var lines []series
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
		s := series{name: c.name}
		for i, count := range counts {
			if x := (float64(i) + 0.5) * bin; x >= 0.4 && x <= 1.6 {
				s.x, s.y = append(s.x, x), append(s.y, count)
			}
		}
		lines = append(lines, s)
	}
	return plot("How even 100 nodes are: the distribution of their shares",
		axis{label: "share, in times of the fair one", min: 0.4, max: 1.6, ticks: []float64{0.4, 0.6, 0.8, 1, 1.2, 1.4, 1.6}, format: "%.1f"},
		axis{label: "% of nodes per 0.02", min: 0, max: 20, ticks: []float64{0, 5, 10, 15, 20}, format: "%.0f"}, lines), nil
}

// movement is what moves when a node joins, against the number of nodes.
func movement() (string, error) {
	const keys = 40_000
	sizes := []int{3, 5, 10, 20, 50, 100, 200}
	names := []string{"hash modulo n", "Maglev", "WithTolerance(0.05)", "Ring", "the least: 1/(n+1)"}
	lines := make([]series, len(names))
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
			lines[i].name = names[i]
			lines[i].x, lines[i].y = append(lines[i].x, float64(n)), append(lines[i].y, 100*moved[i])
		}
	}
	return plot("What moves when a node joins n others",
		axis{label: "nodes before", min: 3, max: 200, log: true, ticks: []float64{3, 5, 10, 20, 50, 100, 200}, format: "%.0f"},
		axis{label: "% of keys", min: 0.4, max: 100, log: true, ticks: []float64{0.5, 1, 2, 5, 10, 20, 50, 100}, format: "%g"}, lines), nil
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
	lines := []series{{name: "sort.Search"}, {name: "Rendezvous"}, {name: "Jump"}, {name: "JumpBack"}, {name: "Ring"}}
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
			lines[i].x, lines[i].y = append(lines[i].x, float64(n)), append(lines[i].y, cost(f))
		}
	}
	lines[1].x, lines[1].y = lines[1].x[:5], lines[1].y[:5] // off the scale
	return plot("A lookup by hash, 160 tokens a node",
		axis{label: "nodes", min: 3, max: 10_000, log: true, ticks: []float64{3, 10, 30, 100, 300, 1000, 3000, 10_000}, format: "%.0f"},
		axis{label: "ns", min: 2, max: 500, log: true, ticks: []float64{2, 5, 10, 20, 50, 100, 200, 500}, format: "%g"}, lines), nil
}

var sink int

// cost returns the nanoseconds of a call, of the fastest of many rounds.
func cost(f func(uint64) int) float64 {
	rng := rand.New(rand.NewPCG(2, 2))
	hashes := make([]uint64, 1<<14)
	for i := range hashes {
		hashes[i] = rng.Uint64()
	}
	best := math.Inf(1)
	for range 40 {
		start := time.Now()
		for _, h := range hashes {
			sink += f(h)
		}
		best = min(best, float64(time.Since(start))/float64(len(hashes)))
	}
	return max(best, 2)
}
