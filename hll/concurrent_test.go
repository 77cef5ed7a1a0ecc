package hll_test

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/distkit/distkit/hll"
	"github.com/distkit/distkit/internal/testkit"
	"github.com/stretchr/testify/require"
)

// In one goroutine a Concurrent is a Sketch, changed flags included.
func TestConcurrentIsSketch(t *testing.T) {
	secret := [16]byte{3}
	for _, opts := range [][]hll.Option{nil, {hll.WithSecret(secret)}} {
		for p := hll.MinPrecision; p <= hll.MaxPrecision; p += 7 {
			s, c := must(hll.New(p, append(opts, hll.WithDense())...)), must(hll.NewConcurrent(p, opts...))
			require.True(t, c.Snapshot().IsEmpty())
			for i := range 3000 {
				key := fmt.Sprint("key", i)
				require.Equal(t, s.HashString(key), c.Hash([]byte(key)))
				switch i % 3 {
				case 0:
					require.Equal(t, s.AddString(key), c.AddString(key))
				case 1:
					require.Equal(t, s.AddString(key), c.Add([]byte(key)))
				case 2:
					require.Equal(t, s.AddHash(c.HashString(key)), c.AddHash(s.HashString(key)))
				}
				require.False(t, c.AddString(key))
			}
			require.True(t, s.Equal(c.Snapshot()))
			require.Equal(t, s.Estimate(), c.Estimate())
			require.Equal(t, s.RelativeError(), c.RelativeError())
			require.Equal(t, p, c.Precision())
			require.Equal(t, 1<<p, c.SizeBytes())
			for _, sigmas := range []float64{0, 2} {
				lower, upper := s.Bounds(sigmas)
				lower2, upper2 := c.Bounds(sigmas)
				require.Equal(t, [2]uint64{lower, upper}, [2]uint64{lower2, upper2})
			}
			check(t, c.Snapshot())
			c.Reset()
			require.True(t, c.Snapshot().IsEmpty())
			require.Zero(t, c.Estimate())
		}
	}
}

// Adders, readers, mergers and snapshots at the same time: what was added before
// counts, estimates never shrink, one key changes c once, and at the end the
// registers are those of one goroutine.
func TestConcurrentUse(t *testing.T) {
	const keys, workers, p = 4000, 4, 8
	c := must(hll.NewConcurrent(p))
	extra, want := must(hll.New(p+2, hll.WithDense())), must(hll.New(p, hll.WithDense()))
	for i := range uint64(keys) {
		extra.AddHash(keys + i)
		want.AddHash(i)
		want.AddHash(keys + i)
	}
	var told [keys]int
	var mu sync.Mutex
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			rng := rand.New(rand.NewPCG(uint64(w), 0))
			var mine []int
			last := uint64(0)
			for n, i := range rng.Perm(keys) {
				if c.AddHash(uint64(i)) {
					mine = append(mine, i)
				}
				if c.AddHash(uint64(i)) {
					t.Errorf("key %d changes c again", i)
				}
				switch {
				case n == keys/2 && w == 0:
					if err := c.Merge(extra); err != nil {
						t.Error(err)
					}
				case n%500 == 0:
					s := c.Snapshot()
					before := s.Estimate()
					if after := c.Estimate(); before < last || after < before || s.AddHash(uint64(i)) {
						t.Errorf("estimates %d, %d, %d at %d", last, before, after, n)
					}
					last = before
				}
			}
			mu.Lock()
			defer mu.Unlock()
			for _, i := range mine {
				told[i]++
			}
		})
	}
	wg.Wait()
	require.True(t, want.Equal(c.Snapshot()))
	for i, n := range told {
		require.LessOrEqual(t, n, 1, "key %d", i)
	}
}

func TestConcurrentMerges(t *testing.T) {
	rng := rand.New(rand.NewPCG(61, 62))
	for _, q := range []int{6, 9} {
		for _, n := range []int{0, 3, 20, 5000} {
			hs, gs := hashes(rng, 300), hashes(rng, n)
			c, want := must(hll.NewConcurrent(6)), must(hll.New(6, hll.WithDense()))
			for _, h := range hs {
				c.AddHash(h)
				want.AddHash(h)
			}
			other := sketch(q, gs)
			require.NoError(t, c.Merge(other))
			require.NoError(t, want.Merge(other))
			require.True(t, want.Equal(c.Snapshot()), "%d keys of precision %d", n, q)
		}
	}
	c := must(hll.NewConcurrent(6))
	for _, bad := range []*hll.Sketch{nil, {}, must(hll.New(5)), must(hll.New(6, hll.WithSecret([16]byte{1})))} {
		require.ErrorIs(t, c.Merge(bad), hll.ErrIncompatible)
	}
	require.True(t, c.Snapshot().IsEmpty())
}

func TestConcurrentChecks(t *testing.T) {
	for want, f := range map[string]func() (*hll.Concurrent, error){
		"hll: precision is 19, want 4 to 18":                  func() (*hll.Concurrent, error) { return hll.NewConcurrent(19) },
		"hll: WithDense does not apply to NewConcurrent":      func() (*hll.Concurrent, error) { return hll.NewConcurrent(9, hll.WithDense()) },
		"hll: WithMartingale does not apply to NewConcurrent": func() (*hll.Concurrent, error) { return hll.NewConcurrent(9, hll.WithMartingale()) },
	} {
		c, err := f()
		require.EqualError(t, err, want)
		require.Nil(t, c)
	}
	var zero hll.Concurrent
	lower, upper := zero.Bounds(3)
	require.Zero(t, zero.Estimate()+lower+upper)
	require.Zero(t, zero.RelativeError())
	require.Zero(t, zero.Precision()+zero.SizeBytes())
	require.True(t, zero.Snapshot().Equal(new(hll.Sketch)))
	zero.Reset()
	require.PanicsWithValue(t, "hll: Add to a zero Concurrent, make one with NewConcurrent", func() { zero.AddString("a") })
	require.PanicsWithValue(t, "hll: Merge into a zero Concurrent, make one with NewConcurrent", func() { _ = zero.Merge(must(hll.New(4))) })

	c, i := must(hll.NewConcurrent(12)), uint64(0)
	testkit.NoAllocs(t, "Concurrent", func() {
		c.AddHash(i)
		c.AddString("a key of 16 byte")
		c.Estimate()
		i++
	})
}
