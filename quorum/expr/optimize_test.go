package expr_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/distkit/distkit/quorum/expr"
	"github.com/stretchr/testify/require"
)

func system(t testing.TB, reads, writes expr.Expr, opts ...expr.SystemOption) *expr.System {
	t.Helper()
	s, err := expr.NewSystem(reads, writes, opts...)
	require.NoError(t, err)
	return s
}

func dualSystem(t testing.TB, e expr.Expr, opts ...expr.SystemOption) *expr.System {
	return system(t, e, e.Dual(), opts...)
}

// check holds for every strategy: it draws quorums, its loads follow from what
// it draws, and nothing is below its bound.
func check(t testing.TB, s *expr.System, st *expr.Strategy, fr float64) {
	t.Helper()
	rng := rand.New(rand.NewPCG(1, 2))
	busiest := 0.0
	for _, name := range s.Nodes() {
		busiest = max(busiest, st.NodeLoad(name, fr))
	}
	require.Equal(t, busiest, st.Load(fr))
	require.InEpsilon(t, 1/busiest, st.Capacity(fr), 1e-12)
	size := 0.0
	const draws = 2000
	for range draws {
		for i, q := range [][]string{st.Read(rng), st.Write(rng)} {
			e, share := s.Reads(), fr
			if i == 1 {
				e, share = s.Writes(), 1-fr
			}
			require.True(t, e.Satisfied(q...), "%v of %v", q, e)
			size += share * float64(len(q)) / draws
		}
	}
	require.InDelta(t, st.Network(fr), size, .2)
}

func optimize(t testing.TB, s *expr.System, fr float64, opts ...expr.OptimizeOption) *expr.Strategy {
	t.Helper()
	st, err := s.Optimize(fr, opts...)
	require.NoError(t, err)
	check(t, s, st, fr)
	return st
}

// TestKnownLoads: optimal loads with their exact values.
func TestKnownLoads(t *testing.T) {
	grid := func(rows, columns int) expr.Expr {
		out := make([][]string, rows)
		for i := range out {
			for j := range columns {
				out[i] = append(out[i], fmt.Sprint("n", i, "-", j))
			}
		}
		return expr.Grid(out...)
	}
	star, err := expr.Parse("leader*(f1 + f2 + f3)")
	require.NoError(t, err)
	hub, err := expr.Parse("hub*choose1(a,b,c,d) + a*b*c*d") // the wheel: 4/7
	require.NoError(t, err)
	for _, x := range []struct {
		e    expr.Expr
		fr   float64
		want float64
	}{
		{majorityOf(3), .5, 2. / 3},
		{majorityOf(5), .5, 3. / 5},
		{majorityOf(7), .1, 4. / 7},
		{majorityOf(9), 1, 5. / 9},
		{majorityOf(11), .5, 6. / 11},
		{majorityOf(13), .5, 7. / 13},
		{majorityOf(15), .5, 8. / 15},
		{grid(2, 2), .5, .5},
		{grid(2, 3), .5, 5. / 12},
		{grid(2, 3), 0, 1. / 3},
		{grid(2, 3), 1, .5},
		{grid(5, 5), .25, .2},
		{star, 1, 1},
		{star, .5, 7. / 12}, // half of the writes go to all three followers
		{hub, 1, 4. / 7},
		{hub, 0, 4. / 7},
		{expr.Any(nodes("a b c")...), 1, 1. / 3},
		{expr.All(nodes("a b c")...), 0, 1. / 3},
	} {
		st := optimize(t, dualSystem(t, x.e), x.fr)
		require.InDelta(t, x.want, st.Load(x.fr), 1e-9, "%v at %g", x.e, x.fr)
		require.InDelta(t, x.want, st.LowerBound(), 1e-8, "%v at %g", x.e, x.fr)
		require.LessOrEqual(t, st.LowerBound(), st.Load(x.fr)+1e-12)
	}
}

// TestCertificateOfRandomSystems: the bound and the load meet, so both are
// right: the load is of a strategy that is there, and the bound of prices.
func TestCertificateOfRandomSystems(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 8))
	for range 150 {
		e := draw(rng, len(names), 3)
		capacity := map[string][2]float64{}
		for _, name := range names {
			capacity[name] = [2]float64{1 + float64(rng.IntN(5)), 1 + float64(rng.IntN(5))}
		}
		s := dualSystem(t, e.Expr, expr.WithCapacity(func(name string) (float64, float64) { return capacity[name][0], capacity[name][1] }))
		fr := float64(rng.IntN(11)) / 10
		st := optimize(t, s, fr)
		require.InEpsilon(t, st.Load(fr), st.LowerBound(), 1e-8, "%v at %g", e, fr)
		mixed, err := s.Optimize(0, expr.WithReadFractions(map[float64]float64{fr: 3, .5: 1, 1: 0}))
		require.NoError(t, err)
		mean := .75*mixed.Load(fr) + .25*mixed.Load(.5)
		require.InEpsilon(t, mean, mixed.LowerBound(), 1e-8)
		require.GreaterOrEqual(t, mixed.Load(fr), st.Load(fr)-1e-9)
	}
}

func TestLatencyAndNetwork(t *testing.T) {
	latency := map[string]time.Duration{"a": 1, "b": 2, "c": 3, "d": 4, "e": 5}
	e := expr.Majority(nodes("a b c d e")...)
	s := system(t, e, e, expr.WithLatency(func(name string) time.Duration { return latency[name] * time.Millisecond }))
	st := optimize(t, s, .5, expr.WithObjective(expr.MinLatency))
	require.Equal(t, 3*time.Millisecond, st.Latency(.5).Round(time.Microsecond))
	require.InDelta(t, .003, st.LowerBound(), 1e-9)
	require.InDelta(t, 1, st.Load(.5), 1e-9, "always the fastest three")

	limited := optimize(t, s, .5, expr.WithObjective(expr.MinLatency), expr.WithLoadLimit(.75))
	require.LessOrEqual(t, limited.Load(.5), .75+1e-9)
	require.Greater(t, limited.Latency(.5), st.Latency(.5))
	require.InDelta(t, limited.Latency(.5).Seconds(), limited.LowerBound(), 1e-8)

	rows := expr.Any(expr.All(nodes("a b c")...), expr.All(nodes("d e")...))
	net := optimize(t, dualSystem(t, rows), .5, expr.WithObjective(expr.MinNetwork))
	require.InDelta(t, 2, net.Network(.5), 1e-9)
	require.InDelta(t, 2, net.LowerBound(), 1e-9)
	_, err := s.Optimize(.5, expr.WithObjective(expr.MinNetwork), expr.WithLoadLimit(.5))
	require.ErrorContains(t, err, "load limit is 0.5, the least load is 0.6")
}

func TestResilientStrategies(t *testing.T) {
	s := dualSystem(t, majorityOf(7))
	st := optimize(t, s, .5, expr.WithResilience(2))
	require.InDelta(t, 6./7, st.Load(.5), 1e-9)
	rng := rand.New(rand.NewPCG(1, 1))
	for range 50 {
		q := st.Read(rng)
		require.True(t, s.Reads().Satisfied(q[2:]...))
		require.True(t, s.Reads().Satisfied(append(slices.Clone(q[:1]), q[3:]...)...))
	}
	_, err := s.Optimize(.5, expr.WithResilience(4))
	require.ErrorContains(t, err, "when 4 of its nodes are gone")
}

func TestSixtyThreeNodes(t *testing.T) {
	s := dualSystem(t, majorityOf(63))
	start := time.Now()
	st := optimize(t, s, .5)
	require.InDelta(t, 32./63, st.Load(.5), 1e-9)
	require.InDelta(t, 32./63, st.LowerBound(), 1e-8)
	t.Log(time.Since(start))
	caps := dualSystem(t, majorityOf(63), expr.WithCapacity(func(name string) (float64, float64) {
		return float64(100 + len(name)*50), float64(50 + int(name[len(name)-1]))
	}))
	st = optimize(t, caps, .3)
	require.InEpsilon(t, st.Load(.3), st.LowerBound(), 1e-8)
}

func TestOptimizeRefuses(t *testing.T) {
	s := dualSystem(t, majorityOf(3))
	for want, opts := range map[string][]expr.OptimizeOption{
		"objective is 9":                         {expr.WithObjective(9)},
		"load limit is 0, want > 0":              {expr.WithObjective(expr.MinNetwork), expr.WithLoadLimit(0)},
		"load limit of 0.9 beside MinLoad":       {expr.WithLoadLimit(.9)},
		"resilience is -1, want 0 or more":       {expr.WithResilience(-1)},
		"resilience of 1 beside MinLatency":      {expr.WithObjective(expr.MinLatency), expr.WithResilience(1)},
		"read fraction is 2, want 0 to 1":        {expr.WithReadFractions(map[float64]float64{2: 1})},
		"weight of read fraction 0.5 is -1":      {expr.WithReadFractions(map[float64]float64{.5: -1})},
		"weights of the read fractions sum to 0": {expr.WithReadFractions(map[float64]float64{})},
	} {
		_, err := s.Optimize(.5, opts...)
		require.ErrorContains(t, err, want)
	}
	for _, fr := range []float64{-1, 1.1, math.NaN()} {
		_, err := s.Optimize(fr)
		require.ErrorContains(t, err, "read fraction is")
	}
	_, err := (*expr.System)(nil).Optimize(.5)
	require.Error(t, err)
	m := majorityOf(3)
	_, err = expr.NewSystem(m, m, expr.WithCapacity(func(string) (float64, float64) { return 0, 1 }))
	require.ErrorContains(t, err, `capacity of "n0" is 0 and 1, want > 0`)
	_, err = expr.NewSystem(m, m, expr.WithLatency(func(string) time.Duration { return -1 }))
	require.ErrorContains(t, err, `latency of "n0" is -1ns`)
	var z *expr.Strategy
	require.Zero(t, z.Load(.5)+z.LowerBound()+z.Capacity(.5)+z.NodeLoad("a", .5)+z.Network(.5))
	require.Zero(t, z.Latency(.5))
	require.Empty(t, z.Read(nil))
	require.Empty(t, new(expr.Strategy).Write(nil))
}
