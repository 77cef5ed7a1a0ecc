package main

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"time"

	"github.com/distkit/distkit/examples/internal/node"
	"github.com/distkit/distkit/merkle"
	"github.com/distkit/distkit/ring"
)

// JoinReport says what it cost to take a node in.
type JoinReport struct {
	Took           time.Duration
	Copies, Moved  uint64 // of keys: all, and those that changed their place
	Ideal          float64
	Fetched        int    // positions that were fetched, by any node
	TreesAnew      uint64 // keys that a hash tree for each virtual node would hash again
	HashBytes, Sum uint64 // sent
}

// Add takes in a new node, as an operator does, while traffic goes on. See
// move.go for the steps. What fails leaves the old ring in use.
func (c *Cluster) Add(ctx context.Context, newcomer ring.Node) (report JoinReport, err error) {
	start := time.Now()
	before := c.Ring()
	after, err := before.Add(newcomer)
	if err != nil {
		return report, err
	}
	image, err := after.MarshalBinary()
	if err != nil {
		return report, err
	}
	c.mu.Lock()
	c.members = append(c.members, newcomer)
	c.mu.Unlock()
	if err := c.Start(newcomer.ID); err != nil {
		return report, errors.Join(err, c.forget(newcomer.ID))
	}
	sent := c.Repairs()
	operator := c.peersOf(newcomer.ID)
	everyone := func(path string, body []byte) (total int, err error) {
		for _, n := range c.Running() {
			answer, err := operator.Call(ctx, n.Name(), path, body)
			for try := 1; err != nil && try < 5; try++ { // every step may be done twice
				answer, err = operator.Call(ctx, n.Name(), path, body)
			}
			if err != nil {
				return total, err
			}
			if count, err := strconv.Atoi(string(answer)); err == nil {
				total += count
			}
		}
		return total, nil
	}
	_, err = everyone("/i/move", image) // 1: writes to both
	if err == nil {
		report.Fetched, err = everyone("/i/fetch", nil) // 2: copies
	}
	if err != nil {
		_, err2 := everyone("/i/move", nil)
		return report, errors.Join(err, err2, c.forget(newcomer.ID))
	}
	first := c.Running()[0]
	if err := first.Members().Join(newcomer); err != nil { // 3: the new ring
		return report, err
	}
	c.mu.Lock()
	c.settings.Founders = slices.Clone(c.members)
	c.mu.Unlock()
	err = within(ctx, 10*time.Second, func(ctx context.Context) error {
		return await(ctx, "not every node has the new ring", func() bool {
			return !slices.ContainsFunc(c.Running(), func(n *node.Node) bool { return n.Members().Ring().Fingerprint() != after.Fingerprint() })
		})
	})
	if err != nil {
		return report, err
	}
	if err := report.measure(c, before, after); err != nil {
		return report, err
	}
	_, err = everyone("/i/move", nil) // 4: writes to the new owners
	now := c.Repairs()
	report.HashBytes, report.Sum = now.HashBytes-sent.HashBytes, now.HashBytes+now.CopyBytes-sent.HashBytes-sent.CopyBytes
	report.Took = time.Since(start)
	return report, err
}

// forget ends a node that did not become a member.
func (c *Cluster) forget(name string) (err error) {
	if c.running(name) {
		err = c.Kill(name)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.members = slices.DeleteFunc(c.members, func(m ring.Node) bool { return m.ID == name })
	return err
}

// measure counts the keys that moved, by the trees of those that hold them.
func (r *JoinReport) measure(c *Cluster, before, after *ring.Ring) error {
	trees := map[string]*merkle.Tree{}
	for _, n := range c.Running() {
		trees[n.Name()] = n.Tree()
	}
	keys := func(at ring.Range) uint64 {
		for _, owner := range before.AppendOwnersHash(nil, at.End, c.settings.N) {
			if t := trees[owner]; t != nil {
				return t.Summary(merkle.Range(at)).Count
			}
		}
		return 0
	}
	moves, err := ring.Moves(before, after, c.settings.N)
	if err != nil {
		return err
	}
	for m := range moves {
		r.Moved += keys(m.Range) * uint64(len(m.Gained()))
	}
	old := map[ring.Range]bool{}
	for _, at := range arcs(before) {
		old[at] = true
	}
	for _, at := range arcs(after) {
		count := keys(at) * uint64(c.settings.N)
		r.Copies += count
		if !old[at] {
			r.TreesAnew += count
		}
	}
	last := after.Node(after.Len() - 1)
	r.Ideal = last.Weight / float64(after.Len())
	return nil
}

// arcs returns the arcs between neighboring tokens.
func arcs(r *ring.Ring) []ring.Range {
	var list []ring.Range
	last := uint64(0)
	for token := range r.Tokens() {
		list = append(list, ring.Range{Start: last, End: token})
		last = token
	}
	if len(list) > 0 {
		list[0].Start = last
	}
	return list
}
