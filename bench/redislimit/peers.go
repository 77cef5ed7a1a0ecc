package redislimit

import (
	"context"

	"github.com/distkit/distkit/ratelimit"
	"github.com/distkit/distkit/ratelimit/redislimit"
	"github.com/go-redis/redis_rate/v10"
	gcra "github.com/throttled/throttled/v2"
	"github.com/throttled/throttled/v2/store/goredisstore.v9"
	window "github.com/ulule/limiter/v3"
	store "github.com/ulule/limiter/v3/drivers/store/redis"
)

var ctx = context.Background()

func ours(limit ratelimit.Limit, opts ...redislimit.Option) limiter {
	return limiter{"distkit", func(prefix string) decision {
		l := check(redislimit.New(client(), limit, append(opts, redislimit.WithPrefix(prefix))...))
		return func(key string) bool { return check(l.Decide(ctx, key, 1)).Allowed }
	}}
}

func redisRate(limit ratelimit.Limit) limiter {
	return limiter{"redis_rate", func(prefix string) decision {
		l := redis_rate.NewLimiter(client())
		limit := redis_rate.Limit{Rate: int(limit.Events), Burst: int(limit.Burst), Period: limit.Period}
		return func(key string) bool { return check(l.Allow(ctx, prefix+key, limit)).Allowed > 0 }
	}}
}

// throttled reads the time and the key, and swaps if nobody else did: after ten swaps
// that fail it gives an error, which counts as a decision here.
func throttled(limit ratelimit.Limit) limiter {
	return limiter{"throttled", func(prefix string) decision {
		s := check(goredisstore.NewCtx(client(), prefix))
		rate := gcra.PerSec(int(limit.Events))
		if limit.Events == 1 {
			rate = gcra.PerDay(1)
		}
		l := check(gcra.NewGCRARateLimiterCtx(s, gcra.RateQuota{MaxRate: rate, MaxBurst: int(limit.Burst) - 1}))
		return func(key string) bool {
			limited, _, err := l.RateLimitCtx(ctx, key, 1)
			return err == nil && !limited
		}
	}}
}

// ulule counts windows.
func ulule(limit ratelimit.Limit) limiter {
	return limiter{"ulule", func(prefix string) decision {
		s := check(store.NewStoreWithOptions(client(), window.StoreOptions{Prefix: prefix}))
		l := window.New(s, window.Rate{Period: 24 * limit.Period, Limit: limit.Burst})
		return func(key string) bool { return !check(l.Get(ctx, key)).Reached }
	}}
}
