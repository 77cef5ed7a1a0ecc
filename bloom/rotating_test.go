package bloom_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/distkit/distkit/bloom"
	"github.com/distkit/distkit/internal/invariants"
	"github.com/distkit/distkit/internal/testkit"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func checkRotating(t *testing.T, r *bloom.Rotating) {
	t.Helper()
	require.True(t, r.Equal(r.Clone()))
	require.False(t, r.Equal(nil))
	got := new(bloom.Rotating)
	require.NoError(t, got.UnmarshalText(must(r.MarshalText())))
	require.True(t, r.Equal(got))
	require.Equal(t, r.Bits(), uint64(8*r.SizeBytes()))
}

// Every key of the last n is found, at every step; what is far beyond is not; and
// the rate is kept at every moment.
func TestRotatingRemembersTheLastN(t *testing.T) {
	testkit.NotUnderRace(t)
	for _, n := range []int{1, 2, 3, 10, 100, 5000} {
		for _, panes := range []int{2, 3, 6, 10} {
			t.Run(fmt.Sprintf("n=%d/panes=%d", n, panes), func(t *testing.T) {
				const p = 0.01
				r := must(bloom.NewRotating(uint64(n), p, bloom.WithPanes(panes)))
				steps := 8*n + 100
				found, queries := 0, 0
				for i := range steps {
					r.AddHash(uint64(i))
					for _, back := range []int{0, 1, n / 2, n - 2, n - 1} {
						if back >= 0 && back < n && back <= i {
							require.True(t, r.ContainsHash(uint64(i-back)), "%d keys after it", back)
						}
					}
					if old := i - n*panes/(panes-1) - n/5 - 5*panes - 5; old >= 0 {
						queries++
						if r.ContainsHash(uint64(old)) {
							found++
						}
					}
				}
				_, high := testkit.RateBounds(1.1*p, queries, 5)
				assert.LessOrEqual(t, float64(found)/float64(queries), high+2/float64(queries), "keys long gone")
				checkRotating(t, r)
			})
		}
	}
}

func TestRotatingRateAndSize(t *testing.T) {
	n := 100_000
	if invariants.Enabled {
		n = 20_000
	}
	for p, perKey := range map[float64]float64{0.01: 18.6, 1e-3: 29.3} {
		r := must(bloom.NewRotating(uint64(n), p))
		assert.Less(t, float64(r.Bits())/float64(n), perKey*1.01)
		for i := range 3 * n {
			r.AddHash(uint64(i))
		}
		found := 0
		queries := 10 * n
		for i := range queries {
			if r.ContainsHash(uint64(1_000_000_000 + i)) {
				found++
			}
		}
		_, high := testkit.RateBounds(p, queries, 5)
		assert.Less(t, float64(found)/float64(queries), high)
		assert.Greater(t, float64(found)/float64(queries), p/2)
	}
}

// A key that is added again is recent again, and does not fill a generation that
// has it.
func TestRotatingRepeats(t *testing.T) {
	const n = 600
	r := must(bloom.NewRotating(n, 0.001))
	require.True(t, r.AddString("ann"))
	for i := range 20 * n {
		if i%(n/2) == 0 {
			require.False(t, r.AddString("ann"), "still there")
		}
		r.AddHash(uint64(i))
	}
	require.True(t, r.ContainsString("ann"))
	before := r.Clone()
	for range 10 * n {
		r.AddHash(uint64(20*n - 1))
	}
	require.True(t, before.Equal(r), "the newest key, again and again")
}

// Time alone: a key is found for the window, and forgotten after one span more.
func TestRotatingWindow(t *testing.T) {
	const window = 60 * time.Second
	start := time.Unix(0, 0)
	for _, panes := range []int{2, 4, 7} {
		r := must(bloom.NewRotating(10_000, 1e-5, bloom.WithWindow(window), bloom.WithPanes(panes)))
		span := window / time.Duration(panes-1)
		require.False(t, r.ContainsStringAt(start, "0"))
		for i := range 600 {
			now := start.Add(time.Duration(i) * time.Second)
			require.True(t, r.AddStringAt(now, fmt.Sprint(i)))
			for back := range min(i, 150) {
				age := time.Duration(back) * time.Second
				found := r.ContainsStringAt(now, fmt.Sprint(i-back))
				if age < window {
					require.True(t, found, "age %v", age)
				}
				if age > window+span {
					require.False(t, found, "age %v", age)
				}
			}
		}
		last := start.Add(599 * time.Second)
		kept := r.Clone()
		for _, later := range []time.Duration{0, span / 2, span, window - 1, window, window + span, 10 * window} {
			found := r.ContainsStringAt(last.Add(later), "599")
			require.True(t, found || later >= window, "%v later", later)
			require.False(t, found && later > window+span, "%v later", later)
		}
		require.True(t, r.ContainsAt(start.Add(-time.Hour), []byte("599")), "a time before sees everything")
		require.True(t, kept.Equal(r), "queries change nothing")
		checkRotating(t, r)

		// Set back: nothing turns. Far ahead: all is forgotten.
		back := r.Clone()
		back.AddStringAt(start.Add(-time.Hour), "early")
		require.True(t, back.ContainsStringAt(last, "early") && back.ContainsStringAt(last, "599"))
		r.AddAt(last.Add(3*window), []byte("late"))
		require.False(t, r.ContainsStringAt(last.Add(3*window), "599"))
		require.True(t, r.ContainsStringAt(last.Add(3*window), "late"))
		checkRotating(t, r)
	}
}

// A jump over more than int64 has nanoseconds is one ahead all the same.
func TestRotatingJumpsOverCenturies(t *testing.T) {
	year := func(y int) time.Time { return time.Date(y, 1, 1, 0, 0, 0, 0, time.UTC) }
	for _, c := range [][2]int{{2026, 2400}, {1, 2026}, {1700, 2261}, {1, 9999}} {
		r := must(bloom.NewRotating(100, 1e-4, bloom.WithWindow(time.Hour)))
		r.AddHashAt(year(c[0]), 1)
		require.False(t, r.ContainsHashAt(year(c[1]), 1), "%v", c)
		r.AddHashAt(year(c[1]), 2)
		require.False(t, r.ContainsHashAt(year(c[1]), 1), "%v", c)
		require.True(t, r.ContainsHashAt(year(c[1]), 2), "%v", c)
		require.True(t, r.ContainsHashAt(year(c[0]), 2), "%v: a time before sees everything", c)
		checkRotating(t, r)
	}
}

// The forms without a time read the clock, in a bubble of their own.
func TestRotatingReadsTheClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := must(bloom.NewRotating(1000, 1e-5, bloom.WithWindow(time.Minute)))
		require.True(t, r.AddString("ann") && r.Add([]byte("bob")) && r.AddHash(7))
		r.AddHashes([]uint64{8, 9})
		time.Sleep(59 * time.Second)
		require.True(t, r.ContainsString("ann") && r.Contains([]byte("bob")) && r.ContainsHash(7))
		require.Equal(t, 2, r.ContainsHashes(make([]bool, 3), []uint64{8, 9, 10}))
		r.AddString("ann")
		time.Sleep(14 * time.Second)
		require.True(t, r.ContainsString("ann"))
		require.False(t, r.Contains([]byte("bob")) || r.ContainsHash(7))
		require.Zero(t, r.ContainsHashes(make([]bool, 3), []uint64{8, 9, 10}))
		r.Rotate()
		require.True(t, r.ContainsString("ann"))
		for range 5 {
			r.Rotate()
		}
		require.False(t, r.ContainsString("ann"))
		checkRotating(t, r)
	})
}

// model is what must be found: by the definition, while fewer than n new keys
// and less than the window came after the last Add, added up.
type model struct {
	n, fresh int
	window   time.Duration
	last     map[uint64]moment
}

type moment struct {
	fresh int
	at    time.Time
}

func (m *model) mustHave(h uint64, now time.Time) bool {
	w, ok := m.last[h]
	if !ok {
		return false
	}
	share := float64(m.fresh-w.fresh) / float64(m.n)
	if m.window > 0 {
		share += float64(now.Sub(w.at)) / float64(m.window)
	}
	return share < 1
}

// playRotating adds and asks by a script, and compares with the model: nothing
// that must be there is missed.
func playRotating(t *testing.T, n int, window time.Duration, panes int, next func() (op, key, wait int, ok bool)) {
	opts := []bloom.Option{bloom.WithPanes(panes)}
	if window > 0 {
		opts = append(opts, bloom.WithWindow(window))
	}
	r := must(bloom.NewRotating(uint64(n), 0.01, opts...))
	m := &model{n: n, window: window, last: map[uint64]moment{}}
	now := time.Unix(1_700_000_000, 0)
	for {
		op, key, wait, ok := next()
		if !ok {
			break
		}
		h := uint64(key)
		now = now.Add(time.Duration(wait) * time.Second)
		switch op % 4 {
		case 0, 1:
			held := r.ContainsHashAt(now, h)
			require.Equal(t, !held, r.AddHashAt(now, h))
			if !m.mustHave(h, now) || m.last[h].fresh != m.fresh {
				m.fresh++ // new to the newest generation, perhaps
			}
			m.last[h] = moment{m.fresh, now}
		case 2:
			r = decoded(t, r)
		}
		for h := range m.last {
			if m.mustHave(h, now) {
				require.True(t, r.ContainsHashAt(now, h), "key %d", h)
			}
		}
	}
	checkRotating(t, r)
}

func decoded(t *testing.T, r *bloom.Rotating) *bloom.Rotating {
	t.Helper()
	got := new(bloom.Rotating)
	require.NoError(t, got.UnmarshalBinary(must(r.MarshalBinary())))
	return got
}

func TestRotatingModel(t *testing.T) {
	for _, window := range []time.Duration{0, 100 * time.Second} {
		for _, n := range []int{1, 5, 40} {
			rng := rand.New(rand.NewPCG(uint64(n), uint64(window)))
			steps := 0
			playRotating(t, n, window, 2+n%5, func() (int, int, int, bool) {
				steps++
				return rng.IntN(8), rng.IntN(3*n + 3), rng.IntN(7) * rng.IntN(2), steps < 3000
			})
		}
	}
}

func FuzzRotating(f *testing.F) {
	f.Add(uint8(3), uint8(10), []byte("\x00a\x00\x00b\x01\x00a\xff\x02c\x00"))
	f.Fuzz(func(t *testing.T, n, window uint8, ops []byte) {
		playRotating(t, int(n)+1, time.Duration(window)*time.Second, 2+int(n)%9, func() (int, int, int, bool) {
			if len(ops) < 3 {
				return 0, 0, 0, false
			}
			op, key, wait := int(ops[0]), int(ops[1]), int(ops[2])
			ops = ops[3:]
			return op, key, wait, true
		})
	})
}

func TestRotatingParametersAndZero(t *testing.T) {
	for _, c := range []struct {
		n    uint64
		p    float64
		opts []bloom.Option
		want string
	}{
		{0, 0.1, nil, "bloom: number of keys is 0, want at least 1"},
		{1, 1e-6, nil, "bloom: false-positive rate is 1e-06, want at least 6e-06 (generations share it)"},
		{1, 0.1, []bloom.Option{bloom.WithPanes(1)}, "bloom: number of panes is 1, want 2 to 64"},
		{1, 0.1, []bloom.Option{bloom.WithPanes(65)}, "bloom: number of panes is 65, want 2 to 64"},
		{1, 0.1, []bloom.Option{bloom.WithWindow(0)}, "bloom: window is 0s, want more than 0"},
		{1, 0.1, []bloom.Option{bloom.WithWindow(-1)}, "bloom: window is -1ns, want more than 0"},
		{1, 0.1, []bloom.Option{bloom.WithWindow(4)}, "bloom: window is 4ns, want at least 5ns for 6 generations"},
		{1, 0.1, []bloom.Option{bloom.WithPowerOfTwo()}, "bloom: WithPowerOfTwo does not apply to NewRotating"},
		{1000, 0.1, []bloom.Option{bloom.WithMaxBytes(1000)}, "bloom: filter needs 1536 bytes, limit of WithMaxBytes is 1000"},
	} {
		_, err := bloom.NewRotating(c.n, c.p, c.opts...)
		assert.EqualError(t, err, c.want)
	}
	_, err := bloom.NewRotating(1<<63, 0.1)
	assert.ErrorContains(t, err, "want at most 2^32-1")
	_, err = bloom.New(1, 0.1, bloom.WithPanes(3))
	assert.EqualError(t, err, "bloom: WithPanes does not apply to New")

	var zero bloom.Rotating
	now := time.Now()
	require.False(t, zero.Contains(nil) || zero.ContainsString("") || zero.ContainsHash(1) || zero.ContainsAt(now, nil) || zero.ContainsStringAt(now, "") || zero.ContainsHashAt(now, 1))
	require.Zero(t, zero.ContainsHashes(make([]bool, 1), []uint64{1}))
	require.Zero(t, zero.Bits()+uint64(zero.SizeBytes()))
	zero.Reset()
	zero.Rotate()
	for _, f := range []func(){
		func() { zero.Add(nil) }, func() { zero.AddString("") }, func() { zero.AddHash(1) }, func() { zero.AddHashes([]uint64{1}) },
		func() { zero.AddAt(now, nil) }, func() { zero.AddStringAt(now, "") }, func() { zero.AddHashAt(now, 1) },
	} {
		require.Contains(t, panicText(f), "make one with NewRotating")
	}
	_, err = zero.MarshalBinary()
	require.Error(t, err)
	r := must(bloom.NewRotating(100, 0.01, bloom.WithWindow(time.Minute)))
	testkit.NoAllocs(t, "Rotating", func() { r.AddString("x"); r.ContainsString("y") })
	r.Reset()
	require.True(t, r.Equal(must(bloom.NewRotating(100, 0.01, bloom.WithWindow(time.Minute)))))
}
