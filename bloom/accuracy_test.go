package bloom_test

import (
	"fmt"
	"math"
	"math/bits"
	"testing"

	"github.com/distkit/distkit/bloom"
	"github.com/distkit/distkit/internal/hash64"
	"github.com/distkit/distkit/internal/invariants"
	"github.com/distkit/distkit/internal/testkit"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Bits a key that the rates need: the cost table of the package comment.
func TestSizing(t *testing.T) {
	for p, bpk := range map[float64]float64{
		0.1: 5.99, 0.05: 7.23, 0.01: 10.53, 1e-3: 16.89, 1e-4: 26.34, 1e-5: 40.99, 1e-6: 64.675,
	} {
		assert.InDelta(t, bpk, 256/bloom.BlockLoad(p, 32), 0.0051, "p = %g", p)
		assert.InEpsilon(t, p, bloom.BlockRate(bloom.BlockLoad(p, 32), 32), 1e-9)
	}
	// The sum by its definition, term by term in log space.
	for _, load := range []float64{0.1, 3.9, 24.3, 100, 600} {
		sum := load / (1 << 32)
		for i := range 2000 {
			lg, _ := math.Lgamma(float64(i) + 1)
			poisson := math.Exp(float64(i)*math.Log(load) - load - lg)
			sum += poisson * math.Pow(1-math.Pow(31.0/32, float64(i)), 8)
		}
		assert.InEpsilon(t, sum, bloom.BlockRate(load, 32), 1e-9, "load %g", load)
	}
	for _, n := range []uint64{1, 10, 1000, 30_000, 100_000, 1_000_000, 1_000_000_000, 3_000_000_000} {
		z, err := bloom.BlocksFor(n, 0.01, false)
		require.NoError(t, err)
		exact := float64(n) / bloom.BlockLoad(0.01, 32)
		assert.GreaterOrEqual(t, float64(z), exact)
		assert.LessOrEqual(t, float64(z), math.Ceil(exact)*(1+1.0/256), "%d keys", n)
		if z >= 1<<14 {
			assert.Zero(t, z%64, "%d keys", n)
		}
		z, err = bloom.BlocksFor(n, 0.01, true)
		require.NoError(t, err)
		assert.Equal(t, 1, bits.OnesCount64(z))
	}
	_, err := bloom.BlocksFor(1<<36, 0.01, true)
	assert.EqualError(t, err, "bloom: 68719476736 keys at a rate of 0.01 need 4294967296 blocks of 32 bytes, want at most 2^32-1")
}

// The asked rate is the measured one, neither more nor much less, and what the
// filter says of itself is true.
func TestRateIsTheAskedOne(t *testing.T) {
	n, queries := 400_000, 4_000_000
	if invariants.Enabled {
		n, queries = 50_000, 400_000
	}
	for _, p := range []float64{0.3, 0.05, 0.01, 1e-3, 1e-4} {
		for name, make := range map[string]func(uint64, float64, ...bloom.Option) (*bloom.Filter, error){
			"New": bloom.New, "NewParquet": bloom.NewParquet,
		} {
			t.Run(fmt.Sprintf("%s/p=%g", name, p), func(t *testing.T) {
				f := must(make(uint64(n), p))
				for i := range n {
					f.AddHash(hash64.Integer(i))
				}
				found := falsePositives(f, n, queries)
				_, high := testkit.RateBounds(1.03*p, queries, 4)
				low, _ := testkit.RateBounds(0.94*p, queries, 4)
				assert.Less(t, found, high)
				assert.Greater(t, found, low)

				own := f.EstimatedFPR()
				low, high = testkit.RateBounds(own, queries, 5)
				assert.True(t, low <= found && found <= high, "filter says %g, measured %g", own, found)
				assert.InEpsilon(t, n, f.EstimatedCount(), 0.01+3/math.Sqrt(float64(n)))
			})
		}
	}
}

// falsePositives asks for keys n, n+1, ... that were not added.
func falsePositives(f *bloom.Filter, n, queries int) float64 {
	found := 0
	hs, out := make([]uint64, 1000), make([]bool, 1000)
	for q := 0; q < queries; q += len(hs) {
		for i := range hs {
			hs[i] = hash64.Integer(n + q + i)
		}
		found += f.ContainsHashes(out, hs)
	}
	return float64(found) / float64(queries)
}

// The keys of one shard in 64, cut at either end of the hash, and raw integer
// identities of seven patterns: a filter that took its bits from the hash as it
// is answers "present" to all or a quarter of them.
func TestRateSurvivesShardsAndRawIntegers(t *testing.T) {
	const n, p = 40_000, 0.01
	shard := func(match func(h uint64) bool) func(i int) uint64 {
		next := 0
		return func(int) uint64 {
			for {
				next++
				if h := hash64.Integer(next); match(h) {
					return h
				}
			}
		}
	}
	for name, key := range map[string]func(i int) uint64{
		"high bits":    shard(func(h uint64) bool { return h>>58 == 17 }),
		"low bits":     shard(func(h uint64) bool { return h&63 == 17 }),
		"i":            func(i int) uint64 { return uint64(i) },
		"i<<32":        func(i int) uint64 { return uint64(i) << 32 },
		"i<<44":        func(i int) uint64 { return uint64(i) << 44 },
		"1024 i":       func(i int) uint64 { return uint64(i) * 1024 },
		"bit-reversed": func(i int) uint64 { return bits.Reverse64(uint64(i)) },
		"i*(2^32+1)":   func(i int) uint64 { return uint64(i) * (1<<32 + 1) },
		"^i":           func(i int) uint64 { return ^uint64(i) },
	} {
		t.Run(name, func(t *testing.T) {
			f := must(bloom.New(n, p))
			for i := range n {
				f.AddHash(key(i))
			}
			found := 0
			const queries = 100_000
			for i := range queries {
				if f.ContainsHash(key(n + i)) {
					found++
				}
			}
			low, _ := testkit.RateBounds(0.9*p, queries, 4)
			_, high := testkit.RateBounds(1.05*p, queries, 4)
			rate := float64(found) / queries
			assert.True(t, low < rate && rate < high, "rate %g", rate)
		})
	}
}

func TestEstimatesOfFullAndMergedFilters(t *testing.T) {
	full := bloom.NewBlocks(2, false)
	for i := range full.Words() {
		full.Words()[i] = math.MaxUint64
	}
	assert.Equal(t, 1.0, full.EstimatedFPR())
	assert.InDelta(t, 64*math.Log(512), full.EstimatedCount(), 1e-9)

	const n = 100_000
	a, b := must(bloom.New(2*n, 0.01)), must(bloom.New(2*n, 0.01))
	for i := range n {
		a.AddHash(uint64(i))
		b.AddHash(uint64(i + n/2))
	}
	u := a.Clone()
	require.NoError(t, u.Merge(b))
	assert.InEpsilon(t, 1.5*n, u.EstimatedCount(), 0.01)
	assert.InDelta(t, n/2, a.EstimatedCount()+b.EstimatedCount()-u.EstimatedCount(), 0.02*n)
	check(t, u)
}
