package ring

import "slices"

// assignment is which nodes hold the replicas of each partition, in the making.
// It follows the zone rule at every step, so that what [flow] is left with are
// loads and moves.
type assignment struct {
	zones  *zoning
	byZone [][]int32 // nodes
	spans  []span    // by zone
	copies int
	rows   []int32 // of each partition, copies nodes
	before []int32 // of each partition, width nodes that held it: new indices, or -1 for those that are gone
	width  int
	*flow

	heads, counts []int   // scratch, by place in a row: the first place of the same zone, and how many it has
	parts         []int   // scratch: partitions that are worth entering
	places        [][]int // scratch, by zone: places that are
}

// assign returns the cells of next, whose membership is known, with the fewest
// moves from before's.
func assign(before, next *Table) []uint16 {
	a := newAssignment(before, next)
	a.fill(before.version)
	a.minimize()
	return a.arrange(a.lead())
}

// arrange returns all rows in the order of the zone rule: the owner first, then
// those that stay, in their old order, then those that are new.
func (a *assignment) arrange(owners []int32) []uint16 {
	cells := make([]uint16, len(a.rows))
	p := borrowPlaces(a.zones, len(a.loads))
	for i, owner := range owners {
		row := cells[i*a.copies : (i+1)*a.copies]
		put := func(node int32) {
			if at := p.offer(int(node)); at >= 0 { // else it is there already
				row[at] = uint16(node)
			}
		}
		p.reset()
		put(owner)
		for _, node := range a.held(i) {
			if node >= 0 && slices.Contains(a.row(i), node) {
				put(node)
			}
		}
		for _, node := range a.row(i) {
			put(node)
		}
	}
	p.giveBack()
	return cells
}

func newAssignment(before, next *Table) *assignment {
	zones, copies, partitions := &next.rest.zones, next.copies, next.Partitions()
	a := &assignment{
		zones: zones, spans: zones.spans(copies), copies: copies, width: before.copies,
		rows: make([]int32, copies*partitions), before: make([]int32, len(before.cells)),
		heads: make([]int, copies), counts: make([]int, copies),
	}
	renamed := make([]int32, before.Len())
	for i, n := range before.rest.nodes {
		renamed[i] = -1
		if j, found := search(next.rest.nodes, n.ID); found {
			renamed[i] = int32(j)
		}
	}
	for k, i := range before.cells {
		a.before[k] = renamed[i]
	}
	a.byZone, a.places = make([][]int32, len(a.spans)), make([][]int, len(a.spans))
	for i := range next.Len() {
		zone := zones.zone(i)
		a.byZone[zone] = append(a.byZone[zone], int32(i))
	}
	quotas := quotas(next.rest.nodes, zones, a.spans, partitions, copies)
	a.flow = newFlow(a, make([]int, next.Len()), quotas, partitions*(1+copies))
	return a
}

func (a *assignment) partitions() int { return len(a.rows) / a.copies }

func (a *assignment) row(p int) []int32 { return a.rows[p*a.copies : (p+1)*a.copies] }

func (a *assignment) held(p int) []int32 { return a.before[p*a.width : (p+1)*a.width] }

// The vertices behind the hub are every partition, and then every place. A place
// stands for its zone in its partition; of several of one zone, the first does.
// Nodes that are exchanged within a zone pass its place only; others go from
// place to partition if their zone can give one, and from there to one that can
// take one.

func (a *assignment) part(p int) int { return a.hub() + 1 + p }

func (a *assignment) place(p, k int) int { return a.hub() + 1 + a.partitions() + p*a.copies + k }

func (a *assignment) partitionOf(vertex int) int {
	if v := vertex - a.part(0); v < a.partitions() {
		return v
	}
	return (vertex - a.place(0, 0)) / a.copies
}

// canExchange tells whether node in may take the place of node out in partition p.
func (a *assignment) canExchange(p, out, in int) bool {
	row := a.row(p)
	if !slices.Contains(row, int32(out)) || slices.Contains(row, int32(in)) {
		return false
	}
	from, to := a.zones.zone(out), a.zones.zone(in)
	if from == to {
		return true
	}
	given, taken := 0, 0
	for _, i := range row {
		switch a.zones.zone(int(i)) {
		case from:
			given++
		case to:
			taken++
		}
	}
	return given > a.spans[from].low && taken < a.spans[to].high
}

// costs returns by how many moves there are more when node in takes the place of
// node out in partition p.
func (a *assignment) costs(p, out, in int) (moves int) {
	if slices.Contains(a.held(p), int32(out)) {
		moves++
	}
	if slices.Contains(a.held(p), int32(in)) {
		moves--
	}
	return moves
}

// exchange puts node in for node out in partition p.
func (a *assignment) exchange(p, out, in int) {
	row := a.row(p)
	row[slices.Index(row, int32(out))] = int32(in)
}

// relax shortens paths by the arcs of all partitions.
func (a *assignment) relax() (shorter bool) {
	a.parts = a.parts[:0]
	for z := range a.places {
		a.places[z] = a.places[z][:0]
	}
	for p := range a.partitions() {
		a.survey(p)
		shorter = a.leave(p) || shorter
		shorter = a.comeBack(p) || shorter
	}
	shorter = a.enterZones() || shorter
	return a.enterPlaces() || shorter
}

// survey notes which places of p are of one zone.
func (a *assignment) survey(p int) {
	row := a.row(p)
	for k, i := range row {
		head, zone := 0, a.zones.zone(int(i))
		for a.zones.zone(int(row[head])) != zone {
			head++
		}
		a.heads[k] = head
		a.counts[k] = 0
		a.counts[head]++
	}
}

// leave shortens paths by the arcs of nodes that leave partition p, at the cost
// of a move if they held it before, and by those between its zones.
func (a *assignment) leave(p int) (shorter bool) {
	row, part := a.row(p), a.part(p)
	for k, i := range row {
		cost := int64(0)
		if slices.Contains(a.held(p), i) {
			cost = 1
		}
		shorter = a.shorten(int(i), a.place(p, a.heads[k]), cost) || shorter
	}
	for k, n := range a.counts {
		if n > a.spans[a.zones.zone(int(row[k]))].low {
			shorter = a.shorten(a.place(p, k), part, 0) || shorter
		}
	}
	for k, n := range a.counts {
		zone := a.zones.zone(int(row[k]))
		if n > 0 && n < a.spans[zone].high {
			shorter = a.shorten(part, a.place(p, k), 0) || shorter
		}
		// All labels begin at 0, so only what is below can lower those of nodes.
		if n > 0 && a.dist[a.place(p, k)] < 0 {
			a.places[zone] = append(a.places[zone], a.place(p, k))
		}
	}
	if a.dist[part] < 0 {
		a.parts = append(a.parts, p)
	}
	return shorter
}

// comeBack shortens paths by the arcs of nodes that held p before and enter it
// again, which saves a move.
func (a *assignment) comeBack(p int) (shorter bool) {
	row := a.row(p)
	for _, j := range a.held(p) {
		if j < 0 || slices.Contains(row, j) {
			continue
		}
		from := a.part(p)
		if k := a.find(row, a.zones.zone(int(j))); k >= 0 {
			from = a.place(p, k)
		}
		shorter = a.shorten(from, int(j), -1) || shorter
	}
	return shorter
}

// find returns the first place of a row that is of that zone, or -1.
func (a *assignment) find(row []int32, zone int) int {
	return slices.IndexFunc(row, func(i int32) bool { return i >= 0 && a.zones.zone(int(i)) == zone })
}

// enterZones shortens paths by the arcs of nodes that enter a partition that had
// none of their zone. The best partition does for nearly all nodes.
func (a *assignment) enterZones() (shorter bool) {
	best := a.nearest(func(int) bool { return true })
	if best < 0 {
		return false
	}
	for zone, nodes := range a.byZone {
		p := best
		if a.find(a.row(best), zone) >= 0 {
			p = a.nearest(func(p int) bool { return a.find(a.row(p), zone) < 0 })
		}
		if p < 0 {
			continue
		}
		for _, i := range nodes {
			shorter = a.shorten(a.part(p), int(i), 0) || shorter
		}
	}
	return shorter
}

// nearest returns which of the partitions worth entering that are suitable has
// the lowest label, or -1.
func (a *assignment) nearest(suitable func(p int) bool) int {
	best := -1
	for _, p := range a.parts {
		if (best < 0 || a.dist[a.part(p)] < a.dist[a.part(best)]) && suitable(p) {
			best = p
		}
	}
	return best
}

// enterPlaces shortens paths by the arcs of nodes that enter a partition for one
// of their zone that leaves, or for one of another zone. Again the best place
// does, but for the few nodes that are in its partition.
func (a *assignment) enterPlaces() (shorter bool) {
	for zone, places := range a.places {
		best := a.lowest(places, -1)
		if best < 0 {
			continue
		}
		row := a.row(a.partitionOf(best))
		for _, i := range a.byZone[zone] {
			from := best
			if slices.Contains(row, i) {
				if from = a.lowest(places, i); from < 0 {
					continue
				}
			}
			shorter = a.shorten(from, int(i), 0) || shorter
		}
	}
	return shorter
}

// lowest returns which of places, in partitions that node is not in, has the
// lowest label, or -1.
func (a *assignment) lowest(places []int, node int32) int {
	best := -1
	for _, v := range places {
		if (best < 0 || a.dist[v] < a.dist[best]) && !slices.Contains(a.row(a.partitionOf(v)), node) {
			best = v
		}
	}
	return best
}
