package bloom_test

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/distkit/distkit/bloom"
	"github.com/distkit/distkit/internal/hash64"
	"github.com/distkit/distkit/internal/testkit"
	"github.com/stretchr/testify/require"
)

// In one goroutine a Concurrent is a Filter.
func TestConcurrentMatchesFilter(t *testing.T) {
	secret := [16]byte{3}
	for _, opts := range [][]bloom.Option{nil, {bloom.WithSecret(secret)}, {bloom.WithPowerOfTwo()}} {
		f, c := must(bloom.New(3000, 0.01, opts...)), must(bloom.NewConcurrent(3000, 0.01, opts...))
		var hs []uint64
		for i := range 3000 {
			key := fmt.Sprint("key", i)
			hs = append(hs, f.HashString(key))
			require.Equal(t, f.HashString(key), c.Hash([]byte(key)))
			switch i % 3 {
			case 0:
				require.Equal(t, f.AddString(key), c.AddString(key))
			case 1:
				require.Equal(t, f.AddString(key), c.Add([]byte(key)))
			case 2:
				require.Equal(t, f.AddString(key), c.AddHash(hs[i]))
			}
			require.True(t, c.ContainsString(key) && c.Contains([]byte(key)) && !c.AddString(key))
		}
		more := []uint64{1, 2, 3}
		f.AddHashes(more)
		c.AddHashes(more)
		for i := range 3000 {
			hs = append(hs, hash64.Integer(i))
		}
		one, both := make([]bool, 6000), make([]bool, 6000)
		require.Equal(t, f.ContainsHashes(one, hs), c.ContainsHashes(both, hs))
		require.Equal(t, one, both)
		for i, h := range hs {
			require.Equal(t, one[i], c.ContainsHash(h))
		}
		require.True(t, f.Equal(c.Snapshot()))
		require.Equal(t, f.Bits(), c.Bits())
		require.GreaterOrEqual(t, c.SizeBytes(), int(c.Bits()/8))
		require.Equal(t, f.EstimatedCount(), c.EstimatedCount())
		require.Equal(t, f.EstimatedFPR(), c.EstimatedFPR())
		check(t, c.Snapshot())
	}
}

// Readers, writers, mergers and snapshots at the same time: what was added
// before is found, of several adders of one key at least one is told that it is
// new, and the bits are those of one goroutine.
func TestConcurrentUse(t *testing.T) {
	const keys, workers = 4000, 4
	c := must(bloom.NewConcurrent(2*keys, 0.001))
	extra, want := must(bloom.New(2*keys, 0.001)), must(bloom.New(2*keys, 0.001))
	for i := range keys {
		extra.AddHash(uint64(keys + i))
		want.AddHashes([]uint64{uint64(i), uint64(keys + i)})
	}
	var fresh [keys]int
	var mu sync.Mutex
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(uint64(w), 0))
			var mine []int
			for n, i := range r.Perm(keys) {
				if c.AddHash(uint64(i)) {
					mine = append(mine, i)
				}
				if !c.ContainsHash(uint64(i)) || c.AddHash(uint64(i)) {
					t.Errorf("key %d is not there", i)
				}
				switch {
				case n == keys/2 && w == 0:
					if err := c.Merge(extra); err != nil {
						t.Error(err)
					}
				case n%1000 == 0:
					if s := c.Snapshot(); !s.ContainsHash(uint64(i)) || s.EstimatedFPR() > 0.01 || c.EstimatedCount() < 1 || c.EstimatedFPR() > 0.01 {
						t.Errorf("snapshot at %d", n)
					}
				}
			}
			mu.Lock()
			defer mu.Unlock()
			for _, i := range mine {
				fresh[i]++
			}
		})
	}
	wg.Wait()
	require.True(t, want.Equal(c.Snapshot()))
	told := 0
	for _, n := range fresh {
		told += min(n, 1)
	}
	require.Greater(t, told, keys*99/100, "all but false positives")
}

func TestConcurrentMergeAndZero(t *testing.T) {
	c := must(bloom.NewConcurrent(10_000, 0.01))
	z := int(c.Bits() / 256)
	big, want := bloom.NewBlocks(3*z, false), bloom.NewBlocks(z, false)
	for i := range 1000 {
		big.AddHash(uint64(i))
		want.AddHash(uint64(i))
	}
	require.NoError(t, c.Merge(big))
	require.True(t, want.Equal(c.Snapshot()))
	for name, other := range map[string]*bloom.Filter{
		"smaller": bloom.NewBlocks(z/2, false), "not a multiple": bloom.NewBlocks(z+1, false),
		"layout": bloom.NewBlocks(z, true), "zero": {}, "nil": nil,
		"secret": must(bloom.New(10_000, 0.01, bloom.WithSecret([16]byte{}))),
	} {
		require.ErrorIs(t, c.Merge(other), bloom.ErrIncompatible, name)
	}
	require.True(t, want.Equal(c.Snapshot()))

	_, err := bloom.NewConcurrent(0, 0.1)
	require.Error(t, err)
	_, err = bloom.NewConcurrent(1000, 0.1, bloom.WithMaxBytes(64))
	require.Error(t, err)

	var zero bloom.Concurrent
	require.False(t, zero.ContainsHash(1) || zero.ContainsString("a") || zero.Contains(nil))
	require.Zero(t, zero.ContainsHashes(make([]bool, 3), make([]uint64, 3)))
	require.Zero(t, zero.Bits()+uint64(zero.SizeBytes()))
	require.Zero(t, zero.EstimatedCount()+zero.EstimatedFPR())
	require.True(t, zero.Snapshot().Equal(new(bloom.Filter)))
	require.Contains(t, panicText(func() { zero.AddString("x") }), "make one with NewConcurrent")
	require.Contains(t, panicText(func() { _ = zero.Merge(want) }), "make one with NewConcurrent")

	hs := make([]uint64, 20)
	out := make([]bool, 20)
	testkit.NoAllocs(t, "Concurrent", func() {
		c.AddHash(5)
		c.AddHashes(hs)
		c.ContainsString("x")
		c.ContainsHashes(out, hs)
	})
}
