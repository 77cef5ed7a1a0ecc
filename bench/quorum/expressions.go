package quorum

import (
	"math/rand/v2"
	"time"

	"github.com/distkit/distkit/bench/bar"
	"github.com/distkit/distkit/quorum/expr"
	raft "go.etcd.io/raft/v3/quorum"
)

func expressionBars() []bar.Bar {
	all := majorityOf(63)
	return []bar.Bar{
		{Name: "Rule.Decide/n=9", Ours: rule(9), Peer: votes(9), Limit: 0.15},
		{
			Name: "Optimize a majority/n=15", // a thousandth of the 79 s that quoracle takes
			Ours: side("distkit", func() uint64 { return uint64(optimize(15).Load(.5) * 1e9) }),
			Plus: 79e6, Allocs: bar.AnyAllocs,
		},
		{
			Name: "Availability of a majority/n=63",
			Ours: side("distkit", func() uint64 {
				return uint64(all.Availability(func(string) float64 { return .01 }) * 1e9)
			}),
			Plus: 1e6, Allocs: bar.AnyAllocs,
		},
	}
}

func strategyFigures() []bar.Figure {
	return []bar.Figure{
		{Name: "Optimize a majority/n=63", Unit: "s", Limit: 2, Measure: func() float64 {
			start := time.Now()
			optimize(63)
			return time.Since(start).Seconds()
		}},
		{Name: "Load above the proved bound/n=63", Unit: "%", Limit: 1e-7, Measure: func() float64 {
			st := optimize(63)
			return 100 * (st.Load(.5) - st.LowerBound()) / st.Load(.5)
		}},
	}
}

func majorityOf(n int) expr.Expr {
	var all []expr.Expr
	for _, name := range names(n) {
		all = append(all, expr.Node(name))
	}
	return expr.Majority(all...)
}

func optimize(n int) *expr.Strategy {
	m := majorityOf(n)
	return check(check(expr.NewSystem(m, m)).Optimize(.5))
}

// ballots are votes of n: each one yes, no or still out.
func ballots(n int) (masks [][2]uint64, maps []map[uint64]bool) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 64 {
		var mask [2]uint64
		m := map[uint64]bool{}
		for i := range n {
			switch rng.IntN(3) {
			case 0:
				mask[0] |= 1 << i
				m[uint64(i)+1] = true
			case 1:
				mask[1] |= 1 << i
				m[uint64(i)+1] = false
			}
		}
		masks, maps = append(masks, mask), append(maps, m)
	}
	return masks, maps
}

func rule(n int) bar.Side {
	m := majorityOf(n)
	r := check(m.Compile(m.Nodes()))
	masks, _ := ballots(n)
	i := 0
	return side("distkit", func() uint64 {
		i++
		v := masks[i%len(masks)]
		return uint64(r.Decide(v[0], v[1]))
	})
}

func votes(n int) bar.Side {
	config := raft.MajorityConfig{}
	for i := range n {
		config[uint64(i)+1] = struct{}{}
	}
	_, maps := ballots(n)
	i := 0
	return side("etcd raft", func() uint64 {
		i++
		return uint64(config.VoteResult(maps[i%len(maps)]))
	})
}
