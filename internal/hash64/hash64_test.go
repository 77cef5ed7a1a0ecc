package hash64_test

import (
	"encoding/binary"
	"math"
	"math/bits"
	"math/rand/v2"
	"testing"

	"github.com/cespare/xxhash/v2"
	"github.com/distkit/distkit/internal/hash64"
	"github.com/distkit/distkit/internal/testkit"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// unmix undoes Mix step by step: it exists, so Mix is a bijection.
func unmix(h, salt uint64) uint64 {
	h ^= h>>31 ^ h>>62
	h *= inverse(0x94d049bb133111eb)
	h ^= h>>27 ^ h>>54
	h *= inverse(0xbf58476d1ce4e5b9)
	h ^= h>>30 ^ h>>60
	return h ^ salt
}

// inverse returns the inverse of odd a modulo 2^64 by Newton's iteration.
func inverse(a uint64) uint64 {
	x := a
	for range 6 {
		x *= 2 - a*x
	}
	return x
}

func TestMixIsABijection(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 100_000 {
		h, salt := rng.Uint64(), rng.Uint64()
		require.Equal(t, h, unmix(hash64.Mix(h, salt), salt))
		require.Equal(t, h, hash64.Mix(unmix(h, salt), salt))
	}
}

// Flipping any bit of the input flips every bit of the output half of the time.
func TestMixAvalanches(t *testing.T) {
	const trials = 20_000
	rng := rand.New(rand.NewPCG(3, 4))
	lo, hi := testkit.RateBounds(0.5, trials, 5)
	for in := range 64 {
		var flips [64]int
		for range trials {
			h := rng.Uint64()
			for d := hash64.Mix(h, hash64.SaltBloom) ^ hash64.Mix(h^1<<in, hash64.SaltBloom); d != 0; d &= d - 1 {
				flips[bits.TrailingZeros64(d)]++
			}
		}
		for out, n := range flips {
			rate := float64(n) / trials
			require.True(t, lo <= rate && rate <= hi, "bit %d flips bit %d at rate %v", in, out, rate)
		}
	}
}

func TestSaltsComeFromTheirNamesAndDiffer(t *testing.T) {
	salts := map[string]uint64{
		"ring": hash64.SaltRing, "bloom": hash64.SaltBloom, "cms": hash64.SaltCMS, "hll": hash64.SaltHLL, "limit": hash64.SaltLimit,
	}
	for name, salt := range salts {
		assert.Equal(t, xxhash.Sum64String("distkit/"+name), salt, name)
		for other, salt2 := range salts {
			if name != other {
				assert.GreaterOrEqual(t, bits.OnesCount64(salt^salt2), 20, "%s and %s", name, other)
			}
		}
	}
}

func TestReduce(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	assert.Zero(t, hash64.Reduce(math.MaxUint64, 0))
	for range 100_000 {
		n, a, b := rng.Uint64()>>rng.IntN(64)|1, rng.Uint64(), rng.Uint64()
		require.Less(t, hash64.Reduce(a, n), n)
		require.LessOrEqual(t, hash64.Reduce(min(a, b), n), hash64.Reduce(max(a, b), n), "monotone")
	}
	counts := make([]int, 1000)
	for range 1_000_000 {
		counts[hash64.Reduce(rng.Uint64(), 1000)]++
	}
	assert.Less(t, testkit.ChiSquare(counts), testkit.ChiSquareLimit(1000, 4))
}

// Probe against its definition, with sums written out.
func TestProbe(t *testing.T) {
	const prime2, prime3 = 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9
	rng := rand.New(rand.NewPCG(7, 8))
	for range 1000 {
		h := rng.Uint64()
		for _, n := range []uint64{1, 2, 1000, 29 << 30, math.MaxUint64} {
			p, sum, step := hash64.Start(h), h, hash64.Mix(h, prime3)|1
			for i := range uint64(30) {
				x := p.Next(n)
				require.Less(t, x, n)
				require.Equal(t, hash64.Reduce(sum, n), x)
				sum += step
				step += (i + 1) * prime2
			}
		}
	}
}

func TestStringsAndIntegersEqualBytes(t *testing.T) {
	b := make([]byte, 100)
	for i := range b {
		b[i] = byte(i * 37)
	}
	for n := range b {
		require.Equal(t, xxhash.Sum64(b[:n]), hash64.Bytes(b[:n]))
		require.Equal(t, xxhash.Sum64(b[:n]), hash64.String(string(b[:n])))
	}
	for _, i := range []int64{0, 1, -1, math.MinInt64, math.MaxInt64} {
		var le [8]byte
		binary.LittleEndian.PutUint64(le[:], uint64(i))
		require.Equal(t, xxhash.Sum64(le[:]), hash64.Integer(i))
	}
	require.Equal(t, hash64.Integer(int64(-1)), hash64.Integer(int8(-1)), "widened by sign")
	require.Equal(t, hash64.Integer(uint64(255)), hash64.Integer(uint8(255)))
}

func TestHashingAllocatesNothing(t *testing.T) {
	type name string
	key, text, named, secret := []byte("user:profile:1000012345"), "user:profile:1000012345", name("user:profile:1000012345"), [16]byte{1}
	var sum uint64
	testkit.NoAllocs(t, "hashing", func() {
		sum += hash64.Bytes(key) + hash64.String(text) + hash64.Key(named) + hash64.Integer(7)
		sum += hash64.Sip(&secret, key) + hash64.SipString(&secret, text) + hash64.Check(&secret)
		lo, hi := hash64.Sip128(&secret, key)
		p := hash64.Start(lo ^ hi)
		sum += p.Next(1000)
	})
	assert.NotZero(t, sum)
}
