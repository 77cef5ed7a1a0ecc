package cms_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/distkit/distkit/cms"
	"github.com/distkit/distkit/internal/testkit"
)

func BenchmarkAddHash(b *testing.B) {
	for name, opts := range modes {
		b.Run("kind="+name, func(b *testing.B) {
			s := must(cms.New(0.001, 0.01, opts...))
			perHash(b, s.AddHash)
		})
	}
}

func BenchmarkAdd(b *testing.B) {
	keys := make([]string, 1<<10)
	for i := range keys {
		keys[i] = fmt.Sprintf("key-%012d", i)
	}
	for name, opts := range map[string][]cms.Option{"plain": nil, "secret": {cms.WithSecret(secret)}} {
		b.Run("kind="+name, func(b *testing.B) {
			s := must(cms.New(0.01, 0.01, opts...))
			perHash(b, func(h uint64) uint64 { return s.AddString(keys[h&(1<<10-1)]) })
		})
	}
}

func BenchmarkCountHash(b *testing.B) {
	for name, opts := range modes {
		b.Run("kind="+name, func(b *testing.B) {
			s := must(cms.New(0.001, 0.01, opts...))
			for next := testkit.Zipf(1, 1, 1<<20); s.Total() < 1<<20; {
				s.AddHash(next())
			}
			perHash(b, s.CountHash)
		})
	}
}

func BenchmarkConcurrentAddHash(b *testing.B) {
	for name, opts := range modes {
		b.Run("kind="+name, func(b *testing.B) {
			s := must(cms.NewConcurrent(0.001, 0.01, opts...))
			perHash(b, s.AddHash)
		})
	}
}

func BenchmarkTopKAddHash(b *testing.B) {
	t, key := must(cms.NewTopK(100)), []byte("key")
	perHash(b, func(h uint64) uint64 { return t.AddHash(h, key) })
}

func BenchmarkTrendingAddHashAt(b *testing.B) {
	t, key, now := must(cms.NewTrending(100, time.Second)), []byte("key"), noon
	perHash(b, func(h uint64) uint64 {
		now = now.Add(time.Microsecond)
		return uint64(t.AddHashAt(now, h, key))
	})
}

func BenchmarkWindowAddHashAt(b *testing.B) {
	w, now := must(cms.NewWindow(0.001, 0.01, time.Second, cms.WithPanes(6))), noon
	perHash(b, func(h uint64) uint64 {
		now = now.Add(time.Microsecond)
		return w.AddHashAt(now, h)
	})
}

func BenchmarkWindowCountHashAt(b *testing.B) {
	w := must(cms.NewWindow(0.001, 0.01, time.Second, cms.WithPanes(6)))
	w.AddHashAt(noon, 1)
	perHash(b, func(h uint64) uint64 { return w.CountHashAt(noon, h) })
}

func BenchmarkMerge(b *testing.B) {
	s, other := must(cms.New(0.001, 0.01)), must(cms.New(0.001, 0.01))
	for b.Loop() {
		if err := s.Merge(other); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkAppendBinary(b *testing.B) {
	s, buf := must(cms.New(0.001, 0.01)), []byte(nil)
	for b.Loop() {
		buf = must(s.AppendBinary(buf[:0]))
	}
}

// perHash times f over 64 Ki skewed identities, drawn before the clock starts.
func perHash(b *testing.B, f func(h uint64) uint64) {
	ids, next := make([]uint64, 1<<16), testkit.Zipf(1, 1, 1<<20)
	for i := range ids {
		ids[i] = next()
	}
	sum, i := uint64(0), 0
	for b.Loop() {
		sum += f(ids[i&(1<<16-1)])
		i++
	}
	if sum == 0 && b.N > 1<<16 {
		b.Fatal("nothing was counted")
	}
}
