package ring

import (
	"fmt"

	"github.com/distkit/distkit/bench/bar"
	"github.com/distkit/distkit/ring"
)

// repeat returns a side whose operation is f.
func repeat(impl string, bind func() func() uint64) bar.Side {
	return bar.Side{Impl: impl, New: func() func(int) uint64 {
		f := bind()
		return func(n int) (sum uint64) {
			for range n {
				sum += f()
			}
			return sum
		}
	}}
}

func check[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// lists are the bars of the first three distinct owners, by a string key.
func lists() (bars []bar.Bar) {
	for _, c := range []struct {
		peer  bar.Side
		limit float64
	}{
		{each("stathat", keys, func() func(string) uint64 {
			s := stathats(100)
			return func(k string) uint64 { ids, _ := s.GetN(k, 3); return uint64(len(ids)) }
		}), 0.15},
		{each("authzed", keys, func() func(string) uint64 {
			r := authzeds(100)
			return func(k string) uint64 { m, _ := r.FindN([]byte(k), 3); return uint64(len(m)) }
		}), 0.15},
		{each("buraksezer", keys, func() func(string) uint64 {
			s := buraksezers(100)
			return func(k string) uint64 { m, _ := s.GetClosestN([]byte(k), 3); return uint64(len(m)) }
		}), 0.003},
	} {
		bars = append(bars, bar.Bar{
			Name: "Owners3/n=100",
			Ours: each("distkit", keys, func() func(string) uint64 {
				live, ids := ring.NewLive(rings(100)), make([]string, 0, 3)
				return func(k string) uint64 {
					ids = live.Load().AppendOwnersString(ids[:0], k, 3)
					return uint64(len(ids))
				}
			}),
			Peer: c.peer, Limit: c.limit,
		})
	}
	return bars
}

// builds are the bars of making a ring.
func builds() (bars []bar.Bar) {
	side := func(impl string, n int, build func(n int)) bar.Side {
		return repeat(impl, func() func() uint64 { return func() uint64 { build(n); return 1 } })
	}
	for _, c := range []struct {
		n     int
		peer  bar.Side
		limit float64
		plus  float64
	}{
		{100, side("groupcache", 100, func(n int) { newGroupcache(n) }), 0.10, 0},
		{100, side("serialx", 100, func(n int) { newSerialx(n) }), 0.04, 0},
		{100, side("stathat", 100, func(n int) { newStathat(n) }), 0.006, 0},
		{100, side("authzed", 100, func(n int) { newAuthzed(n) }), 0.002, 0},
		{1000, bar.Side{}, 0, 10e6},
	} {
		bars = append(bars, bar.Bar{
			Name: fmt.Sprintf("Build/n=%d", c.n), Ours: side("distkit", c.n, func(n int) { newRing(n) }),
			Peer: c.peer, Limit: c.limit, Plus: c.plus, Allocs: bar.AnyAllocs,
		})
	}
	return bars
}

// changes are the bars of adding a node and removing it again.
func changes() (bars []bar.Bar) {
	extra := nodeName(-1)
	ours := func(n int) bar.Side {
		return repeat("distkit", func() func() uint64 {
			r := rings(n)
			return func() uint64 {
				more := check(r.Add(ring.Node{ID: extra}))
				return uint64(check(more.Remove(extra)).Len())
			}
		})
	}
	sides := func(n int) map[string]bar.Side {
		return map[string]bar.Side{
			"stathat": repeat("stathat", func() func() uint64 {
				s := stathats(n)
				return func() uint64 { s.Add(extra); s.Remove(extra); return 1 }
			}),
			"serialx": repeat("serialx", func() func() uint64 {
				s := serialxs(n)
				return func() uint64 { return uint64(s.AddWeightedNode(extra, points).RemoveNode(extra).Size()) }
			}),
			"authzed": repeat("authzed", func() func() uint64 {
				r := authzeds(n)
				return func() uint64 {
					if r.Add(member(extra)) != nil || r.Remove(member(extra)) != nil {
						panic("authzed: cannot change")
					}
					return 1
				}
			}),
			"buraksezer": repeat("buraksezer", func() func() uint64 {
				s := buraksezers(n)
				return func() uint64 { s.Add(member(extra)); s.Remove(extra); return 1 }
			}),
		}
	}
	for _, c := range []struct {
		n     int
		peer  string
		limit float64
	}{{100, "stathat", 0.12}, {100, "serialx", 0.04}, {100, "authzed", 0.04}, {1000, "serialx", 0.015}, {1000, "buraksezer", 0.06}} {
		bars = append(bars, bar.Bar{
			Name: fmt.Sprintf("AddRemove/n=%d", c.n), Ours: ours(c.n), Peer: sides(c.n)[c.peer], Limit: c.limit, Allocs: bar.AnyAllocs,
		})
	}
	return bars
}
