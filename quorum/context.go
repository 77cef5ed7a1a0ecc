package quorum

import (
	"context"
	"time"
)

// contextState makes a call the context of its replica calls. That saves two
// allocations, and the goroutine that every context derived from it would
// need: those find AfterFunc. The parent's values are seen through it. The
// parent's end reaches it by the caller of the operation, who watches the
// parent; a call that runs on after that is meant not to hear of it.
type contextState struct {
	err   error
	done  chan struct{}
	after map[*func()]struct{}
}

var closedChan = func() chan struct{} {
	c := make(chan struct{})
	close(c)
	return c
}()

var _ context.Context = (*call)(nil)

// Deadline returns the straggler time-out of writes, the parent's else.
func (f *call) Deadline() (time.Time, bool) {
	if f.limit.IsZero() {
		return f.parent.Deadline()
	}
	return f.limit, true
}

// Done returns a channel that is made when somebody asks for it.
func (f *call) Done() <-chan struct{} {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.signal.done == nil {
		if f.signal.err != nil {
			return closedChan
		}
		f.signal.done = make(chan struct{})
	}
	return f.signal.done
}

// Err returns nil until cancel.
func (f *call) Err() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.signal.err
}

// Value returns the parent's.
func (f *call) Value(key any) any { return f.parent.Value(key) }

// AfterFunc is what package context looks for in a parent: g runs once after
// the context ended, unless stop comes first.
func (f *call) AfterFunc(g func()) (stop func() bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.signal.err != nil {
		go g()
		return func() bool { return false }
	}
	if f.signal.after == nil {
		f.signal.after = make(map[*func()]struct{})
	}
	f.signal.after[&g] = struct{}{}
	return func() bool {
		f.mu.Lock()
		defer f.mu.Unlock()
		_, waits := f.signal.after[&g]
		delete(f.signal.after, &g)
		return waits
	}
}

// cancel ends the context of the replica calls. The mutex must be held; it is
// let go and not taken again.
func (f *call) cancelAndUnlock(err error) {
	if f.signal.err != nil {
		f.mu.Unlock()
		return
	}
	f.signal.err = err
	if f.signal.done != nil {
		close(f.signal.done)
	}
	after := f.signal.after
	f.signal.after = nil
	f.mu.Unlock()
	for g := range after {
		(*g)()
	}
}
