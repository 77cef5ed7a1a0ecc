package redislimit

import (
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/distkit/distkit/ratelimit"
	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Different keys have different names, of bounded length, and what is between braces,
// if anything, is not the key's to choose.
func FuzzNames(f *testing.F) {
	for _, s := range []string{"", "{", "{}", "a}b{c}", "7b", "{7b}", "{sha256:", strings.Repeat("x", longestKey+1)} {
		f.Add(s, "alice")
		f.Add(s, "{"+s+"}")
	}
	n, err := newNaming("p:")
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, a, b string) {
		x, y := n.name(a), n.name(b)
		assert.Equal(t, a == b, x == y)
		for _, name := range []string{x, y} {
			rest := strings.TrimPrefix(name, "p:")
			assert.LessOrEqual(t, len(rest), 2+2*longestKey)
			if before, _, tagged := strings.Cut(rest, "{"); tagged {
				assert.Empty(t, before)
				assert.Equal(t, len(rest)-1, strings.IndexByte(rest, '}'))
			}
		}
	})
}

// Whatever stands in a key, a decision is one that the limit can have.
func FuzzState(f *testing.F) {
	for _, s := range []string{"", "1767323045000000", "1767323045000000 3", "1e300", "-1 -1", "9007199254740993 1", "0x7fffffffffffff", "1 2 3 4 5"} {
		f.Add(s)
	}
	m := miniredis.RunT(f)
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	m.SetTime(now)
	c := redis.NewClient(&redis.Options{Addr: m.Addr()})
	f.Cleanup(func() { c.Close() })
	var limiters []*Limiter
	for _, limits := range [][]ratelimit.Limit{{ratelimit.PerHour(6)}, {ratelimit.PerHour(7)}, {ratelimit.PerHour(6), ratelimit.PerDay(7)}} {
		l, err := NewMulti(c, limits, WithoutDenyCache())
		require.NoError(f, err)
		limiters = append(limiters, l)
	}
	f.Fuzz(func(t *testing.T, state string) {
		for _, l := range limiters {
			require.NoError(t, m.Set("ratelimit:key", state))
			r, err := l.Decide(ctx, "key", 1)
			require.NoError(t, err)
			assert.True(t, r.Allowed || r.RetryAfter > 0)
			assert.LessOrEqual(t, r.RetryAfter, 24*time.Hour/7+time.Second+time.Microsecond)
			assert.LessOrEqual(t, r.ResetAfter, 24*time.Hour+time.Second+time.Microsecond)
			assert.True(t, r.Remaining >= 0 && r.Remaining < 7)
		}
	})
}
