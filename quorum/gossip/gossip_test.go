package gossip_test

import (
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/distkit/distkit/quorum/gossip"
	"github.com/stretchr/testify/require"
)

var noon = time.UnixMilli(1_700_000_000_000)

func table(t testing.TB, self string, opts ...gossip.Option) *gossip.Table {
	t.Helper()
	tab, err := gossip.New(self, opts...)
	require.NoError(t, err)
	return tab
}

// talk is one exchange of three messages.
func talk(t testing.TB, now time.Time, a, b *gossip.Table) {
	t.Helper()
	ack, err := b.AppendDelta(nil, a.AppendDigest(nil))
	require.NoError(t, err)
	digest := b.AppendDigest(nil)
	require.NoError(t, a.ApplyAt(now, ack))
	ack2, err := a.AppendDelta(nil, digest)
	require.NoError(t, err)
	require.NoError(t, b.ApplyAt(now, ack2))
}

// admin is the half from which a ring is built.
func admin(tab *gossip.Table) string {
	var out []string
	for name, s := range tab.Members() {
		out = append(out, fmt.Sprint(name, s.Weight, s.Zone, s.Generation))
	}
	return strings.Join(out, " ")
}

// check holds for every table at any time.
func check(t testing.TB, tab *gossip.Table) {
	t.Helper()
	var s gossip.Stats
	last := ""
	for name, state := range tab.Members() {
		require.Greater(t, name, last)
		last = name
		s.Members++
		require.Equal(t, gossip.Member, state.Status)
		require.Greater(t, state.Weight, 0.0)
		require.Equal(t, state.Live != gossip.Down, tab.Up(name))
		switch state.Live {
		case gossip.Alive:
			s.Alive++
		case gossip.Suspect:
			s.Suspect++
			require.Positive(t, state.Observers)
		case gossip.Down:
			s.Down++
		}
	}
	got := tab.Stats()
	got.Applied, got.Stale, got.Refused = 0, 0, 0
	require.Equal(t, s, got)
	data, err := tab.MarshalBinary()
	require.NoError(t, err)
	var again gossip.Table
	require.NoError(t, again.UnmarshalBinary(data))
	require.Equal(t, admin(tab), admin(&again))
}

// cluster is tables that tick and talk.
type cluster struct {
	t      testing.TB
	rng    *rand.Rand
	now    time.Time
	tables []*gossip.Table
	dead   map[int]bool
	loss   float64
}

func newCluster(t testing.TB, n int, opts ...gossip.Option) *cluster {
	c := &cluster{t: t, rng: rand.New(rand.NewPCG(1, 2)), now: noon, dead: map[int]bool{}}
	for i := range n {
		tab := table(t, fmt.Sprint("node-", i), opts...)
		require.NoError(t, tab.Join(fmt.Sprint("node-", i), 1, "z"))
		if i > 0 {
			require.NoError(t, tab.Join("node-0", 1, "z")) // the seed
		}
		c.tables = append(c.tables, tab)
	}
	return c
}

// rounds ticks all that live and lets each talk to a random one, every second.
func (c *cluster) rounds(n int) {
	for range n {
		c.now = c.now.Add(time.Second)
		for i, tab := range c.tables {
			if c.dead[i] {
				continue
			}
			tab.TickAt(c.now)
			j := c.rng.IntN(len(c.tables))
			if !c.dead[j] && j != i && c.rng.Float64() >= c.loss {
				talk(c.t, c.now, tab, c.tables[j])
			}
		}
	}
}

func (c *cluster) live(node string) map[gossip.Liveness]int {
	out := map[gossip.Liveness]int{}
	for i, tab := range c.tables {
		if !c.dead[i] {
			out[tab.StateAt(c.now, node).Live]++
		}
	}
	return out
}

func TestEveryNodeLearnsAll(t *testing.T) {
	// A knows B and E, D knows C and E.
	tabs := map[string]*gossip.Table{}
	for _, name := range []string{"A", "B", "C", "D", "E"} {
		tabs[name] = table(t, name)
		require.NoError(t, tabs[name].Join(name, 1, ""))
		tabs[name].TickAt(noon)
	}
	for _, pair := range []string{"AB", "AE", "DC", "DE", "AE", "AB", "DC"} {
		talk(t, noon, tabs[pair[:1]], tabs[pair[1:]])
	}
	for _, tab := range tabs {
		require.Equal(t, 5, tab.Stats().Members)
		require.Equal(t, 5, tab.Stats().Alive)
		require.Equal(t, admin(tabs["A"]), admin(tab))
		check(t, tab)
	}
}

func TestClusterConverges(t *testing.T) {
	c := newCluster(t, 40)
	c.rounds(12)
	for _, tab := range c.tables {
		require.Equal(t, 40, tab.Stats().Alive)
		check(t, tab)
	}
	require.NoError(t, c.tables[3].Join("node-3", 2.5, "other"))
	require.NoError(t, c.tables[7].Leave("node-9"))
	c.rounds(12)
	for _, tab := range c.tables {
		require.Equal(t, admin(c.tables[0]), admin(tab))
		require.Equal(t, gossip.Admin{Status: gossip.Member, Weight: 2.5, Zone: "other", Generation: 2}, tab.StateAt(c.now, "node-3").Admin)
		require.Equal(t, gossip.Left, tab.StateAt(c.now, "node-9").Status)
	}
}

func TestCrashIsSeenAndChangesNoMembership(t *testing.T) {
	c := newCluster(t, 8)
	c.rounds(60)
	before := admin(c.tables[0])
	c.dead[5] = true
	c.rounds(15)
	require.Zero(t, c.live("node-5")[gossip.Down])
	c.rounds(85)
	require.Equal(t, map[gossip.Liveness]int{gossip.Down: 7}, c.live("node-5"))
	for i, tab := range c.tables {
		if i != 5 {
			require.Equal(t, before, admin(tab))
			require.Equal(t, 7, tab.Stats().Alive)
			require.False(t, tab.Up("node-5"))
			check(t, tab)
		}
	}
	c.dead[5] = false // back after a partition, with its state
	c.rounds(10)
	require.Equal(t, map[gossip.Liveness]int{gossip.Alive: 8}, c.live("node-5"))
}

func TestNoFalseAlarms(t *testing.T) {
	c := newCluster(t, 8)
	c.loss = 0.3
	for range 100 {
		c.rounds(5)
		for _, tab := range c.tables {
			require.Zero(t, tab.Stats().Down)
		}
	}
}

// TestOneObserverIsASuspicionTwoAreADeath, the rule of the package.
func TestOneObserverIsASuspicionTwoAreADeath(t *testing.T) {
	opts := []gossip.Option{gossip.WithSuspicion(3*time.Second, 3*time.Second)}
	a, b, x := table(t, "a", opts...), table(t, "b", opts...), table(t, "x", opts...)
	for _, tab := range []*gossip.Table{a, b, x} {
		for _, name := range []string{"a", "b", "x"} {
			require.NoError(t, tab.Join(name, 1, ""))
		}
		tab.TickAt(noon)
	}
	talk(t, noon, a, x)
	talk(t, noon, b, x)
	talk(t, noon, a, b)
	require.Equal(t, gossip.Alive, a.StateAt(noon, "x").Live)

	now := noon.Add(19 * time.Second) // φ is 8 after 18.4 intervals
	a.TickAt(now)
	require.InDelta(t, 8.25, a.StateAt(now, "x").Phi, 0.01)
	require.Equal(t, gossip.Suspect, a.StateAt(now, "x").Live)
	a.TickAt(now.Add(time.Hour))
	require.Equal(t, gossip.Suspect, a.StateAt(now, "x").Live, "one alone, however long")
	require.True(t, a.Up("x"))

	a, late := table(t, "a", opts...), now.Add(time.Hour)
	for _, name := range []string{"a", "b", "x"} {
		require.NoError(t, a.Join(name, 1, ""))
	}
	a.TickAt(noon)
	talk(t, noon, a, b)
	a.TickAt(late)
	b.TickAt(late)
	talk(t, late, a, b)
	s := a.StateAt(late, "x")
	require.Equal(t, 2, s.Observers)
	require.Equal(t, gossip.Suspect, s.Live, "not yet for long enough")
	later := late.Add(3 * time.Second)
	a.TickAt(later)
	b.TickAt(later)
	require.Equal(t, gossip.Down, a.StateAt(later, "x").Live)
	require.Equal(t, gossip.Down, b.StateAt(later, "x").Live)
	require.Equal(t, gossip.Alive, a.StateAt(later, "b").Live)
	check(t, a)

	talk(t, later, x, b) // x was cut off; it hears that it is suspected
	require.Equal(t, gossip.Alive, b.StateAt(later, "x").Live)
	require.True(t, b.Up("x"))
	require.Greater(t, b.StateAt(later, "x").Incarnation, s.Incarnation, "it refuted")
	talk(t, later, a, b)
	require.Equal(t, gossip.Alive, a.StateAt(later, "x").Live)
}

// TestReportsOfStrangersCountNothing: a liar invents observers.
func TestReportsOfStrangersCountNothing(t *testing.T) {
	liar, a := table(t, "liar", gossip.WithSuspicion(0, 0)), table(t, "a", gossip.WithSuspicion(0, 0))
	for _, name := range []string{"a", "x", "liar", "ghost-1", "ghost-2"} {
		require.NoError(t, liar.Join(name, 1, ""))
	}
	require.NoError(t, a.Join("a", 1, ""))
	require.NoError(t, a.Join("x", 1, ""))
	ghosts := [2]*gossip.Table{table(t, "ghost-1"), table(t, "ghost-2")}
	for _, ghost := range ghosts {
		require.NoError(t, ghost.Join("x", 1, ""))
		ghost.TickAt(noon)
		ghost.TickAt(noon.Add(time.Hour))
		talk(t, noon, liar, ghost)
	}
	require.Equal(t, 2, liar.StateAt(noon, "x").Observers)
	require.NoError(t, liar.Leave("ghost-1"))
	require.NoError(t, liar.Leave("ghost-2"))
	talk(t, noon, a, liar)
	a.TickAt(noon)
	require.Zero(t, a.StateAt(noon, "x").Observers)
	require.Equal(t, gossip.Unheard, a.StateAt(noon, "x").Live)
}

func TestMembersNeverHeardOfAreSuspectedToo(t *testing.T) {
	a := table(t, "a", gossip.WithObservers(1), gossip.WithSuspicion(0, 0))
	require.NoError(t, a.Join("x", 1, ""))
	a.TickAt(noon)
	require.Equal(t, gossip.Unheard, a.StateAt(noon, "x").Live)
	a.TickAt(noon.Add(18 * time.Second))
	require.Equal(t, gossip.Unheard, a.StateAt(noon, "x").Live)
	a.TickAt(noon.Add(19 * time.Second))
	require.Equal(t, gossip.Down, a.StateAt(noon, "x").Live)
	require.False(t, a.Up("x"))
	require.True(t, a.Up("a"))
	require.True(t, a.Up("nobody"))
}

func TestRestart(t *testing.T) {
	c := newCluster(t, 5)
	c.rounds(30)
	c.dead[4] = true
	c.rounds(80)
	image, err := c.tables[1].MarshalBinary()
	require.NoError(t, err)
	old := c.tables[1].StateAt(c.now, "node-1")

	again := table(t, "node-1")
	require.NoError(t, again.UnmarshalBinary(image))
	require.Equal(t, admin(c.tables[1]), admin(again), "membership is kept")
	for name, s := range again.Members() {
		require.Equal(t, gossip.Unheard, s.Live, "%s: liveness is forgotten", name)
		require.Zero(t, s.Incarnation)
	}
	again.TickAt(noon) // a clock that stands back
	require.Greater(t, again.StateAt(noon, "node-1").Incarnation, old.Incarnation)
	require.EqualValues(t, 1, again.StateAt(noon, "node-1").Heartbeat)
	c.tables[1] = again
	c.rounds(60)
	require.Equal(t, map[gossip.Liveness]int{gossip.Alive: 4}, c.live("node-1"))
	require.Equal(t, map[gossip.Liveness]int{gossip.Down: 4}, c.live("node-4"))

	blank := table(t, "node-1") // without its image: peers tell it who it was
	c.tables[1] = blank
	talk(t, c.now, blank, c.tables[0])
	c.rounds(20)
	require.Equal(t, admin(c.tables[0]), admin(blank))
	require.Equal(t, map[gossip.Liveness]int{gossip.Alive: 4}, c.live("node-1"))
}

// TestAdministrationMerges: in whatever order decisions arrive, all end alike.
func TestAdministrationMerges(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	for range 200 {
		tabs := make([]*gossip.Table, 4)
		for i := range tabs {
			tabs[i] = table(t, fmt.Sprint(i))
		}
		for range 30 {
			tab := tabs[rng.IntN(4)]
			node := fmt.Sprint("n", rng.IntN(3))
			if rng.IntN(3) == 0 {
				_ = tab.Leave(node) // it may not know it
			} else {
				require.NoError(t, tab.Join(node, float64(1+rng.IntN(3)), string(rune('a'+rng.IntN(3)))))
			}
			if rng.IntN(3) == 0 {
				talk(t, noon, tabs[rng.IntN(4)], tabs[rng.IntN(4)])
			}
		}
		for _, i := range []int{0, 1, 2} { // a chain there and back
			talk(t, noon, tabs[i], tabs[i+1])
		}
		for _, i := range []int{2, 1, 0} {
			talk(t, noon, tabs[i], tabs[i+1])
		}
		for _, tab := range tabs {
			require.Equal(t, admin(tabs[0]), admin(tab))
			check(t, tab)
		}
		before := tabs[0].Stats()
		empty, err := tabs[1].AppendDelta(nil, tabs[0].AppendDigest(nil))
		require.NoError(t, err)
		require.NoError(t, tabs[0].ApplyAt(noon, empty))
		require.Equal(t, before, tabs[0].Stats(), "who agree tell each other nothing")
	}
}

func TestJoinAndLeave(t *testing.T) {
	a := table(t, "a", gossip.WithMaxNodes(3))
	require.NoError(t, a.Join("a", 1, "z"))
	require.NoError(t, a.Join("a", 1, "z"))
	require.EqualValues(t, 1, a.State("a").Generation, "nothing new, no generation")
	require.NoError(t, a.Join("a", 2, "z"))
	require.NoError(t, a.Leave("a"))
	require.NoError(t, a.Leave("a"))
	require.Equal(t, gossip.Admin{Status: gossip.Left, Weight: 2, Zone: "z", Generation: 3}, a.State("a").Admin)
	require.NoError(t, a.Join("a", 2, "z"))
	require.Equal(t, gossip.Admin{Status: gossip.Member, Weight: 2, Zone: "z", Generation: 4}, a.State("a").Admin)
	for want, err := range map[string]error{
		"has 0 bytes, want 1 to 255":   a.Join("", 1, ""),
		"has 256 bytes, want 1 to 255": a.Join(strings.Repeat("x", 256), 1, ""),
		`weight of "b" is 0, want > 0`: a.Join("b", 0, ""),
		`weight of "b" is NaN`:         a.Join("b", math.NaN(), ""),
		`weight of "b" is +Inf`:        a.Join("b", math.Inf(1), ""),
		`zone of "b" has 256 bytes`:    a.Join("b", 1, strings.Repeat("z", 256)),
		`node "b" is no member`:        a.Leave("b"),
	} {
		require.ErrorContains(t, err, want)
	}
	require.NoError(t, a.Join("b", 1, ""))
	require.NoError(t, a.Join("c", 1, ""))
	require.ErrorContains(t, a.Join("d", 1, ""), `node "d" is one too many, want at most 3`)
	require.Equal(t, gossip.State{}, a.State("d"))
	check(t, a)
}

func TestNewRefuses(t *testing.T) {
	for want, opt := range map[string]gossip.Option{
		"interval is 0s, want 1ms to 24h0m0s":    gossip.WithInterval(0),
		"phi threshold is 0, want > 0":           gossip.WithPhi(0),
		"phi threshold is NaN":                   gossip.WithPhi(math.NaN()),
		"suspicion is -1ns to 0s, want 0 <= min": gossip.WithSuspicion(-1, 0),
		"suspicion is 2ns to 1ns":                gossip.WithSuspicion(2, 1),
		"observers are 0, want 1 to 16":          gossip.WithObservers(0),
		"nodes are at most 0, want 1 to 65536":   gossip.WithMaxNodes(0),
	} {
		_, err := gossip.New("a", opt)
		require.ErrorContains(t, err, want)
	}
	_, err := gossip.New("")
	require.ErrorContains(t, err, "name of a node has 0 bytes")
}

func TestZeroTable(t *testing.T) {
	var z gossip.Table
	require.Equal(t, gossip.State{}, z.State("a"))
	require.Empty(t, maps.Collect(z.Members()))
	require.True(t, z.Up("a"))
	require.Equal(t, gossip.Stats{}, z.Stats())
	require.PanicsWithValue(t, "gossip: Join on a Table that New did not make", func() { _ = z.Join("a", 1, "") })
	require.PanicsWithValue(t, "gossip: Leave on a Table that New did not make", func() { _ = z.Leave("a") })
	require.PanicsWithValue(t, "gossip: TickAt on a Table that New did not make", func() { z.Tick() })
	_, err := z.MarshalBinary()
	require.ErrorContains(t, err, "New did not make")
	a := table(t, "a")
	require.ErrorContains(t, z.Apply(mustDelta(t, a, z.AppendDigest(nil))), "New did not make")
	require.NoError(t, a.Join("a", 1, "z"))
	a.Tick()
	image, err := a.MarshalBinary()
	require.NoError(t, err)
	require.NoError(t, z.UnmarshalBinary(image))
	require.Equal(t, admin(a), admin(&z))
	z.Tick()
	require.Equal(t, gossip.Alive, z.State("a").Live)
}

func mustDelta(t testing.TB, tab *gossip.Table, digest []byte) []byte {
	t.Helper()
	delta, err := tab.AppendDelta(nil, digest)
	require.NoError(t, err)
	return delta
}

func TestDetector(t *testing.T) {
	d := gossip.NewDetector(100 * time.Millisecond)
	require.Zero(t, d.Phi(noon))
	now := noon
	rng := rand.New(rand.NewPCG(1, 1))
	var gaps []float64
	d.Beat(now)
	for range 2500 {
		gap := time.Duration(200+rng.IntN(200)) * time.Millisecond
		now = now.Add(gap)
		d.Beat(now)
		gaps = append(gaps, gap.Seconds())
	}
	require.Equal(t, 1000, d.Gaps())
	mean := 0.0
	for _, gap := range gaps[1500:] {
		mean += gap / 1000
	}
	for _, silence := range []float64{0.1, 1, 5.5} {
		want := -math.Log10(math.Exp(-silence / mean))
		got := d.Phi(now.Add(time.Duration(silence * float64(time.Second))))
		require.InEpsilon(t, want, got, 1e-3)
	}
	d.Beat(now.Add(time.Hour)) // it was away: no gap
	require.Equal(t, 1000, d.Gaps())
	require.InDelta(t, 0.4343/mean, d.Phi(now.Add(time.Hour+time.Second)), 1e-3)
	require.Zero(t, d.Phi(now), "a clock that jumped back")

	burst := gossip.NewDetector(time.Second)
	for i := range 100 {
		burst.Beat(noon.Add(time.Duration(i) * time.Millisecond))
	}
	require.InDelta(t, 0.4343, burst.Phi(noon.Add(1099*time.Millisecond)), 1e-3, "the mean has a floor")
}

func TestTimeoutShrinks(t *testing.T) {
	at := func(observers int) float64 {
		return gossip.Timeout(observers, 2, 9, time.Second, 9*time.Second).Seconds()
	}
	require.Equal(t, 9.0, at(2))
	require.InDelta(t, 9-8*math.Log(2)/math.Log(3), at(3), 1e-6)
	require.Equal(t, 1.0, at(4))
	require.Equal(t, 1.0, at(5))
	require.Equal(t, time.Second, gossip.Timeout(2, 2, 2, time.Second, 9*time.Second), "all there are")
	require.Equal(t, time.Second, gossip.Timeout(1, 1, 1, time.Second, 9*time.Second))
}

func TestStrings(t *testing.T) {
	require.Equal(t, "[unknown member left Status(9)]", fmt.Sprint([]gossip.Status{0, gossip.Member, gossip.Left, 9}))
	require.Equal(t, "[unheard alive suspect down Liveness(9)]", fmt.Sprint([]gossip.Liveness{0, gossip.Alive, gossip.Suspect, gossip.Down, 9}))
}

func TestConcurrently(t *testing.T) {
	c := newCluster(t, 3)
	done := make(chan struct{})
	for i := range c.tables {
		go func() {
			defer func() { done <- struct{}{} }()
			for k := range 200 {
				tab, peer := c.tables[i], c.tables[(i+1)%3]
				tab.TickAt(noon.Add(time.Duration(k) * time.Second))
				talk(t, noon.Add(time.Duration(k)*time.Second), tab, peer)
				tab.Up("node-1")
				tab.State("node-2")
				tab.Stats()
				admin(tab)
			}
		}()
	}
	for range c.tables {
		<-done
	}
	for _, tab := range c.tables {
		check(t, tab)
		require.Equal(t, 3, tab.Stats().Members)
	}
}
