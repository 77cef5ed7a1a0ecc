// Command cachesim replays requests through all policies of package lru, side by side
// with the best that is possible, and prints what each hits:
//
//	go run ./examples/cachesim [-capacity n] [-mix zipf,loop,scan] [-n requests] [-svg FILE] [FILE]
//
// FILE has one key a line, or as traces of the ARC paper do "first count ...", and may
// be compressed by gzip. Without one a mix is generated. With -svg it draws what some of
// the policies hit at other capacities. Random and Adaptive draw anew in every run.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/distkit/distkit/internal/testkit"
	"github.com/distkit/distkit/lru"
)

func main() {
	if err := run(os.Args[1:], os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "cachesim:", err)
		os.Exit(1)
	}
}

func run(args []string, _ io.Reader, out io.Writer) error {
	flags := flag.NewFlagSet("cachesim", flag.ContinueOnError)
	capacity := flags.Int("capacity", 500, "entries of the cache")
	mix := flags.String("mix", "zipf,loop,scan", "what to generate without a file, one after another")
	n := flags.Int("n", 60_000, "how many requests to generate")
	svg := flags.String("svg", "", "write a chart over capacities to this file")
	if err := flags.Parse(args); err != nil {
		return err
	}
	var keys []string
	var err error
	switch flags.NArg() {
	case 0:
		keys, err = generate(*mix, *n)
	case 1:
		keys, err = load(flags.Arg(0))
	default:
		err = fmt.Errorf("%d files, want at most one", flags.NArg())
	}
	if err == nil && len(keys) == 0 {
		err = errors.New("no requests")
	}
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "%d requests, cache of %d\n\n", len(keys), *capacity)
	for p := lru.LRU; p <= lru.Adaptive; p++ {
		ratio, err := replay(p, *capacity, keys)
		if err != nil {
			return err
		}
		bar(out, p.String(), ratio)
	}
	bar(out, "possible", possible(keys, *capacity))
	if *svg == "" {
		return nil
	}
	chart, err := draw(keys, *capacity)
	if err != nil {
		return err
	}
	return os.WriteFile(*svg, []byte(chart), 0o644)
}

// possible returns the hit ratio of a cache that knows the future.
func possible(keys []string, capacity int) float64 {
	return float64(testkit.Belady(keys, capacity)) / float64(len(keys))
}

// replay returns the hit ratio of a cache that sets what it misses.
func replay(p lru.Policy, capacity int, keys []string) (float64, error) {
	c, err := lru.New[string, struct{}](capacity, lru.WithPolicy(p), lru.WithStats())
	if err != nil {
		return 0, err
	}
	for _, k := range keys {
		c.GetOrSet(k, struct{}{})
	}
	return c.Stats().HitRatio(), nil
}

func bar(out io.Writer, name string, ratio float64) {
	fmt.Fprintf(out, "%-9s %5.1f %%  %s\n", name, 100*ratio, strings.Repeat("█", int(50*ratio+0.5)))
}
