package ring_test

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"github.com/distkit/distkit/ring"
	"github.com/stretchr/testify/require"
)

// Any sequence of changes, against the twin.
func FuzzChanges(f *testing.F) {
	f.Add(uint64(1), uint8(3), uint8(4))
	f.Add(uint64(2), uint8(1), uint8(0))
	f.Add(uint64(3), uint8(40), uint8(9))
	f.Fuzz(func(t *testing.T, seed uint64, virtual, changes uint8) {
		rng := rand.New(rand.NewPCG(seed, 12))
		v := 1 + int(virtual%50)
		w := newTwin(v, randomNodes(rng, 10, 5)...)
		r := mustNew(t, w.members(), ring.WithVirtualNodes(v))
		for range changes % 10 {
			before, old := w.clone(), r
			r = randomChange(t, rng, w, r)
			checkMoves(t, before, w, old, r, 1+rng.IntN(4))
		}
		checkRing(t, w, r)
		require.Equal(t, ring.Layout(mustNew(t, w.members(), ring.WithVirtualNodes(v))), ring.Layout(r))
	})
}

// What a decoder accepts, it encodes to the same bytes.
func FuzzUnmarshal(f *testing.F) {
	f.Cleanup(ring.DecodeFewTokens())
	for _, pair := range images(f) {
		f.Add(marshal(f, pair[0]))
	}
	f.Add(craft(1, []uint64{1, 0, 0, 1}, node("a", "", 1), []byte{1, 1, 2, 3, 4, 5, 6}))
	f.Fuzz(func(t *testing.T, image []byte) {
		if len(image) < 8 {
			return
		}
		// The checksum is repaired, or the fuzzer would get nowhere.
		body := image[:len(image)-8]
		for _, data := range [][]byte{bytes.Clone(image), resum(body)} {
			var r ring.Ring
			if r.UnmarshalBinary(data) != nil {
				require.Zero(t, r.Len())
				continue
			}
			data[5] = 0 // flags that a reader may ignore, which this one does
			require.Equal(t, resum(data[:len(data)-8]), marshal(t, &r))
			if r.Len() > 0 {
				require.Len(t, r.AppendOwnersString(nil, "key", r.Len()), r.Len())
			}
		}
	})
}

// Any sequence of memberships, held to the promises and to a textbook flow.
func FuzzRebalance(f *testing.F) {
	f.Add(uint64(1), uint8(3), uint8(4), uint8(2))
	f.Add(uint64(2), uint8(0), uint8(0), uint8(0))
	f.Add(uint64(3), uint8(5), uint8(9), uint8(4))
	f.Fuzz(func(t *testing.T, seed uint64, logPartitions, replicas, zones uint8) {
		rng := rand.New(rand.NewPCG(seed, 21))
		tab := mustTable(t, smallNodes(rng, 8, int(zones%5)), 1+int(replicas%5), ring.WithPartitions(1<<(logPartitions%6)))
		for range 3 {
			next := rebalance(t, tab, smallNodes(rng, 8, int(zones%5)))
			was := sparseOf(tab)
			require.Equal(t, problemOf(next).flowMoves(t, was), sparseOf(next).moves(was))
			tab = next
		}
	})
}

// What a decoder accepts, it encodes to the same bytes.
func FuzzUnmarshalTable(f *testing.F) {
	for _, pair := range tableImages(f) {
		f.Add(marshalTable(f, pair[0]))
	}
	f.Fuzz(func(t *testing.T, image []byte) {
		if len(image) < 8 {
			return
		}
		var tab ring.Table
		if tab.UnmarshalBinary(image) != nil {
			image = resum(image[:len(image)-8])
			if tab.UnmarshalBinary(image) != nil {
				require.Zero(t, tab.Partitions())
				return
			}
		}
		image = bytes.Clone(image)
		image[5] = 0 // flags that a reader may ignore, which this one does
		require.Equal(t, resum(image[:len(image)-8]), marshalTable(t, &tab))
		require.Len(t, tab.AppendOwnersString(nil, "key", tab.Len()), tab.Len())
	})
}
