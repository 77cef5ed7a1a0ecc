package quorum

import (
	"context"
	"errors"
	"time"
)

// WriteOp is what a write does at replicas.
type WriteOp struct {
	// Call writes to t.Node; if t.Owner is another name, t.Node stands in for it
	// and keeps a hint. It runs on a goroutine of its own. Its context carries
	// the values of the caller's but not its end: the write goes on at slow
	// replicas after the caller is gone, until the straggler time-out. A value
	// must be marked by a version, for a replica may get it twice.
	Call func(ctx context.Context, t Target) error

	// Missed is called exactly once for each owner that the write reaches
	// neither itself nor by a stand-in, with the owner's first error, before or
	// after Write returns: the place to keep a hint at the coordinator. For an
	// owner that is down from the start and gets no stand-in it runs on the caller's
	// goroutine, else on that of a replica call. An operation that sent nothing
	// misses nobody. May be nil.
	Missed func(owner string, err error)

	// Done is called exactly once, when no call of the write runs any more, with
	// what became of all of them; not if nothing was sent. May be nil.
	Done func(Receipt)
}

// Receipt says who has a write.
type Receipt struct {
	Acked   []string    // owners that acked themselves
	Hinted  []Target    // stand-ins that acked
	Failed  []NodeError // replicas that failed, or were down
	Pending []string    // replicas that had not answered yet
}

type writeCall struct {
	call
	op WriteOp
}

// Write sends a write to the owners in prefs, and to stand-ins for those that
// are down or fail, and returns when enough have acked for c's write level;
// the rest goes on in the background, bounded by [WithMaxBackground]. A nil
// error means that the level was met; otherwise the error is an [*Error] (or
// says which argument is wrong), and [Error.Indeterminate] tells whether the
// write may have taken effect all the same. The receipt is valid either way.
func Write(ctx context.Context, c *Coordinator, prefs []string, op WriteOp) (Receipt, error) {
	if c == nil || c.shared == nil {
		panic("quorum: Write on a Coordinator that New did not make")
	}
	if op.Call == nil {
		return Receipt{}, errors.New("quorum: WriteOp has no Call")
	}
	if !c.shared.begin() {
		return Receipt{}, ErrClosed
	}
	c.shared.writes.Add(1)
	w := &writeCall{op: op}
	defer w.endUnlessLaunched(c)
	absent := uint64(0)
	err := w.prepare(ctx, c, &c.write, opWrite, prefs)
	if err == nil && ctx.Err() != nil {
		err = w.fail(contextReason(ctx))
	}
	if err == nil {
		w.work = w
		w.every = true
		w.straggle()
		absent, err = w.launch()
	}
	if err != nil {
		return Receipt{Failed: w.failures}, err
	}
	defer w.part()
	w.report(absent)
	w.wait(ctx)

	cancel := w.detach(ctx)
	receipt := w.receipt()
	err = w.verdict()
	if cancel != nil {
		w.cancelAndUnlock(cancel)
	} else {
		w.mu.Unlock()
	}
	return receipt, err
}

// receipt is the state of things. The mutex is held, or nothing runs.
func (w *writeCall) receipt() Receipt {
	r := Receipt{Acked: w.names(w.own), Pending: w.names(w.running)}
	r.Failed = w.failures[:len(w.failures):len(w.failures)]
	for set := w.acks &^ w.own; set != 0; set &= set - 1 {
		r.Hinted = append(r.Hinted, w.slots[lowest(set)].target)
	}
	return r
}

func (w *writeCall) ask(ctx context.Context, _ int, t Target) error { return w.op.Call(ctx, t) }
func (w *writeCall) late(int)                                       {}

func (w *writeCall) miss(owner string, err error) {
	if w.op.Missed != nil {
		w.op.Missed(owner, err)
	}
}

func (w *writeCall) ended() {
	if w.op.Done != nil {
		w.op.Done(w.receipt())
	}
}

// straggle sets the time-out of the replica calls.
func (f *call) straggle() { f.limit = time.Now().Add(f.c.straggler) }
