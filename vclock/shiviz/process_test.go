package shiviz_test

import (
	"strings"
	"sync"
	"testing"

	"github.com/distkit/distkit/vclock"
	"github.com/distkit/distkit/vclock/shiviz"
	"github.com/stretchr/testify/require"
)

func process(t testing.TB, id string) *shiviz.Process {
	p, err := shiviz.NewProcess(id)
	require.NoError(t, err)
	return p
}

func clock(t testing.TB, dots ...vclock.Dot) vclock.Clock {
	c, err := vclock.Make(dots...)
	require.NoError(t, err)
	return c
}

func TestProcess(t *testing.T) {
	a, b := process(t, "a"), process(t, "b")
	require.Equal(t, "a", a.ID())
	require.Equal(t, vclock.Clock{}, a.Clock())
	require.Equal(t, `{"a":1}`, a.Local().String())
	m := a.Send()
	require.Equal(t, `{"a":2}`, m.String())
	require.Equal(t, `{"a":2, "b":1}`, b.Receive(m).String())
	require.Equal(t, `{"a":2, "b":2}`, b.Receive(m).String(), "again")
	require.Equal(t, `{"a":2, "b":2}`, b.Clock().String())
}

// A stamp that claims events of the receiver is no reason to skip numbers.
func TestProcessKeepsItsOwnCount(t *testing.T) {
	a := process(t, "a")
	a.Local()
	forged := clock(t, vclock.Dot{ID: "a", N: 1 << 62}, vclock.Dot{ID: "x", N: 9})
	require.Equal(t, `{"a":2, "x":9}`, a.Receive(forged).String())
}

func TestNewProcessRefuses(t *testing.T) {
	_, err := shiviz.NewProcess("")
	require.EqualError(t, err, "shiviz: id is empty, want a name")
	_, err = shiviz.NewProcess(strings.Repeat("k", 1025))
	require.ErrorContains(t, err, "has 1025 bytes, want at most 1024")
}

func TestZeroProcess(t *testing.T) {
	var p shiviz.Process
	require.Empty(t, p.ID())
	require.Equal(t, vclock.Clock{}, p.Clock())
	const want = "shiviz: the zero Process has no id; make one with NewProcess"
	require.PanicsWithValue(t, want, func() { p.Local() })
	require.PanicsWithValue(t, want, func() { p.Send() })
	require.PanicsWithValue(t, want, func() { p.Receive(vclock.Clock{}) })
}

// Goroutines share a process: no number is issued twice or left out.
func TestProcessConcurrent(t *testing.T) {
	p, other := process(t, "p"), process(t, "other")
	var mu sync.Mutex
	seen := map[uint64]bool{}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for i := range 200 {
				var c vclock.Clock
				switch i % 3 {
				case 0:
					c = p.Local()
				case 1:
					c = p.Send()
				default:
					m := other.Send()
					if c = p.Receive(m); !c.Descends(m) {
						t.Errorf("%v does not descend from %v", c, m)
					}
				}
				if !p.Clock().Descends(c) {
					t.Errorf("the clock fell behind %v", c)
				}
				mu.Lock()
				seen[c.Get("p")] = true
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	require.Len(t, seen, 1600)
	require.Equal(t, uint64(1600), p.Clock().Get("p"))
}

// A stamp is one allocation where nothing new is heard of.
func TestProcessAllocates(t *testing.T) {
	p, o := process(t, "p"), process(t, "o")
	m := o.Send()
	p.Receive(m)
	require.LessOrEqual(t, testing.AllocsPerRun(100, func() { p.Local() }), 1.0)
	require.LessOrEqual(t, testing.AllocsPerRun(100, func() { p.Receive(m) }), 1.0)
}
