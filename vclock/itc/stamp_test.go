package itc_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/distkit/distkit/internal/testkit"
	"github.com/distkit/distkit/vclock"
	"github.com/distkit/distkit/vclock/itc"
	"github.com/stretchr/testify/require"
)

// actor is a live stamp, the same on the trees of the paper, and the set of
// events that it has seen.
type actor struct {
	stamp itc.Stamp
	paper paperStamp
	seen  map[int]bool
}

func check(t testing.TB, a actor) {
	t.Helper()
	require.Equal(t, a.paper.String(), a.stamp.String())
	bin, err := a.stamp.MarshalBinary()
	require.NoError(t, err)
	var back itc.Stamp
	require.NoError(t, back.UnmarshalBinary(bin))
	require.Equal(t, a.stamp, back)
}

func order(a, b map[int]bool) vclock.Ordering {
	within := func(a, b map[int]bool) bool {
		for e := range a {
			if !b[e] {
				return false
			}
		}
		return true
	}
	switch le, ge := within(a, b), within(b, a); {
	case le && ge:
		return vclock.Equal
	case le:
		return vclock.Before
	case ge:
		return vclock.After
	}
	return vclock.Concurrent
}

// simulate lets actors fork, record, tell each other and retire, and calls each
// after every step.
func simulate(t testing.TB, rng *rand.Rand, steps, most int, each func(actors []actor, touched ...int)) []actor {
	actors := []actor{{itc.Seed(), paperSeed(), map[int]bool{}}}
	for i := range rng.IntN(2) * 124 { // so that numbers grow beyond a byte
		a := &actors[0]
		a.stamp, a.paper = a.stamp.Event(), a.paper.record()
		a.seen[-1-i] = true
	}
	for step := range steps {
		i := rng.IntN(len(actors))
		a := &actors[i]
		j := rng.IntN(len(actors))
		switch op := rng.IntN(10); {
		case op < 2 && len(actors) < most:
			s1, s2 := a.stamp.Fork()
			p1, p2 := a.paper.fork()
			actors[i] = actor{s1, p1, a.seen}
			actors = append(actors, actor{s2, p2, maps.Clone(a.seen)})
			each(actors, i, len(actors)-1)
		case op < 3 && i != j:
			b := actors[j]
			s, err := a.stamp.Join(b.stamp)
			require.NoError(t, err)
			a.stamp, a.paper = s, a.paper.join(b.paper)
			maps.Copy(a.seen, b.seen)
			each(actors, i)
			actors = slices.Delete(actors, j, j+1)
		case op < 6 && i != j: // a message
			b := actors[j]
			s, err := a.stamp.Join(b.stamp.Peek())
			require.NoError(t, err)
			a.stamp, a.paper = s, a.paper.join(paperStamp{zero, b.paper.event})
			maps.Copy(a.seen, b.seen)
			each(actors, i)
		default:
			before := a.stamp
			a.stamp, a.paper = a.stamp.Event(), a.paper.record()
			a.seen[step] = true
			require.Equal(t, vclock.After, a.stamp.Compare(before))
			each(actors, i)
		}
	}
	return actors
}

// Stamps are those of the paper, tree by tree, and order what actors know as the
// sets of events do.
func TestAgainstPaperAndHistories(t *testing.T) {
	met := map[vclock.Ordering]int{}
	for run := range 40 {
		rng := rand.New(rand.NewPCG(1, uint64(run)))
		actors := simulate(t, rng, 200, 1+rng.IntN(12), func(actors []actor, touched ...int) {
			for _, i := range touched {
				check(t, actors[i])
				for j := range actors {
					want := order(actors[i].seen, actors[j].seen)
					met[want]++
					require.Equal(t, want, actors[i].stamp.Compare(actors[j].stamp))
					require.Equal(t, want, actors[i].paper.compare(actors[j].paper))
				}
			}
		})
		// All come together in any order and own the whole again.
		rng.Shuffle(len(actors), func(i, j int) { actors[i], actors[j] = actors[j], actors[i] })
		all := actors[0].stamp
		for _, a := range actors[1:] {
			var err error
			all, err = all.Join(a.stamp)
			require.NoError(t, err)
			require.NotEqual(t, vclock.Before, all.Compare(a.stamp))
		}
		require.Regexp(t, `^\(1, `, all.String())
		require.Regexp(t, `^\(1, \d+\)$`, all.Event().String(), "one actor needs one number")
	}
	for _, o := range []vclock.Ordering{vclock.Equal, vclock.Before, vclock.After, vclock.Concurrent} {
		require.Greater(t, met[o], 500, "pairs that are %v", o)
	}
}

// What all have seen is a lattice under Join.
func TestJoinIsALattice(t *testing.T) {
	for run := range 10 {
		rng := rand.New(rand.NewPCG(2, uint64(run)))
		var peeks []itc.Stamp
		simulate(t, rng, 120, 8, func(actors []actor, touched ...int) {
			peeks = append(peeks, actors[touched[0]].stamp.Peek())
		})
		join := func(a, b itc.Stamp) itc.Stamp {
			s, err := a.Join(b)
			require.NoError(t, err)
			return s
		}
		for range 500 {
			a, b, c := peeks[rng.IntN(len(peeks))], peeks[rng.IntN(len(peeks))], peeks[rng.IntN(len(peeks))]
			require.Equal(t, a, join(a, a))
			require.Equal(t, join(a, b), join(b, a))
			require.Equal(t, join(join(a, b), c), join(a, join(b, c)))
			require.Equal(t, a, join(a, itc.Stamp{}))
			switch a.Compare(b) {
			case vclock.Equal:
				require.Equal(t, a, b)
			case vclock.Before:
				require.Equal(t, b, join(a, b))
			case vclock.After:
				require.Equal(t, a, join(a, b))
			default:
				require.Equal(t, vclock.After, join(a, b).Compare(a))
			}
		}
	}
}

// The run of the figure in the paper: forks, events and joins, and an event that
// makes the tree smaller.
func TestPaperFigure(t *testing.T) {
	a, b := itc.Seed().Fork()
	a = a.Event()
	b = b.Event().Event()
	a, c := a.Fork()
	a = a.Event()
	b, err := b.Join(c)
	require.NoError(t, err)
	b, d := b.Fork()
	require.Equal(t, "(((1, 0), 0), (0, (1, 1, 0), 0))", a.String())
	require.Equal(t, "(((0, 1), 0), (1, 0, 1))", b.String())
	require.Equal(t, "((0, 1), (1, 0, 1))", d.String())
	all, err := a.Join(b)
	require.NoError(t, err)
	require.Equal(t, "((1, 0), (1, (0, 1, 0), 1))", all.String())
	require.Equal(t, "((1, 0), 2)", all.Event().String())
}

// A copied stamp is found out.
func TestOverlap(t *testing.T) {
	a, b := itc.Seed().Fork()
	for _, pair := range [][2]itc.Stamp{{a, a}, {itc.Seed(), itc.Seed()}, {a, itc.Seed()}, {itc.Seed(), b}, {b, b.Event()}} {
		s, err := pair[0].Join(pair[1])
		require.ErrorIs(t, err, itc.ErrOverlap)
		require.Equal(t, itc.Stamp{}, s)
	}
	a1, a2 := a.Fork()
	_, err := a.Join(a2)
	require.EqualError(t, err, "itc: stamps own the same part of the id: (1, 0) and ((0, 1), 0)")
	back, err := a1.Join(a2)
	require.NoError(t, err)
	require.Equal(t, a, back)
}

func TestAnonymous(t *testing.T) {
	var none itc.Stamp
	require.True(t, none.Anonymous())
	require.Equal(t, "(0, 0)", none.String())
	require.Equal(t, vclock.Equal, none.Compare(itc.Seed()))
	require.Equal(t, vclock.Before, none.Compare(itc.Seed().Event()))
	require.Equal(t, itc.Seed().Peek(), none)
	a, b := none.Fork()
	require.Equal(t, none, a)
	require.Equal(t, none, b)
	require.Panics(t, func() { none.Event() })
	require.PanicsWithValue(t, "itc: an anonymous stamp cannot record an event; take one from Seed or Fork", func() { itc.Seed().Peek().Event() })
	s, err := none.Join(itc.Seed().Event())
	require.NoError(t, err)
	require.Equal(t, itc.Seed().Event(), s)
	require.False(t, s.Anonymous())
	check(t, actor{none, paperStamp{zero, &paperEvent{}}, nil})
}

// Sixty-four forks of one and the same actor, events in each, and then nothing
// is left to give away.
func TestForkToTheBottom(t *testing.T) {
	s, p := itc.Seed(), paperSeed()
	var others []itc.Stamp
	for range 64 {
		var o itc.Stamp
		s, o = s.Fork()
		p, _ = p.fork()
		require.False(t, o.Anonymous())
		others = append(others, o.Event())
		s, p = s.Event(), p.record()
		check(t, actor{s, p, nil})
	}
	same, none := s.Fork()
	require.Equal(t, s, same)
	require.True(t, none.Anonymous())
	require.Equal(t, s.Peek(), none)
	for _, o := range others {
		var err error
		s, err = s.Join(o)
		require.NoError(t, err)
	}
	require.Regexp(t, `^\(1, \d+\)$`, s.Event().String())
}

func TestCompareAllocates(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 3))
	actors := simulate(t, rng, 2000, 64, func([]actor, ...int) {})
	testkit.NoAllocs(t, "Compare", func() {
		after := 0
		for _, a := range actors {
			if actors[0].stamp.Compare(a.stamp) == vclock.After {
				after++
			}
		}
		if after == len(actors) {
			t.Error("a stamp is after itself")
		}
	})
	require.LessOrEqual(t, testing.AllocsPerRun(100, func() { actors[0].stamp.Event() }), 2.0)
}

// Stamps are values: what a method returns leaves the receiver as it was.
func TestImmutable(t *testing.T) {
	seen := map[itc.Stamp]string{}
	rng := rand.New(rand.NewPCG(4, 4))
	simulate(t, rng, 500, 16, func(actors []actor, _ ...int) {
		for _, a := range actors {
			seen[a.stamp] = a.stamp.String()
		}
	})
	for s, text := range seen {
		require.Equal(t, text, s.String())
	}
	require.Len(t, slices.Compact(slices.Sorted(maps.Values(seen))), len(seen), "one string a stamp")
	require.Greater(t, len(seen), 300, fmt.Sprint(len(seen)))
}
