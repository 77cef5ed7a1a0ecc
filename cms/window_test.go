package cms_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/distkit/distkit/cms"
	"github.com/distkit/distkit/internal/testkit"
	"github.com/stretchr/testify/require"
)

// panes is Window as its definition words it: a sketch for each pane that was ever
// added to, and all that was added.
type panes struct {
	width, depth, panes int
	span                int64
	full                uint64
	sketches            map[int64]*twin
	truth               map[int64]exact
	newest              int64
}

func newPanes(w *cms.Window, full uint64) *panes {
	span := int64(math.Ceil(float64(w.Window()) / float64(w.Panes()-1)))
	return &panes{w.Width(), w.Depth(), w.Panes(), span, full, map[int64]*twin{}, map[int64]exact{}, math.MinInt64}
}

func (p *panes) pane(at time.Time) int64 {
	return max(at.UnixNano()/p.span, p.newest) // of times after 1970
}

func (p *panes) add(at time.Time, h, n uint64) uint64 {
	pane := p.pane(at)
	p.newest = pane
	if p.sketches[pane] == nil {
		p.sketches[pane], p.truth[pane] = newTwin(p.width, p.depth, false, p.full), exact{}
	}
	p.sketches[pane].add(h, n)
	p.truth[pane][h] += n
	return p.count(at, h)
}

func (p *panes) count(at time.Time, h uint64) (sum uint64) {
	newest := p.pane(at)
	for pane, s := range p.sketches {
		if pane > newest-int64(p.panes) {
			sum += s.count(h)
		}
	}
	return sum
}

func (p *panes) exact(at time.Time, h uint64) (sum, total uint64) {
	newest := p.pane(at)
	for pane, e := range p.truth {
		if pane > newest-int64(p.panes) {
			sum += e[h]
			for _, n := range e {
				total += n
			}
		}
	}
	return sum, total
}

// Every estimate is the twin's, addition by addition and as time goes by: in small
// windows and in ones with neighborhoods that stay behind, with clocks that jump
// ahead and step back.
func TestWindowAgainstTwin(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for round, c := range []struct {
		epsilon, delta float64
		opts           []cms.Option
	}{
		{0.3, 0.01, nil},
		{0.01, 0.01, []cms.Option{cms.WithPanes(6)}},
		{0.03, 0.3, []cms.Option{cms.WithPanes(2)}},
		{0.05, 0.02, []cms.Option{cms.WithPanes(3), cms.WithWideCounters()}},
		{0.02, 1e-4, []cms.Option{cms.WithPanes(64)}},
	} {
		w := must(cms.NewWindow(c.epsilon, c.delta, 700*time.Second, c.opts...))
		full := uint64(math.MaxUint32)
		if round == 3 {
			full = math.MaxUint64
		}
		slow := newPanes(w, full)
		now := noon
		for i := range 1500 {
			now = now.Add(time.Duration(r.IntN(4000)) * time.Millisecond)
			switch i % 500 {
			case 100:
				now = now.Add(time.Duration(r.IntN(900)) * time.Second)
			case 200:
				now = now.Add(-time.Duration(r.IntN(300)) * time.Second)
			case 400:
				now = now.Add(1e6 * time.Second)
			}
			h, n := min(r.Uint64N(200), r.Uint64N(200)), uint64(1)
			if i%100 == 0 {
				n = math.MaxUint32 / 3
			}
			require.Equal(t, slow.add(now, h, n), w.AddHashNAt(now, h, n), "round %d, addition %d", round, i)
			later := now.Add(time.Duration(r.IntN(900)) * time.Second)
			h = r.Uint64N(200)
			require.Equal(t, slow.count(later, h), w.CountHashAt(later, h))
			require.Equal(t, slow.count(now.Add(-time.Hour), h), w.CountHashAt(now.Add(-time.Hour), h))
			if i%100 == 0 {
				sum, total := slow.exact(later, h)
				require.GreaterOrEqual(t, w.CountHashAt(later, h), min(sum, full))
				require.Equal(t, total, w.TotalAt(later), "round %d, addition %d, %v %v", round, i, later, now)
				require.GreaterOrEqual(t, float64(w.ErrorBoundAt(later)), math.E/float64(w.Width())*float64(total)*(1-1e-9))
				checkWindow(t, w)
			}
		}
	}
}

// checkWindow verifies what holds for every Window.
func checkWindow(t *testing.T, w *cms.Window) {
	t.Helper()
	require.True(t, w.Equal(w.Clone()))
	if w.Width() == 0 {
		return
	}
	g := new(cms.Window)
	require.NoError(t, g.UnmarshalBinary(must(w.MarshalBinary())))
	require.True(t, w.Equal(g) && g.Equal(w))
}

// What is counted at the first nanosecond of a pane is there for the whole window,
// and gone a pane later, to the nanosecond.
func TestWindowEdges(t *testing.T) {
	w := must(cms.NewWindow(0.1, 0.1, 70*time.Second, cms.WithPanes(8)))
	begin := time.Unix(1_000_000_000, 0) // a multiple of 10 s
	for _, offset := range []time.Duration{0, 1, 5 * time.Second, 10*time.Second - 1} {
		w.Reset()
		at := begin.Add(offset)
		require.EqualValues(t, 1, w.AddStringAt(at, "a"))
		for _, later := range []time.Duration{0, 10 * time.Second, 70*time.Second - 1, 70 * time.Second, 80*time.Second - 1 - offset} {
			require.EqualValues(t, 1, w.CountStringAt(at.Add(later), "a"), "%v + %v", offset, later)
			require.EqualValues(t, 1, w.TotalAt(at.Add(later)))
		}
		for _, later := range []time.Duration{80*time.Second - offset, 81 * time.Second, 1e6 * time.Hour} {
			require.Zero(t, w.CountStringAt(at.Add(later), "a"), "%v + %v", offset, later)
			require.Zero(t, w.TotalAt(at.Add(later))+w.ErrorBoundAt(at.Add(later)))
		}
		require.EqualValues(t, 1, w.CountStringAt(at.Add(-time.Hour), "a"), "a time before the newest pane is the newest pane")
		// An addition after a pause finds nothing of what is over.
		require.EqualValues(t, 1, w.AddStringAt(begin.Add(80*time.Second), "a"))
		require.EqualValues(t, 2, w.AddStringAt(begin, "a"), "late ones count in the newest pane")
		require.EqualValues(t, 2, w.CountStringAt(begin.Add(150*time.Second), "a"))
	}
	// The window is covered though it is no multiple of the panes.
	odd := must(cms.NewWindow(0.1, 0.1, 100, cms.WithPanes(4)))
	for at := range int64(300) {
		odd.Reset()
		odd.AddHashAt(time.Unix(0, at), 5)
		require.EqualValues(t, 1, odd.CountHashAt(time.Unix(0, at+100), 5))
		require.Zero(t, odd.CountHashAt(time.Unix(0, at+4*34), 5))
	}
}

// The sum of the smallest counters of the panes is closer to the truth than the
// smallest counter of all panes together, which a Sketch has.
func TestWindowIsCloserThanASketch(t *testing.T) {
	w, s := must(cms.NewWindow(0.005, 0.01, time.Hour)), must(cms.New(0.005, 0.01))
	stream, truth := zipf(3, 1.0, 20_000, 50_000)
	for i, h := range stream {
		w.AddHashAt(noon.Add(time.Duration(i)*time.Hour/50_000), h)
		s.AddHash(h)
	}
	above, aboveSketch, beyond := 0.0, 0.0, 0
	end := noon.Add(time.Hour - 1)
	for h, n := range truth {
		got := w.CountHashAt(end, h)
		require.GreaterOrEqual(t, got, n)
		require.LessOrEqual(t, got, s.CountHash(h))
		above += float64(got - n)
		aboveSketch += float64(s.CountHash(h) - n)
		if got-n > w.ErrorBoundAt(end) {
			beyond++
		}
	}
	require.Less(t, above, 0.9*aboveSketch)
	_, most := testkit.RateBounds(0.01, len(truth), 5)
	require.LessOrEqual(t, float64(beyond)/float64(len(truth)), most)
}

// The windows of nodes merge to the bytes of one window of all.
func TestWindowMerges(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	for round := range 40 {
		opts := [][]cms.Option{nil, {cms.WithWideCounters(), cms.WithPanes(3)}}[round%2]
		whole := must(cms.NewWindow(0.05, 0.05, time.Minute, opts...))
		parts := []*cms.Window{whole.Clone(), whole.Clone(), whole.Clone()}
		now := noon.Add(time.Duration(round) * time.Second)
		for i := range r.IntN(500) {
			now = now.Add(time.Duration(r.IntN(1000)) * time.Millisecond)
			h := r.Uint64N(100)
			whole.AddHashAt(now, h)
			parts[(i/(1+round))%(1+round%3)].AddHashAt(now, h)
		}
		left, right := parts[0].Clone(), parts[2].Clone()
		require.NoError(t, left.Merge(parts[1]))
		require.NoError(t, left.Merge(parts[2]))
		require.NoError(t, right.Merge(parts[1]))
		before := parts[0].Clone()
		require.NoError(t, right.Merge(parts[0]))
		require.True(t, parts[0].Equal(before), "merging changes the receiver only")
		require.True(t, left.Equal(whole))
		require.True(t, right.Equal(whole))
		require.Equal(t, must(whole.MarshalBinary()), must(right.MarshalBinary()))
		checkWindow(t, left)
	}
}

// No clock, however wrong, makes a Window panic, hang, or lose what it promised.
func TestWindowWithstandsClocks(t *testing.T) {
	times := []time.Time{
		{},
		time.Unix(0, 0), time.Unix(math.MinInt64, 0), time.Unix(math.MaxInt64, 0), time.Unix(1<<62, 1e9), time.Unix(-1<<62, 0),
		noon, noon.AddDate(100, 0, 0), noon.AddDate(-300, 0, 0), time.Date(2262, 4, 11, 23, 47, 16, 0, time.UTC), time.Unix(-1, 999_999_999),
	}
	for _, window := range []time.Duration{1, time.Hour, math.MaxInt64} {
		for _, panes := range []int{2, 64} {
			for i := range times {
				w := must(cms.NewWindow(0.5, 0.5, window, cms.WithPanes(panes)))
				for j := range 3 * len(times) {
					at := times[(i+j*(i+1))%len(times)]
					require.GreaterOrEqual(t, w.AddHashAt(at, uint64(j%3)), uint64(1))
					for _, at := range times {
						require.LessOrEqual(t, w.TotalAt(at), uint64(j+1))
						require.LessOrEqual(t, w.CountHashAt(at, 1), w.TotalAt(at))
					}
					checkWindow(t, w)
				}
			}
		}
	}
}

// The forms without a time read the clock.
func TestWindowReadsTheClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := must(cms.NewWindow(0.01, 0.01, 7*time.Minute))
		h := w.HashString("a")
		w.Add([]byte("a"))
		w.AddString("a")
		w.AddN([]byte("a"), 10)
		time.Sleep(5 * time.Minute)
		w.AddStringN("a", 100)
		w.AddHash(h)
		require.EqualValues(t, 1113, w.AddHashN(h, 1000))
		require.EqualValues(t, 1113, w.Count([]byte("a")))
		require.EqualValues(t, 1113, w.Total())
		require.EqualValues(t, 12, w.ErrorBound())
		time.Sleep(3 * time.Minute)
		require.EqualValues(t, 1101, w.CountString("a"))
		w.AddAt(time.Now(), []byte("a"))
		w.AddNAt(time.Now(), []byte("a"), 1)
		w.AddStringNAt(time.Now(), "a", 1)
		require.EqualValues(t, 1104, w.CountHash(h))
		require.EqualValues(t, 1104, w.CountAt(time.Now(), []byte("a")))
		require.EqualValues(t, 1104, w.AddHashN(h, 0), "nothing is added")
		time.Sleep(8 * time.Minute)
		require.Zero(t, w.CountHash(h)+w.Total())
	})
}

func TestWindowParameters(t *testing.T) {
	minute := must(cms.NewWindow(0.1, 0.1, time.Minute))
	for want, err := range map[string]error{
		"cms: epsilon is 0, want 0 < epsilon < 1":                                 second(cms.NewWindow(0, 0.1, 1)),
		"cms: delta is 1, want 0 < delta < 1":                                     second(cms.NewWindow(0.1, 1, 1)),
		"cms: window is 0s, want more than 0":                                     second(cms.NewWindow(0.1, 0.1, 0)),
		"cms: number of panes is 1, want 2 to 64":                                 second(cms.NewWindow(0.1, 0.1, 1, cms.WithPanes(1))),
		"cms: number of panes is 65, want 2 to 64":                                second(cms.NewWindow(0.1, 0.1, 1, cms.WithPanes(65))),
		"cms: WithConservative does not apply to NewWindow":                       second(cms.NewWindow(0.1, 0.1, 1, cms.WithConservative())),
		"cms: WithPanes does not apply to New":                                    second(cms.New(0.1, 0.1, cms.WithPanes(3))),
		"cms: incompatible: merge with a zero Window":                             minute.Merge(new(cms.Window)),
		"cms: incompatible: merge of windows of 1m0s in 8 panes and of 1m0s in 9": minute.Merge(must(cms.NewWindow(0.1, 0.1, time.Minute, cms.WithPanes(9)))),
		"cms: incompatible: merge of windows of 1m0s in 8 panes and of 1s in 8":   minute.Merge(must(cms.NewWindow(0.1, 0.1, time.Second))),
		"cms: incompatible: merge of 3 rows of 28 counters and 5 of 28":           minute.Merge(must(cms.NewWindow(0.1, 0.01, time.Minute))),
		"cms: incompatible: merge of counters of 32 and of 64 bits":               minute.Merge(must(cms.NewWindow(0.1, 0.1, time.Minute, cms.WithWideCounters()))),
		"cms: incompatible: merge of windows with different secrets":              minute.Merge(must(cms.NewWindow(0.1, 0.1, time.Minute, cms.WithSecret(secret)))),
	} {
		require.EqualError(t, err, want)
	}
	require.ErrorContains(t, second(cms.NewWindow(1e-9, 1e-6, 1, cms.WithPanes(64))), "bytes, want at most")
	var zero cms.Window
	require.Zero(t, zero.CountString("a")+zero.Total()+zero.ErrorBound()+uint64(zero.Window())+uint64(zero.Panes()+zero.SizeBytes()))
	require.PanicsWithValue(t, "cms: Add to a zero Window, make one with NewWindow", func() { zero.AddString("a") })
	require.PanicsWithValue(t, "cms: Merge into a zero Window, make one with NewWindow", func() { _ = zero.Merge(minute) })
	require.NoError(t, minute.Merge(must(cms.NewWindow(0.1, 0.1, time.Minute))), "an empty one adds nothing")
	checkWindow(t, &zero)
	checkWindow(t, minute)
	require.InDelta(t, 28*3*8*4, minute.SizeBytes(), 200)
}

func TestWindowAllocatesNothing(t *testing.T) {
	for _, opts := range [][]cms.Option{nil, {cms.WithWideCounters()}} {
		w := must(cms.NewWindow(0.01, 0.01, time.Second, opts...))
		at := noon
		testkit.NoAllocs(t, fmt.Sprint("Window ", len(opts)), func() {
			at = at.Add(300 * time.Millisecond)
			w.AddStringAt(at, "a")
			w.CountStringAt(at.Add(time.Second), "b")
			w.TotalAt(at)
		})
	}
}
