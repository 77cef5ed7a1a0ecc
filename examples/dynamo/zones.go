package main

import (
	"context"
	"errors"
	"path/filepath"

	"github.com/distkit/distkit/examples/internal/node"
)

// killZone counts owners only, no stand-ins, and shows beside it what the same
// deaths do to a cluster that does not know of zones.
func (s *scenario) killZone(ctx context.Context) (t Tally, err error) {
	if err := within(ctx, patience, s.cluster.AwaitAgreement); err != nil {
		return t, err
	}
	var dead []string
	for _, m := range s.cluster.Members() {
		if m.Zone == lostZone {
			dead = append(dead, m.ID)
		}
	}
	d := s.driver
	d.client.Query = "strict=1"
	defer func() { d.client.Query = "" }()
	if t, err = s.without(ctx, s.cluster, d, dead, func() Tally { return s.serve(ctx, 0.15) }); err != nil {
		return t, err
	}
	s.report.zones = t
	s.report.zoneless, err = s.zoneless(ctx, dead)
	return t, err
}

// without kills nodes, sends traffic, and revives them.
func (s *scenario) without(ctx context.Context, c *Cluster, d *driver, dead []string, traffic func() Tally) (t Tally, err error) {
	for _, name := range dead {
		if err := c.Kill(name); err != nil {
			return t, err
		}
	}
	t = traffic()
	for _, name := range dead {
		if err := c.Start(name); err != nil {
			return t, err
		}
	}
	return t, ctx.Err()
}

// zoneless runs a second cluster whose nodes are all in one zone, so that the
// copies of a key may be on any three of them.
func (s *scenario) zoneless(ctx context.Context, dead []string) (t Tally, err error) {
	settings := s.cluster.settings
	settings.Fsync = node.FsyncOff
	c, err := startCluster(filepath.Join(s.cluster.dir, "zoneless"), nodeCount, 1, settings, realPlatform())
	if err != nil {
		return t, err
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	if err := within(ctx, patience, c.AwaitAgreement); err != nil {
		return t, err
	}
	client, err := node.NewClient(ctx, c.client, c.Addr, c.Members()[0].ID, node.RouteAware)
	if err != nil {
		return t, err
	}
	client.Query, client.Once = "strict=1", true
	d := &driver{client: client, clients: s.driver.clients, seed: s.driver.seed, work: s.driver.work, history: newHistory(), exact: newExactUsage()}
	traffic, stop := d.openTraffic()
	defer stop()
	return s.without(ctx, c, d, dead, func() Tally { return d.serve(ctx, traffic, s.duration/20) })
}
