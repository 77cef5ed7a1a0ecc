package hll_test

import (
	"maps"
	"math"
	"slices"
	"testing"

	"github.com/distkit/distkit/hll"
	"github.com/distkit/distkit/internal/hash64"
	"github.com/stretchr/testify/require"
)

// twin is HyperLogLog as the papers word it: it remembers all remixed hashes, and
// finds bits one by one.
type twin map[uint64]bool

func (w twin) add(h uint64) { w[hash64.Mix(h, hash64.SaltHLL)] = true }

// bit returns bit i of x from the top, i from 0.
func bit(x uint64, i int) uint64 { return x >> (63 - i) & 1 }

func (w twin) registers(p int) []uint8 {
	regs := make([]uint8, 1<<p)
	for x := range w {
		index, rho := 0, uint8(1)
		for i := range p {
			index = 2*index + int(bit(x, i))
		}
		for i := p; i < 64 && bit(x, i) == 0; i++ {
			rho++
		}
		regs[index] = max(regs[index], rho)
	}
	return regs
}

func (w twin) tokens() []uint32 {
	set := map[uint32]bool{}
	for x := range w {
		token, zeros := uint32(0), uint32(0)
		for i := range 26 {
			token = 2*token + uint32(bit(x, i))
		}
		for i := 26; i < 64 && bit(x, i) == 0; i++ {
			zeros++
		}
		set[token*64+zeros] = true
	}
	return slices.Sorted(maps.Keys(set))
}

// same demands that s holds what its keys, known to w, make of it.
func (w twin) same(t *testing.T, s *hll.Sketch) {
	t.Helper()
	if want := w.tokens(); len(s.Registers()) == 0 {
		require.LessOrEqual(t, len(want), 3<<s.Precision()/16)
		require.True(t, slices.Equal(want, s.Tokens()))
	} else {
		require.Equal(t, w.registers(s.Precision()), s.Registers())
	}
	check(t, s)
}

// slowEstimate is the improved raw estimator from its definition.
func slowEstimate(regs []uint8, p int) float64 {
	q, m := 64-p, float64(len(regs))
	c := make([]float64, q+2)
	for _, r := range regs {
		c[r]++
	}
	sigma, tau := c[0]/m, 1-(1-c[q+1]/m)
	if c[0] == m {
		return 0
	}
	for k := 1; k < 200; k++ {
		sigma += math.Pow(c[0]/m, math.Pow(2, float64(k))) * math.Pow(2, float64(k-1))
		tau -= math.Pow(1-math.Pow(1-c[q+1]/m, math.Pow(2, -float64(k))), 2) * math.Pow(2, -float64(k))
	}
	sum := m*sigma + m*tau/3*math.Pow(2, -float64(q))
	for k := 1; k <= q; k++ {
		sum += c[k] * math.Pow(2, -float64(k))
	}
	return m * m / (2 * math.Ln2 * sum)
}

// check verifies what holds for every Sketch: sums that agree with what they sum
// up, an image that decodes to an equal sketch, a clone that is equal, bounds
// around the estimate.
func check(t *testing.T, s *hll.Sketch) {
	t.Helper()
	require.True(t, s.SumsAreRight() && s.CountsAreRight())
	require.True(t, s.Equal(s.Clone()))
	n := s.Estimate()
	require.Equal(t, s.IsEmpty(), n == 0)
	for _, sigmas := range []float64{0, 1, 3, 1e9} {
		lower, upper := s.Bounds(sigmas)
		require.LessOrEqual(t, lower, n)
		require.GreaterOrEqual(t, upper, n)
	}
	if s.Precision() == 0 {
		return
	}
	require.LessOrEqual(t, s.SizeBytes(), 1<<s.Precision())
	image, err := s.MarshalBinary()
	require.NoError(t, err)
	d := s.Clone()
	d.Reset()
	require.NoError(t, d.UnmarshalBinary(image))
	require.True(t, s.Equal(d))
	require.Equal(t, n, d.Estimate())
}

// must returns v or ends the test.
func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
