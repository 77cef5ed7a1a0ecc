package vclock_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/distkit/distkit/internal/testkit"
	"github.com/distkit/distkit/vclock"
	"github.com/stretchr/testify/require"
)

// drawing is the notation of the papers: every id with its counter and values.
func drawing(s vclock.Siblings[string]) string {
	values := map[string][]string{}
	for d, v := range s.All() {
		values[d.ID] = append(values[d.ID], v)
	}
	var parts []string
	for id, n := range s.Context().All() {
		parts = append(parts, fmt.Sprintf("{%s,%d,[%s]}", id, n, strings.Join(values[id], " ")))
	}
	return strings.Join(parts, " ")
}

// checkSiblings holds what must be true of all siblings.
func checkSiblings(t testing.TB, s vclock.Siblings[string]) {
	t.Helper()
	check(t, s.Context())
	n := 0
	var last vclock.Dot
	for d := range s.All() {
		top := s.Context().Get(d.ID)
		switch {
		case n > 0 && d.ID == last.ID:
			require.Equal(t, last.N-1, d.N, "a gap below %v", last)
		default:
			require.True(t, n == 0 || last.ID < d.ID, "%v after %v", d, last)
			require.Equal(t, top, d.N, "the newest of %s", d.ID)
		}
		require.Positive(t, d.N)
		last = d
		n++
	}
	require.Equal(t, n, s.Len())
	require.Len(t, slices.Collect(s.Values()), n)
}

// The stories keep siblings under names: put NAME [on=NAME] [seen=NAME] id v.
func TestSiblingStories(t *testing.T) {
	testkit.Stories(t, "testdata/siblings/*.txt", func(t *testing.T) func(testkit.Case) string {
		kept := map[string]vclock.Siblings[string]{}
		return func(c testkit.Case) string {
			on, with := kept[c.Get("on")], kept[c.Get("with")]
			seen := kept[c.Get("seen")].Context()
			var r vclock.Siblings[string]
			switch c.Cmd {
			case "put":
				r, _ = on.Put(seen, c.Get("id"), c.Get("v"))
			case "discard":
				r = on.Discard(seen)
			case "merge":
				r = on.Merge(with)
				require.True(t, r.Equal(with.Merge(on)), c.Pos)
			case "reconcile":
				r = on.Reconcile(c.Get("id"), func(vs []string) string { return strings.Join(vs, "+") })
			case "compare":
				return on.Compare(with).String()
			case "equal":
				return fmt.Sprint(on.Equal(with))
			case "latest":
				v, ok := on.Latest(func(a, b string) bool { return a > b })
				return fmt.Sprint(v, " ", ok)
			default:
				t.Fatalf("%s: unknown command %s", c.Pos, c.Cmd)
			}
			checkSiblings(t, r)
			kept[c.Args[0]] = r
			return drawing(r)
		}
	})
}

// history is the model: the operations that a replica has heard of, each with
// everything that its writer had read. Nothing is ever summarized.
type history map[string]operation

type operation struct {
	dot   vclock.Dot // zero for a delete
	value string
	seen  map[vclock.Dot]bool
}

func (h history) known() map[vclock.Dot]bool {
	known := map[vclock.Dot]bool{}
	for _, op := range h {
		maps.Copy(known, op.seen)
		if op.dot.N > 0 {
			known[op.dot] = true
		}
	}
	return known
}

func (h history) live() map[vclock.Dot]string {
	live := map[vclock.Dot]string{}
	for _, op := range h {
		if op.dot.N > 0 {
			live[op.dot] = op.value
		}
	}
	for _, op := range h {
		for d := range op.seen {
			delete(live, d)
		}
	}
	return live
}

// Servers take writes and deletes from clients with stale contexts and meet in
// any order. They hold the values of which no write or delete has read, no
// more and no less.
func TestSiblingsAgainstHistories(t *testing.T) {
	testkit.NotUnderRace(t)
	type server struct {
		s vclock.Siblings[string]
		h history
	}
	type context struct {
		clock vclock.Clock
		seen  map[vclock.Dot]bool
	}
	for run := range 60 {
		rng := rand.New(rand.NewPCG(6, uint64(run)))
		servers := make([]server, 2+rng.IntN(3))
		for i := range servers {
			servers[i].h = history{}
		}
		contexts := []context{{}}
		for step := range 120 {
			i := rng.IntN(len(servers))
			x := &servers[i]
			ctx := contexts[rng.IntN(len(contexts))]
			op := fmt.Sprintf("op%d", step)
			switch rng.IntN(8) {
			case 0, 1: // a client reads
				contexts = append(contexts, context{x.s.Context(), x.h.known()})
				if len(contexts) > 6 {
					contexts = contexts[1:]
				}
			case 2: // a client deletes
				x.s = x.s.Discard(ctx.clock)
				x.h[op] = operation{seen: ctx.seen}
			case 3, 4, 5: // a client writes
				var dot vclock.Dot
				x.s, dot = x.s.Put(ctx.clock, fmt.Sprint("s", i), op)
				x.h[op] = operation{dot, op, ctx.seen}
			default: // two servers meet, one learns
				o := servers[rng.IntN(len(servers))]
				both := x.s.Merge(o.s)
				require.True(t, both.Equal(o.s.Merge(x.s)))
				require.True(t, both.Equal(both.Merge(o.s)))
				x.s = both
				maps.Copy(x.h, o.h)
			}
			checkSiblings(t, x.s)
			require.Equal(t, x.h.live(), maps.Collect(x.s.All()), "run %d step %d", run, step)
			for _, o := range servers {
				same := maps.Equal(x.h.known(), o.h.known()) && maps.Equal(x.h.live(), o.h.live())
				require.Equal(t, same, x.s.Equal(o.s), "run %d step %d", run, step)
				if x.s.Equal(o.s) {
					require.Equal(t, vclock.Equal, x.s.Compare(o.s))
				}
			}
		}
		all := servers[0].s
		for _, o := range servers[1:] {
			all = all.Merge(o.s)
		}
		for i := range servers { // in whatever order they meet
			mine := servers[i].s
			for _, j := range rng.Perm(len(servers)) {
				mine = mine.Merge(servers[j].s)
			}
			require.True(t, all.Equal(mine))
		}
	}
}

// Two clients that write in turns, each knowing only its own last write, make
// the siblings of plain version vectors explode. Dots keep them at two, the
// number of clients.
func TestNoSiblingExplosion(t *testing.T) {
	var s vclock.Siblings[string]
	var seen [2]vclock.Clock
	for i := range 100 {
		c := i % 2
		var dot vclock.Dot
		s, dot = s.Put(seen[c], "server", fmt.Sprint("write ", i))
		require.LessOrEqual(t, s.Len(), 2)
		require.Equal(t, uint64(i+1), dot.N)
		seen[c] = s.Context()
	}
}

// Values that are replaced are not held by what replaces them.
func TestSiblingsForgetValues(t *testing.T) {
	var s vclock.Siblings[[]byte]
	live := testkit.LiveBytes(func() any {
		for range 64 {
			s, _ = s.Put(s.Context(), "a", make([]byte, 1<<20))
		}
		return s
	})
	require.Less(t, live, uint64(2<<20))
	require.Equal(t, 1, s.Len())
}

func TestSiblingsAreImmutable(t *testing.T) {
	var s vclock.Siblings[string]
	s, _ = s.Put(vclock.Clock{}, "b", "1")
	s, _ = s.Put(vclock.Clock{}, "b", "2")
	s, _ = s.Put(vclock.Clock{}, "c", "3")
	before := drawing(s)
	s.Put(vclock.Clock{}, "b", "4")
	s.Put(vclock.Clock{}, "a", "5")
	s.Put(s.Context(), "c", "6")
	s.Discard(s.Context())
	s.Reconcile("b", func(vs []string) string { vs[0] = "gone"; return "7" })
	other, _ := s.Put(s.Context(), "z", "8")
	s.Merge(other)
	require.Equal(t, before, drawing(s))
}

func TestSiblingsEmpty(t *testing.T) {
	var s vclock.Siblings[string]
	_, ok := s.Latest(func(a, b string) bool { return a > b })
	require.False(t, ok)
	require.True(t, s.Equal(s.Reconcile("a", func([]string) string { panic("called without values") })))
	require.True(t, s.Equal(s.Merge(s)))
	require.Equal(t, vclock.Equal, s.Compare(s))
	for range s.All() {
		t.Fatal("a value")
	}
}

// The iterators stop when they are told to.
func TestIteratorsStop(t *testing.T) {
	var s vclock.Siblings[string]
	for _, id := range []string{"a", "b", "c"} {
		s, _ = s.Put(vclock.Clock{}, id, id)
	}
	n := 0
	for range s.All() {
		n++
		break
	}
	for range s.Values() {
		n++
		break
	}
	for range s.Context().All() {
		n++
		break
	}
	require.Equal(t, 3, n)
}
