package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"github.com/distkit/distkit/examples/internal/node"
)

const (
	nodeCount = 5
	zoneCount = 3
	writers   = 8
	keysEach  = 250

	victim = "node-3" // dies, and comes back as it was
	wiped  = "node-5" // dies, and comes back without its disk

	patience = 30 * time.Second // for anything that takes as long as it takes
)

// demo is the script: five processes, of which one is killed and comes back, one
// loses its disk too, and at last all are killed at once.
type demo struct {
	*fleet
	traffic *traffic
	out     io.Writer
	share   time.Duration // of the traffic, for each step
	steps   int
	acked   int

	noticed, drained, refilled time.Duration
	kept                       int // hints for the victim
	repaired                   node.RepairStats
}

// demonstrate runs the script and prints its report. It returns an error if
// anything acknowledged was lost, or a write failed while one node was down.
func (o options) demonstrate(ctx context.Context, out io.Writer) (err error) {
	dir, err := os.MkdirTemp("", "cluster-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	s := o.settings
	f := newFleet(dir, nodeCount, zoneCount, "-n", fmt.Sprint(s.N), "-r", fmt.Sprint(s.R), "-w", fmt.Sprint(s.W),
		"-fsync", string(s.Fsync), "-repair-every", s.RepairEvery.String(), "-hint-rate", fmt.Sprint(s.HintRate))
	defer func() { err = errors.Join(err, f.close()) }()
	d := &demo{fleet: f, out: out, share: o.duration / 5}
	fmt.Fprintf(out, "distkit cluster: %d processes in %d zones, N=%d R=%d W=%d, memberlist, bbolt, fsync %s\n",
		nodeCount, zoneCount, s.N, s.R, s.W, s.Fsync)
	start := time.Now()
	for _, name := range f.names {
		if err := f.start(ctx, name); err != nil {
			return err
		}
	}
	if d.traffic, err = newTraffic(ctx, f, s.N, writers, keysEach); err != nil {
		return err
	}
	defer d.traffic.close()
	if err := d.await(ctx, "one view of the members", d.agree); err != nil {
		return err
	}
	formed := time.Since(start)
	fmt.Fprintf(out, "%-28s %9s %13s %7s %7s\n", "step", "writes/s", "p50/p99 ms", "failed", "hints")
	for _, step := range []struct {
		name string
		play func(context.Context) (tally, error)
	}{
		{"load, all five run", d.load},
		{victim + " killed", d.killOne},
		{victim + " back", d.back},
		{wiped + " killed, disk lost", d.killAndWipe},
		{wiped + " back, empty", d.refill},
		{"all killed, all back", d.killAll},
	} {
		t, err := step.play(ctx)
		if err == nil {
			err = d.row(ctx, step.name, t)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", step.name, err)
		}
	}
	return d.verdict(ctx, formed)
}

// during lets the writers write for one share, and after a third of it does what
// is to be done in the middle of their writes.
func (d *demo) during(ctx context.Context, do func(context.Context) error) (tally, error) {
	writing, cancel := context.WithTimeout(ctx, d.share)
	defer cancel()
	done := make(chan tally, 1)
	go func() { done <- d.traffic.run(writing) }()
	err := pause(ctx, d.share/3)
	if err == nil {
		err = do(ctx)
	}
	if err != nil {
		cancel()
	}
	return <-done, err
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(d):
		return nil
	}
}

func (d *demo) load(ctx context.Context) (tally, error) { return d.traffic.load(ctx), ctx.Err() }

func (d *demo) killOne(ctx context.Context) (tally, error) {
	return d.during(ctx, func(ctx context.Context) error {
		if err := d.kill(victim); err != nil {
			return err
		}
		killed := time.Now()
		err := d.await(ctx, "news of a death", d.agree)
		d.noticed = time.Since(killed)
		return err
	})
}

func (d *demo) back(ctx context.Context) (t tally, err error) {
	if d.kept, err = d.hints(ctx); err != nil {
		return t, err
	}
	return d.during(ctx, func(ctx context.Context) error {
		if err := d.start(ctx, victim); err != nil {
			return err
		}
		start := time.Now()
		err := d.await(ctx, "hints to be handed over", func(ctx context.Context) (bool, error) {
			kept, err := d.hints(ctx)
			return kept == 0, err
		})
		d.drained = time.Since(start)
		return err
	})
}

func (d *demo) killAndWipe(ctx context.Context) (tally, error) {
	return d.during(ctx, func(context.Context) error {
		return errors.Join(d.kill(wiped), d.wipe(wiped))
	})
}

func (d *demo) refill(ctx context.Context) (t tally, err error) {
	before, err := d.repairs(ctx)
	if err != nil {
		return t, err
	}
	start := time.Now()
	if err := d.start(ctx, wiped); err != nil {
		return t, err
	}
	if t, err = d.during(ctx, func(context.Context) error { return nil }); err != nil {
		return t, err
	}
	if err := d.await(ctx, "equal copies", d.settled); err != nil {
		return t, err
	}
	d.refilled = time.Since(start)
	after, err := d.repairs(ctx)
	d.repaired = after.Since(before)
	return t, err
}

// killAll kills every process in the middle of writes, and starts them again.
func (d *demo) killAll(ctx context.Context) (t tally, err error) {
	t, err = d.during(ctx, func(ctx context.Context) error {
		for _, name := range d.names {
			if err := d.kill(name); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return t, err
	}
	t.err = nil // with nobody there, failures are as they should be
	for _, name := range d.names {
		if err := d.start(ctx, name); err != nil {
			return t, err
		}
	}
	if err := d.await(ctx, "one view of the members", d.agree); err != nil {
		return t, err
	}
	return t, d.await(ctx, "equal copies", d.settled)
}

// row prints how a step went, and how many hints wait at its end.
func (d *demo) row(ctx context.Context, name string, t tally) error {
	hints, err := d.hints(ctx)
	if err != nil {
		return err
	}
	d.steps++
	d.acked += t.acked
	fmt.Fprintf(d.out, "%-28s %9.0f %13s %7d %7d\n", fmt.Sprintf("%d %s", d.steps, name),
		float64(t.acked)/t.took.Seconds(), t.quantiles(), t.failed, hints)
	if t.err != nil {
		return fmt.Errorf("a write failed: %w", t.err)
	}
	return nil
}

// verdict prints what was found and looks at every copy of every key.
func (d *demo) verdict(ctx context.Context, formed time.Duration) error {
	p := func(name, format string, args ...any) {
		fmt.Fprintf(d.out, "%-9s"+format+"\n", append([]any{name}, args...)...)
	}
	p("members", "one ring after %.1f s; the death of %s was known to all after %.1f s", formed.Seconds(), victim, d.noticed.Seconds())
	p("hints", "%d waited for %s, and were its own %.1f s after it was back", d.kept, victim, d.drained.Seconds())
	p("merkle", "%d copies are back on the empty disk of %s after %.1f s:", d.repaired.Copies, wiped, d.refilled.Seconds())
	p("", "%d bytes of them, and %d of hashes and positions", d.repaired.CopyBytes, d.repaired.HashBytes)
	copies, err := d.traffic.check(ctx)
	if err != nil {
		return err
	}
	p("check", "%d writes were acknowledged, none is lost; all %d copies are equal", d.acked, copies)
	return nil
}

// agree reports whether every node that runs sees exactly those up that run.
func (d *demo) agree(ctx context.Context) (bool, error) {
	running := d.running()
	for _, name := range running {
		s, err := d.traffic.client.State(ctx, name)
		if err != nil || !slices.Equal(s.Up, running) {
			return false, nil // it may be starting
		}
	}
	return true, nil
}

// hints counts the hints that wait anywhere.
func (d *demo) hints(ctx context.Context) (sum int, err error) {
	err = d.each(ctx, func(s node.State) { sum += s.Hints })
	return sum, err
}

// repairs sums up what anti-entropy cost.
func (d *demo) repairs(ctx context.Context) (sum node.RepairStats, err error) {
	err = d.each(ctx, func(s node.State) { sum = sum.Plus(s.Repairs) })
	return sum, err
}

func (d *demo) each(ctx context.Context, f func(node.State)) error {
	for _, name := range d.running() {
		s, err := d.traffic.client.State(ctx, name)
		if err != nil {
			return err
		}
		f(s)
	}
	return nil
}

// settled reports whether no hint waits and all copies are equal.
func (d *demo) settled(ctx context.Context) (bool, error) {
	if hints, err := d.hints(ctx); err != nil || hints > 0 {
		return false, err
	}
	return d.traffic.same(ctx)
}

// await looks every now and then whether something holds.
func (d *demo) await(ctx context.Context, what string, holds func(context.Context) (bool, error)) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		switch ok, err := holds(ctx); {
		case err != nil:
			return fmt.Errorf("waiting for %s: %w", what, err)
		case ok:
			return nil
		}
		if err := pause(ctx, 25*time.Millisecond); err != nil {
			return fmt.Errorf("waiting for %s: %w", what, err)
		}
	}
}

func (t tally) quantiles() string {
	if len(t.latencies) == 0 {
		return "-"
	}
	ms := func(p float64) float64 { return float64(t.latencies[int(p*float64(len(t.latencies)-1))]) / 1e6 }
	return fmt.Sprintf("%.1f/%.1f", ms(0.5), ms(0.99))
}
