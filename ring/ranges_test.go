package ring_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/distkit/distkit/internal/hash64"
	"github.com/distkit/distkit/internal/testkit"
	"github.com/distkit/distkit/ring"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestRangeContains(t *testing.T) {
	for _, c := range []struct {
		r    ring.Range
		h    uint64
		want bool
	}{
		{ring.Range{Start: 10, End: 20}, 10, false},
		{ring.Range{Start: 10, End: 20}, 11, true},
		{ring.Range{Start: 10, End: 20}, 20, true},
		{ring.Range{Start: 10, End: 20}, 21, false},
		{ring.Range{Start: 20, End: 10}, 20, false},
		{ring.Range{Start: 20, End: 10}, 21, true},
		{ring.Range{Start: 20, End: 10}, math.MaxUint64, true},
		{ring.Range{Start: 20, End: 10}, 0, true},
		{ring.Range{Start: 20, End: 10}, 10, true},
		{ring.Range{Start: 20, End: 10}, 15, false},
		{ring.Range{}, 0, true},
		{ring.Range{Start: 7, End: 7}, 7, true},
		{ring.Range{Start: 7, End: 7}, 8, true},
	} {
		assert.Equal(t, c.want, c.r.Contains(c.h), "%v %d", c.r, c.h)
	}
}

// twins returns rings of all kinds, ties and crowded tokens included, and their
// twins.
func twins(t *testing.T, seed uint64, rings int) (ws []*twin, rs []*ring.Ring) {
	t.Helper()
	rng := rand.New(rand.NewPCG(seed, 8))
	coarse := func(dst []uint64, n ring.Node, count int) []uint64 {
		for k := range count {
			dst = append(dst, hash64.Mix(hash64.String(n.ID), uint64(k))>>60<<60)
		}
		return dst
	}
	for i := range rings {
		virtual := []int{1, 2, 5, 30}[rng.IntN(4)]
		w := newTwin(virtual, randomNodes(rng, 9, rng.IntN(5))...)
		opts := []ring.Option{ring.WithVirtualNodes(virtual)}
		if i%4 == 3 {
			w.tokens = coarse
			opts = append(opts, ring.WithTokens(coarse))
		}
		ws, rs = append(ws, w), append(rs, mustNew(t, w.members(), opts...))
	}
	return ws, rs
}

// probes returns the bounds of all arcs of the circles, and what is next to them.
func probes(circles ...[]twinToken) []uint64 {
	hashes := []uint64{0, 1 << 62, math.MaxUint64}
	for _, c := range circles {
		for _, x := range c {
			hashes = append(hashes, x.token-1, x.token, x.token+1)
		}
	}
	return hashes
}

func TestRangesAgainstTwin(t *testing.T) {
	testkit.NotUnderRace(t)
	ws, rs := twins(t, 1, 60)
	for i, w := range ws {
		r, circle := rs[i], w.circle()
		for _, n := range []int{1, 2, 3, len(w.nodes), len(w.nodes) + 1} {
			total := 0.0
			for _, id := range w.ids() {
				ranges := slices.Collect(r.Ranges(id, n))
				checkMerged(t, ranges)
				for _, h := range probes(circle) {
					prefs := w.prefs(circle, h)
					want := slices.Contains(prefs[:min(n, len(prefs))], id)
					got := slices.ContainsFunc(ranges, func(r ring.Range) bool { return r.Contains(h) })
					require.Equal(t, want, got, "%s among %d at %#x: %v of %v", id, n, h, ranges, circle)
				}
				total += r.Share(id, n)
			}
			assert.InDelta(t, min(n, len(w.nodes)), total, 1e-9, "every position is held n times")
		}
	}
}

// checkMerged holds that ranges ascend and neither overlap nor touch.
func checkMerged(t *testing.T, ranges []ring.Range) {
	t.Helper()
	for i, r := range ranges {
		if r.Start == r.End {
			require.Equal(t, []ring.Range{{}}, ranges)
		}
		if i > 0 {
			require.Less(t, ranges[i-1].End, r.Start)
			require.Less(t, ranges[i-1].Start, ranges[i-1].End, "only the last wraps")
		}
	}
	if n := len(ranges); n > 1 && ranges[n-1].Start > ranges[n-1].End {
		require.Less(t, ranges[n-1].End, ranges[0].Start)
	}
}

func TestRangesOfNobody(t *testing.T) {
	r := mustNew(t, ring.Nodes("a", "b"))
	for _, c := range []struct {
		id string
		n  int
	}{{"c", 1}, {"", 3}, {"a", 0}, {"a", -1}} {
		assert.Empty(t, slices.Collect(r.Ranges(c.id, c.n)))
		assert.Zero(t, r.Share(c.id, c.n))
	}
	assert.Equal(t, []ring.Range{{}}, slices.Collect(r.Ranges("a", 2)))
	assert.Equal(t, 1.0, r.Share("b", 5))
	for range r.Ranges("a", 1) {
		break // early end
	}
}

func TestShareIsExact(t *testing.T) {
	r := mustNew(t, ring.Nodes(names(50)...))
	for i, want := range sharesOf(r) {
		assert.InDelta(t, want, r.Share(r.Node(i).ID, 1), 1e-12)
	}
	third := func(dst []uint64, n ring.Node, _ int) []uint64 {
		return append(dst, map[string]uint64{"a": 1 << 62, "b": 3 << 62}[n.ID])
	}
	r = mustNew(t, ring.Nodes("a", "b"), ring.WithTokens(third))
	assert.Equal(t, 0.5, r.Share("a", 1))
}

// Moves covers exactly what changes, once, and in as few ranges as can be.
func TestMovesAgainstTwin(t *testing.T) {
	testkit.NotUnderRace(t)
	rng := rand.New(rand.NewPCG(2, 9))
	ws, rs := twins(t, 3, 60)
	for i := range ws {
		before, after := ws[i], ws[i].clone()
		opts := []ring.Option{ring.WithVirtualNodes(before.virtual)}
		if before.tokens != nil {
			opts = append(opts, ring.WithTokens(before.tokens))
		}
		for id := range after.nodes {
			if rng.IntN(4) == 0 {
				delete(after.nodes, id)
			}
		}
		after.put(randomNodes(rng, 3, 3)...)
		next := mustNew(t, after.members(), opts...)
		for _, n := range []int{1, 2, 3, 20} {
			checkMoves(t, before, after, rs[i], next, n)
		}
	}
}

func checkMoves(t *testing.T, before, after *twin, from, to *ring.Ring, n int) {
	t.Helper()
	seq, err := ring.Moves(from, to, n)
	require.NoError(t, err)
	moves := slices.Collect(seq)
	a, b := before.circle(), after.circle()
	for _, h := range probes(a, b) {
		old, now := before.prefs(a, h), after.prefs(b, h)
		old, now = old[:min(n, len(old))], now[:min(n, len(now))]
		var found []ring.Move
		for _, m := range moves {
			if m.Range.Contains(h) {
				found = append(found, m)
			}
		}
		if slices.Equal(old, now) {
			require.Empty(t, found, "%v at %#x", old, h)
			continue
		}
		require.Len(t, found, 1, "%v to %v at %#x", old, now, h)
		require.Equal(t, old, found[0].From)
		require.Equal(t, now, found[0].To)
	}
	for i, m := range moves {
		require.NotEqual(t, m.From, m.To)
		if i > 0 {
			last := moves[i-1]
			require.LessOrEqual(t, last.Range.End, m.Range.Start)
			require.Less(t, last.Range.Start, last.Range.End, "only the last wraps")
			require.False(t, last.Range.End == m.Range.Start && slices.Equal(last.From, m.From) && slices.Equal(last.To, m.To), "not merged")
		}
	}
	if k := len(moves) - 1; k > 0 && moves[k].Range.End == moves[0].Range.Start {
		require.False(t, slices.Equal(moves[k].From, moves[0].From) && slices.Equal(moves[k].To, moves[0].To), "not merged around")
	}
}

func TestGainedAndLost(t *testing.T) {
	m := ring.Move{From: []string{"a", "b", "c"}, To: []string{"d", "a", "c"}}
	assert.Equal(t, []string{"d"}, m.Gained())
	assert.Equal(t, []string{"b"}, m.Lost())
	m = ring.Move{From: []string{"a", "b"}, To: []string{"b", "a"}}
	assert.Empty(t, m.Gained())
	assert.Empty(t, m.Lost())
}

func TestMovesErrors(t *testing.T) {
	plain := mustNew(t, ring.Nodes("a"))
	secret := mustNew(t, ring.Nodes("a"), ring.WithSecret([16]byte{1}))
	foreign := mustNew(t, ring.Nodes("a"), ring.WithTokens(ring.EnvoyTokens))
	_, err := ring.Moves(plain, plain, 0)
	assert.EqualError(t, err, "ring: copies is 0, want at least 1")
	for _, pair := range [][2]*ring.Ring{{nil, plain}, {plain, nil}} {
		_, err = ring.Moves(pair[0], pair[1], 1)
		assert.EqualError(t, err, "ring: a ring is nil, want two; an empty one has no nodes")
	}
	for _, pair := range [][2]*ring.Ring{{plain, secret}, {secret, plain}, {plain, foreign}, {foreign, plain}, {secret, mustNew(t, nil, ring.WithSecret([16]byte{2}))}} {
		_, err = ring.Moves(pair[0], pair[1], 1)
		assert.ErrorIs(t, err, ring.ErrIncompatible)
	}
	moves, err := ring.Moves(plain, mustNew(t, ring.Nodes("a", "b"), ring.WithVirtualNodes(7)), 2)
	require.NoError(t, err)
	for range moves {
		break // early end
	}
}

// A first ring is a move of everything from nobody.
func TestMovesFromNothing(t *testing.T) {
	moves, err := ring.Moves(mustNew(t, nil), mustNew(t, ring.Nodes("a")), 3)
	require.NoError(t, err)
	assert.Equal(t, []ring.Move{{From: []string{}, To: []string{"a"}}}, slices.Collect(moves))
	moves, err = ring.Moves(new(ring.Ring), new(ring.Ring), 3)
	require.NoError(t, err)
	assert.Empty(t, slices.Collect(moves))
}

// Joining takes a fair part of the circle, from all.
func TestMovesAddUpToTheJoinersShare(t *testing.T) {
	before := mustNew(t, ring.Nodes(names(20)...))
	after, err := before.Add(ring.Nodes("new")...)
	require.NoError(t, err)
	moves, err := ring.Moves(before, after, 1)
	require.NoError(t, err)
	var sum uint64
	givers := map[string]bool{}
	for m := range moves {
		assert.Equal(t, []string{"new"}, m.Gained())
		sum += m.Range.End - m.Range.Start
		givers[fmt.Sprint(m.Lost())] = true
	}
	assert.InDelta(t, after.Share("new", 1), float64(sum)/(1<<64), 1e-12)
	assert.Len(t, givers, 20)
}
