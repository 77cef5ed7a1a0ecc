package redislimit_test

import (
	"context"
	"fmt"
	"os/exec"
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

// startCluster returns a client of three nodes that share the slots.
func startCluster(t *testing.T) (*redis.ClusterClient, []*server) {
	t.Helper()
	cli, err := exec.LookPath("redis-cli")
	if realRedis == "" || err != nil {
		t.Skip("a cluster needs redis-server and redis-cli")
	}
	var nodes []*server
	args := []string{"--cluster", "create"}
	for range 3 {
		s, err := startRedis(t.TempDir(), "--cluster-enabled", "yes", "--cluster-node-timeout", "2000")
		require.NoError(t, err)
		t.Cleanup(s.stop)
		nodes = append(nodes, s)
		args = append(args, s.addr)
	}
	out, err := exec.Command(cli, append(args, "--cluster-replicas", "0", "--cluster-yes")...).CombinedOutput()
	require.NoError(t, err, "%s", out)
	var addrs []string
	for _, n := range nodes {
		addrs = append(addrs, n.addr)
	}
	c := redis.NewClusterClient(&redis.ClusterOptions{Addrs: addrs, ContextTimeoutEnabled: true})
	t.Cleanup(func() { c.Close() })
	for _, n := range nodes { // each learns by itself that the cluster is complete
		one := redis.NewClient(&redis.Options{Addr: n.addr})
		t.Cleanup(func() { one.Close() })
		require.Eventually(t, func() bool {
			info, err := one.ClusterInfo(ctx).Result()
			return err == nil && strings.Contains(info, "cluster_state:ok")
		}, 30*time.Second, 20*time.Millisecond)
	}
	return c, nodes
}

// Keys of three nodes, one by one and in batches, some of them hostile; scripts that
// are flushed; and a limit over all callers.
func TestCluster(t *testing.T) {
	c, nodes := startCluster(t)
	for name, opts := range modes {
		t.Run(name, func(t *testing.T) {
			l := newLimiter(t, c, ratelimit.PerHour(3).WithBurst(10), append(opts, redislimit.WithPrefix(name+":"), redislimit.WithTimeout(20*time.Second))...)
			var reqs []redislimit.Request
			for i := range 60 {
				reqs = append(reqs, redislimit.Request{Key: fmt.Sprintf("{%d", i), N: 1}, redislimit.Request{Key: fmt.Sprintf("key %d", i), N: 2})
			}
			for range 2 {
				require.NoError(t, c.ForEachMaster(ctx, func(ctx context.Context, node *redis.Client) error { return node.ScriptFlush(ctx).Err() }))
				for i, r := range must[[]ratelimit.Result](t)(l.DecideBatch(ctx, reqs)) {
					assert.True(t, r.Allowed, "%v", reqs[i])
				}
			}
			for _, q := range reqs {
				r := must[ratelimit.Result](t)(l.Decide(ctx, q.Key, 10-2*q.N))
				assert.True(t, r.Allowed, "%v", q)
				assert.Zero(t, r.Remaining)
			}
			var passed atomic.Int64
			var group sync.WaitGroup
			for range 32 {
				group.Go(func() {
					for _, q := range reqs {
						if r, err := l.Decide(ctx, q.Key+"!", 1); assert.NoError(t, err) && r.Allowed {
							passed.Add(1)
						}
					}
				})
			}
			group.Wait()
			if name == "leased" {
				assert.LessOrEqual(t, passed.Load(), int64(10*len(reqs)))
			} else {
				assert.Equal(t, int64(10*len(reqs)), passed.Load())
			}
			require.NoError(t, l.Reset(ctx, reqs[0].Key))
			assert.Equal(t, int64(9), must[ratelimit.Result](t)(l.Decide(ctx, reqs[0].Key, 1)).Remaining)
			assert.Zero(t, l.Stats().Failures)
		})
	}
	for i, n := range nodes {
		one := redis.NewClient(&redis.Options{Addr: n.addr})
		t.Cleanup(func() { one.Close() })
		assert.Greater(t, must[int64](t)(one.DBSize(ctx).Result()), int64(50), "node %d has its share", i)
	}
}
