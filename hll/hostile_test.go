package hll_test

import (
	"math/bits"
	"strconv"
	"testing"

	"github.com/distkit/distkit/hll"
	"github.com/distkit/distkit/internal/hash64"
	"github.com/stretchr/testify/require"
)

// chosenKeys are keys of somebody who knows the code and no secret, such that fits
// is true of the word that registers are chosen from.
func chosenKeys(n int, fits func(x uint64) bool) (keys []string) {
	for i := 0; len(keys) < n; i++ {
		key := strconv.Itoa(i)
		if fits(hash64.Mix(hash64.String(key), hash64.SaltHLL)) {
			keys = append(keys, key)
		}
	}
	return keys
}

// Keys that count for nothing, and keys that count for thousands each, are ordinary
// ones under a secret.
func TestHostileKeys(t *testing.T) {
	const p, n = 8, 20_000
	count := func(keys []string, opts ...hll.Option) float64 {
		s := must(hll.New(p, append(opts, hll.WithDense())...))
		for _, key := range keys {
			s.AddString(key)
		}
		return float64(s.Estimate())
	}
	secret := hll.WithSecret([16]byte{0x5e, 0xc7})
	few := chosenKeys(n, func(x uint64) bool { return x<<p>>63 == 1 }) // no zero after the index
	require.Less(t, count(few), 0.02*n)
	require.InEpsilon(t, n, count(few, secret), 5*1.04/16)

	taken := map[uint64]bool{}
	many := chosenKeys(1<<p, func(x uint64) bool { // one a register, with ten zeros
		if taken[x>>(64-p)] || bits.LeadingZeros64(x<<p) < 10 {
			return false
		}
		taken[x>>(64-p)] = true
		return true
	})
	require.Greater(t, count(many), 500.0*(1<<p))
	require.InEpsilon(t, 1<<p, count(many, secret), 5*1.04/16)
}

// Every type with a secret hashes keys under it.
func TestEveryTypeTakesASecret(t *testing.T) {
	secret := [16]byte{1, 2, 3}
	opt := hll.WithSecret(secret)
	for _, s := range []interface {
		Hash(key []byte) uint64
		HashString(key string) uint64
		Add(key []byte) bool
		AddString(key string) bool
		AddHash(h uint64) bool
		Estimate() uint64
	}{
		must(hll.New(9, opt)), must(hll.NewExaLogLog(9, opt)), must(hll.NewConcurrent(9, opt)), must(hll.NewWindow(9, 1e18, opt)),
	} {
		require.Equal(t, hash64.SipString(&secret, "key"), s.HashString("key"))
		require.Equal(t, hash64.SipString(&secret, "key"), s.Hash([]byte("key")))
		require.True(t, s.AddString("key"))
		require.False(t, s.AddHash(hash64.SipString(&secret, "key")) || s.Add([]byte("key")))
		require.Equal(t, uint64(1), s.Estimate())
	}
}

// However Add, Estimate, Merge and Snapshot take turns, a sketch is never larger
// than its registers, and looking at it changes nothing.
func TestMemoryStaysBounded(t *testing.T) {
	const p = 10
	s, total := must(hll.New(p)), must(hll.New(p))
	e := must(hll.NewExaLogLog(p - 2))
	for i := range uint64(20_000) {
		s.AddHash(i)
		e.AddHash(i)
		before := s.Clone()
		s.Estimate()
		s.Bounds(2)
		require.True(t, s.Equal(before))
		if i%16 == 0 {
			require.NoError(t, total.Merge(s))
		}
		require.LessOrEqual(t, s.SizeBytes(), 1<<p)
		require.LessOrEqual(t, total.SizeBytes(), 1<<p)
		require.LessOrEqual(t, e.SizeBytes(), 4<<(p-2))
	}
	check(t, total)
}
