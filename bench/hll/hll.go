// Package hll holds package hll to its bars against the distinct counters that Go
// programs use. Precision is 14 and the peers' registers have 8 bits unless said.
package hll

import (
	"math/rand/v2"
	"slices"
	"sync"

	"github.com/apache/datasketches-go/hll"
	"github.com/axiomhq/hyperloglog"
	"github.com/distkit/distkit/bench/bar"
	distkit "github.com/distkit/distkit/hll"
	"github.com/retailnext/hllpp"
)

const (
	precision = 14
	million   = 1 << 20
	keyBytes  = 16
)

// Suite returns the bars of package hll.
func Suite() bar.Suite {
	return bar.Suite{
		Package: "hll",
		Bars:    slices.Concat(estimates(), adds(), builds(), merges(), intersections(), concurrents()),
		Figures: slices.Concat(memory(), wire(), accuracy(), shards(), overlaps()),
	}
}

func check[T any](v T, err error) T {
	must(err)
	return v
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

// hashes are a million different ones, and keys as many keys of 16 bytes, side by
// side: more than the caches hold.
var (
	hashes = sync.OnceValue(func() []uint64 {
		rng := rand.New(rand.NewPCG(1, 2))
		hs := make([]uint64, million)
		for i := range hs {
			hs[i] = rng.Uint64()
		}
		return hs
	})
	keys = sync.OnceValue(func() []byte {
		b := make([]byte, keyBytes*million)
		rand.NewChaCha8([32]byte{3}).Read(b)
		return b
	})
)

func key(all []byte, i int) []byte {
	at := i & (million - 1) * keyBytes
	return all[at : at+keyBytes : at+keyBytes]
}

func sketch() *distkit.Sketch { return check(distkit.New(precision)) }

func exaLogLog() *distkit.ExaLogLog { return check(distkit.NewExaLogLog(precision - 3)) }

func dataSketch(lgK int) hll.HllSketch {
	return check(hll.NewHllSketch(lgK, hll.TgtHllTypeHll8))
}

// What follows is each implementation with a million keys, or hashes, in it.

func fullSketch() *distkit.Sketch {
	s := sketch()
	for i := range million {
		s.Add(key(keys(), i))
	}
	return s
}

func fullAxiom() *hyperloglog.Sketch {
	s := hyperloglog.New14()
	for i := range million {
		s.Insert(key(keys(), i))
	}
	return s
}

func fullDataSketch() hll.HllSketch {
	s := dataSketch(precision)
	for i := range million {
		must(s.UpdateSlice(key(keys(), i)))
	}
	return s
}

func fullHLLPP() *hllpp.HLLPP {
	s := hllpp.New()
	for i := range million {
		s.Add(key(keys(), i))
	}
	return s
}
