package vclock_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/distkit/distkit/internal/testkit"
	"github.com/distkit/distkit/vclock"
	"github.com/stretchr/testify/require"
)

// twin is the obvious vector clock: a map, in which a zero may be stored.
type twin map[string]uint64

func (t twin) leq(o twin) bool {
	for id, n := range t {
		if n > o[id] {
			return false
		}
	}
	return true
}

func (t twin) compare(o twin) vclock.Ordering {
	switch le, ge := t.leq(o), o.leq(t); {
	case le && ge:
		return vclock.Equal
	case le:
		return vclock.Before
	case ge:
		return vclock.After
	}
	return vclock.Concurrent
}

func (t twin) combine(o twin, pick func(a, b uint64) uint64) twin {
	r := twin{}
	for id := range t {
		r[id] = pick(t[id], o[id])
	}
	for id := range o {
		r[id] = pick(t[id], o[id])
	}
	return r
}

func larger(a, b uint64) uint64  { return max(a, b) }
func smaller(a, b uint64) uint64 { return min(a, b) }

// clock makes the real thing of a twin.
func (t twin) clock(tb testing.TB) vclock.Clock {
	var dots []vclock.Dot
	for id, n := range t {
		dots = append(dots, vclock.Dot{ID: id, N: n})
	}
	c, err := vclock.Make(dots...)
	require.NoError(tb, err)
	return c
}

func (t twin) String() string {
	var parts []string
	for _, id := range slices.Sorted(maps.Keys(t)) {
		if t[id] > 0 {
			parts = append(parts, fmt.Sprintf("%s:%d", quoted(id), t[id]))
		}
	}
	return "{" + strings.Join(parts, ", ") + "}"
}

// ids are few, so that clocks meet, and awkward: empty, prefixes of each other,
// equal but for a byte at either end or in the middle, shorter and longer than
// one word, two words and a one-byte length.
var ids = []string{
	"", "a", "aa", "ab", "b", "node-000", "node-001", "node-010", "node-0010", "node-01", "mode-000", "z\x00", "z\xff", "é",
	"1234567", "123X567", "1234567812345678", "1234567X12345678", "123456781234567", "1234567X1234567", "X23456781234567", "12345678X234567812345678",
	strings.Repeat("k", 127), strings.Repeat("k", 128), strings.Repeat("k", 128) + "l",
}

// counters straddle the lengths of varints.
var counters = []uint64{0, 1, 1, 2, 3, 126, 127, 128, 129, 16383, 16384, 1 << 21, 1<<35 - 1, 1 << 56, 1<<62 - 1, 1 << 62}

func randomTwin(rng *rand.Rand) twin {
	t := twin{}
	for range rng.IntN(10) {
		t[ids[rng.IntN(len(ids))]] = counters[rng.IntN(len(counters))]
	}
	return t
}

// near returns a copy of t with few changes, so that all orderings occur often.
func (t twin) near(rng *rand.Rand) twin {
	r := maps.Clone(t)
	for range rng.IntN(3) {
		r[ids[rng.IntN(len(ids))]] = counters[rng.IntN(len(counters))]
	}
	return r
}

// check holds what must be true of every clock that an operation returned.
func check(t testing.TB, c vclock.Clock) {
	t.Helper()
	require.NoError(t, vclock.Validate(c.Enc()))
	n := 0
	for id, v := range c.All() {
		n++
		require.Equal(t, v, c.Get(id))
		require.NotZero(t, v)
	}
	require.Equal(t, n, c.Len())
	require.Equal(t, c.Len() == 0, c == vclock.Clock{})
}

func TestTwin(t *testing.T) {
	testkit.NotUnderRace(t)
	rng := rand.New(rand.NewPCG(1, 2))
	met := map[vclock.Ordering]int{}
	for range 20_000 {
		ta := randomTwin(rng)
		tb := ta.near(rng)
		if rng.IntN(2) == 0 {
			tb = randomTwin(rng)
		}
		a, b := ta.clock(t), tb.clock(t)
		check(t, a)
		require.Equal(t, ta.String(), a.String(), "%q", a.Enc())
		want := ta.compare(tb)
		met[want]++
		require.Equal(t, want, a.Compare(b), "%v %v", a, b)
		require.Equal(t, want == vclock.Equal, a == b)
		require.Equal(t, tb.leq(ta), a.Descends(b))

		merged, met := a.Merge(b), a.Meet(b)
		check(t, merged)
		check(t, met)
		require.Equal(t, ta.combine(tb, larger).clock(t), merged)
		require.Equal(t, ta.combine(tb, smaller).clock(t), met)

		id := ids[rng.IntN(len(ids))]
		require.Equal(t, ta[id], a.Get(id))
		if ta[id] < 1<<62 {
			ticked := maps.Clone(ta)
			ticked[id]++
			c := a.Tick(id)
			check(t, c)
			require.Equal(t, ticked.clock(t), c)
			require.True(t, c.Contains(vclock.Dot{ID: id, N: ta[id] + 1}))
			require.False(t, a.Contains(vclock.Dot{ID: id, N: ta[id] + 1}))
		}
		other := ids[rng.IntN(len(ids))]
		rest := maps.Clone(ta)
		delete(rest, id)
		delete(rest, other)
		c := a.Without(id, other)
		check(t, c)
		require.Equal(t, rest.clock(t), c)
	}
	for _, o := range []vclock.Ordering{vclock.Equal, vclock.Before, vclock.After, vclock.Concurrent} {
		require.Greater(t, met[o], 500, "pairs that are %v", o)
	}
}

// quoted is JSON's notation with \x for what is not UTF-8, by the standard
// library's other quoting.
func quoted(id string) string {
	q := strconv.Quote(id)
	return strings.ReplaceAll(q, `\x00`, `\u0000`)
}
