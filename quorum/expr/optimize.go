package expr

import (
	"fmt"
	"maps"
	"math"
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
// quorum is as resilient as asked, no strategy keeps the load limit, or capacities
// differ so much (by 10^12) that the arithmetic could not be trusted.
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
