package ring

import (
	"fmt"

	"github.com/distkit/distkit/internal/hash64"
)

// Subset returns the ring of k of r's nodes that belongs to the tenant whose key
// hashes to h: shuffle sharding. The same h gets the same nodes, and two tenants
// rarely the same set, so that a client that brings its nodes down takes few others
// along whole: of 100 nodes there are 75 million sets of five.
//
// Nodes are drawn by highest random weight, so heavier nodes serve more tenants,
// and a set takes its nodes from as many zones as it can. When a node joins or
// leaves, the sets that it enters or was in change by that node and, with zones,
// by one other at most; the rest stay. Options are r's; h is as for
// [Ring.OwnerHash] and says nothing about where the tenant's keys lie.
//
// A k below 1 is an error; with as many nodes as r has or more the result is r. It
// takes one pass over r's nodes and tokens, so keep it.
func (r *Ring) Subset(h uint64, k int) (*Ring, error) {
	if k < 1 {
		return nil, fmt.Errorf("ring: subset has %d nodes, want at least 1", k)
	}
	if k >= len(r.nodes) {
		return r, nil
	}
	// By merging, not by building: a decoded ring may have the tokens of a
	// function that is not there.
	d := delta{nodes: make([]Node, 0, k), from: make([]uint32, len(r.nodes))}
	for i := range d.from {
		d.from[i] = gone
	}
	v := makeRendezvous(config{secret: r.cfg.secret}, r.nodes)
	for _, i := range v.AppendLocate(nil, hash64.Mix(h, hash64.SaltRing), k) {
		d.from[i] = 0
	}
	for i, n := range r.nodes {
		if d.from[i] != gone {
			d.keep(i, n)
		}
	}
	return r.apply(d)
}
