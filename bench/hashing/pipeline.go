package hashing

import (
	"github.com/axiomhq/hyperloglog"
	"github.com/buraksezer/consistent"
	"github.com/cespare/xxhash/v2"
	"github.com/distkit/distkit"
	"github.com/distkit/distkit/bench/bar"
	ours "github.com/distkit/distkit/bloom"
	"github.com/distkit/distkit/cms"
	"github.com/distkit/distkit/hll"
	"github.com/distkit/distkit/ring"
	"github.com/greatroar/blobloom"
	boom "github.com/tylertreat/BoomFilters"
)

const perSketch = 10_000 // keys; every sketch then fits the CPU's first caches

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// sketches are what an addition of a 16-byte key may cost: the hash of the key
// and a few nanoseconds.
func sketches(keys *[1024][16]byte) (bars []bar.Bar) {
	hash := over("xxhash.Sum64", keys, func(k *[16]byte) uint64 { return xxhash.Sum64(k[:]) })
	filter := must(ours.New(perSketch, 0.01))
	counts := must(cms.New(0.01, 0.01))
	distinct := must(hll.New(12, hll.WithDense()))
	for _, s := range []struct {
		name string
		add  func(k *[16]byte) uint64
		hash func(h uint64) uint64
	}{
		{"bloom.Filter", func(k *[16]byte) uint64 { return bit(filter.Add(k[:])) }, func(h uint64) uint64 { return bit(filter.AddHash(h)) }},
		{"cms.Sketch", func(k *[16]byte) uint64 { return counts.Add(k[:]) }, counts.AddHash},
		{"hll.Sketch", func(k *[16]byte) uint64 { return bit(distinct.Add(k[:])) }, func(h uint64) uint64 { return bit(distinct.AddHash(h)) }},
	} {
		add := over("distkit", keys, s.add)
		bars = append(bars,
			bar.Bar{Name: s.name + ".Add/key=16B", Ours: add, Peer: hash, Limit: 1, Plus: 6},
			bar.Bar{Name: s.name + ".AddHash", Peer: add, Limit: 0.6, Ours: bar.Side{Impl: "distkit", New: func() func(int) uint64 {
				return func(n int) (sum uint64) {
					for i := range n {
						sum += s.hash(uint64(i & 1023))
					}
					return sum
				}
			}}},
		)
	}
	return bars
}

func bit(b bool) uint64 {
	if b {
		return 1
	}
	return 0
}

// pipeline is a key that goes to a ring, a filter, a counter and a distinct
// count: with one hash here, with four at the peers', the fastest of each that the
// other suites know.
func pipeline(keys *[1024][16]byte) bar.Bar {
	names := []string{"a", "b", "c", "d", "e"}
	return bar.Bar{
		Name: "Pipeline of four/key=16B", Limit: 0.35,
		Ours: bar.Side{Impl: "distkit", New: func() func(int) uint64 {
			nodes := must(ring.New(ring.Nodes(names...)))
			filter, counts := must(ours.New(perSketch, 0.01)), must(cms.New(0.01, 0.01))
			distinct := must(hll.New(12, hll.WithDense()))
			return func(n int) (sum uint64) {
				for i := range n {
					h := distkit.Hash(keys[i&1023][:])
					sum += uint64(nodes.Locate(h)) + bit(filter.AddHash(h)) + counts.AddHash(h) + bit(distinct.AddHash(h))
				}
				return sum
			}
		}},
		Peer: bar.Side{Impl: "buraksezer, blobloom, BoomFilters, axiomhq", New: func() func(int) uint64 {
			members := make([]consistent.Member, len(names))
			for i, name := range names {
				members[i] = member(name)
			}
			nodes := consistent.New(members, consistent.Config{Hasher: sum64{}, PartitionCount: 271, ReplicationFactor: 20, Load: 1.25})
			filter := blobloom.NewOptimized(blobloom.Config{Capacity: perSketch, FPRate: 0.01})
			counts := boom.NewCountMinSketch(0.01, 0.01)
			distinct := must(hyperloglog.NewSketch(12, false))
			return func(n int) (sum uint64) {
				for i := range n {
					k := keys[i&1023][:]
					sum += uint64(len(nodes.LocateKey(k).String()))
					filter.Add(xxhash.Sum64(k))
					counts.Add(k)
					distinct.Insert(k)
				}
				return sum + counts.TotalCount() + distinct.Estimate()
			}
		}},
	}
}

// sum64 and member are what buraksezer's ring wants.
type (
	sum64  struct{}
	member string
)

func (sum64) Sum64(b []byte) uint64 { return xxhash.Sum64(b) }
func (m member) String() string     { return string(m) }

// images are the costs of the envelope: a copy and one pass of the checksum.
func images() []bar.Bar {
	filter := must(ours.New(1_000_000, 0.01)) // 1.3 MB
	for i := range uint64(1_000_000) {
		filter.AddHash(i)
	}
	image := must(filter.MarshalBinary())
	pass := bar.Side{Impl: "copy and xxhash.Sum64", New: func() func(int) uint64 {
		return func(n int) (sum uint64) {
			for range n {
				b := append([]byte(nil), image...)
				sum += xxhash.Sum64(b)
			}
			return sum
		}
	}}
	return []bar.Bar{
		{Name: "MarshalBinary/1.3MB", Limit: 1.6, Allocs: 2, Peer: pass, Ours: bar.Side{Impl: "distkit", New: func() func(int) uint64 {
			return func(n int) (sum uint64) {
				for range n {
					sum += uint64(len(must(filter.MarshalBinary())))
				}
				return sum
			}
		}}},
		{Name: "UnmarshalBinary/1.3MB", Limit: 1.6, Allocs: 2, Peer: pass, Ours: bar.Side{Impl: "distkit", New: func() func(int) uint64 {
			var f ours.Filter
			return func(n int) (sum uint64) {
				for range n {
					if err := f.UnmarshalBinary(image); err != nil {
						panic(err)
					}
					sum += f.Bits()
				}
				return sum
			}
		}}},
	}
}
