package ratelimit

import (
	"errors"
	"fmt"
	"math/bits"
	"time"
)

// Algorithm is how a limit is counted.
type Algorithm uint8

const (
	// TokenBucket lets Burst events pass at once and then Events in each Period,
	// evenly. It is the leaky bucket as a meter, and the generic cell rate
	// algorithm, seen from the other side: all three take the same decisions.
	TokenBucket Algorithm = iota
	// FixedWindow lets Events pass in each window. Twice as many may pass around
	// the border of two windows.
	FixedWindow
	// SlidingWindow weighs the window before by the share of it that the last
	// Period still covers, and adds this one: a good estimate of the last Period,
	// in one word.
	SlidingWindow
)

// String returns the algorithm's name, as in "token bucket".
func (a Algorithm) String() string {
	names := [...]string{"token bucket", "fixed window", "sliding window"}
	if int(a) < len(names) {
		return names[a]
	}
	return fmt.Sprintf("algorithm %d", uint8(a))
}

// Option configures a constructor. One that does not apply to it is an error.
type Option func(*config)

// WithAlgorithm (Limiter, Keyed): count by a. Default: TokenBucket.
func WithAlgorithm(a Algorithm) Option {
	return func(c *config) { c.algorithm = a; c.set |= optAlgorithm }
}

// WithAlign (Limiter, Keyed): windows begin at t and at whole periods before and
// after it. It needs an algorithm of windows. Default: the Unix epoch.
func WithAlign(t time.Time) Option {
	return func(c *config) { c.align = t; c.set |= optAlign }
}

// WithClock (all): read the time from now, which returns a duration since any
// instant of its own and never goes back; a coarse clock, kept by a ticker, saves
// most of the cost of a decision. It is called by many goroutines at once. The
// constructor reads it once to tie it to the time: instants given to methods
// whose names end in At fit its readings as long as it runs at the right speed.
// Default: the monotonic clock.
func WithClock(now func() time.Duration) Option {
	return func(c *config) {
		c.clock = now
		c.set |= optClock
		if now == nil {
			c.err = errors.New("ratelimit: clock is nil, want a function that returns a reading")
		}
	}
}

// WithMaxKeys (Keyed): hold at most n keys; WithFull says what happens to more.
// Default: 0, as many as are in debt.
func WithMaxKeys(n int) Option {
	return func(c *config) {
		c.maxKeys = n
		c.set |= optMaxKeys
		if n < 0 {
			c.err = fmt.Errorf("ratelimit: most keys is %d, want at least 1, or 0 for any number", n)
		}
	}
}

// WithFull (Keyed): what happens to a new key when WithMaxKeys, which it needs,
// has been reached. Default: RefuseNew.
func WithFull(p FullPolicy) Option {
	return func(c *config) {
		c.full = p
		c.set |= optFull
		if p > EvictLeastDebt {
			c.err = fmt.Errorf("ratelimit: policy is %v, want RefuseNew, AdmitNew or EvictLeastDebt", p)
		}
	}
}

// WithSecret (Keyed): hash keys by SipHash-2-4 under secret, which makes them the
// same in another process, as WriteTo and ReadFrom need; some 10 ns a key more. A
// distkit.Secret fits. Default: by maphash, under a seed of its own.
func WithSecret(secret [16]byte) Option {
	return func(c *config) { c.secret = &secret; c.set |= optSecret }
}

type optionSet uint8

const (
	optAlgorithm optionSet = 1 << iota
	optAlign
	optClock
	optMaxKeys
	optFull
	optSecret
)

var optionNames = [...]string{"WithAlgorithm", "WithAlign", "WithClock", "WithMaxKeys", "WithFull", "WithSecret"}

type config struct {
	algorithm Algorithm
	align     time.Time
	clock     func() time.Duration
	maxKeys   int
	full      FullPolicy
	secret    *[16]byte
	set       optionSet
	err       error
}

// newConfig applies opts for the named constructor, which takes those of allowed.
func newConfig(constructor string, allowed optionSet, opts []Option) (config, error) {
	c := config{align: time.Unix(0, 0)}
	for i, o := range opts {
		if o == nil {
			return c, fmt.Errorf("ratelimit: option %d of %s is nil", i, constructor)
		}
		o(&c)
		if c.err != nil {
			return c, c.err
		}
	}
	if other := c.set &^ allowed; other != 0 {
		return c, fmt.Errorf("ratelimit: %s does not apply to %s", optionNames[bits.TrailingZeros8(uint8(other))], constructor)
	}
	if c.set&optAlign != 0 && c.algorithm == TokenBucket {
		return c, fmt.Errorf("ratelimit: WithAlign does not apply to a %v, which has no windows", c.algorithm)
	}
	if c.set&optFull != 0 && c.maxKeys == 0 {
		return c, errors.New("ratelimit: WithFull does not apply without WithMaxKeys")
	}
	return c, nil
}
