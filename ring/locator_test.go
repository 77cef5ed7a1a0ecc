package ring_test

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/distkit/distkit/internal/hash64"
	"github.com/distkit/distkit/internal/testkit"
	"github.com/distkit/distkit/ring"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// locator is the surface that all placements by node share.
type locator interface {
	ring.Locator
	Owner(key []byte) (string, bool)
	OwnerString(key string) (string, bool)
	OwnerHash(h uint64) (string, bool)
	AppendOwners(dst []string, key []byte, n int) []string
	AppendOwnersString(dst []string, key string, n int) []string
	AppendOwnersHash(dst []string, h uint64, n int) []string
}

// makers make all placements by node.
func makers(t testing.TB) map[string]func([]ring.Node, ...ring.Option) locator {
	tables := func(replicas int) func([]ring.Node, ...ring.Option) locator {
		return func(nodes []ring.Node, opts ...ring.Option) locator {
			return mustTable(t, nodes, replicas, append(opts, ring.WithPartitions(256))...)
		}
	}
	return map[string]func([]ring.Node, ...ring.Option) locator{
		"Ring":       func(nodes []ring.Node, opts ...ring.Option) locator { return mustNew(t, nodes, opts...) },
		"Rendezvous": func(nodes []ring.Node, opts ...ring.Option) locator { return mustRendezvous(t, nodes, opts...) },
		"Maglev":     func(nodes []ring.Node, opts ...ring.Option) locator { return mustMaglev(t, nodes, opts...) },
		"Table":      tables(1),
		"Table of 3": tables(3),
	}
}

func mustRendezvous(t testing.TB, nodes []ring.Node, opts ...ring.Option) *ring.Rendezvous {
	t.Helper()
	v, err := ring.NewRendezvous(nodes, opts...)
	require.NoError(t, err)
	return v
}

func mustMaglev(t testing.TB, nodes []ring.Node, opts ...ring.Option) *ring.Maglev {
	t.Helper()
	m, err := ring.NewMaglev(nodes, opts...)
	require.NoError(t, err)
	return m
}

// What every placement promises: the order of nodes does not matter, key forms
// agree, lists are distinct and begin each other, and the zone rule holds.
func TestLocators(t *testing.T) {
	testkit.NotUnderRace(t)
	rng := rand.New(rand.NewPCG(1, 15))
	for name, maker := range makers(t) {
		for i := range 20 {
			nodes := randomNodes(rng, []int{3, 20, 200}[i%3], 5)
			var opts []ring.Option
			if i%2 == 1 {
				opts = append(opts, ring.WithSecret(testSecret))
			}
			l := maker(nodes, opts...)
			rng.Shuffle(len(nodes), func(i, j int) { nodes[i], nodes[j] = nodes[j], nodes[i] })
			same := maker(nodes, opts...)
			w := newTwin(1, nodes...)
			require.Equal(t, len(nodes), l.Len(), name)
			require.Zero(t, l.Node(-1))
			require.Zero(t, l.Node(l.Len()))
			for i, id := range w.ids() {
				require.Equal(t, w.nodes[id], l.Node(i), name)
			}
			for range 20 {
				checkLocator(t, w, l, same, rng.Uint64())
			}
			key := fmt.Sprint("key", i)
			h := hash64.String(key)
			if i%2 == 1 {
				h = hash64.SipString(&testSecret, key)
			}
			checkKeyForms(t, l, key, h)
		}
	}
}

func checkLocator(t *testing.T, w *twin, l, same locator, h uint64) {
	t.Helper()
	all := l.AppendLocate(nil, h, l.Len()+5)
	require.Len(t, all, l.Len())
	require.Equal(t, all, same.AppendLocate(nil, h, l.Len()))
	sorted := slices.Clone(all)
	slices.Sort(sorted)
	require.Len(t, slices.Compact(sorted), l.Len(), "all nodes once")
	if l.Len() == 0 {
		require.Equal(t, -1, l.Locate(h))
		return
	}
	require.Equal(t, all[0], l.Locate(h))
	for _, n := range []int{-3, 0, 1, 2, 3, 7, 8, 9, 40} {
		n = min(n, len(all))
		require.Equal(t, append([]int{-5}, all[:max(n, 0)]...), l.AppendLocate([]int{-5}, h, n))
		require.Equal(t, idsAt(l, all[:max(n, 0)]), append([]string{}, l.AppendOwnersHash(nil, h, n)...))
	}
	// By the zone rule, a list that is spread anew stays as it is.
	ids := idsAt(l, all)
	require.Equal(t, w.spread(ids), ids)
}

func checkKeyForms(t *testing.T, l locator, key string, h uint64) {
	t.Helper()
	want, ok := l.OwnerHash(h)
	assert.Equal(t, l.Len() > 0, ok)
	got, ok := l.Owner([]byte(key))
	assert.Equal(t, l.Len() > 0, ok)
	assert.Equal(t, want, got)
	got, _ = l.OwnerString(key)
	assert.Equal(t, want, got)
	assert.Equal(t, l.AppendOwnersHash(nil, h, 3), l.AppendOwners(nil, []byte(key), 3))
	assert.Equal(t, l.AppendOwnersHash(nil, h, 3), l.AppendOwnersString(nil, key, 3))
}

func TestLocatorsDoNotAllocate(t *testing.T) {
	nodes := ring.Nodes(names(50)...)
	for i := range nodes {
		nodes[i].Zone = fmt.Sprint(i % 3)
		nodes[i].Weight = float64(1 + i%4)
	}
	list, ids := make([]int, 0, 50), make([]string, 0, 50)
	for name, maker := range makers(t) {
		for _, l := range []locator{maker(ring.Nodes(names(50)...)), maker(nodes)} {
			testkit.NoAllocs(t, name, func() {
				l.OwnerString("key")
				l.Locate(1 << 60)
				list = l.AppendLocate(list[:0], 1<<61, 3)
				list = l.AppendLocate(list[:0], 1<<61, 30)
				ids = l.AppendOwnersString(ids[:0], "key", 3)
				ids = l.AppendOwnersString(ids[:0], "key", 30)
			})
		}
	}
}

func TestOptionsThatDoNotApply(t *testing.T) {
	for name, opt := range map[string]ring.Option{
		"WithVirtualNodes": ring.WithVirtualNodes(3), "WithTolerance": ring.WithTolerance(0.1), "WithTableSize": ring.WithTableSize(7),
		"WithPartitions": ring.WithPartitions(8), "WithTokens": ring.WithTokens(ring.EnvoyTokens), "WithJumps": ring.WithJumps(), "WithSecret": ring.WithSecret(testSecret),
	} {
		for typ, c := range map[string]struct {
			err     error
			applies []string
		}{
			"Ring":       {second(ring.New(nil, opt)), []string{"WithVirtualNodes", "WithTolerance", "WithTokens", "WithSecret"}},
			"Rendezvous": {second(ring.NewRendezvous(nil, opt)), []string{"WithSecret"}},
			"Maglev":     {second(ring.NewMaglev(nil, opt)), []string{"WithSecret", "WithTableSize"}},
			"Table":      {second(ring.NewTable(nil, 1, opt)), []string{"WithSecret", "WithPartitions"}},
			"Bounded":    {second(ring.NewBounded(new(ring.Ring), 2, opt)), []string{"WithJumps"}},
		} {
			if slices.Contains(c.applies, name) {
				assert.NoError(t, c.err, "%s for %s", name, typ)
			} else {
				assert.EqualError(t, c.err, "ring: "+name+" does not apply to "+typ)
			}
		}
	}
}

func TestNilOptions(t *testing.T) {
	_, err := ring.New(nil, ring.WithVirtualNodes(3), nil)
	assert.EqualError(t, err, "ring: option 1 of Ring is nil")
	_, err = ring.NewBounded(new(ring.Ring), 2, nil)
	assert.EqualError(t, err, "ring: option 0 of Bounded is nil")
}

func second[T any](_ T, err error) error { return err }

// The twin of Rendezvous: real logarithms.
func TestRendezvousAgainstTwin(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 15))
	for _, equal := range []bool{true, false} {
		nodes := ring.Nodes(names(12)...)
		if !equal {
			for i := range nodes {
				nodes[i].Weight = []float64{1, 0.1, 7, 2.5}[i%4]
			}
		}
		v := mustRendezvous(t, nodes)
		cost := func(n ring.Node, h uint64) float64 {
			draw := hash64.Mix(h^hash64.String(n.ID), 0)
			return -math.Log2(float64(draw)/(1<<64)) / n.Weight
		}
		for range 3000 {
			h := rng.Uint64()
			want := slices.Clone(nodes)
			slices.SortFunc(want, func(a, b ring.Node) int { return cmp.Compare(cost(a, h), cost(b, h)) })
			var ids []string
			for _, n := range want {
				ids = append(ids, n.ID)
			}
			require.Equal(t, ids, v.AppendOwnersHash(nil, h, 12))
		}
	}
}

func TestSharesFollowWeights(t *testing.T) {
	nodes := []ring.Node{{ID: "a", Weight: 1}, {ID: "b", Weight: 2}, {ID: "c", Weight: 0.5}, {ID: "d", Weight: 6.5}}
	const keys = 200_000
	for name, maker := range makers(t) {
		if name == "Table of 3" {
			continue // d cannot have more than a third of the replicas
		}
		l := maker(nodes)
		counts := map[string]int{}
		rng := rand.New(rand.NewPCG(3, 15))
		for range keys {
			id, _ := l.OwnerHash(rng.Uint64())
			counts[id]++
		}
		for _, n := range nodes {
			lo, hi := testkit.RateBounds(n.Weight/10, keys, 5)
			rate := float64(counts[n.ID]) / keys
			slack := map[string]float64{"Ring": 0.15, "Maglev": 0.002, "Table": 0.04}[name] * n.Weight / 10
			assert.True(t, lo-slack <= rate && rate <= hi+slack, "%s: %s has %g", name, n.ID, rate)
		}
	}
}

// Nodes that join, leave or get another weight move only their own keys.
func TestRendezvousMovesNoOtherKeys(t *testing.T) {
	nodes := []ring.Node{{ID: "a", Weight: 1}, {ID: "b", Weight: 2}, {ID: "c", Weight: 3}, {ID: "d", Weight: 1}}
	before := mustRendezvous(t, nodes)
	joined := mustRendezvous(t, append(slices.Clone(nodes), ring.Node{ID: "e", Weight: 100}))
	left := mustRendezvous(t, nodes[1:])
	nodes[2].Weight = 2
	lighter := mustRendezvous(t, nodes)
	rng := rand.New(rand.NewPCG(4, 15))
	for range 20_000 {
		h := rng.Uint64()
		was, _ := before.OwnerHash(h)
		now, _ := joined.OwnerHash(h)
		require.True(t, now == was || now == "e")
		now, _ = left.OwnerHash(h)
		require.True(t, now == was || was == "a")
		now, _ = lighter.OwnerHash(h)
		require.True(t, now == was || was == "c")
	}
}

// The example of the paper, table 1: three backends, seven entries; then B1
// leaves.
func TestMaglevPaper(t *testing.T) {
	assert.Equal(t, []uint16{1, 0, 1, 0, 2, 2, 0}, ring.Fill(7, []uint32{3, 0, 3}, []uint32{4, 2, 1}))
	assert.Equal(t, []uint16{0, 0, 0, 0, 1, 1, 1}, ring.Fill(7, []uint32{3, 3}, []uint32{4, 1}))
}

func TestMaglevIsEven(t *testing.T) {
	m := mustMaglev(t, ring.Nodes(names(100)...))
	counts := make([]int, 100)
	for i := range uint64(65537) {
		counts[m.Locate(i*(math.MaxUint64/65537)+1<<40)]++
	}
	assert.LessOrEqual(t, slices.Max(counts)-slices.Min(counts), 3)

	// A node whose weight is next to nothing has an entry, and a place in lists.
	m = mustMaglev(t, []ring.Node{{ID: "a"}, {ID: "b", Weight: 1e-30}}, ring.WithTableSize(101))
	found := 0
	for i := range uint64(101) {
		found += m.Locate(i*(math.MaxUint64/101) + 1<<50)
	}
	assert.Equal(t, 1, found)
	assert.Equal(t, []int{0, 1}, m.AppendLocate(nil, 1<<63, 2))
}

func TestMaglevErrors(t *testing.T) {
	for _, size := range []int{-7, 0, 1, 4, 65536, 1<<28 + 3} {
		_, err := ring.NewMaglev(nil, ring.WithTableSize(size))
		assert.EqualError(t, err, fmt.Sprintf("ring: table size is %d, want a prime up to 268435456", size))
	}
	_, err := ring.NewMaglev(ring.Nodes(names(8)...), ring.WithTableSize(7))
	assert.ErrorIs(t, err, ring.ErrTooManyNodes)
	_, err = ring.NewMaglev(ring.Nodes("a", "a"))
	assert.ErrorIs(t, err, ring.ErrDuplicateNode)
	_, err = ring.NewRendezvous([]ring.Node{{}})
	assert.ErrorIs(t, err, ring.ErrInvalidNode)
	m, err := ring.NewMaglev(ring.Nodes("a", "b"), ring.WithTableSize(2))
	require.NoError(t, err)
	assert.NotEqual(t, m.Locate(0), m.Locate(math.MaxUint64))
}

func TestZeroLocators(t *testing.T) {
	for name, l := range map[string]locator{"Ring": new(ring.Ring), "Rendezvous": new(ring.Rendezvous), "Maglev": new(ring.Maglev), "Table": new(ring.Table)} {
		assert.Zero(t, l.Len(), name)
		assert.Zero(t, l.Node(0), name)
		assert.Equal(t, -1, l.Locate(5), name)
		assert.Empty(t, l.AppendLocate(nil, 5, 3), name)
		assert.Empty(t, l.AppendOwnersString(nil, "key", 3), name)
		_, ok := l.OwnerString("key")
		assert.False(t, ok, name)
	}
}
