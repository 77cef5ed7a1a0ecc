package ratelimit

import (
	"context"
	"time"

	"github.com/RussellLuo/slidingwindow"
	"github.com/distkit/distkit/bench/bar"
	"github.com/distkit/distkit/ratelimit"
	"github.com/failsafe-go/failsafe-go/ratelimiter"
)

// singleBars are of one limiter on one core.
func singleBars() []bar.Bar {
	return []bar.Bar{
		{
			Name: "Allow/allowed", Limit: 0.45,
			Ours: side("distkit", func() func() bool { return allowed().Allow }),
			Peer: side("x/time/rate", func() func() bool { return theirsAllowed().Allow }),
		},
		{
			Name: "Allow/allowed against failsafe", Limit: 0.80,
			Ours: side("distkit", func() func() bool { return allowed().Allow }),
			Peer: side("failsafe bursty", func() func() bool {
				return ratelimiter.NewBursty[any](1_000_000_000, time.Second).TryAcquirePermit
			}),
		},
		{
			Name: "Allow/denied", Limit: 0.45,
			Ours: side("distkit", func() func() bool { return denied().Allow }),
			Peer: side("x/time/rate", func() func() bool { return theirsDenied().Allow }),
		},
		{
			Name: "AllowAt/allowed", Limit: 0.40,
			Ours: side("distkit", func() func() bool {
				l, at := allowed(), instants()
				return func() bool { return l.AllowAt(at(), 1) }
			}),
			Peer: side("x/time/rate", func() func() bool {
				l, at := theirsAllowed(), instants()
				return func() bool { return l.AllowN(at(), 1) }
			}),
		},
		{
			Name: "AllowAt/denied", Limit: 0.20,
			Ours: side("distkit", func() func() bool {
				l, at := denied(), time.Now()
				return func() bool { return l.AllowAt(at, 1) }
			}),
			Peer: side("x/time/rate", func() func() bool {
				l, at := theirsDenied(), time.Now()
				return func() bool { return l.AllowN(at, 1) }
			}),
		},
		{
			Name: "ReserveAt and CancelAt", Limit: 1,
			Ours: side("distkit", func() func() bool {
				l, at := denied(), time.Now()
				return func() bool {
					r := l.ReserveAt(at, 1)
					r.CancelAt(at)
					return r.OK()
				}
			}),
			Peer: side("x/time/rate", func() func() bool {
				l, at := theirsDenied(), time.Now()
				return func() bool {
					r := l.ReserveN(at, 1)
					r.CancelAt(at)
					return r.OK()
				}
			}),
		},
		{
			Name: "SlidingWindow Allow", Limit: 0.5,
			Ours: side("distkit", func() func() bool {
				return check(ratelimit.New(ratelimit.PerMinute(100_000), ratelimit.WithAlgorithm(ratelimit.SlidingWindow))).Allow
			}),
			Peer: side("RussellLuo", func() func() bool {
				l, _ := slidingwindow.NewLimiter(time.Minute, 100_000, func() (slidingwindow.Window, slidingwindow.StopFunc) {
					return slidingwindow.NewLocalWindow()
				})
				return l.Allow
			}),
		},
		{
			Name: "Keyed, one key, against throttled", Limit: 0.5,
			Ours: side("distkit", func() func() bool { return one(keyed(), "client") }),
			Peer: side("throttled mem", func() func() bool {
				t := newThrottled(1000)
				return func() bool { return t.allow("client") }
			}),
		},
		{
			Name: "Keyed, one key, against ulule", Limit: 0.5,
			Ours: side("distkit", func() func() bool { return one(keyed(), "client") }),
			Peer: side("ulule mem", func() func() bool {
				u := newUlule()
				return func() bool { return u.allow("client") }
			}),
		},
		{
			Name: "Keyed, one key, against sethvargo", Limit: 1,
			Ours: side("distkit", func() func() bool { return one(keyed(), "client") }),
			Peer: side("sethvargo", func() func() bool {
				s := newSethvargo()
				return func() bool {
					_, _, _, ok, _ := s.Take(context.Background(), "client")
					return ok
				}
			}),
		},
	}
}

func one(k *ratelimit.Keyed, key string) func() bool {
	return func() bool { return k.AllowString(key) }
}

// instants are 20 ns apart, and begin anew after a while.
func instants() func() time.Time {
	at := make([]time.Time, 1<<12)
	for i := range at {
		at[i] = time.Now().Add(time.Duration(20 * i))
	}
	i := 0
	return func() time.Time {
		i++
		return at[i%len(at)]
	}
}

// sharedBars are of one limiter on all cores.
func sharedBars() []bar.Bar {
	return []bar.Bar{
		{
			Name: "Allow/denied/all cores", Limit: 0.40,
			Ours: parallel("distkit", func() func() bool { return denied().Allow }),
			Peer: parallel("x/time/rate", func() func() bool { return theirsDenied().Allow }),
		},
		{
			Name: "Allow/allowed/all cores", Limit: 0.75,
			Ours: parallel("distkit", func() func() bool { return allowed().Allow }),
			Peer: parallel("x/time/rate", func() func() bool { return theirsAllowed().Allow }),
		},
	}
}
