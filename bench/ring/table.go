package ring

import (
	"math"
	"slices"

	"github.com/buraksezer/consistent"
	"github.com/distkit/distkit/bench/bar"
	"github.com/distkit/distkit/ring"
)

// partitions are how many a table has on both sides; the peer wants a prime, or
// its partitions go to few of its members.
const (
	partitions     = 4096
	peerPartitions = 4093
)

// tables are the bars of partition tables, one replica a partition, because that
// is all that the peer places.
func tables() []bar.Bar {
	table := func() *ring.Table {
		return check(ring.NewTable(ring.Nodes(nodeNames(100)...), 1, ring.WithPartitions(partitions)))
	}
	peer := func() *consistent.Consistent {
		var members []consistent.Member
		for _, name := range nodeNames(100) {
			members = append(members, member(name))
		}
		return consistent.New(members, consistent.Config{
			Hasher: sum64{}, PartitionCount: peerPartitions, ReplicationFactor: points, Load: 1.25,
		})
	}
	return []bar.Bar{{
		Name: "Table owner/n=100",
		Ours: each("distkit", keys, func() func(string) uint64 {
			t := table()
			return func(k string) uint64 { id, _ := t.OwnerString(k); return uint64(len(id)) }
		}),
		Peer: each("buraksezer", keys, func() func(string) uint64 {
			c := peer()
			return func(k string) uint64 { return uint64(len(c.LocateKey([]byte(k)).String())) }
		}),
		Limit: 0.30,
	}, {
		Name: "Table join and leave/n=100",
		Ours: repeat("distkit", func() func() uint64 {
			t, fewer, more := table(), ring.Nodes(nodeNames(100)...), ring.Nodes(nodeNames(101)...)
			return func() uint64 { return uint64(check(check(t.Rebalance(more)).Rebalance(fewer)).Len()) }
		}),
		Peer: repeat("buraksezer", func() func() uint64 {
			c, extra := peer(), nodeName(100)
			return func() uint64 { c.Add(member(extra)); c.Remove(extra); return 1 }
		}),
		Limit: 0.5, Allocs: bar.AnyAllocs,
	}}
}

// tableQuality is what a table promises: three replicas over five zones.
func tableQuality() []bar.Figure {
	nodes := func(n int) []ring.Node {
		list := ring.Nodes(nodeNames(n)...)
		for i := range list {
			list[i].Zone = string(rune('a' + i%5))
		}
		return list
	}
	before := func() *ring.Table {
		return check(ring.NewTable(nodes(100), 3, ring.WithPartitions(partitions)))
	}
	return []bar.Figure{
		{Name: "Table/n=100/largest deviation", Unit: "replicas", Limit: 1, Measure: func() float64 {
			loads, t := make([]float64, 100), before()
			for p := range partitions {
				for _, i := range t.AppendReplicas(nil, p) {
					loads[i]++
				}
			}
			share := 3. * partitions / 100
			return max(slices.Max(loads)-share, share-slices.Min(loads))
		}},
		{Name: "Table/n=100/moved when a node joins", Unit: "x ideal", Limit: 1, Measure: func() float64 {
			t := before()
			return moved(t, check(t.Rebalance(nodes(101)))) / math.Floor(3.*partitions/101)
		}},
		{Name: "Table/n=100/moved when a node leaves", Unit: "x ideal", Limit: 1, Measure: func() float64 {
			t := before()
			return moved(t, check(t.Rebalance(nodes(99)))) / math.Ceil(3.*partitions/100)
		}},
	}
}

// moved returns how many replicas are on nodes that did not hold them before.
func moved(before, after *ring.Table) (n float64) {
	for p := range after.Partitions() {
		var was []string
		for _, i := range before.AppendReplicas(nil, p) {
			was = append(was, before.Node(i).ID)
		}
		for _, i := range after.AppendReplicas(nil, p) {
			if !slices.Contains(was, after.Node(i).ID) {
				n++
			}
		}
	}
	return n
}
