package redislimit

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// airline flies calls to the store. A call that finds nothing under way flies alone
// and at once; those that come while flights are in the air wait for the next one
// and fly together. Nobody waits for company.
type airline struct {
	engine   engine
	rules    *rules
	breaker  breaker
	timeout  time.Duration
	batching bool
	direct   bool         // the client keeps deadlines
	clock    func() int64 // microseconds
	denials  *denials
	leases   *leases

	trips, asked atomic.Uint64
	flights      sync.Pool

	mu      sync.Mutex
	flying  int // of those that are queued
	waiting []*call
	closed  atomic.Bool    // set under mu
	under   sync.WaitGroup // flights in the air
}

const (
	places   = 2   // flights in the air at once, when batching
	maxCalls = 256 // on board
)

// submit sends c on its way; done says when it has its answer. Where the client keeps
// deadlines, a call that finds nothing under way is flown by its own goroutine, which
// saves two wake-ups: so the trip must not take longer than ctx.
func (air *airline) submit(ctx context.Context, c *call) {
	air.mu.Lock()
	switch {
	case air.closed.Load():
		air.mu.Unlock()
		c.err = ErrClosed
		air.finish(c, 0)
		return
	case air.batching && air.flying >= places:
		air.waiting = append(air.waiting, c)
		air.mu.Unlock()
		return
	}
	f := air.newFlight(air.batching)
	air.mu.Unlock()
	f.calls = append(f.calls, c)
	if end, ok := ctx.Deadline(); !air.direct || ok && time.Until(end) < air.timeout {
		go f.flyOn()
	} else if next := f.fly(); next != nil {
		go next.flyOn()
	}
}

// together sends calls in one flight of their own, and returns when they have answers.
func (air *airline) together(ctx context.Context, calls []*call) error {
	last := calls[len(calls)-1]
	last.done = make(chan struct{}, 1)
	air.mu.Lock()
	if air.closed.Load() {
		air.mu.Unlock()
		for _, c := range calls {
			c.err = ErrClosed
			air.finish(c, 0)
		}
		return nil
	}
	f := air.newFlight(false)
	air.mu.Unlock()
	f.calls = append(f.calls, calls...)
	go f.flyOn()
	return last.wait(ctx)
}

// newFlight is called with the lock held.
func (air *airline) newFlight(queued bool) *flight {
	if queued {
		air.flying++
	}
	air.under.Add(1)
	f, _ := air.flights.Get().(*flight)
	if f == nil {
		f = &flight{air: air, byKey: map[string]int{}}
	}
	f.queued = queued
	return f
}

// next ends f, and returns the flight that takes its place, if calls wait for one.
func (air *airline) next(f *flight, reusable bool) *flight {
	queued := f.queued
	if reusable {
		clear(f.calls)
		f.calls = f.calls[:0]
		air.flights.Put(f)
	}
	defer air.under.Done()
	if !queued {
		return nil
	}
	air.mu.Lock()
	defer air.mu.Unlock()
	air.flying--
	air.waiting = slices.DeleteFunc(air.waiting, func(c *call) bool {
		if c.gone.Load() { // a caller that left before take-off is not charged
			air.finish(c, 0)
			return true
		}
		return false
	})
	if len(air.waiting) == 0 {
		return nil
	}
	n := min(len(air.waiting), maxCalls)
	following := air.newFlight(true)
	following.calls = append(following.calls, air.waiting[:n]...)
	air.waiting = slices.Delete(air.waiting, 0, n)
	return following
}

// close waits for the flights in the air, and lets none start.
func (air *airline) close() {
	air.mu.Lock()
	air.closed.Store(true)
	air.mu.Unlock()
	air.under.Wait()
}

// finish tells who waits for c that it has its answer.
func (air *airline) finish(c *call, start int64) {
	if c.lease > 0 {
		air.leases.settle(c.hash, c.leased, c.result, start)
	}
	if c.done != nil {
		c.done <- struct{}{}
	}
}
