package expr

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"time"
)

// Strategy says with which probability to ask which quorum; [System.Optimize]
// makes one. It is immutable and safe for concurrent use; the zero Strategy
// knows no quorums.
type Strategy struct {
	system  *System
	sides   [2][]weighted // reads, writes
	touch   [2][]float64  // chance that a node is in the quorum
	bound   float64
	latency [2]float64 // mean, in seconds
	size    [2]float64 // mean
}

type weighted struct {
	set []int
	sum float64 // of the probabilities up to here
}

// strategy reads the solution off the basis: every quorum of it, with its
// probability, and what follows from them.
func (m *master) strategy() *Strategy {
	st := &Strategy{system: m.s, bound: m.bound * m.unit}
	if m.costs {
		st.bound = m.bound * m.costUnit
	}
	chance := make(map[int]float64)
	for i, j := range m.lp.basis {
		chance[j] = m.lp.x[i]
	}
	var sums [2]float64
	for _, q := range m.quorums {
		sums[q.side] += chance[q.column]
	}
	for side := range 2 {
		st.touch[side] = make([]float64, len(m.s.nodes))
		sum := 0.0
		for _, q := range m.quorums {
			p := chance[q.column] / sums[side]
			if q.side != side || p == 0 {
				continue
			}
			sum += p
			st.sides[side] = append(st.sides[side], weighted{q.set, sum})
			st.latency[side] += p * q.latency.Seconds()
			st.size[side] += p * float64(len(q.set))
			for _, x := range q.set {
				st.touch[side][x] += p
			}
		}
	}
	return st
}

// Load returns the work of the busiest node per operation when that share of
// operations, 0 to 1, is reads: the inverse of what the system bears.
func (s *Strategy) Load(readFraction float64) (load float64) {
	if s == nil || s.system == nil {
		return 0
	}
	for x := range s.system.nodes {
		load = max(load, s.nodeLoad(x, readFraction))
	}
	return load
}

func (s *Strategy) nodeLoad(x int, readFraction float64) float64 {
	read, write := s.system.capacityOf(x)
	return readFraction*s.touch[0][x]/read + (1-readFraction)*s.touch[1][x]/write
}

// LowerBound returns a value below which no strategy can bring the objective,
// the mean over the read fractions that Optimize was given: proved by prices of
// the nodes, not by the search that found the strategy.
func (s *Strategy) LowerBound() float64 {
	if s == nil {
		return 0
	}
	return s.bound
}

// Capacity returns how many operations in a unit of time the nodes bear,
// 1/Load; 0 without a load.
func (s *Strategy) Capacity(readFraction float64) float64 {
	if load := s.Load(readFraction); load > 0 {
		return 1 / load
	}
	return 0
}

// NodeLoad returns the work of one node per operation; 0 for one that is not
// in the system.
func (s *Strategy) NodeLoad(node string, readFraction float64) float64 {
	if s == nil || s.system == nil {
		return 0
	}
	if x := slices.Index(s.system.nodes, node); x >= 0 {
		return s.nodeLoad(x, readFraction)
	}
	return 0
}

// Latency returns the mean time until a quorum has answered, by WithLatency.
func (s *Strategy) Latency(readFraction float64) time.Duration {
	if s == nil {
		return 0
	}
	return time.Duration((readFraction*s.latency[0] + (1-readFraction)*s.latency[1]) * float64(time.Second))
}

// Network returns the mean number of nodes that are asked.
func (s *Strategy) Network(readFraction float64) float64 {
	if s == nil {
		return 0
	}
	return readFraction*s.size[0] + (1-readFraction)*s.size[1]
}

// Read draws the quorum to read from.
func (s *Strategy) Read(rng *rand.Rand) []string { return s.draw(0, rng) }

// Write draws the quorum to write to.
func (s *Strategy) Write(rng *rand.Rand) []string { return s.draw(1, rng) }

func (s *Strategy) draw(side int, rng *rand.Rand) []string {
	if s == nil || len(s.sides[side]) == 0 {
		return nil
	}
	quorums, p := s.sides[side], rng.Float64()
	i, _ := slices.BinarySearchFunc(quorums, p, func(q weighted, p float64) int { return cmp.Compare(q.sum, p) })
	set := quorums[min(i, len(quorums)-1)].set
	names := make([]string, len(set))
	for k, x := range set {
		names[k] = s.system.nodes[x]
	}
	return names
}

func (s *System) capacityOf(node int) (read, write float64) {
	if s.capacity == nil {
		return 1, 1
	}
	return s.capacity(s.nodes[node])
}

func (s *System) nodeLatency(node int) time.Duration {
	if s.latency == nil {
		return time.Second
	}
	return s.latency(s.nodes[node])
}

// latencyOf returns when the fastest of a set are a quorum.
func (s *System) latencyOf(side int, set []int) time.Duration {
	e := s.reads
	if side == 1 {
		e = s.writes
	}
	order := slices.Clone(set)
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(s.nodeLatency(a), s.nodeLatency(b)) })
	in := make(map[string]bool, len(set))
	for _, x := range order {
		in[s.nodes[x]] = true
		if e.root.eval(func(name string) bool { return in[name] }) {
			return s.nodeLatency(x)
		}
	}
	return 0
}
