package cms_test

import (
	"errors"
	"math"
	"testing"
	"time"

	"github.com/distkit/distkit/cms"
	"github.com/stretchr/testify/require"
)

// parts returns the sketches of two streams and of both.
func parts(t *testing.T, opts ...cms.Option) (a, b, both *cms.Sketch) {
	t.Helper()
	a, b, both = must(cms.NewSize(64, 4, opts...)), must(cms.NewSize(64, 4, opts...)), must(cms.NewSize(64, 4, opts...))
	for i := range uint64(300) {
		a.AddHashN(i, i)
		both.AddHashN(i, i)
	}
	for i := range uint64(300) {
		b.AddHashN(i*7, 3)
		both.AddHashN(i*7, 3)
	}
	return a, b, both
}

// Plain sketches merge to the bytes of one of both streams, and Subtract undoes it.
func TestMergeAndSubtract(t *testing.T) {
	for _, opts := range [][]cms.Option{nil, {cms.WithWideCounters()}} {
		a, b, both := parts(t, opts...)
		before := a.Clone()
		require.NoError(t, a.Merge(b))
		require.Equal(t, must(both.MarshalBinary()), must(a.MarshalBinary()))
		require.NoError(t, a.Subtract(b))
		require.Equal(t, must(before.MarshalBinary()), must(a.MarshalBinary()))
		require.EqualError(t, a.Subtract(both), "cms: incompatible: subtraction of a sketch that is no part of this one")
		more := a.Clone()
		more.AddHash(5)
		require.ErrorIs(t, a.Subtract(more), cms.ErrIncompatible)
		require.True(t, a.Equal(before), "unchanged")
		require.NoError(t, a.Subtract(before))
		a.Reset()
		require.True(t, a.Equal(must(cms.NewSize(64, 4, opts...))))
	}
}

// What missed additions is not made up for: full counters stay full.
func TestSubtractKeepsWhatIsFull(t *testing.T) {
	s := must(cms.NewSize(10, 2))
	s.AddHashN(1, math.MaxUint32)
	part := s.Clone()
	s.AddHashN(1, 5)
	require.NoError(t, s.Subtract(part))
	require.Equal(t, uint64(math.MaxUint32), s.CountHash(1))
	check(t, s)
	s.AddHashN(1, math.MaxUint64)
	require.NoError(t, s.Subtract(part))
	require.EqualValues(t, uint64(math.MaxUint64), s.Total(), "nobody knows what it missed")
}

// A merge of conservative sketches is an upper bound, for all keys.
func TestConservativeMergeNeverUnderestimates(t *testing.T) {
	a, b, _ := parts(t, cms.WithConservative())
	require.NoError(t, a.Merge(b))
	for i := range uint64(300) {
		n := i
		if i%7 == 0 {
			n += 3
		}
		require.GreaterOrEqual(t, a.CountHash(i), n)
	}
	check(t, a)
	require.EqualError(t, a.Subtract(b), "cms: incompatible: subtraction of conservative sketches, want plain ones")
	_, err := a.InnerProduct(b)
	require.EqualError(t, err, "cms: incompatible: inner product of conservative sketches, want plain ones")
	require.InDelta(t, float64(a.CountHash(4)), a.CountMeanHash(4), 0, "rows do not hold the total")
}

// The product is at least the join of both streams, and above it by more than
// epsilon of both totals for a share of the trials that delta bounds.
func TestInnerProduct(t *testing.T) {
	const trials = 200
	beyond := 0
	for seed := range uint64(trials) {
		a, b := must(cms.NewSize(50, 3)), must(cms.NewSize(50, 3))
		left, right := exact{}, exact{}
		for i := range uint64(400) {
			h, k := seed<<32|i*i%97, seed<<32|i*i%89
			a.AddHash(h)
			b.AddHash(k)
			left.add(h)
			right.add(k)
		}
		join := uint64(0)
		for h, n := range left {
			join += n * right[h]
		}
		got := must(a.InnerProduct(b))
		require.GreaterOrEqual(t, got, join)
		if float64(got-join) > a.Epsilon()*float64(a.Total())*float64(b.Total()) {
			beyond++
		}
		require.Equal(t, got, must(b.InnerProduct(a)))
	}
	require.LessOrEqual(t, float64(beyond)/trials, math.Exp(-3)+0.06)
	wide := must(cms.NewSize(1, 1, cms.WithWideCounters()))
	wide.AddHashN(1, 1<<32)
	require.EqualValues(t, uint64(math.MaxUint64), must(wide.InnerProduct(wide)), "2^64")
	wide.AddHashN(1, math.MaxUint64)
	require.EqualValues(t, uint64(math.MaxUint64), must(wide.InnerProduct(wide)))
}

func TestHalve(t *testing.T) {
	for name, opts := range modes {
		s := must(cms.NewSize(64, 4, opts...))
		for i := range uint64(300) {
			s.AddHashN(i, i)
		}
		total := s.Total()
		s.Halve()
		require.Equal(t, total/2, s.Total(), name)
		for i := range uint64(300) {
			require.GreaterOrEqual(t, s.CountHash(i), i/2)
		}
		check(t, s)
	}
}

func TestWhatDoesNotGoTogether(t *testing.T) {
	s := must(cms.NewSize(64, 4))
	zero := new(cms.Sketch)
	for want, other := range map[string]*cms.Sketch{
		"4 rows of 64 counters and 4 of 65":     must(cms.NewSize(65, 4)),
		"4 rows of 64 counters and 5 of 64":     must(cms.NewSize(64, 5)),
		"counters of 32 and of 64 bits":         must(cms.NewSize(64, 4, cms.WithWideCounters())),
		"a plain sketch and a conservative one": must(cms.NewSize(64, 4, cms.WithConservative())),
		"sketches with different secrets":       must(cms.NewSize(64, 4, cms.WithSecret(secret))),
	} {
		require.EqualError(t, s.Merge(other), "cms: incompatible: merge of "+want)
		require.EqualError(t, s.Subtract(other), "cms: incompatible: subtraction of "+want)
		_, err := s.InnerProduct(other)
		require.EqualError(t, err, "cms: incompatible: inner product of "+want)
		require.ErrorIs(t, err, cms.ErrIncompatible)
		require.False(t, s.Equal(other))
	}
	for _, nothing := range []*cms.Sketch{zero, nil} {
		require.EqualError(t, s.Merge(nothing), "cms: incompatible: merge with a zero Sketch")
		require.EqualError(t, s.Subtract(nothing), "cms: incompatible: subtraction with a zero Sketch")
		require.False(t, s.Equal(nothing))
	}
	_, err := zero.InnerProduct(s)
	require.EqualError(t, err, "cms: incompatible: inner product with a zero Sketch")
	require.PanicsWithValue(t, "cms: Merge into a zero Sketch, make one with New", func() { _ = zero.Merge(s) })
	require.PanicsWithValue(t, "cms: Subtract from a zero Sketch, make one with New", func() { _ = zero.Subtract(s) })
}

// A merge with itself doubles everything, and so does the thousandth, up to what
// counters hold: nodes that merge each other in circles get nonsense, but no crash,
// no infinity, and images that decode.
func TestMergeWithItself(t *testing.T) {
	s, k := must(cms.NewSize(5, 3)), must(cms.NewTopK(2, cms.WithCounters(3)))
	r, w := must(cms.NewTrending(2, time.Second, cms.WithCounters(3))), must(cms.NewWindow(0.5, 0.2, time.Second))
	for i := range uint64(8) {
		s.AddStringN(user(i), i)
		k.AddStringN(user(i), i)
		r.AddStringAt(noon.Add(time.Duration(i)*time.Second), user(i))
		w.AddStringAt(noon.Add(time.Duration(i)*time.Second/8), user(i))
	}
	counts := []float64{float64(s.CountString(user(7))), float64(k.CountString(user(7))), r.ScoreStringAt(noon, user(7)), float64(w.TotalAt(noon))}
	for i := range 1000 {
		require.NoError(t, errors.Join(s.Merge(s), k.Merge(k), r.Merge(r), w.Merge(w)))
		if i == 0 {
			doubled := []float64{float64(s.CountString(user(7))), float64(k.CountString(user(7))), r.ScoreStringAt(noon, user(7)), float64(w.TotalAt(noon))}
			for j := range counts {
				require.InDelta(t, 2*counts[j], doubled[j], 1e-9)
			}
		}
		check(t, s)
		checkTop(t, k)
		checkTrend(t, r)
		checkWindow(t, w)
	}
	require.EqualValues(t, uint64(math.MaxUint64), k.CountString(user(7)))
	require.False(t, math.IsInf(r.ScoreStringAt(noon, user(7)), 0))
}
