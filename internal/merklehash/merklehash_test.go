package merklehash

import (
	"bytes"
	"crypto/sha256"
	"hash"
	"slices"
	"testing"

	"github.com/distkit/distkit/internal/testkit"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Both ways give SHA-256, in any order of calls.
func TestHasherIsSHA256(t *testing.T) {
	assert.True(t, sound(), "this Go marshals its state as those before")
	for _, h := range []*Hasher{newHasher(true), newHasher(false), Get()} {
		a, b := Hash{1, 2, 3}, Hash{4, 5, 6}
		for n := MaxShort; n >= 0; n-- {
			data := bytes.Repeat([]byte{byte(n), 0xff}, MaxShort)[:n]
			for _, prefix := range []byte{0, 1, 0x80} {
				require.Equal(t, sha256.Sum256(append([]byte{prefix}, data...)), h.Short(prefix, data), n)
				want := sha256.Sum256(slices.Concat([]byte{prefix}, a[:], b[:]))
				got := h.Pair(prefix, &a, &b)
				require.Equal(t, want, got)
				a, b = got, a
			}
		}
	}
}

func TestHasherDoesNotAllocate(t *testing.T) {
	a, short, long := Hash{1}, make([]byte, 20), make([]byte, MaxShort)
	Get().Put()
	testkit.NoAllocs(t, "hashing", func() {
		h := Get()
		a = h.Pair(1, &a, &a)
		h.Short(0, short)
		h.Short(0, long)
		h.Put()
	})
}

// strange marshals something else, as another implementation may.
type strange struct{ hash.Hash }

func (strange) AppendBinary(b []byte) ([]byte, error) { return append(b, 1, 2, 3), nil }

func TestAnotherStateIsNoHash(t *testing.T) {
	h := newHasher(true)
	h.s = strange{sha256.New()}
	assert.Equal(t, Hash{}, h.Short(0, nil))
}

func BenchmarkPair(b *testing.B) {
	x := Hash{1}
	b.Run("impl=direct", func(b *testing.B) {
		h := newHasher(true)
		for b.Loop() {
			x = h.Pair(1, &x, &x)
		}
	})
	b.Run("impl=Sum256", func(b *testing.B) {
		h := newHasher(false)
		for b.Loop() {
			x = h.Pair(1, &x, &x)
		}
	})
}
