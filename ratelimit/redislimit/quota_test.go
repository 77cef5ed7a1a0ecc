package redislimit

import (
	"crypto/sha256"
	"fmt"
	"math/big"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/distkit/distkit/ratelimit"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// rational is a span in microseconds, as a fraction that nothing rounds.
func (q *quota) rational(s span) *big.Rat {
	r := big.NewRat(s.part, q.unit)
	return r.Add(r, new(big.Rat).SetInt64(s.whole))
}

// floor and ceil of r, which is not negative.
func floor(r *big.Rat) int64 { return new(big.Int).Quo(r.Num(), r.Denom()).Int64() }

func ceil(r *big.Rat) int64 {
	n := floor(r)
	if new(big.Rat).SetInt64(n).Cmp(r) < 0 {
		n++
	}
	return n
}

// Sums of spans are compared with fractions of any size: rates that divide nothing,
// and those at the limits of what fits.
func TestQuotaAgainstFractions(t *testing.T) {
	rnd := rand.New(rand.NewPCG(3, 5))
	tried := 0
	for range 20_000 {
		l := ratelimit.Limit{
			Events: 1 + rnd.Int64N(1<<(1+rnd.IntN(40))),
			Period: time.Duration(1 + rnd.Int64N(1<<(1+rnd.IntN(55)))),
			Burst:  1 + rnd.Int64N(1<<(1+rnd.IntN(40))),
		}
		q, err := newQuota(l)
		if err != nil {
			assert.ErrorIs(t, err, ratelimit.ErrInvalidLimit)
			continue
		}
		tried++
		token := big.NewRat(int64(l.Period), 1000) // µs
		token.Quo(token, new(big.Rat).SetInt64(l.Events))
		times := func(n int64) *big.Rat { return new(big.Rat).Mul(token, new(big.Rat).SetInt64(n)) }
		fill := times(l.Burst)
		require.Zero(t, q.rational(q.fill).Cmp(fill), "%v", l)

		debt := q.times(rnd.Int64N(l.Burst + 1))
		exact := new(big.Rat).Set(q.rational(debt))
		n := 1 + rnd.Int64N(l.Burst)
		exact.Add(exact, times(n))
		after, ok := q.charge(debt, n)
		require.Zero(t, q.rational(after).Cmp(exact), "%v: %d after %v", l, n, debt)
		require.Equal(t, exact.Cmp(fill) <= 0, ok, "%v: %d after %v", l, n, debt)
		wait := new(big.Rat).Sub(exact, fill)
		if wait.Sign() > 0 {
			require.Equal(t, time.Duration(ceil(wait))*time.Microsecond, q.retry(debt, n))
		} else {
			require.Zero(t, q.retry(debt, n))
			left := new(big.Rat).Sub(fill, exact)
			require.Equal(t, floor(left.Quo(left, token)), q.free(after))
		}
		require.Equal(t, time.Duration(ceil(q.rational(debt)))*time.Microsecond, q.up(debt))
	}
	assert.Greater(t, tried, 5_000)
}

// Any number of events is charged as far as it fits, by halving.
func TestPortionsTakeAllThatFits(t *testing.T) {
	for n := int64(0); n <= 70; n++ {
		portions := portions(nil, n)
		var sum int64
		for _, p := range portions {
			sum += p
		}
		assert.Equal(t, n, sum)
		for room := int64(0); room <= 80; room++ {
			left := room
			for _, p := range portions {
				if p <= left {
					left -= p
				}
			}
			assert.Equal(t, min(n, room), room-left, "%d where %d fit", n, room)
		}
	}
	assert.Len(t, portions(nil, 1_000_000), 20)
}

// Keys are told apart, and none chooses its slot.
func TestNames(t *testing.T) {
	n, err := newNaming("p:")
	require.NoError(t, err)
	for key, want := range map[string]string{
		"alice": "p:alice", "a}b": "p:a}b", "": "p:{}", "{x}y": "p:{7b787d79}", "{": "p:{7b}",
		"7b787d79": "p:7b787d79", "sha256:": "p:sha256:",
	} {
		assert.Equal(t, want, n.name(key))
	}
	long := strings.Repeat("a", longestKey)
	assert.Equal(t, "p:"+long, n.name(long))
	assert.Equal(t, fmt.Sprintf("p:{sha256:%x}", sha256.Sum256([]byte(long+"a"))), n.name(long+"a"))
	for _, prefix := range []string{"", "a:", "{tag}:", "x{tag}{", "}"} {
		_, err := newNaming(prefix)
		assert.NoError(t, err, "%q", prefix)
	}
	for _, prefix := range []string{"{", "a{b", "{}", "{}{x}"} {
		_, err := newNaming(prefix)
		assert.ErrorContains(t, err, "want no {, or a hash tag", "%q", prefix)
	}
}

// Two generations: what is touched stays, what is not goes, and a flood goes first.
func TestRecent(t *testing.T) {
	r := recent[int]{span: 10}
	g := r.shard(16)
	g.put(16, 1, 100, 10)
	g.put(32, 2, 105, 10)
	g.put(32, 2, 111, 10) // 16 grows old
	v, ok := g.get(16)
	assert.True(t, ok)
	assert.Equal(t, 1, v)
	g.put(32, 2, 122, 10)
	_, ok = g.get(16)
	assert.False(t, ok)
	_, ok = g.get(32)
	assert.True(t, ok)
	for i := range uint64(3 * perGeneration) {
		g.put(1000+i, 3, 123, 10)
	}
	assert.LessOrEqual(t, len(g.young)+len(g.old), 2*perGeneration)
	g.put(1, 1, 500, 10) // after a long pause nothing is left
	assert.Equal(t, 1, len(g.young)+len(g.old))
	g.drop(1)
	_, ok = g.get(1)
	assert.False(t, ok)
}
