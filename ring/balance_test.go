package ring_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/distkit/distkit/internal/testkit"
	"github.com/distkit/distkit/ring"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// deviation returns how far the worst node is from its fair share, relatively.
func deviation(r *ring.Ring) float64 {
	sum, worst := 0.0, 0.0
	for i := range r.Len() {
		sum += r.Node(i).Weight
	}
	for i, s := range sharesOf(r) {
		worst = max(worst, math.Abs(s*sum/r.Node(i).Weight-1))
	}
	return worst
}

func TestToleranceHoldsEveryShare(t *testing.T) {
	testkit.NotUnderRace(t)
	rng := rand.New(rand.NewPCG(1, 18))
	for _, n := range []int{2, 3, 10, 100, 300} {
		for _, eps := range []float64{0.1, 0.05, 0.02} {
			nodes := ring.Nodes(names(n)...)
			assert.LessOrEqual(t, deviation(mustNew(t, nodes, ring.WithTolerance(eps))), eps, "%d nodes", n)
			for i := range nodes {
				nodes[i].Weight = 0.5 + 2*rng.Float64()
			}
			assert.LessOrEqual(t, deviation(mustNew(t, nodes, ring.WithTolerance(eps))), eps, "%d nodes with weights", n)
		}
	}
	assert.Greater(t, deviation(mustNew(t, ring.Nodes(names(100)...))), 0.08, "what it is without")
}

// movement returns which part of the circle changes owner between two rings, and
// which part does so between nodes other than id.
func movement(t *testing.T, before, after *ring.Ring, id string) (all, stray float64) {
	t.Helper()
	moves, err := ring.Moves(before, after, 1)
	require.NoError(t, err)
	for m := range moves {
		part := float64(m.Range.End-m.Range.Start) / (1 << 64)
		all += part
		if m.From[0] != id && m.To[0] != id {
			stray += part
		}
	}
	return all, stray
}

// The price of balance is that some keys move between nodes that stay.
func TestToleranceMovesLittleMore(t *testing.T) {
	for _, c := range []struct {
		n                 int
		eps, moved, stray float64 // limits: times the ideal, part of the circle
	}{{10, 0.05, 1.2, 0.010}, {100, 0.10, 1.2, 0.002}, {100, 0.05, 1.4, 0.004}, {100, 0.02, 1.6, 0.006}, {300, 0.05, 1.7, 0.003}} {
		before := mustNew(t, ring.Nodes(names(c.n)...), ring.WithTolerance(c.eps))
		joined, err := before.Add(ring.Nodes("new")...)
		require.NoError(t, err)
		all, stray := movement(t, before, joined, "new")
		assert.LessOrEqual(t, all*float64(c.n+1), c.moved, "%+v", c)
		assert.LessOrEqual(t, stray, c.stray, "%+v", c)
	}
}

// The ring is a function of the membership: no order, no history.
func TestToleranceHasNoHistory(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 18))
	opts := []ring.Option{ring.WithTolerance(0.05), ring.WithVirtualNodes(100)}
	w := newTwin(100, randomNodes(rng, 12, 3)...)
	r := mustNew(t, w.members(), opts...)
	for range 6 {
		r = randomChange(t, rng, w, r)
		nodes := w.members()
		rng.Shuffle(len(nodes), func(i, j int) { nodes[i], nodes[j] = nodes[j], nodes[i] })
		fresh := mustNew(t, nodes, opts...)
		require.Equal(t, fresh.Fingerprint(), r.Fingerprint())
		require.Equal(t, ring.Layout(fresh), ring.Layout(r))
	}
}

// All else is an ordinary ring, which a twin can check from the tokens.
func TestToleranceIsAnOrdinaryRing(t *testing.T) {
	nodes := ring.Nodes(names(20)...)
	for i := range nodes {
		nodes[i].Zone = fmt.Sprint(i % 3)
	}
	r := mustNew(t, nodes, ring.WithTolerance(0.05), ring.WithVirtualNodes(60))
	w := newTwin(60, nodes...)
	w.tokens = func(dst []uint64, n ring.Node, _ int) []uint64 {
		for token, m := range r.Tokens() {
			if m.ID == n.ID {
				dst = append(dst, token)
			}
		}
		return dst
	}
	checkRing(t, w, r)
}

func TestToleranceOfForeignTokens(t *testing.T) {
	r := mustNew(t, ring.Nodes(names(20)...), ring.WithTokens(ring.EnvoyTokens), ring.WithTolerance(0.05))
	assert.LessOrEqual(t, deviation(r), 0.05)
	// A function that does not give more tokens for a larger count cannot be
	// balanced, and is left as it is.
	fixed := func(dst []uint64, n ring.Node, _ int) []uint64 { return ring.EnvoyTokens(dst, n, 20) }
	plain := mustNew(t, ring.Nodes(names(5)...), ring.WithTokens(fixed))
	r = mustNew(t, ring.Nodes(names(5)...), ring.WithTokens(fixed), ring.WithTolerance(0.01))
	assert.Equal(t, plain.Fingerprint(), r.Fingerprint())
}
