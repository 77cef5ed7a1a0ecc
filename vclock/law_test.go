package vclock_test

import (
	"maps"
	"math/rand/v2"
	"testing"

	"github.com/distkit/distkit/internal/testkit"
	"github.com/distkit/distkit/vclock"
	"github.com/stretchr/testify/require"
)

// flip is the ordering seen from the other side.
func flip(o vclock.Ordering) vclock.Ordering {
	switch o {
	case vclock.Before:
		return vclock.After
	case vclock.After:
		return vclock.Before
	}
	return o
}

// Clocks are a distributive lattice: Merge and Meet are its join and meet.
func TestLattice(t *testing.T) {
	testkit.NotUnderRace(t)
	rng := rand.New(rand.NewPCG(3, 4))
	for range 10_000 {
		ta := randomTwin(rng)
		tb := ta.near(rng)
		tc := tb.near(rng)
		a, b, c := ta.clock(t), tb.clock(t), tc.clock(t)

		require.Equal(t, a, a.Merge(a))
		require.Equal(t, a, a.Meet(a))
		require.Equal(t, a.Merge(b), b.Merge(a))
		require.Equal(t, a.Meet(b), b.Meet(a))
		require.Equal(t, a.Merge(b).Merge(c), a.Merge(b.Merge(c)))
		require.Equal(t, a.Meet(b).Meet(c), a.Meet(b.Meet(c)))
		require.Equal(t, a, a.Merge(a.Meet(b)), "absorption")
		require.Equal(t, a, a.Meet(a.Merge(b)), "absorption")
		require.Equal(t, a.Meet(b.Merge(c)), a.Meet(b).Merge(a.Meet(c)), "distribution")
		require.Equal(t, a, a.Merge(vclock.Clock{}))
		require.Equal(t, vclock.Clock{}, a.Meet(vclock.Clock{}))

		require.Equal(t, a.Compare(b), flip(b.Compare(a)))
		require.Equal(t, a.Descends(b), a.Merge(b) == a)
		require.Equal(t, a.Descends(b), a.Meet(b) == b)
		require.True(t, a.Merge(b).Descends(a))
		require.True(t, a.Descends(a.Meet(b)))
		if a.Descends(b) && b.Descends(c) {
			require.True(t, a.Descends(c), "transitivity")
		}
		require.Equal(t, vclock.After, a.Tick("b").Compare(a))
	}
}

// The clocks of an execution order its events exactly as the sets of events
// that they have heard of do, which is what causality means.
func TestCausality(t *testing.T) {
	type event struct {
		past  map[int]bool
		clock vclock.Clock
	}
	hosts := []string{"a", "b", "c", "dd", "e"}
	for run := range 30 {
		rng := rand.New(rand.NewPCG(5, uint64(run)))
		var events []event
		var wires []event
		state := make([]event, len(hosts))
		for n := range 70 {
			h := rng.IntN(len(hosts))
			next := event{map[int]bool{n: true}, state[h].clock}
			for e := range state[h].past {
				next.past[e] = true
			}
			if len(wires) > 0 && rng.IntN(2) == 0 { // messages may come late, twice and out of order
				m := wires[rng.IntN(len(wires))]
				for e := range m.past {
					next.past[e] = true
				}
				next.clock = next.clock.Merge(m.clock)
			}
			next.clock = next.clock.Tick(hosts[h])
			if rng.IntN(2) == 0 {
				wires = append(wires, next)
			}
			state[h] = next
			events = append(events, next)
		}
		for i, a := range events {
			check(t, a.clock)
			for j, b := range events {
				want := vclock.Concurrent
				switch {
				case i == j:
					want = vclock.Equal
				case b.past[i]:
					want = vclock.Before
				case a.past[j]:
					want = vclock.After
				}
				require.Equal(t, want, a.clock.Compare(b.clock), "events %d and %d of run %d", i, j, run)
			}
		}
	}
}

// Registers as Riak's model has them: clocks that are merged and counted up at
// will, as long as an actor goes on from its own last clock, are the sets of the
// counts that are in them.
func TestRegisters(t *testing.T) {
	for run := range 40 {
		rng := rand.New(rand.NewPCG(15, uint64(run)))
		type register struct {
			clock vclock.Clock
			dots  map[vclock.Dot]bool
		}
		registers := make([]register, 6)
		last := map[string]register{}
		for range 150 {
			i, j := rng.IntN(len(registers)), rng.IntN(len(registers))
			r, o := registers[i], registers[j]
			id := ids[rng.IntN(5)]
			if rng.IntN(2) == 0 {
				o = last[id]
			}
			r = register{r.clock.Merge(o.clock), maps.Clone(r.dots)}
			if r.dots == nil {
				r.dots = map[vclock.Dot]bool{}
			}
			maps.Copy(r.dots, o.dots)
			if o.clock == last[id].clock {
				r.clock = r.clock.Tick(id)
				r.dots[vclock.Dot{ID: id, N: r.clock.Get(id)}] = true
				last[id] = r
			}
			registers[i] = r
			for d := range r.dots {
				require.True(t, r.clock.Contains(d))
			}
			var sum uint64
			for _, n := range r.clock.All() {
				sum += n
			}
			require.Len(t, r.dots, int(sum))
			for _, o := range registers {
				within := true
				for d := range o.dots {
					within = within && r.dots[d]
				}
				require.Equal(t, within, r.clock.Descends(o.clock))
			}
		}
	}
}

// A zero counter is an absent one. A widely used clock stores zeros and orders
// one in twelve such pairs wrongly.
func TestZeroIsAbsent(t *testing.T) {
	one := twin{"d": 1}.clock(t)
	zero := twin{"b": 0}.clock(t)
	require.Equal(t, vclock.Clock{}, zero)
	require.Equal(t, vclock.After, one.Compare(zero))
	require.Equal(t, vclock.Equal, vclock.Clock{}.Compare(zero))
	require.NotEqual(t, vclock.Concurrent, one.Compare(one))
	require.True(t, zero.Contains(vclock.Dot{ID: "b"}))
}

// What Riak's own tests of its clocks hold, told anew.
func TestRiakCases(t *testing.T) {
	var fresh vclock.Clock
	a1, b1 := fresh.Tick("a"), fresh.Tick("b")
	require.True(t, a1.Descends(fresh))
	require.True(t, b1.Descends(fresh))
	require.False(t, a1.Descends(b1))
	a2 := a1.Tick("a")
	c := a2.Merge(b1).Tick("c")
	require.True(t, c.Descends(a2))
	require.True(t, c.Descends(b1))
	require.False(t, b1.Descends(c))
	require.False(t, b1.Descends(a1))
	require.Equal(t, []uint64{2, 1, 1}, []uint64{c.Get("a"), c.Get("b"), c.Get("c")})

	merges := []struct{ left, right, want twin }{
		{twin{"5": 5}, twin{"6": 6, "7": 7}, twin{"5": 5, "6": 6, "7": 7}},
		{twin{"6": 6, "7": 7}, twin{"5": 5}, twin{"5": 5, "6": 6, "7": 7}},
		{twin{"1": 1, "2": 1}, twin{"1": 1, "3": 1}, twin{"1": 1, "2": 1, "3": 1}},
		{twin{"1": 1, "2": 2, "4": 4}, twin{"3": 3, "4": 3}, twin{"1": 1, "2": 2, "3": 3, "4": 4}},
		{twin{}, twin{"1": 1}, twin{"1": 1}},
		{twin{}, twin{}, twin{}},
	}
	for _, m := range merges {
		require.Equal(t, m.want.clock(t), m.left.clock(t).Merge(m.right.clock(t)))
	}
}

func TestOrderingString(t *testing.T) {
	require.Equal(t, "equal before after concurrent invalid", vclock.Equal.String()+" "+vclock.Before.String()+" "+
		vclock.After.String()+" "+vclock.Concurrent.String()+" "+vclock.Ordering(9).String())
}
