package gossip_test

import (
	"encoding/binary"
	"fmt"
	"testing"
	"time"

	"github.com/cespare/xxhash/v2"
	"github.com/distkit/distkit/internal/codec"
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

// A zero Table takes the image of any node, with the options that New has without
// options: the same image restores a table with defaults and a zero one alike.
func TestImageMakesAZeroTable(t *testing.T) {
	image, _, _ := messages(t)
	made, zero := table(t, "a"), new(gossip.Table)
	require.NoError(t, made.UnmarshalBinary(image))
	require.NoError(t, zero.UnmarshalBinary(image))
	for _, tab := range []*gossip.Table{made, zero} {
		for at := range 60 { // suspicions and deaths come when the defaults say
			tab.TickAt(noon.Add(time.Duration(at) * time.Second))
		}
	}
	for _, name := range []string{"a", "b", "größe", "x"} {
		at := noon.Add(time.Minute)
		require.Equal(t, made.StateAt(at, name), zero.StateAt(at, name), name)
	}
	require.Equal(t, made.Stats(), zero.Stats())

	// More nodes than the default admits: the image changes neither.
	large := []byte("\x01a")
	for i := range 4097 {
		large = append(large, fmt.Sprintf("\x05%05d\x01\x01\x00\x00\x00\x00\x00\x00\xf8\x3f\x00", i)...)
	}
	h := codec.Header{Kind: codec.GossipTable, Params: []uint64{1, 4097}}
	large = codec.AppendSum(append(codec.AppendHeader(nil, h, len(large)), large...), 0)
	require.NoError(t, table(t, "a", gossip.WithMaxNodes(4098)).UnmarshalBinary(large))
	before, err := made.MarshalBinary()
	require.NoError(t, err)
	empty := new(gossip.Table)
	for _, tab := range []*gossip.Table{made, empty} {
		require.EqualError(t, tab.UnmarshalBinary(large), "gossip: incompatible: image of 4098 nodes, want at most 4096")
	}
	after, err := made.MarshalBinary()
	require.NoError(t, err)
	require.Equal(t, before, after)
	_, err = empty.MarshalBinary()
	require.EqualError(t, err, "gossip: image of a Table that New did not make", "still zero")
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
