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
type clock struct {
	base  time.Time
	last  int64        // when it was read and the timer set
	stale *atomic.Bool // the timer has run, or there was none
	ring  func()       // sets stale
}

const (
	tick    = 16 * time.Millisecond
	horizon = 4 * tick // forgives a timer that is late by three ticks
)

func newClock() clock {
	stale := new(atomic.Bool)
	stale.Store(true)
	return clock{base: time.Now(), stale: stale, ring: func() { stale.Store(true) }}
}

func (c *clock) now() int64 { return int64(time.Since(c.base)) }

// at returns the time t on this clock: by the monotonic clock if t has a reading.
func (c *clock) at(t time.Time) int64 { return int64(t.Sub(c.base)) }

// sure returns a time that has not come yet.
func (c *clock) sure() int64 {
	if c.stale.Load() {
		c.read()
	}
	return c.last + int64(horizon)
}

func (c *clock) read() {
	c.last = c.now()
	c.stale.Store(false)
	time.AfterFunc(tick, c.ring)
}

// later returns now + d, or never.
func later(now int64, d time.Duration) int64 {
	if d > 0 && now > math.MaxInt64-int64(d) {
		return never
	}
	return now + int64(d)
}
