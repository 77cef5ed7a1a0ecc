package node

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/distkit/distkit/merkle"
	"github.com/distkit/distkit/ring"
	"github.com/distkit/distkit/vclock"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Two nodes share a position exactly if both are among its first n owners.
func TestSharedRanges(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for n := 1; n <= 5; n++ {
		r, err := ring.New(ring.Nodes("a", "b", "c", "d", "e"), ring.WithVirtualNodes(8))
		require.NoError(t, err)
		shared := sharedRanges([]*ring.Ring{r}, "b", "d", n)
		for range 2000 {
			h := rng.Uint64()
			owners := r.AppendOwnersHash(nil, h, n)
			want := strings.Contains(strings.Join(owners, ""), "b") && strings.Contains(strings.Join(owners, ""), "d")
			got := 0
			for _, s := range shared {
				if s.Contains(h) {
					got++
				}
			}
			require.Equal(t, want, got == 1, "n %d", n)
			require.LessOrEqual(t, got, 1)
		}
	}
	r, err := ring.New(ring.Nodes("a"))
	require.NoError(t, err)
	assert.Empty(t, sharedRanges([]*ring.Ring{r}, "a", "b", 3))
}

// A node that comes back without its disk gets all of its share from the others,
// for hardly more than the bytes it lacks.
func TestRepairRefillsAWipedDisk(t *testing.T) {
	g, client := startGroup(t, usual)
	value := []byte(strings.Repeat("v", 2000))
	for i := range 500 {
		_, err := client.Put(t.Context(), fmt.Sprint("key", i), vclock.Clock{}, value)
		require.NoError(t, err)
	}
	g.settled()
	lost, actor := g.nodes[victim].Tree(), g.nodes[victim].actor
	g.kill(victim)
	g.wipe(victim)
	base := g.repairs()
	back := g.restart(victim)
	g.settled()
	assert.Equal(t, lost.Summary(merkle.Range{}), back.Tree().Summary(merkle.Range{}), "all that was lost is back")
	assert.NotEqual(t, actor, back.actor, "it has forgotten what it counted, and goes by another id")

	cost := g.repairs().Since(base)
	missing := uint64(lost.Len()) * uint64(len(value)+60)
	assert.Less(t, cost.Copies, uint64(lost.Len())*12/10, "copies counted once")
	assert.Less(t, cost.CopyBytes, missing*12/10, "copies sent")
	assert.Less(t, cost.HashBytes, missing*3/100, "hashes sent")
	t.Logf("%d keys of %d bytes: %d bytes of copies, %d of hashes in %d sessions", lost.Len(), missing,
		cost.CopyBytes, cost.HashBytes, cost.Sessions)
}

// What two nodes hold differently is merged on both.
func TestRepairMergesBothWays(t *testing.T) {
	s := usual
	s.RepairEvery = time.Hour
	g, client := startGroup(t, s)
	for i := range 100 {
		_, err := client.Put(t.Context(), fmt.Sprint("key", i), vclock.Clock{}, []byte("one"))
		require.NoError(t, err)
	}
	g.settled()
	// Behind everyone's back, a third of the copies of a node gets a sibling, and
	// another third of those of another node.
	nodes := slices.Collect(maps.Values(g.nodes))
	for i := range 100 {
		key := fmt.Sprint("key", i)
		for k, n := range nodes[:2] {
			if i%3 == k && n.owns(n.prefs(key)) {
				_, _, err := n.change(key, func(v Versions) Versions {
					v, _ = v.Put(vclock.Clock{}, n.actor, []byte("two"))
					return v
				})
				require.NoError(t, err)
			}
		}
	}
	for range 2 { // what one pair finds may be news to another
		for _, n := range nodes {
			_, err := n.fetchAll(t.Context())
			require.NoError(t, err)
		}
	}
	assert.Zero(t, g.differ())
	siblings := 0
	for i := range 100 {
		a, err := client.Get(t.Context(), fmt.Sprint("key", i), vclock.Clock{})
		require.NoError(t, err)
		siblings += len(a.Values) - 1
	}
	assert.NotZero(t, siblings)

	require.True(t, nodes[0].repairing.take("a third", time.Hour))
	_, err := nodes[1].repairWith(t.Context(), nodes[0].name)
	assert.ErrorContains(t, err, "repairs itself")
	_, err = nodes[0].repairWith(t.Context(), nodes[1].name)
	assert.ErrorIs(t, err, errBusy)
	nodes[0].repairing.end("another")
	_, err = nodes[0].repairWith(t.Context(), nodes[1].name)
	assert.ErrorIs(t, err, errBusy)
	nodes[0].repairing.end("a third")
	_, err = nodes[0].repairWith(t.Context(), nodes[1].name)
	assert.NoError(t, err)
	_, err = nodes[1].repairWith(t.Context(), nodes[0].name)
	assert.NoError(t, err)
}
