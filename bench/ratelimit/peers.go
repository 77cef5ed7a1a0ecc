package ratelimit

import (
	"context"
	"sync"
	"time"

	"github.com/distkit/distkit/ratelimit"
	"github.com/sethvargo/go-limiter"
	"github.com/sethvargo/go-limiter/memorystore"
	"github.com/throttled/throttled/v2"
	"github.com/throttled/throttled/v2/store/memstore"
	ulule "github.com/ulule/limiter/v3"
	"github.com/ulule/limiter/v3/drivers/store/memory"
	"golang.org/x/time/rate"
)

// plenty is a burst that no workload uses up, refilled so slowly that every key that
// was charged stays in debt: so every table holds them all.
const plenty = 1 << 30

func keyed() *ratelimit.Keyed {
	return check(ratelimit.NewKeyed(ratelimit.PerHour(1).WithBurst(plenty)))
}

// limiters is the map that everybody writes.
type limiters struct {
	mu sync.Mutex
	m  map[string]*rate.Limiter
}

func newLimiters() *limiters { return &limiters{m: map[string]*rate.Limiter{}} }

func (l *limiters) allow(key string) bool {
	l.mu.Lock()
	one, ok := l.m[key]
	if !ok {
		one = rate.NewLimiter(rate.Every(time.Hour), plenty)
		l.m[key] = one
	}
	l.mu.Unlock()
	return one.Allow()
}

func newSethvargo() limiter.Store {
	return check(memorystore.New(&memorystore.Config{Tokens: plenty, Interval: time.Hour}))
}

func take(s limiter.Store, key string) bool {
	_, _, _, ok, err := s.Take(context.Background(), key)
	if err != nil {
		panic(err)
	}
	return ok
}

type throttledLimiter struct {
	*throttled.GCRARateLimiterCtx
}

func newThrottled(keys int) throttledLimiter {
	store := check(memstore.NewCtx(keys))
	return throttledLimiter{check(throttled.NewGCRARateLimiterCtx(store, throttled.RateQuota{MaxRate: throttled.PerHour(1), MaxBurst: 1 << 20}))}
}

func (t throttledLimiter) allow(key string) bool {
	limited, _, err := t.RateLimitCtx(context.Background(), key, 1)
	if err != nil {
		panic(err)
	}
	return !limited
}

type ululeLimiter struct{ *ulule.Limiter }

func newUlule() ululeLimiter {
	return ululeLimiter{ulule.New(memory.NewStore(), ulule.Rate{Period: time.Hour, Limit: plenty})}
}

func (u ululeLimiter) allow(key string) bool {
	c, err := u.Get(context.Background(), key)
	if err != nil {
		panic(err)
	}
	return !c.Reached
}
