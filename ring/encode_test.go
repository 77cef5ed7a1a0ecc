package ring_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/iotest"

	"github.com/distkit/distkit/internal/testkit"
	"github.com/distkit/distkit/ring"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var (
	testSecret = [16]byte{1, 2, 3, 4}
	zoned      = []ring.Node{{ID: "a", Zone: "x"}, {ID: "b", Weight: 2.5, Zone: "y"}, {ID: "ç", Zone: "x"}}
)

// images are rings with all that an image can hold, and receivers for them.
func images(t testing.TB) map[string][2]*ring.Ring {
	return map[string][2]*ring.Ring{
		"empty":     {mustNew(t, nil), {}},
		"plain":     {mustNew(t, ring.Nodes("a", "b", "c")), {}},
		"zoned":     {mustNew(t, zoned, ring.WithVirtualNodes(40)), {}},
		"tolerance": {mustNew(t, zoned, ring.WithVirtualNodes(64), ring.WithTolerance(0.05)), {}},
		"secret":    {mustNew(t, zoned, ring.WithSecret(testSecret)), mustNew(t, nil, ring.WithSecret(testSecret))},
		"foreign":   {mustNew(t, zoned, ring.WithVirtualNodes(5), ring.WithTokens(ring.KetamaTokens)), mustNew(t, nil, ring.WithTokens(ring.KetamaTokens))},
	}
}

func marshal(t testing.TB, r *ring.Ring) []byte {
	t.Helper()
	b, err := r.MarshalBinary()
	require.NoError(t, err)
	return b
}

func TestImagesAreGolden(t *testing.T) {
	for name, pair := range images(t) {
		testkit.Golden(t, "testdata/v0/"+name+".bin", marshal(t, pair[0]))
	}
}

func TestEncodingRoundTrip(t *testing.T) {
	for name, pair := range images(t) {
		r, image := pair[0], marshal(t, pair[0])
		for form, decode := range map[string]func(to *ring.Ring) error{
			"binary": func(to *ring.Ring) error { return to.UnmarshalBinary(image) },
			"stream": func(to *ring.Ring) error {
				n, err := to.ReadFrom(iotest.OneByteReader(bytes.NewReader(append(slices.Clone(image), 'x'))))
				assert.EqualValues(t, len(image), n)
				return err
			},
			"text": func(to *ring.Ring) error {
				text, err := r.MarshalText()
				require.NoError(t, err)
				return to.UnmarshalText(text)
			},
		} {
			to := *pair[1]
			require.NoError(t, decode(&to), "%s, %s", name, form)
			assert.Equal(t, ring.Layout(r), ring.Layout(&to), "%s, %s", name, form)
			assert.Equal(t, r.Fingerprint(), to.Fingerprint())
			assert.Equal(t, image, marshal(t, &to))
			id, _ := r.OwnerString("key")
			got, _ := to.OwnerString("key")
			assert.Equal(t, id, got)

			a, err := r.Add(ring.Node{ID: "new", Zone: "z"})
			require.NoError(t, err)
			b, err := to.Add(ring.Node{ID: "new", Zone: "z"})
			require.NoError(t, err)
			assert.Equal(t, a.Fingerprint(), b.Fingerprint(), "a decoded ring goes on as the other does")
		}
		var buf bytes.Buffer
		n, err := r.WriteTo(&buf)
		require.NoError(t, err)
		assert.EqualValues(t, len(image), n)
		assert.Equal(t, image, buf.Bytes())
		appended, err := r.AppendBinary([]byte("head"))
		require.NoError(t, err)
		assert.Equal(t, append([]byte("head"), image...), appended)
	}
}

// Equal membership, equal bytes, however it was reached.
func TestEncodingIsCanonical(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 11))
	for range 20 {
		w := newTwin(3, randomNodes(rng, 9, 4)...)
		r := mustNew(t, w.members(), ring.WithVirtualNodes(3))
		for range 5 {
			r = randomChange(t, rng, w, r)
		}
		assert.Equal(t, marshal(t, mustNew(t, w.members(), ring.WithVirtualNodes(3))), marshal(t, r))
	}
}

func TestZeroRingEncodesAsEmpty(t *testing.T) {
	assert.Equal(t, marshal(t, mustNew(t, nil)), marshal(t, new(ring.Ring)))
	var r ring.Ring
	require.NoError(t, r.UnmarshalBinary(marshal(t, new(ring.Ring))))
	_, err := r.Add(ring.Nodes("a")...)
	assert.NoError(t, err, "a decoded ring is no zero ring")
}

func TestImagesConcatenate(t *testing.T) {
	var stream bytes.Buffer
	for range 3 {
		_, err := mustNew(t, zoned).WriteTo(&stream)
		require.NoError(t, err)
	}
	for range 3 {
		var r ring.Ring
		_, err := r.ReadFrom(&stream)
		require.NoError(t, err)
		assert.Equal(t, 3, r.Len())
	}
	var r ring.Ring
	n, err := r.ReadFrom(&stream)
	assert.Zero(t, n)
	assert.ErrorIs(t, err, ring.ErrCorrupt)
	assert.ErrorIs(t, err, io.EOF)
}

func TestJSON(t *testing.T) {
	type state struct{ Ring *ring.Ring }
	b, err := json.Marshal(state{mustNew(t, zoned)})
	require.NoError(t, err)
	var s state
	require.NoError(t, json.Unmarshal(b, &s))
	assert.Equal(t, mustNew(t, zoned).Fingerprint(), s.Ring.Fingerprint())
}

func TestSecretsMustMatch(t *testing.T) {
	with := func(b byte) *ring.Ring { return mustNew(t, zoned, ring.WithSecret([16]byte{b})) }
	for name, c := range map[string]struct{ from, to *ring.Ring }{
		"none into some":    {mustNew(t, zoned), with(1)},
		"some into none":    {with(1), mustNew(t, nil)},
		"some into another": {with(1), with(2)},
	} {
		before := ring.Layout(c.to)
		err := c.to.UnmarshalBinary(marshal(t, c.from))
		assert.ErrorIs(t, err, ring.ErrIncompatible, name)
		assert.NotErrorIs(t, err, ring.ErrCorrupt, name)
		assert.Equal(t, before, ring.Layout(c.to), name)
	}
	assert.NotContains(t, string(marshal(t, with(7))), string([]byte{7, 0, 0, 0, 0, 0, 0, 0}), "no secret in the image")
}

// The tokens come with the image, the function does not.
func TestForeignTokensWithoutTheFunction(t *testing.T) {
	r := mustNew(t, zoned, ring.WithTokens(ring.EnvoyTokens))
	var to ring.Ring
	require.NoError(t, to.UnmarshalBinary(marshal(t, r)))
	assert.Equal(t, r.Fingerprint(), to.Fingerprint())
	_, err := to.Add(ring.Nodes("new")...)
	assert.ErrorIs(t, err, ring.ErrIncompatible)
	assert.ErrorContains(t, err, "WithTokens")
	_, err = to.Update(ring.Node{ID: "a", Weight: 3})
	assert.ErrorIs(t, err, ring.ErrIncompatible)
	left, err := to.Remove("a")
	require.NoError(t, err)
	want, err := r.Remove("a")
	require.NoError(t, err)
	assert.Equal(t, want.Fingerprint(), left.Fingerprint())
}

type failingWriter struct{ room int }

var errFull = errors.New("disk full")

func (w *failingWriter) Write(b []byte) (int, error) {
	n := min(len(b), w.room)
	w.room -= n
	if n < len(b) {
		return n, errFull
	}
	return n, nil
}

func TestWriteErrors(t *testing.T) {
	r := mustNew(t, zoned)
	size := len(marshal(t, r))
	for room := range size {
		n, err := r.WriteTo(&failingWriter{room})
		assert.ErrorIs(t, err, errFull)
		assert.EqualValues(t, room, n)
	}
	_, err := new(ring.Ring).ReadFrom(iotest.ErrReader(errFull))
	assert.ErrorIs(t, err, errFull)
	assert.NotErrorIs(t, err, ring.ErrCorrupt, "the source failed, not the image")
}

// Placement is frozen: owners on every architecture and in every version.
func TestOwnersAreGolden(t *testing.T) {
	testkit.Golden(t, "testdata/owners.txt", ownersGolden(t))
}

func TestLargestRing(t *testing.T) {
	nodes := make([]ring.Node, 1<<16)
	for i := range nodes {
		nodes[i].ID = string([]byte{byte(i >> 8), byte(i)})
	}
	r := mustNew(t, nodes, ring.WithVirtualNodes(1))
	assert.Equal(t, 1<<16, r.Len())
	last := 0
	for _, h := range []uint64{0, 1 << 63, math.MaxUint64} {
		list := r.AppendLocate(nil, h, 1<<17)
		assert.Len(t, list, 1<<16)
		last = max(last, slices.Max(list))
	}
	assert.Equal(t, 1<<16-1, last)
	_, err := r.Add(ring.Nodes("one more")...)
	assert.ErrorIs(t, err, ring.ErrTooManyNodes)
	var to ring.Ring
	require.NoError(t, to.UnmarshalBinary(marshal(t, r)))
	assert.Equal(t, r.Fingerprint(), to.Fingerprint())
}
