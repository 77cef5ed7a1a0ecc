package expr

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"time"
)

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
	levels       []int     // columns of L
	unit         float64   // of loads in the program: about the least there is
	scale        []float64 // of the rows, by which slow nodes have entries like others
	costs        bool      // the objective is not the load
	costUnit     float64   // of other objectives: what the first strategy has
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
	if m.objective != MinLoad && m.limit == 0 {
		m.free()
		return nil
	}
	if err := m.setUp(); err != nil {
		return err
	}
	m.generate()
	if m.objective == MinLoad {
		return nil
	}
	if err := m.checkLimit(); err != nil {
		return err
	}
	if err := m.turnToCosts(); err != nil {
		return err
	}
	m.generate()
	return nil
}

// checkLimit returns an error if the least load exceeds the limit.
func (m *master) checkLimit() error {
	for _, f := range m.frac {
		if least := m.strategy().Load(f); least > m.limit {
			if len(m.frac) > 1 {
				return fmt.Errorf("expr: load limit is %g, the strategy of the least load has %g at a read fraction of %g", m.limit, least, f)
			}
			return fmt.Errorf("expr: load limit is %g, the least load is %g", m.limit, least)
		}
	}
	return nil
}

// turnToCosts makes the program one of the other objective: a load costs nothing
// any more and gets a row that limits it, and a quorum costs what the objective
// says, in units of what the strategy of the least load has.
func (m *master) turnToCosts() error {
	m.costs, m.bound, m.costUnit = true, 0, 1
	first := 0.0
	for _, q := range m.quorums {
		if i := slices.Index(m.lp.basis, q.column); i >= 0 {
			first += m.lp.x[i] * m.cost(q.side, q.set, q.latency)
		}
	}
	if first > 0 {
		m.costUnit = first
	}
	basis := m.lp.basis
	for _, level := range m.levels {
		row := len(m.lp.b)
		m.lp.b = append(m.lp.b, m.limit/m.unit)
		c := &m.lp.cols[level]
		c.cost, c.row, c.val = 0, append(c.row, row), append(c.val, 1)
		basis = append(basis, m.lp.add(column{row: []int{row}, val: []float64{1}}))
	}
	for _, q := range m.quorums {
		m.lp.cols[q.column].cost = m.cost(q.side, q.set, q.latency)
	}
	if !m.lp.start(basis) {
		return errUneven
	}
	return nil
}

// free is the solution where the load does not matter: on each side the one
// quorum that costs the least.
func (m *master) free() {
	m.unit, m.costs, m.costUnit = 1, true, 1
	for side := range 2 {
		cost, set := m.cheapest(side, make([]float64, len(m.s.nodes)))
		m.bound += cost
		m.lp.basis, m.lp.x = append(m.lp.basis, m.add(side, set)), append(m.lp.x, 1)
	}
}

func (m *master) row(f, node int) int { return 2 + f*len(m.s.nodes) + node }

// errUneven is what the arithmetic of a program cannot be trusted with.
var errUneven = errors.New("expr: capacities are too uneven, want the least within 10^-12 of what the quorums need")

// setUp begins with one quorum on each side, and the levels that they need.
func (m *master) setUp() error {
	n := len(m.s.nodes)
	m.lp.b = make([]float64, 2+n*len(m.frac))
	m.lp.b[0], m.lp.b[1] = 1, 1
	sets, err := m.leastWork()
	if err != nil {
		return err
	}
	m.scale = make([]float64, n*len(m.frac))
	for f := range m.frac {
		for x := range n {
			m.scale[f*n+x] = 1 / max(1, m.work(0, f, x), m.work(1, f, x))
		}
	}
	basis := make([]int, len(m.lp.b))
	for side, set := range sets {
		basis[side] = m.add(side, set)
	}
	for f := range m.frac {
		m.addLevel(f, basis)
	}
	if !m.lp.start(basis) {
		return errUneven
	}
	return nil
}

// leastWork returns the quorum of each side that is the least work in all, and
// makes their work the unit of the program, whatever the unit of capacities is: no
// strategy has a load that is less than it shared out to all nodes, nor need one
// have more than all of it.
func (m *master) leastWork() (sets [2][]int, err error) {
	m.unit = 1
	least, most := 0.0, 0.0
	for side := range 2 {
		price := make([]float64, len(m.s.nodes))
		for x := range price {
			for f, w := range m.weight {
				price[x] += w * m.work(side, f, x)
				most = max(most, m.work(side, f, x))
			}
		}
		var work float64
		work, sets[side] = m.pick[side].cheapest(price)
		least += work
	}
	if !(least > 0) || math.IsInf(least, 1) || most/least > 1e12 {
		return sets, errUneven
	}
	m.unit = least
	return sets, nil
}

// addLevel adds the load at a fraction, and what each node has left to it. In the
// basis the row of the busiest node has the load, and those of others what they
// have left: that is feasible.
func (m *master) addLevel(f int, basis []int) {
	n := len(m.s.nodes)
	busy, most := 0, -1.0
	level := column{cost: m.weight[f]}
	for x := range n {
		row := m.row(f, x)
		level.row, level.val = append(level.row, row), append(level.val, -m.scale[f*n+x])
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

// work is the load that a node bears for being in every quorum of a side, in
// units of the program.
func (m *master) work(side, f, node int) float64 {
	read, write := m.s.capacityOf(node)
	if side == 0 {
		return m.frac[f] / read / m.unit
	}
	return (1 - m.frac[f]) / write / m.unit
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
		return m.share(side) * float64(len(set)) / m.costUnit
	}
	return m.share(side) * latency.Seconds() / m.costUnit
}

// add makes a column of a quorum.
func (m *master) add(side int, set []int) int {
	slices.Sort(set)
	q := quorumColumn{side: side, set: set, latency: m.s.latencyOf(side, set)}
	c := column{cost: m.cost(side, set, q.latency), row: []int{side}, val: []float64{1}}
	for f := range m.frac {
		for _, x := range set {
			if w := m.work(side, f, x); w > 0 && m.scale != nil {
				c.row, c.val = append(c.row, m.row(f, x)), append(c.val, w*m.scale[f*len(m.s.nodes)+x])
			}
		}
	}
	q.column = m.lp.add(c)
	m.quorums = append(m.quorums, q)
	return q.column
}
