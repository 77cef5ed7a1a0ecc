package smt_test

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/distkit/distkit/merkle"
	"github.com/distkit/distkit/merkle/smt"
	"github.com/stretchr/testify/require"
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func sum(parts ...[]byte) merkle.Hash { return sha256.Sum256(slices.Concat(parts...)) }

func bit(path merkle.Hash, i int) int { return int(path[i/8]>>(7-i%8)) & 1 }

// twin is the set of keys and values; its tree is built anew by recursion over
// all 256 levels whenever it is asked for.
type twin map[string]string

type leaf struct{ path, value merkle.Hash }

func (l leaf) hash() merkle.Hash { return sum([]byte{0}, l.path[:], l.value[:]) }

func (w twin) leaves() (all []leaf) {
	for k, v := range w {
		all = append(all, leaf{sum([]byte(k)), sum([]byte(v))})
	}
	slices.SortFunc(all, func(a, b leaf) int { return bytes.Compare(a.path[:], b.path[:]) })
	return all
}

func halves(leaves []leaf, depth int) [2][]leaf {
	i := 0
	for i < len(leaves) && bit(leaves[i].path, depth) == 0 {
		i++
	}
	return [2][]leaf{leaves[:i], leaves[i:]}
}

func rootOf(leaves []leaf, depth int) merkle.Hash {
	switch len(leaves) {
	case 0:
		return merkle.Hash{}
	case 1:
		return leaves[0].hash()
	}
	h := halves(leaves, depth)
	l, r := rootOf(h[0], depth+1), rootOf(h[1], depth+1)
	return sum([]byte{1}, l[:], r[:])
}

func (w twin) root() merkle.Hash { return rootOf(w.leaves(), 0) }

// proof returns the siblings, bottom-up, and the leaf where the key would be.
func (w twin) proof(key string) (siblings []merkle.Hash, other []byte) {
	path, leaves := sum([]byte(key)), w.leaves()
	for depth := 0; len(leaves) > 1; depth++ {
		h := halves(leaves, depth)
		b := bit(path, depth)
		siblings = append(siblings, rootOf(h[1-b], depth+1))
		leaves = h[b]
	}
	slices.Reverse(siblings)
	if len(leaves) == 1 && leaves[0].path != path {
		other = slices.Concat([]byte{0}, leaves[0].path[:], leaves[0].value[:])
	}
	return siblings, other
}

// check holds that m is the map of w, by all that it answers.
func check(t *testing.T, w twin, m *smt.Map) {
	t.Helper()
	require.Equal(t, len(w), m.Len())
	root := w.root()
	require.Equal(t, root, m.Root())
	keys := append(slices.Sorted(maps.Keys(w)), "absent", "", "another")
	for i := 0; i < len(keys); i += 1 + len(keys)/20 {
		checkKey(t, w, m, root, keys[i])
	}
	checkKey(t, w, m, root, "not there")
}

func checkKey(t *testing.T, w twin, m *smt.Map, root merkle.Hash, key string) {
	t.Helper()
	value, present := w[key]
	got, ok := m.Get([]byte(key))
	require.Equal(t, present, ok)
	p := m.Prove([]byte(key))
	siblings, other := w.proof(key)
	require.Equal(t, siblings, p.Siblings, key)
	require.Equal(t, other, p.OtherLeaf(), key)
	if present {
		require.Equal(t, sum([]byte(value)), got)
		require.NoError(t, p.VerifyPresent(root, []byte(key), []byte(value)))
		require.ErrorIs(t, p.VerifyPresent(root, []byte(key), []byte(value+"!")), merkle.ErrProof)
		require.ErrorIs(t, p.VerifyAbsent(root, []byte(key)), merkle.ErrProof)
	} else {
		require.True(t, got.IsZero())
		require.NoError(t, p.VerifyAbsent(root, []byte(key)), key)
		require.ErrorIs(t, p.VerifyPresent(root, []byte(key), nil), merkle.ErrProof)
	}
	var back smt.Proof
	require.NoError(t, back.UnmarshalBinary(must(p.MarshalBinary())))
	require.Equal(t, p, back)
}

// step changes a map and its twin by chance, so that keys come and go.
func step(rnd *rand.Rand, keys int, w twin, m *smt.Map) {
	key := fmt.Sprint("key ", rnd.IntN(keys))
	if rnd.IntN(3) == 0 {
		_, present := w[key]
		delete(w, key)
		if m.Delete([]byte(key)) != present {
			panic("Delete told wrong")
		}
		return
	}
	w[key] = fmt.Sprint("value ", rnd.IntN(4))
	m.Set([]byte(key), []byte(w[key]))
}
