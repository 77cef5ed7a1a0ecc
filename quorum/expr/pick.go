package expr

import (
	"cmp"
	"fmt"
	"math"
	"slices"
)

// picker finds the cheapest quorum of an expression for prices of the nodes,
// again and again: on the tree where no node appears twice, else as a shortest
// path through the diagram.
type picker struct {
	root  *gate
	index map[string]int
	d     *diagram // nil: the tree will do
	f     int32
}

// newPicker prepares for prices in the order of names.
func newPicker(e Expr, names []string) (*picker, error) {
	p := &picker{root: e.root, index: make(map[string]int, len(names))}
	for i, name := range names {
		p.index[name] = i
	}
	if e.root.size == len(e.Nodes()) && e.root.light() {
		return p, nil
	}
	p.d = newDiagram(names)
	if p.f = p.d.build(e.root); p.d.full {
		return nil, fmt.Errorf("%w: diagram of more than %d nodes", ErrTooComplex, maxDiagram)
	}
	return p, nil
}

// harden replaces the quorums by those that still hold one when any f of their
// nodes are gone: going down the diagram, a node that is in the set may be gone,
// and then one less of the others.
func (p *picker) harden(f int, e Expr, names []string) error {
	if p.d == nil {
		p.d = newDiagram(names)
		p.f = p.d.build(p.root)
	}
	memo := make(map[[2]int32]int32)
	var hard func(v, left int32) int32
	hard = func(v, left int32) int32 {
		if v <= 1 || left == 0 {
			return v
		}
		key := [2]int32{v, left}
		if r, ok := memo[key]; ok || p.d.full {
			return r
		}
		at := p.d.at[v]
		in := p.d.ite(hard(at.yes, left), hard(at.no, left-1), 0)
		r := p.d.node(vertex{at.level, hard(at.no, left), in})
		memo[key] = r
		return r
	}
	p.f = hard(p.f, int32(min(f, len(names))))
	if p.d.full {
		return fmt.Errorf("%w: diagram of more than %d nodes", ErrTooComplex, maxDiagram)
	}
	if p.f == 0 {
		return fmt.Errorf("expr: no quorum of %v holds one when %d of its nodes are gone", e, f)
	}
	return nil
}

// light reports whether tables over the weights of each gate are small.
func (g *gate) light() bool {
	if g.weights != nil && g.need > maxSize/16 {
		return false
	}
	for _, kid := range g.kids {
		if !kid.light() {
			return false
		}
	}
	return true
}

// cheapest returns a quorum whose nodes, as places in names, cost the least.
// Prices are not negative.
func (p *picker) cheapest(price []float64) (cost float64, set []int) {
	if p.d == nil {
		return p.tree(p.root, price)
	}
	costs := make([]float64, len(p.d.at))
	costs[0] = math.Inf(1)
	for i := 2; i < len(costs); i++ { // a vertex comes after those below it
		v := p.d.at[i]
		costs[i] = min(costs[v.no], costs[v.yes]+price[v.level])
	}
	for f := p.f; f > 1; {
		if v := p.d.at[f]; costs[v.no] <= costs[v.yes]+price[v.level] {
			f = v.no
		} else {
			set = append(set, int(v.level))
			f = v.yes
		}
	}
	return costs[p.f], set
}

func (p *picker) tree(g *gate, price []float64) (cost float64, set []int) {
	if len(g.kids) == 0 {
		i := p.index[g.name]
		return price[i], []int{i}
	}
	type choice struct {
		cost float64
		set  []int
	}
	kids := make([]choice, len(g.kids))
	for i, kid := range g.kids {
		kids[i].cost, kids[i].set = p.tree(kid, price)
	}
	var take []int
	if g.weights != nil {
		costs := make([]float64, len(kids))
		for i, kid := range kids {
			costs[i] = kid.cost
		}
		take = cover(g, costs)
	} else {
		order := make([]int, len(kids))
		for i := range order {
			order[i] = i
		}
		slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(kids[a].cost, kids[b].cost) })
		take = order[:g.need]
	}
	for _, i := range take {
		cost += kids[i].cost
		set = append(set, kids[i].set...)
	}
	return cost, set
}

// cover chooses members of a weighted gate that reach its threshold for the
// least cost: a knapsack, by tables over the weight that is still needed.
func cover(g *gate, costs []float64) (take []int) {
	n := len(costs)
	best := make([][]float64, n+1) // of the members from i on
	best[n] = make([]float64, g.need+1)
	for need := 1; need <= g.need; need++ {
		best[n][need] = math.Inf(1)
	}
	for i := n - 1; i >= 0; i-- {
		best[i] = make([]float64, g.need+1)
		for need := 1; need <= g.need; need++ {
			best[i][need] = min(best[i+1][need], costs[i]+best[i+1][max(need-g.weights[i], 0)])
		}
	}
	if math.IsInf(best[0][g.need], 1) { // not without one that must not be: all is as dear
		for i := range costs {
			take = append(take, i)
		}
		return take
	}
	for i, need := 0, g.need; need > 0; i++ {
		if left := max(need-g.weights[i], 0); best[i+1][need] > costs[i]+best[i+1][left] {
			take = append(take, i)
			need = left
		}
	}
	return take
}
