// Command router shows what moves when a shard router gets one node more or less:
// nearly everything with hash modulo n, and little with the placements of package
// ring. Keys are astray if they move between nodes that were there before and are
// there after: nothing but the placement made them move.
//
//	go run ./examples/router                 # 400,000 keys that it makes up
//	git ls-files | go run ./examples/router - # keys from lines
package main

import (
	"bufio"
	"fmt"
	"io"
	"log"
	"os"
	"slices"

	"github.com/distkit/distkit"
	"github.com/distkit/distkit/ring"
)

func main() {
	if err := run(os.Args[1:], os.Stdin, os.Stdout); err != nil {
		log.Fatalln("router:", err)
	}
}

// router makes a function that gives the node of a key's hash.
type router struct {
	name  string
	route func(nodes []string) (func(h uint64) string, error)
}

var routers = []router{
	{"hash mod n", func(nodes []string) (func(uint64) string, error) {
		return func(h uint64) string { return nodes[h%uint64(len(nodes))] }, nil
	}},
	{"ring", func(nodes []string) (func(uint64) string, error) {
		r, err := ring.New(ring.Nodes(nodes...))
		return owner(r), err
	}},
	{"ring within 5 %", func(nodes []string) (func(uint64) string, error) {
		r, err := ring.New(ring.Nodes(nodes...), ring.WithTolerance(0.05))
		return owner(r), err
	}},
	{"rendezvous", func(nodes []string) (func(uint64) string, error) {
		v, err := ring.NewRendezvous(ring.Nodes(nodes...))
		return owner(v), err
	}},
	{"maglev", func(nodes []string) (func(uint64) string, error) {
		m, err := ring.NewMaglev(ring.Nodes(nodes...))
		return owner(m), err
	}},
}

func owner(l ring.Locator) func(h uint64) string {
	return func(h uint64) string { return l.Node(l.Locate(h)).ID }
}

func run(args []string, in io.Reader, out io.Writer) error {
	hashes, err := read(args, in)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "%d keys. Of hash 10, modulo 4 makes %d; when a node leaves, modulo 3 makes %d.\n", len(hashes), 10%4, 10%3)
	for _, change := range []struct {
		what          string
		before, after []string
		ideal         float64
	}{
		{"One of 4 nodes leaves", names(4), names(4)[1:], 1. / 4},
		{"A node joins 10", names(10), names(11), 1. / 11},
		{"A node joins 100", names(100), names(101), 1. / 101},
	} {
		fmt.Fprintf(out, "\n%-24s moved    astray    busiest node\n", change.what)
		fmt.Fprintf(out, "  %-18s %8.2f %%  %6.2f %%\n", "the least", 100*change.ideal, 0.)
		for _, r := range routers {
			c, err := compare(r, hashes, change.before, change.after)
			if err != nil {
				return err
			}
			fmt.Fprintf(out, "  %-18s %8.2f %%  %6.2f %%    %.2f x mean\n", r.name, 100*c.moved, 100*c.astray, c.busiest)
		}
	}
	return nil
}

// read returns the hashes of the keys: lines of in for "-", or made up.
func read(args []string, in io.Reader) ([]uint64, error) {
	var hashes []uint64
	switch {
	case len(args) == 0:
		for i := range 400_000 {
			hashes = append(hashes, distkit.HashString(fmt.Sprint("user:", i)))
		}
	case slices.Equal(args, []string{"-"}):
		lines := bufio.NewScanner(in)
		for lines.Scan() {
			hashes = append(hashes, distkit.Hash(lines.Bytes()))
		}
		if err := lines.Err(); err != nil {
			return nil, err
		}
	default:
		return nil, fmt.Errorf("arguments are %q, want none or -", args)
	}
	if len(hashes) == 0 {
		return nil, fmt.Errorf("no keys")
	}
	return hashes, nil
}

type comparison struct{ moved, astray, busiest float64 }

func compare(r router, hashes []uint64, before, after []string) (c comparison, err error) {
	from, err := r.route(before)
	if err != nil {
		return c, err
	}
	to, err := r.route(after)
	if err != nil {
		return c, err
	}
	counts := map[string]int{}
	for _, h := range hashes {
		was, now := from(h), to(h)
		counts[now]++
		if was != now {
			c.moved++
			if slices.Contains(before, now) && slices.Contains(after, was) {
				c.astray++
			}
		}
	}
	keys := float64(len(hashes))
	for _, n := range counts {
		c.busiest = max(c.busiest, float64(n*len(after))/keys)
	}
	return comparison{c.moved / keys, c.astray / keys, c.busiest}, nil
}

func names(n int) []string {
	ids := make([]string, n)
	for i := range ids {
		ids[i] = fmt.Sprint("node-", i)
	}
	return ids
}
