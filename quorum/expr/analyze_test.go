package expr_test

import (
	"math"
	"math/bits"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/distkit/distkit/quorum/expr"
	"github.com/stretchr/testify/require"
)

func always(p float64) func(string) float64 { return func(string) float64 { return p } }

// TestAnalysisAgainstAllSets compares the analyses with sums over every set.
func TestAnalysisAgainstAllSets(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	for range 500 {
		n := 1 + rng.IntN(len(names))
		e := draw(rng, n, 3)
		p := make([]float64, n)
		for i := range p {
			p[i] = rng.Float64()
		}
		sum := 0.0
		for set := range 1 << n {
			chance := 1.0
			for i := range n {
				if set>>i&1 == 1 {
					chance *= 1 - p[i]
				} else {
					chance *= p[i]
				}
			}
			if e.in(set) {
				sum += chance
			}
		}
		fail := func(name string) float64 { return p[slices.Index(names, name)] }
		require.InDelta(t, sum, e.Availability(fail), 1e-12, e.String())

		minimal := e.minimal(n)
		order := e.Nodes()
		var want, got []string
		for _, set := range minimal {
			list := members(set)
			slices.SortFunc(list, func(a, b string) int { return slices.Index(order, a) - slices.Index(order, b) })
			want = append(want, strings.Join(list, "*"))
		}
		for q := range e.Quorums() {
			got = append(got, strings.Join(q, "*"))
		}
		require.ElementsMatch(t, want, got, e.String())

		resilience := n // one less than the fewest whose failure leaves no quorum
		for failed := range 1 << n {
			if !e.in((1<<n - 1) &^ failed) {
				resilience = min(resilience, bits.OnesCount(uint(failed))-1)
			}
		}
		require.Equal(t, resilience, e.Resilience(), e.String())
	}
}

func TestQuorumsOrder(t *testing.T) {
	e, err := expr.Parse("majority(a, b, c) + d*a")
	require.NoError(t, err)
	var got []string
	for q := range e.Quorums() {
		got = append(got, strings.Join(q, ""))
		if len(got) == 3 {
			break
		}
	}
	require.Equal(t, []string{"ab", "ac", "ad"}, got)
}

// TestTextbookAvailability: three replicas, each up 99.9 % of the time, and two
// parts in series and in parallel.
func TestTextbookAvailability(t *testing.T) {
	abc := nodes("a b c")
	for _, x := range []struct {
		e    expr.Expr
		want float64
	}{
		{expr.Any(abc...), .999999999},
		{expr.Majority(abc...), .999997002},
		{expr.All(abc...), .997002999},
		{expr.All(abc[:2]...), .998001},
		{expr.Any(abc[:2]...), .999999},
	} {
		require.InDelta(t, x.want, x.e.Availability(always(.001)), 1e-14)
	}
	require.Equal(t, 1, expr.Majority(abc...).Resilience())
	require.Equal(t, 0, expr.All(abc...).Resilience())
	require.Equal(t, 2, expr.Any(abc...).Resilience())
}

func TestAnalysisOfMany(t *testing.T) {
	var all []expr.Expr
	for i := range 63 {
		all = append(all, expr.Node("n"+strings.Repeat("i", i)))
	}
	m := expr.Majority(all...)
	require.Equal(t, 31, m.Resilience())
	want := 0.0 // the binomial tail
	for k := 32; k <= 63; k++ {
		logC, _ := math.Lgamma(64)
		a, _ := math.Lgamma(float64(k + 1))
		b, _ := math.Lgamma(float64(64 - k))
		want += math.Exp(logC - a - b + float64(k)*math.Log(.7) + float64(63-k)*math.Log(.3))
	}
	require.InDelta(t, want, m.Availability(always(.3)), 1e-10)
	joint := expr.All(expr.Majority(all[:41]...), expr.Majority(all[22:]...)) // 19 in both: the diagram
	require.Equal(t, 20, joint.Resilience())
	got := joint.Availability(always(.3))
	require.Greater(t, got, .98)
	require.Less(t, got, 1.0)
	n := 0
	for range m.Quorums() {
		if n++; n == 1000 {
			break
		}
	}
	heavy := map[string]int{}
	for i, e := range all[:12] {
		heavy[e.String()] = 10_000 + i
	}
	w := expr.Weighted(65_000, heavy) // too heavy for tables, not for a diagram: 7 of 12
	require.Equal(t, 5, w.Resilience())
	require.InDelta(t, expr.Majority(all[:12]...).Availability(always(.2)), w.Availability(always(.2)), 1e-12)
}

func TestAnalysisOfBad(t *testing.T) {
	for _, e := range []expr.Expr{{}, expr.All()} {
		require.Equal(t, -1, e.Resilience())
		require.Zero(t, e.Availability(always(0)))
		for range e.Quorums() {
			t.Fatal("a quorum of a bad expression")
		}
	}
	a := expr.Node("a")
	for _, p := range []float64{-1, 2, math.NaN()} {
		require.True(t, math.IsNaN(a.Availability(always(p))))
	}
	require.Zero(t, a.Availability(always(1)))
	require.Equal(t, 0, a.Resilience())
}

func TestTooComplexToAnalyze(t *testing.T) {
	// Columns of a grid whose nodes come in the order of its rows: the diagram
	// must remember every partial column.
	rows, columns := make([]expr.Expr, 22), make([][]expr.Expr, 22)
	for i := range rows {
		row := make([]expr.Expr, 22)
		for j := range row {
			row[j] = expr.Node(strings.Repeat("r", i+1) + strings.Repeat("c", j+1))
			columns[j] = append(columns[j], row[j])
		}
		rows[i] = expr.All(row...)
	}
	e := expr.Any(rows...)
	for _, column := range columns {
		e = expr.Any(e, expr.All(column...))
	}
	require.True(t, math.IsNaN(e.Availability(always(.1))))
	for range e.Quorums() {
		t.Fatal("a quorum")
	}
}
