package lru_test

import (
	"bytes"
	"testing"

	"github.com/distkit/distkit/lru"
	"github.com/stretchr/testify/require"
)

// Three bytes an operation: what, key, value. The cache does what its twin does,
// by any policy.
func FuzzCache(f *testing.F) {
	f.Add(uint8(3), uint8(0), []byte("\x00aa\x00bb\x01a.\x00cc\x00dd\x02a.\x03..\x04\x02."))
	f.Add(uint8(200), uint8(1), []byte("\x00a\x00\x00b\x01\x00c\xff\x05ab\x06\x01."))
	for p := range 2 * len(policies) {
		f.Add(uint8(7), uint8(p%len(policies)<<2|p/len(policies)<<7), []byte("\x00aa\x00bb\x02a.\x02a.\x00cc\x00dd\x00ee\x00ff\x00gg\x00hh\x00ii\x00jj\x02i.\x00bb\x04..\x01aa\x03b."))
	}
	f.Fuzz(func(t *testing.T, capacity, mode uint8, ops []byte) {
		size := int(capacity) + 1
		var weigh func(int, int) uint32
		var opts []lru.Option
		if mode&1 != 0 {
			weigh = func(_, v int) uint32 { return uint32(v % 50) }
			opts = append(opts, lru.WithWeigher(weigh))
		}
		p := policies[int(mode>>2&31)%len(policies)]
		if mode&2 != 0 && p != lru.S3FIFO && p != lru.Adaptive {
			opts = append(opts, lru.WithHasher(func(k int) uint64 { return uint64(k % 3) }))
		}
		opts = append(opts, lru.WithPolicy(p))
		var c cache[int, int] = must(lru.New[int, int](size, opts...))
		if mode&128 != 0 {
			c = must(lru.NewConcurrent[int, int](size, append(opts, asCache(p)...)...))
		}
		slow := newTwin(p, size, weigh)
		follow(slow, c)
		for ; len(ops) >= 3; ops = ops[3:] {
			k, v := int(ops[1]), int(ops[2])
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
				wantKey, _, wantOK := slow.evict(nil)
				key, _, ok := c.Evict()
				require.Equal(t, wantOK, ok)
				require.Equal(t, wantKey, key)
			case 5:
				slow.resize(v + 1)
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

// Whatever is read is refused, or makes a sound cache that writes the same image.
func FuzzReadFrom(f *testing.F) {
	for _, c := range goldens(f) {
		f.Add(imageOf(f, c))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, image := range [][]byte{data, mend(bytes.Clone(data))} {
			if !tries(t, image) {
				continue
			}
			var c lru.Cache[string, uint32]
			n, err := c.ReadFrom(bytes.NewReader(image))
			if err != nil || image[5] != 0 {
				continue // weighted; flags that may be ignored are not written again
			}
			for range c.All() {
				if image[4] == 0 && image[8] != byte(lru.Adaptive) { // without lifetimes, which go on, and counts that are estimates
					require.Equal(t, image[:n], imageOf(t, &c))
				}
				break
			}
		}
	})
}
