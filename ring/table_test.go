package ring_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/distkit/distkit/internal/testkit"
	"github.com/distkit/distkit/ring"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func mustTable(t testing.TB, nodes []ring.Node, replicas int, opts ...ring.Option) *ring.Table {
	t.Helper()
	tab, err := ring.NewTable(nodes, replicas, opts...)
	require.NoError(t, err)
	checkTable(t, tab)
	return tab
}

func rebalance(t testing.TB, tab *ring.Table, nodes []ring.Node) *ring.Table {
	t.Helper()
	next, err := tab.Rebalance(nodes)
	require.NoError(t, err)
	checkTable(t, next)
	return next
}

// checkTable holds what every table promises: distinct replicas by the zone rule,
// loads that are the exact shares but for rounding, and as many owned partitions
// as replicas say.
func checkTable(t testing.TB, tab *ring.Table) {
	t.Helper()
	w := problemOf(tab)
	low, high := w.quotas()
	zones := newTwin(1, w.nodes...)
	owned := map[string]int{}
	for p, ids := range sparseOf(tab) {
		require.Len(t, ids, w.copies)
		if w.copies == 0 {
			continue
		}
		require.Len(t, slices.Compact(slices.Sorted(slices.Values(ids))), w.copies, "partition %d: distinct", p)
		require.Equal(t, zones.spread(ids), ids, "partition %d: the zone rule", p)
		owned[ids[0]]++
		counts := map[string]int{}
		for _, id := range ids {
			counts[zones.nodes[id].Zone]++
		}
		require.True(t, fits(counts, w.zones()), "partition %d: %v", p, ids)
	}
	loads := sparseOf(tab).loads()
	for _, n := range w.nodes {
		require.GreaterOrEqual(t, loads[n.ID], low[n.ID], n.ID)
		require.LessOrEqual(t, loads[n.ID], high[n.ID], n.ID)
		require.GreaterOrEqual(t, owned[n.ID], loads[n.ID]/w.copies, n.ID)
		require.LessOrEqual(t, owned[n.ID], (loads[n.ID]+w.copies-1)/w.copies, n.ID)
	}
}

func owners(s sparse) []string {
	var ids []string
	for _, row := range s {
		ids = append(ids, row[0])
	}
	return ids
}

// smallNodes returns 1 to n nodes, few names, weights that floats hold exactly.
func smallNodes(rng *rand.Rand, n, zones int) []ring.Node {
	perm := rng.Perm(n + 2)
	nodes := make([]ring.Node, 1+rng.IntN(n))
	for i := range nodes {
		nodes[i] = ring.Node{ID: fmt.Sprint("n", perm[i]), Weight: []float64{1, 1, 2, 0.5, 8}[rng.IntN(5)]}
		if zones > 0 {
			nodes[i].Zone = fmt.Sprint("z", rng.IntN(zones))
		}
	}
	return nodes
}

// No table that keeps the promises moves fewer replicas: everything is tried.
func TestTableMovesTheFewest(t *testing.T) {
	testkit.NotUnderRace(t)
	rng := rand.New(rand.NewPCG(1, 20))
	for i := range 200 {
		n, zones, replicas := 5, i%4, 1+rng.IntN(4)
		partitions := ring.WithPartitions(1 << rng.IntN(4))
		before := mustTable(t, smallNodes(rng, n, zones), replicas, partitions)
		for range 3 {
			after := rebalance(t, before, smallNodes(rng, n, zones))
			w, was, is := problemOf(after), sparseOf(before), sparseOf(after)
			least := w.leastMoves(was)
			require.Equal(t, least, is.moves(was), "%v to %v", was, is)
			require.Equal(t, least, w.flowMoves(t, was), "the twins agree")
			changes := 0
			for p, id := range owners(is) {
				if owners(was)[p] != id {
					changes++
				}
			}
			require.Equal(t, leastChanges(was, is), changes, "owners")
			before = after
		}
	}
}

// The same for tables too large to try everything, against a textbook flow.
func TestTableAgainstFlow(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 20))
	for i := range 30 {
		n, zones, replicas := 12, i%6, 1+rng.IntN(5)
		before := mustTable(t, smallNodes(rng, n, zones), replicas, ring.WithPartitions(32))
		for range 2 {
			after := rebalance(t, before, smallNodes(rng, n, zones))
			was := sparseOf(before)
			require.Equal(t, problemOf(after).flowMoves(t, was), sparseOf(after).moves(was))
			before = after
		}
	}
}

// Without zones, as many replicas move as nodes that left had, or that others have
// too many, or else as nodes have too few: a node that joins takes its share.
func TestTableMovesTheIdeal(t *testing.T) {
	before := mustTable(t, nodesIn(15, 0), 3)
	for _, c := range []struct{ n, ideal int }{{16, 4096 * 3 / 16}, {14, 4096 * 3 / 15}, {30, 4096 * 3 / 2}} {
		after := rebalance(t, before, nodesIn(c.n, 0))
		moved := sparseOf(after).moves(sparseOf(before))
		low, high := problemOf(after).quotas()
		was, tooMany, tooFew := sparseOf(before).loads(), 0, 0
		for id, load := range was {
			tooMany += max(0, load-high[id]) // high is 0 for those that left
		}
		for id := range low {
			tooFew += max(0, low[id]-was[id])
		}
		assert.Equal(t, max(tooMany, tooFew), moved)
		assert.InDelta(t, c.ideal, moved, float64(c.n)/2, "%d nodes", c.n)
	}
}

func TestTableIsAFunctionOfItsHistory(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 20))
	steps := [][]ring.Node{nodesIn(10, 3), nodesIn(12, 4), nodesIn(7, 2), nodesIn(30, 3)}
	play := func() []byte {
		tab := mustTable(t, nil, 3, ring.WithPartitions(512))
		for _, nodes := range steps {
			rng.Shuffle(len(nodes), func(i, j int) { nodes[i], nodes[j] = nodes[j], nodes[i] })
			tab = rebalance(t, tab, nodes)
		}
		return marshalTable(t, tab)
	}
	assert.Equal(t, play(), play(), "the order of nodes does not matter")

	// The same members by another way are another table, as good as this one.
	direct := mustTable(t, steps[3], 3, ring.WithPartitions(512))
	assert.NotEqual(t, marshalTable(t, direct), play())
}

func TestTableVersions(t *testing.T) {
	tab := mustTable(t, nodesIn(5, 0), 2, ring.WithPartitions(64))
	assert.EqualValues(t, 1, tab.Version())
	assert.Same(t, tab, rebalance(t, tab, nodesIn(5, 0)), "nothing to do")
	for v := uint64(2); v < 6; v++ {
		tab = rebalance(t, tab, nodesIn(4+int(v), 0))
		assert.Equal(t, v, tab.Version())
	}
	var decoded ring.Table
	require.NoError(t, decoded.UnmarshalBinary(marshalTable(t, tab)))
	next := rebalance(t, &decoded, nodesIn(4, 0))
	assert.EqualValues(t, 6, next.Version())
	assert.Equal(t, marshalTable(t, rebalance(t, tab, nodesIn(4, 0))), marshalTable(t, next), "a decoded table goes on as the other does")
}

func TestTablePartitions(t *testing.T) {
	for _, n := range []int{1, 2, 8, 4096} {
		tab := mustTable(t, nodesIn(3, 0), 2, ring.WithPartitions(n))
		require.Equal(t, n, tab.Partitions())
		require.Equal(t, 2, tab.Replicas())
		for p := range n {
			r := tab.Range(p)
			for _, h := range []uint64{r.Start + 1, r.End} {
				require.Equal(t, p, tab.Partition(h))
				require.True(t, r.Contains(h))
				require.Equal(t, tab.AppendReplicas(nil, p)[0], tab.Locate(h))
				require.Equal(t, tab.AppendReplicas(nil, p), tab.AppendLocate(nil, h, 2))
			}
			if n > 1 {
				require.False(t, r.Contains(r.Start) || r.Contains(r.End+1))
			}
		}
		assert.Zero(t, tab.Partition(0))
		assert.Equal(t, n-1, tab.Partition(math.MaxUint64))
		for _, p := range []int{-1, n, math.MaxInt} {
			assert.Empty(t, tab.AppendReplicas(nil, p))
			assert.Zero(t, tab.Range(p))
		}
	}
}

// With fewer nodes than replicas, all hold everything; when there are enough,
// replicas come back.
func TestTableOfFewNodes(t *testing.T) {
	tab := mustTable(t, nil, 3, ring.WithPartitions(32))
	assert.Equal(t, -1, tab.Locate(5))
	assert.Empty(t, tab.AppendReplicas(nil, 3))
	for _, n := range []int{1, 2, 3, 4, 2, 0, 4} {
		before := sparseOf(tab)
		tab = rebalance(t, tab, nodesIn(n, 2))
		for p, ids := range sparseOf(tab) {
			require.Len(t, ids, min(n, 3))
			if n <= 3 {
				for _, id := range before[p] {
					_, there := tab.Lookup(id)
					require.Equal(t, there, slices.Contains(ids, id))
				}
			}
		}
	}
}

// Weights as far apart as floats go: shares are exact, and nothing overflows.
func TestTableExtremeWeights(t *testing.T) {
	for _, weights := range [][]float64{
		{math.MaxFloat64, math.MaxFloat64, math.SmallestNonzeroFloat64},
		{1e-300, 1, 1e300, 1e300},
		{1, 1 + 0x1p-52, 1 - 0x1p-53},
		{3, 1e-9, 1e-9, 1e-9, 1e-9},
	} {
		for _, zones := range []int{0, 2} {
			nodes := nodesIn(len(weights), zones)
			for i, w := range weights {
				nodes[i].Weight = w
			}
			for replicas := 1; replicas <= len(nodes); replicas++ {
				tab, err := ring.NewTable(nodes, replicas, ring.WithPartitions(64))
				require.NoError(t, err)
				total := 0
				for _, load := range sparseOf(tab).loads() {
					require.LessOrEqual(t, load, 64)
					total += load
				}
				require.Equal(t, 64*replicas, total)
			}
		}
	}
	// 2:1:1 of 64 partitions, each with two replicas in two of three zones.
	nodes := []ring.Node{{ID: "a", Weight: 2, Zone: "x"}, {ID: "b", Weight: 1, Zone: "y"}, {ID: "c", Weight: 1, Zone: "z"}}
	assert.Equal(t, map[string]int{"a": 64, "b": 32, "c": 32}, sparseOf(mustTable(t, nodes, 2, ring.WithPartitions(64))).loads())
	// Seven times the weight cannot hold more than one replica of each.
	nodes[0].Weight = 7
	assert.Equal(t, map[string]int{"a": 64, "b": 32, "c": 32}, sparseOf(mustTable(t, nodes, 2, ring.WithPartitions(64))).loads())
	// Two zones and two replicas: each zone holds all, whatever it weighs.
	nodes[0].Weight, nodes[2].Zone = 1, "y"
	assert.Equal(t, map[string]int{"a": 64, "b": 32, "c": 32}, sparseOf(mustTable(t, nodes, 2, ring.WithPartitions(64))).loads())
}

// When a node fails, all others share its work: the second replicas of what it
// owns are on all of them, in equal parts but for chance.
func TestTableHeirsAreAllOthers(t *testing.T) {
	tab := mustTable(t, nodesIn(17, 0), 3)
	for _, n := range []int{16, 20, 19} {
		tab = rebalance(t, tab, nodesIn(n, 0))
	}
	counts := make([]int, 18)
	for p := range tab.Partitions() {
		row := tab.AppendReplicas(nil, p)
		if row[0] != 18 { // pairs (owner, heir) along the circle of IDs
			counts[(row[1]-row[0]+19)%19-1]++
		}
	}
	mean := 4096. * 18 / 19 / 18
	for distance, n := range counts {
		assert.InDelta(t, mean, n, 5*math.Sqrt(mean), "heirs %d further on", distance+1)
	}
}

func TestTableErrors(t *testing.T) {
	for replicas, want := range map[int]string{0: "ring: replicas is 0, want 1 to 65536", -2: "ring: replicas is -2, want 1 to 65536", 65537: "ring: replicas is 65537, want 1 to 65536"} {
		_, err := ring.NewTable(nil, replicas)
		assert.EqualError(t, err, want)
	}
	for _, n := range []int{-1, 0, 3, 12, 1 << 21} {
		_, err := ring.NewTable(nil, 1, ring.WithPartitions(n))
		assert.EqualError(t, err, fmt.Sprintf("ring: partitions is %d, want a power of two up to 1048576", n))
	}
	_, err := ring.NewTable(nodesIn(65, 0), 65, ring.WithPartitions(1<<20))
	assert.ErrorIs(t, err, ring.ErrTooManyNodes)
	assert.EqualError(t, err, "ring: too many nodes: 68157440 replicas in all, want at most 67108864")
	tab := mustTable(t, ring.Nodes("a"), 1)
	for _, c := range []struct {
		nodes []ring.Node
		want  error
	}{
		{ring.Nodes("a", "b", "a"), ring.ErrDuplicateNode},
		{ring.Nodes(""), ring.ErrInvalidNode},
		{[]ring.Node{{ID: "a", Weight: -1}}, ring.ErrInvalidNode},
		{make([]ring.Node, 1<<16+1), ring.ErrTooManyNodes},
	} {
		_, err := ring.NewTable(c.nodes, 1)
		assert.ErrorIs(t, err, c.want)
		_, err = tab.Rebalance(c.nodes)
		assert.ErrorIs(t, err, c.want)
	}
	assert.PanicsWithValue(t, "ring: Rebalance of a zero Table: make it by NewTable", func() { _, _ = new(ring.Table).Rebalance(nil) })
}

// Bounded works over a table as over any Locator.
func TestBoundedOverATable(t *testing.T) {
	b, err := ring.NewBounded(mustTable(t, nodesIn(5, 0), 2), 1.25)
	require.NoError(t, err)
	for range 100 {
		_, ok := b.Acquire(1 << 60)
		require.True(t, ok)
	}
	for i := range 5 {
		assert.LessOrEqual(t, b.Load(nodesIn(5, 0)[i].ID), int64(25))
	}
}
