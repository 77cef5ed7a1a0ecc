package lru_test

import (
	"testing"

	"github.com/distkit/distkit/lru"
	"github.com/stretchr/testify/require"
)

// Three bytes an operation: what, key, value. The cache does what its twin does.
func FuzzCache(f *testing.F) {
	f.Add(uint8(3), uint8(0), []byte("\x00aa\x00bb\x01a.\x00cc\x00dd\x02a.\x03..\x04\x02."))
	f.Add(uint8(200), uint8(1), []byte("\x00a\x00\x00b\x01\x00c\xff\x05ab\x06\x01."))
	f.Fuzz(func(t *testing.T, capacity, mode uint8, ops []byte) {
		size := int(capacity) + 1
		var weigh func(byte, int) uint32
		var opts []lru.Option
		if mode&1 != 0 {
			weigh = func(_ byte, v int) uint32 { return uint32(v % 50) }
			opts = append(opts, lru.WithWeigher(weigh))
		}
		if mode&2 != 0 {
			opts = append(opts, lru.WithHasher(func(k byte) uint64 { return uint64(k % 3) }))
		}
		c, slow := must(lru.New[byte, int](size, opts...)), newTwin(size, weigh)
		for ; len(ops) >= 3; ops = ops[3:] {
			k, v := ops[1], int(ops[2])
			switch ops[0] % 8 {
			case 0, 1:
				require.Equal(t, slow.set(k, v), c.Set(k, v))
			case 2:
				want, wantOK := slow.get(k)
				got, ok := c.Get(k)
				require.Equal(t, wantOK, ok)
				require.Equal(t, want, got)
			case 3:
				_, wantOK := slow.remove(k, lru.Deleted)
				_, ok := c.Delete(k)
				require.Equal(t, wantOK, ok)
			case 4:
				wantKey, _, wantOK := slow.evict()
				key, _, ok := c.Evict()
				require.Equal(t, wantOK, ok)
				require.Equal(t, wantKey, key)
			case 5:
				slow.capacity = uint64(v) + 1
				slow.shrink(0)
				require.NoError(t, c.Resize(v+1))
			case 6:
				deleteSome(t, c, slow, v%7, false)
			case 7:
				deleteSome(t, c, slow, 0, v < 20)
			}
			check(t, c)
		}
		same(t, slow, c)
	})
}
