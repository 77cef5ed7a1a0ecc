package hlc_test

import (
	"math"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/distkit/distkit/internal/testkit"
	"github.com/distkit/distkit/vclock/hlc"
	"github.com/stretchr/testify/require"
)

var epoch = time.Date(2026, 1, 2, 3, 4, 5, 6000, time.UTC)

// paper is the algorithm of the paper, with time and counter apart and no limit
// on the counter, under the rule that an arrival always counts one up.
type paper struct{ wall, count int64 }

func (p *paper) now(wall int64) {
	if wall > p.wall {
		p.wall, p.count = wall, 0
		return
	}
	p.count++
}

func (p *paper) observe(wall, theirs, count int64) {
	switch top := max(wall, theirs, p.wall); {
	case top == p.wall && top == theirs:
		p.count = max(p.count, count) + 1
	case top == p.wall:
		p.count++
	case top == theirs:
		p.wall, p.count = top, count+1
	default:
		p.wall, p.count = top, 1
	}
}

func TestPaper(t *testing.T) {
	for run := range 50 {
		rng := rand.New(rand.NewPCG(1, uint64(run)))
		c, err := hlc.New(hlc.WithMaxDrift(time.Second))
		require.NoError(t, err)
		var p paper
		now := epoch
		var last hlc.Timestamp
		for range 500 {
			now = now.Add(time.Duration(rng.IntN(5)-1) * time.Microsecond) // back at times
			var got hlc.Timestamp
			if rng.IntN(3) == 0 {
				r := hlc.TimestampOf(now.Add(time.Duration(rng.IntN(9)-4)*time.Microsecond), uint16(rng.IntN(4)))
				got, err = c.ObserveAt(now, r)
				require.NoError(t, err)
				require.Greater(t, got, r)
				p.observe(now.UnixMicro(), r.Time().UnixMicro(), int64(r.Logical()))
			} else {
				got = c.NowAt(now)
				p.now(now.UnixMicro())
			}
			require.Equal(t, hlc.TimestampOf(time.UnixMicro(p.wall), uint16(p.count)), got)
			require.Greater(t, got, last)
			require.Equal(t, got, c.Last())
			last = got
		}
	}
}

func TestWallClockGoesBack(t *testing.T) {
	c, err := hlc.New()
	require.NoError(t, err)
	first := c.NowAt(epoch)
	require.Equal(t, epoch, first.Time())
	require.Zero(t, first.Logical())
	second := c.NowAt(epoch.Add(-time.Hour))
	require.Equal(t, epoch, second.Time())
	require.Equal(t, uint16(1), second.Logical())
	third := c.NowAt(epoch.Add(time.Microsecond))
	require.Equal(t, hlc.TimestampOf(epoch.Add(time.Microsecond), 0), third)
}

// More events than the counter holds run ahead of the wall clock, in order.
func TestCounterCarries(t *testing.T) {
	c, err := hlc.New()
	require.NoError(t, err)
	var last hlc.Timestamp
	for range 4096 + 5 {
		got := c.NowAt(epoch)
		require.Greater(t, got, last)
		last = got
	}
	require.Equal(t, epoch.Add(time.Microsecond), last.Time())
	require.Equal(t, uint16(4), last.Logical())
	require.Equal(t, last+1, c.NowAt(epoch.Add(time.Microsecond)))
	require.Equal(t, hlc.TimestampOf(epoch.Add(2*time.Microsecond), 0), c.NowAt(epoch.Add(2*time.Microsecond)))
}

// Timestamps beyond the drift are refused and leave no trace; old ones are fine.
func TestDrift(t *testing.T) {
	c, err := hlc.New(hlc.WithMaxDrift(250 * time.Millisecond))
	require.NoError(t, err)
	before := c.NowAt(epoch)
	for _, far := range []hlc.Timestamp{
		hlc.TimestampOf(epoch.Add(250*time.Millisecond+time.Microsecond), 0),
		hlc.TimestampOf(epoch.Add(8*time.Hour), 0), math.MaxUint64,
	} {
		got, err := c.ObserveAt(epoch, far)
		require.ErrorIs(t, err, hlc.ErrDrift)
		require.ErrorContains(t, err, "want at most 250ms")
		require.Zero(t, got)
		require.Equal(t, before, c.Last())
	}
	edge := hlc.TimestampOf(epoch.Add(250*time.Millisecond), 7)
	got, err := c.ObserveAt(epoch, edge)
	require.NoError(t, err)
	require.Equal(t, edge+1, got)
	got, err = c.ObserveAt(epoch, 0)
	require.NoError(t, err)
	require.Equal(t, edge+2, got)
	require.Equal(t, edge+3, c.NowAt(epoch))
}

func TestFloor(t *testing.T) {
	floor := hlc.TimestampOf(epoch.Add(time.Second), 3)
	c, err := hlc.New(hlc.WithFloor(floor))
	require.NoError(t, err)
	require.Equal(t, floor, c.Last())
	require.Equal(t, floor+1, c.NowAt(epoch), "the wall clock is behind")
	require.Equal(t, epoch.Add(2*time.Second), c.NowAt(epoch.Add(2*time.Second)).Time())
}

func TestOptionsAreChecked(t *testing.T) {
	for want, o := range map[string]hlc.Option{
		"hlc: maximal drift is -1ns, want at least 0":                       hlc.WithMaxDrift(-1),
		"hlc: option 0 of New is nil":                                       nil,
		"hlc: source is nil, want a function that returns the time":         hlc.WithSource(nil),
		"hlc: floor is ffffffffffffffff, want one with timestamps after it": hlc.WithFloor(math.MaxUint64),
	} {
		c, err := hlc.New(o)
		require.EqualError(t, err, want)
		require.Nil(t, c)
	}
}

// The end of time is a wall, not a wheel.
func TestEndOfTime(t *testing.T) {
	c, err := hlc.New(hlc.WithFloor(math.MaxUint64 - 2))
	require.NoError(t, err)
	require.Equal(t, hlc.Timestamp(math.MaxUint64-1), c.NowAt(epoch))
	require.Equal(t, hlc.Timestamp(math.MaxUint64), c.NowAt(epoch))
	require.Equal(t, hlc.Timestamp(math.MaxUint64), c.NowAt(epoch))
	got, err := c.ObserveAt(epoch, 5)
	require.NoError(t, err)
	require.Equal(t, hlc.Timestamp(math.MaxUint64), got)
}

func TestZeroClock(t *testing.T) {
	var c hlc.Clock
	require.Zero(t, c.Last())
	const want = "hlc: the zero Clock cannot advance; make one with New"
	require.PanicsWithValue(t, want, func() { c.Now() })
	require.PanicsWithValue(t, want, func() { c.NowAt(epoch) })
	require.PanicsWithValue(t, want, func() { _, _ = c.Observe(1) })
	require.PanicsWithValue(t, want, func() { _, _ = c.ObserveAt(epoch, 1) })
	require.Zero(t, c.Last())
}

// Now follows the time of the bubble, and the source.
func TestSources(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, err := hlc.New()
		require.NoError(t, err)
		a := c.Now()
		require.True(t, a.Time().Equal(time.Now()))
		time.Sleep(time.Minute)
		b := c.Now()
		require.Equal(t, time.Minute, b.Time().Sub(a.Time()))
		got, err := c.Observe(b + 10)
		require.NoError(t, err)
		require.Equal(t, b+11, got)

		fixed, err := hlc.New(hlc.WithSource(func() time.Time { return epoch }))
		require.NoError(t, err)
		require.Equal(t, hlc.TimestampOf(epoch, 0), fixed.Now())
		require.Equal(t, hlc.TimestampOf(epoch, 1), fixed.Now())
		_, err = fixed.Observe(hlc.TimestampOf(epoch.Add(time.Second), 0))
		require.ErrorIs(t, err, hlc.ErrDrift)
	})
}

// Eight goroutines with clocks that disagree: all timestamps differ, each
// goroutine sees them rise, and whoever hears of one gets a larger one.
func TestConcurrent(t *testing.T) {
	c, err := hlc.New(hlc.WithMaxDrift(time.Hour))
	require.NoError(t, err)
	const each = 2000
	issued := make([][]hlc.Timestamp, 8)
	heard := make(chan hlc.Timestamp, 64)
	var wg sync.WaitGroup
	for g := range issued {
		wg.Go(func() {
			rng := rand.New(rand.NewPCG(2, uint64(g)))
			for range each {
				now := epoch.Add(time.Duration(rng.IntN(2000)-1000) * time.Microsecond)
				var got hlc.Timestamp
				select {
				case r := <-heard:
					var err error
					if got, err = c.ObserveAt(now, r); err != nil || got <= r {
						t.Errorf("observing %v gives %v, %v", r, got, err)
					}
				default:
					got = c.NowAt(now)
				}
				issued[g] = append(issued[g], got)
				select {
				case heard <- got:
				default:
				}
			}
		})
	}
	wg.Wait()
	seen := map[hlc.Timestamp]bool{}
	for _, of := range issued {
		var last hlc.Timestamp
		for _, at := range of {
			require.Greater(t, at, last)
			require.False(t, seen[at], "%v twice", at)
			seen[at] = true
			last = at
		}
	}
	require.Len(t, seen, 8*each)
}

func TestAllocates(t *testing.T) {
	c, err := hlc.New()
	require.NoError(t, err)
	testkit.NoAllocs(t, "Clock", func() {
		_, _ = c.Observe(c.Now())
		c.NowAt(epoch)
		c.Last()
	})
}
