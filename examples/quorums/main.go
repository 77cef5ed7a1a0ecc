// Command quorums is a calculator for replicas. Without arguments it compares
// the usual settings; with "N R W", or with the read and the write quorums as
// expressions, it adds yours:
//
//	go run ./examples/quorums 5 2 4
//	go run ./examples/quorums -up 0.99 "a*b + c*d" "(a + b)*(c + d)"
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/distkit/distkit/quorum/expr"
	"github.com/distkit/distkit/quorum/pbs"
)

func main() {
	if err := run(os.Args[1:], os.Stdin, os.Stdout); err != nil {
		log.Fatal(err)
	}
}

// layout is which sets of nodes are enough.
type layout struct {
	reads, writes expr.Expr
	stale         float64 // chance of a stale read while only W of N have a write
}

var usual = [][]string{
	{"N 3, R 2, W 2", "3", "2", "2"},
	{"N 3, R 1, W 3", "3", "1", "3"},
	{"N 3, R 3, W 1", "3", "3", "1"},
	{"N 3, R 2, W 1", "3", "2", "1"},
	{"N 3, R 1, W 1", "3", "1", "1"},
	{"grid, a row", "a1*a2*a3 + b1*b2*b3"},
	{"2 of 3 whole zones", "choose2(a1*a2, b1*b2, c1*c2)"},
	{"local, each zone", "majority(a1, a2, a3)", "majority(a1, a2, a3)*majority(b1, b2, b3)"},
	{"synchronous", "leader + f1 + f2", "leader*f1*f2"},
	{"semi-synchronous", "leader + f1 + f2", "leader*(f1 + f2)"},
	{"asynchronous", "leader + f1 + f2", "leader"},
}

const year = time.Duration(365.2425 * 24 * float64(time.Hour))

func run(args []string, _ io.Reader, out io.Writer) error {
	flags := flag.NewFlagSet("quorums", flag.ContinueOnError)
	up := flags.Float64("up", 0.999, "share of the time that a node is up")
	if err := flags.Parse(args); err != nil {
		return err
	} else if !(*up > 0 && *up <= 1) {
		return fmt.Errorf("quorums: -up is %g, want more than 0 and at most 1", *up)
	}
	rows := usual
	if flags.NArg() > 0 {
		if _, err := parse(flags.Args()); err != nil {
			return err
		}
		rows = append(rows[:len(rows):len(rows)], append([]string{"yours"}, flags.Args()...))
	}
	for _, share := range []float64{*up, 1 - (1-*up)/10} {
		fmt.Fprintf(out, "up %.6g %%: down %v a year, %v a month, %v a week, %v a day\n", 100*share,
			down(share, year), down(share, year/12), down(share, 7*24*time.Hour), down(share, 24*time.Hour))
	}
	fmt.Fprintf(out, "two parts in series %.6f, in parallel %.6f\n\n%-20s%-25s%-25s%s\n",
		*up**up, 1-(1-*up)*(1-*up), "up, load, latency", "reads", "writes", "down a year; guarantee")
	for _, row := range rows {
		l, err := parse(row[1:])
		if err != nil {
			return err
		}
		if err := l.print(out, row[0], *up); err != nil {
			return err
		}
	}
	fmt.Fprintln(out, "\nLinearizable only with blocking repair and without stand-ins. The first node is 1 ms away, the next 2 ms.")
	return nil
}

// print writes what holds of each side, and of both together.
func (l layout) print(out io.Writer, name string, share float64) error {
	worse := 1.0
	fmt.Fprintf(out, "%-20s", name)
	for _, e := range []expr.Expr{l.reads, l.writes} {
		// One side costs what a system of it and its dual costs if all only read.
		side, err := expr.NewSystem(e, e.Dual(), expr.WithLatency(func(node string) time.Duration {
			return time.Duration(1+slices.Index(e.Nodes(), node)) * time.Millisecond
		}))
		if err != nil {
			return err
		}
		calm, err := side.Optimize(1)
		fast, err2 := side.Optimize(1, expr.WithObjective(expr.MinLatency))
		if err = errors.Join(err, err2); err != nil {
			return err
		}
		up := e.Availability(func(string) float64 { return 1 - share })
		worse = min(worse, up)
		fmt.Fprintf(out, "%.9f %.2f %-8v", up, calm.Load(1), fast.Latency(1))
	}
	guarantee := "a read sees the last completed write"
	if _, err := expr.NewSystem(l.reads, l.writes); err != nil {
		_, witness, _ := strings.Cut(err.Error(), "meet: ")
		guarantee = "a read may miss it: " + witness
	}
	if l.stale > 0 {
		guarantee += fmt.Sprintf(", %.0f %% stale", 100*l.stale)
	}
	_, err := fmt.Fprintf(out, "%v; %s\n", down(worse, year), guarantee)
	return err
}

func down(up float64, of time.Duration) time.Duration {
	return time.Duration((1 - up) * float64(of)).Round(time.Second / 10)
}

// parse reads N R W, or the expressions of the reads and the writes: without
// the second, the least that meets the first.
func parse(args []string) (l layout, err error) {
	switch len(args) {
	case 1, 2:
		l.reads, err = expr.Parse(args[0])
		if l.writes = l.reads.Dual(); err == nil && len(args) == 2 {
			l.writes, err = expr.Parse(args[1])
		}
		return l, err
	case 3:
		var n, r, w int
		for i, p := range []*int{&n, &r, &w} {
			if *p, err = strconv.Atoi(args[i]); err != nil || n < 1 || n > 26 {
				return l, fmt.Errorf("quorums: N R W is %q, want numbers, N from 1 to 26", args)
			}
		}
		var nodes []expr.Expr
		for i := range n {
			nodes = append(nodes, expr.Node(string(rune('a'+i))))
		}
		l = layout{expr.Choose(r, nodes...), expr.Choose(w, nodes...), pbs.StaleProbability(n, r, w, 1)}
		return l, errors.Join(l.reads.Err(), l.writes.Err())
	}
	return l, fmt.Errorf("quorums: %d arguments, want N R W, or one or two expressions", len(args))
}
