package ratelimit

import (
	"context"
	"errors"
	"fmt"
	"time"
)

var (
	// ErrExceedsBurst is wrapped by what Wait returns if n is more than can ever
	// pass at once.
	ErrExceedsBurst = errors.New("ratelimit: exceeds burst")
	// ErrWaitTooLong is wrapped by what Wait returns at once if the context's
	// deadline comes before the events are due.
	ErrWaitTooLong = errors.New("ratelimit: would wait beyond the deadline")
)

// Wait is WaitN for one event.
func (l *Limiter) Wait(ctx context.Context) error { return l.WaitN(ctx, 1) }

// WaitN waits until n events may pass and charges them. It returns an error that
// wraps [ErrExceedsBurst] or [ErrWaitTooLong] at once if that is never, or not
// before the deadline of ctx; and the context's error if ctx ends first, in which
// case what was reserved is given back. n must not be negative.
//
// Callers are served in the order in which they came; but for the events of a
// canceled one, which those behind it keep waiting for. [Queue] has no such gaps.
// A limiter by windows promises nothing: there, whoever comes first after a wait
// is served first.
func (l *Limiter) WaitN(ctx context.Context, n int64) error {
	if err := checkWait(ctx, n, l.load().most); err != nil {
		return err
	}
	if l.alg != TokenBucket {
		return waitRetrying(ctx, n, l.Take)
	}
	now := l.clock.now()
	r := l.reserve(now, n, deadline(ctx, now))
	if !r.ok {
		return tooLong(ctx)
	}
	return waitFor(ctx, &r, now)
}

// checkWait returns what can be said before the clock is read.
func checkWait(ctx context.Context, n, most int64) error {
	switch {
	case n < 0:
		return fmt.Errorf("ratelimit: events to wait for is %d, want at least 0", n)
	case n > most:
		return exceeds(n, most)
	}
	return ctx.Err()
}

func exceeds(n, most int64) error {
	return fmt.Errorf("%w: %d events, want at most %d", ErrExceedsBurst, n, most)
}

// deadline returns the instant at which ctx ends.
func deadline(ctx context.Context, now int64) int64 {
	if t, ok := ctx.Deadline(); ok {
		return now + min(int64(time.Until(t)), never-now)
	}
	return never
}

func tooLong(ctx context.Context) error {
	if t, ok := ctx.Deadline(); ok {
		return fmt.Errorf("%w, which is in %v", ErrWaitTooLong, time.Until(t))
	}
	return fmt.Errorf("%w, decades ahead", ErrWaitTooLong)
}

// waitFor waits for a reservation, or gives it back if ctx ends first.
func waitFor(ctx context.Context, r *Reservation, now int64) error {
	if err := sleep(ctx, r.delay(now)); err != nil {
		r.Cancel()
		return err
	}
	return nil
}

// waitRetrying tries take until it allows n, sleeping as long as it says.
func waitRetrying(ctx context.Context, n int64, take func(int64) Result) error {
	for {
		r := take(n)
		switch {
		case r.Allowed:
			return nil
		case r.RetryAfter == InfDuration: // SetLimit has made the limit less than n
			return exceeds(n, r.Limit)
		}
		if t, ok := ctx.Deadline(); ok && time.Until(t) < r.RetryAfter {
			return tooLong(ctx)
		}
		if err := sleep(ctx, r.RetryAfter); err != nil {
			return err
		}
	}
}

func sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
