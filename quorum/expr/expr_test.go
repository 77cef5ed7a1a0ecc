package expr_test

import (
	"strings"
	"testing"

	"github.com/distkit/distkit/quorum/expr"
	"github.com/stretchr/testify/require"
)

func nodes(text string) []expr.Expr {
	var out []expr.Expr
	for name := range strings.FieldsSeq(text) {
		out = append(out, expr.Node(name))
	}
	return out
}

func TestString(t *testing.T) {
	a, b, c := expr.Node("a"), expr.Node("b"), expr.Node("c")
	for want, e := range map[string]expr.Expr{
		"a":                        expr.All(a),
		"a*b":                      expr.All(a, b, a),
		"a + b":                    expr.Any(a, expr.Any(b, a)),
		"a*(b + c)":                expr.All(a, expr.Any(b, c)),
		"a*b + c":                  expr.Any(expr.All(a, b), c),
		"a*b*c":                    expr.All(a, expr.All(b, c)),
		"choose2(a, b, c)":         expr.Majority(a, b, c),
		"choose2(a, a, b)":         expr.Choose(2, a, a, b),
		"choose2(a*b, b + c, c)":   expr.Choose(2, expr.All(a, b), expr.Any(b, c), c),
		"weighted3(a=2, b=1, c=1)": expr.Weighted(3, map[string]int{"c": 1, "b": 1, "a": 2}),
		`"10 0"*"x*y"*[::1]:7`:     {},
		`"10 0"*"x*y"*10.0.0.1:7`:  expr.All(expr.Node("10 0"), expr.Node("x*y"), expr.Node("10.0.0.1:7")),
		"a*b + c*d":                expr.Grid([]string{"a", "b"}, []string{"c", "d"}),
		`"\xff"`:                   expr.Node("\xff"),
	} {
		if strings.Contains(want, "[") {
			_, err := expr.Parse(want)
			require.ErrorContains(t, err, `'[' at byte 13`)
			continue
		}
		require.Equal(t, want, e.String())
		again, err := expr.Parse(want)
		require.NoError(t, err)
		require.Equal(t, want, again.String())
		require.Equal(t, e.Nodes(), again.Nodes())
	}
}

func TestParseLanguage(t *testing.T) {
	for in, want := range map[string]string{
		"a*b+choose2(c,d,e)":          "a*b + choose2(c, d, e)",
		" ( (a) ) ":                   "a",
		"majority(a, b, c, d)":        "choose3(a, b, c, d)",
		"choose2 (a, b)":              "a*b",
		"choose1(a, b)":               "a + b",
		"choose2":                     "choose2",
		"weighted2(a=1, b=1)":         "a*b",
		`weighted4("a b"=3, c=2)`:     `weighted4("a b"=3, c=2)`,
		"majority(a*b, (c + d), e)":   "choose2(a*b, c + d, e)",
		"größe*日本":                    "größe*日本",
		`"majority"*a`:                "majority*a",
		"a\n\t+ b":                    "a + b",
		"f1 + f2*majority(x, y, z)*q": "f1 + f2*choose2(x, y, z)*q",
	} {
		e, err := expr.Parse(in)
		require.NoError(t, err, in)
		require.Equal(t, want, e.String())
	}
}

func TestParseErrors(t *testing.T) {
	deep := strings.Repeat("(", 80) + "a" + strings.Repeat(")", 80)
	var wide strings.Builder
	wide.WriteString("a0")
	for i := range 64 {
		wide.WriteString("+a" + strings.Repeat("x", i+1))
	}
	for in, want := range map[string]string{
		"":                             "ends at byte 0, want a node",
		"a*":                           "ends at byte 2, want a node",
		"a b":                          "'b' at byte 2, want * or + or the end",
		"(a":                           "ends at byte 2, want )",
		"a)":                           "')' at byte 1",
		"choose0(a)":                   "choose 0 of 1 members, want 1 to 1",
		"choose3(a, b)":                "choose 3 of 2 members, want 1 to 2",
		"choose(a, b)":                 `unknown gate "choose" at byte 0`,
		"some2(a, b)":                  `unknown gate "some2" at byte 0`,
		"choose9999999999999999999(a)": "is too large",
		"choose2(a; b)":                "';' at byte 9, want , or )",
		"weighted3(a=1, b=1)":          "threshold is 3, want 1 to the sum of the weights, 2",
		"weighted3(a=1, a=2)":          `second weight of "a" at byte 15`,
		"weighted3(a=0, b=5)":          `weight of "a" is 0, want 1 to`,
		"weighted3(a=x)":               `weight of "a" is "x", want a number`,
		"weighted3(a)":                 "want = and a weight",
		"weighted3(a=3":                "want , or )",
		`""`:                           "want a name in the quotes",
		`"a`:                           "want a quoted name",
		"a*\xff":                       "at byte 2",
		deep:                           "more than 64 open parentheses",
		wide.String():                  "65 nodes, want at most 64",
	} {
		_, err := expr.Parse(in)
		require.ErrorContains(t, err, want, in)
	}
	_, err := expr.Parse(deep)
	require.ErrorIs(t, err, expr.ErrTooComplex)
	_, err = expr.Parse(wide.String())
	require.ErrorIs(t, err, expr.ErrTooComplex)
}

func TestBadExpressions(t *testing.T) {
	grown := expr.Any(nodes("a b")...)
	for range 70 { // shared: it doubles each time
		grown = expr.Choose(2, grown, grown, expr.Node("c"))
	}
	for want, e := range map[string]expr.Expr{
		"expression is empty":   {},
		"is empty":              expr.All(expr.Node("a"), expr.Expr{}),
		"name of a node":        expr.Any(expr.Node("a"), expr.Node("")),
		"name":                  expr.Weighted(1, map[string]int{"": 1}),
		"no members":            expr.All(),
		"gate has no members":   expr.Any(),
		"gate has no":           expr.Majority(),
		"gate has":              expr.Grid(),
		"gate":                  expr.Grid(nil, []string{"a"}),
		"choose 0 of 2 members": expr.Choose(0, nodes("a b")...),
		"choose -1 of":          expr.Choose(-1, nodes("a b")...),
		"threshold is 0":        expr.Weighted(0, map[string]int{"a": 1}),
		"sum of the weights, 0": expr.Weighted(1, nil),
		`weight of "a" is -1`:   expr.Weighted(1, map[string]int{"a": -1}),
		"too complex":           grown,
	} {
		require.ErrorContains(t, e.Err(), want)
		require.Equal(t, e.Err(), e.Dual().Err())
		require.Empty(t, e.Nodes())
		require.Empty(t, e.String())
		require.False(t, e.Satisfied("a", "b", ""))
		require.Equal(t, expr.Lost, e.Decide([]string{"a"}, nil))
		_, err := e.Compile([]string{"a", "b"})
		require.ErrorContains(t, err, want)
		_, err = expr.NewSystem(expr.Node("a"), e)
		require.ErrorContains(t, err, want)
		_, err = expr.NewSystem(e, expr.Node("a"))
		require.ErrorContains(t, err, want)
	}
	require.ErrorIs(t, grown.Err(), expr.ErrTooComplex)
}

func TestReplicationModels(t *testing.T) {
	reads, err := expr.Parse("leader + f1 + f2")
	require.NoError(t, err)
	for writes, want := range map[string]string{
		"leader*f1*f2":       "",
		"leader*(f1+f2)":     "read quorum f2 and write quorum f1*leader",
		"leader":             "read quorum f1 and write quorum leader",
		"majority(x, f1, y)": "read quorum leader and write quorum f1*x",
	} {
		w, err := expr.Parse(writes)
		require.NoError(t, err)
		s, err := expr.NewSystem(reads, w)
		if want == "" {
			require.NoError(t, err)
			require.Equal(t, []string{"leader", "f1", "f2"}, s.Nodes())
			continue
		}
		require.ErrorIs(t, err, expr.ErrDisjoint)
		require.ErrorContains(t, err, want)
	}
}

func TestSystemsOfManyNodes(t *testing.T) {
	var all []expr.Expr
	rows := make([][]string, 20)
	for i := range 400 {
		name := "n" + strings.Repeat("i", i)
		if i < 63 {
			all = append(all, expr.Node(name))
		}
		rows[i/20] = append(rows[i/20], name)
	}
	_, err := expr.NewSystem(expr.Majority(all...), expr.Majority(all...))
	require.NoError(t, err)
	_, err = expr.NewSystem(expr.Choose(31, all...), expr.Majority(all...))
	require.ErrorIs(t, err, expr.ErrDisjoint)
	_, err = expr.NewSystem(expr.Grid(rows...), expr.Grid(rows...).Dual())
	require.NoError(t, err)
	columns := make([]expr.Expr, 20) // a column of 20 rows, in the order of the rows: 2^20 partial sums
	for j := range columns {
		column := make([]expr.Expr, 20)
		for i := range column {
			column[i] = expr.Node(rows[i][j])
		}
		columns[j] = expr.All(column...)
	}
	_, err = expr.NewSystem(expr.Grid(rows...), expr.Any(columns...))
	require.ErrorIs(t, err, expr.ErrTooComplex)
}

func TestCompileErrors(t *testing.T) {
	e := expr.Majority(nodes("a b c")...)
	_, err := e.Compile([]string{"a", "b"})
	require.ErrorContains(t, err, `node "c" of the expression is not among`)
	_, err = e.Compile([]string{"a", "b", "c", "a"})
	require.ErrorContains(t, err, `node "a" is given twice`)
	_, err = e.Compile(make([]string, 65))
	require.ErrorContains(t, err, "65 nodes to compile for, want at most 64")
	_, err = expr.NewRule(0)
	require.ErrorContains(t, err, "rule needs 0 groups")
	_, err = expr.NewRule(1, expr.Group{Mask: 3})
	require.ErrorContains(t, err, "group 0 needs 0 votes")
}

func TestRule(t *testing.T) {
	require.Equal(t, expr.Lost, expr.Rule{}.Decide(1, 0))
	r, err := expr.NewRule(2, expr.Group{Mask: 0b011, Need: 1}, expr.Group{Mask: 0b100, Need: 1})
	require.NoError(t, err)
	require.Equal(t, expr.Pending, r.Decide(0b001, 0b010))
	require.Equal(t, expr.Won, r.Decide(0b101, 0b010))
	require.Equal(t, expr.Lost, r.Decide(0b011, 0b100))
	require.Equal(t, expr.Pending, r.Decide(0b1000, 0b10000), "strangers do not count")
	r, err = expr.NewRule(1, expr.Group{Mask: 0b11, Need: 3})
	require.NoError(t, err)
	require.Equal(t, expr.Lost, r.Decide(0, 0), "nobody can be enough")
	deep := expr.All(expr.Choose(2, append(nodes("a b"), expr.All(nodes("c d")...))...), expr.Node("e"))
	r, err = deep.Compile(names)
	require.NoError(t, err)
	require.Zero(t, testing.AllocsPerRun(100, func() { r.Decide(0b10011, 0b100) }))
	require.Equal(t, expr.Won, r.Decide(0b11001|0b100, 0b10))
}

func TestOutcomeString(t *testing.T) {
	require.Equal(t, "pending won lost Outcome(9)", strings.Join([]string{
		expr.Pending.String(), expr.Won.String(), expr.Lost.String(), expr.Outcome(9).String(),
	}, " "))
}

func TestZeroSystem(t *testing.T) {
	var s *expr.System
	require.Empty(t, s.Nodes())
	require.Error(t, s.Reads().Err())
	require.Error(t, s.Writes().Err())
	require.Empty(t, (&expr.System{}).Nodes())
}
