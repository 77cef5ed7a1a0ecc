package ring_test

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/distkit/distkit/ring"
	"github.com/stretchr/testify/require"
)

// The slow and obvious twins of Table: shares by bisection, the fewest moves by
// trying everything, and by a textbook flow over a network that is written out.

// sparse is a table as the twins see it: of each partition the IDs that hold it.
type sparse [][]string

func sparseOf(tab *ring.Table) sparse {
	s := make(sparse, tab.Partitions())
	for p := range s {
		s[p] = idsAt(tab, tab.AppendReplicas(nil, p))
	}
	return s
}

func (s sparse) loads() map[string]int {
	loads := map[string]int{}
	for _, ids := range s {
		for _, id := range ids {
			loads[id]++
		}
	}
	return loads
}

// moves counts the replicas whose node did not hold the partition before.
func (s sparse) moves(before sparse) (n int) {
	for p, ids := range s {
		for _, id := range ids {
			if !slices.Contains(before[p], id) {
				n++
			}
		}
	}
	return n
}

// problem is what a table has to solve.
type problem struct {
	nodes              []ring.Node // sorted by ID, weights not 0
	partitions, copies int
}

func problemOf(tab *ring.Table) problem {
	w := problem{partitions: tab.Partitions(), copies: min(tab.Replicas(), tab.Len())}
	for i := range tab.Len() {
		w.nodes = append(w.nodes, tab.Node(i))
	}
	return w
}

func (w problem) zones() map[string]int {
	sizes := map[string]int{}
	for _, n := range w.nodes {
		sizes[n.Zone]++
	}
	return sizes
}

// fits tells whether zones with so many replicas of a partition differ by at most
// one, but for those that are exhausted.
func fits(counts, sizes map[string]int) bool {
	most := 0
	for _, n := range counts {
		most = max(most, n)
	}
	for zone, size := range sizes {
		if counts[zone] > size || counts[zone] < size && counts[zone] < most-1 {
			return false
		}
	}
	return true
}

// spans returns how few and how many replicas of a partition each zone can have.
func (w problem) spans() (low, high map[string]int) {
	sizes := w.zones()
	low, high = map[string]int{}, map[string]int{}
	var zones []string
	for zone := range sizes {
		zones = append(zones, zone)
		low[zone] = w.copies
	}
	counts := map[string]int{}
	var try func(k, left int)
	try = func(k, left int) {
		if k == len(zones) {
			if left == 0 && fits(counts, sizes) {
				for _, zone := range zones {
					low[zone], high[zone] = min(low[zone], counts[zone]), max(high[zone], counts[zone])
				}
			}
			return
		}
		for n := range min(left, sizes[zones[k]]) + 1 {
			counts[zones[k]] = n
			try(k+1, left-n)
		}
		counts[zones[k]] = 0
	}
	try(0, w.copies)
	return low, high
}

// bisect returns where f, which does not fall, reaches target.
func bisect(f func(float64) float64, target float64) float64 {
	lo, hi := 0.0, 1.0
	for f(hi) < target && hi < 1e300 {
		hi *= 2
	}
	for {
		mid := lo + (hi-lo)/2
		if mid == lo || mid == hi {
			return hi
		}
		if f(mid) < target {
			lo = mid
		} else {
			hi = mid
		}
	}
}

// quotas returns between which loads each node's share lies. Where weights are
// multiples of 1/16, a share that is nearly whole is whole; others, such as 0.3,
// are not what they look like, and may have it a little above or below.
func (w problem) quotas() (low, high map[string]int) {
	full := float64(w.partitions)
	zoneLow, zoneHigh := w.spans()
	sum := func(zone string) func(level float64) float64 {
		return func(level float64) (sum float64) {
			for _, n := range w.nodes {
				if n.Zone == zone {
					sum += min(full, n.Weight*level)
				}
			}
			return sum
		}
	}
	held := func(zone string, level float64) float64 {
		return max(full*float64(zoneLow[zone]), min(sum(zone)(level), full*float64(zoneHigh[zone])))
	}
	level := bisect(func(level float64) (all float64) {
		for zone := range zoneLow {
			all += held(zone, level)
		}
		return all
	}, full*float64(w.copies))
	own := map[string]float64{}
	for zone := range zoneLow {
		own[zone] = bisect(sum(zone), held(zone, level))
	}
	slack := 1e-6
	for _, n := range w.nodes {
		if n.Weight*16 != math.Trunc(n.Weight*16) {
			slack = -1e-6
		}
	}
	low, high = map[string]int{}, map[string]int{}
	for _, n := range w.nodes {
		share := min(full, n.Weight*own[n.Zone])
		low[n.ID], high[n.ID] = int(math.Floor(share+slack)), int(math.Ceil(share-slack))
	}
	return low, high
}

// rows returns all sets of nodes that can hold a partition.
func (w problem) rows() (rows [][]int) {
	sizes, counts := w.zones(), map[string]int{}
	var row []int
	var try func(next int)
	try = func(next int) {
		if len(row) == w.copies {
			if fits(counts, sizes) {
				rows = append(rows, slices.Clone(row))
			}
			return
		}
		for i := next; i < len(w.nodes); i++ {
			row = append(row, i)
			counts[w.nodes[i].Zone]++
			try(i + 1)
			counts[w.nodes[i].Zone]--
			row = row[:len(row)-1]
		}
	}
	try(0)
	return rows
}

// leastMoves tries all tables that keep the quotas, partition by partition: for
// all loads that the partitions so far can come to, it keeps the fewest moves.
func (w problem) leastMoves(before sparse) int {
	low, high := w.quotas()
	rows := w.rows()
	states := map[string]int{string(make([]byte, len(w.nodes))): 0}
	for p := range w.partitions {
		next := map[string]int{}
		for loads, moves := range states {
			for _, row := range rows {
				b, m := []byte(loads), moves
				for _, i := range row {
					b[i]++
					if !slices.Contains(before[p], w.nodes[i].ID) {
						m++
					}
				}
				if best, ok := next[string(b)]; !ok || m < best {
					next[string(b)] = m
				}
			}
		}
		states = next
	}
	least := math.MaxInt
	for loads, moves := range states {
		ok := true
		for i, n := range w.nodes {
			ok = ok && low[n.ID] <= int(loads[i]) && int(loads[i]) <= high[n.ID]
		}
		if ok {
			least = min(least, moves)
		}
	}
	return least
}

// leastChanges tries all ways to choose owners within bounds, and returns the
// fewest partitions whose owner is not the one before.
func leastChanges(before, after sparse) int {
	loads := after.loads()
	var ids []string
	for id := range loads {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	states := map[string]int{string(make([]byte, len(ids))): 0}
	for p, row := range after {
		next := map[string]int{}
		for owned, changes := range states {
			for _, id := range row {
				b, c := []byte(owned), changes
				b[slices.Index(ids, id)]++
				if len(before[p]) == 0 || before[p][0] != id {
					c++
				}
				if best, ok := next[string(b)]; !ok || c < best {
					next[string(b)] = c
				}
			}
		}
		states = next
	}
	least := math.MaxInt
	for owned, changes := range states {
		ok := true
		for i, id := range ids {
			copies := len(after[0])
			ok = ok && loads[id]/copies <= int(owned[i]) && int(owned[i]) <= (loads[id]+copies-1)/copies
		}
		if ok {
			least = min(least, changes)
		}
	}
	return least
}

// network is a flow network whose arcs come in pairs, forth and back.
type network struct {
	to, room, cost []int
	out            [][]int
}

// arc adds an arc that carries at most room, of which it must carry least: that
// part is so cheap that every best flow fills it.
func (g *network) arc(from, to, least, room, cost int) {
	const must = 1_000_000
	for _, part := range [][2]int{{least, cost - must}, {room - least, cost}} {
		for _, half := range [][4]int{{from, to, part[0], part[1]}, {to, from, 0, -part[1]}} {
			for len(g.out) <= max(from, to) {
				g.out = append(g.out, nil)
			}
			g.out[half[0]] = append(g.out[half[0]], len(g.to))
			g.to, g.room, g.cost = append(g.to, half[1]), append(g.room, half[2]), append(g.cost, half[3])
		}
	}
}

// fill sends as much as it can from vertex 0 to vertex 1 along shortest paths, one
// unit at a time.
func (g *network) fill() (sent int) {
	for {
		dist, via := make([]int, len(g.out)), make([]int, len(g.out))
		for v := range dist {
			dist[v], via[v] = math.MaxInt/2, -1
		}
		dist[0] = 0
		for queue := []int{0}; len(queue) > 0; queue = queue[1:] {
			u := queue[0]
			for _, a := range g.out[u] {
				if d := dist[u] + g.cost[a]; g.room[a] > 0 && d < dist[g.to[a]] {
					dist[g.to[a]], via[g.to[a]] = d, a
					queue = append(queue, g.to[a])
				}
			}
		}
		if via[1] < 0 {
			return sent
		}
		for v := 1; v != 0; v = g.to[via[v]^1] {
			g.room[via[v]]--
			g.room[via[v]^1]++
		}
		sent++
	}
}

// flowMoves returns the fewest moves by a minimum-cost flow.
func (w problem) flowMoves(t *testing.T, before sparse) (moves int) {
	low, high := w.quotas()
	zoneLow, zoneHigh := w.spans()
	var g network
	vertices := map[string]int{"source": 0, "sink": 1}
	vertex := func(name string, args ...any) int {
		name = fmt.Sprintf(name, args...)
		if _, ok := vertices[name]; !ok {
			vertices[name] = len(vertices)
		}
		return vertices[name]
	}
	var moving []int
	for p := range w.partitions {
		g.arc(0, vertex("p%d", p), 0, w.copies, 0)
		for zone := range zoneLow {
			g.arc(vertex("p%d", p), vertex("p%d zone %q", p, zone), zoneLow[zone], zoneHigh[zone], 0)
		}
		for _, n := range w.nodes {
			cost := 0
			if !slices.Contains(before[p], n.ID) {
				cost = 1
				moving = append(moving, len(g.to)+2)
			}
			g.arc(vertex("p%d zone %q", p, n.Zone), vertex("node %q", n.ID), 0, 1, cost)
		}
	}
	for _, n := range w.nodes {
		g.arc(vertex("node %q", n.ID), 1, low[n.ID], high[n.ID], 0)
	}
	require.Equal(t, w.partitions*w.copies, g.fill())
	for _, a := range moving {
		moves += 1 - g.room[a]
	}
	return moves
}
