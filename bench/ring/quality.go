package ring

import (
	"math"
	"math/rand/v2"

	"github.com/distkit/distkit/bench/bar"
	"github.com/distkit/distkit/internal/testkit"
	"github.com/distkit/distkit/ring"
)

// sizes are the bounds on memory, as parts of what peers take.
func sizes() []bar.Figure {
	const n = 100
	ours := func() any { return newRing(n) }
	part := func(peer func() any) func() float64 {
		return func() float64 { return float64(testkit.LiveBytes(ours)) / float64(testkit.LiveBytes(peer)) }
	}
	return []bar.Figure{
		{Name: "Memory/n=100", Unit: "B/node", Limit: 0.8 * 9512, Measure: func() float64 { return float64(testkit.LiveBytes(ours)) / n }},
		{Name: "Memory/n=100/stathat", Unit: "x", Limit: 0.8, Measure: part(func() any { return newStathat(n) })},
		{Name: "Memory/n=100/authzed", Unit: "x", Limit: 0.13, Measure: part(func() any { return newAuthzed(n) })},
		{Name: "Memory/n=100/serialx", Unit: "x", Limit: 0.4, Measure: part(func() any { return newSerialx(n) })},
		{Name: "Maglev build memory/n=100/kkdai", Unit: "x", Limit: 0.01, Measure: func() float64 {
			mine := testkit.AllocatedBytes(func() { check(ring.NewMaglev(ring.Nodes(nodeNames(n)...))) })
			return float64(mine) / float64(testkit.AllocatedBytes(func() { newKkdai(n) }))
		}},
	}
}

// quality is what does not depend on the machine: balance and movement.
func quality() []bar.Figure {
	tolerant := func(n int) *ring.Ring { return newRing(n, ring.WithVirtualNodes(512), ring.WithTolerance(0.05)) }
	movement := func(moved bool) func() float64 {
		return func() float64 {
			all, stray := moves(tolerant(100), check(tolerant(100).Add(ring.Node{ID: nodeName(100)})), nodeName(100))
			if moved {
				return all * 101
			}
			return stray
		}
	}
	figures := []bar.Figure{
		{Name: "Stray/add, remove and weight", Unit: "of the circle", Limit: 0, Measure: func() float64 {
			r := newRing(100)
			_, add := moves(r, check(r.Add(ring.Node{ID: "new"})), "new")
			_, remove := moves(r, check(r.Remove(nodeName(7))), nodeName(7))
			_, weight := moves(r, check(r.Update(ring.Node{ID: nodeName(7), Weight: 1.5})), nodeName(7))
			return add + remove + weight
		}},
		{Name: "Spread of shares against the formula", Unit: "standard errors", Limit: 4, Measure: spread},
		{Name: "Tolerance 5 %/n=100/largest deviation", Unit: "%", Limit: 5, Measure: func() float64 {
			r, worst := tolerant(100), 0.0
			for i := range r.Len() {
				worst = max(worst, math.Abs(100*r.Share(r.Node(i).ID, 1)-1))
			}
			return 100 * worst
		}},
		{Name: "Tolerance 5 %/n=100/stray", Unit: "of the circle", Limit: 0.004, Measure: movement(false)},
		{Name: "Tolerance 5 %/n=100/moved", Unit: "x ideal", Limit: 1.4, Measure: movement(true)},
	}
	return figures
}

// moves returns which part of the circle changes owner, and which part does so
// between other nodes than id.
func moves(before, after *ring.Ring, id string) (all, stray float64) {
	for m := range check(ring.Moves(before, after, 1)) {
		part := float64(m.Range.End-m.Range.Start) / math.Exp2(64)
		all += part
		if m.From[0] != id && m.To[0] != id {
			stray += part
		}
	}
	return all, stray
}

// spread returns the largest distance of the standard deviation of shares from
// the formula, over many sets of nodes, in standard errors.
func spread() float64 {
	const sets = 20
	rng := rand.New(rand.NewPCG(3, 3))
	worst := 0.0
	for _, c := range []struct{ n, v int }{{10, 160}, {100, 40}, {100, 512}} {
		sum := 0.0
		for range sets {
			ids := make([]string, c.n)
			for i := range ids {
				ids[i] = nodeName(int(rng.Uint32()))
			}
			r := check(ring.New(ring.Nodes(ids...), ring.WithVirtualNodes(c.v)))
			for _, id := range ids {
				d := r.Share(id, 1)*float64(c.n) - 1
				sum += d * d
			}
		}
		n, v := float64(c.n), float64(c.v)
		variance, want := sum/(n*sets), (n-1)/(n*v+1)
		worst = max(worst, math.Abs(variance/want-1)/math.Sqrt(2/((n-1)*sets)))
	}
	return worst
}
