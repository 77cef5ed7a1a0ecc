package tlog_test

import (
	"fmt"
	"testing"

	"github.com/distkit/distkit/merkle"
	"github.com/distkit/distkit/merkle/tlog"
)

func BenchmarkAppend(b *testing.B) {
	for _, n := range []int{32, 1024} {
		b.Run(fmt.Sprintf("entry=%d", n), func(b *testing.B) {
			e := make([]byte, n)
			l := tlog.NewLog()
			b.ReportAllocs()
			for b.Loop() {
				l.Append(e)
			}
		})
	}
}

func BenchmarkProofs(b *testing.B) {
	const n = 1 << 18
	l, d := logs(n)
	root, buf := l.Root(), make([]merkle.Hash, 0, 64)
	i := uint64(0)
	next := func() uint64 { i = (i*5 + 77_777) % (n - 1); return i + 1 }
	b.Run("op=inclusion", func(b *testing.B) {
		for b.Loop() {
			_, _ = l.AppendInclusion(buf, next()-1, n-1)
		}
	})
	b.Run("op=consistency", func(b *testing.B) {
		for b.Loop() {
			_, _ = l.AppendConsistency(buf, next(), n)
		}
	})
	proof := must(l.Inclusion(12_345, n))
	b.Run("op=verify", func(b *testing.B) {
		for b.Loop() {
			if err := tlog.VerifyInclusion(root, n, 12_345, d[12_345], proof); err != nil {
				b.Fatal(err)
			}
		}
	})
}
