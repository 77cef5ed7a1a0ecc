package ratelimit

import (
	"math/rand/v2"
	"slices"
	"time"

	"github.com/distkit/distkit/bench/bar"
	"github.com/distkit/distkit/ratelimit"
)

// bounds are what a limit promises to the nanosecond.
func bounds() []bar.Figure {
	return []bar.Figure{
		{Name: "windows in random histories with instants out of order, that admit more than rate*(W + 2ns) + burst", Unit: "", Measure: overAdmissions},
		{Name: "refills after k periods, of 90,000, that are not k times the events", Unit: "", Measure: inexactRefills},
		{Name: "RetryAfter, of 100,000, after which the events do not pass, or pass 3 ns before", Unit: "", Measure: inexactRetries},
		{Name: "sliding window: decisions unlike the textbooks' around an estimate of 49.5 of 50", Unit: "", Measure: textbook},
	}
}

// awkward are rates of which no token takes whole nanoseconds.
var awkward = []ratelimit.Limit{
	{Events: 3, Period: time.Second},
	{Events: 7, Period: time.Second},
	{Events: 7, Period: time.Minute},
	{Events: 11, Period: time.Millisecond},
	{Events: 13, Period: time.Hour},
	{Events: 999_983, Period: time.Second},
	{Events: 17, Period: 19 * time.Microsecond},
	{Events: 13, Period: 7 * time.Nanosecond},
	{Events: 101, Period: 24 * time.Hour},
}

const histories = 500

// overAdmissions takes histories of 200 calls whose instants mostly ascend, and looks
// at every span between the instants of two events that passed.
func overAdmissions() float64 {
	rnd := rand.New(rand.NewPCG(1, 2))
	over := 0
	for range histories {
		limit := awkward[rnd.IntN(len(awkward))].WithBurst(1 + rnd.Int64N(20))
		l := check(ratelimit.New(limit))
		var at []time.Duration // of each event that passed
		mean := int64(limit.Period)/limit.Events + 1
		now := time.Duration(0)
		for range 200 {
			now += time.Duration(rnd.Int64N(2 * mean))
			instant := now
			if rnd.IntN(4) == 0 {
				instant -= time.Duration(rnd.Int64N(10 * mean))
			}
			if n := 1 + rnd.Int64N(3); l.AllowAt(epoch.Add(instant), n) {
				for range n {
					at = append(at, instant)
				}
			}
		}
		slices.Sort(at)
		for i := range at {
			for j := i; j < len(at); j++ {
				span := float64(at[j]-at[i]) + 2
				if float64(j-i+1) > span*float64(limit.Events)/float64(limit.Period)+float64(limit.Burst)+1e-6 {
					over++
				}
			}
		}
	}
	return float64(over)
}

func inexactRefills() float64 {
	rnd := rand.New(rand.NewPCG(3, 4))
	wrong := 0
	for _, limit := range awkward {
		for range 10_000 {
			k := 1 + rnd.Int64N(1000)
			l := check(ratelimit.New(limit.WithBurst(k * limit.Events)))
			drained := l.AllowAt(epoch, k*limit.Events)
			end := epoch.Add(time.Duration(k) * limit.Period)
			if !drained || l.AllowAt(end, k*limit.Events+1) || !l.AllowAt(end, k*limit.Events) {
				wrong++
			}
		}
	}
	return float64(wrong)
}

func inexactRetries() float64 {
	rnd := rand.New(rand.NewPCG(5, 6))
	wrong := 0
	for done := 0; done < 100_000; {
		limit := awkward[rnd.IntN(len(awkward))].WithBurst(1 + rnd.Int64N(20))
		l := check(ratelimit.New(limit))
		now := epoch
		for range 50 {
			now = now.Add(time.Duration(rnd.Int64N(int64(limit.Period)/limit.Events + 2)))
			n := 1 + rnd.Int64N(limit.Burst)
			r := l.TakeAt(now, n)
			if r.Allowed {
				continue
			}
			done++
			if r.RetryAfter > 3 && l.AllowAt(now.Add(r.RetryAfter-3), n) || !l.AllowAt(now.Add(r.RetryAfter), n) {
				wrong++
			}
			now = now.Add(r.RetryAfter)
		}
	}
	return float64(wrong)
}

// textbook is the example of the textbooks: 42 in the minute before, 18 in 15 s of
// this one, which is an estimate of 42*3/4 + 18 = 49.5. A limit of 50 has no room for
// one more before the estimate is 49, after 0.714 s.
func textbook() float64 {
	minute := epoch.Truncate(time.Minute)
	l := check(ratelimit.New(ratelimit.PerMinute(50), ratelimit.WithAlgorithm(ratelimit.SlidingWindow)))
	wrong := 0
	for _, step := range []struct {
		at   time.Duration
		n    int64
		want bool
	}{
		{0, 42, true},
		{75 * time.Second, 18, true},
		{75 * time.Second, 1, false},
		{75*time.Second + 714_285_714, 1, false},
		{75*time.Second + 714_285_715, 1, true},
	} {
		if l.AllowAt(minute.Add(step.at), step.n) != step.want {
			wrong++
		}
	}
	return float64(wrong)
}
