package bloom_test

import (
	"encoding/hex"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/distkit/distkit/bloom"
	"github.com/distkit/distkit/internal/hash64"
	"github.com/distkit/distkit/internal/testkit"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Four blocks with the keys "", "a", "hello" and "distkit", as parquet-go v0.32
// writes them.
const parquetGolden = "" +
	"0040100000020000100400008200000000020020010000800000021000002008" +
	"0000000000000000000000000000000000000000000000000000000000000000" +
	"0000000000000000000000000000000000000000000000000000000000000000" +
	"00000420010002000200000200100010004002000000400100000028000000c0"

func parquetGoldenBytes(t *testing.T) []byte {
	t.Helper()
	b, err := hex.DecodeString(parquetGolden)
	require.NoError(t, err)
	return b
}

func TestFilterMatchesTwin(t *testing.T) {
	testkit.NotUnderRace(t)
	for _, raw := range []bool{false, true} {
		for _, z := range []int{1, 2, 3, 7, 64, 1000} {
			r := rand.New(rand.NewPCG(1, uint64(z)))
			f, slow := bloom.NewBlocks(z, raw), newTwin(z, raw)
			known := []uint64{0, math.MaxUint64}
			for range 40 * z {
				h := r.Uint64()
				if r.IntN(3) == 0 {
					h = known[r.IntN(len(known))]
				}
				require.Equal(t, slow.contains(h), f.ContainsHash(h))
				require.Equal(t, slow.contains(h), f.ContainsGo(h))
				require.Equal(t, slow.add(h), f.AddHash(h))
				require.True(t, f.ContainsHash(h))
				require.False(t, f.AddHash(h), "a second time")
				known = append(known, h)
			}
			require.Equal(t, slow.words(), f.Words())
			check(t, f)
		}
	}
}

// Whatever way a key is given, it is the same key, and batches do what single
// operations do.
func TestFilterFormsAgree(t *testing.T) {
	secret := [16]byte{1, 2, 3}
	for name, opts := range map[string][]bloom.Option{"plain": nil, "secret": {bloom.WithSecret(secret)}} {
		t.Run(name, func(t *testing.T) {
			one, batch := must(bloom.New(5000, 0.01, opts...)), must(bloom.New(5000, 0.01, opts...))
			var hs []uint64
			for i := range 5000 {
				key := fmt.Sprintf("key-%d", i)
				h := one.Hash([]byte(key))
				want := hash64.String(key)
				if opts != nil {
					want = hash64.SipString(&secret, key)
				}
				require.Equal(t, want, h)
				require.Equal(t, want, one.HashString(key))
				fresh := !one.ContainsHash(h)
				switch i % 3 {
				case 0:
					require.Equal(t, fresh, one.Add([]byte(key)))
				case 1:
					require.Equal(t, fresh, one.AddString(key))
				case 2:
					require.Equal(t, fresh, one.AddHash(h))
				}
				require.True(t, one.Contains([]byte(key)) && one.ContainsString(key) && one.ContainsHash(h))
				hs = append(hs, h)
			}
			batch.AddHashes(hs)
			require.True(t, one.Equal(batch))

			for i := range 5000 {
				hs = append(hs, one.HashString(fmt.Sprintf("other-%d", i)))
			}
			for _, n := range []int{0, 1, 15, 16, 17, 31, 32, 33, 1000, len(hs)} {
				out := make([]bool, n)
				present := 0
				for i, h := range hs[:n] {
					out[i] = !one.ContainsHash(h) // the opposite, to be overwritten
					if one.ContainsHash(h) {
						present++
					}
				}
				require.Equal(t, present, one.ContainsHashes(out, hs))
				for i, h := range hs[:n] {
					require.Equal(t, one.ContainsHash(h), out[i])
				}
			}
			require.Equal(t, 7, one.ContainsHashes(make([]bool, 9), hs[:7]))
			check(t, one)
		})
	}
}

func TestFilterMergeIsUnionOfBits(t *testing.T) {
	a, b, both := bloom.NewBlocks(60, false), bloom.NewBlocks(60, false), bloom.NewBlocks(60, false)
	r := rand.New(rand.NewPCG(2, 2))
	for i := range 900 {
		h := r.Uint64()
		both.AddHash(h)
		if i%2 == 0 {
			a.AddHash(h)
		}
		if i%3 != 0 || i%2 != 0 {
			b.AddHash(h)
		}
	}
	meet := a.Clone()
	require.NoError(t, meet.Intersect(b))
	for i, w := range meet.Words() {
		require.Equal(t, a.Words()[i]&b.Words()[i], w)
	}
	u := a.Clone()
	require.NoError(t, u.Merge(b))
	require.True(t, u.Equal(both))
	require.NoError(t, u.Merge(u))
	require.True(t, u.Equal(both), "merging with itself changes nothing")
	u.Reset()
	require.True(t, u.Equal(bloom.NewBlocks(60, false)))
	check(t, meet)
}

// A filter folded by any divisor of its size has the bits that building it at
// that size gives, and filters of different sizes merge by it.
func TestFoldEqualsDirectBuild(t *testing.T) {
	for _, raw := range []bool{false, true} {
		big := bloom.NewBlocks(720, raw)
		var hs []uint64
		r := rand.New(rand.NewPCG(3, 3))
		for range 6000 {
			hs = append(hs, r.Uint64())
		}
		big.AddHashes(hs)
		for d := 1; d <= 720; d++ {
			if 720%d != 0 {
				continue
			}
			direct := bloom.NewBlocks(720/d, raw)
			direct.AddHashes(hs)
			require.True(t, direct.Equal(bloom.Fold(big, uint64(d))), "folded by %d", d)
			require.InEpsilon(t, direct.EstimatedFPR(), bloom.FoldedRate(big, uint64(d)), 1e-12)

			small := bloom.NewBlocks(720/d, raw)
			require.NoError(t, small.Merge(big), "into the smaller")
			require.True(t, direct.Equal(small))
			into := big.Clone()
			require.NoError(t, into.Merge(bloom.NewBlocks(720/d, raw)), "into the larger")
			require.True(t, direct.Equal(into))
		}
	}
}

func TestMergeRefusesWhatDoesNotFit(t *testing.T) {
	f := bloom.NewBlocks(6, false)
	f.AddString("stays")
	before := f.Clone()
	keyed := must(bloom.New(10, 0.5, bloom.WithSecret([16]byte{7})))
	for name, other := range map[string]*bloom.Filter{
		"other size": bloom.NewBlocks(4, false), "other layout": bloom.NewBlocks(6, true), "secret": keyed,
		"zero": {}, "nil": nil,
	} {
		require.ErrorIs(t, f.Merge(other), bloom.ErrIncompatible, name)
		require.ErrorIs(t, f.Intersect(other), bloom.ErrIncompatible, name)
		require.True(t, f.Equal(before), name)
		require.False(t, f.Equal(other), name)
	}
	require.ErrorIs(t, keyed.Merge(must(bloom.New(10, 0.5, bloom.WithSecret([16]byte{8})))), bloom.ErrIncompatible)
	require.NoError(t, keyed.Merge(must(bloom.New(10, 0.5, bloom.WithSecret([16]byte{7})))))
	require.EqualError(t, f.Merge(bloom.NewBlocks(4, false)),
		"bloom: incompatible: merge of 6 blocks and 4, want one a multiple of the other")
}

func TestParquetBytes(t *testing.T) {
	golden := parquetGoldenBytes(t)
	f := bloom.NewBlocks(4, true)
	for _, key := range []string{"", "a", "hello", "distkit"} {
		f.AddString(key)
	}
	b, err := f.AppendParquet([]byte("head"))
	require.NoError(t, err)
	require.Equal(t, append([]byte("head"), golden...), b)

	g, err := bloom.FromParquet(golden)
	require.NoError(t, err)
	require.True(t, f.Equal(g))
	clear(golden)
	require.True(t, g.ContainsString("distkit"), "FromParquet copies")
	check(t, g)

	for _, n := range []int{0, 1, 31, 33, 64 + 16} {
		_, err := bloom.FromParquet(make([]byte, n))
		require.ErrorIs(t, err, bloom.ErrCorrupt, "%d bytes", n)
	}
	_, err = must(bloom.New(10, 0.1)).AppendParquet(nil)
	require.ErrorIs(t, err, bloom.ErrIncompatible)
	require.True(t, must(bloom.NewParquet(10, 0.1)).Equal(must(bloom.NewParquet(10, 0.1))))
	require.False(t, must(bloom.NewParquet(10, 0.1)).Equal(must(bloom.New(10, 0.1))))
}

func TestZeroFilter(t *testing.T) {
	var f bloom.Filter
	assert.False(t, f.ContainsString("x") || f.Contains(nil) || f.ContainsHash(0))
	assert.Zero(t, f.ContainsHashes(make([]bool, 20), make([]uint64, 20)))
	assert.Zero(t, f.Bits())
	assert.Zero(t, f.SizeBytes())
	assert.Zero(t, f.EstimatedCount())
	assert.Zero(t, f.EstimatedFPR())
	f.Reset()
	f.AddHashes(nil)
	assert.True(t, f.Equal(&bloom.Filter{}))
	for name, mutate := range map[string]func(){
		"Add":       func() { f.Add([]byte("x")) },
		"AddString": func() { f.AddString("x") },
		"AddHash":   func() { f.AddHash(1) },
		"AddHashes": func() { f.AddHashes([]uint64{1}) },
		"Merge":     func() { _ = f.Merge(bloom.NewBlocks(1, false)) },
		"Intersect": func() { _ = f.Intersect(bloom.NewBlocks(1, false)) },
	} {
		assert.Contains(t, panicText(mutate), "make one with New", name)
	}
	_, err := f.MarshalBinary()
	assert.Error(t, err)
	check(t, &f)
}

// panicText returns what f panics with, "" if it does not.
func panicText(f func()) (text string) {
	defer func() {
		if v := recover(); v != nil {
			text = fmt.Sprint(v)
		}
	}()
	f()
	return ""
}

func TestNewRefusesBadParameters(t *testing.T) {
	for _, c := range []struct {
		n    uint64
		p    float64
		opts []bloom.Option
		want string
	}{
		{0, 0.01, nil, "bloom: number of keys is 0, want at least 1"},
		{1, 0, nil, "bloom: false-positive rate is 0, want 0 < p < 1"},
		{1, -1, nil, "bloom: false-positive rate is -1, want 0 < p < 1"},
		{1, 1, nil, "bloom: false-positive rate is 1, want 0 < p < 1"},
		{1, math.NaN(), nil, "bloom: false-positive rate is NaN, want 0 < p < 1"},
		{1, math.Inf(1), nil, "bloom: false-positive rate is +Inf, want 0 < p < 1"},
		{1, 1e-7, nil, "bloom: false-positive rate is 1e-07, want at least 1e-06 (a Classic or a Static reaches lower)"},
		{1 << 40, 0.01, nil, "bloom: 1099511627776 keys at a rate of 0.01 need 4.52e+10 blocks of 32 bytes, want at most 2^32-1"},
		{math.MaxUint64, 1e-6, nil, "bloom: 18446744073709551615 keys at a rate of 1e-06 need 4.66e+18 blocks of 32 bytes, want at most 2^32-1"},
		{1000, 0.01, []bloom.Option{bloom.WithMaxBytes(1000)}, "bloom: filter needs 1344 bytes, limit of WithMaxBytes is 1000"},
		{1, 0.01, []bloom.Option{bloom.WithMaxBytes(0)}, "bloom: limit of WithMaxBytes is 0, want at least 1"},
		{1, 0.01, []bloom.Option{nil}, "bloom: option 0 of New is nil"},
	} {
		f, err := bloom.New(c.n, c.p, c.opts...)
		assert.EqualError(t, err, c.want)
		assert.Nil(t, f)
	}
	_, err := bloom.NewParquet(1, 0.01, bloom.WithSecret([16]byte{}))
	assert.EqualError(t, err, "bloom: WithSecret does not apply to NewParquet")
	_, err = bloom.NewParquet(0, 0.01)
	assert.Error(t, err)
}

func TestFilterDoesNotAllocate(t *testing.T) {
	f := must(bloom.New(1000, 0.01))
	keyed := must(bloom.New(1000, 0.01, bloom.WithSecret([16]byte{1})))
	key, hs, out := []byte("some key of some length, beyond 32 bytes"), make([]uint64, 100), make([]bool, 100)
	for name, op := range map[string]func(){
		"Add":            func() { f.Add(key) },
		"Contains":       func() { f.Contains(key) },
		"ContainsString": func() { f.ContainsString("some key") },
		"secret":         func() { keyed.AddString("key"); keyed.ContainsString("key") },
		"AddHashes":      func() { f.AddHashes(hs) },
		"ContainsHashes": func() { f.ContainsHashes(out, hs) },
		"EstimatedFPR":   func() { f.EstimatedFPR(); f.EstimatedCount() },
	} {
		testkit.NoAllocs(t, name, op)
	}
}

// The same on a machine that lacks the instructions which the assembly wants.
func TestFilterWithoutAVX2(t *testing.T) {
	r := rand.New(rand.NewPCG(6, 6))
	for _, raw := range []bool{false, true} {
		for n := range 100 {
			fast, slow := bloom.NewBlocks(1+r.IntN(50), raw), (*bloom.Filter)(nil)
			slow = fast.Clone()
			hs := make([]uint64, 2*n)
			for i := range hs {
				hs[i] = r.Uint64()
			}
			one, both := make([]bool, 2*n), make([]bool, 2*n)
			fast.AddHashes(hs[:n])
			present := fast.ContainsHashes(one, hs)
			bloom.WithoutAVX2(func() {
				slow.AddHashes(hs[:n])
				require.Equal(t, present, slow.ContainsHashes(both, hs))
				for i, h := range hs {
					require.Equal(t, one[i], slow.ContainsHash(h))
				}
				for _, h := range hs[:n] {
					require.False(t, slow.AddHash(h))
				}
				var zero bloom.Filter
				require.False(t, zero.ContainsHash(1))
				require.Panics(t, func() { zero.AddHash(1) })
			})
			require.True(t, fast.Equal(slow))
			require.Equal(t, one, both)
		}
	}
}

// Compact finds the smallest size that keeps the rate, and folding there gives
// what building there would have.
func TestCompact(t *testing.T) {
	const n = 3000
	f := must(bloom.New(1_700_000, 0.01))
	for i := range n {
		f.AddHash(uint64(i))
	}
	z := f.Bits() / 256
	require.Zero(t, z%64)
	for _, p := range []float64{1e-9, 1e-6, 0.001, 0.01, 0.3, 1} {
		g := f.Compact(p)
		require.LessOrEqual(t, g.EstimatedFPR(), max(p, f.EstimatedFPR()))
		for d := z; d >= 1; d-- {
			if z%d == 0 && bloom.FoldedRate(f, d) <= p {
				require.Equal(t, z/d, g.Bits()/256, "p = %g", p)
				break
			}
		}
		direct := bloom.NewBlocks(int(g.Bits()/256), false)
		for i := range n {
			direct.AddHash(uint64(i))
		}
		require.True(t, direct.Equal(g))
		check(t, g)
	}
	require.True(t, f.Equal(f.Compact(math.NaN())))
	require.True(t, f.Equal(f.Compact(-1)))
	one := bloom.NewBlocks(97, true) // prime: itself or one block
	one.AddHash(1)
	require.Equal(t, uint64(256), one.Compact(0.5).Bits())
	require.True(t, new(bloom.Filter).Compact(0.5).Equal(new(bloom.Filter)))

	keyed := must(bloom.New(100, 0.01, bloom.WithSecret([16]byte{1}), bloom.WithMaxBytes(1<<20)))
	keyed.AddString("ann")
	require.True(t, keyed.Compact(0.5).ContainsString("ann"))
}
