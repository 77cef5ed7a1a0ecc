package merkle_test

import (
	"bytes"
	"encoding/gob"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"testing"
	"testing/iotest"

	"github.com/distkit/distkit/internal/testkit"
	"github.com/distkit/distkit/merkle"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// few is a tree of n entries, put by key.
func few(t testing.TB, n int, opts ...merkle.TreeOption) *merkle.Tree {
	tree := newTree(t, opts...)
	for i := range n {
		tree.PutString(fmt.Sprint("key", i), fmt.Append(nil, "v", i))
	}
	return tree
}

// An image of today decodes for as long as the version is the same.
func TestGoldenImages(t *testing.T) {
	for name, opts := range optionSets {
		t.Run(name, func(t *testing.T) {
			image := must(few(t, 5, opts...).MarshalBinary())
			testkit.Golden(t, "testdata/v0/tree-"+name+".bin", image)
			back := newTree(t, opts...)
			require.NoError(t, back.UnmarshalBinary(image))
			require.True(t, back.Equal(few(t, 5, opts...)))
		})
	}
}

// Images of trees of any size and shape decode to an equal tree that is sound and
// goes on changing, whatever the receiver held.
func TestImagesRoundTrip(t *testing.T) {
	testkit.NotUnderRace(t)
	sizes := []int{0, 1, 2, 55, 56, 57, 63, 64, 112, 1568, 1569, 2016, 2017, 5000}
	for _, shape := range []string{"uniform", "clustered"} {
		position := shapes[shape]
		for name, opts := range optionSets {
			rng := rand.New(rand.NewPCG(21, 22))
			for _, n := range sizes {
				w := twin{}
				for range n {
					w[position(rng)] = rng.Uint64()
				}
				what := fmt.Sprint(shape, " ", name, " ", n)
				tree, back := treeOf(t, w, opts...), few(t, 300, opts...)
				image := must(tree.MarshalBinary())
				require.Len(t, image, 32+16*len(w))
				require.NoError(t, back.UnmarshalBinary(image), what)
				check(t, w, back)
				require.True(t, back.Equal(tree) && tree.Equal(back), what)
				require.Equal(t, tree.Summary(merkle.Range{}), back.Summary(merkle.Range{}), what)
				require.Equal(t, image, must(back.MarshalBinary()), what)

				var stream bytes.Buffer
				for range 2 {
					require.EqualValues(t, len(image), must(tree.WriteTo(&stream)))
				}
				require.Equal(t, append(bytes.Clone(image), image...), stream.Bytes(), what)
				from := newTree(t, opts...)
				require.EqualValues(t, len(image), must(from.ReadFrom(iotest.HalfReader(&stream))))
				check(t, w, from)

				for range 200 {
					h := position(rng)
					from.PutHash(h, 9)
					w[h] = 9
					h = position(rng)
					from.DeleteHash(h)
					delete(w, h)
				}
				check(t, w, from)
				clone := from.Clone()
				check(t, w, clone)
				require.True(t, clone.Equal(from), what)
			}
		}
	}
}

// The history of a tree is not in its image.
func TestImagesAreCanonical(t *testing.T) {
	a, b := few(t, 3000), newTree(t)
	require.NoError(t, b.Merge(few(t, 6000)))
	for i := 3000; i < 6000; i++ {
		require.True(t, b.DeleteString(fmt.Sprint("key", i)))
	}
	assert.Equal(t, must(a.MarshalBinary()), must(b.MarshalBinary()))
	half := b.Cut(merkle.Range{Start: 1 << 63, End: 1 << 61})
	assert.False(t, a.Equal(b))
	require.NoError(t, b.Join(half))
	assert.Equal(t, must(a.MarshalBinary()), must(b.MarshalBinary()))
}

func TestImagesInOtherFormats(t *testing.T) {
	tree := few(t, 100, merkle.WithoutSketches())
	var back merkle.Tree
	require.NoError(t, json.Unmarshal(must(json.Marshal(tree)), &back))
	assert.True(t, tree.Equal(&back))
	var buf bytes.Buffer
	require.NoError(t, gob.NewEncoder(&buf).Encode(tree))
	var again merkle.Tree
	require.NoError(t, gob.NewDecoder(&buf).Decode(&again))
	assert.True(t, tree.Equal(&again))
	again.PutHash(1, 2)
	assert.Equal(t, 101, again.Len())
}

func TestEqualTellsAllApart(t *testing.T) {
	all := []*merkle.Tree{new(merkle.Tree), newTree(t), few(t, 300), few(t, 301), few(t, 300, merkle.WithoutSketches())}
	for _, secret := range [][16]byte{{}, {1}} {
		all = append(all, few(t, 300, merkle.WithSecret(secret)), few(t, 300, merkle.WithSumSecret(secret)))
	}
	changed := few(t, 300)
	changed.PutString("key7", []byte("other"))
	all = append(all, changed)
	for i, a := range all {
		assert.False(t, a.Equal(nil))
		for j, b := range all {
			assert.Equal(t, i == j, a.Equal(b), "%d and %d", i, j)
		}
	}
}

func TestCloneAndReset(t *testing.T) {
	for name, opts := range optionSets {
		tree, want := few(t, 3000, opts...), few(t, 3000, opts...)
		clone := tree.Clone()
		for i := range 3000 {
			clone.DeleteString(fmt.Sprint("key", i))
			clone.PutHash(uint64(i), 1)
		}
		require.True(t, tree.Equal(want), name)
		tree.Reset()
		require.NoError(t, tree.Check())
		require.True(t, tree.Equal(newTree(t, opts...)), name)
		tree.PutString("key0", []byte("v0"))
		require.True(t, tree.Equal(few(t, 1, opts...)), name)
	}
	assert.True(t, new(merkle.Tree).Clone().Equal(new(merkle.Tree)))
	_, err := new(merkle.Tree).MarshalText()
	assert.EqualError(t, err, "merkle: zero value has nothing to encode, make one with NewTree")
	_, err = new(merkle.Tree).WriteTo(io.Discard)
	assert.EqualError(t, err, "merkle: zero value has nothing to encode, make one with NewTree")
}

// SizeBytes is what the heap says.
func TestSizeBytes(t *testing.T) {
	for name, opts := range optionSets {
		var tree *merkle.Tree
		used := testkit.LiveBytes(func() any {
			tree = newTree(t, opts...)
			for h := range uint64(50_000) {
				tree.PutHash(h*0x9e3779b97f4a7c15, h)
			}
			return tree
		})
		// The allocator rounds up, by an eighth at most.
		size := uint64(tree.SizeBytes())
		assert.LessOrEqual(t, size, used, name)
		assert.GreaterOrEqual(t, size*9/8+4096, used, name)
		assert.Less(t, tree.Clone().SizeBytes(), int(size), "%s: a clone is compact", name)
	}
	assert.Positive(t, new(merkle.Tree).SizeBytes())
}
