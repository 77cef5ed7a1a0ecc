package ratelimit

import (
	"errors"
	"fmt"
	"math"
	"time"
)

// ErrInvalidLimit is wrapped by every error about a limit that cannot be held:
// one that is not positive, or that is out of an algorithm's range.
var ErrInvalidLimit = errors.New("ratelimit: invalid limit")

// Limit is how much may pass: Events in every Period on average, and up to Burst
// at once. It is a ratio of integers, because a number of events a second in
// floating point has no exact third.
//
// Events and Period must be positive. Burst 0 means Events. The zero Limit is
// invalid; [Unlimited] is the one that lets everything pass.
type Limit struct {
	Events int64
	Period time.Duration
	Burst  int64
}

// Unlimited lets everything pass, at any cost n >= 0.
var Unlimited = unlimited

var unlimited = Limit{Events: math.MaxInt64, Period: 1, Burst: math.MaxInt64}

// PerSecond returns the limit of n events a second, n at once.
func PerSecond(n int64) Limit { return Limit{n, time.Second, n} }

// PerMinute returns the limit of n events a minute, n at once.
func PerMinute(n int64) Limit { return Limit{n, time.Minute, n} }

// PerHour returns the limit of n events an hour, n at once.
func PerHour(n int64) Limit { return Limit{n, time.Hour, n} }

// PerDay returns the limit of n events in 24 hours, n at once.
func PerDay(n int64) Limit { return Limit{n, 24 * time.Hour, n} }

// Every returns the limit of one event per d, one at once.
func Every(d time.Duration) Limit { return Limit{1, d, 1} }

// WithBurst returns l with a burst of n, as in PerSecond(100).WithBurst(20).
// Unlimited has no burst and stays as it is.
func (l Limit) WithBurst(n int64) Limit {
	if l == unlimited {
		return l
	}
	l.Burst = n
	return l
}

// full returns l with its burst spelled out.
func (l Limit) full() Limit {
	if l.Burst == 0 {
		l.Burst = l.Events
	}
	return l
}

// check returns an error unless l is within the ranges that its fields have.
func (l Limit) check() error {
	switch {
	case l == Limit{}:
		return fmt.Errorf("%w: it is zero, want events and a period", ErrInvalidLimit)
	case l.Events < 1:
		return fmt.Errorf("%w: events is %d, want at least 1", ErrInvalidLimit, l.Events)
	case l.Period < 1:
		return fmt.Errorf("%w: period is %v, want at least 1ns", ErrInvalidLimit, l.Period)
	case l.Burst < 0:
		return fmt.Errorf("%w: burst is %d, want at least 1, or 0 for as many as events", ErrInvalidLimit, l.Burst)
	}
	return nil
}
