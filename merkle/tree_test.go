package merkle_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/distkit/distkit/internal/hash64"
	"github.com/distkit/distkit/internal/testkit"
	"github.com/distkit/distkit/merkle"
	"github.com/distkit/distkit/ring"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestOptions(t *testing.T) {
	_, err := merkle.NewTree(merkle.WithSecret([16]byte{}), merkle.WithSumSecret([16]byte{}))
	assert.EqualError(t, err, "merkle: WithSecret and WithSumSecret exclude each other")
	_, err = merkle.NewTree(nil)
	assert.EqualError(t, err, "merkle: option is nil")
}

func TestZeroTree(t *testing.T) {
	var tree merkle.Tree
	_, ok := tree.Get(1)
	assert.False(t, ok || tree.Delete(nil) || tree.DeleteString("a") || tree.DeleteHash(1))
	assert.Zero(t, tree.Len())
	assert.Zero(t, tree.Summary(merkle.Range{}))
	assert.Zero(t, tree.Cut(merkle.Range{}).Len())
	assert.Zero(t, tree.Snapshot().Len())
	assert.NoError(t, newTree(t).Join(&tree))
	assert.NoError(t, newTree(t).Merge(&tree))
	for range tree.Entries(merkle.Range{}) {
		t.Error("an entry")
	}
	for _, put := range []func(){func() { tree.Put(nil, nil) }, func() { tree.PutString("", nil) }, func() { tree.PutHash(1, 2) }} {
		assert.PanicsWithValue(t, "merkle: put into a zero Tree: make one by NewTree", put)
	}
}

// Positions are the ring's: by XXH64, or by SipHash under WithSecret.
func TestPositions(t *testing.T) {
	secret := [16]byte{5: 9}
	for name, want := range map[string]uint64{"plain": hash64.String("key"), "secret": hash64.SipString(&secret, "key"), "sumSecret": hash64.String("key")} {
		opts := map[string][]merkle.TreeOption{"secret": {merkle.WithSecret(secret)}, "sumSecret": {merkle.WithSumSecret(secret)}}[name]
		a, b := newTree(t, opts...), newTree(t, opts...)
		a.Put([]byte("key"), []byte("v"))
		b.PutString("key", []byte("v"))
		v, ok := a.Get(want)
		require.True(t, ok, name)
		assert.Equal(t, a.Summary(merkle.Range{}), b.Summary(merkle.Range{}))
		digest := hash64.String("v")
		if name != "plain" {
			digest = hash64.SipString(&secret, "v")
		}
		assert.Equal(t, digest, v)
		assert.True(t, a.Delete([]byte("key")) && b.DeleteString("key"))
		assert.False(t, a.Delete([]byte("key")) || b.DeleteString("key"))
	}
	// Range is ring.Range, field by field.
	assert.Equal(t, merkle.Range{Start: 1, End: 2}, merkle.Range(ring.Range{Start: 1, End: 2}))
}

// A tree counts the ranges of a ring exactly, with the ring's secret or without.
func TestTreeCountsTheRangesOfARing(t *testing.T) {
	secret := [16]byte{7}
	for name, opts := range map[string]struct {
		ring []ring.Option
		tree []merkle.TreeOption
	}{
		"plain":     {},
		"secret":    {[]ring.Option{ring.WithSecret(secret)}, []merkle.TreeOption{merkle.WithSecret(secret)}},
		"sumSecret": {nil, []merkle.TreeOption{merkle.WithSumSecret(secret)}},
	} {
		r := must(ring.New([]ring.Node{{ID: "a"}, {ID: "b"}, {ID: "c"}}, opts.ring...))
		tree, want := newTree(t, opts.tree...), map[string]uint64{}
		for i := range 2000 {
			key := fmt.Sprint("key", i)
			tree.PutString(key, nil)
			id, _ := r.OwnerString(key)
			want[id]++
		}
		for id, n := range want {
			got := uint64(0)
			for arc := range r.Ranges(id, 1) {
				got += tree.Summary(merkle.Range(arc)).Count
			}
			assert.Equal(t, n, got, "%s: %s", name, id)
			s := must(tree.Initiate(merkle.WithRanges(slices.Collect(r.Ranges(id, 1))...), merkle.WithMaxMessage(1<<20)))
			assert.NotEmpty(t, must2(s.Next(nil, nil)))
		}
	}
}

func TestOtherSecretsAreIncompatible(t *testing.T) {
	var trees []*merkle.Tree
	for _, opts := range [][]merkle.TreeOption{nil, {merkle.WithSecret([16]byte{1})}, {merkle.WithSecret([16]byte{2})}, {merkle.WithSumSecret([16]byte{1})}, {merkle.WithSumSecret([16]byte{})}} {
		tree := newTree(t, opts...)
		tree.PutHash(uint64(len(trees)), 1)
		trees = append(trees, tree)
	}
	for i, a := range trees {
		assert.ErrorIs(t, a.Join(nil), merkle.ErrIncompatible)
		for j, b := range trees {
			if i != j {
				assert.ErrorIs(t, a.Join(b), merkle.ErrIncompatible)
				assert.ErrorIs(t, a.Merge(b), merkle.ErrIncompatible)
				assert.NotEqual(t, a.Summary(merkle.Range{}), b.Summary(merkle.Range{}))
			}
		}
	}
}

func TestHotPathsDoNotAllocate(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	for name, opts := range optionSets {
		tree := newTree(t, opts...)
		hs := make([]uint64, 20000)
		for i := range hs {
			hs[i] = rng.Uint64()
			tree.PutHash(hs[i], 1)
		}
		i := 0
		testkit.NoAllocs(t, name, func() {
			h := hs[i%len(hs)]
			tree.PutHash(h, uint64(i))
			tree.Summary(merkle.Range{Start: h, End: hs[(i+1)%len(hs)]})
			tree.Get(h)
			tree.DeleteHash(h)
			i++
		})
		require.NoError(t, tree.Check())
	}
}

// Snapshots are read while the tree changes.
func TestSnapshotsAreFreeThreaded(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 2))
	tree := newTree(t)
	for range 5000 {
		tree.PutHash(rng.Uint64(), 1)
	}
	s, want := tree.Snapshot(), tree.Summary(merkle.Range{})
	done := make(chan merkle.Summary)
	for range 4 {
		go func() {
			again := newTree(t)
			for h, v := range s.Snapshot().Entries(merkle.Range{}) {
				again.PutHash(h, v)
			}
			done <- again.Summary(merkle.Range{})
		}()
	}
	for range 20000 {
		tree.PutHash(rng.Uint64(), 2)
	}
	for range 4 {
		assert.Equal(t, want, <-done)
	}
}

func TestMemory(t *testing.T) {
	const n = 100_000
	rng := rand.New(rand.NewPCG(3, 3))
	for name, limit := range map[string]uint64{"plain": 28, "lean": 26} {
		used := testkit.LiveBytes(func() any {
			tree := newTree(t, optionSets[name]...)
			for range n {
				tree.PutHash(rng.Uint64(), 1)
			}
			return tree
		})
		t.Log(name, float64(used)/n)
		assert.LessOrEqual(t, used, limit*n, name)
	}
}

func TestHashText(t *testing.T) {
	h := merkle.Hash{1, 2, 31: 255}
	text, err := h.MarshalText()
	require.NoError(t, err)
	var back merkle.Hash
	require.NoError(t, back.UnmarshalText(text))
	assert.Equal(t, h, back)
	for _, bad := range []string{"", "00", string(text) + "0", "zz" + string(text[2:]), string(text[:62]) + "FF"} {
		assert.ErrorIs(t, back.UnmarshalText([]byte(bad)), merkle.ErrCorrupt, bad)
		assert.Equal(t, h, back)
	}
}
