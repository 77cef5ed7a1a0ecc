package hll

import (
	"github.com/apache/datasketches-go/hll"
	"github.com/axiomhq/hyperloglog"
	"github.com/distkit/distkit/bench/bar"
	distkit "github.com/distkit/distkit/hll"
)

// estimates are the bars of one estimate of a million keys.
func estimates() []bar.Bar {
	ours := bar.Side{Impl: "distkit", New: func() func(int) uint64 { return repeat(fullSketch().Estimate) }}
	return []bar.Bar{
		{Name: "Estimate", Limit: 0.001, Ours: ours, Peer: bar.Side{Impl: "axiomhq", New: func() func(int) uint64 { return repeat(fullAxiom().Estimate) }}},
		{Name: "Estimate", Limit: 0.002, Ours: ours, Peer: bar.Side{Impl: "hllpp", New: func() func(int) uint64 { return repeat(fullHLLPP().Count) }}},
		{Name: "Estimate", Limit: 8, Ours: ours, Peer: bar.Side{Impl: "datasketches composite", New: func() func(int) uint64 {
			s := fullDataSketch()
			return repeat(func() uint64 { return uint64(check(s.GetCompositeEstimate())) })
		}}},
		{Name: "ExaLogLog.Estimate/precision 11", Plus: 2000, Ours: bar.Side{Impl: "distkit", New: func() func(int) uint64 {
			e := exaLogLog()
			for _, h := range hashes() {
				e.AddHash(h)
			}
			return repeat(e.Estimate)
		}}},
	}
}

func repeat(f func() uint64) func(int) uint64 {
	return func(n int) (sum uint64) {
		for range n {
			sum += f()
		}
		return sum
	}
}

// halves are sketches of the even and of the odd keys, registers all.
func halves[S any](make func() S, add func(s S, k []byte)) (a, b S) {
	a, b = make(), make()
	for i := 0; i < million; i += 2 {
		add(a, key(keys(), i))
		add(b, key(keys(), i+1))
	}
	return a, b
}

// merges are the bars of merging one of two sketches of half a million keys each
// into a third, in turn.
func merges() []bar.Bar {
	ours := func(estimate bool) bar.Side {
		return bar.Side{Impl: "distkit", New: func() func(int) uint64 {
			a, b := halves(sketch, func(s *distkit.Sketch, k []byte) { s.Add(k) })
			into := check(distkit.New(precision, distkit.WithDense()))
			return func(n int) (sum uint64) {
				for i := range n {
					if i&1 == 0 {
						must(into.Merge(a))
					} else {
						must(into.Merge(b))
					}
					if estimate {
						sum += into.Estimate()
					}
				}
				return sum + uint64(n)
			}
		}}
	}
	axiom := func(estimate bool) bar.Side {
		return bar.Side{Impl: "axiomhq", New: func() func(int) uint64 {
			a, b := halves(hyperloglog.New14, func(s *hyperloglog.Sketch, k []byte) { s.Insert(k) })
			into := hyperloglog.NewNoSparse()
			return func(n int) (sum uint64) {
				for i := range n {
					if i&1 == 0 {
						must(into.Merge(a))
					} else {
						must(into.Merge(b))
					}
					if estimate {
						sum += into.Estimate()
					}
				}
				return sum + uint64(n)
			}
		}}
	}
	union := bar.Side{Impl: "datasketches", New: func() func(int) uint64 {
		a, b := halves(func() hll.HllSketch { return dataSketch(precision) }, func(s hll.HllSketch, k []byte) { must(s.UpdateSlice(k)) })
		into := check(hll.NewUnion(precision))
		return func(n int) uint64 {
			for i := range n {
				if i&1 == 0 {
					must(into.UpdateSketch(a))
				} else {
					must(into.UpdateSketch(b))
				}
			}
			return uint64(n)
		}
	}}
	return []bar.Bar{
		{Name: "Merge", Ours: ours(false), Peer: axiom(false), Limit: 0.25},
		{Name: "Merge", Ours: ours(false), Peer: union, Limit: 0.9},
		{Name: "Merge and Estimate", Ours: ours(true), Peer: axiom(true), Limit: 0.03},
	}
}

// intersections is the bar of one Intersect at precision 12.
func intersections() []bar.Bar {
	return []bar.Bar{{
		Name: "Intersect/precision 12/2,000 of 42,000", Plus: 500_000, Allocs: bar.AnyAllocs,
		Ours: bar.Side{Impl: "distkit", New: func() func(int) uint64 {
			a, b := overlapping(0, [3]int{20_000, 20_000, 2000})
			return repeat(func() uint64 { return uint64(check(distkit.Intersect(a, b)).Both) })
		}},
	}}
}
