package expr

import (
	"iter"
	"math"
)

// Quorums iterates over the minimal quorums, each once: those from which no
// node can be taken away. They come in the order of [Expr.Nodes], as words in a
// dictionary. There may be very many (9·10¹⁷ of a majority of 63): stop when it
// is enough. A bad expression has none, and one whose diagram is too large
// (see [ErrTooComplex]) shows none.
func (e Expr) Quorums() iter.Seq[[]string] {
	return func(yield func([]string) bool) {
		if e.Err() != nil {
			return
		}
		names := e.Nodes()
		d := newDiagram(names)
		m := d.minimal(d.build(e.root))
		if d.full {
			return
		}
		var set []string
		var walk func(f int32) bool
		walk = func(f int32) bool {
			if f <= 1 {
				return f == 0 || yield(append([]string(nil), set...))
			}
			v := d.at[f]
			set = append(set, names[v.level])
			ok := walk(v.yes)
			set = set[:len(set)-1]
			return ok && walk(v.no)
		}
		walk(m)
	}
}

// minimal turns the diagram of a monotone function into one of its minimal
// sets, which is read differently: a node that a path does not ask about is not
// in the set. A set with the node v is minimal if the rest is minimal for the
// function with v, and not enough without v (Rauzy 1993).
func (d *diagram) minimal(f int32) int32 {
	memo := make(map[int32]int32)
	without := make(map[[2]int32]int32)
	var min func(f int32) int32
	min = func(f int32) int32 {
		if f <= 1 {
			return f
		}
		if m, ok := memo[f]; ok || d.full {
			return m
		}
		v := d.at[f]
		m := d.set(v.level, min(v.no), d.without(min(v.yes), v.no, without))
		memo[f] = m
		return m
	}
	return min(f)
}

// without returns the sets of m that do not satisfy f.
func (d *diagram) without(m, f int32, memo map[[2]int32]int32) int32 {
	switch {
	case m == 0 || f == 1:
		return 0
	case f == 0:
		return m
	}
	key := [2]int32{m, f}
	if r, ok := memo[key]; ok || d.full {
		return r
	}
	d.full = d.full || len(memo) >= 4*maxDiagram
	a, b := d.at[m], d.at[f]
	var r int32
	switch {
	case b.level < a.level: // no set of m has that node
		r = d.without(m, b.no, memo)
	case a.level < b.level:
		r = d.set(a.level, d.without(a.no, f, memo), d.without(a.yes, f, memo))
	default:
		r = d.set(a.level, d.without(a.no, b.no, memo), d.without(a.yes, b.yes, memo))
	}
	memo[key] = r
	return r
}

// set is the sets of no, and those of yes with the node of the level.
func (d *diagram) set(level, no, yes int32) int32 {
	if yes == 0 {
		return no
	}
	return d.intern(vertex{level, no, yes})
}

// Resilience returns how many nodes may fail, whichever they are, so that those
// left hold a quorum: one less than the smallest set that meets every quorum.
// -1 for a bad expression. It is exact; where a node appears more than once it
// takes a diagram, and -1 says that this is too large.
func (e Expr) Resilience() int {
	if e.Err() != nil {
		return -1
	}
	dual := e.Dual()
	names := dual.Nodes()
	p, err := newPicker(dual, names)
	if err != nil {
		return -1
	}
	price := make([]float64, len(names))
	for i := range price {
		price[i] = 1
	}
	_, set := p.cheapest(price)
	return len(set) - 1
}

// Availability returns the chance that the nodes that have not failed hold a
// quorum, when each fails independently with the probability fail(node). It is
// exact: it counts every set, in O(n²) where no node appears twice, else in one
// pass over the diagram. NaN for a probability outside [0, 1], and where the
// diagram is too large; 0 for a bad expression.
func (e Expr) Availability(fail func(node string) float64) float64 {
	if e.Err() != nil {
		return 0
	}
	names := e.Nodes()
	up := make(map[string]float64, len(names))
	for _, name := range names {
		p := fail(name)
		if !(p >= 0 && p <= 1) {
			return math.NaN()
		}
		up[name] = 1 - p
	}
	if e.root.size == len(names) && e.root.light() { // each once: the members of a gate are independent
		return e.root.availability(up)
	}
	d := newDiagram(names)
	f := d.build(e.root)
	if d.full {
		return math.NaN()
	}
	p := make([]float64, len(d.at))
	p[1] = 1
	for i := 2; i < len(d.at); i++ { // a vertex comes after those below it
		v := d.at[i]
		up := up[names[v.level]]
		p[i] = up*p[v.yes] + (1-up)*p[v.no]
	}
	return p[f]
}

// availability is the chance that the weights of satisfied members reach need:
// chance[w] is that they come to w, all from need on in one.
func (g *gate) availability(up map[string]float64) float64 {
	if len(g.kids) == 0 {
		return up[g.name]
	}
	chance := make([]float64, g.need+1)
	chance[0] = 1
	for i, kid := range g.kids {
		p, w := kid.availability(up), g.weight(i)
		for have := g.need; have >= 0; have-- {
			gain := p * chance[have]
			if have < g.need {
				chance[have] -= gain
				chance[min(have+w, g.need)] += gain
			}
		}
	}
	return chance[g.need]
}
