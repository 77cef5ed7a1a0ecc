package ring

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
// one partition, which relax knows. An arc from node i says that i leaves a
// partition, an arc to j that j enters it.
type flow struct {
	loads  []int
	quotas []quota
	dist   []int64 // by vertex: the cheapest known path to it, from anywhere
	from   []int32 // the vertex before it on that path, or -1

	relax     func() bool          // shortens paths by its arcs, and tells whether it could
	partition func(vertex int) int // of a vertex behind the hub
	replace   func(p, out, in int) // exchanges nodes in partition p
}

// misload is what one replica too many or too few costs: more than all moves.
const misload = 1 << 32

func newFlow(loads []int, quotas []quota, behindHub int) *flow {
	vertices := len(loads) + 1 + behindHub
	return &flow{loads: loads, quotas: quotas, dist: make([]int64, vertices), from: make([]int32, vertices)}
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
		hub, rest := f.relaxHub(), f.relax()
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
// has one such arc, so cycles have no vertex in common.
func (f *flow) cancel() (found bool) {
	const fresh, done = 0, -1
	seen := make([]int32, len(f.from)) // fresh, done, or the walk that came by
	for v := range f.from {
		walk := int32(v + 1)
		u := int32(v)
		for u >= 0 && seen[u] == fresh {
			seen[u] = walk
			u = f.from[u]
		}
		if u >= 0 && seen[u] == walk {
			f.exchange(u)
			found = true
		}
		for u := int32(v); u >= 0 && seen[u] == walk; u = f.from[u] {
			seen[u] = done
		}
	}
	return found
}

// exchange makes the exchanges of the cycle that goes through vertex v.
func (f *flow) exchange(v int32) {
	// The cycle, backwards, from a node to the same node.
	for int(v) >= f.hub() {
		v = f.from[v]
	}
	in, p := v, -1
	for u := f.from[v]; ; u = f.from[u] {
		switch {
		case int(u) > f.hub():
			p = f.partition(int(u))
		case int(u) < f.hub() && p >= 0:
			f.replace(p, int(u), int(in))
			f.loads[u]--
			f.loads[in]++
			fallthrough
		default:
			in, p = u, -1
		}
		if u == v {
			return
		}
	}
}
