package ring_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/distkit/distkit/internal/codec"
	"github.com/distkit/distkit/internal/testkit"
	"github.com/distkit/distkit/ring"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// mustRefuse holds that the image is refused as corrupt by all decoders, and that
// the receiver stays as it was.
func mustRefuse(t *testing.T, image []byte, why string, args ...any) {
	t.Helper()
	r := mustNew(t, ring.Nodes("old"), ring.WithVirtualNodes(3))
	before := marshal(t, r)
	require.ErrorIs(t, r.UnmarshalBinary(image), ring.ErrCorrupt, why, args)
	require.Equal(t, before, marshal(t, r), why, args)
	_, err := r.ReadFrom(bytes.NewReader(image))
	require.ErrorIs(t, err, ring.ErrCorrupt, why, args)
	require.Equal(t, before, marshal(t, r), why, args)
}

// Threat: damage in transit or on disk.
func TestDamagedImages(t *testing.T) {
	for name, pair := range images(t) {
		image := marshal(t, pair[0])
		if name == "secret" {
			continue // covered by the others; its receiver differs
		}
		for cut := range image {
			mustRefuse(t, image[:cut], "%s cut to %d", name, cut)
		}
		for i := range image {
			for bit := range 8 {
				damaged := bytes.Clone(image)
				damaged[i] ^= 1 << bit
				require.ErrorIs(t, new(ring.Ring).UnmarshalBinary(damaged), ring.ErrCorrupt, "%s, byte %d", name, i)
			}
		}
		require.ErrorIs(t, new(ring.Ring).UnmarshalBinary(append(bytes.Clone(image), 0)), ring.ErrCorrupt)
	}
	_, err := new(ring.Ring).ReadFrom(bytes.NewReader(marshal(t, mustNew(t, zoned))[:50]))
	assert.ErrorIs(t, err, io.ErrUnexpectedEOF)
	mustRefuse(t, nil, "nothing")
}

// craft returns an image with a checksum that is right.
func craft(must byte, params []uint64, payload ...[]byte) []byte {
	body := bytes.Join(payload, nil)
	h := codec.Header{Kind: codec.Ring, Must: must, Params: params}
	return codec.AppendSum(append(codec.AppendHeader(nil, h, len(body)), body...), 0)
}

// node returns how a node is encoded.
func node(id, zone string, weight float64) []byte {
	b := append([]byte{byte(len(id))}, id...)
	b = append(append(b, byte(len(zone))), zone...)
	return binary.LittleEndian.AppendUint64(b, math.Float64bits(weight))
}

// Threat: an image that is sound to the last byte but lies.
func TestCraftedImages(t *testing.T) {
	one := math.Float64bits(1)
	plain := []uint64{8, 0, 0, 1}
	token := []byte{1, 2, 3, 4, 5, 6}
	require.NoError(t, new(ring.Ring).UnmarshalBinary(craft(0, plain, node("a", "", 1))))
	require.NoError(t, new(ring.Ring).UnmarshalBinary(craft(1, plain, node("a", "", 1), []byte{1}, token)))
	for name, image := range map[string][]byte{
		"unknown flag":          craft(2, plain, node("a", "", 1)),
		"a parameter less":      craft(0, plain[:3], node("a", "", 1)),
		"no virtual nodes":      craft(0, []uint64{0, 0, 0, 1}, node("a", "", 1)),
		"too many of them":      craft(0, []uint64{1<<28 + 1, 0, 0, 1}, node("a", "", 1)),
		"tolerance 1":           craft(0, []uint64{8, one, 0, 1}, node("a", "", 1)),
		"tolerance NaN":         craft(0, []uint64{8, math.Float64bits(math.NaN()), 0, 1}, node("a", "", 1)),
		"tolerance -0":          craft(0, []uint64{8, 1 << 63, 0, 1}, node("a", "", 1)),
		"more nodes":            craft(0, []uint64{8, 0, 0, 2}, node("a", "", 1)),
		"very many nodes":       craft(0, []uint64{8, 0, 0, math.MaxUint64}, node("a", "", 1)),
		"fewer nodes":           craft(0, []uint64{8, 0, 0, 0}, node("a", "", 1)),
		"empty ID":              craft(0, plain, node("", "z", 1)),
		"weight 0":              craft(0, plain, node("a", "", 0)),
		"weight -1":             craft(0, plain, node("a", "", -1)),
		"weight NaN":            craft(0, plain, node("a", "", math.NaN())),
		"weight infinite":       craft(0, plain, node("a", "", math.Inf(1))),
		"twice":                 craft(0, []uint64{8, 0, 0, 2}, node("a", "", 1), node("a", "", 1)),
		"not sorted":            craft(0, []uint64{8, 0, 0, 2}, node("b", "", 1), node("a", "", 1)),
		"long ID":               craft(0, plain, append([]byte{200}, make([]byte, 20)...)),
		"huge ID":               craft(0, plain, binary.AppendUvarint(nil, math.MaxUint64), make([]byte, 20)),
		"long varint":           craft(0, plain, []byte{0x81, 0}, node("a", "", 1)),
		"bytes behind":          craft(0, plain, node("a", "", 1), []byte{0}),
		"tokens without flag":   craft(0, plain, node("a", "", 1), []byte{1}, token),
		"no tokens":             craft(1, plain, node("a", "", 1)),
		"zero tokens":           craft(1, plain, node("a", "", 1), []byte{0}),
		"more tokens":           craft(1, plain, node("a", "", 1), []byte{2}, token),
		"very many tokens":      craft(1, plain, node("a", "", 1), binary.AppendUvarint(nil, math.MaxUint64), token),
		"tokens that descend":   craft(1, plain, node("a", "", 1), []byte{2}, token, make([]byte, 6)),
		"bytes behind tokens":   craft(1, plain, node("a", "", 1), []byte{1}, token, []byte{0}),
		"another kind of image": codec.AppendSum(codec.AppendHeader(nil, codec.Header{Kind: codec.MerkleTree}, 0), 0),
		"a newer version":       codec.AppendSum(codec.AppendHeader(nil, codec.Header{Kind: codec.Ring, Version: 1, Params: plain}, 0), 0),
	} {
		mustRefuse(t, image, name)
	}
}

// What the decoder says of tokens that an image promises and a ring cannot have, or
// the image does not hold, and of a text that is none.
func TestRefusalsSayWhy(t *testing.T) {
	r := mustNew(t, ring.Nodes("old"), ring.WithVirtualNodes(3))
	before := marshal(t, r)
	params, token := []uint64{8, 0, 0, 2}, []byte{1, 2, 3, 4, 5, 6}
	promise := func(tokens uint64) []byte {
		b := append([]byte{1}, token...)
		return craft(1, params, node("a", "", 1), node("b", "", 1), b, binary.AppendUvarint(nil, tokens), token)
	}
	for _, c := range []struct {
		err  error
		want string
	}{
		{r.UnmarshalBinary(promise(1 << 28)), "ring: corrupt encoding: more than 268435456 tokens"},
		{r.UnmarshalBinary(promise(1<<28 - 1)), `ring: corrupt encoding: tokens of "b" are cut short`},
		{r.UnmarshalText([]byte("abc")), "ring: corrupt encoding: text is not base64: illegal base64 data at input byte 0"},
		{r.UnmarshalText([]byte("ab==")), "ring: corrupt encoding: text is not base64: illegal base64 data at input byte 2"},
		{r.UnmarshalText(nil), "ring: corrupt encoding: 0 bytes, want at least 24"},
	} {
		assert.EqualError(t, c.err, c.want)
		assert.ErrorIs(t, c.err, ring.ErrCorrupt, c.want)
	}
	assert.Equal(t, before, marshal(t, r), "the receiver")
}

// Threat: an image of a few bytes that asks for gigabytes of tokens.
func TestSmallImagesCannotAskForMuch(t *testing.T) {
	for _, image := range [][]byte{
		craft(0, []uint64{1 << 28, 0, 0, 1}, node("a", "", 1)),
		craft(0, []uint64{512, 0, 0, 1}, node("a", "", 1e5)),
		craft(0, []uint64{512, 0, 0, 1}, node("a", "", math.MaxFloat64)),
	} {
		var err error
		used := testkit.AllocatedBytes(func() { err = new(ring.Ring).UnmarshalBinary(image) })
		assert.ErrorIs(t, err, ring.ErrIncompatible)
		assert.Less(t, used, uint64(1<<20))
	}
	// The count of nodes is believed only as far as the payload can hold them.
	used := testkit.AllocatedBytes(func() {
		mustRefuse(t, craft(0, []uint64{1, 0, 0, 1 << 16}, make([]byte, 100)), "nodes")
	})
	assert.Less(t, used, uint64(1<<20))
}

// Threat: weights that no number of tokens balances must not keep the decoder
// busy; nor do they keep the others from being balanced.
func TestToleranceThatCannotBeReached(t *testing.T) {
	nodes := ring.Nodes(names(20)...)
	nodes[3].Weight = 1e-12
	nodes[7].Weight = 1e-300
	r := mustNew(t, nodes, ring.WithTolerance(0.05))
	for i, s := range sharesOf(r) {
		if w := r.Node(i).Weight; w == 1 {
			assert.InEpsilon(t, 1./18, s, 0.051, r.Node(i).ID)
		} else {
			assert.Less(t, s, 1e-3, "one token")
		}
	}
	one := mustNew(t, ring.Nodes("a"), ring.WithTolerance(0.01))
	assert.Equal(t, 1.0, one.Share("a", 1))
	lopsided := mustNew(t, []ring.Node{{ID: "a", Weight: 1e-200}, {ID: "b", Weight: 1}}, ring.WithTolerance(0.01))
	assert.Greater(t, lopsided.Share("b", 1), 0.99)
}

// Threat: names made to be taken for others. Nothing is joined, so nothing can
// be split differently.
func TestNamesWithAnyBytes(t *testing.T) {
	var nodes []ring.Node
	for i := range 40 {
		nodes = append(nodes, ring.Node{ID: fmt.Sprintf("\x00%c\xff_%d", rune(i), i%3), Zone: string(make([]byte, i%3))})
	}
	r := mustNew(t, nodes, ring.WithVirtualNodes(4))
	checkRing(t, newTwin(4, nodes...), r)
	var to ring.Ring
	require.NoError(t, to.UnmarshalBinary(marshal(t, r)))
	assert.Equal(t, ring.Layout(r), ring.Layout(&to))
}

// Threat: two architectures that disagree where a key is. Logarithms and powers are
// assembly on some, so placement must do without.
func TestPlacementUsesNoFunctionsOfTheArchitecture(t *testing.T) {
	files, err := filepath.Glob("*.go")
	require.NoError(t, err)
	seen := 0
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		source, err := os.ReadFile(name)
		require.NoError(t, err)
		assert.NotRegexp(t, `math\.(Log|Pow|Exp|Cbrt|Hypot|FMA)\w*\(`, string(source), name)
		seen++
	}
	assert.Greater(t, seen, 20, "the package's files")
}

// resum returns body with a checksum that is right.
func resum(body []byte) []byte { return codec.AppendSum(bytes.Clone(body), 0) }
