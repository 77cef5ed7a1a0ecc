package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/distkit/distkit/examples/internal/node"
	"github.com/distkit/distkit/ring"
)

// victim is the node that the scenario kills.
const victim = "node-3"

// lostZone is the zone that goes dark as a whole.
const lostZone = "zone-b"

// newcomer joins at the end.
var newcomer = ring.Node{ID: "node-6", Weight: 1, Zone: "zone-c"}

// scenario is the script: load, steady traffic, a node dies and comes back, a
// zone dies, the network is cut, a node comes back without its disk, a node
// joins; and when all is quiet every copy must be what the history says.
type scenario struct {
	cluster  *Cluster
	driver   *driver
	duration time.Duration // of the phases with traffic
	report   *report
	notice   func(caption string) // tells the page what happens

	traffic traffic
}

// phase is one step of the script: its row in the report, and what happens.
type phase struct {
	name, caption string
	play          func(context.Context) (Tally, error)
}

func (s *scenario) phases() []phase {
	return []phase{
		{"load", "every item is written to three nodes in three zones", s.load},
		{"steady", "reads and writes, 70 to 30, as the input has them", s.steady},
		{victim + " down", victim + " dies: stand-ins serve its share, and keep hints", s.kill},
		{victim + " back", victim + " is back: it replays its log, and the hints drain", s.revive},
		{lostZone + " down", "all of " + lostZone + " dies: two zones still hold a copy of every key", s.killZone},
		{"net cut", "the network is cut in two: with W=2 of the owners one side at most can write", s.cut},
		{"net healed", "the cut is over: conflicts come together, and clients merge them", s.heal},
		{victim + " wiped", victim + " dies and loses its disk", s.wipe},
		{victim + " anew", victim + " is back, empty: hints drain, and trees find the rest", s.refill},
		{"a flood", "one client asks as fast as it can: it is told to wait, and nobody else", s.flood},
		{newcomer.ID + " joins", newcomer.ID + " joins: a sixth of the copies moves, and nothing is hashed again", s.join},
	}
}

// run plays the script and reports whether every invariant held.
func (s *scenario) run(ctx context.Context) error {
	s.report.head(s.cluster, s.driver)
	if err := within(ctx, patience, s.cluster.AwaitAgreement); err != nil {
		return err
	}
	var stop func()
	s.traffic, stop = s.driver.openTraffic()
	defer stop()
	for _, p := range s.phases() {
		s.notice(p.name + ": " + p.caption)
		tally, err := p.play(ctx)
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
		if err := s.report.row(p.name, tally, s.cluster); err != nil {
			return err
		}
	}
	s.notice("quiet: the copies must agree")
	if err := s.quiesce(ctx); err != nil {
		return err
	}
	return s.report.verdict(s.cluster, s.driver)
}

// serve sends traffic for this share of the whole duration.
func (s *scenario) serve(ctx context.Context, share float64) Tally {
	return s.driver.serve(ctx, s.traffic, time.Duration(share*float64(s.duration)))
}

func (s *scenario) load(ctx context.Context) (Tally, error) { return s.driver.load(ctx), nil }

// steady sends a part of its traffic to any node, as behind a balancer, and the
// rest to the owners; then the sketches of all nodes are held against the truth.
func (s *scenario) steady(ctx context.Context) (Tally, error) {
	d, network := s.driver, &s.cluster.network
	usual := d.client.Route
	measure := func(route node.Route, share float64) Tally {
		d.client.Route = route
		before := network.messages.Load()
		t := s.serve(ctx, share)
		s.report.routes = append(s.report.routes, routeTally{route, float64(network.messages.Load()-before) / float64(t.Count()), t})
		return t
	}
	measure(node.RouteAny, 0.05)
	t := measure(node.RouteAware, 0.15)
	d.client.Route = usual
	return t, s.checkUsage(ctx)
}

// checkUsage waits until every node knows of every request and looks at what it
// makes of that.
func (s *scenario) checkUsage(ctx context.Context) error {
	s.driver.exact.mu.Lock()
	want := uint64(0)
	for _, n := range s.driver.exact.keys {
		want += n
	}
	s.driver.exact.mu.Unlock()
	err := within(ctx, patience, func(ctx context.Context) error {
		return await(ctx, "not every node has all counts", func() bool {
			return !slices.ContainsFunc(s.cluster.Running(), func(n *node.Node) bool {
				hot, _, err := n.Usage()
				return err != nil || hot.Total() < want
			})
		})
	})
	if err != nil {
		return err
	}
	for _, n := range s.cluster.Running() {
		hot, clients, err := n.Usage()
		if err != nil {
			return err
		}
		s.report.violations = append(s.report.violations, s.driver.exact.check(hot, clients)...)
		s.report.hot = s.driver.exact.compare(hot, 3)
		s.report.clients, s.report.exactClients = clients, len(s.driver.exact.clients)
	}
	return nil
}

func (s *scenario) kill(ctx context.Context) (Tally, error) {
	if err := s.cluster.Kill(victim); err != nil {
		return Tally{}, err
	}
	killed := time.Now()
	noticed := make(chan error, 1)
	go func() {
		err := within(ctx, patience, s.cluster.AwaitAgreement)
		s.report.noticed = time.Since(killed)
		noticed <- err
	}()
	t := s.serve(ctx, 0.2)
	return t, <-noticed
}

func (s *scenario) revive(ctx context.Context) (Tally, error) {
	if err := s.cluster.Start(victim); err != nil {
		return Tally{}, err
	}
	return s.serve(ctx, 0.1), nil
}

// cut lets both sides of a cut write the same keys: first with W=2 of the
// owners, then with W=1.
func (s *scenario) cut(ctx context.Context) (t Tally, err error) {
	for range 2 { // so that both sides have a version to begin with, and then all copies of it
		if t = s.driver.reconcile(ctx); t.Failed > 0 {
			return t, t.Error
		}
	}
	sides := [][]string{nil, nil}
	for i, m := range s.cluster.Members() {
		side := min(1, i/3)
		sides[side] = append(sides[side], m.ID)
	}
	s.report.sides = sides
	if err := s.cluster.Cut(sides...); err != nil {
		return t, err
	}
	defer s.cluster.Heal()
	if err := within(ctx, patience, s.cluster.AwaitAgreement); err != nil {
		return t, err
	}
	for _, c := range []struct {
		query  string
		report *CutReport
	}{{"strict=1&r=1", &s.report.strict}, {"r=1&w=1", &s.report.loose}} {
		if *c.report, err = s.driver.conflict(ctx, c.query, sides); err != nil {
			return t, err
		}
		if c.report.Siblings, err = s.cluster.Conflicts(cutPrefix); err != nil {
			return t, err
		}
	}
	return t, nil
}

func (s *scenario) heal(ctx context.Context) (t Tally, err error) {
	if err := within(ctx, patience, s.cluster.AwaitAgreement); err != nil {
		return t, err
	}
	if _, err = s.settle(ctx, patience); err != nil {
		return t, err
	}
	if s.report.loose.Siblings, err = s.cluster.Conflicts(cutPrefix); err != nil {
		return t, err
	}
	t = s.driver.reconcile(ctx)
	return t, t.Error
}

func (s *scenario) wipe(ctx context.Context) (Tally, error) {
	if err := s.cluster.Kill(victim); err != nil {
		return Tally{}, err
	}
	t := s.serve(ctx, 0.1)
	return t, s.cluster.Wipe(victim)
}

func (s *scenario) refill(ctx context.Context) (t Tally, err error) {
	before := s.cluster.Repairs()
	if err := s.cluster.Start(victim); err != nil {
		return t, err
	}
	t = s.serve(ctx, 0.1)
	took, err := s.settle(ctx, patience)
	s.report.refilled, s.report.repairs = t.Took+took, s.cluster.Repairs().Since(before)
	return t, err
}

func (s *scenario) flood(ctx context.Context) (t Tally, err error) {
	flooding, cancel := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() {
		var err error
		s.report.flood, err = s.driver.flood(flooding)
		done <- err
	}()
	t = s.serve(ctx, 0.1)
	cancel()
	err = <-done
	f := &s.report.flood
	for _, n := range s.cluster.Running() {
		own, all := n.DeniedTo(flooder)
		f.Others += all - own
	}
	if f.Allowed > f.Fair {
		s.report.violate("I5", flooder, "got %d answers, not %d at most", f.Allowed, f.Fair)
	}
	if f.Others > 0 {
		s.report.violate("I5", "others", "were told to wait %d times", f.Others)
	}
	return t, err
}

func (s *scenario) join(ctx context.Context) (t Tally, err error) {
	joined := make(chan error, 1)
	go func() {
		var err error
		s.report.join, err = s.cluster.Add(ctx, newcomer)
		joined <- err
	}()
	t = s.serve(ctx, 0.15)
	return t, <-joined
}

// The copies may take so long to agree: when all is quiet at the end, and before
// that, where nothing depends on the time.
const (
	convergence = 15 * time.Second
	patience    = 2 * time.Minute
)

// settle waits until no hint is left and no copy is behind.
func (s *scenario) settle(ctx context.Context, limit time.Duration) (took time.Duration, err error) {
	start := time.Now()
	err = within(ctx, limit, func(ctx context.Context) error {
		var failed error
		err := await(ctx, "the copies do not agree", func() bool {
			var state State
			state, failed = s.cluster.State()
			return failed != nil || state.Hints == 0 && state.Diverged == 0
		})
		return errors.Join(err, failed)
	})
	return time.Since(start), err
}

// quiesce settles, and notes whether that came to pass.
func (s *scenario) quiesce(ctx context.Context) error {
	took, err := s.settle(ctx, convergence)
	if err != nil && (ctx.Err() != nil || took < convergence) {
		return err
	}
	s.report.settled, s.report.quiet = err == nil, took
	return s.report.row("quiet", Tally{}, s.cluster)
}

// within runs f with a deadline.
func within(ctx context.Context, d time.Duration, f func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	return f(ctx)
}
