package cms_test

import (
	"fmt"
	"math"
	"math/bits"
	"slices"
	"testing"

	"github.com/distkit/distkit/cms"
	"github.com/distkit/distkit/internal/hash64"
	"github.com/distkit/distkit/internal/testkit"
	"github.com/stretchr/testify/require"
)

// twin is the count-min sketch as its paper words it: slow and obvious, a slice a
// row, and a function for the cell of each row, so that worked examples can have
// hashes of their own.
type twin struct {
	rows         [][]uint64
	cell         func(h uint64, row int) int
	conservative bool
	full         uint64 // where a counter stays
	total        uint64
}

func newTwin(width, depth int, conservative bool, full uint64) *twin {
	t := &twin{conservative: conservative, full: full}
	for range depth {
		t.rows = append(t.rows, make([]uint64, width))
	}
	t.cell = func(h uint64, row int) int {
		x := hash64.Mix(h, hash64.SaltCMS)
		g := x
		for range 2 {
			g ^= g >> 32
			g *= 0xd6e8feb86659fd93
		}
		g = (g ^ g>>32) | 1
		rotated := x<<(13*row%64) | x>>(64-13*row%64)
		hi, _ := bits.Mul64(rotated+uint64(row)*g, uint64(width))
		return int(hi)
	}
	return t
}

func (t *twin) add(h, n uint64) uint64 {
	target := t.sum(t.count(h), n)
	for i, row := range t.rows {
		c := &row[t.cell(h, i)]
		if !t.conservative {
			*c = t.sum(*c, n)
		} else if *c < target {
			*c = target
		}
	}
	if t.total+n < n {
		t.total = math.MaxUint64
	} else {
		t.total += n
	}
	return t.count(h)
}

// sum adds up to full.
func (t *twin) sum(a, b uint64) uint64 {
	if b > t.full || a > t.full-b {
		return t.full
	}
	return a + b
}

func (t *twin) count(h uint64) uint64 {
	least := uint64(math.MaxUint64)
	for i, row := range t.rows {
		least = min(least, row[t.cell(h, i)])
	}
	return least
}

// exact counts keys without error.
type exact map[uint64]uint64

func (e exact) add(h uint64) { e[h]++ }

// top returns the n keys that were added most often.
func (e exact) top(n int) (keys []uint64) {
	for k := range e {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(a, b uint64) int {
		if e[a] != e[b] {
			return int(e[b]) - int(e[a])
		}
		return int(a) - int(b)
	})
	return keys[:min(n, len(keys))]
}

// zipf returns a stream of n ranks and its exact counts.
func zipf(seed uint64, s float64, ranks uint64, n int) (stream []uint64, truth exact) {
	next := testkit.Zipf(seed, s, ranks)
	truth = exact{}
	for range n {
		k := next()
		stream = append(stream, k)
		truth.add(k)
	}
	return stream, truth
}

func user(rank uint64) string { return fmt.Sprint("user:", rank) }

// check verifies what holds for every Sketch.
func check(t *testing.T, s *cms.Sketch) {
	t.Helper()
	require.True(t, s.Equal(s.Clone()))
	require.GreaterOrEqual(t, s.SizeBytes(), 4*s.Width()*s.Depth())
	require.GreaterOrEqual(t, float64(s.ErrorBound()), s.Epsilon()*float64(s.Total())*(1-1e-12))
	for row := range slices.Chunk(s.Cells(), max(s.Width(), 1)) {
		sum := uint64(0)
		for _, c := range row {
			sum += c
			if sum < c {
				sum = math.MaxUint64
				break
			}
		}
		require.LessOrEqual(t, sum, s.Total())
	}
	if s.Width() == 0 {
		return
	}
	image := must(s.MarshalBinary())
	g := s.Clone()
	g.Reset()
	require.NoError(t, g.UnmarshalBinary(image))
	require.True(t, s.Equal(g))
}

// checkTop verifies what holds for every TopK: the order of its items, their
// bounds, the lazy heap, and an image that decodes to an equal TopK.
func checkTop(t *testing.T, k *cms.TopK) {
	t.Helper()
	require.NoError(t, k.CheckSlots())
	items := slices.Collect(k.Items())
	require.LessOrEqual(t, len(items), k.K())
	for i, it := range items {
		require.Less(t, it.Error, it.Count)
		require.True(t, i == 0 || items[i-1].Count >= it.Count)
	}
	if len(items) < k.K() {
		require.Zero(t, k.MinCount())
	}
	require.True(t, k.Equal(k.Clone()))
	if k.K() == 0 {
		return
	}
	g := k.Clone()
	g.Reset()
	require.NoError(t, g.UnmarshalBinary(must(k.MarshalBinary())))
	require.True(t, k.Equal(g))
	require.NoError(t, g.CheckSlots())
}

// must returns v or ends the test.
func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
