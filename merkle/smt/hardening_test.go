package smt_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
	"testing"

	"github.com/distkit/distkit/internal/testkit"
	"github.com/distkit/distkit/merkle"
	"github.com/distkit/distkit/merkle/smt"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// proofs returns proofs of all kinds in one map: of presence, of absence by an
// empty subtree and by another leaf, with empty siblings and without.
func proofs(t *testing.T) (root merkle.Hash, keys [][]byte, all []smt.Proof) {
	m := smt.New()
	for i := range 40 {
		m.Set(fmt.Append(nil, i), []byte("v"))
	}
	kinds := map[string]int{}
	for i := range 120 {
		p := m.Prove(fmt.Append(nil, i))
		kind := fmt.Sprint(i < 40, p.OtherLeaf() != nil, slices.Contains(p.Siblings, merkle.Hash{}))
		if kinds[kind]++; kinds[kind] <= 3 {
			keys, all = append(keys, fmt.Append(nil, i)), append(all, p)
		}
	}
	require.Len(t, kinds, 6, "%v", kinds)
	return m.Root(), keys, all
}

// verdict is what a verifier that does not know what to expect learns.
func verdict(root merkle.Hash, key []byte, p smt.Proof) string {
	present, absent := p.VerifyPresent(root, key, []byte("v")), p.VerifyAbsent(root, key)
	switch {
	case present == nil && absent == nil:
		return "both"
	case present == nil:
		return "present"
	case absent == nil:
		return "absent"
	}
	return "refused"
}

// No change of a proof changes what it says: whatever is accepted was said by the
// map. (A change may still hold, if it does not change what is hashed.)
func TestMutationsAreRefused(t *testing.T) {
	root, keys, all := proofs(t)
	for k, p := range all {
		sound := verdict(root, keys[k], p)
		require.NotEqual(t, "refused", sound)
		require.NotEqual(t, "both", sound)
		refuse := func(what string, siblings []merkle.Hash) {
			t.Helper()
			bad := p
			bad.Siblings = siblings
			require.Equal(t, "refused", verdict(root, keys[k], bad), what)
		}
		for i := range p.Siblings {
			for _, bit := range []int{0, 9, 255} {
				bad := slices.Clone(p.Siblings)
				bad[i][bit/8] ^= 1 << (bit % 8)
				refuse(fmt.Sprintf("bit %d of sibling %d", bit, i), bad)
			}
			refuse("a sibling less", slices.Delete(slices.Clone(p.Siblings), i, i+1))
			refuse("a sibling more", slices.Insert(slices.Clone(p.Siblings), i, merkle.Hash{}))
		}
		refuse("an empty one at the top", append(slices.Clone(p.Siblings), merkle.Hash{}))
		refuse("none", nil)
		refuse("256 empty ones", make([]merkle.Hash, 256))
		refuse("too many", make([]merkle.Hash, 257))
		refuse("far too many", make([]merkle.Hash, 1<<16))
		require.Equal(t, "refused", verdict(merkle.Hash{}, keys[k], p), "no root")
	}
}

// Every bit of an encoded proof, and every cut of it, makes another proof that
// does not hold, or bytes that are no proof.
func TestFlippedBits(t *testing.T) {
	root, keys, all := proofs(t)
	for k, p := range all {
		image := must(p.MarshalBinary())
		got := p
		for i := range image {
			require.ErrorIs(t, got.UnmarshalBinary(image[:i]), merkle.ErrCorrupt)
			for bit := range 8 {
				bad := bytes.Clone(image)
				bad[i] ^= 1 << bit
				var q smt.Proof
				if err := q.UnmarshalBinary(bad); err != nil {
					require.ErrorIs(t, err, merkle.ErrCorrupt)
					continue
				}
				require.Equal(t, bad, must(q.MarshalBinary()))
				require.Equal(t, "refused", verdict(root, keys[k], q), "bit %d of byte %d", bit, i)
			}
		}
		require.ErrorIs(t, got.UnmarshalBinary(append(bytes.Clone(image), 0)), merkle.ErrCorrupt)
		require.Equal(t, p, got, "a failed decoding leaves the receiver as it was")
	}
}

// A leaf that is somewhere else shows nothing about the key.
func TestForeignLeaf(t *testing.T) {
	root, keys, all := proofs(t)
	refused := map[string]bool{}
	for _, p := range all {
		for i, key := range keys {
			err := p.VerifyAbsent(root, key)
			if i < 40 && slices.Equal(p.Siblings, all[i].Siblings) {
				continue // the same place
			}
			if err != nil {
				require.ErrorIs(t, err, merkle.ErrProof)
				refused[err.Error()[:20]] = true
			}
		}
	}
	assert.Contains(t, refused, "smt: the leaf of the")
	m := smt.New()
	m.Set([]byte("a"), []byte("v"))
	p := m.Prove([]byte("b"))
	require.NoError(t, p.VerifyAbsent(m.Root(), []byte("b")))
	assert.ErrorContains(t, p.VerifyAbsent(m.Root(), []byte("a")), "smt: the leaf of the proof is the key's own")
	assert.ErrorContains(t, p.VerifyPresent(m.Root(), []byte("a"), []byte("v")), "smt: proof shows absence, not presence")
}

// A tree that somebody built with a leaf in another's place shows nothing about
// keys that the place is not for.
func TestMisplacedLeaf(t *testing.T) {
	key := []byte("key")
	path, value := sum(key), sum([]byte("v"))
	for n := 1; n <= 256; n++ { // the leaf differs in bit n-1
		foreign := path
		foreign[(n-1)/8] ^= 0x80 >> ((n - 1) % 8)
		root := leaf{foreign, value}.hash()
		for at := n - 1; at >= 0; at-- { // of siblings that are empty, where key leads
			l, r := root, merkle.Hash{}
			if bit(path, at) == 1 {
				l, r = r, l
			}
			root = sum([]byte{1}, l[:], r[:])
		}
		image := append(binary.AppendUvarint([]byte{0, 1}, uint64(n)), make([]byte, (n+7)/8)...)
		image = slices.Concat(image, foreign[:], value[:])
		var p smt.Proof
		require.NoError(t, p.UnmarshalBinary(image))
		require.ErrorContains(t, p.VerifyAbsent(root, key), fmt.Sprintf("shares %d bits with the key, want %d", n-1, n))
	}
}

func TestZeroProof(t *testing.T) {
	var p smt.Proof
	assert.NoError(t, p.VerifyAbsent(merkle.Hash{}, []byte("a")), "the empty map has no key")
	assert.ErrorIs(t, p.VerifyPresent(merkle.Hash{}, []byte("a"), nil), merkle.ErrProof)
	assert.ErrorIs(t, p.VerifyAbsent(merkle.Hash{1}, []byte("a")), merkle.ErrProof)
	assert.Nil(t, p.OtherLeaf())
	assert.Equal(t, p, new(smt.Map).Prove([]byte("a")))
	assert.Equal(t, []byte{0, 0, 0}, must(p.MarshalBinary()))
}

func TestCorruptionIsNamed(t *testing.T) {
	leaf := make([]byte, 64)
	for want, data := range map[string][]byte{
		"2 bytes, want at least 3":                                       {0, 0},
		"begins with version 1 and flags 0x00, want 0 and none but 0x01": {1, 0, 0},
		"begins with version 0 and flags 0x02, want 0 and none but 0x01": {0, 2, 0},
		"number of siblings is no shortest varint up to 256":             {0, 0, 0x81, 0x02},
		"1 bytes left, want a bitmap of 2":                               {0, 0, 9, 0},
		"bitmap has bits beyond sibling 1":                               {0, 0, 1, 2},
		"0 bytes left, want 32":                                          {0, 0, 1, 1},
		"sibling 0 is zero, want its bit to be":                          append([]byte{0, 0, 1, 1}, leaf[:32]...),
		"63 bytes left, want 64":                                         append([]byte{0, 1, 0}, leaf[:63]...),
	} {
		var p smt.Proof
		err := p.UnmarshalBinary(data)
		assert.EqualError(t, err, "smt: corrupt encoding: "+want)
		assert.ErrorIs(t, err, merkle.ErrCorrupt)
	}
	for _, data := range [][]byte{{0, 0, 0x80, 0}, {0, 0, 0x80, 0x80, 0}, {0, 0, 0x80}, {0, 0, 0x81, 0}, {0, 0, 0x80, 0x82, 0}, bytes.Repeat([]byte{0xff}, 20), {0, 0, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1}} {
		var p smt.Proof
		assert.ErrorIs(t, p.UnmarshalBinary(data), merkle.ErrCorrupt)
	}
	_, err := smt.Proof{Siblings: make([]merkle.Hash, 257)}.MarshalBinary()
	assert.EqualError(t, err, "smt: proof of 257 siblings, want at most 256")
}

// The encodings of version 0, as this release writes them.
func TestGolden(t *testing.T) {
	_, _, all := proofs(t)
	var images []byte
	for _, p := range all {
		images = append(images, must(p.MarshalBinary())...)
	}
	testkit.Golden(t, "testdata/v0/proofs.bin", images)
}

// Three bytes that promise 256 siblings.
func TestBombs(t *testing.T) {
	var p smt.Proof
	used := testkit.AllocatedBytes(func() {
		for range 100 {
			assert.ErrorIs(t, p.UnmarshalBinary([]byte{0, 1, 0x80, 0x02}), merkle.ErrCorrupt)
		}
	})
	assert.Less(t, used, uint64(1<<20))
	require.NoError(t, p.UnmarshalBinary(append([]byte{0, 0, 0x80, 0x02}, make([]byte, 32)...)), "256 empty siblings are 36 bytes")
	assert.Len(t, p.Siblings, 256)
}
