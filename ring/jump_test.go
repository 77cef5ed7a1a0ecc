package ring_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/distkit/distkit/internal/testkit"
	"github.com/distkit/distkit/ring"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Values of the reference implementation and of Guava's.
func TestJumpVectors(t *testing.T) {
	for _, c := range []struct {
		h             uint64
		buckets, want int
	}{
		{1, 1, 0},
		{42, 57, 43},
		{0xDEAD10CC, 1, 0},
		{0xDEAD10CC, 666, 361},
		{256, 1024, 520},
		{0, 1, 0},
		{0, 100, 0},
		{10863919174838991, 11, 6},
		{2016238256797177309, 11, 3},
		{1673758223894951030, 11, 5},
		{2, 100001, 80343},
		{2201, 100001, 22152},
		{2202, 100001, 15018},
	} {
		assert.Equal(t, c.want, ring.Jump(c.h, c.buckets), "%d among %d", c.h, c.buckets)
	}
}

func TestJumpsOutOfRange(t *testing.T) {
	for name, jump := range map[string]func(uint64, int) int{"Jump": ring.Jump, "JumpBack": ring.JumpBack} {
		for _, n := range []int{0, -1, math.MinInt} {
			assert.Equal(t, -1, jump(7, n), name)
		}
		if math.MaxInt > math.MaxInt32 {
			assert.Equal(t, -1, jump(7, math.MaxInt), name)
		}
		for h := range uint64(100) {
			assert.Equal(t, 0, jump(h, 1), name)
			b := jump(h, math.MaxInt32)
			assert.True(t, 0 <= b && b < math.MaxInt32, name)
		}
	}
}

// From n to n+1 buckets a key stays or moves to the new one.
func TestJumpsAreMonotone(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 13))
	for name, jump := range map[string]func(uint64, int) int{"Jump": ring.Jump, "JumpBack": ring.JumpBack} {
		for range 300 {
			h := rng.Uint64()
			last := 0
			for n := 1; n < 600; n++ {
				b := jump(h, n)
				require.True(t, b == last || b == n-1, "%s of %#x from %d to %d buckets: %d, then %d", name, h, n-1, n, last, b)
				last = b
			}
			for _, n := range []int{1 << 16, 1<<16 + 1, 1<<30 - 1, 1 << 30, 1<<30 + 1} {
				b, next := jump(h, n), jump(h, n+1)
				require.True(t, next == b || next == n)
			}
		}
	}
}

func TestJumpsAreUniform(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 13))
	for name, jump := range map[string]func(uint64, int) int{"Jump": ring.Jump, "JumpBack": ring.JumpBack} {
		for _, n := range []int{2, 3, 7, 64, 100, 1000} {
			random, counted := make([]int, n), make([]int, n)
			for i := range uint64(200_000) {
				random[jump(rng.Uint64(), n)]++
				counted[jump(i, n)]++
			}
			limit := testkit.ChiSquareLimit(n, 5)
			assert.Less(t, testkit.ChiSquare(random), limit, "%s, %d buckets", name, n)
			if name == "JumpBack" {
				assert.Less(t, testkit.ChiSquare(counted), limit, "JumpBack of integers, %d buckets", n)
			}
		}
	}
}
