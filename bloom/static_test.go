package bloom_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/distkit/distkit/bloom"
	"github.com/distkit/distkit/internal/hash64"
	"github.com/distkit/distkit/internal/invariants"
	"github.com/distkit/distkit/internal/testkit"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func checkStatic(t *testing.T, s *bloom.Static, keys []uint64) {
	t.Helper()
	for _, h := range keys {
		require.True(t, s.ContainsHash(h))
	}
	got := new(bloom.Static)
	require.NoError(t, got.UnmarshalBinary(must(s.MarshalBinary())))
	require.True(t, s.Equal(got))
	require.False(t, s.Equal(nil))
	require.GreaterOrEqual(t, 8*uint64(s.SizeBytes()), s.Bits())
}

// Every size works, the unlucky ones around 11 500 included, where the usual
// layout fails every third time.
func TestStaticOfEverySize(t *testing.T) {
	testkit.NotUnderRace(t)
	most, seeds := 1000, 10
	if invariants.Enabled {
		most, seeds = 300, 2
	}
	keys := make([]uint64, 0, 12_000)
	for n := range most {
		s, err := bloom.NewStatic(keys, 0.01)
		require.NoError(t, err)
		checkStatic(t, s, keys)
		keys = append(keys, uint64(n))
	}
	for n := 11_480; n <= 11_521; n++ {
		for seed := range seeds {
			r := rand.New(rand.NewPCG(uint64(n), uint64(seed)))
			keys = keys[:0]
			for range n {
				keys = append(keys, r.Uint64())
			}
			s, err := bloom.NewStatic(keys, 0.3)
			require.NoError(t, err)
			require.Less(t, float64(s.Bits())/float64(n), 2*1.5, "width 2: at most a few attempts")
			if seed == 0 {
				checkStatic(t, s, keys)
			}
		}
	}
}

func TestStaticRateAndSize(t *testing.T) {
	n, queries, overhead := 200_000, 4_000_000, 1.17
	if invariants.Enabled {
		n, queries, overhead = 20_000, 200_000, 1.24
	}
	keys := make([]uint64, n)
	for i := range keys {
		keys[i] = uint64(i)
	}
	for _, p := range []float64{0.5, 0.01, 1e-3, 1e-4} {
		t.Run(fmt.Sprint(p), func(t *testing.T) {
			s := must(bloom.NewStatic(keys, p))
			width := math.Ceil(-math.Log2(p))
			assert.Equal(t, math.Exp2(-width), s.Rate())
			assert.Less(t, float64(s.Bits())/float64(n), overhead*width)
			found := 0
			hs, out := make([]uint64, 1000), make([]bool, 1000)
			for q := 0; q < queries; q += 1000 {
				for i := range hs {
					hs[i] = uint64(n + q + i)
				}
				found += s.ContainsHashes(out, hs)
			}
			low, high := testkit.RateBounds(s.Rate(), queries, 5)
			rate := float64(found) / float64(queries)
			assert.True(t, low <= rate && rate <= high, "rate %g, want %g", rate, s.Rate())
		})
	}
	for _, width := range []int{1, 2, 3, 7, 8, 9, 15, 16, 17, 24, 31, 32} {
		s := must(bloom.NewStatic(keys[:5000], math.Exp2(-float64(width))))
		require.Equal(t, math.Exp2(-float64(width)), s.Rate())
		checkStatic(t, s, keys[:5000])
	}
}

func TestStaticWithDuplicates(t *testing.T) {
	r := rand.New(rand.NewPCG(12, 12))
	for _, n := range []int{2, 3, 10, 1000, 50_000} {
		keys := make([]uint64, n)
		for i := range keys {
			keys[i] = r.Uint64N(uint64(n)/2 + 1)
		}
		before := append([]uint64(nil), keys...)
		s, err := bloom.NewStatic(keys, 0.01)
		require.NoError(t, err)
		require.Equal(t, before, keys, "the input is the caller's")
		checkStatic(t, s, keys)
	}
	same := make([]uint64, 1000)
	checkStatic(t, must(bloom.NewStatic(same, 0.01)), same)
	require.True(t, must(bloom.NewStatic(same, 0.01)).Equal(must(bloom.NewStatic(same[:1], 0.01))))
}

func TestStaticKeysAndZero(t *testing.T) {
	secret := [16]byte{4}
	names := []string{"ann", "bob", "cyd"}
	var plain, keyed []uint64
	for _, name := range names {
		plain = append(plain, hash64.String(name))
		keyed = append(keyed, hash64.SipString(&secret, name))
	}
	for _, s := range []*bloom.Static{must(bloom.NewStatic(plain, 1e-6)), must(bloom.NewStatic(keyed, 1e-6, bloom.WithSecret(secret)))} {
		for _, name := range names {
			require.True(t, s.ContainsString(name) && s.Contains([]byte(name)))
			require.False(t, s.ContainsString(name+"?") || s.Contains([]byte(name+"?")))
		}
		testkit.NoAllocs(t, "Static", func() { s.ContainsString("ann") })
	}
	empty := must(bloom.NewStatic(nil, 0.01))
	checkStatic(t, empty, nil)
	require.False(t, empty.ContainsHash(0) || empty.ContainsString(""))
	require.Zero(t, empty.Rate())

	for _, bad := range []struct {
		p    float64
		opts []bloom.Option
		want string
	}{
		{0, nil, "bloom: false-positive rate is 0, want 0 < p < 1"},
		{1, nil, "bloom: false-positive rate is 1, want 0 < p < 1"},
		{math.NaN(), nil, "bloom: false-positive rate is NaN, want 0 < p < 1"},
		{1e-10, nil, "bloom: false-positive rate is 1e-10, want at least 2.3283064365386963e-10 (fingerprints have at most 32 bits)"},
		{0.01, []bloom.Option{bloom.WithMaxBytes(4)}, "bloom: filter needs 19 bytes, limit of WithMaxBytes is 4"},
		{0.01, []bloom.Option{bloom.WithPowerOfTwo()}, "bloom: WithPowerOfTwo does not apply to NewStatic"},
	} {
		_, err := bloom.NewStatic([]uint64{1}, bad.p, bad.opts...)
		require.EqualError(t, err, bad.want)
	}
	var zero bloom.Static
	require.False(t, zero.ContainsHash(1) || zero.Contains(nil) || zero.ContainsString("a"))
	require.Zero(t, zero.ContainsHashes(make([]bool, 2), []uint64{1, 2}))
	require.Zero(t, int(zero.Bits())+zero.SizeBytes())
	require.Zero(t, zero.Rate())
	_, err := zero.MarshalBinary()
	require.Error(t, err)
}
