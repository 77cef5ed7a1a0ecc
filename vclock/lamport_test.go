package vclock_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"github.com/distkit/distkit/internal/testkit"
	"github.com/distkit/distkit/vclock"
	"github.com/stretchr/testify/require"
)

func TestLamport(t *testing.T) {
	var l vclock.Lamport
	require.Zero(t, l.Last())
	require.Equal(t, uint64(1), l.Tick())
	for _, c := range []struct{ observe, want uint64 }{{0, 2}, {2, 3}, {1, 4}, {100, 101}, {101 + 1<<40, 102 + 1<<40}} {
		got, err := l.Observe(c.observe)
		require.NoError(t, err)
		require.Equal(t, c.want, got)
		require.Equal(t, c.want, l.Last())
	}
}

// A single message with the largest time sets a widely used Lamport clock to 0.
func TestLamportJumps(t *testing.T) {
	var l vclock.Lamport
	l.Tick()
	for _, far := range []uint64{math.MaxUint64, math.MaxUint64 - 1, 1 << 63, 2 + 1<<40} {
		got, err := l.Observe(far)
		require.ErrorIs(t, err, vclock.ErrDrift)
		require.ErrorContains(t, err, "want at most 2^40 past 1")
		require.Zero(t, got)
		require.Equal(t, uint64(1), l.Last())
	}
	l.Set(math.MaxUint64 - 5) // the long way takes sixteen million messages
	_, err := l.Observe(math.MaxUint64 - 1)
	require.NoError(t, err)
	require.Equal(t, uint64(math.MaxUint64), l.Last())
	_, err = l.Observe(5)
	require.ErrorIs(t, err, vclock.ErrDrift, "the end of all time")
	require.Equal(t, uint64(math.MaxUint64), l.Last())
}

// If one event saw another, its time is larger, in executions with lost, late
// and repeated messages.
func TestLamportClockCondition(t *testing.T) {
	for run := range 20 {
		rng := rand.New(rand.NewPCG(11, uint64(run)))
		type event struct {
			past map[int]bool
			time uint64
		}
		hosts := make([]vclock.Lamport, 4)
		state := make([]map[int]bool, len(hosts))
		var events, wires []event
		for n := range 100 {
			h := rng.IntN(len(hosts))
			e := event{past: map[int]bool{n: true}}
			for p := range state[h] {
				e.past[p] = true
			}
			if len(wires) > 0 && rng.IntN(2) == 0 {
				m := wires[rng.IntN(len(wires))]
				for p := range m.past {
					e.past[p] = true
				}
				var err error
				e.time, err = hosts[h].Observe(m.time)
				require.NoError(t, err)
			} else {
				e.time = hosts[h].Tick()
			}
			state[h] = e.past
			wires = append(wires, e)
			events = append(events, e)
			for p := range e.past {
				require.True(t, p == n || events[p].time < e.time)
			}
		}
	}
}

func TestLamportConcurrent(t *testing.T) {
	var l vclock.Lamport
	times := make([][]uint64, 8)
	var wg sync.WaitGroup
	for g := range times {
		wg.Go(func() {
			for i := range uint64(2000) {
				if i%2 == 0 {
					times[g] = append(times[g], l.Tick())
					continue
				}
				at, err := l.Observe(i)
				if err != nil {
					t.Error(err)
				}
				times[g] = append(times[g], at)
			}
		})
	}
	wg.Wait()
	seen := map[uint64]bool{}
	for _, of := range times {
		require.True(t, slices.IsSorted(of))
		for _, at := range of {
			require.False(t, seen[at], "time %d twice", at)
			seen[at] = true
		}
	}
	require.Len(t, seen, 16000)
}

func TestLamportAllocates(t *testing.T) {
	var l vclock.Lamport
	testkit.NoAllocs(t, "Lamport", func() {
		l.Tick()
		_, _ = l.Observe(5)
		l.Last()
	})
}
