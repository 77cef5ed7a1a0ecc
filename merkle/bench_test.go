package merkle_test

import (
	"math/rand/v2"
	"testing"
)

func BenchmarkPut(b *testing.B) {
	rng := rand.New(rand.NewPCG(1, 2))
	t := newTree(b)
	for b.Loop() {
		t.PutHash(rng.Uint64(), 1)
	}
}

// A whole comparison of two replicas, by how many entries differ.
func BenchmarkSession(b *testing.B) {
	for name, d := range map[string]int{"d=0": 0, "d=10": 10, "d=1000": 1000} {
		b.Run("n=10000/"+name, func(b *testing.B) {
			rng := rand.New(rand.NewPCG(3, 4))
			left, right := replicas(rng, shapes["uniform"], 10_000, d)
			x, y := treeOf(b, left), treeOf(b, right)
			b.ReportAllocs()
			for b.Loop() {
				exchange(b, x, y)
			}
		})
	}
}
