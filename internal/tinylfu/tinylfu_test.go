package tinylfu_test

import (
	"testing"

	"github.com/distkit/distkit/internal/hash64"
	"github.com/distkit/distkit/internal/testkit"
	"github.com/distkit/distkit/internal/tinylfu"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Before the past is halved no estimate is below the truth, and few are above it
// by more than one: a block of 8 keys has 32 counters a row.
func TestEstimates(t *testing.T) {
	const n = 1 << 12
	s, truth := tinylfu.New(n, 7), map[uint64]int{}
	next := testkit.Zipf(1, 0.8, 4*n)
	for range 5 * n {
		h := next()
		s.Touch(h)
		truth[h]++
	}
	over := 0
	for h := range uint64(4 * n) {
		estimate, want := int(s.Estimate(h)), min(truth[h], 15)
		require.GreaterOrEqual(t, estimate, want, "key %d", h)
		if estimate > want+1 {
			over++
		}
	}
	// 40 additions fall on the 32 counters a row of a block, 1.25 on each: others
	// raise one twice or more with a probability of 0.36, all four with 0.016.
	assert.Less(t, float64(over)/(4*n), 0.02)
}

// Which of two keys is in use more is told right nearly always, and goes on being
// so when what is popular changes.
func TestTellsWhichIsHotter(t *testing.T) {
	const n = 1 << 10
	s := tinylfu.New(n, 3)
	for shift := range uint64(3) {
		next := testkit.Zipf(shift, 1, 8*n)
		for range 60 * n {
			s.Touch(next() + shift*1_000_000)
		}
		wrong := 0
		for i := range uint64(100) {
			hot, cold := i+shift*1_000_000, 4*n+i+shift*1_000_000
			if s.Estimate(hot) <= s.Estimate(cold) {
				wrong++
			}
			if shift > 0 && s.Estimate(hot) <= s.Estimate(i+(shift-1)*1_000_000) {
				wrong++
			}
		}
		assert.LessOrEqual(t, wrong, 2, "of 200 pairs, phase %d", shift)
	}
}

// A key that nobody asks for any more is forgotten in four halvings.
func TestForgets(t *testing.T) {
	const n = 64
	s := tinylfu.New(n, 1)
	for range 100 {
		s.Touch(42)
	}
	require.EqualValues(t, 15, s.Estimate(42))
	for h := range uint64(1000 * n) {
		s.Touch(1000 + h)
	}
	// Others share its counters, but seldom all four.
	assert.Less(t, s.Estimate(42), uint8(4))
}

// Keys that share all counters under one seed do not under another.
func TestSeedDecidesWhoCollides(t *testing.T) {
	const rows = 0x1f1f1f1f << 32
	seen := map[uint64]uint64{}
	pairs, still := 0, 0
	for h := uint64(0); pairs < 20; h++ {
		at := hash64.Mix(h, 1) & rows // all that counts in a sketch of one block
		other, ok := seen[at]
		if !ok {
			seen[at] = h
			continue
		}
		pairs++
		known, unknown := tinylfu.New(8, 1), tinylfu.New(8, 2)
		for range 5 {
			known.Touch(h)
			unknown.Touch(h)
		}
		require.EqualValues(t, 5, known.Estimate(other), "the pair collides")
		if unknown.Estimate(other) != 0 {
			still++
		}
	}
	assert.Zero(t, still, "of %d pairs", pairs)
}

func TestResizeKeepsWhatIsKnown(t *testing.T) {
	s := tinylfu.New(1000, 5)
	next := testkit.Zipf(1, 1, 3000)
	for range 3000 {
		s.Touch(next())
	}
	before := estimates(s)
	assert.Equal(t, 1024*8, s.SizeBytes())
	s.Resize(5000)
	assert.Equal(t, 8192*8, s.SizeBytes())
	assert.Equal(t, before, estimates(s), "growing changes no estimate")
	s.Resize(500)
	assert.Equal(t, 512*8, s.SizeBytes())
	for h, e := range estimates(s) {
		require.GreaterOrEqual(t, e, before[h], "shrinking lowers no estimate")
	}
	s.Resize(8)
	assert.Equal(t, 64, s.SizeBytes())
	s.Reset()
	assert.Equal(t, make([]uint8, 3000), estimates(s))
}

func estimates(s *tinylfu.Sketch) []uint8 {
	out := make([]uint8, 3000)
	for h := range out {
		out[h] = s.Estimate(uint64(h))
	}
	return out
}

func TestNoAllocs(t *testing.T) {
	s, h := tinylfu.New(16, 1), uint64(0)
	testkit.NoAllocs(t, "Touch and Estimate, halvings included", func() {
		for range 100 {
			h++
			s.Touch(h)
			s.Estimate(h)
		}
	})
}

func BenchmarkTouch(b *testing.B) {
	for name, n := range map[string]int{"1Ki": 1 << 10, "1Mi": 1 << 20} {
		b.Run("n="+name, func(b *testing.B) {
			s, h := tinylfu.New(n, 1), uint64(0)
			for b.Loop() {
				h++
				s.Touch(h)
			}
		})
	}
}

func BenchmarkEstimate(b *testing.B) {
	s, h, sum := tinylfu.New(1<<10, 1), uint64(0), uint64(0)
	for b.Loop() {
		h++
		sum += uint64(s.Estimate(h))
	}
	if sum != 0 {
		b.Fatal("nothing was touched")
	}
}
