package bloom_test

import (
	"math"
	"testing"

	"github.com/distkit/distkit/bloom"
	"github.com/distkit/distkit/internal/invariants"
	"github.com/distkit/distkit/internal/testkit"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func checkScalable(t *testing.T, s *bloom.Scalable) {
	t.Helper()
	require.True(t, s.Equal(s.Clone()))
	require.False(t, s.Equal(nil))
	got := new(bloom.Scalable)
	require.NoError(t, got.UnmarshalText(must(s.MarshalText())))
	require.True(t, s.Equal(got))
	require.Equal(t, s.Bits(), uint64(8*s.SizeBytes()))
}

// A thousandfold growth keeps the rate, forgets nothing and costs what it should.
func TestScalableGrowth(t *testing.T) {
	testkit.NotUnderRace(t)
	first, queries := 500, 2_000_000
	if invariants.Enabled {
		first, queries = 50, 200_000
	}
	for _, p := range []float64{0.05, 0.01, 1e-3} {
		s := must(bloom.NewScalable(uint64(first), p))
		n := 1023 * first // ten layers, the last one full
		told := 0
		for i := range n {
			if s.AddHash(uint64(i)) {
				told++
			}
		}
		for i := range n {
			require.True(t, s.ContainsHash(uint64(i)))
		}
		require.Equal(t, 10, s.Layers())
		assert.InDelta(t, n, told, 4*math.Sqrt(p*float64(n))+p*float64(n), "what was found by chance was not new")
		found := 0
		for i := range queries {
			if s.ContainsHash(uint64(n + i)) {
				found++
			}
		}
		rate := float64(found) / float64(queries)
		assert.Less(t, rate, p)
		assert.Greater(t, rate, p/2, "more would be waste")
		low, high := testkit.RateBounds(s.EstimatedFPR(), queries, 5)
		assert.True(t, low <= rate && rate <= high, "rate %g, filter says %g", rate, s.EstimatedFPR())
		assert.InEpsilon(t, told, s.EstimatedCount(), 0.02+3/math.Sqrt(float64(n)))
		if p == 0.01 && !invariants.Enabled {
			assert.Less(t, float64(s.Bits())/float64(n), 24.0)
		}
		before := s.Clone()
		for i := range n {
			require.False(t, s.AddHash(uint64(i)), "again")
		}
		require.True(t, before.Equal(s), "keys that come again do not fill it")
		checkScalable(t, s)
		s.Reset()
		require.True(t, s.Equal(must(bloom.NewScalable(uint64(first), p))))
		require.Equal(t, 10, before.Layers())
	}
}

// Out of room it goes on in its last layer, and says what that does to the rate.
func TestScalableOutOfRoom(t *testing.T) {
	s := must(bloom.NewScalable(100, 0.01, bloom.WithMaxBytes(1500)))
	for i := range 5000 {
		s.AddHash(uint64(i))
		require.True(t, s.ContainsHash(uint64(i)))
	}
	require.Less(t, s.SizeBytes(), 1501)
	require.Greater(t, s.EstimatedFPR(), 0.5)
	layers := s.Layers()
	image := must(s.MarshalBinary())
	checkScalable(t, s)

	// In a receiver with room it grows again.
	roomy := must(bloom.NewScalable(1, 0.5))
	require.NoError(t, roomy.UnmarshalBinary(image))
	for i := range 20_000 {
		roomy.AddHash(uint64(1_000_000 + i))
	}
	require.Greater(t, roomy.Layers(), layers)
	s.Reset()
	require.Equal(t, 1, s.Layers())

	huge := must(bloom.NewScalable(1, 0.99))
	require.Equal(t, 1, huge.Layers())
}

func TestScalableParametersAndZero(t *testing.T) {
	for _, c := range []struct {
		n    uint64
		p    float64
		opts []bloom.Option
		want string
	}{
		{0, 0.1, nil, "bloom: number of keys is 0, want at least 1"},
		{1, 1e-6, nil, "bloom: false-positive rate is 1e-06, want at least 1e-05 (layers need rates below it)"},
		{1, 1.5, nil, "bloom: false-positive rate is 1.5, want 0 < p < 1"},
		{1000, 0.1, []bloom.Option{bloom.WithMaxBytes(100)}, "bloom: filter needs 1088 bytes, limit of WithMaxBytes is 100"},
		{1, 0.1, []bloom.Option{bloom.WithPanes(3)}, "bloom: WithPanes does not apply to NewScalable"},
	} {
		s, err := bloom.NewScalable(c.n, c.p, c.opts...)
		assert.EqualError(t, err, c.want)
		assert.Nil(t, s)
	}
	_, err := bloom.NewScalable(math.MaxUint64, 0.1)
	assert.ErrorContains(t, err, "want at most 2^32-1")

	var zero bloom.Scalable
	require.False(t, zero.Contains(nil) || zero.ContainsString("") || zero.ContainsHash(1))
	require.Zero(t, zero.ContainsHashes(make([]bool, 1), []uint64{1}))
	require.Zero(t, int(zero.Bits())+zero.SizeBytes()+zero.Layers())
	require.Zero(t, zero.EstimatedCount()+zero.EstimatedFPR())
	zero.Reset()
	for _, f := range []func(){
		func() { zero.Add(nil) }, func() { zero.AddString("") }, func() { zero.AddHash(1) }, func() { zero.AddHashes([]uint64{1}) },
	} {
		require.Contains(t, panicText(f), "make one with NewScalable")
	}
	_, err = zero.MarshalBinary()
	require.Error(t, err)

	s := must(bloom.NewScalable(1000, 0.01, bloom.WithSecret([16]byte{1})))
	require.True(t, s.Add([]byte("ann")) && s.AddString("bob"))
	require.True(t, s.ContainsString("ann") && s.Contains([]byte("bob")) && s.ContainsHash(s.HashString("ann")))
	s.AddHashes([]uint64{1, 2})
	require.Equal(t, 2, s.ContainsHashes(make([]bool, 3), []uint64{1, 3, 2}))
	testkit.NoAllocs(t, "Scalable", func() { s.AddString("x"); s.ContainsString("y") })
}
