package bloom_test

import (
	"fmt"
	"math"
	"math/bits"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/distkit/distkit/bloom"
	"github.com/distkit/distkit/internal/hash64"
	"github.com/distkit/distkit/internal/invariants"
	"github.com/distkit/distkit/internal/testkit"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// classicTwin is the textbook's filter: a bool a bit, and positions by enhanced
// double hashing as its definition words it.
type classicTwin struct {
	bit []bool
	k   int
}

func (t *classicTwin) positions(h uint64) (all []uint64) {
	h = hash64.Mix(h, hash64.SaltBloom)
	step := hash64.Mix(h, 0x165667B19E3779F9) | 1
	for i := range t.k {
		at, _ := bits.Mul64(h, uint64(len(t.bit)))
		all = append(all, at)
		h += step
		step += uint64(i+1) * 0xC2B2AE3D27D4EB4F
	}
	return all
}

func (t *classicTwin) contains(positions []uint64) bool {
	for _, i := range positions {
		if !t.bit[i] {
			return false
		}
	}
	return true
}

func (t *classicTwin) add(positions []uint64) bool {
	fresh := !t.contains(positions)
	for _, i := range positions {
		t.bit[i] = true
	}
	return fresh
}

func TestClassicMatchesTwin(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 9))
	for _, p := range []float64{0.9, 0.5, 0.2, 0.01, 1e-4, 1e-9} {
		c := must(bloom.NewClassic(300, p))
		slow := &classicTwin{make([]bool, c.Bits()), c.K()}
		known := []uint64{0, math.MaxUint64}
		for range 600 {
			h := r.Uint64()
			if r.IntN(3) == 0 {
				h = known[r.IntN(len(known))]
			}
			at := slow.positions(h)
			require.Equal(t, slow.contains(at), c.ContainsHash(h))
			require.Equal(t, slow.add(at), c.AddHash(h))
			require.True(t, c.ContainsHash(h))
			require.False(t, c.AddHash(h))
			known = append(known, h)
		}
		for i, set := range slow.bit {
			require.Equal(t, set, c.Words()[i/64]>>(i%64)&1 == 1)
		}
		checkClassic(t, c)
	}
}

func checkClassic(t *testing.T, c *bloom.Classic) {
	t.Helper()
	require.Zero(t, c.Bits()%64)
	require.GreaterOrEqual(t, c.SizeBytes(), int(c.Bits()/8))
	require.True(t, c.Equal(c.Clone()))
	require.False(t, c.Equal(nil))
	got := new(bloom.Classic)
	require.NoError(t, got.UnmarshalText(must(c.MarshalText())))
	require.True(t, c.Equal(got))
	require.LessOrEqual(t, c.EstimatedFPR(), 1.0)
}

// The textbook's example: m = 10, k = 2.
func TestClassicByTheBook(t *testing.T) {
	slow := &classicTwin{make([]bool, 10), 2}
	c := bloom.NewClassicBits(10, 2)
	for _, key := range [][]uint64{{5, 8}, {3, 5}, {2, 9}} { // john, dave, peter
		slow.add(key)
		c.SetPositions(key...)
	}
	var text strings.Builder
	for i := range 10 {
		text.WriteString(fmt.Sprint(c.Words()[0] >> i & 1))
	}
	assert.Equal(t, "0011010011", text.String())
	donald, sarah := []uint64{3, 7}, []uint64{3, 8}
	assert.False(t, slow.contains(donald) || c.HasPositions(donald...), "donald is absent")
	assert.True(t, slow.contains(sarah) && c.HasPositions(sarah...), "sarah is a false positive")
	assert.InDelta(t, 0.25, c.EstimatedFPR(), 1e-12)
}

func TestClassicSize(t *testing.T) {
	for p, want := range map[float64]float64{0.1: 4.79, 0.05: 6.24, 0.01: 9.59, 1e-3: 14.38, 1e-4: 19.17, 1e-6: 28.76, 1e-9: 43.13} {
		perKey, k := bloom.ClassicSize(p)
		assert.InEpsilon(t, want, perKey, 0.01, "p = %g", p)
		assert.InDelta(t, -math.Log2(p), k, 1, "p = %g", p)
	}
	rate := func(k, perKey float64) float64 { return math.Pow(1-math.Exp(-k/perKey), k) }
	for p := 1e-10; p < 1; p *= 1.07 {
		perKey, k := bloom.ClassicSize(p)
		assert.InEpsilon(t, p, rate(float64(k), perKey), 1e-6)
		// More hash functions help only up to k = m/n ln 2, and fewer do not either.
		assert.InDelta(t, perKey*math.Ln2, k, 1, "p = %g", p)
		for other := 1.0; other < 40; other++ {
			assert.GreaterOrEqual(t, rate(other, perKey), p*(1-1e-6), "p = %g, k = %g", p, other)
		}
	}
	for _, c := range []struct {
		n    uint64
		p    float64
		want string
	}{
		{0, 0.01, "bloom: number of keys is 0, want at least 1"},
		{1, 1e-11, "bloom: false-positive rate is 1e-11, want at least 1e-10 (hashes of 64 bits allow no less)"},
		{1, 2, "bloom: false-positive rate is 2, want 0 < p < 1"},
		{1 << 60, 0.01, "bloom: 1152921504606846976 keys at a rate of 0.01 need 1.11e+19 bits, want at most 2^40"},
	} {
		_, err := bloom.NewClassic(c.n, c.p)
		assert.EqualError(t, err, c.want)
	}
	_, err := bloom.NewClassic(1000, 0.01, bloom.WithMaxBytes(100))
	assert.EqualError(t, err, "bloom: filter needs 1200 bytes, limit of WithMaxBytes is 100")
	_, err = bloom.NewClassic(1000, 0.01, bloom.WithPowerOfTwo())
	assert.EqualError(t, err, "bloom: WithPowerOfTwo does not apply to NewClassic")
}

func TestClassicRate(t *testing.T) {
	n, queries := 100_000, 2_000_000
	if invariants.Enabled {
		n, queries = 20_000, 200_000
	}
	for _, p := range []float64{0.7, 0.35, 0.1, 0.01, 1e-3, 1e-5} {
		t.Run(fmt.Sprint(p), func(t *testing.T) {
			c := must(bloom.NewClassic(uint64(n), p))
			for i := range n {
				c.AddHash(uint64(i))
			}
			found := 0
			for i := range queries {
				if c.ContainsHash(uint64(n + i)) {
					found++
				}
			}
			rate := float64(found) / float64(queries)
			low, _ := testkit.RateBounds(0.97*p, queries, 5)
			_, high := testkit.RateBounds(1.03*p, queries, 5)
			assert.True(t, low <= rate && rate <= high, "rate %g", rate)
			own := c.EstimatedFPR()
			low, _ = testkit.RateBounds(0.99*own, queries, 5)
			_, high = testkit.RateBounds(1.01*own, queries, 5)
			assert.True(t, low <= rate && rate <= high, "rate %g, filter says %g", rate, own)
			assert.InEpsilon(t, n, c.EstimatedCount(), 0.01+3/math.Sqrt(float64(n)))
		})
	}
	// Promises far below what can be measured: not one false positive.
	c := must(bloom.NewClassic(1000, 1e-9))
	for i := range 1000 {
		c.AddHash(uint64(i))
	}
	for i := range 500_000 {
		require.False(t, c.ContainsHash(uint64(1000+i)))
	}
}

// Two keys whose words of double hashing are close have all positions in common:
// once in (km)^2/2 keys, whatever the textbook says. Sizes count that in.
func TestClassicCloseWords(t *testing.T) {
	const m, k, queries = 64, 5, 1_000_000
	c := bloom.NewClassicBits(m, k)
	c.AddHash(0)
	found := 0.0
	for i := range queries {
		if c.ContainsHash(uint64(1 + i)) {
			found++
		}
	}
	low, _ := testkit.RateBounds(1.0/(k*k*m*m), queries, 4)
	_, high := testkit.RateBounds(bloom.CloseRate(1, m, k), queries, 4)
	assert.True(t, low < found/queries && found/queries < high, "rate %g", found/queries)

	for _, p := range []float64{0.5, 0.01, 1e-5, 1e-7, 1e-10} {
		for n := uint64(1); n < 1e6; n = n*5 + 1 {
			c := must(bloom.NewClassic(n, p))
			m, k := float64(c.Bits()), float64(c.K())
			textbook := math.Pow(1-math.Exp(-k*float64(n)/m), k)
			assert.LessOrEqual(t, textbook+bloom.CloseRate(float64(n), m, c.K()), 1.01*p, "%d keys at %g", n, p)
			perKey, _ := bloom.ClassicSize(p)
			assert.LessOrEqual(t, m, float64(n)*perKey+8*20<<10, "%d keys at %g", n, p)
		}
	}
}

func TestClassicMergeAndZero(t *testing.T) {
	secret := bloom.WithSecret([16]byte{1})
	a, b, both := must(bloom.NewClassic(100, 0.01)), must(bloom.NewClassic(100, 0.01)), must(bloom.NewClassic(100, 0.01))
	a.AddString("ann")
	b.Add([]byte("bob"))
	both.AddHashes([]uint64{hash64.String("ann"), hash64.String("bob")})
	require.True(t, a.ContainsString("ann") && b.Contains([]byte("bob")))
	require.NoError(t, a.Merge(b))
	require.True(t, a.Equal(both))
	out := make([]bool, 5)
	require.Equal(t, 2, both.ContainsHashes(out, []uint64{hash64.String("ann"), 5, hash64.String("bob")}))
	require.Equal(t, []bool{true, false, true, false, false}, out)
	for name, other := range map[string]*bloom.Classic{
		"size": must(bloom.NewClassic(200, 0.01)), "k": bloom.NewClassicBits(a.Bits(), a.K()+1),
		"secret": must(bloom.NewClassic(100, 0.01, secret)), "zero": {}, "nil": nil,
	} {
		require.ErrorIs(t, a.Merge(other), bloom.ErrIncompatible, name)
		require.True(t, a.Equal(both), name)
	}
	a.Reset()
	require.True(t, a.Equal(must(bloom.NewClassic(100, 0.01))))
	full := bloom.NewClassicBits(64, 1)
	full.SetPositions(func() (all []uint64) {
		for i := range uint64(64) {
			all = append(all, i)
		}
		return all
	}()...)
	require.InDelta(t, 64*math.Log(64), full.EstimatedCount(), 1e-9)

	var zero bloom.Classic
	require.False(t, zero.ContainsString("a") || zero.Contains(nil) || zero.ContainsHash(3))
	require.Zero(t, zero.EstimatedCount()+zero.EstimatedFPR())
	require.Zero(t, int(zero.Bits())+zero.K()+zero.SizeBytes())
	zero.Reset()
	for _, f := range []func(){
		func() { zero.Add(nil) }, func() { zero.AddString("") }, func() { zero.AddHash(1) }, func() { zero.AddHashes([]uint64{1}) },
		func() { _ = zero.Merge(both) },
	} {
		require.Contains(t, panicText(f), "make one with NewClassic")
	}
	_, err := zero.MarshalBinary()
	require.Error(t, err)
	testkit.NoAllocs(t, "Classic", func() { both.AddString("x"); both.ContainsString("y") })
}
