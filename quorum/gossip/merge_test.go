package gossip_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/distkit/distkit/internal/testkit"
	"github.com/distkit/distkit/quorum/gossip"
	"github.com/stretchr/testify/require"
)

// knowledge prints both halves of all that a table knows.
func knowledge(tab *gossip.Table, now time.Time) string {
	var out strings.Builder
	for name := range tab.Members() {
		s := tab.StateAt(now, name)
		fmt.Fprintf(&out, "%s %v %d %d %d\n", name, s.Admin, s.Incarnation, s.Heartbeat, s.Observers)
	}
	return out.String()
}

// TestMergeInAnyGrouping: three tables that have heard of different things tell
// a fourth, in any order, singly or through one that has merged two of them, or
// all twice: it knows the same in the end, in both halves.
func TestMergeInAnyGrouping(t *testing.T) {
	testkit.NotUnderRace(t)
	suspicions := 0
	for seed := range uint64(60) {
		c := newCluster(t, 6)
		c.rng = rand.New(rand.NewPCG(seed, 3))
		for _, tab := range c.tables {
			for i := range c.tables {
				require.NoError(t, tab.Join(fmt.Sprint("node-", i), 1, "z"))
			}
		}
		c.loss = 0.5
		c.rounds(10)
		c.dead[int(seed%6)] = true
		c.rounds(20 + c.rng.IntN(40))
		for range 5 {
			_ = c.tables[c.rng.IntN(6)].Join(fmt.Sprint("node-", c.rng.IntN(6)), float64(1+c.rng.IntN(3)), "other")
		}
		fresh := func() *gossip.Table {
			tab := table(t, "observer")
			for i := range c.tables {
				require.NoError(t, tab.Join(fmt.Sprint("node-", i), 1, "z"))
			}
			return tab
		}
		full := func(tab *gossip.Table) []byte { return mustDelta(t, tab, new(gossip.Table).AppendDigest(nil)) }
		apply := func(deltas ...[]byte) *gossip.Table {
			tab := fresh()
			for _, delta := range deltas {
				require.NoError(t, tab.ApplyAt(c.now, delta))
			}
			return tab
		}
		p := c.rng.Perm(6)
		x, y, z := full(c.tables[p[0]]), full(c.tables[p[1]]), full(c.tables[p[2]])
		want := knowledge(apply(x, y, z), c.now)
		for name, tab := range map[string]*gossip.Table{
			"xzy": apply(x, z, y), "yxz": apply(y, x, z), "yzx": apply(y, z, x), "zxy": apply(z, x, y), "zyx": apply(z, y, x),
			"(xy)z": apply(full(apply(x, y)), z), "x(yz)": apply(x, full(apply(y, z))), "(xz)y": apply(full(apply(x, z)), y),
			"xyzxyz": apply(x, y, z, x, y, z),
		} {
			require.Equal(t, want, knowledge(tab, c.now), "seed %d: %s", seed, name)
			check(t, tab)
		}
		for i := range c.tables {
			suspicions += apply(x, y, z).StateAt(c.now, fmt.Sprint("node-", i)).Observers
		}
	}
	require.Greater(t, suspicions, 20, "or the half of the living was hardly tested")
}
