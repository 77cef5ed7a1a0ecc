package gossip_test

import (
	"testing"

	"github.com/distkit/distkit/quorum/gossip"
	"github.com/stretchr/testify/require"
)

// FuzzDecode gives every decoder any bytes, with the checksum as it is and
// repaired; a table that took a message still works.
func FuzzDecode(f *testing.F) {
	image, digest, delta := messages(f)
	f.Add(image)
	f.Add(digest)
	f.Add(delta)
	f.Fuzz(func(t *testing.T, data []byte) {
		for range 2 {
			tab := table(t, "a")
			_ = tab.ApplyAt(noon, data)
			if out, err := tab.AppendDelta(nil, data); err == nil {
				require.NoError(t, tab.ApplyAt(noon, out))
			}
			check(t, tab)
			talk(t, noon, tab, table(t, "b"))
			var z gossip.Table
			if err := z.UnmarshalBinary(data); err == nil {
				again, err := z.MarshalBinary()
				require.NoError(t, err)
				if data[5] == 0 { // flags that a reader may ignore
					require.Equal(t, data, again)
				}
			}
			if len(data) < 8 {
				return
			}
			data = resum(append([]byte(nil), data...))
		}
	})
}
