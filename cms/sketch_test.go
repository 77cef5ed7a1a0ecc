package cms_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/distkit/distkit/cms"
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

// Never below the truth, and above it by more than epsilon of the total for a
// share of keys that delta bounds; raw integers and the keys of one shard too.
func TestSketchKeepsItsBound(t *testing.T) {
	for name, id := range map[string]func(i uint64) uint64{
		"integers":     func(i uint64) uint64 { return i },
		"high integer": func(i uint64) uint64 { return i << 40 },
		"one shard":    func(i uint64) uint64 { return i*0x9e3779b97f4a7c15>>6 | 17<<58 },
	} {
		s, err := cms.New(0.001, 0.01)
		require.NoError(t, err)
		truth := exact{}
		next := testkit.Zipf(2, 1, 20_000)
		for range 200_000 {
			h := id(next())
			truth.add(h)
			s.AddHash(h)
		}
		above := 0
		for h, n := range truth {
			got := s.CountHash(h)
			require.GreaterOrEqual(t, got, n, name)
			if got-n > s.ErrorBound() {
				above++
			}
		}
		_, most := testkit.RateBounds(0.01, len(truth), 5)
		assert.LessOrEqual(t, float64(above)/float64(len(truth)), most, name)
	}
}

func TestMergeSubtractAndHalve(t *testing.T) {
	a, err := cms.NewSize(64, 4)
	require.NoError(t, err)
	b, both := a.Clone(), a.Clone()
	for i := range uint64(300) {
		a.AddHashN(i, i)
		b.AddHashN(i*7, 3)
		both.AddHashN(i, i)
		both.AddHashN(i*7, 3)
	}
	before := a.Clone()
	require.NoError(t, a.Merge(b))
	assert.True(t, a.Equal(both), "merging is adding")
	require.NoError(t, a.Subtract(b))
	assert.True(t, a.Equal(before), "and subtracting undoes it")
	product, err := a.InnerProduct(b)
	require.NoError(t, err)
	assert.GreaterOrEqual(t, product, uint64(3*42), "at least the truth: multiples of 7 are in both")
	total := a.Total()
	a.Halve()
	assert.InDelta(t, float64(total)/2, float64(a.Total()), 1)
	wider, err := cms.NewSize(65, 4)
	require.NoError(t, err)
	assert.ErrorIs(t, a.Merge(wider), cms.ErrIncompatible)
	_, err = a.InnerProduct(wider)
	assert.ErrorIs(t, err, cms.ErrIncompatible)
}

func TestSketchRefusesBadParameters(t *testing.T) {
	for _, c := range [][2]float64{{0, 0.1}, {1, 0.1}, {0.1, 0}, {0.1, 1}, {math.NaN(), 0.1}, {0.1, math.Inf(1)}, {1e-300, 0.1}} {
		_, err := cms.New(c[0], c[1])
		assert.ErrorContains(t, err, "cms: ", fmt.Sprint(c))
	}
	for _, c := range [][2]int{{0, 4}, {-1, 4}, {10, 0}, {math.MaxInt, 4}} {
		_, err := cms.NewSize(c[0], c[1])
		assert.ErrorContains(t, err, "cms: ", fmt.Sprint(c))
	}
}
