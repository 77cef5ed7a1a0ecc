package ring

import "slices"

// flow improves an assignment of nodes to partitions until no better one exists:
// first, that loads are within their quotas, then, that as few assignments as
// possible differ from what was before. It is minimum-cost flow by canceling
// negative cycles (Klein 1967): an assignment is best if and only if there is no
// round of exchanges, "in this partition j instead of i, in that one k instead
// of j, ...", that costs less than nothing, and the labels that show so are a
// proof.
//
// The vertices of the graph in which such rounds are cycles are the nodes, a hub
// that takes and gives load, and what lies between nodes that are exchanged in
// one partition, which the task knows. An arc from node i says that i leaves a
// partition, an arc to j that j enters it.
type flow struct {
	task   task
	loads  []int
	quotas []quota
	dist   []int64 // by vertex: the cheapest known path to it, from anywhere
	from   []int32 // the vertex before it on that path, or -1
	seen   []int32 // scratch, by vertex
}

// task is what a flow is to improve: who may take whose place in a partition, and
// what that costs.
type task interface {
	// partitions returns how many there are.
	partitions() int
	// relax shortens paths by the arcs behind the hub, and tells whether it could.
	relax() (shorter bool)
	// partitionOf returns the partition of a vertex behind the hub.
	partitionOf(vertex int) int
	// canExchange tells whether node in may take the place of node out in partition p.
	canExchange(p, out, in int) bool
	// costs returns by how many there are more, or less, of what is to be few when it
	// does.
	costs(p, out, in int) int
	// exchange puts node in for node out in partition p.
	exchange(p, out, in int)
}

// misload is what one replica too many or too few costs: more than all moves.
const misload = 1 << 32

func newFlow(t task, loads []int, quotas []quota, behindHub int) *flow {
	vertices := len(loads) + 1 + behindHub
	return &flow{
		task: t, loads: loads, quotas: quotas,
		dist: make([]int64, vertices), from: make([]int32, vertices), seen: make([]int32, vertices),
	}
}

func (f *flow) hub() int { return len(f.loads) }

// minimize makes the assignment a best one.
func (f *flow) minimize() {
	for f.improve() {
	}
}

// improve cancels negative cycles if there are any, and tells whether there were.
// It is the algorithm of Bellman and Ford, begun at all vertices: either the
// labels settle, or the arcs by which they were set last contain a cycle.
func (f *flow) improve() bool {
	clear(f.dist)
	for v := range f.from {
		f.from[v] = -1
	}
	for {
		hub, rest := f.relaxHub(), f.task.relax()
		if !hub && !rest {
			return false
		}
		if f.cancel() {
			return true
		}
	}
}

// shorten sets the label of vertex v if the path by way of u is shorter.
func (f *flow) shorten(u, v int, cost int64) bool {
	if d := f.dist[u] + cost; d < f.dist[v] {
		f.dist[v], f.from[v] = d, int32(u)
		return true
	}
	return false
}

// relaxHub shortens paths by the arcs from nodes to the hub, which leave a node
// with one replica more, and from the hub to nodes, which leave it with one less.
func (f *flow) relaxHub() (shorter bool) {
	hub := f.hub()
	for i := range f.quotas {
		shorter = f.shorten(i, hub, f.gain(i, 1)) || shorter
	}
	for i := range f.quotas {
		shorter = f.shorten(hub, i, f.gain(i, -1)) || shorter
	}
	return shorter
}

// gain returns what it costs node i to get that many replicas more.
func (f *flow) gain(i, more int) int64 {
	return price(f.loads[i]+more, f.quotas[i]) - price(f.loads[i], f.quotas[i])
}

// price is what a load costs that is not within its quota.
func price(load int, q quota) int64 {
	return misload * int64(max(0, load-q.high, q.low-load))
}

// cancel looks for cycles among the arcs by which labels were set, makes the
// exchanges that they stand for, and tells whether there were any. Each vertex
// has one such arc, so cycles have no vertex in common. Then it makes the
// exchanges that are like these: of the same nodes in other partitions.
func (f *flow) cancel() bool {
	const fresh, done = 0, -1
	var cycles []*cycle
	clear(f.seen)
	for v := range f.from {
		walk := int32(v + 1)
		u := int32(v)
		for u >= 0 && f.seen[u] == fresh {
			f.seen[u] = walk
			u = f.from[u]
		}
		if u >= 0 && f.seen[u] == walk {
			c := f.trace(u)
			f.apply(c)
			cycles = append(cycles, c)
		}
		for u := int32(v); u >= 0 && f.seen[u] == walk; u = f.from[u] {
			f.seen[u] = done
		}
	}
	for _, c := range cycles {
		for f.shift(c) <= c.worth && f.again(c) {
			f.apply(c)
		}
	}
	return len(cycles) > 0
}

// cycle is a round of exchanges.
type cycle struct {
	swaps      []swap
	less, more int   // the nodes whose loads it changes, or -1
	worth      int64 // what that costs
}

// swap is an exchange in a partition, and what it costs.
type swap struct{ p, out, in, cost int }

// trace returns the cycle that goes through vertex v.
func (f *flow) trace(v int32) *cycle {
	c := &cycle{less: -1, more: -1}
	for int(v) >= f.hub() {
		v = f.from[v]
	}
	// Backwards, from a node to the same node.
	in, p := v, -1
	for u := f.from[v]; ; u = f.from[u] {
		switch {
		case int(u) > f.hub():
			p = f.task.partitionOf(int(u))
		case int(u) == f.hub():
			c.less, c.more = int(in), int(f.from[u])
			in, p = u, -1
		default:
			if p >= 0 {
				c.swaps = append(c.swaps, swap{p, int(u), int(in), f.task.costs(p, int(u), int(in))})
			}
			in, p = u, -1
		}
		if u == v {
			break
		}
	}
	c.worth = f.shift(c)
	return c
}

// shift returns what it costs now to change loads as the cycle does.
func (f *flow) shift(c *cycle) int64 {
	if c.less < 0 {
		return 0
	}
	return f.gain(c.less, -1) + f.gain(c.more, 1)
}

// apply makes the exchanges of a cycle.
func (f *flow) apply(c *cycle) {
	for _, s := range c.swaps {
		f.task.exchange(s.p, s.out, s.in)
	}
	if c.less >= 0 {
		f.loads[c.less]--
		f.loads[c.more]++
	}
}

// again moves all swaps to further partitions, each to another one in which it is
// possible at the same cost, and tells whether there are such.
func (f *flow) again(c *cycle) bool {
	for k := range c.swaps {
		s := &c.swaps[k]
		for s.p++; ; s.p++ {
			if s.p == f.task.partitions() {
				return false
			}
			used := slices.ContainsFunc(c.swaps[:k], func(other swap) bool { return other.p == s.p })
			if !used && f.task.canExchange(s.p, s.out, s.in) && f.task.costs(s.p, s.out, s.in) == s.cost {
				break
			}
		}
	}
	return true
}
