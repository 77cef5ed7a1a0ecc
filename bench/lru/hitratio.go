package lru

import (
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"

	"github.com/distkit/distkit/bench/bar"
)

// outcome is what a contender hits of a load with a capacity.
type outcome struct {
	load     load
	part     float64 // of the distinct keys
	capacity int
	hits     map[string]float64 // by contender, in percent
}

// compare replays loads against all contenders, at all capacities, on all processors.
func compare(loads []load) (cells []outcome) {
	type run struct {
		cell      int
		contender contender
	}
	var runs []run
	for _, l := range loads {
		for _, part := range capacities {
			capacity := int(part * float64(l.distinct))
			if capacity < leastCapacity {
				continue
			}
			cells = append(cells, outcome{l, part, capacity, map[string]float64{}})
			for _, c := range contenders {
				runs = append(runs, run{len(cells) - 1, c})
			}
		}
	}
	queue := make(chan run)
	var mu sync.Mutex
	var wg sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for r := range queue {
				c := cells[r.cell]
				ratio := 100 * float64(r.contender.hits(c.load, c.capacity)) / float64(len(c.load.keys))
				mu.Lock()
				c.hits[r.contender.name] = ratio
				mu.Unlock()
			}
		})
	}
	for _, r := range runs {
		queue <- r
	}
	close(queue)
	wg.Wait()
	return cells
}

// meanShare is the mean over loads of the mean over capacities of what a contender hits
// of all that is possible.
func meanShare(cells []outcome, contender string) float64 {
	sum, loads := 0.0, 0
	for len(cells) > 0 {
		end := slices.IndexFunc(cells, func(c outcome) bool { return c.load.name != cells[0].load.name })
		if end < 0 {
			end = len(cells)
		}
		share := 0.0
		for _, c := range cells[:end] {
			share += c.hits[contender] / c.hits[bestPossible]
		}
		sum += share / float64(end)
		loads++
		cells = cells[end:]
	}
	return sum / float64(loads)
}

// worst returns by how many points ours is above the plainest where it is least.
func worst(cells []outcome) float64 {
	least := cells[0].hits[ours] - cells[0].hits[plainest]
	for _, c := range cells {
		least = min(least, c.hits[ours]-c.hits[plainest])
	}
	return least
}

// hitRatios are the bars of Adaptive's hit ratio and, behind them, what all contenders
// hit. Those that draw at random draw anew in every run.
func hitRatios(measured func() []outcome) ([]bar.Figure, bar.Table) {
	above := func(others ...string) bar.Figure {
		return bar.Figure{
			Name: "hits/mean share of what is possible/policy=Adaptive, more than " + strings.Join(others, ", "), Unit: "points", AtLeast: true, Limit: 1,
			Measure: func() float64 {
				cells, best := measured(), 0.0
				for _, other := range others {
					best = max(best, meanShare(cells, other))
				}
				return 100 * (meanShare(cells, ours) - best)
			},
		}
	}
	figures := []bar.Figure{above("S3-FIFO", "climber"), above("otter", "theine", "ristretto"), {
		Name: "hits/worst of all loads and capacities/policy=Adaptive, more than LRU", Unit: "points", AtLeast: true, Limit: -1,
		Measure: func() float64 { return worst(measured()) },
	}}
	return figures, bar.Table{Name: "hits in percent, by load (requests / keys) and capacity", Rows: func() [][]string { return rows(measured()) }}
}

// compareAll takes what is recorded, where Traces names it, and what is generated.
func compareAll() []outcome {
	var loads []load
	if Traces != "" {
		loads = check(recordedLoads())
	}
	return compare(append(loads, generatedLoads(200_000)...))
}

// rows prints cells, the best of each in bold, and the mean shares.
func rows(cells []outcome) [][]string {
	head, mean := []string{"load", "capacity"}, []string{"mean share of what is possible", ""}
	for _, c := range contenders {
		head = append(head, c.name)
		mean = append(mean, fmt.Sprintf("%.3f", meanShare(cells, c.name)))
	}
	table := [][]string{head}
	for _, c := range cells {
		best := 0.0
		for _, contender := range contenders[1:] {
			best = max(best, c.hits[contender.name])
		}
		row := []string{c.load.describe(), fmt.Sprintf("%d (%g %%)", c.capacity, 100*c.part)}
		for _, contender := range contenders {
			format := "%.2f"
			if c.hits[contender.name] == best {
				format = "**%.2f**"
			}
			row = append(row, fmt.Sprintf(format, c.hits[contender.name]))
		}
		table = append(table, row)
	}
	return append(table, mean)
}
