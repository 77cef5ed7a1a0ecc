package hll_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"

	"github.com/distkit/distkit/hll"
	"github.com/distkit/distkit/internal/hash64"
	"github.com/distkit/distkit/internal/testkit"
	"github.com/stretchr/testify/require"
)

// Every sketch holds what its keys make of it, whatever the order, and says truly
// whether an Add changed it.
func TestSketchIsItsTwin(t *testing.T) {
	testkit.NotUnderRace(t)
	rng := rand.New(rand.NewPCG(1, 2))
	for p := hll.MinPrecision; p <= hll.MaxPrecision; p++ {
		s, dense, w := must(hll.New(p)), must(hll.New(p, hll.WithDense())), twin{}
		for i := range 3000 {
			h := rng.Uint64() >> rng.IntN(60) // many small ones, some twice
			before := s.Clone()
			changed := s.AddHash(h)
			require.Equal(t, changed, !s.Equal(before), "p=%d, key %d", p, i)
			require.False(t, s.AddHash(h))
			dense.AddHash(h)
			w.add(h)
			if i < 4 || i%500 == 0 {
				w.same(t, s)
			}
		}
		w.same(t, s)
		w.same(t, dense)
	}
}

func TestKeysAreHashed(t *testing.T) {
	secret := [16]byte{1, 2, 3}
	plain, keyed := must(hll.New(10)), must(hll.New(10, hll.WithSecret(secret)))
	for i := range 1000 {
		key := "key " + strconv.Itoa(i)
		require.Equal(t, hash64.String(key), plain.Hash([]byte(key)))
		require.Equal(t, hash64.SipString(&secret, key), keyed.Hash([]byte(key)))
		for _, s := range []*hll.Sketch{plain, keyed} {
			require.Equal(t, s.Hash([]byte(key)), s.HashString(key))
			other := s.Clone()
			changed := s.Add([]byte(key))
			require.Equal(t, changed, other.AddString(key))
			require.True(t, s.Equal(other))
			require.False(t, s.AddHash(s.HashString(key)))
		}
	}
	require.False(t, plain.Equal(keyed))
	check(t, plain)
	check(t, keyed)
}

func TestSmallSetsAreExact(t *testing.T) {
	s := must(hll.New(14))
	for n := range 3000 {
		if n <= 500 {
			require.Equal(t, uint64(n), s.Estimate())
		}
		require.InEpsilon(t, n+1, s.Estimate()+1, 1e-3)
		lower, upper := s.Bounds(6)
		require.True(t, lower <= uint64(n) && uint64(n) <= upper)
		s.AddHash(uint64(n))
	}
	require.Empty(t, s.Registers())
}

// The estimate never shrinks, not even at the turn from tokens to registers but
// for the error of those.
func TestEstimateIsMonotone(t *testing.T) {
	for _, opts := range [][]hll.Option{nil, {hll.WithDense()}, {hll.WithMartingale()}, {hll.WithDense(), hll.WithMartingale()}} {
		s := must(hll.New(8, opts...))
		last := uint64(0)
		for i := range uint64(100_000) {
			sparse := len(s.Registers()) == 0
			if !s.AddHash(i) {
				require.Equal(t, last, s.Estimate())
				continue
			}
			n := s.Estimate()
			if sparse == (len(s.Registers()) == 0) {
				require.GreaterOrEqual(t, n, last)
			}
			last = n
		}
		check(t, s)
	}
}

// One state serves all: estimates by the sums kept equal those by definition.
func TestEstimateIsTheFormula(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for p := 4; p <= 18; p += 2 {
		q := 64 - p
		for _, largest := range []int{1, 2, 5, 20, q, q + 1} {
			regs := make([]uint8, 1<<p)
			require.Zero(t, hll.FromRegisters(regs, uint8(p)).Estimate())
			for i := range regs {
				regs[i] = uint8(rng.IntN(largest + 1))
			}
			got, want := hll.FromRegisters(regs, uint8(p)).Estimate(), slowEstimate(regs, p)
			require.InEpsilon(t, min(want, 1<<64), float64(got), 1e-9+0.5/want, "p=%d up to %d", p, largest)
		}
		full := slices.Repeat([]uint8{uint8(q + 1)}, 1<<p)
		s := hll.FromRegisters(full, uint8(p))
		require.Equal(t, uint64(math.MaxUint64), s.Estimate())
		check(t, s)
	}
}

// solve finds the largest likelihood: no x around its answer has a larger one.
func TestSolveMaximizesTheLikelihood(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	for range 200 {
		b := make([]uint32, 1+rng.IntN(40))
		for range 1 + rng.IntN(5) {
			b[rng.IntN(len(b))] = uint32(rng.IntN(1000))
		}
		b[rng.IntN(len(b))]++
		a := math.Exp(20*rng.Float64() - 10)
		likelihood := func(x float64) float64 {
			l := -a * x
			for j, n := range b {
				l += float64(n) * math.Log(-math.Expm1(-x/math.Pow(2, float64(j))))
			}
			return l
		}
		x := hll.Solve(a, b, 1e-9)
		require.GreaterOrEqual(t, likelihood(x), likelihood(x*1.00001), "a=%v b=%v", a, b)
		require.GreaterOrEqual(t, likelihood(x), likelihood(x/1.00001), "a=%v b=%v", a, b)
	}
	require.Zero(t, hll.Solve(1, make([]uint32, 5), 1e-9))
	require.True(t, math.IsInf(hll.Solve(0, []uint32{1}, 1e-9), 1))
}

func TestTokensKeepWhatRegistersNeed(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 8))
	for range 10_000 {
		x := rng.Uint64() >> rng.IntN(64)
		require.Equal(t, hll.TokenOf(x), hll.TokenOf(hll.TokenHash(hll.TokenOf(x))))
	}
	require.Equal(t, uint32(38), hll.TokenOf(0))
	require.Equal(t, uint32(math.MaxUint32)&^63, hll.TokenOf(math.MaxUint64))
}

func TestConstructorsCheck(t *testing.T) {
	for want, f := range map[string]func() (*hll.Sketch, error){
		"hll: precision is 3, want 4 to 18":  func() (*hll.Sketch, error) { return hll.New(3) },
		"hll: precision is 19, want 4 to 18": func() (*hll.Sketch, error) { return hll.New(19) },
		"hll: option 0 of New is nil":        func() (*hll.Sketch, error) { return hll.New(14, nil) },
	} {
		s, err := f()
		require.EqualError(t, err, want)
		require.Nil(t, s)
	}
}

func TestPrecision(t *testing.T) {
	for relative, want := range map[float64]int{math.Inf(1): 4, 0.5: 4, 0.2: 5, 0.02: 12, 0.01: 14, 0.0082: 14, 0.008: 15, 0.0021: 18} {
		require.Equal(t, want, must(hll.Precision(relative)), "%v", relative)
		require.LessOrEqual(t, must(hll.New(want)).RelativeError(), relative)
	}
	for _, bad := range []float64{0.002, 0, -1, math.NaN()} {
		_, err := hll.Precision(bad)
		require.EqualError(t, err, fmt.Sprintf("hll: relative error is %g, want at least 0.002029", bad))
	}
}

func TestZeroSketch(t *testing.T) {
	var s hll.Sketch
	require.Zero(t, s.Estimate())
	require.Zero(t, s.Precision())
	require.Zero(t, s.RelativeError())
	require.Zero(t, s.SizeBytes())
	require.True(t, s.IsEmpty() && s.Equal(s.Clone()))
	lower, upper := s.Bounds(3)
	require.Zero(t, lower+upper)
	s.Reset()
	_, err := s.MarshalBinary()
	require.EqualError(t, err, "hll: zero value has nothing to encode, make one with New")
	require.PanicsWithValue(t, "hll: Add to a zero Sketch, make one with New", func() { s.AddString("a") })
	require.PanicsWithValue(t, "hll: Merge into a zero Sketch, make one with New", func() { _ = s.Merge(must(hll.New(4))) })
	require.PanicsWithValue(t, "hll: Reduce of a zero Sketch, make one with New", func() { _ = s.Reduce(4) })
}

func TestBounds(t *testing.T) {
	s := must(hll.New(10))
	for i := range uint64(50_000) {
		s.AddHash(i)
	}
	n := s.Estimate()
	for _, sigmas := range []float64{0, -1} {
		lower, upper := s.Bounds(sigmas)
		require.InDelta(t, n, lower, 1)
		require.InDelta(t, n, upper, 1)
	}
	lower, upper := s.Bounds(2)
	require.InEpsilon(t, float64(n)/(1+2*s.RelativeError()), lower, 1e-4)
	require.InEpsilon(t, float64(n)/(1-2*s.RelativeError()), upper, 1e-4)
	for _, sigmas := range []float64{31, math.Inf(1), math.NaN()} {
		lower, upper = s.Bounds(sigmas)
		require.Equal(t, uint64(math.MaxUint64), upper)
		require.LessOrEqual(t, lower, n/2)
		require.Positive(t, lower)
	}
}

func TestReset(t *testing.T) {
	for _, opts := range [][]hll.Option{nil, {hll.WithDense()}, {hll.WithMartingale()}, {hll.WithSecret([16]byte{1})}} {
		s := must(hll.New(8, opts...))
		for i := range uint64(1000) {
			s.AddHash(i)
		}
		s.Reset()
		require.True(t, s.IsEmpty() && s.Equal(must(hll.New(8, opts...))))
		for i := range uint64(1000) {
			s.AddHash(i)
		}
		check(t, s)
	}
}

func TestHotPathsAllocateNothing(t *testing.T) {
	s := must(hll.New(12, hll.WithDense()))
	key, i := []byte("a key of 16 byte"), uint64(0)
	testkit.NoAllocs(t, "Add", func() {
		s.Add(key)
		s.AddString("a key of 16 byte")
		s.AddHash(i)
		i++
	})
	other := must(hll.New(12))
	for i := range uint64(10_000) {
		other.AddHash(i)
	}
	testkit.NoAllocs(t, "Merge and Estimate", func() {
		require.NoError(t, s.Merge(other))
		s.Estimate()
		s.Bounds(2)
	})
}
