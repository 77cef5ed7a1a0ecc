package shiviz_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/distkit/distkit/vclock"
	"github.com/distkit/distkit/vclock/shiviz"
	"github.com/stretchr/testify/require"
)

// execution is a random run of hosts with messages that come late, twice or
// never, and for each event the set of those that it had heard of.
func execution(t testing.TB, rng *rand.Rand, hosts, events int) ([]shiviz.Event, []map[int]bool) {
	ps := make([]*shiviz.Process, hosts)
	state := make([]map[int]bool, hosts)
	for i := range ps {
		ps[i] = process(t, fmt.Sprint("h", i))
		state[i] = map[int]bool{}
	}
	type wire struct {
		stamp vclock.Clock
		past  map[int]bool
	}
	var wires []wire
	var log []shiviz.Event
	var pasts []map[int]bool
	for n := range events {
		h := rng.IntN(hosts)
		past := map[int]bool{n: true}
		for e := range state[h] {
			past[e] = true
		}
		var stamp vclock.Clock
		if len(wires) > 0 && rng.IntN(2) == 0 {
			m := wires[rng.IntN(len(wires))]
			stamp = ps[h].Receive(m.stamp)
			for e := range m.past {
				past[e] = true
			}
		} else {
			stamp = ps[h].Send()
			wires = append(wires, wire{stamp, past})
		}
		state[h] = past
		log = append(log, shiviz.Event{Host: ps[h].ID(), Text: fmt.Sprint(n), Clock: stamp})
		pasts = append(pasts, past)
	}
	return log, pasts
}

// remix puts the hosts of a log in another order, each host's own kept.
func remix(rng *rand.Rand, log []shiviz.Event) []shiviz.Event {
	byHost := map[string][]shiviz.Event{}
	var order []string
	for _, e := range log {
		byHost[e.Host] = append(byHost[e.Host], e)
		order = append(order, e.Host)
	}
	rng.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
	var mixed []shiviz.Event
	for _, h := range order {
		mixed = append(mixed, byHost[h][0])
		byHost[h] = byHost[h][1:]
	}
	return mixed
}

func TestCheckAcceptsExecutions(t *testing.T) {
	require.NoError(t, shiviz.Check(values(nil)))
	for run := range 30 {
		rng := rand.New(rand.NewPCG(1, uint64(run)))
		log, _ := execution(t, rng, 2+rng.IntN(4), 80)
		require.NoError(t, shiviz.Check(values(log)))
		require.NoError(t, shiviz.Check(values(remix(rng, log))))
	}
}

func TestConcurrentAgainstHistories(t *testing.T) {
	for run := range 20 {
		rng := rand.New(rand.NewPCG(2, uint64(run)))
		log, pasts := execution(t, rng, 4, 60)
		var want, got []string
		for j := range log {
			for i := range j {
				if !pasts[j][i] {
					want = append(want, log[i].Text+"|"+log[j].Text)
				}
			}
		}
		for a, b := range shiviz.Concurrent(values(log)) {
			got = append(got, a.Text+"|"+b.Text)
		}
		require.Equal(t, want, got)
		require.NotEmpty(t, got)
	}
	log, _ := execution(t, rand.New(rand.NewPCG(2, 1)), 4, 60)
	for range shiviz.Concurrent(values(log)) {
		break
	}
}

// with returns the clock with one counter changed.
func with(t testing.TB, c vclock.Clock, id string, n uint64) vclock.Clock {
	dots := []vclock.Dot{{ID: id, N: n}}
	for have, m := range c.All() {
		if have != id {
			dots = append(dots, vclock.Dot{ID: have, N: m})
		}
	}
	return clock(t, dots...)
}

// Each kind of impossible event is found, at its place.
func TestCheckFindsForgeries(t *testing.T) {
	forgeries := map[string]struct {
		forge func(t testing.TB, log []shiviz.Event, i int) bool // false if it does not apply at i
		want  string
	}{
		"number repeated": {func(t testing.TB, log []shiviz.Event, i int) bool {
			n := log[i].Clock.Get(log[i].Host)
			log[i].Clock = with(t, log[i].Clock, log[i].Host, n-1)
			return true
		}, "own counter is"},
		"number skipped": {func(t testing.TB, log []shiviz.Event, i int) bool {
			n := log[i].Clock.Get(log[i].Host)
			log[i].Clock = with(t, log[i].Clock, log[i].Host, n+1)
			return true
		}, "own counter is"},
		"an event that never happened": {func(t testing.TB, log []shiviz.Event, i int) bool {
			log[i].Clock = with(t, log[i].Clock, "nobody", 1)
			return true
		}, `knows event 1 of "nobody", which never happened`},
		"a later event than there was": {func(t testing.TB, log []shiviz.Event, i int) bool {
			other := "h0"
			if log[i].Host == other {
				other = "h1"
			}
			log[i].Clock = with(t, log[i].Clock, other, 1000)
			return true
		}, "knows event 1000 of"},
		"something forgotten": {func(t testing.TB, log []shiviz.Event, i int) bool {
			var last vclock.Clock
			for _, e := range log[:i] {
				if e.Host == log[i].Host {
					last = e.Clock
				}
			}
			for id := range last.All() {
				if id != log[i].Host {
					log[i].Clock = log[i].Clock.Without(id)
					return true
				}
			}
			return false
		}, "does not descend from"},
		"an event known without its past": {func(t testing.TB, log []shiviz.Event, i int) bool {
			for _, seen := range log[:i] {
				c, own := log[i].Clock, seen.Clock.Get(seen.Host)
				if seen.Host == log[i].Host || c.Get(seen.Host) >= own {
					continue
				}
				if c = with(t, c, seen.Host, own); !c.Descends(seen.Clock) {
					log[i].Clock = c
					return true
				}
			}
			return false
		}, "but not all of what that had seen"},
	}
	for name, f := range forgeries {
		t.Run(name, func(t *testing.T) {
			tried := 0
			for run := range 40 {
				rng := rand.New(rand.NewPCG(3, uint64(run)))
				log, _ := execution(t, rng, 3, 40)
				i := rng.IntN(len(log))
				if !f.forge(t, log, i) {
					continue
				}
				tried++
				// What follows may build on the forgery; the first is what counts.
				err := shiviz.Check(values(log))
				require.ErrorContains(t, err, fmt.Sprintf("shiviz: event %d, %q of %q", i+1, log[i].Text, log[i].Host))
				require.ErrorContains(t, err, f.want)
			}
			require.Greater(t, tried, 10)
		})
	}
}

// Two events that have both seen the other.
func TestCheckFindsCycles(t *testing.T) {
	both := clock(t, vclock.Dot{ID: "a", N: 1}, vclock.Dot{ID: "b", N: 1})
	err := shiviz.Check(slices.Values([]shiviz.Event{{Host: "a", Text: "x", Clock: both}, {Host: "b", Text: "y", Clock: both}}))
	require.ErrorContains(t, err, `shiviz: event 1, "x" of "a" with {"a":1, "b":1}`)
	require.ErrorContains(t, err, "or that had seen it")
}

// A gap is the fault of the host that has it, not of who saw the event after it.
func TestCheckBlamesTheGap(t *testing.T) {
	a1 := vclock.Clock{}.Tick("a")
	a3 := a1.Tick("a").Tick("a")
	err := shiviz.Check(slices.Values([]shiviz.Event{
		{Host: "a", Text: "x", Clock: a1}, {Host: "b", Text: "y", Clock: a3.Tick("b")}, {Host: "a", Text: "z", Clock: a3},
	}))
	require.EqualError(t, err, `shiviz: event 3, "z" of "a" with {"a":3}: own counter is 3, want 2`)
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("a {\"a\":1}\nx\n"))
	f.Add([]byte(shiviz.Header + "a%20b {\"a%20b\":1, \"c\":2}\n\\n\\\\\n"))
	f.Add([]byte("a {\"b\":0}\r\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		log, err := collect(shiviz.Parse(strings.NewReader(string(data))))
		if err != nil {
			require.ErrorIs(t, err, vclock.ErrCorrupt)
		}
		_ = shiviz.Check(values(log))
		var again strings.Builder
		for _, e := range log {
			again.Write(shiviz.AppendEvent(nil, e))
		}
		back, err := collect(shiviz.Parse(strings.NewReader(again.String())))
		require.NoError(t, err)
		require.Equal(t, log, back)
	})
}
