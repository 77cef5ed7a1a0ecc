package vclock_test

import (
	"fmt"
	"testing"

	"github.com/distkit/distkit/vclock"
)

// nodes returns a clock of n entries with ids as they are in practice.
func nodes(tb testing.TB, n int, counter func(i int) uint64) vclock.Clock {
	w := twin{}
	for i := range n {
		w[fmt.Sprintf("node-%03d", i)] = counter(i)
	}
	return w.clock(tb)
}

var sink vclock.Clock

func benchmarkSizes(b *testing.B, op func(b *testing.B, x, later, other vclock.Clock)) {
	for _, n := range []int{3, 10, 100} {
		b.Run(fmt.Sprintf("n=%d", n), func(b *testing.B) {
			x := nodes(b, n, func(i int) uint64 { return uint64(1000 + i) })
			later := nodes(b, n, func(i int) uint64 { return uint64(1007 + i) })
			other := nodes(b, n, func(i int) uint64 { return uint64(997 + i + i%2*7) })
			b.ReportAllocs()
			op(b, x, later, other)
		})
	}
}

func BenchmarkCompare(b *testing.B) {
	benchmarkSizes(b, func(b *testing.B, x, later, _ vclock.Clock) {
		for b.Loop() {
			x.Compare(later)
		}
	})
}

func BenchmarkTick(b *testing.B) {
	benchmarkSizes(b, func(b *testing.B, x, _, _ vclock.Clock) {
		id := fmt.Sprintf("node-%03d", x.Len()-1)
		for b.Loop() {
			sink = x.Tick(id)
		}
	})
}

func BenchmarkMerge(b *testing.B) {
	benchmarkSizes(b, func(b *testing.B, x, _, other vclock.Clock) {
		for b.Loop() {
			sink = x.Merge(other)
		}
	})
}

func BenchmarkMergeDominated(b *testing.B) {
	benchmarkSizes(b, func(b *testing.B, x, later, _ vclock.Clock) {
		for b.Loop() {
			sink = later.Merge(x)
		}
	})
}

func BenchmarkPut(b *testing.B) {
	benchmarkSizes(b, func(b *testing.B, x, _, _ vclock.Clock) {
		var s vclock.Siblings[string]
		s, _ = s.Put(x, "node-000", "v")
		seen := s.Context()
		for b.Loop() {
			s.Put(seen, "node-001", "w")
		}
	})
}

func BenchmarkAppendBinary(b *testing.B) {
	benchmarkSizes(b, func(b *testing.B, x, _, _ vclock.Clock) {
		var buf []byte
		for b.Loop() {
			buf, _ = x.AppendBinary(buf[:0])
		}
	})
}
