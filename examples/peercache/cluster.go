package main

import (
	"context"

	"github.com/distkit/distkit/cms"
	"github.com/distkit/distkit/ring"
)

// placement says which nodes cache a key.
type placement int

const (
	colocated placement = iota // any that is asked
	sharded                    // its owner
	spread                     // its owner, and two more if it is hot
)

const (
	copies     = 3
	hotPercent = 2 // of all requests
)

// cluster is the nodes as a client sees them.
type cluster struct {
	placement
	nodes   []*node
	byID    map[string]*node
	ring    *ring.Ring
	origin  *origin
	top     *cms.TopK
	hot     map[string]bool
	asked   uint64
	detours int // requests whose first choice was dead
}

func start(p placement) (*cluster, error) {
	ids := []string{"node-1", "node-2", "node-3", "node-4"}
	c := &cluster{placement: p, byID: map[string]*node{}, origin: new(origin)}
	var err error
	if c.ring, err = ring.New(ring.Nodes(ids...)); err != nil {
		return nil, err
	}
	if c.top, err = cms.NewTopK(20); err != nil {
		return nil, err
	}
	for _, id := range ids {
		n, err := newNode(id, c.origin)
		if err != nil {
			return nil, err
		}
		c.nodes = append(c.nodes, n)
		c.byID[id] = n
	}
	if p != colocated {
		for _, n := range c.nodes {
			n.owner = func(key string) *node { return c.owners(key, 1)[0] }
		}
	}
	return c, nil
}

// owners returns the first n owners of key.
func (c *cluster) owners(key string, n int) (owners []*node) {
	for _, id := range c.ring.AppendOwnersString(nil, key, n) {
		owners = append(owners, c.byID[id])
	}
	return owners
}

// get asks those that may have key, one after the other while they are dead, and in
// the end the origin.
func (c *cluster) get(ctx context.Context, key string) (string, error) {
	if c.asked++; c.asked%500 == 0 {
		c.certify()
	}
	c.top.AddString(key)
	for i, n := range c.candidates(key) {
		if i == 1 {
			c.detours++
		}
		if text, err := n.ask(ctx, key); err == nil {
			n.served++
			return text, nil
		}
	}
	return c.origin.load(ctx, key)
}

// candidates returns the nodes to ask for key. The first is the owner; of a hot key,
// it is each owner in turn.
func (c *cluster) candidates(key string) []*node {
	if c.placement == colocated {
		return []*node{c.nodes[c.asked%uint64(len(c.nodes))]}
	}
	owners := c.owners(key, copies)
	if c.placement == spread && c.hot[key] {
		first := c.asked % copies
		return append(owners[first:copies:copies], owners[:first]...)
	}
	return owners
}

// certify finds the keys that are certainly hot: the count of an item is an upper
// bound, and its error what it may be too high.
func (c *cluster) certify() {
	c.hot = map[string]bool{}
	for i := range c.top.Items() {
		if 100*(i.Count-i.Error) > hotPercent*c.asked {
			c.hot[i.Key] = true
		}
	}
}

// busiest returns how much more than the mean the busiest node served.
func (c *cluster) busiest() float64 {
	most, all := 0, 0
	for _, n := range c.nodes {
		most, all = max(most, n.served), all+n.served
	}
	return float64(most*len(c.nodes)) / float64(all)
}

// kill ends the first n nodes.
func (c *cluster) kill(n int) {
	for _, n := range c.nodes[:n] {
		n.kill()
	}
}
