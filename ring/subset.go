package ring

import (
	"fmt"
	"slices"

	"github.com/distkit/distkit/internal/hash64"
)

// Subset returns the ring of k of r's nodes that belongs to the tenant whose key
// hashes to h: shuffle sharding. The same h gets the same nodes, and two tenants
// rarely the same set, so that one who brings its nodes down takes few others
// along whole: of 100 nodes there are 75 million sets of five.
//
// Nodes are drawn by highest random weight, so heavier nodes serve more tenants,
// and a set takes its nodes from as many zones as it can. When a node joins or
// leaves, the sets that it enters or was in change by that node and, with zones,
// by one other at most; the rest stay. Options are r's; h is as for
// [Ring.OwnerHash] and says nothing about where the tenant's keys lie.
//
// k >= 1; with as many nodes as r has or more the result is r. It takes O(n)
// time for r's nodes and O(t) for the tokens of the result, so keep it.
func (r *Ring) Subset(h uint64, k int) (*Ring, error) {
	if k < 1 {
		return nil, fmt.Errorf("ring: subset has %d nodes, want at least 1", k)
	}
	if k >= len(r.nodes) {
		return r, nil
	}
	v := makeRendezvous(r.cfg, r.nodes)
	chosen := v.AppendLocate(nil, hash64.Mix(h, hash64.SaltRing), k)
	slices.Sort(chosen)
	nodes := make([]Node, k)
	for i, at := range chosen {
		nodes[i] = r.nodes[at]
	}
	return build(r.cfg, nodes)
}
