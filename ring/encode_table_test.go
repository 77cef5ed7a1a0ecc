package ring_test

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"io"
	"math"
	"testing"
	"testing/iotest"

	"github.com/distkit/distkit/internal/codec"
	"github.com/distkit/distkit/internal/testkit"
	"github.com/distkit/distkit/ring"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func marshalTable(t testing.TB, tab *ring.Table) []byte {
	t.Helper()
	b, err := tab.MarshalBinary()
	require.NoError(t, err)
	return b
}

// tableImages are tables with all that an image can hold, and receivers for them.
func tableImages(t testing.TB) map[string][2]*ring.Table {
	few := ring.WithPartitions(8)
	return map[string][2]*ring.Table{
		"table-empty":  {mustTable(t, nil, 3), {}},
		"table-plain":  {mustTable(t, nodesIn(5, 0), 2, few), {}},
		"table-zoned":  {rebalance(t, mustTable(t, nodesIn(5, 0), 3, few), zoned), {}},
		"table-secret": {mustTable(t, zoned, 2, few, ring.WithSecret(testSecret)), mustTable(t, nil, 9, ring.WithSecret(testSecret))},
	}
}

func TestTableImagesAreGolden(t *testing.T) {
	for name, pair := range tableImages(t) {
		testkit.Golden(t, "testdata/v0/"+name+".bin", marshalTable(t, pair[0]))
	}
}

func TestTableEncodingRoundTrip(t *testing.T) {
	for name, pair := range tableImages(t) {
		tab, image := pair[0], marshalTable(t, pair[0])
		for form, decode := range map[string]func(to *ring.Table) error{
			"binary": func(to *ring.Table) error { return to.UnmarshalBinary(image) },
			"stream": func(to *ring.Table) error {
				n, err := to.ReadFrom(iotest.OneByteReader(bytes.NewReader(append(bytes.Clone(image), 'x'))))
				assert.EqualValues(t, len(image), n)
				return err
			},
			"text": func(to *ring.Table) error {
				text, err := tab.MarshalText()
				require.NoError(t, err)
				return to.UnmarshalText(text)
			},
		} {
			to := *pair[1]
			require.NoError(t, decode(&to), "%s, %s", name, form)
			checkTable(t, &to)
			assert.Equal(t, sparseOf(tab), sparseOf(&to), "%s, %s", name, form)
			assert.Equal(t, problemOf(tab), problemOf(&to))
			assert.Equal(t, [2]any{tab.Version(), tab.Replicas()}, [2]any{to.Version(), to.Replicas()})
			assert.Equal(t, image, marshalTable(t, &to))
			assert.Equal(t, tab.AppendOwnersString(nil, "key", 5), to.AppendOwnersString(nil, "key", 5))
		}
		var buf bytes.Buffer
		n, err := tab.WriteTo(&buf)
		require.NoError(t, err)
		assert.EqualValues(t, len(image), n)
		assert.Equal(t, image, buf.Bytes())
		appended, err := tab.AppendBinary([]byte("head"))
		require.NoError(t, err)
		assert.Equal(t, append([]byte("head"), image...), appended)
	}
	type state struct{ Table *ring.Table }
	b, err := json.Marshal(state{mustTable(t, zoned, 2)})
	require.NoError(t, err)
	var s state
	require.NoError(t, json.Unmarshal(b, &s))
	assert.Equal(t, sparseOf(mustTable(t, zoned, 2)), sparseOf(s.Table))
}

func TestTableImagesConcatenate(t *testing.T) {
	var stream bytes.Buffer
	for range 2 {
		_, err := mustTable(t, zoned, 2, ring.WithPartitions(16)).WriteTo(&stream)
		require.NoError(t, err)
	}
	var tab ring.Table
	for range 2 {
		_, err := tab.ReadFrom(&stream)
		require.NoError(t, err)
	}
	n, err := tab.ReadFrom(&stream)
	assert.Zero(t, n)
	assert.ErrorIs(t, err, ring.ErrCorrupt)
	assert.ErrorIs(t, err, io.EOF)
	for room := range len(marshalTable(t, &tab)) {
		n, err := tab.WriteTo(&failingWriter{room})
		assert.ErrorIs(t, err, errFull)
		assert.EqualValues(t, room, n)
	}
}

// A zero table says nothing about replicas, so there is no image to stand for it.
func TestZeroTableHasNoImage(t *testing.T) {
	var tab ring.Table
	_, err := tab.MarshalBinary()
	assert.EqualError(t, err, "ring: a zero Table has no image: make it by NewTable")
	_, err = tab.MarshalText()
	assert.Error(t, err)
	n, err := tab.WriteTo(io.Discard)
	assert.Error(t, err)
	assert.Zero(t, n)
}

func TestTableSecretsMustMatch(t *testing.T) {
	with := func(b byte) *ring.Table {
		return mustTable(t, zoned, 2, ring.WithPartitions(16), ring.WithSecret([16]byte{b}))
	}
	for name, c := range map[string]struct{ from, to *ring.Table }{
		"none into some":    {mustTable(t, zoned, 2, ring.WithPartitions(16)), with(1)},
		"some into none":    {with(1), mustTable(t, nil, 2)},
		"some into another": {with(1), with(2)},
	} {
		before := marshalTable(t, c.to)
		err := c.to.UnmarshalBinary(marshalTable(t, c.from))
		assert.ErrorIs(t, err, ring.ErrIncompatible, name)
		assert.NotErrorIs(t, err, ring.ErrCorrupt, name)
		assert.Equal(t, before, marshalTable(t, c.to), name)
	}
}

// mustRefuseTable holds that the image is refused as corrupt by all decoders, at
// no more memory than it justifies, and that the receiver stays as it was.
func mustRefuseTable(t *testing.T, image []byte, why string, args ...any) {
	t.Helper()
	tab := mustTable(t, ring.Nodes("old"), 1, ring.WithPartitions(2))
	before := marshalTable(t, tab)
	var err, err2 error
	used := testkit.AllocatedBytes(func() {
		err = tab.UnmarshalBinary(image)
		_, err2 = tab.ReadFrom(bytes.NewReader(image))
	})
	require.ErrorIs(t, err, ring.ErrCorrupt, why, args)
	require.ErrorIs(t, err2, ring.ErrCorrupt, why, args)
	require.LessOrEqual(t, used, uint64(1<<20+8*len(image)), why, args)
	require.Equal(t, before, marshalTable(t, tab), why, args)
}

// Threat: damage in transit or on disk.
func TestDamagedTables(t *testing.T) {
	for _, name := range []string{"table-plain", "table-zoned"} {
		image := marshalTable(t, tableImages(t)[name][0])
		for cut := range image {
			mustRefuseTable(t, image[:cut], "%s cut to %d", name, cut)
		}
		for bit := 0; bit < 8*len(image); bit += 7 { // each bit of a byte somewhere
			damaged := bytes.Clone(image)
			damaged[bit/8] ^= 1 << (bit % 8)
			mustRefuseTable(t, damaged, "%s, bit %d", name, bit)
		}
		require.ErrorIs(t, new(ring.Table).UnmarshalBinary(append(bytes.Clone(image), 0)), ring.ErrCorrupt)
	}
	assert.ErrorIs(t, new(ring.Table).UnmarshalText([]byte("no base64!")), ring.ErrCorrupt)
	_, err := new(ring.Table).ReadFrom(iotest.ErrReader(errFull))
	assert.ErrorIs(t, err, errFull)
}

// craftTable returns an image with a checksum that is right.
func craftTable(must byte, params []uint64, payload ...[]byte) []byte {
	body := bytes.Join(payload, nil)
	h := codec.Header{Kind: codec.RingTable, Must: must, Params: params}
	return codec.AppendSum(append(codec.AppendHeader(nil, h, len(body)), body...), 0)
}

func cells(nodes ...uint16) []byte {
	var b []byte
	for _, i := range nodes {
		b = binary.LittleEndian.AppendUint16(b, i)
	}
	return b
}

// Threat: an image that is sound to the last byte but lies.
func TestCraftedTables(t *testing.T) {
	a, b, other := node("a", "x", 1), node("b", "x", 1), node("c", "y", 1)
	two := []uint64{2, 2, 1, 0, 3} // partitions, replicas, version, secret, nodes
	good := craftTable(0, two, a, b, other, cells(0, 2, 2, 1))
	require.NoError(t, new(ring.Table).UnmarshalBinary(good))
	param := func(i int, v uint64) []uint64 {
		p := append([]uint64{}, two...)
		p[i] = v
		return p
	}
	for name, image := range map[string][]byte{
		"unknown flag":          craftTable(1, two, a, b, other, cells(0, 2, 2, 1)),
		"a parameter less":      craftTable(0, two[:4], a, b, other, cells(0, 2, 2, 1)),
		"no partitions":         craftTable(0, param(0, 0), a, b, other),
		"three partitions":      craftTable(0, param(0, 3), a, b, other, cells(0, 2, 2, 1, 0, 2)),
		"more partitions":       craftTable(0, param(0, 4), a, b, other, cells(0, 2, 2, 1)),
		"very many partitions":  craftTable(0, param(0, 1<<63), a, b, other, cells(0, 2, 2, 1)),
		"no replicas":           craftTable(0, param(1, 0), a, b, other),
		"more replicas":         craftTable(0, param(1, 3), a, b, other, cells(0, 2, 2, 1)),
		"very many replicas":    craftTable(0, param(1, math.MaxUint64), a, b, other, cells(0, 2, 2, 1)),
		"version 0":             craftTable(0, param(2, 0), a, b, other, cells(0, 2, 2, 1)),
		"fewer nodes":           craftTable(0, param(4, 2), a, b, other, cells(0, 2, 2, 1)),
		"more nodes":            craftTable(0, param(4, 4), a, b, other, cells(0, 2, 2, 1)),
		"very many nodes":       craftTable(0, param(4, math.MaxUint64), a, b, other, cells(0, 2, 2, 1)),
		"nodes not sorted":      craftTable(0, two, b, a, other, cells(0, 2, 2, 1)),
		"weight NaN":            craftTable(0, two, node("a", "x", math.NaN()), b, other, cells(0, 2, 2, 1)),
		"a node that is not":    craftTable(0, two, a, b, other, cells(0, 2, 2, 3)),
		"a node twice":          craftTable(0, two, a, b, other, cells(0, 2, 2, 2)),
		"a zone twice":          craftTable(0, two, a, b, other, cells(0, 2, 0, 1)),
		"a byte less":           craftTable(0, two, a, b, other, cells(0, 2, 2, 1)[:7]),
		"bytes behind":          craftTable(0, two, a, b, other, cells(0, 2, 2, 1, 0)),
		"cells without nodes":   craftTable(0, param(4, 0), cells(0, 0)),
		"another kind of image": codec.AppendSum(codec.AppendHeader(nil, codec.Header{Kind: codec.Ring, Params: two}, 0), 0),
		"a newer version":       codec.AppendSum(codec.AppendHeader(nil, codec.Header{Kind: codec.RingTable, Version: 1, Params: two}, 0), 0),
	} {
		mustRefuseTable(t, image, name)
	}

	// One that is not balanced is a table nevertheless, and comes right.
	var lopsided ring.Table
	require.NoError(t, lopsided.UnmarshalBinary(craftTable(0, []uint64{4, 1, 7, 0, 2}, a, b, cells(0, 0, 0, 0))))
	next := rebalance(t, &lopsided, ring.Nodes("a", "b"))
	assert.Equal(t, map[string]int{"a": 2, "b": 2}, sparseOf(next).loads())
	assert.EqualValues(t, 8, next.Version())
}
