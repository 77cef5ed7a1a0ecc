package cms_test

import (
	"math"
	"testing"

	"github.com/distkit/distkit/cms"
	"github.com/distkit/distkit/internal/hash64"
	"github.com/distkit/distkit/internal/testkit"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Every estimate is the twin's, addition by addition.
func TestSketchAgainstTwin(t *testing.T) {
	for _, conservative := range []bool{false, true} {
		for _, wide := range []bool{false, true} {
			var opts []cms.Option
			full := uint64(math.MaxUint32)
			if conservative {
				opts = append(opts, cms.WithConservative())
			}
			if wide {
				opts, full = append(opts, cms.WithWideCounters()), math.MaxUint64
			}
			s, err := cms.NewSize(50, 4, opts...)
			require.NoError(t, err)
			slow := newTwin(s.Width(), s.Depth(), conservative, full)
			next := testkit.Zipf(1, 1, 500)
			for i := range 20_000 {
				h, n := next(), uint64(1)
				switch i % 1000 {
				case 17:
					n = 5
				case 18:
					n = 0
				case 500:
					n = math.MaxUint32 / 7 // so that counters fill up and stay full
				}
				require.Equal(t, slow.add(h, n), s.AddHashN(h, n), "addition %d", i)
			}
			for h := range uint64(600) {
				require.Equal(t, slow.count(h), s.CountHash(h))
			}
			assert.Equal(t, slow.total, s.Total())
		}
	}
}

// excess returns the mean excess of the estimates of all keys over the truth, the
// largest, and the share of keys beyond ErrorBound. No estimate is below the truth.
func excess(t *testing.T, s *cms.Sketch, truth exact) (mean, worst, beyond float64) {
	t.Helper()
	for h, n := range truth {
		got := s.CountHash(h)
		require.GreaterOrEqual(t, got, n)
		mean += float64(got-n) / float64(len(truth))
		worst = max(worst, float64(got-n))
		if got-n > s.ErrorBound() {
			beyond += 1 / float64(len(truth))
		}
	}
	return mean, worst, beyond
}

// Never below the truth, above it by more than epsilon of the total for a share of
// keys that delta bounds, and by three times that for none: raw integers, and the
// keys of one shard, chosen by whatever bits of their hash, are as good as any.
func TestSketchKeepsItsBound(t *testing.T) {
	testkit.NotUnderInvariants(t)
	free := 0.0
	for _, c := range []struct {
		name string
		id   func(i uint64) uint64
	}{
		{"hashes", func(i uint64) uint64 { return hash64.Integer(i) }},
		{"integers", func(i uint64) uint64 { return i }},
		{"high integers", func(i uint64) uint64 { return i << 40 }},
		{"an arc of a ring", func(i uint64) uint64 { return hash64.Integer(i)>>7 | 42<<57 }},
		{"a shard by modulo", func(i uint64) uint64 { return hash64.Integer(i)&^127 | 17 }},
	} {
		var mean float64
		for seed := range uint64(3) {
			s := must(cms.New(0.001, 0.01))
			truth := exact{}
			next := testkit.Zipf(2+seed, 1, 20_000)
			for range 60_000 {
				h := c.id(next() + seed<<20)
				truth.add(h)
				s.AddHash(h)
			}
			m, worst, beyond := excess(t, s, truth)
			_, most := testkit.RateBounds(0.01, len(truth), 5)
			require.LessOrEqual(t, beyond, most, c.name)
			require.LessOrEqual(t, worst, 3*float64(s.ErrorBound()), c.name)
			mean += m / 3
		}
		if free == 0 {
			free = mean
		}
		require.LessOrEqual(t, mean, 1.1*free, c.name)
	}
}

// Next to no key meets another in all rows at once, which takes all of its count:
// double hashing without more lets one in some 4w^2 do that.
func TestKeysDoNotMeetInAllRows(t *testing.T) {
	for _, c := range []struct{ width, depth int }{{64, 4}, {64, 8}, {32, 16}, {1000, 3}, {272, 5}} {
		const strangers = 300_000
		s := must(cms.NewSize(c.width, c.depth))
		s.AddHash(1 << 40)
		met := 0
		for h := range uint64(strangers) {
			if s.CountHash(h) > 0 {
				met++
			}
		}
		expected := strangers / math.Pow(float64(c.width), float64(c.depth))
		require.LessOrEqual(t, float64(met), expected+4*math.Sqrt(expected)+1, "%+v", c)
	}
}

// Conservative updates about halve the mean error, whatever the skew.
func TestConservativeHalvesTheError(t *testing.T) {
	testkit.NotUnderInvariants(t)
	for _, skew := range []float64{0.5, 1, 1.3} {
		plain, low := must(cms.NewSize(2000, 4)), must(cms.NewSize(2000, 4, cms.WithConservative()))
		stream, truth := zipf(5, skew, 30_000, 100_000)
		for _, h := range stream {
			plain.AddHash(h)
			low.AddHash(h)
		}
		p, _, _ := excess(t, plain, truth)
		l, _, _ := excess(t, low, truth)
		require.LessOrEqual(t, l, 0.65*p, "skew %v", skew)
	}
}

// Full counters stay full, in every kind, and promise no less than they can hold.
func TestSketchSaturates(t *testing.T) {
	for name, opts := range modes {
		s := must(cms.NewSize(10, 3, opts...))
		full := uint64(math.MaxUint32)
		if s.SizeBytes() == 10*3*8 {
			full = math.MaxUint64
		}
		require.Equal(t, full-1, s.AddHashN(1, full-1), name)
		require.Equal(t, full, s.AddHash(1))
		require.Equal(t, full, s.AddHash(1))
		require.Equal(t, full, s.AddHashN(1, math.MaxUint64))
		require.EqualValues(t, uint64(math.MaxUint64), s.Total())
		require.NoError(t, s.Merge(s.Clone()))
		require.Equal(t, full, s.CountHash(1), name)
		require.EqualValues(t, uint64(math.MaxUint64), s.Total())
		check(t, s)
		s.Halve()
		require.Equal(t, full/2, s.CountHash(1))
	}
}

// All ways to name a key are one, n at once are n times one, and the empty key is a
// key.
func TestSketchKeys(t *testing.T) {
	for name, opts := range modes {
		s := must(cms.NewSize(100, 4, opts...))
		require.EqualValues(t, 1, s.Add([]byte("a")))
		require.EqualValues(t, 2, s.AddString("a"))
		require.EqualValues(t, 3, s.AddHash(s.HashString("a")))
		require.EqualValues(t, 5, s.AddN([]byte("a"), 2))
		require.EqualValues(t, 8, s.AddStringN("a", 3))
		require.EqualValues(t, 12, s.AddHashN(s.Hash([]byte("a")), 4))
		require.Equal(t, []uint64{12, 12, 12}, []uint64{s.Count([]byte("a")), s.CountString("a"), s.CountHash(s.HashString("a"))}, name)
		require.EqualValues(t, 1, s.Add(nil))
		require.EqualValues(t, 1, s.CountString(""))
		check(t, s)
		a, b := s.Clone(), s.Clone()
		for h := range uint64(100) {
			a.AddHashN(h%30, 7)
			a.AddHashN(h%30, h)
			b.AddHashN(h%30, 7+h)
		}
		require.True(t, a.Equal(b), "at once or one after the other")
	}
}

func TestSketchAllocatesNothing(t *testing.T) {
	for name, opts := range modes {
		s := must(cms.New(0.01, 0.01, opts...))
		key, buf := []byte("key"), make([]byte, 0, 2*s.SizeBytes()+200)
		testkit.NoAllocs(t, name, func() {
			s.Add(key)
			s.AddString("key")
			s.AddN(key, 1<<40)
			s.Count(key)
			s.CountMean(key)
			buf, _ = s.AppendBinary(buf[:0])
		})
	}
}

func TestSketchParameters(t *testing.T) {
	for want, err := range map[string]error{
		"cms: epsilon is 0, want 0 < epsilon < 1":                                         second(cms.New(0, 0.1)),
		"cms: epsilon is 1, want 0 < epsilon < 1":                                         second(cms.New(1, 0.1)),
		"cms: epsilon is NaN, want 0 < epsilon < 1":                                       second(cms.New(math.NaN(), 0.1)),
		"cms: epsilon is -Inf, want 0 < epsilon < 1":                                      second(cms.New(math.Inf(-1), 0.1)),
		"cms: epsilon is 1e-300, which needs 2.72e+300 counters a row, want at most 2^32": second(cms.New(1e-300, 0.1)),
		"cms: delta is 0, want 0 < delta < 1":                                             second(cms.New(0.1, 0)),
		"cms: delta is +Inf, want 0 < delta < 1":                                          second(cms.New(0.1, math.Inf(1))),
		"cms: delta is 1e-08, which needs 19 rows, want at most 16":                       second(cms.New(0.1, 1e-8)),
		"cms: width is 0, want 1 to 2^32":                                                 second(cms.NewSize(0, 4)),
		"cms: width is -1 and depth 4, want at least 1":                                   second(cms.NewSize(-1, 4)),
		"cms: depth is 0, want 1 to 16":                                                   second(cms.NewSize(10, 0)),
		"cms: depth is 17, want 1 to 16":                                                  second(cms.NewSize(10, 17)),
		"cms: option 1 of NewSize is nil":                                                 second(cms.NewSize(10, 3, cms.WithConservative(), nil)),
		"cms: WithPanes does not apply to NewSize":                                        second(cms.NewSize(10, 3, cms.WithPanes(5))),
	} {
		require.EqualError(t, err, want)
	}
	require.ErrorContains(t, second(cms.NewSize(math.MaxInt, 4)), ", want ")
	s := must(cms.New(0.001, 0.01))
	require.Equal(t, []int{2719, 5}, []int{s.Width(), s.Depth()}, "e/0.001 and ln 100, rounded up")
	require.LessOrEqual(t, s.Epsilon(), 0.001)
	require.LessOrEqual(t, s.Delta(), 0.01)

	one := must(cms.NewSize(1, 1))
	one.AddHashN(1, math.MaxUint64)
	require.EqualValues(t, uint64(math.MaxUint64), one.ErrorBound(), "e times 2^64")

	var zero cms.Sketch
	require.Zero(t, zero.CountString("a")+zero.Total()+zero.ErrorBound()+uint64(zero.Width()+zero.Depth()+zero.SizeBytes()))
	require.Zero(t, zero.Epsilon()+zero.Delta()+zero.CountMean(nil))
	require.PanicsWithValue(t, "cms: Add to a zero Sketch, make one with New", func() { zero.AddString("a") })
	check(t, &zero)
}
