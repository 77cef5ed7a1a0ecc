package ratelimit_test

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/bits"
	"testing"
	"time"

	"github.com/distkit/distkit"
	"github.com/distkit/distkit/ratelimit"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// collide returns another key of 16 bytes with the XXH64 of key, whatever the seed:
// the first half flips a bit of the state that the second flips back.
func collide(key [16]byte) [16]byte {
	const p1, p2 = 0x9E3779B185EBCA87, 0xC2B2AE3D27D4EB4F
	inverse := func(p uint64) uint64 {
		x := p
		for range 6 { // Newton
			x *= 2 - p*x
		}
		return x
	}
	flip := func(k, mask uint64) uint64 {
		r := bits.RotateLeft64(k*p2, 31) * p1
		return bits.RotateLeft64((r^mask)*inverse(p1), -31) * inverse(p2)
	}
	k1, k2 := binary.LittleEndian.Uint64(key[:]), binary.LittleEndian.Uint64(key[8:])
	binary.LittleEndian.PutUint64(key[:], flip(k1, bits.RotateLeft64(1<<63, -27)))
	binary.LittleEndian.PutUint64(key[8:], flip(k2, 1<<63))
	return key
}

// Who knows the code can make a key that collides with a victim's under XXH64, for
// every seed, and would spend the victim's limit. Keys are not hashed by XXH64.
func TestCollidingKeys(t *testing.T) {
	for _, opts := range [][]ratelimit.Option{nil, {ratelimit.WithSecret(distkit.Secret{1})}} {
		k := must(ratelimit.NewKeyed(ratelimit.PerHour(5), opts...))
		for i := range 1000 {
			victim := [16]byte(fmt.Appendf(nil, "account-%08d", i))
			attacker := collide(victim)
			require.NotEqual(t, victim, attacker)
			require.Equal(t, distkit.Hash(victim[:]), distkit.Hash(attacker[:]))
			require.True(t, k.Take(attacker[:], 5).Allowed)
			require.True(t, k.Take(victim[:], 5).Allowed)
		}
	}
}

// Nor can one aim at a group of slots with hashes that the caller brings: they are
// remixed under a secret of the Keyed, so keys that agree in all but a few bits spread.
func TestHashesThatAgree(t *testing.T) {
	for _, shift := range []int{0, 3, 32, 48, 61} {
		k := must(ratelimit.NewKeyed(ratelimit.PerHour(5)))
		n := min(fewer(20_000), 1<<min(30, 64-shift))
		for i := range n {
			k.AllowHash(uint64(i) << shift)
		}
		assert.Equal(t, n, k.Len())
		assert.LessOrEqual(t, k.Stats().Slots, max(8, 8*n), "shift %d", shift)
	}
}

// Costs that come from strangers, such as the bytes of a request, mint nothing.
func TestHostileCosts(t *testing.T) {
	k := must(ratelimit.NewKeyed(ratelimit.PerHour(100)))
	m := must(ratelimit.NewMulti([]ratelimit.Limit{ratelimit.PerHour(100), ratelimit.PerDay(1000)}))
	l := must(ratelimit.New(ratelimit.PerHour(100)))
	log := must(ratelimit.NewSlidingLog(ratelimit.PerHour(100)))
	tiered := must(ratelimit.NewTiered(ratelimit.PerHour(60), 40, l))
	key := k.KeyString("a")
	for _, allow := range []func(time.Time, int64) bool{key.AllowAt, m.AllowAt, log.AllowAt, tiered.AllowAt} {
		for _, n := range []int64{-1, -100, math.MinInt64, math.MinInt64 + 1, math.MaxInt64, math.MaxInt64 - 1, 1 << 62, 101} {
			require.False(t, allow(t0, n), "%d", n)
		}
		require.True(t, allow(t0, 100))
		for _, n := range []int64{-1, math.MinInt64, math.MaxInt64, 1} {
			require.False(t, allow(t0, n), "%d", n)
		}
	}
}

// A refusal writes nothing, so that it is cheaper than what it keeps away: it
// neither makes a place for a key, nor changes one.
func TestRefusalsWriteNothing(t *testing.T) {
	k := must(ratelimit.NewKeyed(ratelimit.PerHour(5), ratelimit.WithMaxKeys(10)))
	for i := range uint64(10) {
		k.KeyHash(i).AllowAt(t0, 5)
	}
	before := k.Words()
	for i := range uint64(1000) {
		require.False(t, k.KeyHash(i%10).AllowAt(t0, 1))
		require.False(t, k.KeyHash(i).TakeAt(t0, 1).Allowed)
		require.False(t, k.KeyHash(i%10).ReserveAt(t0, 6).OK())
	}
	assert.Equal(t, before, k.Words())
}

// Whatever the limit, the instants and the costs: nothing panics, no delay is negative,
// and what passes stays within the bound.
func FuzzLimiter(f *testing.F) {
	f.Add(int64(3), int64(time.Second), int64(5), []byte("\x01\x00\x00\x00\x01\x02\x03\x04"))
	f.Add(int64(1), int64(1), int64(1), []byte("\xff\xff\xff\xff\x80\x00\x00\x01"))
	f.Add(int64(math.MaxInt64), int64(math.MaxInt64), int64(1<<61-1), []byte("abcdefgh"))
	f.Add(int64(1<<40), int64(3), int64(1<<50), []byte("12345678"))
	f.Fuzz(func(t *testing.T, events, period, burst int64, data []byte) {
		l := ratelimit.Limit{Events: events, Period: time.Duration(period), Burst: burst}
		limiter, err := ratelimit.New(l)
		if err != nil {
			require.ErrorIs(t, err, ratelimit.ErrInvalidLimit)
			return
		}
		l = limiter.Limit()
		key := must(ratelimit.NewKeyed(l)).KeyHash(1)
		var passed float64
		low, high := int64(math.MaxInt64), int64(math.MinInt64)
		for i := 0; len(data) >= 4; i++ {
			at := int64(int16(binary.LittleEndian.Uint16(data))) << (data[3] % 32)
			n := int64(int8(data[2])) << (data[3] % 56)
			now := t0.Add(time.Duration(at))
			r := limiter.TakeAt(now, n)
			require.Equal(t, r, key.TakeAt(now, n))
			require.False(t, r.RetryAfter < 0 || r.ResetAfter < 0 || r.Remaining < 0 || r.Remaining > l.Burst, "%+v", r)
			require.Equal(t, !r.Allowed, r.RetryAfter > 0, "%+v", r)
			if r.Allowed {
				passed += float64(n)
				low, high = min(low, at), max(high, at)
			}
			res := limiter.ReserveAt(now, n)
			require.GreaterOrEqual(t, res.DelayFrom(now), time.Duration(0))
			if delay := res.DelayFrom(now); res.OK() && delay > 0 {
				res.CancelAt(now)
			} else if res.OK() {
				passed += float64(n)
				low, high = min(low, at), max(high, at)
				require.Equal(t, n, must2(key.TakeUpToAt(now, n)))
			}
			data = data[4:]
		}
		if passed > 0 {
			bound := float64(l.Burst) + float64(l.Events)*(float64(high-low)+1)/float64(l.Period)
			require.LessOrEqual(t, passed, bound*(1+1e-9), "%v", l)
		}
	})
}
