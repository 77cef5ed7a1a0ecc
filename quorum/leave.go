package quorum

import "context"

// stop ends an operation that is not decided.
func (f *call) stop(reason, cause error) {
	if f.state == pending {
		f.state, f.reason, f.cause, f.decided = stopped, reason, cause, f.acks
	}
}

// wait returns when the operation is decided, or the caller's context done.
func (f *call) wait(ctx context.Context) {
	done := ctx.Done()
	if done == nil {
		<-f.wake
		return
	}
	select {
	case <-f.wake:
	case <-done:
		f.mu.Lock()
		f.stop(contextReason(ctx))
		f.mu.Unlock()
	}
}

// expire is the straggler time-out.
func (f *call) expire() {
	f.mu.Lock()
	f.stop(context.DeadlineExceeded, nil)
	f.eager = true
	f.decide()
	f.cancelAndUnlock(context.DeadlineExceeded)
}

// detach makes what still runs background work, within the bound: if it is
// full, the caller waits for calls to end, or for its context, and then what is
// left is canceled. The mutex is held when it returns.
func (f *call) detach(ctx context.Context) (cancel error) {
	f.mu.Lock()
	for {
		calls := popcount(f.running)
		if calls == 0 || f.c.shared.acquire(calls) {
			break
		}
		f.eager = true
		cancel = f.signal.err
		if cancel == nil {
			f.mu.Unlock()
			select {
			case <-f.wake:
			case <-ctx.Done():
				cancel = ctx.Err()
			}
			f.mu.Lock()
		}
		if cancel != nil {
			f.c.shared.background.Add(int64(popcount(f.running)))
			break
		}
	}
	f.returned = true
	return cancel
}

// leave unlocks, tells whom the end of a call concerns, and lets the goroutine
// go if there is nothing next; the last to leave ends the operation.
func (f *call) leave(i, next int, late bool) {
	missed := f.overdue()
	background := f.returned // whether the caller counted this call when it went
	if late || missed != 0 {
		f.mu.Unlock()
		if late {
			f.work.late(i)
		}
		f.report(missed)
		f.mu.Lock()
	}
	if next >= 0 {
		f.mu.Unlock()
		return
	}
	if background {
		f.c.shared.background.Add(-1)
	}
	f.partAndUnlock()
}

func (f *call) partAndUnlock() {
	f.refs--
	last := f.refs == 0
	f.mu.Unlock()
	if last {
		defer f.c.shared.end()
		if f.timer != nil {
			f.timer.Stop()
		}
		f.work.ended()
	}
}

// part is how the caller goes.
func (f *call) part() {
	f.mu.Lock()
	f.partAndUnlock()
}

// endUnlessLaunched ends an operation of which nothing runs: it was refused, or
// a function of the caller's panicked before.
func (f *call) endUnlessLaunched(c *Coordinator) {
	if f.wake == nil {
		c.shared.end()
	}
}

// overdue returns, once each, the owners that failed and get no stand-in. Only
// what contacts every owner can miss one.
func (f *call) overdue() uint64 {
	if !f.every {
		return 0
	}
	set := f.failed &^ f.missed
	f.missed |= set
	return set
}

func (f *call) report(missed uint64) {
	for ; missed != 0; missed &= missed - 1 {
		owner := f.slots[lowest(missed)].target.Owner
		f.c.shared.missed.Add(1)
		f.work.miss(owner, f.why(owner))
	}
}

// why returns the error of an owner that failed itself.
func (f *call) why(owner string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, e := range f.failures {
		if e.Node == owner {
			return e.Err
		}
	}
	return nil
}
