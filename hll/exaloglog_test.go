package hll_test

import (
	"math/rand/v2"
	"strconv"
	"testing"

	"github.com/distkit/distkit/hll"
	"github.com/distkit/distkit/internal/hash64"
	"github.com/stretchr/testify/require"
)

// exaTwin is ExaLogLog by its definition: of every register, the set of values
// that it saw.
func exaTwin(p int, hs []uint64) []uint32 {
	seen := make([]map[int]bool, 1<<p)
	for _, h := range hs {
		x := hash64.Mix(h, hash64.SaltHLL)
		zeros := 0
		for zeros < 62-p && bit(x, zeros) == 0 {
			zeros++
		}
		i := x >> 2 & (1<<p - 1)
		if seen[i] == nil {
			seen[i] = map[int]bool{0: true} // a value that no key has
		}
		seen[i][4*zeros+int(x&3)+1] = true
	}
	regs := make([]uint32, 1<<p)
	for i, values := range seen {
		largest := 0
		for v := range values {
			largest = max(largest, v)
		}
		regs[i] = uint32(largest) << 24
		for v := range values {
			if d := largest - v; d > 0 && d <= 24 {
				regs[i] |= 1 << (24 - d)
			}
		}
	}
	return regs
}

func exa(p int, hs []uint64, opts ...hll.Option) *hll.ExaLogLog {
	e := must(hll.NewExaLogLog(p, opts...))
	for _, h := range hs {
		e.AddHash(h)
	}
	return e
}

func checkExa(t *testing.T, e *hll.ExaLogLog) {
	t.Helper()
	require.True(t, e.SumsAreRight())
	require.True(t, e.Equal(e.Clone()))
	n := e.Estimate()
	require.Equal(t, e.IsEmpty(), n == 0)
	for _, sigmas := range []float64{0, 2} {
		lower, upper := e.Bounds(sigmas)
		require.True(t, lower <= n && n <= upper)
	}
	require.LessOrEqual(t, e.SizeBytes(), 4<<e.Precision())
	d := e.Clone()
	d.Reset()
	require.NoError(t, d.UnmarshalBinary(must(e.MarshalBinary())))
	require.True(t, e.Equal(d))
}

func TestExaLogLogIsItsTwin(t *testing.T) {
	rng := rand.New(rand.NewPCG(31, 32))
	for p := 2; p <= 12; p++ {
		for _, n := range []int{0, 1, 3, 10, 3 << p >> 2, 3<<p>>2 + 1, 20_000} {
			hs := hashes(rng, n)
			e, dense := exa(p, hs), exa(p, hs, hll.WithDense())
			require.Equal(t, exaTwin(p, hs), dense.Registers())
			require.Equal(t, n <= 3<<p>>2, len(e.Registers()) == 0)
			if len(e.Registers()) > 0 {
				require.True(t, e.Equal(dense))
			}
			checkExa(t, e)
			checkExa(t, dense)
			for _, h := range hs {
				require.False(t, e.AddHash(h) || dense.AddHash(h))
			}
		}
	}
}

// Keys are hashed as by a Sketch, and Add says truly whether it changed anything.
func TestExaLogLogSaysWhatChanges(t *testing.T) {
	for _, opts := range [][]hll.Option{nil, {hll.WithSecret([16]byte{1})}, {hll.WithMartingale(), hll.WithDense()}} {
		e, s := exa(4, nil, opts...), must(hll.New(4, opts...))
		for i := range 3000 {
			key := strconv.Itoa(i)
			require.Equal(t, s.HashString(key), e.Hash([]byte(key)))
			before := e.Clone()
			changed := e.Add([]byte(key))
			require.Equal(t, changed, !e.Equal(before), "key %d", i)
			require.Equal(t, changed, before.AddString(key))
			require.True(t, e.Equal(before))
			require.False(t, e.AddHash(e.HashString(key)))
		}
		checkExa(t, e)
	}
}

// After a merge the sums are counted once, by the next key that changes something.
func TestExaLogLogGoesOnAfterMerge(t *testing.T) {
	rng := rand.New(rand.NewPCG(37, 38))
	hs, gs, more := hashes(rng, 2000), hashes(rng, 2000), hashes(rng, 2000)
	e := exa(6, hs)
	require.NoError(t, e.Merge(exa(6, gs)))
	for _, h := range more {
		e.AddHash(h)
	}
	checkExa(t, e)
	require.True(t, e.Equal(exa(6, append(append(hs, gs...), more...))))
}

func TestExaLogLogMergeIsUnion(t *testing.T) {
	rng := rand.New(rand.NewPCG(33, 34))
	for _, c := range [][2]int{{2, 2}, {6, 6}, {6, 8}, {4, 9}} {
		for _, n := range []int{0, 5, 200, 30_000} {
			for _, m := range []int{0, 7, 300, 50_000} {
				hs, gs := hashes(rng, n), hashes(rng, m)
				gs = append(gs, hs[:n/2]...)
				all := append(append([]uint64{}, hs...), gs...)
				e, other := exa(c[0], hs), exa(c[1], gs)
				require.NoError(t, e.Merge(other))
				checkExa(t, e)
				dense := exa(c[0], nil, hll.WithDense())
				require.NoError(t, dense.Merge(e))
				require.Equal(t, exaTwin(c[0], all), dense.Registers())
				require.True(t, other.Equal(exa(c[1], gs)))
				require.NoError(t, e.Merge(e))
				require.NoError(t, other.Reduce(c[0]))
				checkExa(t, other)
				require.NoError(t, other.Merge(exa(c[0], hs)))
				require.True(t, e.Equal(other))
			}
		}
	}
	e, before := exa(5, []uint64{1}), exa(5, []uint64{1})
	for _, bad := range []*hll.ExaLogLog{nil, {}, exa(4, nil), exa(5, nil, hll.WithSecret([16]byte{1}))} {
		require.ErrorIs(t, e.Merge(bad), hll.ErrIncompatible)
	}
	require.EqualError(t, e.Reduce(6), "hll: precision is 6, want 2 to 5")
	require.True(t, e.Equal(before))
	_, err := hll.NewExaLogLog(25)
	require.EqualError(t, err, "hll: precision is 25, want 2 to 24")
}

// Registers whose zeros reach to the bits that a smaller precision takes.
func TestExaLogLogReducesFullRegisters(t *testing.T) {
	rng := rand.New(rand.NewPCG(35, 36))
	for range 50 {
		var hs []uint64
		for range 300 {
			x := rng.Uint64() >> (30 + rng.IntN(34))
			hs = append(hs, unmix(x))
		}
		e := exa(8, hs, hll.WithDense())
		require.Equal(t, exaTwin(8, hs), e.Registers())
		require.NoError(t, e.Reduce(3))
		require.Equal(t, exaTwin(3, hs), e.Registers())
		checkExa(t, e)
	}
}

// unmix returns the hash that is remixed to x.
func unmix(x uint64) uint64 {
	x ^= x>>31 ^ x>>62
	x *= 0x319642b2d24d8ec3
	x ^= x>>27 ^ x>>54
	x *= 0x96de1b173f119089
	return x ^ x>>30 ^ x>>60 ^ hash64.SaltHLL
}

func TestZeroExaLogLog(t *testing.T) {
	var e hll.ExaLogLog
	require.Zero(t, e.Estimate())
	require.Zero(t, e.RelativeError())
	require.True(t, e.IsEmpty() && e.Equal(e.Clone()))
	e.Reset()
	_, err := e.MarshalBinary()
	require.Error(t, err)
	require.PanicsWithValue(t, "hll: Add to a zero ExaLogLog, make one with NewExaLogLog", func() { e.AddString("a") })
	require.Panics(t, func() { _ = e.Merge(exa(4, nil)) })
	require.Panics(t, func() { _ = e.Reduce(4) })
}
