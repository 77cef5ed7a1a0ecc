package main

import (
	"math/rand/v2"
	"slices"
	"time"

	"github.com/distkit/distkit/internal/plot"
	"github.com/distkit/distkit/ratelimit"
)

const (
	limitRate  = 100 // events a second
	limitBurst = 10
)

// textbook is a token bucket as it is often written: it adds what accrued since the
// last instant and takes the instant that it is given for the last one.
type textbook struct {
	tokens float64
	last   time.Time
}

func (b *textbook) allow(now time.Time) bool {
	if since := now.Sub(b.last); since > 0 {
		b.tokens = min(limitBurst, b.tokens+since.Seconds()*limitRate)
	}
	b.last = now
	if b.tokens < 1 {
		return false
	}
	b.tokens--
	return true
}

// reorderFigure counts what passes in the worst second, in times of what may, when
// instants come out of order: goroutines read the clock and are decided for later.
func reorderFigure() (string, error) {
	names := []string{"a textbook's bucket", "FixedWindow", "SlidingWindow", "Limiter, a token bucket"}
	lines := make([]plot.Series, len(names))
	for late := 0; late <= 50; late += 5 {
		bucket := &textbook{tokens: limitBurst, last: time.Unix(0, 0)}
		deciders := []func(time.Time) bool{bucket.allow}
		for _, a := range []ratelimit.Algorithm{ratelimit.FixedWindow, ratelimit.SlidingWindow, ratelimit.TokenBucket} {
			limit := ratelimit.PerSecond(limitRate)
			if a == ratelimit.TokenBucket {
				limit = limit.WithBurst(limitBurst)
			}
			limiter, err := ratelimit.New(limit, ratelimit.WithAlgorithm(a))
			if err != nil {
				return "", err
			}
			deciders = append(deciders, func(now time.Time) bool { return limiter.AllowAt(now, 1) })
		}
		for i, allow := range deciders {
			lines[i].Name = names[i]
			lines[i].X = append(lines[i].X, float64(late))
			lines[i].Y = append(lines[i].Y, float64(worstSecond(allow, late))/(limitRate+limitBurst))
		}
	}
	return plot.SVG("What passes in the worst second of a flood, in times of rate + burst",
		plot.Axis{Label: "instants are up to so many ms late", Min: 0, Max: 50, Ticks: []float64{0, 10, 20, 30, 40, 50}, Format: "%.0f"},
		plot.Axis{Label: "times", Min: 0, Max: 10, Ticks: []float64{0, 1, 2, 4, 6, 8, 10}, Format: "%.0f"}, lines), nil
}

// worstSecond returns how many of a flood, one event each millisecond for a minute,
// pass in the second in which most do.
func worstSecond(allow func(time.Time) bool, late int) int {
	rng := rand.New(rand.NewPCG(1, uint64(late)))
	start := time.Unix(1000, 0)
	var passed []time.Time
	for ms := range 60_000 {
		now := start.Add(time.Duration(ms-rng.IntN(late+1)) * time.Millisecond)
		if allow(now) {
			passed = append(passed, now)
		}
	}
	slices.SortFunc(passed, time.Time.Compare)
	worst, first := 0, 0
	for i, now := range passed {
		for now.Sub(passed[first]) >= time.Second {
			first++
		}
		worst = max(worst, i-first+1)
	}
	return worst
}
