// Command peercache runs a cache on four nodes, which are servers on loopback, and
// says how many requests their origin has to answer: when each node caches what is
// asked of it, when a ring gives each key an owner, when all three owners of a key
// serve it if it is certainly hot, and when nodes die.
//
//	go run ./examples/peercache
package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
)

func main() {
	if err := run(os.Args[1:], os.Stdin, os.Stdout); err != nil {
		log.Fatalln("peercache:", err)
	}
}

const (
	documents = 4000
	room      = 250 // of each node, in documents
	requests  = 8000
	half      = requests / 2
)

func run(args []string, _ io.Reader, out io.Writer) error {
	if len(args) > 0 {
		return fmt.Errorf("arguments are %q, want none", args)
	}
	fmt.Fprintf(out, "%d requests for %d documents, by Zipf's law, to 4 nodes with room for %d each.\n\n", requests, documents, room)
	fmt.Fprintf(out, "%-26s from caches   loads of the origin   busiest node\n", "")
	var usual outcome
	for _, way := range []struct {
		name string
		placement
	}{{"co-located", colocated}, {"sharded by a ring", sharded}, {"hot keys from 3 owners", spread}} {
		o, err := play(way.placement, nil)
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "%-26s %9.1f %%   %19d    %.2f x mean\n", way.name, 100-100*float64(o.loads)/requests, o.loads, o.busiest)
		if usual = o; way.placement == spread {
			fmt.Fprintf(out, "\ncertainly more than %d %% of the requests each: %v\n", hotPercent, o.hot)
		}
	}
	for _, kill := range []int{1, 2, 4} {
		o, err := play(spread, func(c *cluster) { c.kill(kill) })
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "\n%d of 4 nodes killed before the last %d: %d of them fail, %d go on to other owners or the origin\n", kill, half, o.failed, o.detours)
		fmt.Fprintf(out, "  loads for the first 500 of them %4d, else %3d\n", o.soon, usual.soon)
		fmt.Fprintf(out, "  loads for all of them           %4d, else %3d\n", o.later, usual.later)
	}
	return nil
}

// outcome is what came of all requests.
type outcome struct {
	loads       int // of the origin
	soon, later int // of them, in the first 500 of the second half, and in all of it
	failed      int
	detours     int
	busiest     float64
	hot         []string
}

// play sends the requests, and calls event after half of them.
func play(p placement, event func(*cluster)) (o outcome, err error) {
	c, err := start(p)
	if err != nil {
		return o, err
	}
	defer c.kill(len(c.nodes))
	ctx := context.Background()
	zipf := rand.NewZipf(rand.New(rand.NewPCG(1, 2)), 1.1, 2, documents-1)
	before := 0
	for i := range requests {
		switch i {
		case half:
			before = c.origin.count()
			if event != nil {
				event(c)
			}
		case half + 500:
			o.soon = c.origin.count() - before
		}
		key := fmt.Sprint("doc-", zipf.Uint64())
		text, err := c.get(ctx, key)
		if err != nil || text != content(key) {
			o.failed++
		}
	}
	o.loads = c.origin.count()
	o.later = o.loads - before
	o.detours = c.detours
	o.busiest = c.busiest()
	o.hot = slices.Sorted(maps.Keys(c.hot))
	return o, nil
}
