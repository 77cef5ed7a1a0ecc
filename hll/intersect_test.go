package hll_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/distkit/distkit/hll"
	"github.com/distkit/distkit/internal/testkit"
	"github.com/stretchr/testify/require"
)

// overlapping returns two sketches of precision p with so many keys of their own
// and so many in common.
func overlapping(rng *rand.Rand, p, onlyA, onlyB, both int) (a, b *hll.Sketch) {
	common := hashes(rng, both)
	return sketch(p, append(hashes(rng, onlyA), common...)), sketch(p, append(hashes(rng, onlyB), common...))
}

func byInclusion(a, b *hll.Sketch) float64 {
	return float64(a.Estimate()) + float64(b.Estimate()) - float64(must(hll.Union(a, b)).Estimate())
}

// pairProbability is that of a pair of registers, from the definition: the probability
// that they are at most (i, j) is exp of minus the keys that would have made them
// larger.
func pairProbability(p int, n [3]float64, i, j int) float64 {
	q, m := 64-p, math.Pow(2, float64(p))
	atMost := func(i, j int) float64 {
		if i < 0 || j < 0 {
			return 0
		}
		rate := func(k int) float64 { // of keys that make a register larger than k
			if k > q {
				return 0
			}
			return math.Pow(2, -float64(k)) / m
		}
		return math.Exp(-n[0]*rate(i) - n[1]*rate(j) - n[2]*rate(min(i, j)))
	}
	return atMost(i, j) - atMost(i-1, j) - atMost(i, j-1) + atMost(i-1, j-1)
}

// information returns what pairs of registers tell about the logarithms of the
// three numbers (Fisher): the inverse is the covariance of the best estimates.
func information(p int, n [3]float64) (f [3][3]float64) {
	const step = 1e-4
	for i := range 40 {
		for j := range 40 {
			probability := pairProbability(p, n, i, j)
			if probability < 1e-9 {
				continue
			}
			var slope [3]float64
			for k := range slope {
				up, down := n, n
				up[k] *= 1 + step
				down[k] *= 1 - step
				slope[k] = (math.Log(pairProbability(p, up, i, j)) - math.Log(pairProbability(p, down, i, j))) / (2 * step)
			}
			for k := range f {
				for l := range f {
					f[k][l] += float64(uint64(1)<<p) * probability * slope[k] * slope[l]
				}
			}
		}
	}
	return f
}

// leastErrors returns the relative standard errors that no unbiased estimate can
// go below (Cramér and Rao): the square roots of the inverse's diagonal.
func leastErrors(p int, n [3]float64) (e [3]float64) {
	f := information(p, n)
	minor := func(i, j int) float64 {
		a, b, c, d := (i+1)%3, (i+2)%3, (j+1)%3, (j+2)%3
		return f[a][c]*f[b][d] - f[a][d]*f[b][c]
	}
	determinant := f[0][0]*minor(0, 0) + f[0][1]*minor(0, 1) + f[0][2]*minor(0, 2)
	for i := range e {
		e[i] = math.Sqrt(minor(i, i) / determinant)
	}
	return e
}

// Errors are those that theory says are the least possible, without bias.
func TestIntersectErrorsAreThoseOfTheory(t *testing.T) {
	testkit.NotUnderRace(t)
	trials := trialsOf(200, 1000)
	for _, c := range []struct {
		p int
		n [3]int
	}{
		{10, [3]int{10_000, 10_000, 10_000}},
		{12, [3]int{20_000, 20_000, 4_000}},
		{11, [3]int{2_000, 20_000, 10_000}},
		{8, [3]int{10_000, 5_000, 20_000}},
	} {
		truth := [3]float64{float64(c.n[0]), float64(c.n[1]), float64(c.n[2])}
		want := leastErrors(c.p, truth)
		var errs [3][]float64
		for trial := range trials {
			a, b := overlapping(rand.New(rand.NewPCG(uint64(trial), 51)), c.p, c.n[0], c.n[1], c.n[2])
			o := must(hll.Intersect(a, b))
			for i, got := range []float64{o.OnlyA, o.OnlyB, o.Both} {
				errs[i] = append(errs[i], got/truth[i]-1)
			}
		}
		for i := range errs {
			bias, rmse := biasAndRMSE(errs[i])
			slack := 4 / math.Sqrt(2*float64(trials))
			require.InDelta(t, 1, rmse/want[i], slack, "%v, number %d: %g, want %g", c, i, rmse, want[i])
			require.LessOrEqual(t, math.Abs(bias), 4*want[i]/math.Sqrt(float64(trials)), "%v, number %d", c, i)
		}
	}
}

// At the edges, where one number is small or none, likelihood is no worse than
// inclusion and exclusion, and far better where little is in common.
func TestIntersectBeatsInclusionAndExclusion(t *testing.T) {
	testkit.NotUnderRace(t)
	trials := trialsOf(100, 1000)
	for _, c := range []struct {
		n     [3]int
		limit float64
	}{
		{[3]int{20_000, 20_000, 2_000}, 0.6},
		{[3]int{50_000, 5_000, 500}, 0.6},
		{[3]int{40_000, 40_000, 0}, 0.6},
		{[3]int{10_000, 10_000, 10_000}, 0.95},
		{[3]int{0, 30_000, 20_000}, 1.01},
		{[3]int{0, 0, 50_000}, 1.01},
	} {
		var likely, included []float64
		for trial := range trials {
			a, b := overlapping(rand.New(rand.NewPCG(uint64(trial), 52)), 12, c.n[0], c.n[1], c.n[2])
			likely = append(likely, must(hll.Intersect(a, b)).Both-float64(c.n[2]))
			included = append(included, byInclusion(a, b)-float64(c.n[2]))
		}
		_, x := biasAndRMSE(likely)
		_, y := biasAndRMSE(included)
		require.LessOrEqual(t, x, c.limit*y, "%v", c.n)
	}
}

// No numbers around the answer are more likely.
func TestIntersectMaximizesTheLikelihood(t *testing.T) {
	rng := rand.New(rand.NewPCG(53, 54))
	for range 40 {
		const p = 6
		a, b := overlapping(rng, p, 50+rng.IntN(2000), 50+rng.IntN(2000), 50+rng.IntN(2000))
		o := must(hll.Intersect(a, b))
		likelihood := func(n [3]float64) (l float64) {
			for i, r := range a.Registers() {
				l += math.Log(pairProbability(p, n, int(r), int(b.Registers()[i])))
			}
			return l
		}
		const unbiased = 1 + 1.01015908095854/(1<<p)
		found := [3]float64{o.OnlyA * unbiased, o.OnlyB * unbiased, o.Both * unbiased}
		best := likelihood(found)
		for i := range found {
			for _, by := range []float64{0.9, 0.99, 1.01, 1.1} {
				n := found
				n[i] *= by
				require.LessOrEqual(t, likelihood(n), best+1e-5, "%v", found)
			}
		}
	}
}

func TestIntersectOfSmallSetsIsNearExact(t *testing.T) {
	rng := rand.New(rand.NewPCG(55, 56))
	for _, n := range [][3]int{{0, 0, 0}, {1, 0, 0}, {0, 0, 1}, {100, 200, 50}, {1000, 1000, 500}, {2000, 5, 3}} {
		a, b := overlapping(rng, 14, n[0], n[1], n[2])
		o := must(hll.Intersect(a, b))
		require.InDelta(t, n[0], o.OnlyA, 0.5)
		require.InDelta(t, n[1], o.OnlyB, 0.5)
		require.InDelta(t, n[2], o.Both, 0.5)
		require.InDelta(t, n[0]+n[1]+n[2], o.Union(), 1)
		if all := n[0] + n[1] + n[2]; all > 0 {
			require.InDelta(t, float64(n[2])/float64(all), o.Jaccard(), 1e-3)
		} else {
			require.Zero(t, o.Jaccard())
		}
	}
}

// Sparse with dense, fine with coarse: as if both were dense and coarse.
func TestIntersectOfUnlikeSketches(t *testing.T) {
	rng := rand.New(rand.NewPCG(57, 58))
	for _, c := range []struct{ p, q, onlyA, onlyB, both int }{
		{12, 12, 300, 40_000, 300}, {14, 10, 50_000, 2_000, 2_000}, {14, 8, 100, 3_000, 900}, {14, 9, 2_000, 10, 1_000},
	} {
		common := hashes(rng, c.both)
		hs, gs := append(hashes(rng, c.onlyA), common...), append(hashes(rng, c.onlyB), common...)
		a, b := sketch(c.p, hs), sketch(c.q, gs)
		before, before2 := a.Clone(), b.Clone()
		o := must(hll.Intersect(a, b))
		require.True(t, a.Equal(before) && b.Equal(before2))

		p := min(c.p, c.q)
		dense, dense2 := must(hll.New(p, hll.WithDense())), must(hll.New(p, hll.WithDense()))
		require.NoError(t, dense.Merge(a))
		require.NoError(t, dense2.Merge(b))
		require.Equal(t, must(hll.Intersect(dense, dense2)), o)

		swapped := must(hll.Intersect(b, a))
		require.InEpsilon(t, o.Both, swapped.Both, 1e-2)
		require.InEpsilon(t, o.OnlyA, swapped.OnlyB, 1e-2)
	}
}

func TestIntersectAtTheEdges(t *testing.T) {
	rng := rand.New(rand.NewPCG(59, 60))
	const p = 10
	s, empty := sketch(p, hashes(rng, 20_000)), must(hll.New(p, hll.WithDense()))
	o := must(hll.Intersect(s, s))
	require.InEpsilon(t, s.Estimate(), o.Both, 0.01)
	require.Less(t, o.OnlyA+o.OnlyB, 0.01)
	require.InDelta(t, 1, o.Jaccard(), 1e-6)

	o = must(hll.Intersect(s, empty))
	require.Zero(t, o.Both+o.OnlyB+o.Jaccard())
	require.InDelta(t, s.Estimate(), o.OnlyA, 1)
	o = must(hll.Intersect(empty, empty))
	require.Zero(t, o.Union()+o.Jaccard())

	// Registers that are all full tell nothing but "very many".
	full := make([]uint8, 1<<p)
	for i := range full {
		full[i] = 64 - p + 1
	}
	for _, other := range []*hll.Sketch{hll.FromRegisters(full, p), s, empty} {
		o = must(hll.Intersect(hll.FromRegisters(full, p), other))
		for _, n := range []float64{o.OnlyA, o.OnlyB, o.Both, o.Jaccard()} {
			require.False(t, math.IsNaN(n) || math.IsInf(n, 0) || n < 0, "%v", o)
		}
		require.Greater(t, o.Union(), 1e18)
	}

	for _, bad := range [][2]*hll.Sketch{{nil, s}, {s, nil}, {{}, s}, {s, {}}, {s, must(hll.New(p, hll.WithSecret([16]byte{1})))}} {
		o, err := hll.Intersect(bad[0], bad[1])
		require.ErrorIs(t, err, hll.ErrIncompatible)
		require.Zero(t, o)
	}
}
