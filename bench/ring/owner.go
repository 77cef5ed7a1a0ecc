package ring

import (
	"fmt"
	"runtime"
	"slices"
	"sort"
	"sync"

	"github.com/cespare/xxhash/v2"
	"github.com/dgryski/go-jump"
	"github.com/distkit/distkit/bench/bar"
	"github.com/distkit/distkit/ring"
)

// each returns a side whose operation is lookup of one key after the other.
// Methods are bound outside the loop at the same cost for all.
func each[K any](impl string, list func() *[1 << 16]K, bind func() func(k K) uint64) bar.Side {
	return bar.Side{Impl: impl, New: func() func(int) uint64 {
		lookup, all := bind(), list()
		return func(n int) (sum uint64) {
			for i := range n {
				sum += lookup(all[i&(1<<16-1)])
			}
			return sum
		}
	}}
}

// ownerSides are the lookups of one owner by a string key, hashing included, and
// for peers that want bytes, making them of the string.
func ownerSides(n int) map[string]bar.Side {
	return map[string]bar.Side{
		"stathat": each("stathat", keys, func() func(string) uint64 {
			c := stathats(n)
			return func(k string) uint64 { id, _ := c.Get(k); return uint64(len(id)) }
		}),
		"authzed": each("authzed", keys, func() func(string) uint64 {
			r := authzeds(n)
			return func(k string) uint64 { m, _ := r.FindN([]byte(k), 1); return uint64(len(m)) }
		}),
		"serialx": each("serialx", keys, func() func(string) uint64 {
			r := serialxs(n)
			return func(k string) uint64 { id, _ := r.GetNode(k); return uint64(len(id)) }
		}),
		"buraksezer": each("buraksezer", keys, func() func(string) uint64 {
			c := buraksezers(n)
			return func(k string) uint64 { return uint64(len(c.LocateKey([]byte(k)).String())) }
		}),
		"groupcache": each("groupcache", keys, func() func(string) uint64 {
			m := groupcaches(n)
			return func(k string) uint64 { return uint64(len(m.Get(k))) }
		}),
		"kkdai-maglev": each("kkdai-maglev", keys, func() func(string) uint64 {
			m := kkdais(n)
			return func(k string) uint64 { id, _ := m.Get(k); return uint64(len(id)) }
		}),
		"go-rendezvous": each("go-rendezvous", keys, func() func(string) uint64 {
			v := rendezvouses(n)
			return func(k string) uint64 { return uint64(len(v.Lookup(k))) }
		}),
		"go-jump": each("go-jump", keys, func() func(string) uint64 {
			names := nodeNames(n)
			return func(k string) uint64 { return uint64(len(names[jump.Hash(xxhash.Sum64String(k), len(names))])) }
		}),
		"xxhash": each("xxhash of the key", keys, func() func(string) uint64 { return xxhash.Sum64String }),
	}
}

func ownerOurs(n int) bar.Side {
	return each("distkit", keys, func() func(string) uint64 {
		live := ring.NewLive(rings(n))
		return func(k string) uint64 { id, _ := live.Load().OwnerString(k); return uint64(len(id)) }
	})
}

// owners are the bars of lookups of one owner.
func owners() (bars []bar.Bar) {
	for _, c := range []struct {
		n     int
		peer  string
		limit float64
		plus  float64
	}{
		{10, "go-rendezvous", 0.40, 0},
		{10, "xxhash", 1, 12},
		{100, "stathat", 0.15, 0},
		{100, "authzed", 0.13, 0},
		{100, "serialx", 0.06, 0},
		{100, "buraksezer", 0.30, 0},
		{100, "kkdai-maglev", 0.40, 0},
		{100, "go-jump", 0.45, 0},
		{100, "xxhash", 1, 12},
		{1000, "groupcache", 0.12, 0},
		{1000, "serialx", 0.03, 0},
		{1000, "buraksezer", 0.28, 0},
		{1000, "go-jump", 0.45, 0},
		{1000, "xxhash", 1, 20},
	} {
		bars = append(bars, bar.Bar{
			Name: fmt.Sprintf("Owner/n=%d", c.n), Ours: ownerOurs(c.n), Peer: ownerSides(c.n)[c.peer], Limit: c.limit, Plus: c.plus,
		})
	}
	for _, c := range []struct {
		n     int
		limit float64
	}{{10, 0.08}, {100, 0.08}, {1000, 0.10}, {10_000, 0.10}} {
		bars = append(bars, bar.Bar{
			Name: fmt.Sprintf("OwnerHash/n=%d", c.n),
			Ours: each("distkit", hashes, func() func(uint64) uint64 {
				r := rings(c.n)
				return func(h uint64) uint64 { return uint64(r.Locate(h)) }
			}),
			Peer:  each("sort.Search", hashes, func() func(uint64) uint64 { return searched(rings(c.n)) }),
			Limit: c.limit,
		})
	}
	for _, c := range []struct {
		peer  string
		limit float64
	}{{"stathat", 0.15}, {"authzed", 0.12}} {
		bars = append(bars, bar.Bar{
			Name: "OwnerParallel/n=100", Ours: parallel(ownerOurs(100)), Peer: parallel(ownerSides(100)[c.peer]), Limit: c.limit,
		})
	}
	serial := ownerOurs(100)
	serial.Impl = "distkit on one core"
	return append(bars, bar.Bar{Name: "OwnerParallel/n=100/itself", Ours: parallel(ownerOurs(100)), Peer: serial, Limit: 0.6})
}

// searched is what a lookup is elsewhere: binary search by sort.Search over the
// same points.
func searched(r *ring.Ring) func(h uint64) uint64 {
	var tokens []uint64
	var nodes []uint16
	index := map[string]uint16{}
	for i := range r.Len() {
		index[r.Node(i).ID] = uint16(i)
	}
	for token, n := range r.Tokens() {
		tokens = append(tokens, token)
		nodes = append(nodes, index[n.ID])
	}
	return func(h uint64) uint64 {
		i := sort.Search(len(tokens), func(i int) bool { return tokens[i] >= h })
		if i == len(tokens) {
			i = 0
		}
		return uint64(nodes[i])
	}
}

// parallel spreads the operations of a side over all cores.
func parallel(s bar.Side) bar.Side {
	return bar.Side{Impl: s.Impl, New: func() func(int) uint64 {
		run := s.New()
		return func(n int) uint64 {
			var wg sync.WaitGroup
			sums := make([]uint64, runtime.GOMAXPROCS(0))
			for p := range sums {
				wg.Go(func() { sums[p] = run(n/len(sums) + 1) })
			}
			wg.Wait()
			return slices.Max(sums)
		}
	}}
}
