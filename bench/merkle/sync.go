package merkle

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"

	"github.com/distkit/distkit/bench/bar"
	"github.com/distkit/distkit/internal/testkit"
	"github.com/distkit/distkit/merkle"
)

// entry is a row: its position and its version.
type entry struct{ h, v uint64 }

// pair is two replicas of a million keys that differ in so many of them: a third
// has other versions, a third is missing on either side. An item is an entry that
// one side has and the other has not: of a changed version there are two.
type pair struct {
	diffs, items int
	trees        [2]*merkle.Tree
	only         [2][]entry // what one side has and the other has not
}

// base is what replicas have in common. They are snapshots of it, changed.
var base = sync.OnceValue(func() *merkle.Tree { return filled(positions()) })

func replicas(seed uint64, d int) pair {
	p := pair{diffs: d}
	rng := rand.New(rand.NewPCG(seed, uint64(d)))
	for i := range p.trees {
		p.trees[i] = base().Snapshot()
	}
	put := func(side int, h, v uint64) {
		p.trees[side].PutHash(h, v)
		p.only[side] = append(p.only[side], entry{h, v})
		p.items++
	}
	for i := range d {
		h, v := rng.Uint64(), rng.Uint64()
		if i%3 != 1 {
			put(0, h, v)
		}
		if i%3 != 2 {
			put(1, h, v+1)
		}
	}
	return p
}

// all returns the entries of one side.
func (p pair) all(side int) []entry {
	es := make([]entry, 0, p.trees[side].Len())
	for h, v := range p.trees[side].Entries(merkle.Range{}) {
		es = append(es, entry{h, v})
	}
	return es
}

// traffic is what a comparison has sent, both ways.
type traffic struct{ messages, bytes, found int }

// compare runs a session of two replicas.
func (p pair) compare(most int) (sent traffic) {
	s := check(p.trees[0].Initiate(merkle.WithMaxMessage(most)))
	r := check(p.trees[1].Respond(merkle.WithMaxMessage(most)))
	var out, in []byte
	for {
		var err error
		if out, _, err = s.Next(out[:0], in); err != nil {
			panic(err)
		}
		for range s.Diffs() {
			sent.found++
		}
		if len(out) == 0 {
			break
		}
		if in, _, err = r.Next(in[:0], out); err != nil {
			panic(err)
		}
		sent.messages += 2
		sent.bytes += len(out) + len(in)
	}
	if sent.found != p.diffs {
		panic(fmt.Sprintf("found %d differences of %d", sent.found, p.diffs))
	}
	return sent
}

const (
	seeds    = 20       // of replicas, for figures that vary
	usual    = 64 << 10 // the default bound of a message
	generous = 1 << 20
)

// of returns what measures of replicas of so many seeds, ascending.
func of(d int, measure func(pair) float64) []float64 {
	var xs []float64
	for seed := range uint64(seeds) {
		xs = append(xs, measure(replicas(seed, d)))
	}
	slices.Sort(xs)
	return xs
}

// comparing is a side whose operation is one comparison of two replicas.
func comparing(impl string, d int, prepare func(pair) (compare func() traffic)) bar.Side {
	return bar.Side{Impl: impl, New: func() func(int) uint64 {
		compare := prepare(replicas(1, d))
		return func(n int) (sum uint64) {
			for range n {
				sum += uint64(compare().bytes)
			}
			return sum
		}
	}}
}

func ours(d, most int) bar.Side {
	return comparing("distkit", d, func(p pair) func() traffic { return func() traffic { return p.compare(most) } })
}

// syncBars hold the processor time of both sides of a comparison together.
func syncBars() (bars []bar.Bar) {
	for _, b := range []struct {
		d           int
		limit, iblt float64
	}{{1, 1. / 50, 1. / 10}, {100, 1. / 50, 1. / 10}, {10_000, 1. / 8, 0}} {
		name := fmt.Sprintf("sync CPU/n=1M/d=%d", b.d)
		bars = append(bars, bar.Bar{
			Name: name, Limit: b.limit, Allocs: bar.AnyAllocs,
			Ours: ours(b.d, generous),
			Peer: comparing("negentropy", b.d, negentropyOf),
		})
		if b.iblt > 0 {
			bars = append(bars, bar.Bar{
				Name: name, Limit: b.iblt, Allocs: bar.AnyAllocs,
				Ours: ours(b.d, generous),
				Peer: comparing("rateless IBLT", b.d, ratelessOf),
			})
		}
	}
	return bars
}

func syncFigures() []bar.Figure {
	messages := func(d, most int) func() float64 {
		return func() float64 {
			return of(d, func(p pair) float64 { return float64(p.compare(most).messages) })[seeds-2]
		}
	}
	bytes := func(d int) func() float64 {
		return func() float64 {
			return of(d, func(p pair) float64 { return float64(p.compare(usual).bytes) })[seeds-1]
		}
	}
	perItem := func(d, free int) func() float64 {
		return func() float64 {
			mean, _ := testkit.MeanSD(of(d, func(p pair) float64 { return float64(p.compare(generous).bytes-free) / float64(p.items) }))
			return mean
		}
	}
	// less is how many times the bytes of ours a peer sends.
	less := func(d int, peer func(pair) func() traffic) func() float64 {
		return func() float64 {
			p := replicas(1, d)
			return float64(peer(p)().bytes) / float64(p.compare(generous).bytes)
		}
	}
	return []bar.Figure{
		{Name: "sync messages, in 19 of 20 cases/n=1M/d=0", Unit: "", Limit: 2, Measure: messages(0, usual)},
		{Name: "sync messages, in 19 of 20 cases/n=1M/d=1", Unit: "", Limit: 2, Measure: messages(1, usual)},
		{Name: "sync messages, in 19 of 20 cases/n=1M/d=100", Unit: "", Limit: 6, Measure: messages(100, usual)},
		{Name: "sync messages of 1 MiB, in 19 of 20 cases/n=1M/d=10000", Unit: "", Limit: 8, Measure: messages(10_000, generous)},
		{Name: "sync messages of 64 KiB, in 19 of 20 cases/n=1M/d=10000", Unit: "", Limit: 36, Measure: messages(10_000, usual)},
		{Name: "sync bytes, at most/n=1M/d=0", Unit: "B", Limit: 64, Measure: bytes(0)},
		{Name: "sync bytes, at most/n=1M/d=1", Unit: "B", Limit: 600, Measure: bytes(1)},
		{Name: "sync bytes beyond 1 KiB, mean of 20/n=1M/d=100", Unit: "B/item", Limit: 80, Measure: perItem(100, 1<<10)},
		{Name: "sync bytes beyond 4 KiB, mean of 20/n=1M/d=10000", Unit: "B/item", Limit: 80, Measure: perItem(10_000, 4<<10)},
		{Name: "negentropy's bytes/n=1M/d=1", Unit: "times ours", Limit: 4, AtLeast: true, Measure: less(1, negentropyOf)},
		{Name: "negentropy's bytes/n=1M/d=100", Unit: "times ours", Limit: 18, AtLeast: true, Measure: less(100, negentropyOf)},
		{Name: "negentropy's bytes/n=1M/d=10000", Unit: "times ours", Limit: 12, AtLeast: true, Measure: less(10_000, negentropyOf)},
		{Name: "a tree of depth 15's bytes/n=1M/d=100", Unit: "times ours", Limit: 100, AtLeast: true, Measure: less(100, fixedOf)},
		{Name: "a tree of depth 15's bytes/n=1M/d=10000", Unit: "times ours", Limit: 5, AtLeast: true, Measure: less(10_000, fixedOf)},
		{Name: "1024 x 1024 segments' bytes/n=1M/d=100", Unit: "times ours", Limit: 50, AtLeast: true, Measure: less(100, segmentsOf)},
		{Name: "1024 x 1024 segments' bytes/n=1M/d=10000", Unit: "times ours", Limit: 5, AtLeast: true, Measure: less(10_000, segmentsOf)},
		{Name: "rateless IBLT's bytes/n=1M/d=100", Unit: "times ours", Limit: 0.5, AtLeast: true, Measure: less(100, ratelessOf)},
	}
}
