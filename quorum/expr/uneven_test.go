package expr_test

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/distkit/distkit/quorum/expr"
	"github.com/stretchr/testify/require"
)

// uneven is a random system of nodes whose capacities are up to so many powers
// of ten apart, and whose latencies are from a microsecond to a second.
func uneven(t *testing.T, rng *rand.Rand, powers, unit float64) *expr.System {
	e := draw(rng, len(names), 3)
	capacity, latency := map[string][2]float64{}, map[string]time.Duration{}
	power := func() float64 { return unit * math.Pow(10, powers*(rng.Float64()-.5)) }
	for _, name := range names {
		capacity[name] = [2]float64{power(), power()}
		latency[name] = time.Duration(math.Pow(10, 3+6*rng.Float64()))
	}
	return system(t, e.Expr, e.Dual(),
		expr.WithCapacity(func(name string) (read, write float64) { return capacity[name][0], capacity[name][1] }),
		expr.WithLatency(func(name string) time.Duration { return latency[name] }))
}

// TestUnevenNodes: whatever the unit of capacities, and however much they
// differ, the certificate holds for every objective; or Optimize says that they
// differ too much. It does not depend on the unit.
func TestUnevenNodes(t *testing.T) {
	refused := 0
	for seed := range uint64(600) {
		rng := rand.New(rand.NewPCG(seed, 9))
		powers := []float64{0, 3, 6, 10, 200}[seed%5]
		fr := []float64{0, 1, .5, 1e-9, rng.Float64()}[rng.IntN(5)]
		s := uneven(t, rand.New(rand.NewPCG(seed, 1)), powers, 1)
		st, err := s.Optimize(fr)
		if err != nil {
			require.ErrorContains(t, err, "too uneven")
			require.Greater(t, powers, 6.0, "seed %d", seed)
			refused++
			continue
		}
		load := st.Load(fr)
		require.Greater(t, load, 0.0)
		require.InEpsilon(t, load, st.LowerBound(), 1e-7, "seed %d", seed)
		for _, unit := range []float64{1e-9, 1e5} {
			again := uneven(t, rand.New(rand.NewPCG(seed, 1)), powers, unit)
			other, err := again.Optimize(fr)
			require.NoError(t, err)
			require.InEpsilon(t, load, other.Load(fr)*unit, 1e-7, "seed %d", seed)
		}
		fast, err := s.Optimize(fr, expr.WithObjective(expr.MinLatency))
		require.NoError(t, err)
		require.InEpsilon(t, fast.Latency(fr).Seconds(), fast.LowerBound(), 1e-3, "seed %d: latencies are whole nanoseconds", seed)
		few, err := s.Optimize(fr, expr.WithObjective(expr.MinNetwork), expr.WithLoadLimit(2*load))
		require.NoError(t, err)
		require.InEpsilon(t, few.Network(fr), few.LowerBound(), 1e-6, "seed %d", seed)
		require.LessOrEqual(t, few.Load(fr), 2*load*(1+1e-7), "seed %d", seed)
	}
	t.Log(refused, "refused")
	require.Less(t, refused, 150)
}

// TestOptionsTogether: several read fractions, resilience and a load limit at
// once; what is reached is what the prices prove.
func TestOptionsTogether(t *testing.T) {
	solved := 0
	for seed := range uint64(500) {
		rng := rand.New(rand.NewPCG(seed, 77))
		s := uneven(t, rand.New(rand.NewPCG(seed, 1)), float64(rng.IntN(7)), 1000)
		weights, sum := map[float64]float64{}, 0.0
		for range 1 + rng.IntN(3) {
			weights[float64(rng.IntN(11))/10] = 1 + rng.Float64()
		}
		for _, w := range weights {
			sum += w
		}
		mean := func(of func(fr float64) float64) (m float64) {
			for fr, w := range weights {
				m += w / sum * of(fr)
			}
			return m
		}
		mix, f := expr.WithReadFractions(weights), rng.IntN(3)
		calm, err := s.Optimize(0, mix, expr.WithResilience(f))
		if err != nil {
			require.ErrorContains(t, err, "of its nodes are gone", "seed %d", seed)
			continue
		}
		solved++
		require.InEpsilon(t, mean(calm.Load), calm.LowerBound(), 1e-6, "seed %d", seed)
		worst := 0.0
		for fr := range weights {
			worst = max(worst, calm.Load(fr))
		}
		limit := expr.WithLoadLimit(worst * (1 + rng.Float64()))
		few, err := s.Optimize(0, mix, expr.WithResilience(f), expr.WithObjective(expr.MinNetwork), limit)
		require.NoError(t, err, "seed %d", seed)
		require.InEpsilon(t, mean(few.Network), few.LowerBound(), 1e-6, "seed %d", seed)
		fast, err := s.Optimize(0, mix, expr.WithObjective(expr.MinLatency), limit)
		require.NoError(t, err, "seed %d", seed)
		require.InEpsilon(t, mean(func(fr float64) float64 { return fast.Latency(fr).Seconds() }), fast.LowerBound(), 2e-3, "seed %d", seed)
	}
	require.Greater(t, solved, 200)
}
