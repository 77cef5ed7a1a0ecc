package main

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/distkit/distkit/examples/internal/node"
	"github.com/distkit/distkit/hll"
)

// report is what the script found, and prints it, 80 columns wide.
type report struct {
	out    io.Writer
	rows   int
	failed int

	routes          []routeTally
	hot             string
	clients         *hll.Sketch
	exactClients    int
	noticed         time.Duration // how long until every node knew of a death
	zones, zoneless Tally
	sides           [][]string
	strict, loose   CutReport
	refilled        time.Duration
	repairs         node.RepairStats
	flood           FloodReport
	join            JoinReport
	settled         bool
	quiet           time.Duration
	violations      []Violation
}

type routeTally struct {
	route    node.Route
	messages float64 // between nodes, an operation
	tally    Tally
}

// The columns of the report.
const (
	header   = "%-15s %6s %12s %12s %6s %8s %8s %6s\n"
	row      = "%-15s %6.0f %12s %12s %6d %8d %8d %6d\n"
	quietRow = "%-15s %6s %12s %12s %6d %8d %8d\n"
)

func (r *report) head(c *Cluster, d *driver) {
	zones := map[string]bool{}
	for _, m := range c.Members() {
		zones[m.Zone] = true
	}
	fmt.Fprintf(r.out, "distkit dynamo: %d nodes, %d zones, N=%d R=%d W=%d, fsync %s, seed %d\n",
		len(c.Members()), len(zones), c.settings.N, c.settings.R, c.settings.W, c.settings.Fsync, d.seed)
	fmt.Fprintf(r.out, "input: %s, %d items; latencies: p50/p99 in ms\n", d.work.Name, len(d.work.Items))
	fmt.Fprintf(r.out, header, "phase", "ops/s", "get", "put", "hints", "siblings", "diverged", "failed")
}

// row prints how a phase went and what the cluster looks like at its end.
func (r *report) row(name string, t Tally, c *Cluster) error {
	state, err := c.State()
	if err != nil {
		return err
	}
	r.rows++
	name = fmt.Sprintf("%2d %s", r.rows, name)
	if t.Count() == 0 {
		fmt.Fprintf(r.out, quietRow, name, "", "", "", state.Hints, state.Siblings, state.Diverged)
		return nil
	}
	fmt.Fprintf(r.out, row, name, t.Ops(), latency(t.Gets), latency(t.Puts), state.Hints, state.Siblings, state.Diverged, t.Failed)
	r.failed += t.Failed
	if t.Error != nil {
		fmt.Fprintf(r.out, "   first failure: %v\n", t.Error)
	}
	return nil
}

func (r *report) violate(invariant, key, format string, args ...any) {
	r.violations = append(r.violations, Violation{invariant, key, fmt.Sprintf(format, args...)})
}

var errViolated = errors.New("an invariant is violated")

// verdict prints what was found, and returns an error unless every invariant
// held and no operation failed.
func (r *report) verdict(c *Cluster, d *driver) error {
	all, err := c.Inspect()
	if err != nil {
		return err
	}
	r.violations = append(r.violations, d.history.check(all)...)
	r.findings(c.Engine())
	broken := map[string]bool{"I2": !r.settled}
	for _, v := range r.violations {
		broken[v.Invariant] = true
	}
	word := map[bool]string{false: "ok", true: "VIOLATED"}
	fmt.Fprintf(r.out, "I1 no acknowledged write is lost: %s\n", word[broken["I1"]])
	fmt.Fprintf(r.out, "I2 all copies are equal, %.1f s after the last request: %s\n", r.quiet.Seconds(), word[broken["I2"]])
	fmt.Fprintf(r.out, "I3 siblings are true conflicts, none is false: %s\n", word[broken["I3"]])
	fmt.Fprintf(r.out, "I4 hot keys and clients are within their bounds: %s\n", word[broken["I4"]])
	fmt.Fprintf(r.out, "I5 the flooder gets its rate, and nobody else is refused: %s\n", word[broken["I5"]])
	for i, v := range r.violations {
		if i == 5 {
			fmt.Fprintf(r.out, "and %d more\n", len(r.violations)-i)
			break
		}
		fmt.Fprintln(r.out, v)
	}
	switch {
	case len(r.violations) > 0 || !r.settled:
		return errViolated
	case r.failed > 0:
		return fmt.Errorf("%d client operations failed", r.failed)
	}
	return nil
}

// findings prints a line or two for each thing that the script shows.
func (r *report) findings(e node.EngineStats) {
	p := func(name, format string, args ...any) {
		fmt.Fprintf(r.out, "%-8s "+format+"\n", append([]any{name}, args...)...)
	}
	for _, route := range r.routes {
		p("route", "%s: %.1f messages an operation, get %s ms, put %s ms",
			route.route, route.messages, latency(route.tally.Gets), latency(route.tally.Puts))
	}
	p("gossip", "the death of %s was known everywhere after %.1f s", victim, r.noticed.Seconds())
	p("zones", "%s down, owners only: %d of %d operations failed;", lostZone, r.zones.Failed, r.zones.Count())
	p("", "in a cluster that ignores zones %d of %d", r.zoneless.Failed, r.zoneless.Count())
	p("cut", "{%s} | {%s}, both write the same %d keys", strings.Join(r.sides[0], " "), strings.Join(r.sides[1], " "), cutKeys)
	p("", "W=2 of the owners: one side took %d keys, both %d; %d conflicts", r.strict.One, r.strict.Both, r.strict.Siblings)
	p("", "W=1: one side took %d keys, both %d; %d conflicts, merged", r.loose.One, r.loose.Both, r.loose.Siblings)
	p("merkle", "%d copies are back on an empty disk after %.1f s,", r.repairs.Copies, r.refilled.Seconds())
	p("", "%s of them sent, and %s of hashes and positions (%s)",
		size(r.repairs.CopyBytes), size(r.repairs.HashBytes), percent(r.repairs.HashBytes, r.repairs.CopyBytes))
	p("limit", "%v for each client; %s got %d answers", node.ClientLimit, flooder, r.flood.Allowed)
	p("", "of %d it might have had, and was told to wait %d times, all others %d", r.flood.Fair, r.flood.Denied, r.flood.Others)
	p("join", "%d of %d copies moved (%s, fair %.1f %%) in %.1f s,", r.join.Moved, r.join.Copies,
		percent(r.join.Moved, r.join.Copies), 100*r.join.Ideal, r.join.Took.Seconds())
	p("", "0 keys hashed again; with a tree for each virtual node %d", r.join.TreesAnew)
	p("hot keys", "%s (counted/true)", r.hot)
	p("clients", "%d, give or take %.1f %%; truly %d", r.clients.Estimate(), 100*r.clients.RelativeError(), r.exactClients)
	p("bloom", "%s of %d segment reads in vain were avoided", percent(e.Skipped, e.Skipped+e.FalseReads), e.Skipped+e.FalseReads)
	p("lru", "%s of %d blocks were in the cache", percent(e.CacheHits, e.CacheHits+e.DiskReads), e.CacheHits+e.DiskReads)
}

func latency(sorted []time.Duration) string {
	if len(sorted) == 0 {
		return "-"
	}
	ms := func(p float64) string {
		ms, digits := float64(percentile(sorted, p))/1e6, 1
		if ms > 99.9 {
			digits = 0
		}
		return strconv.FormatFloat(ms, 'f', digits, 64)
	}
	return ms(0.5) + "/" + ms(0.99)
}

func percent(part, of uint64) string {
	if of == 0 {
		return "-"
	}
	return fmt.Sprintf("%.1f %%", 100*float64(part)/float64(of))
}

func size(bytes uint64) string {
	if bytes < 1e6 {
		return fmt.Sprintf("%.1f kB", float64(bytes)/1e3)
	}
	return fmt.Sprintf("%.1f MB", float64(bytes)/1e6)
}
