package ring_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/distkit/distkit/internal/hash64"
	"github.com/distkit/distkit/internal/testkit"
	"github.com/distkit/distkit/ring"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func mustNew(t testing.TB, nodes []ring.Node, opts ...ring.Option) *ring.Ring {
	t.Helper()
	r, err := ring.New(nodes, opts...)
	require.NoError(t, err)
	return r
}

// names returns n node IDs.
func names(n int) []string {
	ids := make([]string, n)
	for i := range ids {
		ids[i] = fmt.Sprintf("node-%d", i)
	}
	return ids
}

func TestRingAgainstTwin(t *testing.T) {
	testkit.NotUnderRace(t)
	rng := rand.New(rand.NewPCG(2, 2))
	for range 40 {
		virtual := []int{1, 2, 7, 40}[rng.IntN(4)]
		nodes := randomNodes(rng, 20, rng.IntN(6))
		checkRing(t, newTwin(virtual, nodes...), mustNew(t, nodes, ring.WithVirtualNodes(virtual)))
	}
}

// Bits of 64-bit sets and pools matter from 65 nodes and zones on.
func TestRingManyNodesAgainstTwin(t *testing.T) {
	for _, zones := range []int{1, 3, 100} {
		var nodes []ring.Node
		for i := range 200 {
			nodes = append(nodes, ring.Node{ID: fmt.Sprint(i), Weight: 1, Zone: fmt.Sprint(i % zones)})
		}
		checkRing(t, newTwin(3, nodes...), mustNew(t, nodes, ring.WithVirtualNodes(3)))
	}
}

// An entry of the index has less room for places the more nodes there are; what it
// decides must be what a search finds.
func TestLookupIsWhatSearchFinds(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 2))
	for _, n := range []int{1, 2, 3, 1000, 40_000} {
		r := mustNew(t, ring.Nodes(names(n)...), ring.WithVirtualNodes(1+2000/n))
		check := func(h uint64) {
			if i := r.Locate(h); i != r.AppendLocate(nil, h, 1)[0] {
				t.Fatalf("%d nodes: %#x is on %d", n, h, i)
			}
		}
		for token := range r.Tokens() {
			check(token - 1)
			check(token)
			check(token + 1)
			check(rng.Uint64())
		}
	}
}

func TestRingWithSecretAgainstTwin(t *testing.T) {
	secret := [16]byte{1, 2, 3}
	w := newTwin(20, ring.Nodes("a", "b", "c")...)
	w.hash = func(id string) uint64 { return hash64.SipString(&secret, id) }
	r := mustNew(t, w.members(), ring.WithVirtualNodes(20), ring.WithSecret(secret))
	checkRing(t, w, r)
	key := "a key"
	want, _ := r.OwnerHash(hash64.SipString(&secret, key))
	got, _ := r.OwnerString(key)
	assert.Equal(t, want, got)
	got, _ = r.Owner([]byte(key))
	assert.Equal(t, want, got)
	assert.NotEqual(t, r.Fingerprint(), mustNew(t, w.members(), ring.WithVirtualNodes(20)).Fingerprint())
}

// Tokens of 8 bits collide all the time, and crowd the index's buckets.
func TestTiesAgainstTwin(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 3))
	coarse := func(dst []uint64, n ring.Node, count int) []uint64 {
		for k := range count {
			dst = append(dst, hash64.Mix(hash64.String(n.ID), uint64(k))>>56<<56)
		}
		return dst
	}
	crowded := func(dst []uint64, n ring.Node, count int) []uint64 {
		for k := range count {
			dst = append(dst, 1<<40+hash64.Mix(hash64.String(n.ID), uint64(k))>>40)
		}
		return dst
	}
	for _, f := range []func([]uint64, ring.Node, int) []uint64{coarse, crowded} {
		for range 10 {
			w := newTwin(60, randomNodes(rng, 12, rng.IntN(4))...)
			w.tokens = f
			checkRing(t, w, mustNew(t, w.members(), ring.WithVirtualNodes(60), ring.WithTokens(f)))
		}
	}
}

// Whatever the order of changes, one membership is one ring.
func TestHistoryIndependence(t *testing.T) {
	testkit.NotUnderRace(t)
	for seed := range uint64(30) {
		rng := rand.New(rand.NewPCG(seed, 4))
		virtual := 1 + rng.IntN(30)
		w := newTwin(virtual, randomNodes(rng, 12, 4)...)
		r := mustNew(t, w.members(), ring.WithVirtualNodes(virtual))
		for range 8 {
			r = randomChange(t, rng, w, r)
		}
		checkRing(t, w, r)
		nodes := w.members()
		rng.Shuffle(len(nodes), func(i, j int) { nodes[i], nodes[j] = nodes[j], nodes[i] })
		fresh := mustNew(t, nodes, ring.WithVirtualNodes(virtual))
		assert.Equal(t, fresh.Fingerprint(), r.Fingerprint())
		assert.Equal(t, ring.Layout(fresh), ring.Layout(r))
	}
}

// randomChange makes one change to the twin and the ring.
func randomChange(t *testing.T, rng *rand.Rand, w *twin, r *ring.Ring) *ring.Ring {
	t.Helper()
	var err error
	var nodes []ring.Node
	var ids []string
	switch rng.IntN(3) {
	case 0:
		for _, n := range randomNodes(rng, 12, 4) {
			if _, found := w.nodes[n.ID]; !found {
				nodes = append(nodes, n)
			}
		}
		r, err = r.Add(nodes...)
		w.put(nodes...)
	case 1:
		for id := range w.nodes {
			if rng.IntN(3) == 0 {
				ids = append(ids, id)
				delete(w.nodes, id)
			}
		}
		r, err = r.Remove(ids...)
	case 2:
		for _, n := range randomNodes(rng, 12, 4) {
			if _, found := w.nodes[n.ID]; found {
				nodes = append(nodes, n)
			}
		}
		r, err = r.Update(nodes...)
		w.put(nodes...)
	}
	require.NoError(t, err)
	return r
}

// "node1" + "11" is "node11" + "1": rings that join names and numbers lose keys
// when one of these goes.
func TestNamesThatCollideWhenJoined(t *testing.T) {
	w := newTwin(20)
	for i := range 20 {
		w.put(ring.Node{ID: fmt.Sprintf("node%d", i)})
	}
	r := mustNew(t, w.members(), ring.WithVirtualNodes(20))
	seen := map[uint64]bool{}
	for token := range r.Tokens() {
		assert.False(t, seen[token])
		seen[token] = true
	}
	for _, id := range []string{"node11", "node1", "node0"} {
		var err error
		r, err = r.Remove(id)
		require.NoError(t, err)
		delete(w.nodes, id)
		checkRing(t, w, r)
	}
}

func TestKeyFormsAgree(t *testing.T) {
	r := mustNew(t, ring.Nodes(names(10)...))
	for i := range 1000 {
		key := fmt.Sprint("key", i)
		byBytes, ok := r.Owner([]byte(key))
		require.True(t, ok)
		byString, _ := r.OwnerString(key)
		byHash, _ := r.OwnerHash(hash64.String(key))
		assert.Equal(t, byBytes, byString)
		assert.Equal(t, byBytes, byHash)
		owners := r.AppendOwners(nil, []byte(key), 3)
		assert.Equal(t, byBytes, owners[0])
		assert.Equal(t, owners, r.AppendOwnersString(nil, key, 3))
		assert.Equal(t, owners, r.AppendOwnersHash(nil, hash64.String(key), 3))
	}
}

// A key moves only to a node that joins or from one that leaves, or towards a
// weight that grows.
func TestMinimalMovement(t *testing.T) {
	before := mustNew(t, ring.Nodes(names(30)...), ring.WithVirtualNodes(50))
	joined, err := before.Add(ring.Node{ID: "new", Weight: 2})
	require.NoError(t, err)
	left, err := before.Remove("node-7")
	require.NoError(t, err)
	grown, err := before.Update(ring.Node{ID: "node-3", Weight: 1.7})
	require.NoError(t, err)
	moved := map[string]int{}
	rng := rand.New(rand.NewPCG(5, 5))
	for range 20_000 {
		h := rng.Uint64()
		was, _ := before.OwnerHash(h)
		if now, _ := joined.OwnerHash(h); now != was {
			moved["joined"]++
			require.Equal(t, "new", now)
		}
		if now, _ := left.OwnerHash(h); now != was {
			moved["left"]++
			require.Equal(t, "node-7", was)
		}
		if now, _ := grown.OwnerHash(h); now != was {
			moved["grown"]++
			require.Equal(t, "node-3", now)
		}
	}
	assert.InDelta(t, 2./32, float64(moved["joined"])/20_000, 0.02)
	assert.InDelta(t, 1./30, float64(moved["left"])/20_000, 0.02)
	assert.InDelta(t, 1.7/30.7-1./30, float64(moved["grown"])/20_000, 0.02)
}

func TestConstructionErrors(t *testing.T) {
	tokens := func([]uint64, ring.Node, int) []uint64 { return nil }
	many := make([]ring.Node, 1<<16+1)
	for i := range many {
		many[i].ID = fmt.Sprint(i)
	}
	for name, c := range map[string]struct {
		nodes []ring.Node
		opts  []ring.Option
		is    error
		says  string
	}{
		"empty ID":        {nodes: []ring.Node{{ID: "a"}, {}}, is: ring.ErrInvalidNode, says: "node 1 has an empty ID"},
		"negative":        {nodes: []ring.Node{{ID: "a", Weight: -1}}, is: ring.ErrInvalidNode, says: `weight of "a" is -1`},
		"not a number":    {nodes: []ring.Node{{ID: "a", Weight: math.NaN()}}, is: ring.ErrInvalidNode, says: "NaN"},
		"infinite":        {nodes: []ring.Node{{ID: "a", Weight: math.Inf(1)}}, is: ring.ErrInvalidNode, says: "+Inf"},
		"duplicate":       {nodes: ring.Nodes("a", "b", "a"), is: ring.ErrDuplicateNode, says: `"a"`},
		"too many":        {nodes: many, is: ring.ErrTooManyNodes, says: "65537, want at most 65536"},
		"huge weight":     {nodes: []ring.Node{{ID: "a", Weight: 1e18}}, is: ring.ErrTooManyNodes, says: "5.12e+20 tokens"},
		"infinite count":  {nodes: []ring.Node{{ID: "a", Weight: math.MaxFloat64}}, is: ring.ErrTooManyNodes, says: "+Inf tokens"},
		"no tokens":       {nodes: ring.Nodes("a"), opts: []ring.Option{ring.WithTokens(tokens)}, is: ring.ErrInvalidNode, says: `none for "a"`},
		"nil function":    {opts: []ring.Option{ring.WithTokens(nil)}, says: "token function is nil"},
		"virtual nodes":   {opts: []ring.Option{ring.WithVirtualNodes(0)}, says: "virtual nodes is 0, want 1 to 268435456"},
		"too many of it":  {opts: []ring.Option{ring.WithVirtualNodes(1<<28 + 1)}, says: "want 1 to 268435456"},
		"tolerance":       {opts: []ring.Option{ring.WithTolerance(0)}, says: "tolerance is 0, want 0 < eps < 1"},
		"tolerance of 1":  {opts: []ring.Option{ring.WithTolerance(1)}, says: "tolerance is 1, want"},
		"tolerance is no": {opts: []ring.Option{ring.WithTolerance(math.NaN())}, says: "tolerance is NaN"},
	} {
		r, err := ring.New(c.nodes, c.opts...)
		require.Error(t, err, name)
		assert.Nil(t, r, name)
		assert.ErrorContains(t, err, c.says, name)
		assert.ErrorContains(t, err, "ring: ", name)
		if c.is != nil {
			assert.ErrorIs(t, err, c.is, name)
		}
	}
}

func TestChangeErrorsLeaveTheRing(t *testing.T) {
	r := mustNew(t, ring.Nodes("a", "b"), ring.WithVirtualNodes(10))
	print := r.Fingerprint()
	change := func(_ *ring.Ring, err error) error { return err }
	assert.ErrorIs(t, change(r.Add(ring.Nodes("b")...)), ring.ErrDuplicateNode)
	assert.ErrorIs(t, change(r.Add(ring.Nodes("c", "c")...)), ring.ErrDuplicateNode)
	assert.ErrorIs(t, change(r.Add(ring.Node{})), ring.ErrInvalidNode)
	assert.ErrorIs(t, change(r.Add(ring.Node{ID: "c", Weight: 1e10})), ring.ErrTooManyNodes)
	assert.ErrorIs(t, change(r.Remove("c")), ring.ErrUnknownNode)
	assert.ErrorIs(t, change(r.Remove("a", "a")), ring.ErrDuplicateNode)
	assert.ErrorIs(t, change(r.Update(ring.Node{ID: "c"})), ring.ErrUnknownNode)
	assert.ErrorIs(t, change(r.Update(ring.Node{ID: "a", Weight: -2})), ring.ErrInvalidNode)
	assert.ErrorIs(t, change(r.Update(ring.Nodes("a", "a")...)), ring.ErrDuplicateNode)
	assert.ErrorIs(t, change(r.Update(ring.Node{ID: "a", Weight: 1e9})), ring.ErrTooManyNodes)
	assert.Equal(t, print, r.Fingerprint())
	checkRing(t, newTwin(10, ring.Nodes("a", "b")...), r)
}

func TestZeroRing(t *testing.T) {
	var r ring.Ring
	assert.Zero(t, r.Len())
	assert.Zero(t, r.Node(0))
	assert.Zero(t, r.Node(-1))
	_, ok := r.Lookup("a")
	assert.False(t, ok)
	_, ok = r.OwnerString("a")
	assert.False(t, ok)
	assert.Equal(t, -1, r.Locate(1))
	assert.Empty(t, r.AppendOwnersString(nil, "a", 3))
	for range r.Walk(1) {
		t.Fatal("a zero ring has no nodes")
	}
	for range r.Tokens() {
		t.Fatal("a zero ring has no tokens")
	}
	assert.Equal(t, mustNew(t, nil).Fingerprint(), r.Fingerprint())
	for name, f := range map[string]func(){
		"Add":    func() { _, _ = r.Add(ring.Nodes("a")...) },
		"Remove": func() { _, _ = r.Remove("a") },
		"Update": func() { _, _ = r.Update(ring.Nodes("a")...) },
	} {
		assert.PanicsWithValue(t, "ring: "+name+" of a zero Ring: make it by New", f)
	}
}

// Equal preference lists, equal fingerprints: what places nothing does not show.
func TestFingerprintIsOfThePlacement(t *testing.T) {
	few := mustNew(t, ring.Nodes("a"), ring.WithVirtualNodes(1))
	many := mustNew(t, ring.Nodes("a"), ring.WithVirtualNodes(300))
	assert.Equal(t, few.Fingerprint(), many.Fingerprint(), "one node owns all")

	zoned := func(a, b, c string) uint64 {
		return mustNew(t, []ring.Node{{ID: "a", Zone: a}, {ID: "b", Zone: b}, {ID: "c", Zone: c}}).Fingerprint()
	}
	assert.Equal(t, zoned("x", "x", "y"), zoned("1", "1", ""), "names of zones place nothing")
	assert.NotEqual(t, zoned("x", "x", "y"), zoned("x", "y", "y"))
	assert.Equal(t, zoned("", "", ""), zoned("x", "x", "x"))
	assert.Equal(t, zoned("", "", ""), zoned("x", "y", "z"), "a zone for each node")

	base := mustNew(t, ring.Nodes("a", "b")).Fingerprint()
	for name, r := range map[string]*ring.Ring{
		"virtual nodes": mustNew(t, ring.Nodes("a", "b"), ring.WithVirtualNodes(511)),
		"a node":        mustNew(t, ring.Nodes("a", "b", "c")),
		"a name":        mustNew(t, ring.Nodes("a", "c")),
		"a weight":      mustNew(t, []ring.Node{{ID: "a"}, {ID: "b", Weight: 1.01}}),
		"a secret":      mustNew(t, ring.Nodes("a", "b"), ring.WithSecret([16]byte{})),
	} {
		assert.NotEqual(t, base, r.Fingerprint(), name)
	}
	shared := ring.WithTokens(func(dst []uint64, n ring.Node, count int) []uint64 {
		for token, m := range mustNew(t, ring.Nodes("a", "b")).Tokens() {
			if m.ID == n.ID {
				dst = append(dst, token)
			}
		}
		return dst
	})
	assert.Equal(t, base, mustNew(t, ring.Nodes("a", "b"), shared).Fingerprint(), "the same tokens from elsewhere")
}

func TestSharesSpreadAsTheFormulaSays(t *testing.T) {
	for _, c := range []struct{ nodes, virtual int }{{3, 512}, {10, 160}, {100, 40}, {1000, 160}} {
		r := mustNew(t, ring.Nodes(names(c.nodes)...), ring.WithVirtualNodes(c.virtual))
		sum := 0.0
		for _, s := range sharesOf(r) {
			d := s*float64(c.nodes) - 1
			sum += d * d
		}
		n, v := float64(c.nodes), float64(c.virtual)
		want := math.Sqrt((n - 1) / (n*v + 1))
		got := math.Sqrt(sum / n)
		assert.InDelta(t, want, got, 4*want/math.Sqrt(2*(n-1)), "%d nodes, %d tokens each", c.nodes, c.virtual)
	}
}

// sharesOf sums up the arcs of each node, by index.
func sharesOf(r *ring.Ring) []float64 {
	shares := make([]float64, r.Len())
	index := map[string]int{}
	for i := range r.Len() {
		index[r.Node(i).ID] = i
	}
	var last uint64
	for token := range r.Tokens() {
		last = token
	}
	for token, n := range r.Tokens() {
		shares[index[n.ID]] += float64(token-last) / (1 << 64)
		last = token
	}
	return shares
}

func TestWeightsAreShares(t *testing.T) {
	r := mustNew(t, []ring.Node{{ID: "one"}, {ID: "two", Weight: 2}, {ID: "half", Weight: 0.5}}, ring.WithVirtualNodes(4000))
	for i, s := range sharesOf(r) {
		assert.InEpsilon(t, r.Node(i).Weight/3.5, s, 0.1, r.Node(i).ID)
	}
}

func TestLookupsDoNotAllocate(t *testing.T) {
	var nodes []ring.Node
	for i, id := range names(100) {
		nodes = append(nodes, ring.Node{ID: id, Zone: fmt.Sprint(i % 3)})
	}
	key := []byte("some key")
	for name, r := range map[string]*ring.Ring{
		"plain":  mustNew(t, ring.Nodes(names(100)...)),
		"zones":  mustNew(t, nodes),
		"secret": mustNew(t, nodes, ring.WithSecret([16]byte{1})),
	} {
		ids := make([]string, 0, 100)
		list := make([]int, 0, 100)
		assert.Zero(t, testing.AllocsPerRun(100, func() {
			r.Owner(key)
			r.OwnerString("some key")
			r.Locate(1 << 60)
			r.AppendOwners(ids, key, 3)
			r.AppendOwnersString(ids, "some key", 8)
			r.AppendLocate(list, 1<<61, 3)
		}), name)
	}
}
