package cms

import (
	"github.com/distkit/distkit/bench/bar"
	"github.com/distkit/distkit/cms"
)

func addHash(epsilon float64, opts ...cms.Option) bar.Side {
	return side("distkit", func() func(*stream, int) uint64 {
		c := sketch(epsilon, opts...)
		return func(s *stream, i int) uint64 { return c.AddHash(s.hashes[i]) }
	})
}

func add(epsilon float64, opts ...cms.Option) bar.Side {
	return side("distkit", func() func(*stream, int) uint64 {
		c := sketch(epsilon, opts...)
		return func(s *stream, i int) uint64 { return c.Add(s.keys[i]) }
	})
}

func named(impl string, s bar.Side) bar.Side {
	s.Impl = impl
	return s
}

func boomAdd(epsilon float64) bar.Side {
	return side("BoomFilters", func() func(*stream, int) uint64 {
		c := boomSketch(epsilon)
		return func(s *stream, i int) uint64 { return c.Add(s.keys[i]).TotalCount() }
	})
}

func dsAdd(epsilon float64) bar.Side {
	return side("datasketches", func() func(*stream, int) uint64 {
		c := datasketch(epsilon)
		return func(s *stream, i int) uint64 {
			if err := c.Update(s.keys[i], 1); err != nil {
				panic(err)
			}
			return uint64(c.GetTotalWeight())
		}
	})
}

// adding are the bars of an addition.
func adding() []bar.Bar {
	low := cms.WithConservative()
	return []bar.Bar{
		{Name: "AddHash/eps=1e-3", Ours: addHash(small), Peer: boomAdd(small), Limit: 0.35},
		{Name: "AddHash/eps=1e-3", Ours: addHash(small), Peer: dsAdd(small), Limit: 0.10},
		{Name: "Add/eps=1e-3", Ours: add(small), Peer: boomAdd(small), Limit: 0.9},
		{Name: "Add/eps=1e-3", Ours: add(small), Peer: dsAdd(small), Limit: 0.25},
		{Name: "Add/eps=1e-6", Ours: add(large), Peer: boomAdd(large), Limit: 0.75},
		{Name: "Add/eps=1e-6", Ours: add(large), Peer: dsAdd(large), Limit: 0.25},
		{Name: "Add conservative/eps=1e-3", Ours: add(small, low), Peer: named("distkit plain", add(small)), Limit: 1.35},
		{Name: "Add conservative/eps=1e-6", Ours: add(large, low), Peer: named("distkit plain", add(large)), Limit: 1.35},
	}
}

func counted(epsilon float64) bar.Side {
	return side("distkit", func() func(*stream, int) uint64 {
		c := sketch(epsilon)
		for _, h := range users().hashes {
			c.AddHash(h)
		}
		return func(s *stream, i int) uint64 { return c.Count(s.keys[i]) }
	})
}

func boomCounted(epsilon float64) bar.Side {
	return side("BoomFilters", func() func(*stream, int) uint64 {
		c := boomSketch(epsilon)
		for _, k := range users().keys {
			c.Add(k)
		}
		return func(s *stream, i int) uint64 { return c.Count(s.keys[i]) }
	})
}

// counting are the bars of a query.
func counting() []bar.Bar {
	return []bar.Bar{
		{Name: "Count/eps=1e-3", Ours: counted(small), Peer: boomCounted(small), Limit: 0.6},
		{Name: "Count/eps=1e-6", Ours: counted(large), Peer: boomCounted(large), Limit: 0.7},
	}
}
