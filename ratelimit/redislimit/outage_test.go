package redislimit_test

import (
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/distkit/distkit/ratelimit"
	"github.com/distkit/distkit/ratelimit/redislimit"
	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// silent is a store that takes connections and never answers.
func silent(t *testing.T) (addr string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	var mu sync.Mutex
	var conns []net.Conn
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			conns = append(conns, c)
			mu.Unlock()
		}
	}()
	t.Cleanup(func() {
		l.Close()
		mu.Lock()
		defer mu.Unlock()
		for _, c := range conns {
			c.Close()
		}
	})
	return l.Addr().String()
}

// A store that hangs holds callers about as long as WithTimeout says, whatever the
// client's own timeouts: four tries of a minute each, here.
func TestSilentStore(t *testing.T) {
	addr := silent(t)
	clients := map[string]redis.Scripter{
		"client":           redis.NewClient(&redis.Options{Addr: addr, ReadTimeout: time.Minute, DialTimeout: time.Minute}),
		"with deadlines":   redis.NewClient(&redis.Options{Addr: addr, ReadTimeout: time.Minute, DialTimeout: time.Minute, ContextTimeoutEnabled: true}),
		"cluster":          redis.NewClusterClient(&redis.ClusterOptions{Addrs: []string{addr}, ReadTimeout: time.Minute, DialTimeout: time.Minute}),
		"cluster with":     redis.NewClusterClient(&redis.ClusterOptions{Addrs: []string{addr}, ReadTimeout: time.Minute, DialTimeout: time.Minute, ContextTimeoutEnabled: true}),
		"ring":             redis.NewRing(&redis.RingOptions{Addrs: map[string]string{"a": addr}, ReadTimeout: time.Minute, DialTimeout: time.Minute}),
		"dead":             redis.NewClient(&redis.Options{Addr: "127.0.0.1:1", ContextTimeoutEnabled: true}),
		"a client of ours": onlyScripter{redis.NewClient(&redis.Options{Addr: addr, ReadTimeout: time.Minute, DialTimeout: time.Minute})},
	}
	for name, c := range clients {
		t.Run(name, func(t *testing.T) {
			if closer, ok := c.(io.Closer); ok {
				t.Cleanup(func() { closer.Close() })
			}
			l := must[*redislimit.Limiter](t)(redislimit.New(c, ratelimit.PerHour(10), redislimit.WithTimeout(50*time.Millisecond), redislimit.WithFallback(0.5)))
			start := time.Now()
			var group sync.WaitGroup
			for range 8 {
				group.Go(func() {
					for range 5 {
						_, err := l.Decide(ctx, "alice", 1)
						assert.ErrorIs(t, err, redislimit.ErrUnavailable)
					}
				})
			}
			group.Wait()
			assert.Less(t, time.Since(start), 20*time.Second)
			assert.True(t, l.Stats().Down)
			assert.GreaterOrEqual(t, l.Stats().Failures, uint64(3))
		})
	}
}

// onlyScripter hides what else a client can.
type onlyScripter struct{ redis.Scripter }

func (s onlyScripter) Close() error { return s.Scripter.(io.Closer).Close() }

// A store that goes away and comes back: refused meanwhile, without a trip for most,
// and decided again afterwards, with the debts that the store kept.
func TestStoreComesBack(t *testing.T) {
	m := miniredis.RunT(t)
	c := redis.NewClient(&redis.Options{Addr: m.Addr(), ContextTimeoutEnabled: true, MaxRetries: -1, DialerRetries: 1})
	defer c.Close()
	l := newLimiter(t, onlyScripter{c}, ratelimit.PerHour(10), redislimit.WithTimeout(time.Second))
	r := must[ratelimit.Result](t)(l.Decide(ctx, "alice", 3))
	assert.Equal(t, int64(7), r.Remaining)
	m.SetError("LOADING Redis is loading the dataset in memory")
	for range 50 {
		r, err := l.Decide(ctx, "alice", 1)
		assert.ErrorIs(t, err, redislimit.ErrUnavailable)
		assert.ErrorContains(t, err, "LOADING")
		assert.Equal(t, ratelimit.Result{Limit: 10}, r)
	}
	s := l.Stats()
	assert.True(t, s.Down)
	assert.Less(t, s.Trips, uint64(20))
	m.SetError("")
	require.Eventually(t, func() bool {
		r, err := l.Decide(ctx, "alice", 1)
		return err == nil && assert.Equal(t, int64(6), r.Remaining)
	}, 20*time.Second, 20*time.Millisecond)
	assert.False(t, l.Stats().Down)

	rs, err := l.DecideBatch(ctx, []redislimit.Request{{Key: "bob", N: 1}, {Key: "carol", N: 1}}) // without Pipelined
	assert.NoError(t, err)
	assert.True(t, rs[0].Allowed && rs[1].Allowed)
}
