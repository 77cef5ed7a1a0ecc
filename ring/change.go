package ring

import (
	"fmt"
	"slices"
)

// delta turns the nodes of a ring into others.
type delta struct {
	nodes []Node   // the new ones, sorted by ID
	from  []uint32 // by old index: the new one, or gone
	fresh []int    // new indices, ascending, of nodes whose tokens are to be made
}

const gone = 1 << 31

// Add returns a ring with nodes added. It costs one pass over the tokens, so add
// several nodes in one call. The errors are [ErrDuplicateNode],
// [ErrInvalidNode] and [ErrTooManyNodes], wrapped, and [ErrIncompatible] for a
// decoded ring whose tokens come from a function that it does not have.
func (r *Ring) Add(nodes ...Node) (*Ring, error) {
	r.mustBeMade("Add")
	added, err := members(nodes)
	if err != nil {
		return nil, err
	}
	if len(r.nodes)+len(added) > maxNodes {
		return nil, fmt.Errorf("%w: %d, want at most %d", ErrTooManyNodes, len(r.nodes)+len(added), maxNodes)
	}
	d := delta{nodes: make([]Node, 0, len(r.nodes)+len(added)), from: make([]uint32, len(r.nodes)), fresh: make([]int, 0, len(added))}
	i := 0
	for _, n := range added {
		at, found := search(r.nodes, n.ID)
		if found {
			return nil, fmt.Errorf("%w: %q", ErrDuplicateNode, n.ID)
		}
		for ; i < at; i++ {
			d.keep(i, r.nodes[i])
		}
		d.fresh = append(d.fresh, len(d.nodes))
		d.nodes = append(d.nodes, n)
	}
	for ; i < len(r.nodes); i++ {
		d.keep(i, r.nodes[i])
	}
	return r.apply(d)
}

// Remove returns a ring without the nodes of those ids. It costs one pass over
// the tokens. The errors are [ErrUnknownNode] and, for an ID that is named
// twice, [ErrDuplicateNode], wrapped.
func (r *Ring) Remove(ids ...string) (*Ring, error) {
	r.mustBeMade("Remove")
	d := delta{nodes: make([]Node, 0, len(r.nodes)), from: make([]uint32, len(r.nodes))}
	for _, id := range ids {
		i, found := search(r.nodes, id)
		if !found {
			return nil, fmt.Errorf("%w: %q", ErrUnknownNode, id)
		}
		if d.from[i] == gone {
			return nil, fmt.Errorf("%w: %q", ErrDuplicateNode, id)
		}
		d.from[i] = gone
	}
	for i, n := range r.nodes {
		if d.from[i] != gone {
			d.keep(i, n)
		}
	}
	return r.apply(d)
}

// Update returns a ring in which nodes have the weights and zones given; all
// must be there already. A weight that grows pulls keys towards its node and
// moves no others. The errors are [ErrUnknownNode], [ErrDuplicateNode],
// [ErrInvalidNode] and [ErrTooManyNodes], wrapped, and [ErrIncompatible] as for
// [Ring.Add].
func (r *Ring) Update(nodes ...Node) (*Ring, error) {
	r.mustBeMade("Update")
	updated, err := members(nodes)
	if err != nil {
		return nil, err
	}
	d := delta{nodes: slices.Clone(r.nodes), from: make([]uint32, len(r.nodes))}
	for i := range d.from {
		d.from[i] = uint32(i)
	}
	for _, n := range updated {
		i, found := search(r.nodes, n.ID)
		if !found {
			return nil, fmt.Errorf("%w: %q", ErrUnknownNode, n.ID)
		}
		old := r.nodes[i]
		d.nodes[i] = n
		foreign := r.cfg.set&setTokens != 0 // the function sees the whole node
		if old != n && (foreign || r.cfg.count(old.Weight) != r.cfg.count(n.Weight)) {
			d.from[i] = gone
			d.fresh = append(d.fresh, i)
		}
	}
	return r.apply(d)
}

func (r *Ring) mustBeMade(method string) {
	if r.cfg.virtual == 0 {
		panic("ring: " + method + " of a zero Ring: make it by New")
	}
}

func (d *delta) keep(i int, n Node) {
	d.from[i] = uint32(len(d.nodes))
	d.nodes = append(d.nodes, n)
}

// apply returns the ring that d leads to, by merging what stays with the tokens
// of what is new.
func (r *Ring) apply(d delta) (*Ring, error) {
	if r.cfg.set&setTolerance != 0 {
		return build(r.cfg, d.nodes)
	}
	counts, err := r.cfg.counts(d.nodes)
	if err != nil {
		return nil, err
	}
	var fresh []uint64
	for _, i := range d.fresh {
		if fresh, err = r.cfg.appendPoints(fresh, d.nodes[i], i, counts[i]); err != nil {
			return nil, err
		}
	}
	old := r.idx.tokens()
	if len(old)+len(fresh) > maxTokens {
		return nil, fmt.Errorf("%w: more than %d tokens", ErrTooManyNodes, maxTokens)
	}
	return assemble(r.cfg, d.nodes, d.merge(old, sortPoints(fresh))), nil
}

// merge returns the points of old that stay, under their new indices, and those
// of fresh, sorted, with room for the sentinels. Nodes that stay keep their
// order, so old points stay sorted.
func (d *delta) merge(old, fresh []uint64) []uint64 {
	merged := make([]uint64, len(old)+len(fresh)+sentinels)
	n := 0
	for _, f := range fresh {
		run := d.before(old, f)
		n += d.rename(merged[n:], old[:run])
		old = old[run:]
		merged[n] = f
		n++
	}
	n += d.rename(merged[n:], old)
	return merged[:n]
}

// before returns how many points of old, which are many, come before f. Of
// equal tokens, that is decided by the new indices.
func (d *delta) before(old []uint64, f uint64) int {
	i, _ := slices.BinarySearch(old, f&^nodeMask)
	for ; i < len(old) && old[i]|nodeMask == f|nodeMask; i++ {
		if to := d.from[old[i]&nodeMask]; to != gone && to > uint32(f&nodeMask) {
			break
		}
	}
	return i
}

// rename copies the points of old that stay to dst, under their new indices, and
// returns how many there are. It has no branch to mispredict.
func (d *delta) rename(dst, old []uint64) int {
	n := 0
	for _, p := range old {
		i := d.from[p&nodeMask]
		dst[n] = p&^nodeMask | uint64(i&nodeMask)
		n += int(1 - i>>31)
	}
	return n
}
