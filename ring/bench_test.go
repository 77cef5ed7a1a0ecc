package ring_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/distkit/distkit/ring"
)

func BenchmarkLocate(b *testing.B) {
	for _, n := range []int{10, 100, 1000} {
		b.Run(fmt.Sprintf("n=%d", n), func(b *testing.B) {
			r := benchRing(b, n)
			hashes := randomHashes()
			i, sum := 0, 0
			for b.Loop() {
				sum += r.Locate(hashes[i&(1<<16-1)])
				i++
			}
		})
	}
}

func BenchmarkAppendLocate(b *testing.B) {
	r, hashes, dst := benchRing(b, 100), randomHashes(), make([]int, 0, 3)
	i := 0
	for b.Loop() {
		dst = r.AppendLocate(dst[:0], hashes[i&(1<<16-1)], 3)
		i++
	}
}

func BenchmarkAddRemove(b *testing.B) {
	r := benchRing(b, 100)
	for b.Loop() {
		added, err := r.Add(ring.Node{ID: "new"})
		if err == nil {
			_, err = added.Remove("new")
		}
		if err != nil {
			b.Fatal(err)
		}
	}
}

func benchRing(b *testing.B, n int) *ring.Ring {
	ids := make([]string, n)
	for i := range ids {
		ids[i] = fmt.Sprint("node-", i)
	}
	r, err := ring.New(ring.Nodes(ids...))
	if err != nil {
		b.Fatal(err)
	}
	return r
}

func randomHashes() []uint64 {
	rng := rand.New(rand.NewPCG(1, 2))
	hashes := make([]uint64, 1<<16)
	for i := range hashes {
		hashes[i] = rng.Uint64()
	}
	return hashes
}
