package gossip_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/distkit/distkit/quorum/gossip"
	"github.com/stretchr/testify/require"
)

// busy is a cluster on a loaded machine: members tick every 50 ms out of step,
// and now and then the process of one stands still for 100 ms.
type busy struct {
	t      testing.TB
	rng    *rand.Rand
	now    time.Time
	tables []*gossip.Table
	next   []time.Time // when a node ticks, pauses included
	paused []time.Time
	dead   int
	pauses int // of 100 ms, in a hundred ticks
}

const beat = 50 * time.Millisecond

func newBusy(t testing.TB, n int, seed uint64) *busy {
	b := &busy{t: t, rng: rand.New(rand.NewPCG(seed, 9)), now: noon, dead: -1, pauses: 5}
	for i := range n {
		tab := table(t, fmt.Sprint("n", i), gossip.WithInterval(beat),
			gossip.WithSuspicion(4*beat, 20*beat))
		for j := range n {
			require.NoError(t, tab.Join(fmt.Sprint("n", j), 1, ""))
		}
		b.tables = append(b.tables, tab)
		b.next = append(b.next, noon.Add(time.Duration(b.rng.Int64N(int64(beat)))))
	}
	b.paused = make([]time.Time, n)
	return b
}

func (b *busy) up(i int) bool { return i != b.dead && !b.now.Before(b.paused[i]) }

// run lets time pass in steps of 5 ms and calls each after every one.
func (b *busy) run(d time.Duration, each func()) {
	for end := b.now.Add(d); b.now.Before(end); {
		b.now = b.now.Add(beat / 10)
		for i, tab := range b.tables {
			if !b.up(i) || b.now.Before(b.next[i]) {
				continue
			}
			b.next[i] = b.now.Add(beat)
			if b.rng.IntN(100) < b.pauses {
				b.paused[i] = b.now.Add(100 * time.Millisecond)
				continue
			}
			tab.TickAt(b.now)
			if j := b.rng.IntN(len(b.tables)); j != i && b.up(j) {
				talk(b.t, b.now, tab, b.tables[j])
			}
		}
		each()
	}
}

// deaths returns the times until all others knew of a death, of five nodes each.
func deaths(t testing.TB, pauses int) []time.Duration {
	var took []time.Duration
	for seed := range uint64(40) {
		b := newBusy(t, 5, seed)
		b.pauses = pauses
		b.run(5*time.Second, func() {})
		b.dead = int(seed % 5)
		killed, last, name := b.now, b.now, fmt.Sprint("n", b.dead)
		b.run(5*time.Second, func() {
			for i, tab := range b.tables {
				if i != b.dead && tab.Up(name) {
					last = b.now
				}
			}
		})
		took = append(took, last.Sub(killed))
	}
	slices.Sort(took)
	return took
}

// TestDeathIsFound bounds what the flagship's settings give. A pause makes the
// gaps between heartbeats, and so the silence that is suspicious, longer.
func TestDeathIsFound(t *testing.T) {
	calm, loaded := deaths(t, 0), deaths(t, 5)
	t.Logf("calm: median %v, worst %v; loaded: median %v, worst %v", calm[20], calm[39], loaded[20], loaded[39])
	require.LessOrEqual(t, calm[39], 5*time.Second)
	require.LessOrEqual(t, loaded[39], 2500*time.Millisecond)
}

// TestTheBusyAreNotDead: nobody is called down in ten minutes of pauses.
func TestTheBusyAreNotDead(t *testing.T) {
	b := newBusy(t, 5, 77)
	down, suspect := 0, 0
	b.run(10*time.Minute, func() {
		for _, tab := range b.tables {
			s := tab.Stats()
			down, suspect = down+s.Down, suspect+s.Suspect
		}
	})
	t.Logf("suspected in %d views", suspect)
	require.Zero(t, down)
}

// TestFewObservers: where fewer are left than must agree, those left decide.
func TestFewObservers(t *testing.T) {
	two := newBusy(t, 2, 1)
	two.run(3*time.Second, func() {})
	two.dead = 1
	two.run(3*time.Second, func() {})
	require.False(t, two.tables[0].Up("n1"))

	b := newBusy(t, 3, 2)
	b.run(3*time.Second, func() {})
	b.dead = 2
	b.run(3*time.Second, func() {})
	require.False(t, b.tables[0].Up("n2"))
	for range 60 { // and then n1, so that n0 is alone
		b.now = b.now.Add(beat)
		b.tables[0].TickAt(b.now)
	}
	require.False(t, b.tables[0].Up("n1"))
	require.False(t, b.tables[0].Up("n2"), "the death of its observer revives nobody")
	check(t, b.tables[0])
}
