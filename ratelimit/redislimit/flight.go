package redislimit

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/distkit/distkit/ratelimit"
)

// call is one request that waits for the store.
type call struct {
	key    string // as in the store
	hash   uint64
	n      int64
	lease  int64 // how many events more to take for later
	forget bool
	ctx    context.Context // of a lone call, for its values

	one [1]int64
	ask int

	result ratelimit.Result
	leased int64
	err    error
	gone   atomic.Bool   // nobody waits any more
	done   chan struct{} // capacity 1; nil where somebody else's is waited for
}

// wait returns nil when c has its answer, or why ctx ended before.
func (c *call) wait(ctx context.Context) error {
	select {
	case <-c.done:
		return nil
	case <-ctx.Done():
	}
	select {
	case <-c.done: // what was charged is told, though ctx ended in the same moment
		return nil
	default:
		c.gone.Store(true)
		return context.Cause(ctx)
	}
}

// flight is one trip to the store with some calls on board. It lands when the store
// has answered, or is lost when that takes too long: whichever is first answers the
// calls. Whoever is late finds the other's mark and leaves them alone.
type flight struct {
	air    *airline
	calls  []*call
	asks   []ask
	byKey  map[string]int
	queued bool // it has one of the places in the air
	probe  bool
	start  int64 // microseconds
	ended  atomic.Bool
	timer  *time.Timer
}

// board makes asks of calls. Calls for one key share one, in order, because one
// script that charges twice costs less than two.
func (f *flight) board() {
	f.asks = f.asks[:0]
	clear(f.byKey)
	for _, c := range f.calls {
		charges := f.air.rules.charges(c.n)
		c.one[0] = c.n
		if len(f.calls) == 1 || c.lease > 0 || c.forget {
			a := ask{key: c.key, forget: c.forget}
			if charges {
				a.events = c.one[:1:1]
			}
			if c.lease > 0 {
				a.events, a.must = portions(a.events, c.lease), true
			}
			c.ask = f.add(a)
			continue
		}
		at, ok := f.byKey[c.key]
		if !ok || len(f.asks[at].events) >= maxEvents {
			at = f.add(ask{key: c.key})
			f.byKey[c.key] = at
		}
		c.ask = at
		if charges {
			f.asks[at].events = append(f.asks[at].events, c.n)
		}
	}
}

// maxEvents bounds how long the script of one key keeps the store from others.
const maxEvents = 512

// add reuses the memory for the answers of the flight before.
func (f *flight) add(a ask) int {
	at := len(f.asks)
	if cap(f.asks) > at {
		a.debts = f.asks[:at+1][at].debts[:0]
	}
	f.asks = append(f.asks, a)
	return at
}

// portions appends numbers that add up to n and of which, taken in turn as long as
// they fit, as much of n is taken as fits: each is at most one more than those after
// it together. So the script need not divide to take as much as there is.
func portions(events []int64, n int64) []int64 {
	for n > 0 {
		half := n - n/2
		events = append(events, half)
		n -= half
	}
	return events
}

// failure returns why nothing was answered, nil if anything was.
func (f *flight) failure() (cause error) {
	for i := range f.asks {
		if f.asks[i].err == nil {
			return nil
		}
		cause = f.asks[i].err
	}
	return cause
}

// land answers the calls by what the store said.
func (f *flight) land() {
	end := f.air.clock()
	for i := range f.asks {
		if a := &f.asks[i]; a.err != nil {
			a.err = fmt.Errorf("%w: %w", ErrUnavailable, a.err)
		}
	}
	for _, c := range f.calls {
		a := &f.asks[c.ask]
		switch {
		case a.err != nil:
			c.err = a.err
		case !c.forget:
			c.result = f.air.rules.decide(a.debts, c.n)
			if c.lease > 0 && c.result.Allowed {
				c.leased = f.air.replay(a, &c.result)
			}
			if d := f.air.denials; d != nil && c.result.Allowed {
				d.forget(c.hash) // its figures are old now
			} else if d != nil {
				d.note(c.hash, a.debts, c.n, f.start, end)
			}
		}
		f.air.finish(c, f.start)
	}
}

// fail answers all calls with err.
func (f *flight) fail(err error) {
	for _, c := range f.calls {
		c.err = err
		f.air.finish(c, f.start)
	}
}

// replay makes the charges for later once more, and returns how many events those are.
func (air *airline) replay(a *ask, r *ratelimit.Result) (n int64) {
	for _, portion := range a.events[1:] {
		if air.rules.charge(a.debts, portion) {
			n += portion
		}
	}
	*r = air.rules.decide(a.debts, 0)
	return n
}

// flyOn flies f, and then the calls that wait, as long as there are any.
func (f *flight) flyOn() {
	for f != nil {
		f = f.fly()
	}
}

// fly makes the trip and answers the calls. It returns the next flight, for those
// that wait.
func (f *flight) fly() *flight {
	air := f.air
	var ok bool
	if f.probe, ok = air.breaker.allow(); !ok {
		f.fail(air.breaker.open())
		return air.next(f, true)
	}
	f.trip()
	if !f.ended.CompareAndSwap(false, true) {
		return nil // lost, and the calls are not ours any more
	}
	reusable := f.timer.Stop()
	if cause := f.failure(); cause != nil {
		air.breaker.fail(cause, f.probe)
	} else {
		air.breaker.succeed()
	}
	f.land() // now, so that a caller that asks again at once finds the breaker as it is
	return air.next(f, reusable)
}

func (f *flight) trip() {
	air := f.air
	f.board()
	f.start = air.clock()
	f.ended.Store(false)
	if f.timer == nil {
		f.timer = time.AfterFunc(air.timeout, f.lose)
	} else {
		f.timer.Reset(air.timeout)
	}
	air.trips.Add(1)
	air.asked.Add(uint64(len(f.asks)))
	ctx := deadline{context.Background(), time.Now().Add(air.timeout)}
	if len(f.calls) == 1 && f.calls[0].ctx != nil {
		ctx.Context = f.calls[0].ctx
	}
	air.engine.serve(ctx, f.asks)
}

// lose gives the calls up that the store does not answer. The flight may come back,
// to nobody, and its place in the air is free.
func (f *flight) lose() {
	if !f.ended.CompareAndSwap(false, true) {
		return
	}
	air := f.air
	cause := fmt.Errorf("no answer within %v", air.timeout)
	air.breaker.fail(cause, f.probe)
	f.fail(fmt.Errorf("%w: %w", ErrUnavailable, cause))
	if next := air.next(f, false); next != nil {
		go next.flyOn()
	}
}

// deadline is a context that ends at an instant and not before: a trip for several
// callers does not end with one of them. Clients that mind deadlines need no timer,
// and for the others there is lose.
type deadline struct {
	context.Context
	at time.Time
}

func (d deadline) Deadline() (time.Time, bool) { return d.at, true }
func (d deadline) Done() <-chan struct{}       { return nil }
func (d deadline) Err() error                  { return nil }
