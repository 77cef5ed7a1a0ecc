package merkle

import (
	"math/rand/v2"
	"runtime"

	"github.com/distkit/distkit/bench/bar"
	"github.com/distkit/distkit/internal/testkit"
	"github.com/distkit/distkit/merkle"
	"github.com/tidwall/btree"
)

// million is how many keys a replica has.
const million = 1_000_000

// positions are those of a million keys, in random order.
func positions() []uint64 {
	rng := rand.New(rand.NewPCG(1, 2))
	hs := make([]uint64, million)
	for i := range hs {
		hs[i] = rng.Uint64()
	}
	return hs
}

func filled(hs []uint64, opts ...merkle.TreeOption) *merkle.Tree {
	t := check(merkle.NewTree(opts...))
	for _, h := range hs {
		t.PutHash(h, 1)
	}
	return t
}

func ordered(hs []uint64) *btree.Map[uint64, uint64] {
	m := new(btree.Map[uint64, uint64])
	for _, h := range hs {
		m.Set(h, 1)
	}
	return m
}

// at runs op for one position after another, each time with a version of its own.
func at(build func(hs []uint64) (op func(h, v uint64) uint64)) func() func(int) uint64 {
	return func() func(int) uint64 {
		hs := positions()
		op := build(hs)
		rand.New(rand.NewPCG(3, 4)).Shuffle(len(hs), func(i, j int) { hs[i], hs[j] = hs[j], hs[i] })
		k, v := 0, uint64(1)
		return func(n int) (sum uint64) {
			for range n {
				if k++; k == len(hs) {
					k = 0
				}
				v++
				sum += op(hs[k], v)
			}
			return sum
		}
	}
}

func updating(opts ...merkle.TreeOption) func() func(int) uint64 {
	return at(func(hs []uint64) func(h, v uint64) uint64 {
		t := filled(hs, opts...)
		return func(h, v uint64) uint64 {
			t.PutHash(h, v)
			return v
		}
	})
}

// replacing deletes a key and puts it again.
func replacing(opts ...merkle.TreeOption) func() func(int) uint64 {
	return at(func(hs []uint64) func(h, v uint64) uint64 {
		t := filled(hs, opts...)
		return func(h, v uint64) uint64 {
			if !t.DeleteHash(h) {
				panic("a key is missing")
			}
			t.PutHash(h, v)
			return v
		}
	})
}

// summing asks for the summary of ranges between any two positions.
func summing(opts ...merkle.TreeOption) func() func(int) uint64 {
	return at(func(hs []uint64) func(h, v uint64) uint64 {
		t, last := filled(hs, opts...), uint64(0)
		return func(h, _ uint64) uint64 {
			s := t.Summary(merkle.Range{Start: last, End: h})
			last = h
			return s.Count
		}
	})
}

// rebuild puts every key, in random order, into a new tree.
var rebuild = bar.Side{Impl: "PutHash of every key", New: func() func(int) uint64 {
	hs := positions()
	return func(n int) (sum uint64) {
		for range n {
			sum += uint64(filled(hs).Len())
		}
		return sum
	}
}}

var tidwallSet = bar.Side{Impl: "tidwall btree.Map", New: at(func(hs []uint64) func(h, v uint64) uint64 {
	m := ordered(hs)
	return func(h, v uint64) uint64 {
		m.Set(h, v)
		return v
	}
})}

var tidwallReplace = bar.Side{Impl: "tidwall btree.Map", New: at(func(hs []uint64) func(h, v uint64) uint64 {
	m := ordered(hs)
	return func(h, v uint64) uint64 {
		if _, ok := m.Delete(h); !ok {
			panic("a key is missing")
		}
		m.Set(h, v)
		return v
	}
})}

func treeBars() []bar.Bar {
	return []bar.Bar{
		{
			Name: "PutHash update without sketches/n=1M", Limit: 0.95,
			Ours: bar.Side{Impl: "distkit", New: updating(merkle.WithoutSketches())},
			Peer: tidwallSet,
		},
		{
			Name: "PutHash update/n=1M", Limit: 1.8,
			Ours: bar.Side{Impl: "distkit", New: updating()},
			Peer: tidwallSet,
		},
		{
			Name: "PutHash update, without sketches/n=1M", Limit: 2,
			Ours: bar.Side{Impl: "distkit", New: updating()},
			Peer: bar.Side{Impl: "the same WithoutSketches", New: updating(merkle.WithoutSketches())},
		},
		{
			Name: "PutHash update under a secret, without/n=1M", Limit: 1.5,
			Ours: bar.Side{Impl: "distkit", New: updating(merkle.WithSecret([16]byte{1}))},
			Peer: bar.Side{Impl: "the same without", New: updating()},
		},
		{
			Name: "DeleteHash, PutHash/n=1M", Limit: 1.8,
			Ours: bar.Side{Impl: "distkit", New: replacing()},
			Peer: tidwallReplace,
		},
		{
			Name: "Summary of any range/n=1M", Plus: 1200,
			Ours: bar.Side{Impl: "distkit", New: summing()},
		},
		{
			Name: "Summary under a secret, without/n=1M", Limit: 2.5,
			Ours: bar.Side{Impl: "distkit", New: summing(merkle.WithSecret([16]byte{1}))},
			Peer: bar.Side{Impl: "the same without", New: summing()},
		},
		{
			Name: "UnmarshalBinary, rebuild/n=1M", Limit: 0.35, Allocs: bar.AnyAllocs,
			Ours: bar.Side{Impl: "distkit", New: func() func(int) uint64 {
				image := check(filled(positions()).MarshalBinary())
				return func(n int) (sum uint64) {
					for range n {
						var t merkle.Tree
						if err := t.UnmarshalBinary(image); err != nil {
							panic(err)
						}
						sum += uint64(t.Len())
					}
					return sum
				}
			}},
			Peer: rebuild,
		},
		{
			Name: "Snapshot/n=1M", Plus: 100, Allocs: 1,
			Ours: bar.Side{Impl: "distkit", New: at(func(hs []uint64) func(h, v uint64) uint64 {
				t := filled(hs)
				return func(_, _ uint64) uint64 { return uint64(t.Snapshot().Len()) }
			})},
		},
		{
			Name: "Cut of half and Join back, rebuild/n=1M", Limit: 0.002, Plus: 0, Allocs: bar.AnyAllocs,
			Ours: bar.Side{Impl: "distkit", New: at(func(hs []uint64) func(h, v uint64) uint64 {
				t := filled(hs)
				return func(h, _ uint64) uint64 {
					c := t.Cut(merkle.Range{Start: h, End: h + 1<<63})
					n := uint64(c.Len())
					if err := t.Join(c); err != nil {
						panic(err)
					}
					return n
				}
			})},
			Peer: rebuild,
		},
	}
}

func treeFigures() []bar.Figure {
	heap := func(opts ...merkle.TreeOption) func() float64 {
		return func() float64 {
			hs := positions()
			used := testkit.LiveBytes(func() any { return filled(hs, opts...) })
			runtime.KeepAlive(hs)
			return float64(used) / million
		}
	}
	return []bar.Figure{
		{Name: "heap/n=1M", Unit: "B/key", Limit: 28, Measure: heap()},
		{Name: "heap without sketches/n=1M", Unit: "B/key", Limit: 26, Measure: heap(merkle.WithoutSketches())},
	}
}
