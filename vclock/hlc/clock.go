package hlc

import (
	"fmt"
	"math"
	"sync/atomic"
	"time"
)

// Clock issues timestamps that never repeat and never go back, whatever its
// source of time does: when the source stands still or goes back, the counter
// goes on.
//
// It may be used by any number of goroutines at once, is lock-free, allocates
// nothing, and must not be copied. Make it with New; of a zero Clock only Last
// may be called. It stops at the last timestamp, in the year 2112.
//
// A process that restarts must not issue timestamps that it issued before, even
// if the wall clock went back meanwhile: keep Last somewhere durable from time
// to time, and start with WithFloor.
type Clock struct {
	last   atomic.Uint64
	source func() time.Time
	drift  uint64 // microseconds
}

type config struct {
	drift  time.Duration
	source func() time.Time
	floor  Timestamp
}

// Option is an option of New.
type Option func(*config)

// WithMaxDrift is for Clock: how far a timestamp may be ahead of the source to
// be observed, 500 ms by default. Choose it above the largest error between the
// clocks of two hosts. It must not be negative.
func WithMaxDrift(d time.Duration) Option { return func(c *config) { c.drift = d } }

// WithSource is for Clock: where it takes the time from, time.Now by default.
// Most of the cost of Now is that of its source; one that returns a time kept up
// to date by a ticker makes it several times cheaper, at the price of timestamps
// that lag by up to a tick. The source is called by many goroutines at once.
func WithSource(now func() time.Time) Option { return func(c *config) { c.source = now } }

// WithFloor is for Clock: all timestamps will be larger than t, none by
// default. After a restart pass the last value of Last that is durable, plus
// the longest time between such records.
func WithFloor(t Timestamp) Option { return func(c *config) { c.floor = t } }

// New returns a clock. It fails for an option that is out of its range.
func New(opts ...Option) (*Clock, error) {
	cfg := config{drift: 500 * time.Millisecond, source: time.Now}
	for i, o := range opts {
		if o == nil {
			return nil, fmt.Errorf("hlc: option %d of New is nil", i)
		}
		o(&cfg)
	}
	switch {
	case cfg.drift < 0:
		return nil, fmt.Errorf("hlc: maximal drift is %v, want at least 0", cfg.drift)
	case cfg.source == nil:
		return nil, fmt.Errorf("hlc: source is nil, want a function that returns the time")
	case cfg.floor == math.MaxUint64:
		return nil, fmt.Errorf("hlc: floor is %v, want one with timestamps after it", cfg.floor)
	}
	c := &Clock{source: cfg.source, drift: uint64(cfg.drift.Microseconds())}
	c.last.Store(uint64(cfg.floor))
	return c, nil
}

// Now returns a new timestamp for an event of this host, or a message to be
// sent: larger than all that the clock has issued or observed.
func (c *Clock) Now() Timestamp { return c.NowAt(c.wall()) }

// NowAt is Now at the given wall time.
func (c *Clock) NowAt(now time.Time) Timestamp {
	c.mustBeMade()
	wall := micros(now) << logicalBits
	for {
		last := c.last.Load()
		next := max(after(last), wall)
		if c.last.CompareAndSwap(last, next) {
			return Timestamp(next)
		}
	}
}

// Observe advances the clock past the timestamp r of a message that has arrived
// and returns the timestamp of its arrival. A message whose time is ahead of the
// source by more than the maximal drift is refused with [ErrDrift], 0 and no
// change: its sender's clock is wrong, or a stranger wants ours to be.
func (c *Clock) Observe(r Timestamp) (Timestamp, error) { return c.ObserveAt(c.wall(), r) }

// ObserveAt is Observe at the given wall time.
func (c *Clock) ObserveAt(now time.Time, r Timestamp) (Timestamp, error) {
	c.mustBeMade()
	wall := micros(now)
	if theirs := uint64(r >> logicalBits); theirs > wall && theirs-wall > c.drift {
		ahead := time.Duration(min(theirs-wall, math.MaxInt64/1000)) * time.Microsecond
		return 0, fmt.Errorf("hlc: timestamp %v is %v ahead, want at most %v: %w", r, ahead,
			time.Duration(c.drift)*time.Microsecond, ErrDrift)
	}
	for {
		last := c.last.Load()
		next := after(max(last, uint64(r), wall<<logicalBits))
		if c.last.CompareAndSwap(last, next) {
			return Timestamp(next), nil
		}
	}
}

// Last returns the last timestamp that was issued, or the floor, without
// advancing the clock. It is what to make durable.
func (c *Clock) Last() Timestamp { return Timestamp(c.last.Load()) }

// wall reads the source.
func (c *Clock) wall() time.Time {
	c.mustBeMade()
	return c.source()
}

func (c *Clock) mustBeMade() {
	if c.source == nil {
		panic("hlc: the zero Clock cannot advance; make one with New")
	}
}

// after returns the next timestamp. The very last one has none.
func after(t uint64) uint64 { return t + min(1, math.MaxUint64-t) }
