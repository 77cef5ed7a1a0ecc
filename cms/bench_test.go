package cms_test

import (
	"testing"

	"github.com/distkit/distkit/cms"
	"github.com/distkit/distkit/internal/testkit"
)

func BenchmarkAddHash(b *testing.B) {
	for name, opts := range map[string][]cms.Option{"plain": nil, "conservative": {cms.WithConservative()}} {
		b.Run("kind="+name, func(b *testing.B) {
			s, err := cms.New(0.001, 0.01, opts...)
			if err != nil {
				b.Fatal(err)
			}
			next := stream()
			for b.Loop() {
				s.AddHash(next())
			}
		})
	}
}

func BenchmarkTopKAddHash(b *testing.B) {
	t, err := cms.NewTopK(100)
	if err != nil {
		b.Fatal(err)
	}
	next := stream()
	for b.Loop() {
		t.AddHash(next(), []byte("key"))
	}
}

// stream repeats 64 Ki skewed identities, drawn before the clock starts.
func stream() func() uint64 {
	ids := make([]uint64, 1<<16)
	next := testkit.Zipf(1, 1, 1<<20)
	for i := range ids {
		ids[i] = next()
	}
	i := 0
	return func() uint64 { i++; return ids[i&(1<<16-1)] }
}
