package ring_test

import (
	"fmt"
	"testing"

	"github.com/distkit/distkit/internal/hash64"
	"github.com/distkit/distkit/internal/testkit"
	"github.com/distkit/distkit/ring"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func nodesIn(n, zones int) []ring.Node {
	nodes := make([]ring.Node, n)
	for i := range nodes {
		nodes[i] = ring.Node{ID: fmt.Sprintf("node-%02d", i), Weight: 1}
		if zones > 0 {
			nodes[i].Zone = fmt.Sprint("zone-", i%zones)
		}
	}
	return nodes
}

func idsOf(r *ring.Ring) map[string]bool {
	ids := map[string]bool{}
	for i := range r.Len() {
		ids[r.Node(i).ID] = true
	}
	return ids
}

// A subset is the ring of its nodes, k of them, from as many zones as there are.
func TestSubsetIsTheRingOfItsNodes(t *testing.T) {
	r, err := ring.New(nodesIn(30, 5), ring.WithVirtualNodes(8))
	require.NoError(t, err)
	for tenant := range uint64(200) {
		s, err := r.Subset(hash64.Integer(tenant), 7)
		require.NoError(t, err)
		require.Equal(t, 7, s.Len())
		var nodes []ring.Node
		perZone := map[string]int{}
		for i := range s.Len() {
			nodes = append(nodes, s.Node(i))
			perZone[s.Node(i).Zone]++
			_, ok := r.Lookup(s.Node(i).ID)
			require.True(t, ok)
		}
		require.Len(t, perZone, 5)
		for zone, n := range perZone {
			require.LessOrEqual(t, n, 2, zone)
		}
		direct, err := ring.New(nodes, ring.WithVirtualNodes(8))
		require.NoError(t, err)
		require.Equal(t, direct.Fingerprint(), s.Fingerprint())
		again, err := r.Subset(hash64.Integer(tenant), 7)
		require.NoError(t, err)
		require.Equal(t, s.Fingerprint(), again.Fingerprint())
	}
	for k, want := range map[int]int{1: 1, 29: 29, 30: 30, 1000: 30} {
		s, err := r.Subset(1, k)
		require.NoError(t, err)
		require.Equal(t, want, s.Len())
	}
	_, err = r.Subset(1, 0)
	assert.EqualError(t, err, "ring: subset has 0 nodes, want at least 1")
	empty, err := new(ring.Ring).Subset(1, 3)
	require.NoError(t, err)
	assert.Zero(t, empty.Len())
}

// A node that joins enters some sets, at the cost of one node each, or with zones
// of two; no other set changes, and leaving undoes it.
func TestSubsetChangesLittle(t *testing.T) {
	for _, zones := range []int{0, 4} {
		before, err := ring.New(nodesIn(24, zones), ring.WithVirtualNodes(4))
		require.NoError(t, err)
		after, err := before.Add(ring.Node{ID: "new", Zone: "zone-1"})
		if zones == 0 {
			after, err = before.Add(ring.Node{ID: "new"})
		}
		require.NoError(t, err)
		entered := 0
		const tenants = 4000
		for tenant := range uint64(tenants) {
			a, err := before.Subset(hash64.Integer(tenant), 6)
			require.NoError(t, err)
			b, err := after.Subset(hash64.Integer(tenant), 6)
			require.NoError(t, err)
			lost := 0
			for id := range idsOf(a) {
				if !idsOf(b)[id] {
					lost++
				}
			}
			if idsOf(b)["new"] {
				entered++
				require.LessOrEqual(t, lost, min(zones, 1)+1)
			} else {
				require.Zero(t, lost)
			}
		}
		if zones == 0 {
			lo, hi := testkit.RateBounds(6.0/25, tenants, 5)
			rate := float64(entered) / tenants
			assert.True(t, lo <= rate && rate <= hi, "%v of the tenants get the new node", rate)
		}
	}
}

// Tenants share few nodes: pairs meet as often as sets drawn at random.
func TestSubsetsOverlapAsChanceHasIt(t *testing.T) {
	const n, k, tenants = 50, 5, 600
	r, err := ring.New(nodesIn(n, 0), ring.WithVirtualNodes(2))
	require.NoError(t, err)
	var sets []map[string]bool
	use := make(map[string]int)
	for tenant := range uint64(tenants) {
		s, err := r.Subset(tenant, k) // raw ids will do
		require.NoError(t, err)
		sets = append(sets, idsOf(s))
		for id := range idsOf(s) {
			use[id]++
		}
	}
	var counts []int
	for _, c := range use {
		counts = append(counts, c)
	}
	assert.Len(t, counts, n)
	assert.Less(t, testkit.ChiSquare(counts), testkit.ChiSquareLimit(n, 4))
	shared := 0
	for i := range sets {
		for id := range sets[i] {
			if sets[(i+1)%tenants][id] {
				shared++
			}
		}
	}
	assert.InDelta(t, float64(k*k)/n, float64(shared)/tenants, 0.15)
}

// A decoded ring has its tokens, though not the function that they came from.
func TestSubsetOfADecodedRing(t *testing.T) {
	r, err := ring.New(nodesIn(9, 3), ring.WithTokens(ring.EnvoyTokens), ring.WithVirtualNodes(20))
	require.NoError(t, err)
	image, err := r.MarshalBinary()
	require.NoError(t, err)
	var decoded ring.Ring
	require.NoError(t, decoded.UnmarshalBinary(image))
	for tenant := range uint64(20) {
		want, err := r.Subset(tenant, 4)
		require.NoError(t, err)
		got, err := decoded.Subset(tenant, 4)
		require.NoError(t, err)
		require.Equal(t, want.Fingerprint(), got.Fingerprint())
	}
}
