package quorum

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"
)

// Op is what a read does at replicas whose answers are values of type T. A
// store of siblings needs no more than
//
//	type S = vclock.Siblings[V]
//	quorum.Op[S]{Call: get, Merge: S.Merge, Same: S.Equal, Repair: put}
type Op[T any] struct {
	// Call asks t.Node, for t.Owner if that is another (see [Target]). It runs
	// on a goroutine of its own and must end soon after ctx does: that happens
	// as soon as enough others have answered. "Not found" is a value of T, no
	// error, unless the level shall not count it.
	Call func(ctx context.Context, t Target) (T, error)

	// Merge folds the replies into one value, two at a time, in the order of the
	// preference list. It is associative. nil: the first reply that came.
	Merge func(a, b T) T

	// Same reports whether a replica that answered a is up to date when b is the
	// merged value. RepairAsync and RepairBlocking need it.
	Same func(a, b T) bool

	// Repair writes the merged value v to a replica that is not. It must keep a
	// newer value that the replica has got in the meantime.
	Repair func(ctx context.Context, t Target, v T) error

	// Discard gets, exactly once, each value that the caller does not: late ones
	// and those of a read that failed. May be nil.
	Discard func(T)
}

// Result is the answer to a read.
type Result[T any] struct {
	Value    T           // the merged value
	Replies  []Reply[T]  // that met the level, in the order of the preference list
	Failed   []NodeError // replicas that failed before, or were down
	Repaired []string    // replicas that the read itself has repaired
}

// Reply is the answer of one replica.
type Reply[T any] struct {
	Target  Target
	Value   T
	Latency time.Duration
	Hedged  bool // asked because another was slow
}

type readCall[T any] struct {
	call
	op     Op[T]
	values []T
	space  [inlineSlots]T
}

// Read asks the replicas in prefs, the owners of a key first and then possible
// stand-ins, and returns when enough of them have answered for c's read level.
// The rest is canceled. A nil error means that the level was met; otherwise
// the error is an [*Error] (or says which argument is wrong) and the result is
// empty.
//
// With a level of one replica and no hedging the owners are asked one after
// the other, on the caller's goroutine; else all of them at once, or with
// [WithHedge] the fastest that can be enough.
func Read[T any](ctx context.Context, c *Coordinator, prefs []string, op Op[T]) (Result[T], error) {
	if c == nil || c.shared == nil {
		panic("quorum: Read on a Coordinator that New did not make")
	}
	if op.Call == nil {
		return Result[T]{}, errors.New("quorum: Op has no Call")
	}
	if c.repair != RepairNone && (op.Merge == nil || op.Same == nil || op.Repair == nil) {
		return Result[T]{}, errors.New("quorum: Op lacks Merge, Same or Repair, which WithRepair needs")
	}
	if !c.shared.begin() {
		return Result[T]{}, ErrClosed
	}
	if c.read.one && c.repair == RepairNone && (c.hedge == nil || c.n == 1) {
		defer c.shared.end()
		c.shared.inline.Add(1)
		res, asked, err := readOne(ctx, c, prefs, op)
		if asked != 1 {
			c.shared.calls.Add(uint64(asked) - 1)
		}
		return res, err
	}
	c.shared.reads.Add(1)
	return readMany(ctx, c, prefs, op)
}

// readMany asks on goroutines, and returns when the level is met or cannot be.
func readMany[T any](ctx context.Context, c *Coordinator, prefs []string, op Op[T]) (Result[T], error) {
	r := &readCall[T]{op: op}
	defer r.endUnlessLaunched(c)
	if err := r.dispatch(ctx, c, prefs); err != nil {
		return Result[T]{}, err
	}
	defer r.part()
	if delay := c.hedgeAfter(); delay > 0 {
		r.waitHedged(ctx, delay)
	} else {
		r.wait(ctx)
	}
	return r.finish(ctx, prefs)
}

// dispatch asks the first replicas.
func (r *readCall[T]) dispatch(ctx context.Context, c *Coordinator, prefs []string) error {
	if err := r.prepare(ctx, c, &c.read, opRead, prefs); err != nil {
		return err
	}
	if ctx.Err() != nil {
		return r.fail(contextReason(ctx))
	}
	r.values = r.space[:min(c.n, inlineSlots)]
	if c.n > inlineSlots {
		r.values = make([]T, c.n)
	}
	r.work = r
	if r.urgent = r.idle; c.hedge != nil {
		r.ranked = true
		r.pick()
	}
	_, err := r.launch() // a read misses nobody
	return err
}

// finish takes what was decided, cancels what runs, merges and repairs.
func (r *readCall[T]) finish(ctx context.Context, prefs []string) (res Result[T], err error) {
	r.mu.Lock()
	r.returned = true
	if r.running != 0 {
		r.c.shared.background.Add(int64(popcount(r.running)))
	}
	if err = r.verdict(); err == nil {
		res = r.replies()
	}
	decided := r.decided
	r.cancelAndUnlock(context.Canceled)
	if err == nil {
		if res.Value = r.merge(res.Replies); r.c.repair != RepairNone {
			err = r.mend(ctx, prefs, &res)
		}
	}
	if err != nil {
		for ; decided != 0; decided &= decided - 1 {
			r.discard(lowest(decided))
		}
		return Result[T]{}, err
	}
	return res, nil
}

// replies collects those that decided. The mutex is held.
func (r *readCall[T]) replies() Result[T] {
	res := Result[T]{Replies: make([]Reply[T], 0, popcount(r.decided)), Failed: r.failures[:len(r.failures):len(r.failures)]}
	for set := r.decided; set != 0; set &= set - 1 {
		i := lowest(set)
		s := &r.slots[i]
		res.Replies = append(res.Replies, Reply[T]{s.target, r.values[i], s.took, r.hedged>>i&1 == 1})
	}
	return res
}

// merge folds the replies. The mutex is not held: Merge may take its time, or
// panic.
func (r *readCall[T]) merge(replies []Reply[T]) T {
	if r.op.Merge == nil {
		return r.values[r.first]
	}
	v := replies[0].Value
	for _, reply := range replies[1:] {
		v = r.op.Merge(v, reply.Value)
	}
	return v
}

func (r *readCall[T]) ask(ctx context.Context, place int, t Target) (err error) {
	r.values[place], err = r.op.Call(ctx, t)
	return err
}

func (r *readCall[T]) late(place int) {
	r.c.shared.late.Add(1)
	r.discard(place)
}

func (r *readCall[T]) discard(place int) {
	if r.op.Discard != nil {
		r.op.Discard(r.values[place])
	}
}

func (r *readCall[T]) miss(string, error) {}
func (r *readCall[T]) ended()             {}

// readOne asks one replica after the other, on the caller's goroutine, and
// counts them.
func readOne[T any](ctx context.Context, c *Coordinator, prefs []string, op Op[T]) (res Result[T], asked int, err error) {
	if len(prefs) < c.n {
		return res, 0, c.failRead(fmt.Errorf("%w: %d nodes given, want %d", ErrUnavailable, len(prefs), c.n), nil, nil)
	}
	prefs = prefs[:min(len(prefs), c.n+c.standIns)]
	if err := unique(prefs); err != nil {
		return res, 0, err
	}
	var failed []NodeError
	err = ErrUnavailable
	absent := 0 // owners that failed and have no stand-in yet
	for i, node := range prefs {
		if cause := ctx.Err(); cause != nil {
			return res, asked, c.failRead(cause, context.Cause(ctx), failed)
		}
		up := c.health == nil || c.health(node)
		t := Target{node, node}
		if i >= c.n { // every owner has failed: stand in for the next of them
			if !up {
				continue
			}
			if absent == c.n {
				break
			}
			t.Owner = prefs[absent]
			absent++
		} else if !up {
			failed = append(failed, NodeError{node, ErrDown})
			continue
		}
		start := now()
		v, callErr := askInline(ctx, op.Call, t)
		latency := start.since()
		asked++
		if c.observer != nil {
			c.observer(Event{Op: opRead, Target: t, Latency: latency, Err: callErr})
		}
		if callErr == nil {
			c.shared.answered(opRead, latency)
			return Result[T]{Value: v, Replies: []Reply[T]{{Target: t, Value: v, Latency: latency}}, Failed: failed}, asked, nil
		}
		failed = append(failed, NodeError{node, callErr})
		err = ErrNoQuorum
		if isPermanent(callErr) {
			err = callErr
			break
		}
	}
	if cause := ctx.Err(); cause != nil && err == ErrNoQuorum {
		return res, asked, c.failRead(cause, context.Cause(ctx), failed)
	}
	return res, asked, c.failRead(err, nil, failed)
}

// askInline makes an error of a panic: a replica that failed, no more.
func askInline[T any](ctx context.Context, ask func(context.Context, Target) (T, error), t Target) (v T, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("quorum: call panicked: %v\n%s", p, debug.Stack())
		}
	}()
	return ask(ctx, t)
}

// failRead is the error of a read that ran on the caller's goroutine.
func (c *Coordinator) failRead(reason, cause error, failed []NodeError) error {
	c.shared.unmet.Add(1)
	if cause == reason {
		cause = nil
	}
	return &Error{Op: opRead, Failed: failed, reason: reason, cause: cause}
}
