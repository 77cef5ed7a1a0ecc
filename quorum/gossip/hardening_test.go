package gossip_test

import (
	"encoding/binary"
	"testing"
	"time"

	"github.com/cespare/xxhash/v2"
	"github.com/distkit/distkit/internal/testkit"
	"github.com/distkit/distkit/quorum/gossip"
	"github.com/stretchr/testify/require"
)

// sample is a table with one of everything: members, one that left, one that is
// suspected by two.
func sample(t testing.TB) *gossip.Table {
	a, b := table(t, "a"), table(t, "b")
	for _, name := range []string{"a", "b", "größe", "x"} {
		require.NoError(t, a.Join(name, 1.5, "zone-1"))
	}
	require.NoError(t, a.Leave("größe"))
	a.TickAt(noon)
	talk(t, noon, a, b)
	b.TickAt(noon)
	a.TickAt(noon.Add(20 * time.Second))
	b.TickAt(noon.Add(20 * time.Second))
	talk(t, noon.Add(20*time.Second), a, b)
	require.Equal(t, 2, a.StateAt(noon, "x").Observers)
	return a
}

func messages(t testing.TB) (image, digest, delta []byte) {
	tab := sample(t)
	image, err := tab.MarshalBinary()
	require.NoError(t, err)
	return image, tab.AppendDigest(nil), mustDelta(t, tab, new(gossip.Table).AppendDigest(nil))
}

func TestFormats(t *testing.T) {
	image, digest, delta := messages(t)
	testkit.Golden(t, "testdata/v0/image.bin", image)
	testkit.Golden(t, "testdata/v0/digest.bin", digest)
	testkit.Golden(t, "testdata/v0/delta.bin", delta)
}

// resum repairs the checksum, so that a decoder must look further.
func resum(data []byte) []byte {
	body := data[:len(data)-8]
	binary.LittleEndian.PutUint64(data[len(body):], xxhash.Sum64(body))
	return data
}

// TestDamagedMessages cuts and flips every byte, with a wrong checksum and with
// a right one: no panic, and nothing is changed by what is refused.
func TestDamagedMessages(t *testing.T) {
	image, digest, delta := messages(t)
	decoders := map[string]func(tab *gossip.Table, data []byte) error{
		"image":  func(tab *gossip.Table, data []byte) error { return tab.UnmarshalBinary(data) },
		"digest": func(tab *gossip.Table, data []byte) error { _, err := tab.AppendDelta(nil, data); return err },
		"delta":  func(tab *gossip.Table, data []byte) error { return tab.ApplyAt(noon, data) },
	}
	for name, data := range map[string][]byte{"image": image, "digest": digest, "delta": delta} {
		decode := decoders[name]
		require.NoError(t, decode(table(t, "a"), data))
		for cut := range data {
			require.ErrorIs(t, decode(table(t, "a"), data[:cut]), gossip.ErrCorrupt)
		}
		require.ErrorIs(t, decode(table(t, "a"), append(append([]byte(nil), data...), 0)), gossip.ErrCorrupt)
		for at := range data {
			for _, bit := range []byte{1, 0x80} {
				bad := append([]byte(nil), data...)
				bad[at] ^= bit
				require.ErrorIs(t, decode(table(t, "a"), bad), gossip.ErrCorrupt, "%s: byte %d", name, at)
				tab := table(t, "a")
				if err := decode(tab, resum(bad)); err != nil {
					require.Equal(t, gossip.Stats{}, tab.Stats())
				}
			}
		}
		for at := 0; at+9 < len(data)-8; at++ { // huge counts and lengths
			bad := append([]byte(nil), data...)
			copy(bad[at:], "\xff\xff\xff\xff\xff\xff\xff\xff\x7f")
			size := testkit.AllocatedBytes(func() { _ = decode(table(t, "a"), resum(bad)) })
			require.Less(t, size, uint64(64<<10), "%s at %d", name, at)
		}
	}
}

func TestImageOfAnother(t *testing.T) {
	image, _, _ := messages(t)
	require.ErrorIs(t, table(t, "b").UnmarshalBinary(image), gossip.ErrIncompatible)
	require.ErrorIs(t, table(t, "a", gossip.WithMaxNodes(3)).UnmarshalBinary(image), gossip.ErrIncompatible)
	again := table(t, "a", gossip.WithMaxNodes(4))
	require.NoError(t, again.UnmarshalBinary(image))
	data, err := again.AppendBinary([]byte("x"))
	require.NoError(t, err)
	require.Equal(t, "x"+string(image), string(data), "canonical")
}

func TestHeartbeatsFromTheFuture(t *testing.T) {
	liar, a := table(t, "liar"), table(t, "a")
	require.NoError(t, liar.Join("liar", 1, ""))
	liar.TickAt(noon.Add(25 * time.Hour))
	delta := mustDelta(t, liar, a.AppendDigest(nil))
	require.NoError(t, a.ApplyAt(noon, delta))
	require.EqualValues(t, 1, a.Stats().Refused)
	require.Zero(t, a.StateAt(noon, "liar").Incarnation)
	require.NoError(t, a.ApplyAt(noon.Add(2*time.Hour), delta))
	require.NotZero(t, a.StateAt(noon, "liar").Incarnation)
}

func TestTooManyNodes(t *testing.T) {
	crowd, a := table(t, "crowd"), table(t, "a", gossip.WithMaxNodes(10))
	for i := range 50 {
		require.NoError(t, crowd.Join(string(rune('a'+i)), 1, ""))
	}
	require.NoError(t, a.ApplyAt(noon, mustDelta(t, crowd, a.AppendDigest(nil))))
	require.Equal(t, 10, a.Stats().Members)
	require.EqualValues(t, 40, a.Stats().Refused)
}
