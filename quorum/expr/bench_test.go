package expr_test

import (
	"fmt"
	"testing"

	"github.com/distkit/distkit/quorum/expr"
)

func majorityOf(n int) expr.Expr {
	var all []expr.Expr
	for i := range n {
		all = append(all, expr.Node(fmt.Sprint("n", i)))
	}
	return expr.Majority(all...)
}

func BenchmarkDecide(b *testing.B) {
	for _, n := range []int{3, 5, 9} {
		b.Run(fmt.Sprintf("n=%d", n), func(b *testing.B) {
			e := majorityOf(n)
			r, err := e.Compile(e.Nodes())
			if err != nil {
				b.Fatal(err)
			}
			yes := uint64(1)
			for b.Loop() {
				if r.Decide(yes, 2) == expr.Won {
					b.Fatal("won")
				}
			}
		})
	}
}

func BenchmarkAvailability(b *testing.B) {
	e := majorityOf(63)
	for b.Loop() {
		e.Availability(always(.01))
	}
}

func BenchmarkNewSystem(b *testing.B) {
	for _, n := range []int{5, 15, 63} {
		b.Run(fmt.Sprintf("n=%d", n), func(b *testing.B) {
			e := majorityOf(n)
			for b.Loop() {
				if _, err := expr.NewSystem(e, e); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
