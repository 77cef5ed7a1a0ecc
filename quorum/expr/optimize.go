package expr

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"time"
)

// Objective is what a strategy makes small.
type Objective uint8

// The objectives of Optimize.
const (
	MinLoad    Objective = iota // the share of the work of the busiest node
	MinLatency                  // the mean time until a quorum has answered
	MinNetwork                  // the mean number of nodes that are asked
)

// OptimizeOption configures [System.Optimize].
type OptimizeOption func(*goal)

type goal struct {
	objective  Objective
	limit      float64 // 0: none
	resilience int
	fractions  map[float64]float64
	err        error
}

// WithObjective sets what is made small. Default MinLoad.
func WithObjective(o Objective) OptimizeOption { return func(g *goal) { g.objective = o } }

// WithLoadLimit bounds the load, > 0, while another objective than MinLoad is
// made small.
func WithLoadLimit(load float64) OptimizeOption {
	return func(g *goal) {
		if g.limit = load; !(load > 0) || math.IsInf(load, 1) {
			g.err = fmt.Errorf("expr: load limit is %g, want > 0", load)
		}
	}
}

// WithResilience asks so many nodes more that every quorum of the strategy
// still holds a quorum when any f of its nodes do not answer. Default 0. It does
// not go with MinLatency, for whom to wait is another question then.
func WithResilience(f int) OptimizeOption {
	return func(g *goal) {
		if g.resilience = f; f < 0 {
			g.err = fmt.Errorf("expr: resilience is %d, want 0 or more", f)
		}
	}
}

// WithReadFractions replaces the one read fraction by several, each with the
// weight of how often it holds: one strategy for all, with the least mean.
func WithReadFractions(weights map[float64]float64) OptimizeOption {
	return func(g *goal) { g.fractions = maps.Clone(weights) }
}

const (
	gap        = 1e-9 // between the strategy and its bound
	maxColumns = 20_000
)

// Optimize returns the strategy, a probability for each quorum, that makes the
// objective small when that share of operations, 0 to 1, is reads.
//
// There are too many quorums to list. The linear program is solved over a few,
// and the prices that it puts on the nodes tell which quorum is worth adding:
// the cheapest (column generation; Ford and Fulkerson 1958). The same prices
// prove how good the result is, for no strategy can do better than the cheapest
// quorums under any prices: [Strategy.LowerBound]. Majorities of 63 nodes take
// milliseconds.
//
// ErrTooComplex says that a diagram is too large. It is an error, too, if no
// quorum is as resilient as asked or no strategy keeps the load limit.
func (s *System) Optimize(readFraction float64, opts ...OptimizeOption) (*Strategy, error) {
	g := goal{}
	for _, opt := range opts {
		opt(&g)
	}
	if g.err != nil {
		return nil, g.err
	}
	if s == nil || len(s.nodes) == 0 {
		return nil, errEmpty
	}
	if g.fractions == nil {
		g.fractions = map[float64]float64{readFraction: 1}
	}
	m := &master{s: s, goal: g}
	if err := m.fractions(); err != nil {
		return nil, err
	}
	switch {
	case g.objective > MinNetwork:
		return nil, fmt.Errorf("expr: objective is %d, want MinLoad, MinLatency or MinNetwork", g.objective)
	case g.objective == MinLatency && g.resilience > 0:
		return nil, fmt.Errorf("expr: resilience of %d beside MinLatency, want another objective", g.resilience)
	case g.objective == MinLoad && g.limit > 0:
		return nil, fmt.Errorf("expr: load limit of %g beside MinLoad, want another objective", g.limit)
	}
	for i, e := range []Expr{s.reads, s.writes} {
		var err error
		if m.pick[i], err = newPicker(e, s.nodes); err == nil && g.resilience > 0 {
			err = m.pick[i].harden(g.resilience, e, s.nodes)
		}
		if err != nil {
			return nil, err
		}
	}
	if err := m.solve(); err != nil {
		return nil, err
	}
	return m.strategy(), nil
}

// master is the linear program: rows for the sums of the reads' and of the
// writes' probabilities, a row for each fraction and node, "load - L ≤ 0", and
// one for each fraction with a limit, "L ≤ limit".
type master struct {
	s *System
	goal
	frac, weight []float64
	pick         [2]*picker // reads, writes
	lp           simplex
	quorums      []quorumColumn
	levels       []int // columns of L
	costs        bool  // the objective is not the load
	bound        float64
}

// quorumColumn is a column that is a quorum.
type quorumColumn struct {
	column, side int
	set          []int
	latency      time.Duration
}

func (m *master) fractions() error {
	sum := 0.0
	for _, f := range slices.Sorted(maps.Keys(m.goal.fractions)) {
		w := m.goal.fractions[f]
		if !(f >= 0 && f <= 1) {
			return fmt.Errorf("expr: read fraction is %g, want 0 to 1", f)
		}
		if !(w >= 0) || math.IsInf(w, 1) {
			return fmt.Errorf("expr: weight of read fraction %g is %g, want 0 or more", f, w)
		}
		if w > 0 {
			m.frac, m.weight = append(m.frac, f), append(m.weight, w)
			sum += w
		}
	}
	if !(sum > 0) || math.IsInf(sum, 1) {
		return fmt.Errorf("expr: weights of the read fractions sum to %g, want > 0", sum)
	}
	for i := range m.weight {
		m.weight[i] /= sum
	}
	return nil
}

// solve makes the load small, and then the other objective, if there is one,
// from there.
func (m *master) solve() error {
	m.setUp()
	if err := m.generate(); err != nil {
		return err
	}
	if m.objective == MinLoad {
		return nil
	}
	for _, f := range m.frac {
		if least := m.strategy().Load(f); m.limit > 0 && least > m.limit {
			if len(m.frac) > 1 {
				return fmt.Errorf("expr: load limit is %g, the strategy of the least load has %g at a read fraction of %g", m.limit, least, f)
			}
			return fmt.Errorf("expr: load limit is %g, the least load is %g", m.limit, least)
		}
	}
	m.costs, m.bound = true, 0
	basis := m.lp.basis
	for _, level := range m.levels {
		m.lp.cols[level].cost = 0
		if m.limit == 0 {
			continue
		}
		row := len(m.lp.b)
		m.lp.b = append(m.lp.b, m.limit)
		c := &m.lp.cols[level]
		c.row, c.val = append(c.row, row), append(c.val, 1)
		basis = append(basis, m.lp.add(column{row: []int{row}, val: []float64{1}}))
	}
	for _, q := range m.quorums {
		m.lp.cols[q.column].cost = m.cost(q.side, q.set, q.latency)
	}
	if !m.lp.start(basis) {
		return fmt.Errorf("expr: basis is singular")
	}
	return m.generate()
}

func (m *master) row(f, node int) int { return 2 + f*len(m.s.nodes) + node }

// setUp begins with one quorum on each side, and the levels that they need.
func (m *master) setUp() {
	n := len(m.s.nodes)
	m.lp.b = make([]float64, 2+n*len(m.frac))
	m.lp.b[0], m.lp.b[1] = 1, 1
	even := make([]float64, n)
	for i := range even {
		even[i] = 1
	}
	basis := make([]int, len(m.lp.b))
	for side := range 2 {
		_, set := m.pick[side].cheapest(even)
		basis[side] = m.add(side, set)
	}
	for f := range m.frac {
		busy, most := 0, -1.0
		level := column{cost: m.weight[f]}
		for x := range n {
			row := m.row(f, x)
			level.row, level.val = append(level.row, row), append(level.val, -1)
			basis[row] = m.lp.add(column{row: []int{row}, val: []float64{1}})
			load := 0.0
			for _, q := range m.quorums {
				if slices.Contains(q.set, x) {
					load += m.work(q.side, f, x)
				}
			}
			if load > most {
				busy, most = row, load
			}
		}
		basis[busy] = m.lp.add(level)
		m.levels = append(m.levels, basis[busy])
	}
	m.lp.start(basis)
}

// work is the load that a node bears for being in every quorum of a side.
func (m *master) work(side, f, node int) float64 {
	read, write := m.s.capacityOf(node)
	if side == 0 {
		return m.frac[f] / read
	}
	return (1 - m.frac[f]) / write
}

// share is the part of operations that is on a side.
func (m *master) share(side int) (sum float64) {
	for f, w := range m.weight {
		if side == 0 {
			sum += w * m.frac[f]
		} else {
			sum += w * (1 - m.frac[f])
		}
	}
	return sum
}

// cost is what a quorum adds to an objective that is not the load.
func (m *master) cost(side int, set []int, latency time.Duration) float64 {
	switch {
	case !m.costs:
		return 0
	case m.objective == MinNetwork:
		return m.share(side) * float64(len(set))
	}
	return m.share(side) * latency.Seconds()
}

// add makes a column of a quorum.
func (m *master) add(side int, set []int) int {
	slices.Sort(set)
	q := quorumColumn{side: side, set: set, latency: m.s.latencyOf(side, set)}
	c := column{cost: m.cost(side, set, q.latency), row: []int{side}, val: []float64{1}}
	for f := range m.frac {
		for _, x := range set {
			if w := m.work(side, f, x); w > 0 {
				c.row, c.val = append(c.row, m.row(f, x)), append(c.val, w)
			}
		}
	}
	q.column = m.lp.add(c)
	m.quorums = append(m.quorums, q)
	return q.column
}

// generate adds quorums that the prices ask for until none is worth it, or the
// bound proves that the rest does not matter.
func (m *master) generate() error {
	for len(m.quorums) < maxColumns {
		if !m.lp.improve() {
			break
		}
		value := 0.0
		for i, j := range m.lp.basis {
			value += m.lp.x[i] * m.lp.cols[j].cost
		}
		bound, added := m.demand()
		m.bound = max(m.bound, bound)
		if value-m.bound <= gap*value || !added {
			break
		}
	}
	return nil
}

// demand finds the cheapest quorums under the prices of the nodes, adds those
// that are worth it, and returns the bound that the prices prove.
func (m *master) demand() (bound float64, added bool) {
	n := len(m.s.nodes)
	y := make([]float64, n*len(m.frac)) // prices: ≥ 0, and for the load they sum to the weight
	for f := range m.frac {
		sum := 0.0
		for x := range n {
			y[f*n+x] = max(-m.lp.dual[m.row(f, x)], 0)
			sum += y[f*n+x]
		}
		for x := range n {
			if !m.costs {
				y[f*n+x] *= m.weight[f] / sum
			} else {
				bound -= y[f*n+x] * m.limit
			}
		}
	}
	for side := range 2 {
		price := make([]float64, n)
		for f := range m.frac {
			for x := range n {
				price[x] += y[f*n+x] * m.work(side, f, x)
			}
		}
		total, set := m.cheapest(side, price)
		bound += total
		if total < m.lp.dual[side]-tiny {
			m.add(side, set)
			added = true
		}
	}
	return bound, added
}

// cheapest adds to the prices what the objective costs. The latency of a quorum
// is that of the slowest node that it waits for: with each node as the slowest,
// the rest is the cheapest among those that are not slower.
func (m *master) cheapest(side int, price []float64) (best float64, set []int) {
	if !m.costs {
		return m.pick[side].cheapest(price)
	}
	if m.objective == MinNetwork {
		for x := range price {
			price[x] += m.share(side)
		}
		return m.pick[side].cheapest(price)
	}
	best = math.Inf(1)
	for x := range price {
		slowest := m.s.nodeLatency(x)
		fast := slices.Clone(price)
		for z := range fast {
			if m.s.nodeLatency(z) > slowest {
				fast[z] = math.Inf(1)
			}
		}
		total, q := m.pick[side].cheapest(fast)
		if total += m.share(side) * slowest.Seconds(); total < best {
			best, set = total, q
		}
	}
	return best, set
}
