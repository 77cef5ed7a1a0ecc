package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"
)

// victim is the node that the scenario kills.
const victim = "node-3"

// scenario is the script: load, steady traffic, a node dies, comes back, and
// when all is quiet every copy must be what the history says.
type scenario struct {
	cluster  *Cluster
	driver   *driver
	duration time.Duration // of the three phases with traffic
	out      io.Writer
	notice   func(caption string) // tells the page what happens
}

// convergence bounds how long the copies may take to agree when all is quiet.
const convergence = 15 * time.Second

// The columns of the report.
const (
	header   = "%-14s %6s %12s %12s %6s %8s %8s %6s\n"
	row      = "%-14s %6.0f %12s %12s %6d %8d %8d %6d\n"
	quietRow = "%-14s %6s %12s %12s %6d %8d %8d\n"
)

// run plays the script and reports whether every invariant held.
func (s *scenario) run(ctx context.Context) error {
	d := s.driver
	c := s.cluster
	fmt.Fprintf(s.out, "distkit dynamo: %d nodes, %d zones, N=%d R=%d W=%d, fsync %s, seed %d\n",
		len(c.Members()), s.zones(), c.settings.N, c.settings.R, c.settings.W, c.settings.Fsync, d.seed)
	fmt.Fprintf(s.out, "input: %s, %d items; latencies: p50/p99 in ms\n", d.work.Name, len(d.work.Items))
	fmt.Fprintf(s.out, header, "phase", "ops/s", "get", "put", "hints", "siblings", "diverged", "failed")
	failed := 0
	report := func(phase string, t Tally) error {
		state, err := c.State()
		if err != nil {
			return err
		}
		fmt.Fprintf(s.out, row, phase, t.Ops(), latency(t.Gets), latency(t.Puts),
			state.Hints, state.Siblings, state.Diverged, t.Failed)
		failed += t.Failed
		if t.Error != nil {
			fmt.Fprintf(s.out, "  first failure: %v\n", t.Error)
		}
		return ctx.Err()
	}
	if err := within(ctx, 10*time.Second, c.AwaitAgreement); err != nil {
		return err
	}
	s.notice("load: every item is written to three nodes in three zones")
	if err := report("1 load", d.load(ctx)); err != nil {
		return err
	}
	traffic, stop := d.openTraffic()
	defer stop()

	s.notice("steady: reads and writes, 70 to 30, as the input has them")
	if err := report("2 steady", d.serve(ctx, traffic, s.duration*3/10)); err != nil {
		return err
	}
	s.notice(victim + " dies: its share is served by stand-ins, which keep hints")
	if err := c.Kill(victim); err != nil {
		return err
	}
	killed := time.Now()
	noticed := make(chan error, 1)
	go func() { noticed <- within(ctx, 10*time.Second, c.AwaitAgreement) }()
	if err := report("3 "+victim+" down", d.serve(ctx, traffic, s.duration*4/10)); err != nil {
		return err
	}
	if err := <-noticed; err != nil {
		return fmt.Errorf("%v after the kill: %w", time.Since(killed).Round(time.Millisecond), err)
	}
	s.notice(victim + " is back: it replays its log, and the hints drain")
	if err := c.Start(victim); err != nil {
		return err
	}
	if err := report("4 "+victim+" back", d.serve(ctx, traffic, s.duration*3/10)); err != nil {
		return err
	}
	s.notice("quiet: the copies must agree")
	settled, took, err := s.quiesce(ctx)
	if err != nil {
		return err
	}
	return s.verdict(settled, took, failed)
}

func (s *scenario) zones() int {
	zones := map[string]bool{}
	for _, m := range s.cluster.Members() {
		zones[m.Zone] = true
	}
	return len(zones)
}

// quiesce waits until no hint is left and no copy is behind, and reports whether
// that came to pass, and when.
func (s *scenario) quiesce(ctx context.Context) (settled bool, took time.Duration, err error) {
	start := time.Now()
	for {
		state, err := s.cluster.State()
		if err != nil {
			return false, 0, err
		}
		settled, took = state.Hints == 0 && state.Diverged == 0, time.Since(start)
		if settled || took > convergence {
			fmt.Fprintf(s.out, quietRow, "5 quiet", "", "", "", state.Hints, state.Siblings, state.Diverged)
			return settled, took, nil
		}
		select {
		case <-ctx.Done():
			return false, 0, ctx.Err()
		case <-time.After(50 * time.Millisecond):
		}
	}
}

var errViolated = errors.New("an invariant is violated")

func (s *scenario) verdict(settled bool, quiet time.Duration, failed int) error {
	e := s.cluster.Engine()
	fmt.Fprintf(s.out, "bloom: %s of %d segment reads in vain were avoided\n", percent(e.Skipped, e.Skipped+e.FalseReads), e.Skipped+e.FalseReads)
	fmt.Fprintf(s.out, "lru:   %s of %d reads past memory were hits\n", percent(e.CacheHits, e.CacheHits+e.DiskHits), e.CacheHits+e.DiskHits)
	all, err := s.cluster.Inspect()
	if err != nil {
		return err
	}
	violations := s.driver.history.check(all)
	broken := map[string]bool{"I2": !settled}
	for _, v := range violations {
		broken[v.Invariant] = true
	}
	word := map[bool]string{false: "ok", true: "VIOLATED"}
	fmt.Fprintf(s.out, "I1 no acknowledged write is lost: %s\n", word[broken["I1"]])
	fmt.Fprintf(s.out, "I2 all copies are equal, %.1f s after the last request: %s\n", quiet.Seconds(), word[broken["I2"]])
	fmt.Fprintf(s.out, "I3 siblings are true conflicts, none is false: %s\n", word[broken["I3"]])
	for i, v := range violations {
		if i == 5 {
			fmt.Fprintf(s.out, "and %d more\n", len(violations)-i)
			break
		}
		fmt.Fprintln(s.out, v)
	}
	switch {
	case len(violations) > 0 || !settled:
		return errViolated
	case failed > 0:
		return fmt.Errorf("%d client operations failed", failed)
	}
	return nil
}

func latency(sorted []time.Duration) string {
	if len(sorted) == 0 {
		return "-"
	}
	ms := func(p float64) float64 { return float64(percentile(sorted, p)) / 1e6 }
	return fmt.Sprintf("%.1f/%.1f", ms(0.5), ms(0.99))
}

func percent(part, of uint64) string {
	if of == 0 {
		return "-"
	}
	return fmt.Sprintf("%.1f %%", 100*float64(part)/float64(of))
}

// within runs f with a deadline.
func within(ctx context.Context, d time.Duration, f func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	return f(ctx)
}
