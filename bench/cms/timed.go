package cms

import (
	"time"

	"github.com/distkit/distkit/bench/bar"
	"github.com/distkit/distkit/cms"
)

var noon = time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)

// tick is what passes between two additions: a million a second.
const tick = time.Microsecond

func trending(opts ...cms.Option) *cms.Trending {
	t := check(cms.NewTrending(k, time.Second, opts...))
	for i, key := range users().keys {
		t.AddAt(noon.Add(time.Duration(i)*tick), key)
	}
	return t
}

func window() *cms.Window { return check(cms.NewWindow(small, delta, time.Second, cms.WithPanes(6))) }

// timed are the bars of what forgets. Times are given, but for one bar each, and
// run on, so that windows turn and weights change.
func timed() []bar.Bar {
	return append(windows(), bar.Bar{
		Name: "Trending.AddAt/k=100", Limit: 1.5, Peer: named("distkit TopK.Add", topAdd()),
		Ours: side("distkit", func() func(*stream, int) uint64 {
			t, now := check(cms.NewTrending(k, time.Second)), noon
			return func(s *stream, i int) uint64 {
				now = now.Add(tick)
				return uint64(t.AddAt(now, s.keys[i]))
			}
		}),
	}, bar.Bar{
		Name: "Trending.ScoreAt later/k=100", Limit: 1.5, Plus: 20,
		Ours: side("distkit", func() func(*stream, int) uint64 {
			t, now := trending(), noon.Add(time.Minute)
			return func(s *stream, i int) uint64 { return uint64(t.ScoreAt(now, s.keys[i])) }
		}),
		Peer: side("distkit TopK.Count", func() func(*stream, int) uint64 {
			t := leadersOf(addAll)
			return func(s *stream, i int) uint64 { return t.Count(s.keys[i]) }
		}),
	}, bar.Bar{
		Name: "Trending.ItemsAt later/counters=1M a row", Limit: 1.2, Allocs: bar.AnyAllocs,
		Ours: readAll("distkit", cms.WithCounters(1<<20)), Peer: readAll("distkit, 1024 a row"),
	})
}

func readAll(impl string, opts ...cms.Option) bar.Side {
	return repeated(impl, func() func() uint64 {
		t, now := trending(opts...), noon.Add(time.Minute)
		return func() (sum uint64) {
			for it := range t.ItemsAt(now) {
				sum += uint64(len(it.Key))
			}
			return sum
		}
	})
}

func windows() []bar.Bar {
	return []bar.Bar{
		{
			Name: "Window.AddAt/panes=6/eps=1e-3", Limit: 2, Peer: named("distkit Sketch.Add", add(small)),
			Ours: side("distkit", func() func(*stream, int) uint64 {
				w, now := window(), noon
				return func(s *stream, i int) uint64 {
					now = now.Add(tick)
					return w.AddAt(now, s.keys[i])
				}
			}),
		},
		{
			Name: "Window.CountAt/panes=6/eps=1e-3", Limit: 3, Peer: named("distkit Sketch.Count", counted(small)),
			Ours: side("distkit", func() func(*stream, int) uint64 {
				w, now := window(), noon
				for _, key := range users().keys {
					now = now.Add(tick)
					w.AddAt(now, key)
				}
				return func(s *stream, i int) uint64 { return w.CountAt(now, s.keys[i]) }
			}),
		},
	}
}
