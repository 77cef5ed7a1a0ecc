package expr

import (
	"math"
	"slices"
)

const (
	gap        = 1e-9 // between the strategy and its bound
	maxColumns = 20_000
)

// generate adds quorums that the prices ask for until none is worth it, or the
// bound proves that the rest does not matter.
func (m *master) generate() {
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
}

// demand finds the cheapest quorums under the prices of the nodes, adds those
// that are worth it, and returns the bound that the prices prove.
func (m *master) demand() (bound float64, added bool) {
	n := len(m.s.nodes)
	y := make([]float64, n*len(m.frac)) // prices: ≥ 0, and for the load they sum to the weight
	for f := range m.frac {
		sum := 0.0
		for x := range n {
			y[f*n+x] = max(-m.lp.dual[m.row(f, x)], 0) * m.scale[f*n+x]
			sum += y[f*n+x]
		}
		for x := range n {
			if !m.costs {
				y[f*n+x] *= m.weight[f] / sum
			} else {
				bound -= y[f*n+x] * m.limit / m.unit
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
			price[x] += m.share(side) / m.costUnit
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
		if total += m.share(side) * slowest.Seconds() / m.costUnit; total < best {
			best, set = total, q
		}
	}
	return best, set
}
