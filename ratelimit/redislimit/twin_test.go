package redislimit_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/distkit/distkit/ratelimit"
	"github.com/distkit/distkit/ratelimit/redislimit"
	"github.com/stretchr/testify/require"
)

// micro rounds a delay up to what the store's clock can tell.
func micro(d time.Duration) time.Duration {
	if d == ratelimit.InfDuration {
		return d
	}
	return (d + time.Microsecond - 1) / time.Microsecond * time.Microsecond
}

// The local limiter and the one in the store take the same decisions at the same
// instants, with the same figures, whichever way the requests come: one by one, in
// batches, or answered from the deny cache.
func TestSameAsKeyed(t *testing.T) {
	m, c, now := startMini(t)
	ctx := context.Background()
	rnd := rand.New(rand.NewPCG(1, 2))
	decisions := 0
	for round := range 60 {
		var limits []ratelimit.Limit
		for range 1 + rnd.IntN(3) {
			limits = append(limits, ratelimit.Limit{
				Events: 1 + rnd.Int64N(12), Period: time.Duration(1+rnd.Int64N(100_000)) * 100 * time.Microsecond, Burst: 1 + rnd.Int64N(15),
			})
		}
		opts := []redislimit.Option{redislimit.WithPrefix(fmt.Sprint(round, ":")), redislimit.WithoutDenyCache()}
		ours := must[*redislimit.Limiter](t)(redislimit.NewMulti(c, limits, opts...))
		twin := must[*ratelimit.Keyed](t)(ratelimit.NewKeyedMulti(limits))
		require.Equal(t, twin.Limits(), ours.Limits())
		for range 40 {
			reqs := make([]redislimit.Request, 1+rnd.IntN(4))
			for i := range reqs {
				reqs[i] = redislimit.Request{Key: fmt.Sprint(rnd.IntN(2)), N: rnd.Int64N(6) - 1}
			}
			var got []ratelimit.Result
			if len(reqs) == 1 {
				got = []ratelimit.Result{must[ratelimit.Result](t)(ours.Decide(ctx, reqs[0].Key, reqs[0].N))}
			} else {
				got = must[[]ratelimit.Result](t)(ours.DecideBatch(ctx, reqs))
			}
			for i, q := range reqs {
				want := twin.TakeAt(now, []byte(q.Key), q.N)
				want.RetryAfter, want.ResetAfter = micro(want.RetryAfter), micro(want.ResetAfter)
				require.Equal(t, want, got[i], "%v: %v of %v at %v", limits, q, reqs, now)
				decisions++
			}
			step := time.Duration(rnd.Int64N(2_000)) * time.Duration(rnd.Int64N(1_000)) * time.Microsecond
			now = now.Add(step)
			m.SetTime(now)
			m.FastForward(step)
		}
	}
	t.Log(decisions, "decisions")
}
