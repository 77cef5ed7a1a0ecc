package cms_test

import (
	"sync"
	"testing"

	"github.com/distkit/distkit/cms"
	"github.com/distkit/distkit/internal/testkit"
	"github.com/stretchr/testify/require"
)

var modes = map[string][]cms.Option{
	"plain": nil, "conservative": {cms.WithConservative()}, "wide": {cms.WithWideCounters()},
	"conservative and wide": {cms.WithConservative(), cms.WithWideCounters(), cms.WithSecret([16]byte{7})},
}

// In one goroutine a Concurrent is a Sketch.
func TestConcurrentMatchesSketch(t *testing.T) {
	for name, opts := range modes {
		t.Run(name, func(t *testing.T) {
			s, c := must(cms.New(0.01, 0.01, opts...)), must(cms.NewConcurrent(0.01, 0.01, opts...))
			stream, _ := zipf(1, 1.1, 5000, 4_000)
			for i, h := range stream {
				key, n := user(h), []uint64{1, 3, 300, 1 << 20}[i%4]
				require.Equal(t, s.AddStringN(key, n), c.AddN([]byte(key), n))
				require.Equal(t, s.AddString(key), c.AddString(key))
				require.Equal(t, s.AddStringN(key, n), c.AddStringN(key, n))
				require.Equal(t, s.Add([]byte(key)), c.Add([]byte(key)))
				require.Equal(t, s.CountString(key), c.Count([]byte(key)))
			}
			require.True(t, s.Equal(c.Snapshot()))
			require.Equal(t, s.Total(), c.Total())
			require.Equal(t, s.ErrorBound(), c.ErrorBound())
			require.GreaterOrEqual(t, c.SizeBytes(), s.SizeBytes())
			require.NoError(t, c.Merge(s))
			require.NoError(t, s.Merge(s.Clone()))
			require.True(t, s.Equal(c.Snapshot()))
			s.AddHashN(9, 1<<63)
			s.AddHashN(9, 1<<63)
			c.AddHashN(9, 1<<63)
			require.Equal(t, s.CountHash(9), c.AddHashN(9, 1<<63), "full")
			c.Reset()
			require.True(t, c.Snapshot().Equal(must(cms.New(0.01, 0.01, opts...))))
		})
	}
}

// Goroutines that add the same hot keys while others merge and count: nothing is
// lost, which it would be if conservative additions of one key were not in turn.
func TestConcurrentLosesNothing(t *testing.T) {
	const workers, each = 8, 20_000
	for name, opts := range modes {
		t.Run(name, func(t *testing.T) {
			c := must(cms.NewConcurrent(0.05, 0.02, opts...))
			extra := must(cms.New(0.05, 0.02, opts...))
			extra.AddHashN(0, 1000)
			var wg sync.WaitGroup
			for w := range workers {
				wg.Go(func() {
					for i := range uint64(each) {
						before := c.AddHash(i % 4)
						if after := c.CountHash(i % 4); after < before {
							t.Errorf("%d after %d", after, before)
						}
						if i == each/2 && w < 2 {
							if err := c.Merge(extra); err != nil {
								t.Error(err)
							}
						}
						if i%5000 == 0 && c.Snapshot().CountHash(i%4) < i/4 {
							t.Error("a snapshot misses what was added before")
						}
					}
				})
			}
			wg.Wait()
			for h := range uint64(4) {
				require.GreaterOrEqual(t, c.CountHash(h), uint64(workers*each/4))
			}
			require.GreaterOrEqual(t, c.CountHash(0), uint64(workers*each/4+2000))
			require.EqualValues(t, workers*each+2000, c.Total())
			check(t, c.Snapshot())
		})
	}
}

func TestConcurrentParameters(t *testing.T) {
	c := must(cms.NewConcurrent(0.1, 0.1))
	for want, err := range map[string]error{
		"cms: epsilon is 0, want 0 < epsilon < 1":                           second(cms.NewConcurrent(0, 0.1)),
		"cms: WithCounters does not apply to NewConcurrent":                 second(cms.NewConcurrent(0.1, 0.1, cms.WithCounters(1))),
		"cms: incompatible: merge with a zero Sketch":                       c.Merge(new(cms.Sketch)),
		"cms: incompatible: merge of a plain sketch and a conservative one": c.Merge(must(cms.New(0.1, 0.1, cms.WithConservative()))),
		"cms: incompatible: merge of sketches with different secrets":       c.Merge(must(cms.New(0.1, 0.1, cms.WithSecret([16]byte{})))),
		"cms: incompatible: merge of 3 rows of 28 counters and 3 of 272":    c.Merge(must(cms.New(0.01, 0.1))),
		"cms: incompatible: merge of counters of 32 and of 64 bits":         c.Merge(must(cms.New(0.1, 0.1, cms.WithWideCounters()))),
	} {
		require.EqualError(t, err, want)
	}
	var zero cms.Concurrent
	require.Zero(t, zero.CountString("a")+zero.Total()+zero.ErrorBound()+uint64(zero.SizeBytes()))
	require.True(t, zero.Snapshot().Equal(new(cms.Sketch)))
	zero.Reset()
	require.PanicsWithValue(t, "cms: Add to a zero Concurrent, make one with NewConcurrent", func() { zero.AddString("a") })
	require.PanicsWithValue(t, "cms: Merge into a zero Concurrent, make one with NewConcurrent", func() { _ = zero.Merge(must(cms.New(0.1, 0.1))) })
	testkit.NoAllocs(t, "Concurrent", func() { c.AddString("a"); c.CountString("a") })
}
