package expr_test

import (
	"testing"

	"github.com/distkit/distkit/quorum/expr"
	"github.com/stretchr/testify/require"
)

// FuzzParse holds that what Parse accepts prints to something that Parse reads
// as the same expression, and that its dual meets it.
func FuzzParse(f *testing.F) {
	for _, in := range []string{
		"a", "a*b+c", "choose2(a, b*c, d)", "majority(a,b,c)*majority(c,d,e)", "weighted3(a=2,b=1,c=1)",
		`"10 0"*x`, "((a))", "a*(b+c)*choose2(a,a,b)", "", "a*", "choose9(a)", `"\xff"`, "leader*(f1 + f2)",
	} {
		f.Add(in)
	}
	f.Fuzz(func(t *testing.T, in string) {
		e, err := expr.Parse(in)
		if err != nil {
			require.Error(t, e.Err())
			return
		}
		again, err := expr.Parse(e.String())
		require.NoError(t, err, e.String())
		require.Equal(t, e.String(), again.String())
		require.Equal(t, e.Nodes(), again.Nodes())
		require.Equal(t, e.String(), e.Dual().Dual().String())
		require.True(t, e.Satisfied(e.Nodes()...))
		require.False(t, e.Satisfied())
		rule, err := e.Compile(e.Nodes())
		require.NoError(t, err)
		require.Equal(t, expr.Won, rule.Decide(^uint64(0), 0))
		if len(in) < 200 {
			if _, err := expr.NewSystem(e, e.Dual()); err != nil {
				require.ErrorIs(t, err, expr.ErrTooComplex)
			}
		}
	})
}
