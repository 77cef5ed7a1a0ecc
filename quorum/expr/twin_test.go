package expr_test

import (
	"math/rand/v2"
	"testing"

	"github.com/distkit/distkit/quorum/expr"
	"github.com/stretchr/testify/require"
)

var names = []string{"a", "b", "c", "d", "e", "f", "g"}

// twin is an expression together with its meaning as a plain function of sets,
// bit i for names[i].
type twin struct {
	expr.Expr
	in func(set int) bool
}

// draw makes a random expression over the first n names; nodes repeat.
func draw(rng *rand.Rand, n, depth int) twin {
	if depth == 0 || rng.IntN(4) == 0 {
		i := rng.IntN(n)
		return twin{expr.Node(names[i]), func(set int) bool { return set>>i&1 == 1 }}
	}
	if rng.IntN(6) == 0 {
		return drawWeighted(rng, n)
	}
	m := 1 + rng.IntN(4)
	k := 1 + rng.IntN(m)
	kids, exprs := make([]twin, m), make([]expr.Expr, m)
	for i := range kids {
		kids[i] = draw(rng, n, depth-1)
		exprs[i] = kids[i].Expr
	}
	e := expr.Choose(k, exprs...)
	switch {
	case k == m:
		e = expr.All(exprs...)
	case k == 1:
		e = expr.Any(exprs...)
	case k == m/2+1:
		e = expr.Majority(exprs...)
	}
	return twin{e, func(set int) bool {
		got := 0
		for _, kid := range kids {
			if kid.in(set) {
				got++
			}
		}
		return got >= k
	}}
}

func drawWeighted(rng *rand.Rand, n int) twin {
	weights, sum := make(map[string]int), 0
	of := make([]int, n)
	for i := range n {
		of[i] = rng.IntN(4)
		if i == 0 {
			of[i] = 1
		}
		if of[i] > 0 {
			weights[names[i]] = of[i]
			sum += of[i]
		}
	}
	limit := 1 + rng.IntN(sum)
	return twin{expr.Weighted(limit, weights), func(set int) bool {
		got := 0
		for i, w := range of {
			if set>>i&1 == 1 {
				got += w
			}
		}
		return got >= limit
	}}
}

// members lists the names of a set.
func members(set int) []string {
	out := []string{}
	for i, name := range names {
		if set>>i&1 == 1 {
			out = append(out, name)
		}
	}
	return out
}

// minimal lists the minimal quorums.
func (e twin) minimal(n int) []int {
	var out []int
	for set := range 1 << n {
		ok := e.in(set)
		for i := range n {
			ok = ok && (set>>i&1 == 0 || !e.in(set&^(1<<i)))
		}
		if ok {
			out = append(out, set)
		}
	}
	return out
}

func TestAgainstAllSets(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 400 {
		n := 1 + rng.IntN(len(names))
		e := draw(rng, n, 3)
		require.NoError(t, e.Err())
		rule, err := e.Compile(names)
		require.NoError(t, err)
		dual := e.Dual()
		again, err := expr.Parse(e.String())
		require.NoError(t, err, e.String())
		require.Equal(t, e.String(), again.String())
		all := 1<<n - 1
		for set := range 1 << n {
			want := e.in(set)
			require.Equal(t, want, e.Satisfied(members(set)...), "%s of %v", e, members(set))
			require.Equal(t, want, again.Satisfied(members(set)...), "%s of %v", again, members(set))
			require.Equal(t, !want, dual.Satisfied(members(all&^set)...), "dual %s of %v", dual, members(set))
		}
		for range 50 {
			yes := rng.IntN(1 << n)
			no := rng.IntN(1<<n) &^ yes
			want := expr.Pending
			if e.in(yes) {
				want = expr.Won
			} else if !e.in(all &^ no) {
				want = expr.Lost
			}
			require.Equal(t, want, e.Decide(members(yes), members(no)))
			require.Equal(t, want, rule.Decide(uint64(yes), uint64(no)), "%s: %b %b", e, yes, no)
		}
	}
}

// TestSystemAgainstAllPairs compares the proof with a search for two quorums
// that do not meet.
func TestSystemAgainstAllPairs(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	var met, missed int
	for range 600 {
		n := 1 + rng.IntN(len(names))
		reads, writes := draw(rng, n, 2), draw(rng, n, 2)
		if rng.IntN(3) == 0 {
			writes = twin{reads.Dual(), func(set int) bool { return !reads.in((1<<n - 1) &^ set) }}
		}
		meet := true
		for set := range 1 << n {
			meet = meet && !(writes.in(set) && reads.in((1<<n-1)&^set))
		}
		s, err := expr.NewSystem(reads.Expr, writes.Expr)
		if meet {
			met++
			require.NoError(t, err, "%s / %s", reads, writes)
			require.Equal(t, reads.String(), s.Reads().String())
			continue
		}
		missed++
		require.ErrorIs(t, err, expr.ErrDisjoint, "%s / %s", reads, writes)
	}
	require.Greater(t, met, 100)
	require.Greater(t, missed, 100)
}
