package redislimit_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/distkit/distkit/ratelimit"
	"github.com/distkit/distkit/ratelimit/redislimit"
	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var ctx = context.Background()

// modes are the ways a decision may take to the store.
var modes = map[string][]redislimit.Option{
	"plain":   {redislimit.WithoutDenyCache(), redislimit.WithoutBatching()},
	"default": nil,
	"leased":  {redislimit.WithLease(5, 50*time.Millisecond)},
}

func newLimiter(t testing.TB, c redis.Scripter, limit ratelimit.Limit, opts ...redislimit.Option) *redislimit.Limiter {
	t.Helper()
	l := must[*redislimit.Limiter](t)(redislimit.New(c, limit, opts...))
	t.Cleanup(func() { assert.NoError(t, l.Close()) })
	return l
}

// Four servers with 32 callers each, on one key and on many: what passes is what the
// limit allows in the time that the store's own clock says has gone by, and no caller
// sees an error. With leases of five, four times five more could have been held at the
// beginning, had there been a time before.
func TestFourServersThirtyTwoCallers(t *testing.T) {
	for name, opts := range modes {
		for _, keys := range []int{1, 20} {
			t.Run(fmt.Sprint(name, "/keys=", keys), func(t *testing.T) {
				c, prefix := connect(t)
				limit := ratelimit.Limit{Events: 700, Period: 3 * time.Second, Burst: 40}
				passed := make([]atomic.Int64, keys)
				var failed, asked atomic.Int64
				start, err := c.Time(ctx).Result()
				require.NoError(t, err)
				var group sync.WaitGroup
				until := time.Now().Add(500 * time.Millisecond)
				for range 4 {
					own := redis.NewClient(&redis.Options{Addr: shared, PoolSize: 32, ContextTimeoutEnabled: true, PoolTimeout: 10 * time.Second, ReadTimeout: 10 * time.Second})
					t.Cleanup(func() { own.Close() })
					l := newLimiter(t, own, limit, append(opts, redislimit.WithPrefix(prefix), redislimit.WithTimeout(20*time.Second))...)
					for caller := range 32 {
						group.Go(func() {
							rnd := rand.New(rand.NewPCG(1, uint64(caller)))
							for time.Now().Before(until) {
								key := rnd.IntN(keys)
								r, err := l.Decide(ctx, strconv.Itoa(key), 1)
								if err != nil {
									failed.Add(1)
									t.Error(err)
									return
								}
								asked.Add(1)
								if r.Allowed {
									passed[key].Add(1)
								}
							}
						})
					}
				}
				group.Wait()
				end, err := c.Time(ctx).Result()
				require.NoError(t, err)
				due := int64(end.Sub(start))*limit.Events/int64(limit.Period) + limit.Burst
				assert.Zero(t, failed.Load())
				for i := range passed {
					assert.LessOrEqual(t, passed[i].Load(), due, "key %d", i)
					assert.GreaterOrEqual(t, passed[i].Load()+20, limit.Burst, "key %d", i)
				}
				t.Logf("%d decisions, %d of %d passed on key 0", asked.Load(), passed[0].Load(), due)
			})
		}
	}
}

// The lost update of the textbooks: two servers read the counter, 1 of 2, at once,
// and both let one pass. Here, of all that two servers ask at once, two pass.
func TestNoLostUpdate(t *testing.T) {
	c, prefix := connect(t)
	for name, opts := range modes {
		if name == "leased" {
			opts = []redislimit.Option{redislimit.WithLease(1, time.Second)}
		}
		var servers [2]*redislimit.Limiter
		for i := range servers {
			servers[i] = newLimiter(t, c, ratelimit.PerHour(1).WithBurst(2), append(opts, redislimit.WithPrefix(prefix+name))...)
		}
		for round := range 100 {
			key := fmt.Sprint(round)
			r := must[ratelimit.Result](t)(servers[0].Decide(ctx, key, 1))
			require.True(t, r.Allowed)
			var group sync.WaitGroup
			var passed atomic.Int64
			for _, l := range servers {
				group.Go(func() {
					if r, err := l.Decide(ctx, key, 1); assert.NoError(t, err) && r.Allowed {
						passed.Add(1)
					}
				})
			}
			group.Wait()
			require.LessOrEqual(t, passed.Load(), int64(1), name)
			if name != "leased" {
				require.Equal(t, int64(1), passed.Load(), name)
			}
		}
	}
}

// A server that was restarted does not know the script. Nobody notices.
func TestScriptFlush(t *testing.T) {
	c, prefix := connect(t)
	l := newLimiter(t, c, ratelimit.PerHour(10), redislimit.WithPrefix(prefix))
	for want := int64(9); want > 6; want-- {
		require.NoError(t, c.ScriptFlush(ctx).Err())
		r := must[ratelimit.Result](t)(l.Decide(ctx, "alice", 1))
		assert.Equal(t, want, r.Remaining)
	}
	require.NoError(t, c.ScriptFlush(ctx).Err())
	rs := must[[]ratelimit.Result](t)(l.DecideBatch(ctx, []redislimit.Request{{Key: "alice", N: 1}, {Key: "bob", N: 1}, {Key: "carol", N: 2}}))
	assert.Equal(t, []int64{6, 9, 8}, []int64{rs[0].Remaining, rs[1].Remaining, rs[2].Remaining})
	require.NoError(t, c.ScriptFlush(ctx).Err())
	assert.NoError(t, l.Reset(ctx, "alice"))
	assert.Equal(t, int64(9), must[ratelimit.Result](t)(l.Decide(ctx, "alice", 1)).Remaining)
	failed, down := l.Stats().Failures, l.Stats().Down
	assert.Zero(t, failed)
	assert.False(t, down)
}

// A batch is decided in order, as if one by one, however many requests are for one key.
func TestLargeBatch(t *testing.T) {
	c, prefix := connect(t)
	for name, limit := range map[string]ratelimit.Limit{"whole": ratelimit.PerDay(1500), "parts": ratelimit.PerDay(1700).WithBurst(1500)} {
		l := newLimiter(t, c, limit, redislimit.WithPrefix(prefix+name))
		var reqs []redislimit.Request
		for i := range int64(3000) {
			reqs = append(reqs, redislimit.Request{Key: "hot", N: i % 3})
		}
		left := limit.Burst
		for i, r := range must[[]ratelimit.Result](t)(l.DecideBatch(ctx, reqs)) {
			n := reqs[i].N
			require.Equal(t, n <= left, r.Allowed, "%s: request %d", name, i)
			if r.Allowed {
				left -= n
			}
			require.Equal(t, left, r.Remaining, "%s: request %d", name, i)
		}
		assert.Less(t, l.Stats().Trips, uint64(4))
		none, err := l.DecideBatch(ctx, nil)
		assert.NoError(t, err)
		assert.Empty(t, none)
	}
}

// A key lives as long as its debt, not a tenth of a second longer, and never shorter,
// which would forgive the rest.
func TestTimeToLive(t *testing.T) {
	c, prefix := connect(t)
	rnd := rand.New(rand.NewPCG(5, 6))
	for i := range 300 {
		limits := []ratelimit.Limit{{Events: 1 + rnd.Int64N(50), Period: time.Duration(1 + rnd.Int64N(int64(time.Hour))), Burst: 1 + rnd.Int64N(50)}}
		if i%3 == 0 {
			limits = append(limits, ratelimit.PerSecond(7).WithBurst(50))
		}
		l := must[*redislimit.Limiter](t)(redislimit.NewMulti(c, limits, redislimit.WithPrefix(prefix)))
		key := fmt.Sprint(i)
		n := 1 + rnd.Int64N(limits[0].Burst)
		r := must[ratelimit.Result](t)(l.Decide(ctx, key, n))
		require.True(t, r.Allowed)
		if len(limits) == 1 && r.ResetAfter < time.Second {
			continue // it may be gone before we look
		}
		saved, err := c.Get(ctx, prefix+key).Result()
		if err == redis.Nil {
			continue // so it was
		}
		require.NoError(t, err)
		state := strings.Fields(saved)
		expires, err := c.PExpireTime(ctx, prefix+key).Result()
		if err != nil { // miniredis, where keys do not age by themselves
			require.Empty(t, realRedis, err)
			assert.GreaterOrEqual(t, c.PTTL(ctx, prefix+key).Val(), r.ResetAfter)
			continue
		}
		var latest int64 // instant at which the debt is gone, microseconds, rounded up
		for j := 0; j < len(state); j += 2 {
			whole := must[int64](t)(strconv.ParseInt(state[j], 10, 64))
			if len(state) > 1 && state[j+1] != "0" {
				whole++
			}
			latest = max(latest, whole)
		}
		assert.GreaterOrEqual(t, expires.Microseconds(), latest, "%v", limits)
		assert.Less(t, expires.Microseconds(), latest+100_000, "%v", limits)
	}
}

// One in 1.9 s: where keys live for whole seconds, rounded down, six pass in six
// seconds; four are due.
func TestTimeToLiveForgivesNothing(t *testing.T) {
	m, c, now := startMini(t)
	l := newLimiter(t, c, ratelimit.Every(1900*time.Millisecond), redislimit.WithoutDenyCache())
	passed := 0
	for range 60 {
		if must[ratelimit.Result](t)(l.Decide(ctx, "alice", 1)).Allowed {
			passed++
		}
		now = now.Add(100 * time.Millisecond)
		m.SetTime(now)
		m.FastForward(100 * time.Millisecond)
	}
	assert.Equal(t, 4, passed)
}

// A store's clock that goes back an hour locks a key for one refill, not for an hour;
// one that goes forward grants one burst and no more.
func TestClockStep(t *testing.T) {
	m, c, now := startMini(t)
	for _, limits := range [][]ratelimit.Limit{{ratelimit.PerMinute(6)}, {ratelimit.PerMinute(6), ratelimit.PerHour(7200)}} {
		l := must[*redislimit.Limiter](t)(redislimit.NewMulti(c, limits, redislimit.WithoutDenyCache(), redislimit.WithPrefix(fmt.Sprint(len(limits)))))
		drain := func() (passed int) {
			for must[ratelimit.Result](t)(l.Decide(ctx, "alice", 1)).Allowed {
				passed++
			}
			return passed
		}
		assert.Equal(t, 6, drain())
		m.SetTime(now.Add(-time.Hour))
		r := must[ratelimit.Result](t)(l.Decide(ctx, "alice", 1))
		assert.False(t, r.Allowed)
		assert.Equal(t, 10*time.Second, r.RetryAfter)
		m.SetTime(now.Add(-time.Hour + 10*time.Second))
		assert.Equal(t, 1, drain())
		m.SetTime(now.Add(time.Hour))
		assert.Equal(t, 6, drain())
		m.SetTime(now)
	}
}

// What somebody else put there is no debt, or a debt that the limit can have; only
// what is no string cannot be read.
func TestForeignState(t *testing.T) {
	c, prefix := connect(t)
	for _, limits := range [][]ratelimit.Limit{{ratelimit.PerHour(6)}, {ratelimit.PerHour(7)}, {ratelimit.PerHour(6), ratelimit.PerDay(100)}} {
		l := must[*redislimit.Limiter](t)(redislimit.NewMulti(c, limits, redislimit.WithPrefix(prefix), redislimit.WithoutDenyCache()))
		for _, state := range []string{"", "?", "-1", "-5 -5", "nan", "1 2 3 4 5 6", "0 99999999999999999999", "99999999999999999999999 7", "inf"} {
			require.NoError(t, c.Set(ctx, prefix+"alice", state, 0).Err())
			r, err := l.Decide(ctx, "alice", 1)
			require.NoError(t, err, "%q", state)
			assert.True(t, r.Allowed && r.Remaining < 7 || r.RetryAfter <= time.Hour, "%q: %+v", state, r)
		}
		for _, state := range []string{"9007199254740991", "9007199254740991 5", "9999999999999999 9999999999999999 9999999999999999 9999999999999999"} {
			require.NoError(t, c.Set(ctx, prefix+"alice", state, 0).Err())
			r, err := l.Decide(ctx, "alice", 1)
			require.NoError(t, err, "%q", state)
			assert.False(t, r.Allowed, "%q", state)
			assert.LessOrEqual(t, r.RetryAfter, 24*time.Hour/100, "%q", state)
			assert.Positive(t, c.PTTL(ctx, prefix+"alice").Val(), "%q", state)
		}
		require.NoError(t, c.Del(ctx, prefix+"alice").Err())
		require.NoError(t, c.LPush(ctx, prefix+"alice", "a list").Err())
		_, err := l.Decide(ctx, "alice", 1)
		assert.ErrorIs(t, err, redislimit.ErrUnavailable)
		assert.ErrorContains(t, err, "WRONGTYPE")
		require.NoError(t, l.Reset(ctx, "alice"))
	}
}

// Keys of strangers: each is a key of its own, whatever is in it.
func TestHostileKeys(t *testing.T) {
	c, prefix := connect(t)
	l := newLimiter(t, c, ratelimit.PerHour(3), redislimit.WithPrefix(prefix))
	keys := []string{"", "{", "}", "{}", "{a}", "{a}b", "a{", "7b", "{7b}", "a\x00b", "a\r\nb", "\xff\xfe", "sha256:", "{sha256:}", strings.Repeat("k", 256), strings.Repeat("k", 257), strings.Repeat("k", 258), strings.Repeat("{", 1<<20)}
	for i, key := range keys {
		r := must[ratelimit.Result](t)(l.Decide(ctx, key, 1))
		assert.Equal(t, int64(2), r.Remaining, "%d: %.20q", i, key)
	}
	names := must[[]string](t)(c.Keys(ctx, "*").Result())
	count := 0
	for _, name := range names {
		if rest, ours := strings.CutPrefix(name, prefix); ours {
			count++
			assert.LessOrEqual(t, len(rest), 514)
			if open := strings.IndexByte(rest, '{'); open >= 0 {
				assert.Zero(t, open, "%q: a tag that the key chose", rest)
			}
		}
	}
	assert.Equal(t, len(keys), count)
}
