package expr

import (
	"errors"
	"fmt"
	"maps"
	"slices"
)

// ErrTooComplex says that an expression nests deeper than 64 gates, names nodes
// in more than 65,536 places or, where votes are counted, more than 64 different
// ones, or has a decision diagram of more than 2^20 vertices.
var ErrTooComplex = errors.New("expr: expression is too complex")

var errEmpty = errors.New("expr: expression is empty")

const (
	maxDepth  = 64      // gates inside gates
	maxSize   = 1 << 16 // places where a node is named
	maxWeight = 1 << 20
)

// Expr says which sets of nodes are quorums: a node is up to its vote, a gate
// up to the votes of its members. It is monotone: more nodes never turn a
// quorum into none.
//
// Build one by [Node], [All], [Any], [Choose], [Majority], [Weighted] and
// [Grid], or by [Parse]. The builders return no error; what is wrong with an
// expression is kept in it, and [Expr.Err], [Parse], [Expr.Compile] and
// [NewSystem] report it. A bad expression, and the zero Expr, is satisfied by
// no set.
//
// An Expr is immutable and safe for concurrent use.
type Expr struct{ root *gate }

// gate is a node (kids is empty) or a threshold: the weights of its satisfied
// members must reach need. Gates are shared between expressions, never changed.
type gate struct {
	name    string
	need    int
	kids    []*gate
	weights []int // nil: every member counts 1
	size    int   // places where a node is named
	depth   int
	err     error
}

// Node is satisfied by every set that holds the node of that name. Any text
// but the empty one is a name.
func Node(name string) Expr {
	if name == "" {
		return bad(errors.New("expr: name of a node is empty"))
	}
	return Expr{leaf(name)}
}

// All is satisfied when every member is: the whole of a row, a leader and a
// follower, a majority of the old and a majority of the new nodes.
func All(e ...Expr) Expr { return Choose(len(e), e...) }

// Any is satisfied when at least one member is.
func Any(e ...Expr) Expr {
	if len(e) == 0 {
		return bad(errors.New("expr: gate has no members"))
	}
	return Choose(1, e...)
}

// Majority is satisfied when more than half of the members are: ⌊n/2⌋+1.
func Majority(e ...Expr) Expr { return Choose(len(e)/2+1, e...) }

// Choose is satisfied when at least k of its members are, 1 ≤ k ≤ their
// number. Every member counts one, one that is given twice counts two; to give
// nodes more than one vote, [Weighted] says it better.
func Choose(k int, e ...Expr) Expr {
	kids := make([]*gate, len(e))
	for i, x := range e {
		kids[i] = x.root
	}
	return Expr{threshold(k, kids)}
}

// Weighted is satisfied when the weights of its nodes reach the limit. A weight
// is 1 to 2^20, the limit at least 1 and at most their sum.
func Weighted(limit int, weights map[string]int) Expr {
	names := slices.Sorted(maps.Keys(weights))
	kids, w, sum := make([]*gate, len(names)), make([]int, len(names)), 0
	plain := true
	for i, name := range names {
		w[i] = weights[name]
		if name == "" {
			return bad(errors.New("expr: name of a node is empty"))
		}
		if w[i] < 1 || w[i] > maxWeight {
			return bad(fmt.Errorf("expr: weight of %q is %d, want 1 to %d", name, w[i], maxWeight))
		}
		kids[i] = leaf(name)
		sum += w[i]
		plain = plain && w[i] == 1
	}
	if limit < 1 || limit > sum {
		return bad(fmt.Errorf("expr: threshold is %d, want 1 to the sum of the weights, %d", limit, sum))
	}
	if plain || len(kids) == 1 {
		return Expr{threshold(min(limit, len(kids)), kids)}
	}
	return Expr{seal(&gate{need: limit, kids: kids, weights: w})}
}

// Grid is satisfied by a whole row. Its [Expr.Dual] is satisfied by one node
// of every row, so that the two are the reads and the writes of a system.
func Grid(rows ...[]string) Expr {
	all := make([]Expr, len(rows))
	for i, row := range rows {
		nodes := make([]Expr, len(row))
		for j, name := range row {
			nodes[j] = Node(name)
		}
		all[i] = All(nodes...)
	}
	return Any(all...)
}

// Err returns what is wrong with the expression, nil if nothing is.
func (e Expr) Err() error {
	if e.root == nil {
		return errEmpty
	}
	return e.root.err
}

// Nodes returns the names in the expression, each once, in the order of their
// first appearance; none for a bad one.
func (e Expr) Nodes() []string {
	if e.Err() != nil {
		return nil
	}
	var names []string
	seen := make(map[string]bool)
	var walk func(g *gate)
	walk = func(g *gate) {
		if len(g.kids) == 0 && !seen[g.name] {
			seen[g.name] = true
			names = append(names, g.name)
		}
		for _, kid := range g.kids {
			walk(kid)
		}
	}
	walk(e.root)
	return names
}

// Dual returns the expression whose quorums are the sets that meet every
// quorum of e: "k of m" becomes "m-k+1 of m", in every gate. Reads and writes
// always meet exactly when each write quorum satisfies the dual of the reads.
// The dual of the dual is e.
func (e Expr) Dual() Expr {
	if e.Err() != nil {
		return e
	}
	return Expr{dual(e.root)}
}

func dual(g *gate) *gate {
	if len(g.kids) == 0 {
		return g
	}
	kids := make([]*gate, len(g.kids))
	for i, kid := range g.kids {
		kids[i] = dual(kid)
	}
	need := g.total() - g.need + 1
	if g.weights == nil {
		return threshold(need, kids)
	}
	return seal(&gate{need: need, kids: kids, weights: g.weights})
}

// Satisfied reports whether the nodes hold a quorum. Names that the expression
// does not have are ignored. O(size).
func (e Expr) Satisfied(nodes ...string) bool {
	return e.Err() == nil && e.root.eval(func(name string) bool { return slices.Contains(nodes, name) })
}

// Decide counts votes: [Won] when the nodes that said yes hold a quorum,
// [Lost] when the rest without those that said no cannot, else [Pending].
// Nobody who is neither in yes nor in no has voted yet. For a hot path,
// [Expr.Compile] once and call [Rule.Decide].
func (e Expr) Decide(yes, no []string) Outcome {
	switch {
	case e.Err() != nil:
		return Lost
	case e.Satisfied(yes...):
		return Won
	case !e.root.eval(func(name string) bool { return !slices.Contains(no, name) }):
		return Lost
	}
	return Pending
}

// Outcome is what a count of votes says so far; once Won or Lost, no further
// vote changes it.
type Outcome uint8

// The outcomes of Decide.
const (
	Pending Outcome = iota // the votes that are still out decide
	Won                    // a quorum said yes
	Lost                   // no quorum can say yes any more
)

// String returns "pending", "won" or "lost".
func (o Outcome) String() string {
	switch o {
	case Pending:
		return "pending"
	case Won:
		return "won"
	case Lost:
		return "lost"
	}
	return fmt.Sprintf("Outcome(%d)", uint8(o))
}
