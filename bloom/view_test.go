package bloom_test

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/distkit/distkit/bloom"
	"github.com/distkit/distkit/internal/testkit"
	"github.com/stretchr/testify/require"
)

// A View answers as its Filter does, wherever its bytes lie.
func TestViewAnswersAsItsFilter(t *testing.T) {
	secret := [16]byte{5}
	for name, f := range map[string]*bloom.Filter{
		"New":        must(bloom.New(500, 0.02)),
		"NewParquet": must(bloom.NewParquet(500, 0.02)),
		"secret":     must(bloom.New(500, 0.02, bloom.WithSecret(secret))),
	} {
		t.Run(name, func(t *testing.T) {
			for i := range 500 {
				f.AddString(fmt.Sprint("key", i))
			}
			image := must(f.MarshalBinary())
			var opts []bloom.Option
			if name == "secret" {
				opts = append(opts, bloom.WithSecret(secret))
			}
			for offset := range 9 {
				room := append(make([]byte, offset), image...)
				v, err := bloom.OpenView(room[offset:], opts...)
				require.NoError(t, err)
				require.NoError(t, v.Verify())
				require.Equal(t, f.Bits(), v.Bits())
				hs, want, out := make([]uint64, 3000), make([]bool, 3000), make([]bool, 3000)
				for i := range hs {
					key := fmt.Sprint("key", i)
					hs[i] = f.HashString(key)
					want[i] = f.ContainsHash(hs[i])
					require.Equal(t, hs[i], v.Hash([]byte(key)))
					require.Equal(t, want[i], v.ContainsHash(hs[i]))
					require.Equal(t, want[i], v.ContainsString(key))
					require.Equal(t, want[i], v.Contains([]byte(key)))
				}
				require.Equal(t, f.ContainsHashes(make([]bool, 3000), hs), v.ContainsHashes(out, hs))
				require.Equal(t, want, out)
			}
			_, err := bloom.OpenView(image, bloom.WithSecret([16]byte{9}))
			require.ErrorIs(t, err, bloom.ErrIncompatible)
			_, err = bloom.OpenView(image, bloom.WithMaxBytes(1))
			require.EqualError(t, err, "bloom: WithMaxBytes does not apply to OpenView")
		})
	}
	_, err := bloom.OpenView(must(must(bloom.New(5, 0.1, bloom.WithSecret(secret))).MarshalBinary()))
	require.ErrorIs(t, err, bloom.ErrIncompatible)
}

func TestZeroView(t *testing.T) {
	var v bloom.View
	require.False(t, v.ContainsHash(1) || v.ContainsString("") || v.Contains(nil))
	out := []bool{true, true}
	require.Zero(t, v.ContainsHashes(out, []uint64{1, 2, 3}))
	require.Equal(t, []bool{false, false}, out)
	require.Zero(t, v.Bits())
	require.ErrorIs(t, v.Verify(), bloom.ErrCorrupt)
}

func TestViewDoesNotAllocate(t *testing.T) {
	f := must(bloom.New(1000, 0.01))
	f.AddString("ann")
	image := must(f.MarshalBinary())
	hs, out := make([]uint64, 50), make([]bool, 50)
	testkit.NoAllocs(t, "OpenView and Contains", func() {
		v, err := bloom.OpenView(image)
		if err != nil || !v.ContainsString("ann") || v.ContainsHashes(out, hs) != 0 {
			t.Fail()
		}
	})
}

// What OpenView and Verify accept together is what decoding accepts.
func TestViewRefusesDamage(t *testing.T) {
	image := must(kinds()[0].value.MarshalBinary())
	accepts := func(b []byte) bool {
		v, err := bloom.OpenView(b)
		if err == nil {
			v.ContainsHash(1) // stays within the bytes
			err = v.Verify()
		}
		if err != nil {
			require.ErrorIs(t, err, bloom.ErrCorrupt)
		}
		return err == nil
	}
	require.True(t, accepts(image))
	for n := range image {
		require.False(t, accepts(image[:n:n]), "cut to %d", n)
	}
	require.False(t, accepts(append(bytes.Clone(image), 0)))
	for i := range image {
		for bit := range 8 {
			b := bytes.Clone(image)
			b[i] ^= 1 << bit
			require.False(t, accepts(b), "bit %d of byte %d", bit, i)
			mend(b)
			if i >= 16 && i < 24 {
				continue // the secret's check value: ErrIncompatible
			}
			require.Equal(t, new(bloom.Filter).UnmarshalBinary(b) == nil, accepts(b), "bit %d of byte %d, mended", bit, i)
		}
	}
}
