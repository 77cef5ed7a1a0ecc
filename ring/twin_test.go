package ring_test

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/distkit/distkit/internal/hash64"
	"github.com/distkit/distkit/ring"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// twin is the ring as the package comment tells it, slow and obvious: a sorted
// list of tokens, and walks over all of it.
type twin struct {
	nodes   map[string]ring.Node
	virtual int
	hash    func(string) uint64
	tokens  func(dst []uint64, n ring.Node, count int) []uint64 // nil for the package's own
}

type twinToken struct {
	token uint64
	id    string
}

func newTwin(virtual int, nodes ...ring.Node) *twin {
	w := &twin{nodes: map[string]ring.Node{}, virtual: virtual, hash: hash64.String}
	w.put(nodes...)
	return w
}

func (w *twin) put(nodes ...ring.Node) {
	for _, n := range nodes {
		if n.Weight == 0 {
			n.Weight = 1
		}
		w.nodes[n.ID] = n
	}
}

func (w *twin) clone() *twin {
	c := *w
	c.nodes = maps.Clone(w.nodes)
	return &c
}

func (w *twin) ids() []string { return slices.Sorted(maps.Keys(w.nodes)) }

func (w *twin) members() []ring.Node {
	var nodes []ring.Node
	for _, id := range w.ids() {
		nodes = append(nodes, w.nodes[id])
	}
	return nodes
}

func (w *twin) stream(n ring.Node) []uint64 {
	count := max(1, int(math.Round(n.Weight*float64(w.virtual))))
	if w.tokens != nil {
		return w.tokens(nil, n, count)
	}
	var tokens []uint64
	for k := range count {
		z := w.hash(n.ID) + uint64(k+1)*0x9E3779B97F4A7C15
		z = (z ^ z>>30) * 0xBF58476D1CE4E5B9
		z = (z ^ z>>27) * 0x94D049BB133111EB
		tokens = append(tokens, z^z>>31)
	}
	return tokens
}

func (w *twin) circle() []twinToken {
	var all []twinToken
	for _, n := range w.nodes {
		for _, t := range w.stream(n) {
			all = append(all, twinToken{t | 0xFFFF, n.ID})
		}
	}
	slices.SortFunc(all, func(a, b twinToken) int { return cmp.Or(cmp.Compare(a.token, b.token), cmp.Compare(a.id, b.id)) })
	return all
}

// clockwise lists all nodes by their first token at or after h.
func clockwise(circle []twinToken, h uint64) []string {
	start := slices.IndexFunc(circle, func(t twinToken) bool { return t.token >= h })
	start = max(start, 0)
	order := []string{}
	for i := range circle {
		if id := circle[(start+i)%len(circle)].id; !slices.Contains(order, id) {
			order = append(order, id)
		}
	}
	return order
}

// prefs lists all nodes in preference order: clockwise, then sorted by the rank
// within the zone.
func (w *twin) prefs(circle []twinToken, h uint64) []string { return w.spread(clockwise(circle, h)) }

func (w *twin) spread(order []string) []string {
	rank, inZone := map[string]int{}, map[string]int{}
	for _, id := range order {
		zone := w.nodes[id].Zone
		rank[id] = inZone[zone]
		inZone[zone]++
	}
	order = slices.Clone(order)
	slices.SortStableFunc(order, func(a, b string) int { return cmp.Compare(rank[a], rank[b]) })
	return order
}

// checkRing holds r against the twin: at the bounds of arcs and at random hashes.
func checkRing(t *testing.T, w *twin, r *ring.Ring) {
	t.Helper()
	require.Equal(t, len(w.nodes), r.Len())
	for i, id := range w.ids() {
		require.Equal(t, w.nodes[id], r.Node(i))
		n, ok := r.Lookup(id)
		require.True(t, ok)
		require.Equal(t, w.nodes[id], n)
	}
	circle := w.circle()
	var tokens []twinToken
	for token, n := range r.Tokens() {
		tokens = append(tokens, twinToken{token, n.ID})
	}
	require.Equal(t, circle, tokens)

	rng := rand.New(rand.NewPCG(1, uint64(len(circle))))
	hashes := []uint64{0, 1, 0xFFFF, 0x10000, 1 << 63, math.MaxUint64}
	for range 50 {
		hashes = append(hashes, rng.Uint64())
		if len(circle) > 0 {
			at := circle[rng.IntN(len(circle))].token
			hashes = append(hashes, at-1, at, at+1)
		}
	}
	for _, h := range hashes {
		checkLookups(t, w, circle, r, h)
	}
	if len(circle) == 0 {
		id, ok := r.OwnerHash(7)
		assert.False(t, ok)
		assert.Empty(t, id)
		assert.Equal(t, -1, r.Locate(7))
	}
	other, err := r.Add()
	require.NoError(t, err)
	assert.Equal(t, r.Fingerprint(), other.Fingerprint())
}

func checkLookups(t *testing.T, w *twin, circle []twinToken, r *ring.Ring, h uint64) {
	t.Helper()
	want := w.prefs(circle, h)
	if len(want) > 0 {
		id, ok := r.OwnerHash(h)
		require.True(t, ok)
		require.Equal(t, want[0], id, "owner of %#x", h)
		require.Equal(t, want[0], r.Node(r.Locate(h)).ID)
	}
	for _, n := range []int{-1, 0, 1, 2, 3, 5, 8, 9, len(want), len(want) + 3} {
		ids := want[:max(0, min(n, len(want)))]
		require.Equal(t, ids, r.AppendOwnersHash([]string{}, h, n), "%d owners of %#x", n, h)
		located := r.AppendLocate([]int{-7}, h, n)
		require.Equal(t, -7, located[0])
		require.Equal(t, ids, idsAt(r, located[1:]))
	}
	walked := []string{}
	for n := range r.Walk(h) {
		walked = append(walked, n.ID)
	}
	require.Equal(t, want, walked)
}

func idsAt(l ring.Locator, list []int) []string {
	ids := []string{}
	for _, i := range list {
		ids = append(ids, l.Node(i).ID)
	}
	return ids
}

// randomNodes returns up to n nodes whose names collide when they are joined
// with numbers, with random weights and zones.
func randomNodes(rng *rand.Rand, n, zones int) []ring.Node {
	nodes := make([]ring.Node, rng.IntN(n+1))
	perm := rng.Perm(4 * n)
	for i := range nodes {
		nodes[i] = ring.Node{ID: fmt.Sprintf("node%d", perm[i]), Weight: []float64{0, 1, 0.3, 2.5, 0.001}[rng.IntN(5)]}
		if zones > 0 {
			nodes[i].Zone = []string{"", "a", "b", "c", "d"}[rng.IntN(zones)]
		}
	}
	return nodes
}
