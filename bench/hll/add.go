package hll

import (
	"github.com/axiomhq/hyperloglog"
	"github.com/distkit/distkit/bench/bar"
)

// adds are the bars of adding one key to a sketch that knows a million, this one
// among them: what most Adds are. Peers whose Add returns nothing change memory that
// is kept, so it cannot be dropped.
func adds() []bar.Bar {
	return []bar.Bar{
		{Name: "AddHash/known", Ours: addHashSide(), Peer: bar.Side{Impl: "axiomhq", New: axiomInsertHash}, Limit: 1},
		{Name: "Add/16 bytes/known", Ours: addSide(), Peer: bar.Side{Impl: "axiomhq", New: axiomInsert}, Limit: 1.1},
		{Name: "Add/16 bytes/known", Ours: addSide(), Peer: bar.Side{Impl: "datasketches", New: dataSketchUpdate}, Limit: 0.45},
		{Name: "Add/16 bytes/known", Ours: addSide(), Peer: bar.Side{Impl: "hllpp", New: hllppAdd}, Limit: 0.45},
		{Name: "ExaLogLog.AddHash/known", Peer: named("Sketch.AddHash", addHashSide()), Limit: 1.6, Ours: bar.Side{Impl: "distkit", New: func() func(int) uint64 {
			e, hs := exaLogLog(), hashes()
			for _, h := range hs {
				e.AddHash(h)
			}
			return func(n int) (changed uint64) {
				for i := range n {
					if e.AddHash(hs[i&(million-1)]) {
						changed++
					}
				}
				return changed
			}
		}}},
	}
}

func named(impl string, s bar.Side) bar.Side { return bar.Side{Impl: impl, New: s.New} }

func addHashSide() bar.Side {
	return bar.Side{Impl: "distkit", New: func() func(int) uint64 {
		s, hs := sketch(), hashes()
		for _, h := range hs {
			s.AddHash(h)
		}
		return func(n int) (changed uint64) {
			for i := range n {
				if s.AddHash(hs[i&(million-1)]) {
					changed++
				}
			}
			return changed
		}
	}}
}

func axiomInsertHash() func(int) uint64 {
	s, hs := hyperloglog.New14(), hashes()
	for _, h := range hs {
		s.InsertHash(h)
	}
	return func(n int) uint64 {
		for i := range n {
			s.InsertHash(hs[i&(million-1)])
		}
		return uint64(n)
	}
}

func addSide() bar.Side {
	return bar.Side{Impl: "distkit", New: func() func(int) uint64 {
		s, all := fullSketch(), keys()
		return func(n int) (changed uint64) {
			for i := range n {
				if s.Add(key(all, i)) {
					changed++
				}
			}
			return changed
		}
	}}
}

func axiomInsert() func(int) uint64 {
	s, all := fullAxiom(), keys()
	return func(n int) uint64 {
		for i := range n {
			s.Insert(key(all, i))
		}
		return uint64(n)
	}
}

func dataSketchUpdate() func(int) uint64 {
	s, all := fullDataSketch(), keys()
	return func(n int) uint64 {
		for i := range n {
			must(s.UpdateSlice(key(all, i)))
		}
		return uint64(n)
	}
}

func hllppAdd() func(int) uint64 {
	s, all := fullHLLPP(), keys()
	return func(n int) uint64 {
		for i := range n {
			s.Add(key(all, i))
		}
		return uint64(n)
	}
}
