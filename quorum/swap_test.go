package quorum_test

import (
	"fmt"
	"testing"
	"testing/synctest"

	"github.com/distkit/distkit/quorum"
	"github.com/distkit/distkit/quorum/expr"
	"github.com/stretchr/testify/require"
)

func majority(nodes string) expr.Expr {
	var all []expr.Expr
	for _, name := range nodes {
		all = append(all, expr.Node(string(name)))
	}
	return expr.Majority(all...)
}

// TestSwapSteps: the four steps by which the owners of a key change while it is
// written. In each, and between neighbors that are live at once, every read
// quorum meets every write quorum; the first and the last may miss each other.
// Each step bears that any one node is down.
func TestSwapSteps(t *testing.T) {
	before, after := majority("abc"), majority("bcd")
	both := expr.All(before, after)
	steps := []struct {
		name          string
		reads, writes expr.Expr
	}{
		{"before", before, before},
		{"writes joint", before, both},
		{"reads new", after, both}, // the data is copied, the ring swapped
		{"after", after, after},
	}
	for i := range steps {
		for j := range steps {
			_, err := expr.NewSystem(steps[i].reads, steps[j].writes)
			switch near := i - j; {
			case near >= -1 && near <= 1:
				require.NoError(t, err, "%s and %s", steps[i].name, steps[j].name)
			case steps[j].writes.String() == both.String():
				require.NoError(t, err, "joint writes meet both")
			default:
				require.ErrorIs(t, err, expr.ErrDisjoint, "%s and %s", steps[i].name, steps[j].name)
			}
		}
	}
	for _, step := range steps {
		for _, down := range []string{"a", "b", "c", "d"} {
			synctest.Test(t, func(t *testing.T) {
				sys, err := expr.NewSystem(step.reads, step.writes)
				require.NoError(t, err)
				s := newCluster()
				c := view(t, build(t, 3, 2, 2), quorum.WithSystem(sys), quorum.WithHealth(s.down(down)))
				require.True(t, c.Strict())
				_, err = quorum.Write(t.Context(), c, sys.Nodes(), s.writeOp())
				require.NoError(t, err, fmt.Sprint(step.name, " without ", down))
				_, err = quorum.Read(t.Context(), c, sys.Nodes(), s.op())
				require.NoError(t, err, fmt.Sprint(step.name, " without ", down))
				synctest.Wait()
				check(t, c)
			})
		}
	}
}
