package expr_test

import (
	"fmt"

	"github.com/distkit/distkit/quorum/expr"
)

func ExampleExpr() {
	e, err := expr.Parse("a*b + choose2(c, d, e)")
	if err != nil {
		panic(err)
	}
	fmt.Println(e.Satisfied("a", "c"), e.Satisfied("c", "e"))
	fmt.Println("meets each of them:", e.Dual())
	// Output:
	// false true
	// meets each of them: (a + b)*choose2(c, d, e)
}

func ExampleExpr_Decide() {
	e := expr.Majority(expr.Node("a"), expr.Node("b"), expr.Node("c"))
	fmt.Println(e.Decide([]string{"a"}, []string{"b"}))
	fmt.Println(e.Decide([]string{"a"}, []string{"b", "c"}))
	// Output:
	// pending
	// lost
}

func ExampleOutcome() {
	fmt.Println(expr.Pending, expr.Won, expr.Lost)
	// Output: pending won lost
}

// The writes of a replicated state machine while its members change: a
// majority of the old and a majority of the new.
func ExampleRule() {
	old := expr.Majority(expr.Node("a"), expr.Node("b"), expr.Node("c"))
	joint := expr.All(old, expr.Majority(expr.Node("c"), expr.Node("d"), expr.Node("e")))
	rule, err := joint.Compile([]string{"a", "b", "c", "d", "e"})
	if err != nil {
		panic(err)
	}
	fmt.Println(rule.Decide(0b00111, 0), rule.Decide(0b01101, 0), rule.Decide(0b00111, 0b11000))
	// Output: pending won lost
}

// Two of three zones, a majority in each: voters 0 to 2, 3 to 5 and 6 to 8.
func ExampleGroup() {
	rule, err := expr.NewRule(2,
		expr.Group{Mask: 0b000_000_111, Need: 2},
		expr.Group{Mask: 0b000_111_000, Need: 2},
		expr.Group{Mask: 0b111_000_000, Need: 2})
	if err != nil {
		panic(err)
	}
	fmt.Println(rule.Decide(0b001_001_011, 0), rule.Decide(0b110_001_011, 0))
	// Output: pending won
}

// The three models of replication with reads from any one node.
func ExampleSystem() {
	reads, _ := expr.Parse("leader + f1 + f2")
	for _, writes := range []string{"leader*f1*f2", "leader*(f1 + f2)", "leader"} {
		w, _ := expr.Parse(writes)
		if _, err := expr.NewSystem(reads, w); err != nil {
			fmt.Println(err)
			continue
		}
		fmt.Println(writes, "is safe")
	}
	// Output:
	// leader*f1*f2 is safe
	// expr: reads and writes need not meet: read quorum f2 and write quorum f1*leader
	// expr: reads and writes need not meet: read quorum f1 and write quorum leader
}

// A grid reads a row and writes a node of every row.
func ExampleGrid() {
	reads := expr.Grid([]string{"a", "b", "c"}, []string{"d", "e", "f"})
	system, err := expr.NewSystem(reads, reads.Dual())
	if err != nil {
		panic(err)
	}
	fmt.Println("read", system.Reads())
	fmt.Println("write", system.Writes())
	// Output:
	// read a*b*c + d*e*f
	// write (a + b + c)*(d + e + f)
}

// Three replicas, each of which is up 99.9 % of the time.
func ExampleExpr_Availability() {
	abc := []expr.Expr{expr.Node("a"), expr.Node("b"), expr.Node("c")}
	fail := func(string) float64 { return 0.001 }
	fmt.Printf("any  %.9f\n", expr.Any(abc...).Availability(fail))
	fmt.Printf("two  %.9f\n", expr.Majority(abc...).Availability(fail))
	fmt.Printf("all  %.9f\n", expr.All(abc...).Availability(fail))
	// Output:
	// any  0.999999999
	// two  0.999997002
	// all  0.997002999
}

func ExampleExpr_Quorums() {
	e, _ := expr.Parse("leader*(f1 + f2)")
	for q := range e.Quorums() {
		fmt.Println(q)
	}
	fmt.Println("may lose", e.Resilience())
	// Output:
	// [leader f1]
	// [leader f2]
	// may lose 0
}

// The busiest of 63 nodes does 32/63 of the work, and no strategy does better.
func ExampleSystem_Optimize() {
	var all []expr.Expr
	for i := range 63 {
		all = append(all, expr.Node(fmt.Sprint("n", i)))
	}
	system, err := expr.NewSystem(expr.Majority(all...), expr.Majority(all...))
	if err != nil {
		panic(err)
	}
	st, err := system.Optimize(0.5)
	if err != nil {
		panic(err)
	}
	fmt.Printf("load %.6f, proved %.6f\n", st.Load(0.5), st.LowerBound())
	// Output: load 0.507937, proved 0.507937
}

// The least load and the fewest messages are two different strategies.
func ExampleObjective() {
	reads, _ := expr.Parse("a + b*c")
	system, err := expr.NewSystem(reads, reads.Dual())
	if err != nil {
		panic(err)
	}
	for _, o := range []expr.Objective{expr.MinLoad, expr.MinNetwork} {
		st, err := system.Optimize(1, expr.WithObjective(o))
		if err != nil {
			panic(err)
		}
		fmt.Printf("load %.2f, nodes asked %.2f\n", st.Load(1), st.Network(1))
	}
	// Output:
	// load 0.50, nodes asked 1.50
	// load 1.00, nodes asked 1.00
}

// Few messages, but no node in more than 60 % of them.
func ExampleOptimizeOption() {
	reads, _ := expr.Parse("a + b*c")
	system, err := expr.NewSystem(reads, reads.Dual())
	if err != nil {
		panic(err)
	}
	st, err := system.Optimize(1, expr.WithObjective(expr.MinNetwork), expr.WithLoadLimit(.6))
	if err != nil {
		panic(err)
	}
	fmt.Printf("load %.2f, nodes asked %.2f\n", st.Load(1), st.Network(1))
	// Output: load 0.60, nodes asked 1.40
}

// Node a bears twice as much as the others: it is in every quorum, b and c in every
// other.
func ExampleSystemOption() {
	m := expr.Majority(expr.Node("a"), expr.Node("b"), expr.Node("c"))
	system, err := expr.NewSystem(m, m, expr.WithCapacity(func(node string) (read, write float64) {
		if node == "a" {
			return 2000, 2000
		}
		return 1000, 1000
	}))
	if err != nil {
		panic(err)
	}
	st, err := system.Optimize(.5)
	if err != nil {
		panic(err)
	}
	fmt.Printf("%.0f operations a second; of the capacity of a %.2f, of b %.2f\n",
		st.Capacity(.5), st.Capacity(.5)*st.NodeLoad("a", .5), st.Capacity(.5)*st.NodeLoad("b", .5))
	// Output: 2000 operations a second; of the capacity of a 1.00, of b 1.00
}

func ExampleStrategy() {
	reads := expr.Grid([]string{"a", "b", "c"}, []string{"d", "e", "f"})
	system, _ := expr.NewSystem(reads, reads.Dual())
	st, err := system.Optimize(0.5)
	if err != nil {
		panic(err)
	}
	fmt.Printf("load %.4f capacity %.1f\n", st.Load(0.5), st.Capacity(0.5))
	// Output: load 0.4167 capacity 2.4
}
