package bloom_test

import (
	"fmt"
	"testing"

	"github.com/distkit/distkit/bloom"
	"github.com/distkit/distkit/internal/hash64"
)

func BenchmarkFilter(b *testing.B) {
	for _, n := range []int{10_000, 1_000_000, 10_000_000} {
		f := must(bloom.New(uint64(n), 0.01))
		for i := range n {
			f.AddHash(hash64.Integer(i))
		}
		hit, miss := make([]uint64, 1<<18), make([]uint64, 1<<18)
		for i := range hit {
			hit[i], miss[i] = hash64.Integer(i%n), hash64.Integer(n+i)
		}
		out := make([]bool, 1024)
		for name, hs := range map[string][]uint64{"hit": hit, "miss": miss} {
			b.Run(fmt.Sprintf("op=Contains/n=%d/key=%s", n, name), func(b *testing.B) {
				i := 0
				for b.Loop() {
					out[i&1023] = f.ContainsHash(hs[i&(1<<18-1)])
					i++
				}
			})
			b.Run(fmt.Sprintf("op=ContainsHashes/n=%d/key=%s", n, name), func(b *testing.B) {
				for i := 0; i < b.N; i += len(out) {
					at := i & (1<<18 - 1)
					f.ContainsHashes(out, hs[at:at+len(out)])
				}
			})
		}
		b.Run(fmt.Sprintf("op=Add/n=%d", n), func(b *testing.B) {
			i := 0
			for b.Loop() {
				f.AddHash(hit[i&(1<<18-1)])
				i++
			}
		})
		b.Run(fmt.Sprintf("op=AddHashes/n=%d", n), func(b *testing.B) {
			for i := 0; i < b.N; i += len(out) {
				at := i & (1<<18 - 1)
				f.AddHashes(hit[at : at+len(out)])
			}
		})
	}
}

func BenchmarkNew(b *testing.B) {
	for b.Loop() {
		must(bloom.New(1, 0.01))
	}
}

func BenchmarkStatic(b *testing.B) {
	for _, n := range []int{1_000_000, 10_000_000} {
		all := make([]uint64, n)
		for i := range all {
			all[i] = hash64.Integer(i)
		}
		s := must(bloom.NewStatic(all, 1.0/256))
		b.Run(fmt.Sprintf("op=Contains/n=%d", n), func(b *testing.B) {
			i := 0
			for b.Loop() {
				s.ContainsHash(all[i%(1<<19)])
				i++
			}
		})
	}
	all := make([]uint64, 1_000_000)
	for i := range all {
		all[i] = hash64.Integer(i)
	}
	b.Run("op=New/n=1000000", func(b *testing.B) {
		for b.Loop() {
			must(bloom.NewStatic(all, 1.0/256))
		}
	})
}

func BenchmarkRotating(b *testing.B) {
	const n = 1_000_000
	r := must(bloom.NewRotating(n, 0.01))
	hs := make([]uint64, 1<<19)
	for i := range 2 * n {
		r.AddHash(hash64.Integer(i))
	}
	for i := range hs {
		hs[i] = hash64.Integer(i)
	}
	b.Run("op=Contains/key=miss", func(b *testing.B) {
		i := 0
		for b.Loop() {
			r.ContainsHash(hs[i%(1<<19)])
			i++
		}
	})
	b.Run("op=Add", func(b *testing.B) {
		i := 0
		for b.Loop() {
			r.AddHash(hash64.Integer(i))
			i++
		}
	})
}

func BenchmarkView(b *testing.B) {
	f := must(bloom.New(10_000, 0.01))
	image := must(f.MarshalBinary())
	b.Run("op=OpenView", func(b *testing.B) {
		i := uint64(0)
		for b.Loop() {
			v, err := bloom.OpenView(image)
			if err != nil {
				b.Fatal(err)
			}
			v.ContainsHash(i)
			i++
		}
	})
}
