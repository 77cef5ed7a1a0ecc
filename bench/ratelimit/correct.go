package ratelimit

import (
	"fmt"
	"math"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/distkit/distkit/bench/bar"
	"github.com/distkit/distkit/ratelimit"
	"golang.org/x/time/rate"
)

var epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// correctness is what is absolute: no over-admission, no forgiven debt.
func correctness() []bar.Figure {
	return []bar.Figure{
		{Name: "decisions unlike x/time/rate's, of 770,000, in instants that ascend", Unit: "", Measure: func() float64 { return float64(mismatches(770_000)) }},
		{Name: "admitted by instants out of order, of 20 that are due (x/time/rate: 10,000)", Unit: "", Limit: 20, Measure: outOfOrder},
		{Name: "first sight of a key by 8 goroutines: rounds of 2,000 that admit another number than the burst", Unit: "", Measure: firstSight},
		{Name: "debts that a flood of 200,000 keys forgives, of 1,000", Unit: "", Measure: flood},
		{Name: "3 M visitors who come once, with 10,000 in debt", Unit: "MiB", Limit: 4, Measure: visitors},
	}
}

// mismatches counts decisions and delays that differ by more than rounding: 1e-6
// tokens and what accrues in 2 ns, and for delays 2 us more.
func mismatches(steps int) (wrong int) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for done := 0; done < steps; {
		l := ratelimit.Limit{Events: 1 + rnd.Int64N(1000), Period: time.Duration(1 + rnd.Int64N(1<<(20+rnd.IntN(20)))), Burst: 1 + rnd.Int64N(100)}
		ours := check(ratelimit.New(l))
		theirs := rate.NewLimiter(rate.Limit(float64(l.Events)/l.Period.Seconds()), int(l.Burst))
		now, mean := epoch, int64(l.Period)/l.Events+1
		slack := 2*time.Microsecond + time.Duration(mean/1_000_000)
		for range 100 {
			done++
			n := 1 + rnd.Int64N(l.Burst)
			tokens := theirs.TokensAt(now)
			near := math.Abs(tokens-float64(n)) < 1e-6+2*float64(l.Events)/float64(l.Period)
			if rnd.IntN(4) > 0 {
				if ours.AllowAt(now, n) != theirs.AllowN(now, int(n)) {
					if !near {
						wrong++
					}
					break // they differ from now on
				}
			} else {
				r, s := ours.ReserveAt(now, n), theirs.ReserveN(now, int(n))
				if off := r.DelayFrom(now) - s.DelayFrom(now); r.OK() != s.OK() || off < -slack || off > slack {
					wrong++
					break
				}
				if r.DelayFrom(now) > 0 && s.DelayFrom(now) > 0 && rnd.IntN(2) == 0 { // the last one
					r.CancelAt(now)
					s.CancelAt(now)
					if off := ours.PeekAt(now).Remaining - int64(math.Max(0, theirs.TokensAt(now))); off < -1 || off > 1 {
						wrong++
					}
					break // its last event is stale from now on
				}
			}
			now = now.Add(time.Duration(rnd.Int64N(4 * mean * (1 + rnd.Int64N(l.Burst)))))
		}
	}
	return wrong
}

func outOfOrder() float64 {
	l := check(ratelimit.New(ratelimit.PerSecond(10)))
	passed := 0
	for i := range 10_000 {
		if l.AllowAt(epoch.Add(time.Duration(i%2)*time.Second), 1) {
			passed++
		}
	}
	return float64(passed)
}

func firstSight() float64 {
	k := check(ratelimit.NewKeyed(ratelimit.PerHour(10)))
	wrong := 0
	for round := range 2000 {
		key := fmt.Sprint("key ", round)
		var passed atomic.Int64
		var group sync.WaitGroup
		for range 8 {
			group.Go(func() {
				for range 4 {
					if k.AllowString(key) {
						passed.Add(1)
					}
				}
			})
		}
		group.Wait()
		if passed.Load() != 10 {
			wrong++
		}
	}
	return float64(wrong)
}

func flood() float64 {
	k := check(ratelimit.NewKeyed(ratelimit.PerHour(10), ratelimit.WithMaxKeys(50_000)))
	for i := range 1000 {
		k.TakeAt(epoch, fmt.Append(nil, "debtor", i), 1+int64(i)%10)
	}
	for i := range 200_000 {
		k.TakeAt(epoch.Add(time.Duration(i)), fmt.Append(nil, "stranger", i), 1)
	}
	forgiven := 0
	for i := range 1000 {
		if k.KeyString(fmt.Sprint("debtor", i)).PeekAt(epoch.Add(time.Millisecond)).Remaining != 9-int64(i)%10 {
			forgiven++
		}
	}
	return float64(forgiven)
}

// visitors returns the largest size of the table.
func visitors() float64 {
	k := check(ratelimit.NewKeyed(ratelimit.PerMinute(10)))
	now, most := epoch, 0
	for i := range 3_000_000 {
		if i%300_000 == 0 {
			for j := range 10_000 {
				k.KeyHash(uint64(j)).TakeUpToAt(now, 10)
			}
		}
		k.KeyHash(1<<40+uint64(i)).AllowAt(now, 1)
		now = now.Add(100 * time.Microsecond)
		most = max(most, k.Stats().Slots)
	}
	return float64(16*most) / (1 << 20)
}
