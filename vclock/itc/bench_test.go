package itc_test

import (
	"fmt"
	"testing"

	"github.com/distkit/distkit/vclock/itc"
)

// crowd returns stamps of n actors, in a balanced tree, each with events of its
// own and some that it has heard of.
func crowd(n int) []itc.Stamp {
	stamps := []itc.Stamp{itc.Seed()}
	for len(stamps) < n {
		a, b := stamps[0].Fork()
		stamps = append(stamps[1:], a, b)
	}
	for round := range 3 {
		for i := range stamps {
			for range (i*7+round)%5 + 1 {
				stamps[i] = stamps[i].Event()
			}
			heard, err := stamps[i].Join(stamps[(i+round*5+1)%n].Peek())
			if err != nil {
				panic(err)
			}
			stamps[i] = heard
		}
	}
	for i := range stamps {
		for j := range stamps {
			if heard, err := stamps[i].Join(stamps[j].Peek()); err == nil && i%2 == 0 {
				stamps[i] = heard
			}
		}
	}
	return stamps
}

var sink itc.Stamp

func BenchmarkEvent(b *testing.B) {
	for _, n := range []int{3, 10, 64} {
		b.Run(fmt.Sprintf("n=%d", n), func(b *testing.B) {
			s := crowd(n)[n/2/2*2]
			b.ReportAllocs()
			for b.Loop() {
				sink = s.Event()
			}
		})
	}
}

func BenchmarkCompare(b *testing.B) {
	for _, n := range []int{3, 10, 64} {
		b.Run(fmt.Sprintf("n=%d", n), func(b *testing.B) {
			s := crowd(n)[n/2/2*2]
			next := s.Event()
			b.ReportAllocs()
			for b.Loop() {
				s.Compare(next)
			}
		})
	}
}

func BenchmarkJoin(b *testing.B) {
	for _, n := range []int{3, 10, 64} {
		b.Run(fmt.Sprintf("n=%d", n), func(b *testing.B) {
			stamps := crowd(n)
			x, y := stamps[0].Event(), stamps[n/2/2*2].Event().Peek()
			b.ReportAllocs()
			for b.Loop() {
				sink, _ = x.Join(y)
			}
		})
	}
}
