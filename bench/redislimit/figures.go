package redislimit

import (
	"fmt"
	"math"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/distkit/distkit/bench/bar"
	"github.com/distkit/distkit/ratelimit"
	"github.com/distkit/distkit/ratelimit/redislimit"
	"github.com/redis/go-redis/v9"
)

// figures are what is absolute.
func figures() []bar.Figure {
	var over, failed float64
	fleet := sync.OnceFunc(func() { over, failed = fourServers() })
	var least, most float64
	ages := sync.OnceFunc(func() { least, most = lifetimes() })
	return []bar.Figure{
		{Name: "4 servers, 32 callers each: admitted above the limit", Measure: func() float64 { fleet(); return over }},
		{Name: "4 servers, 32 callers each: errors", Measure: func() float64 { fleet(); return failed }},
		{Name: "how long a key outlives its debt, at least", Unit: "ms", AtLeast: true, Measure: func() float64 { ages(); return least }},
		{Name: "how long a key outlives its debt, at most", Unit: "ms", Limit: 100, Measure: func() float64 { ages(); return most }},
		{Name: "commands a decision, leased, 1 key", Limit: 0.2, Measure: leasedCommands},
	}
}

// fourServers returns how many more events pass in a second and a half than the
// store's own clock says are due, and how many callers see an error.
func fourServers() (over, failed float64) {
	limit := ratelimit.PerSecond(200).WithBurst(50)
	prefix := fmt.Sprintf("fleet-%d:", time.Now().UnixNano())
	var passed, errors atomic.Int64
	var group sync.WaitGroup
	start := check(client().Time(ctx).Result())
	until := time.Now().Add(1500 * time.Millisecond)
	for range 4 {
		c := redis.NewClient(&redis.Options{Addr: address(), PoolSize: 32, ContextTimeoutEnabled: true})
		defer c.Close()
		l := check(redislimit.New(c, limit, redislimit.WithPrefix(prefix), redislimit.WithoutDenyCache(), redislimit.WithTimeout(10*time.Second)))
		for range 32 {
			group.Go(func() {
				for time.Now().Before(until) {
					r, err := l.Decide(ctx, "hot", 1)
					if err != nil {
						errors.Add(1)
					}
					if r.Allowed {
						passed.Add(1)
					}
				}
			})
		}
	}
	group.Wait()
	span := check(client().Time(ctx).Result()).Sub(start)
	due := int64(span)*limit.Events/int64(limit.Period) + limit.Burst
	return float64(max(0, passed.Load()-due)), float64(errors.Load())
}

// lifetimes compares when keys expire with when their debts are gone, by the store's
// clock, for rates that divide nothing.
func lifetimes() (least, most float64) {
	least = math.Inf(1)
	for i := range 1000 {
		limit := ratelimit.Limit{Events: int64(1 + i%7), Period: 10*time.Second + time.Duration(i*7919*997)}
		prefix := fmt.Sprintf("age-%d-%d:", time.Now().UnixNano(), i)
		l := check(redislimit.New(client(), limit, redislimit.WithPrefix(prefix)))
		check(l.Decide(ctx, "key", 1))
		state := check(client().Get(ctx, prefix+"key").Result())
		var whole, part int64
		if _, err := fmt.Sscan(state, &whole, &part); err != nil {
			whole = check(strconv.ParseInt(state, 10, 64))
		}
		outlives := check(client().PExpireTime(ctx, prefix+"key").Result()) - time.Duration(whole)*time.Microsecond
		ms := float64(outlives) / float64(time.Millisecond)
		least, most = min(least, ms), max(most, ms)
	}
	return least, most
}

// leasedCommands returns how many commands a decision takes.
func leasedCommands() float64 {
	l := check(redislimit.New(client(), plenty, lease, redislimit.WithPrefix(fmt.Sprintf("leased-%d:", time.Now().UnixNano()))))
	const each = 2000
	var group sync.WaitGroup
	for range callers {
		group.Go(func() {
			for range each {
				check(l.Decide(ctx, "hot", 1))
			}
		})
	}
	group.Wait()
	return float64(l.Stats().Commands) / (callers * each)
}
