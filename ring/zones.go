package ring

// zoning is what the zone rule needs to know of the nodes: a preference list is
// ordered by the rank of a node within its own zone first, then by the order
// that the list would have without zones. So every zone gives its first node
// before any gives its second, and a shorter list is the beginning of a longer
// one.
//
// Which places the nodes of one rank take is known beforehand: those of rank k
// come behind all nodes of lower rank, and of these there are as many as the
// sizes of the zones say. A list is therefore filled in one walk, without
// sorting and without remembering nodes that come later.
type zoning struct {
	of     []uint16 // the zone of each node; nil if the rule changes nothing
	levels []int    // levels[k]: nodes whose rank is below k; the last is all nodes
	count  int      // zones
}

// newZoning numbers the zones of nodes in order of appearance. Nodes without a
// zone are in one together. Where every node has a zone of its own the rule changes
// nothing, so that is the same as one zone.
func newZoning(nodes []Node) zoning {
	single := true
	for i := range nodes {
		single = single && nodes[i].Zone == nodes[0].Zone
	}
	if single {
		return zoning{}
	}
	z := zoning{of: make([]uint16, len(nodes))}
	numbers := make(map[string]int)
	var sizes, ranks []int // by zone; ranks[k] counts the nodes of rank k
	for i, n := range nodes {
		zone, ok := numbers[n.Zone]
		if !ok {
			zone = len(numbers)
			numbers[n.Zone] = zone
			sizes = append(sizes, 0)
		}
		z.of[i] = uint16(zone)
		if k := sizes[zone]; k == len(ranks) {
			ranks = append(ranks, 1)
		} else {
			ranks[k]++
		}
		sizes[zone]++
	}
	if len(sizes) == len(nodes) {
		return zoning{}
	}
	z.count = len(sizes)
	z.levels = make([]int, len(ranks)+1)
	for k, n := range ranks {
		z.levels[k+1] = z.levels[k] + n
	}
	return z
}

func (z *zoning) zone(node int) int {
	if z.of == nil {
		return 0
	}
	return int(z.of[node])
}

// narrow is up to which length a preference list is searched for a node by
// looking through it.
const narrow = 8

// offer puts node into its place in list, the first narrow or fewer places of a
// preference list, of which those that are still free hold -1. Nodes are to be
// offered in the order without zones; a node that was offered before changes
// nothing. It tells whether the node got a place.
func (z *zoning) offer(list []int, node int) bool {
	rank := 0
	for _, m := range list {
		if m == node {
			return false
		}
		if m >= 0 && z.of[m] == z.of[node] {
			rank++
		}
	}
	// A node that found no place is not counted in the rank of later ones of its
	// zone; those look for a place on the same level, where none will be free.
	for i := z.levels[rank]; i < min(z.levels[rank+1], len(list)); i++ {
		if list[i] < 0 {
			list[i] = node
			return true
		}
	}
	return false
}
