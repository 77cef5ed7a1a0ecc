package bloom_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/distkit/distkit/bloom"
	"github.com/distkit/distkit/internal/hash64"
	"github.com/distkit/distkit/internal/invariants"
	"github.com/distkit/distkit/internal/testkit"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// countingTwin has a byte a counter.
type countingTwin struct{ lines [][8][16]byte }

func (t *countingTwin) counters(h uint64) (all [8]*byte) {
	h = hash64.Mix(h, hash64.SaltBloom)
	line := &t.lines[(h>>32)*uint64(len(t.lines))>>32]
	for i, salt := range [8]uint32{0x47b6137b, 0x44974d91, 0x8824ad5b, 0xa2b7289d, 0x705495c7, 0x2df1424b, 0x9efc4947, 0x5c6bfb31} {
		all[i] = &line[i][uint32(h)*salt>>28]
	}
	return all
}

func (t *countingTwin) count(h uint64) int {
	least := byte(15)
	for _, c := range t.counters(h) {
		least = min(least, *c)
	}
	return int(least)
}

func (t *countingTwin) change(h uint64, by int) {
	for _, c := range t.counters(h) {
		if *c < 15 {
			*c += byte(by)
		}
	}
}

// playCounting compares operations with the twin and with the multiset that was
// put in: nothing that is in is ever missed.
func playCounting(t *testing.T, c *bloom.Counting, next func() (op int, h uint64, ok bool)) {
	slow := &countingTwin{make([][8][16]byte, c.Bits()/512)}
	in := map[uint64]int{}
	for {
		op, h, ok := next()
		if !ok {
			break
		}
		was := slow.count(h)
		switch op % 3 {
		case 0:
			require.Equal(t, was == 0, c.AddHash(h))
			slow.change(h, 1)
			in[h]++
		case 1:
			if in[h] == 0 {
				continue // nobody may remove what is not in
			}
			require.True(t, c.RemoveHash(h))
			slow.change(h, -1)
			in[h]--
		case 2:
			if was == 0 {
				before := c.Clone()
				require.False(t, c.RemoveHash(h))
				require.True(t, before.Equal(c))
			}
		}
		require.Equal(t, slow.count(h), c.CountHash(h))
	}
	for h, n := range in {
		require.GreaterOrEqual(t, c.CountHash(h), min(n, 15))
		require.True(t, n == 0 || c.ContainsHash(h))
	}
	for i, w := range c.Words() {
		for j := range 16 {
			require.Equal(t, slow.lines[i/8][i%8][j], byte(w>>(4*j)&15))
		}
	}
	require.True(t, c.Equal(c.Clone()))
	got := new(bloom.Counting)
	require.NoError(t, got.UnmarshalText(must(c.MarshalText())))
	require.True(t, c.Equal(got))
}

func TestCountingMatchesTwin(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 11))
	for _, n := range []uint64{1, 10, 300} {
		steps := 0
		playCounting(t, must(bloom.NewCounting(n, 0.05)), func() (int, uint64, bool) {
			steps++
			return r.IntN(3), r.Uint64N(3 * n), steps < 20_000
		})
	}
}

func FuzzCounting(f *testing.F) {
	f.Add(uint8(3), []byte("\x00a\x00a\x00b\x01a\x02c"))
	f.Fuzz(func(t *testing.T, n uint8, ops []byte) {
		playCounting(t, must(bloom.NewCounting(uint64(n)+1, 0.05)), func() (int, uint64, bool) {
			if len(ops) < 2 {
				return 0, 0, false
			}
			op, h := ops[0], ops[1]
			ops = ops[2:]
			return int(op), uint64(h), true
		})
	})
}

func TestCountingRate(t *testing.T) {
	n, queries := 100_000, 2_000_000
	if invariants.Enabled {
		n, queries = 20_000, 200_000
	}
	for p, perKey := range map[float64]float64{0.05: 30.4, 0.01: 45.8, 1e-3: 78.1} {
		t.Run(fmt.Sprint(p), func(t *testing.T) {
			c := must(bloom.NewCounting(uint64(n), p))
			assert.InEpsilon(t, perKey, float64(c.Bits())/float64(n), 0.02)
			for i := range 2 * n {
				c.AddHash(uint64(i))
			}
			for i := range n {
				require.True(t, c.RemoveHash(uint64(i)))
			}
			found := 0
			for i := range queries {
				if c.ContainsHash(uint64(2*n + i)) {
					found++
				}
			}
			// Counters that reached 15 while twice as many keys were in stay.
			rate := float64(found) / float64(queries)
			low, _ := testkit.RateBounds(0.97*p, queries, 5)
			_, high := testkit.RateBounds(1.03*p, queries, 5)
			assert.True(t, low <= rate && rate <= high, "rate %g", rate)
			own := c.EstimatedFPR()
			low, high = testkit.RateBounds(own, queries, 5)
			assert.True(t, low <= rate && rate <= high, "rate %g, filter says %g", rate, own)
			assert.InEpsilon(t, n, c.EstimatedCount(), 0.01+3/math.Sqrt(float64(n)))
		})
	}
}

func TestCountersStick(t *testing.T) {
	c := must(bloom.NewCounting(100, 0.01))
	for i := range 40 {
		require.Equal(t, i == 0, c.AddString("ann"))
		require.Equal(t, min(i+1, 15), c.CountString("ann"))
	}
	for range 100 {
		require.True(t, c.RemoveString("ann"))
	}
	require.Equal(t, 15, c.Count([]byte("ann")), "nobody knows how many are left")
	c.Add([]byte("bob"))
	require.True(t, c.Contains([]byte("bob")) && c.ContainsString("bob"))
	require.True(t, c.Remove([]byte("bob")))
	require.False(t, c.Remove([]byte("bob")))
	require.False(t, c.ContainsString("bob"))
}

func TestCountingMergeAndZero(t *testing.T) {
	a, b := must(bloom.NewCounting(50, 0.01)), must(bloom.NewCounting(50, 0.01))
	for i := range 20 {
		for range i {
			a.AddHash(uint64(i))
			b.AddHash(uint64(i))
		}
	}
	want := &countingTwin{make([][8][16]byte, a.Bits()/512)}
	for i := range 20 {
		for range 2 * i {
			want.change(uint64(i), 1)
		}
	}
	require.NoError(t, a.Merge(b))
	for i := range uint64(30) {
		require.Equal(t, want.count(i), a.CountHash(i))
	}
	out := make([]bool, 3)
	require.Equal(t, 2, a.ContainsHashes(out, []uint64{1, 1000, 2}))
	require.Equal(t, []bool{true, false, true}, out)
	c := a.Clone()
	c.AddHashes([]uint64{77, 78})
	require.True(t, c.ContainsHash(77) && !a.Equal(c) && !a.Equal(nil))
	for name, other := range map[string]*bloom.Counting{
		"size": must(bloom.NewCounting(500, 0.01)), "zero": {}, "nil": nil,
		"secret": must(bloom.NewCounting(50, 0.01, bloom.WithSecret([16]byte{2}))),
	} {
		before := a.Clone()
		require.ErrorIs(t, a.Merge(other), bloom.ErrIncompatible, name)
		require.True(t, a.Equal(before), name)
	}
	a.Reset()
	require.True(t, a.Equal(must(bloom.NewCounting(50, 0.01))))

	for _, bad := range []struct {
		n    uint64
		p    float64
		opts []bloom.Option
	}{{0, 0.1, nil}, {1, 0, nil}, {1, 1e-7, nil}, {1 << 50, 0.1, nil}, {100, 0.1, []bloom.Option{bloom.WithMaxBytes(64)}}, {1, 0.1, []bloom.Option{bloom.WithPowerOfTwo()}}} {
		_, err := bloom.NewCounting(bad.n, bad.p, bad.opts...)
		require.Error(t, err)
	}
	var zero bloom.Counting
	require.False(t, zero.ContainsHash(1) || zero.Contains(nil) || zero.ContainsString("") || zero.Remove(nil) || zero.RemoveString("") || zero.RemoveHash(1))
	require.Zero(t, zero.Count(nil)+zero.CountString("")+zero.CountHash(1)+int(zero.Bits())+zero.SizeBytes())
	require.Zero(t, zero.EstimatedCount()+zero.EstimatedFPR())
	zero.Reset()
	for _, f := range []func(){
		func() { zero.Add(nil) }, func() { zero.AddString("") }, func() { zero.AddHash(1) }, func() { zero.AddHashes([]uint64{1}) },
		func() { _ = zero.Merge(b) },
	} {
		require.Contains(t, panicText(f), "make one with NewCounting")
	}
	_, err := zero.MarshalBinary()
	require.Error(t, err)
	testkit.NoAllocs(t, "Counting", func() { b.AddString("x"); b.CountString("x"); b.RemoveString("x") })
}
