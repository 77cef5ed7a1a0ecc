package quorum_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/distkit/distkit/quorum"
)

func instant(context.Context, quorum.Target) (int, error) { return 1, nil }

func names(n int) (out []string) {
	for i := range n {
		out = append(out, fmt.Sprint("node-", i))
	}
	return out
}

func BenchmarkRead(b *testing.B) {
	for _, x := range []struct{ n, r int }{{3, 1}, {3, 2}, {5, 3}, {7, 4}} {
		b.Run(fmt.Sprintf("n=%d/r=%d", x.n, x.r), func(b *testing.B) {
			c, err := quorum.New(x.n, x.r, 1)
			if err != nil {
				b.Fatal(err)
			}
			prefs, ctx := names(x.n), context.Background()
			b.ReportAllocs()
			for b.Loop() {
				if _, err := quorum.Read(ctx, c, prefs, quorum.Op[int]{Call: instant}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkWrite(b *testing.B) {
	for _, n := range []int{3, 7} {
		b.Run(fmt.Sprintf("n=%d", n), func(b *testing.B) {
			c, err := quorum.New(n, 1, n/2+1)
			if err != nil {
				b.Fatal(err)
			}
			prefs, ctx := names(n), context.Background()
			b.ReportAllocs()
			for b.Loop() {
				if _, err := quorum.Write(ctx, c, prefs, quorum.WriteOp{Call: func(context.Context, quorum.Target) error { return nil }}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkWriteBatch(b *testing.B) {
	for _, keys := range []int{100, 10_000} {
		b.Run(fmt.Sprintf("keys=%d", keys), func(b *testing.B) {
			c, err := quorum.New(3, 2, 2)
			if err != nil {
				b.Fatal(err)
			}
			nodes, ctx := names(12), context.Background()
			prefs := func(i int, buf []string) []string {
				return append(buf, nodes[i%12], nodes[(i+1)%12], nodes[(i+2)%12])
			}
			b.ReportAllocs()
			for b.Loop() {
				for _, err := range quorum.WriteBatch(ctx, c, keys, prefs, func(context.Context, string, []int) error { return nil }) {
					if err != nil {
						b.Fatal(err)
					}
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(keys), "ns/key")
		})
	}
}

// BenchmarkFloor is what a majority of three costs by hand.
func BenchmarkFloor(b *testing.B) {
	for _, n := range []int{3, 7} {
		b.Run(fmt.Sprintf("n=%d", n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				ctx, cancel := context.WithCancel(context.Background())
				results := make(chan int, n)
				for range n {
					go func() {
						v, _ := instant(ctx, quorum.Target{})
						results <- v
					}()
				}
				for range n/2 + 1 {
					<-results
				}
				cancel()
			}
		})
	}
}
