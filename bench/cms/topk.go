package cms

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/apache/datasketches-go/common"
	"github.com/apache/datasketches-go/frequencies"
	"github.com/distkit/distkit/bench/bar"
	"github.com/distkit/distkit/cms"
	"github.com/distkit/distkit/internal/testkit"
	"github.com/segmentio/topk"
	boom "github.com/tylertreat/BoomFilters"
)

const k = 100

func items() *frequencies.ItemsSketch[string] {
	return check(frequencies.NewFrequencyItemsSketchWithMaxMapSize[string](2048, common.ItemSketchStringHasher{}, common.ItemSketchStringSerDe{}))
}

func topAdd() bar.Side {
	return side("distkit", func() func(*stream, int) uint64 {
		t := check(cms.NewTopK(k))
		return func(s *stream, i int) uint64 { return t.Add(s.keys[i]) }
	})
}

// leading are the bars of an addition to the k largest.
func leading() []bar.Bar {
	return []bar.Bar{
		{Name: "TopK.Add/k=100", Limit: 0.5, Ours: topAdd(), Peer: side("segmentio HeavyKeeper", func() func(*stream, int) uint64 {
			t := topk.New(k, 0.9)
			return func(s *stream, i int) uint64 {
				if t.Sample(s.texts[i], 1) {
					return 1
				}
				return 0
			}
		})},
		{Name: "TopK.Add/k=100", Limit: 0.6, Ours: topAdd(), Peer: side("BoomFilters", func() func(*stream, int) uint64 {
			t := boom.NewTopK(1e-4, delta, k) // 1.1 MB: with less it finds less
			return func(s *stream, i int) uint64 {
				t.Add(s.keys[i])
				return 1
			}
		})},
		{Name: "TopK.Add/k=100", Limit: 1.7, Ours: topAdd(), Peer: side("datasketches items-2048", func() func(*stream, int) uint64 {
			t := items()
			return func(s *stream, i int) uint64 {
				if err := t.Update(s.texts[i]); err != nil {
					panic(err)
				}
				return uint64(t.GetStreamLength())
			}
		})},
		{Name: "TopK.AddN/n=2^31", Plus: 1000, Ours: side("distkit", func() func(*stream, int) uint64 {
			t := check(cms.NewTopK(k))
			return func(s *stream, i int) uint64 { return t.AddN(s.keys[i], 1<<31) }
		})},
	}
}

// ranked are the k largest of the stream.
var ranked = sync.OnceValue(func() []uint64 {
	s := users()
	ids := make([]uint64, 0, len(s.truth))
	for id := range s.truth {
		ids = append(ids, id)
	}
	slices.SortFunc(ids, func(a, b uint64) int { return cmp.Or(cmp.Compare(s.truth[b], s.truth[a]), cmp.Compare(a, b)) })
	return ids[:k]
})

func leadersOf(fill func(t *cms.TopK), opts ...cms.Option) *cms.TopK {
	t := check(cms.NewTopK(k, opts...))
	fill(t)
	return t
}

func addAll(t *cms.TopK) {
	for _, key := range users().keys {
		t.Add(key)
	}
}

// addShards adds the stream in eight parts, by turns, and merges.
func addShards(t *cms.TopK) {
	for part := range 8 {
		shard := check(cms.NewTopK(k))
		for i := part; i < draws; i += 8 {
			shard.Add(users().keys[i])
		}
		if err := t.Merge(shard); err != nil {
			panic(err)
		}
	}
}

func recall(t *cms.TopK) float64 {
	found := 0
	for _, id := range ranked() {
		if t.Contains(userKey(id)) {
			found++
		}
	}
	return float64(found) / k
}

// judge returns the mean relative error of the items, and how many have bounds that
// do not contain the truth.
func judge(t *cms.TopK) (relative, wrong float64) {
	for it := range t.Items() {
		n := users().truth[check(strconv.ParseUint(strings.TrimPrefix(it.Key, "user:"), 10, 64))]
		relative += (float64(it.Count) - float64(n)) / float64(n) / k
		if n > it.Count || n < it.Count-it.Error {
			wrong++
		}
	}
	return relative, wrong
}

// half has the accuracy that the bars ask for in half of the default's counters.
var half = cms.WithCounters(512)

// leaders is what a TopK finds.
func leaders() []bar.Figure {
	one := sync.OnceValue(func() *cms.TopK { return leadersOf(addAll) })
	eight := sync.OnceValue(func() *cms.TopK { return leadersOf(addShards) })
	lean := sync.OnceValue(func() *cms.TopK { return leadersOf(addAll, half) })
	return []bar.Figure{
		{Name: "TopK/recall at 100", Limit: 0.99, AtLeast: true, Measure: func() float64 { return recall(one()) }},
		{Name: "TopK/recall at 100 of 8 shards", Limit: 0.97, AtLeast: true, Measure: func() float64 { return recall(eight()) }},
		{Name: "TopK/mean relative error", Limit: 0.002, Measure: func() float64 {
			relative, _ := judge(one())
			return relative
		}},
		{Name: "TopK/bounds without the truth", Unit: "of 200 items", Limit: 0, Measure: func() float64 {
			_, wrong := judge(one())
			_, more := judge(eight())
			return wrong + more
		}},
		{Name: "TopK/memory", Unit: "KiB, keys included", Limit: 32, Measure: func() float64 { return float64(one().SizeBytes()) / 1024 }},
		{Name: "TopK of 8 KiB of counters/recall at 100", Limit: 0.99, AtLeast: true, Measure: func() float64 { return recall(lean()) }},
		{Name: "TopK of 8 KiB of counters/mean relative error", Limit: 0.002, Measure: func() float64 {
			relative, _ := judge(lean())
			return relative
		}},
		{Name: "TopK/memory", Unit: "of datasketches items-2048", Limit: 0.25, Measure: func() float64 { return memory() }},
		{Name: "TopK of 8 KiB of counters/memory", Unit: "of datasketches items-2048", Limit: 0.25, Measure: func() float64 { return memory(half) }},
	}
}

// memory returns what a TopK with these options takes of what the peer takes.
func memory(opts ...cms.Option) float64 {
	theirs := testkit.LiveBytes(func() any {
		t := items()
		for _, key := range users().keys {
			if err := t.Update(string(key)); err != nil {
				panic(err)
			}
		}
		return t
	})
	return float64(testkit.LiveBytes(func() any { return leadersOf(addAll, opts...) })) / float64(theirs)
}
