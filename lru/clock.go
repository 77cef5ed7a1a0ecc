package lru

import (
	"math"
	"sync/atomic"
	"time"
)

// clock tells the time in nanoseconds since a cache was made. Reading it takes
// longer than a Get of a cache without lifetimes. So Get reads it rarely: as long
// as a timer set at the last reading has not run, less than horizon has passed
// since, and an entry that ends later is alive. For an entry that ends sooner Get
// does read it. There is one timer at a time, and none while nothing is used.
// Copies share the reading and the timer.
type clock struct {
	base time.Time
	*reading
}

// reading is safe for concurrent use.
type reading struct {
	last atomic.Int64 // when the clock was read and the timer set, or stale
	ring func()       // makes it stale
}

const (
	tick    = 16 * time.Millisecond
	horizon = 4 * tick // forgives a timer that is late by three ticks

	stale = -1 // the timer has run, or there was none
)

func newClock() clock {
	r := new(reading)
	r.ring = func() { r.last.Store(stale) }
	r.ring()
	return clock{base: time.Now(), reading: r}
}

func (c *clock) now() int64 { return int64(time.Since(c.base)) }

// at returns the time t on this clock: by the monotonic clock if t has a reading.
func (c *clock) at(t time.Time) int64 { return int64(t.Sub(c.base)) }

// sure returns a time that has not come yet.
func (c *clock) sure() int64 {
	t, _ := c.fresh()
	return t
}

// fresh returns a time that has not come yet, and whether that took a reading.
func (c *clock) fresh() (sure int64, read bool) {
	last := c.last.Load()
	if last == stale {
		last, read = c.now(), true
		if c.last.CompareAndSwap(stale, last) {
			time.AfterFunc(tick, c.ring)
		}
	}
	return last + int64(horizon), read
}

// later returns now + d, or never.
func later(now int64, d time.Duration) int64 {
	if d > 0 && now > math.MaxInt64-int64(d) {
		return never
	}
	return now + int64(d)
}
