package quorum

import (
	"context"
	"fmt"
	"runtime/debug"
)

// mend brings replicas to the merged value as the repair mode says. The read
// is won and returned; its state does not change any more.
func (r *readCall[T]) mend(ctx context.Context, prefs []string, res *Result[T]) error {
	var same, stale uint64
	for k, set := 0, r.decided; set != 0; k, set = k+1, set&(set-1) {
		if r.op.Same(res.Replies[k].Value, res.Value) {
			same |= set & -set
		} else {
			stale |= set & -set
		}
	}
	if r.c.repair == RepairBlocking {
		if held, err := r.mendNow(ctx, prefs, same, stale, res); err != nil || !held {
			return err
		}
	}
	if stale != 0 && r.c.shared.acquire(popcount(stale)) {
		for ; stale != 0; stale &= stale - 1 {
			r.c.shared.inFlight.Add(1)
			go mendLater(context.WithoutCancel(ctx), r.c, r.op.Repair, r.slots[lowest(stale)].target, res.Value)
		}
	}
	return nil
}

// mendLater repairs one replica in the background.
func mendLater[T any](ctx context.Context, c *Coordinator, repair func(context.Context, Target, T) error, t Target, v T) {
	defer c.shared.end()
	defer c.shared.background.Add(-1)
	ctx, cancel := context.WithTimeout(ctx, c.straggler)
	defer cancel()
	start := now()
	c.shared.calls.Add(1)
	err := func() (err error) {
		defer func() {
			if p := recover(); p != nil {
				err = fmt.Errorf("quorum: repair panicked: %v\n%s", p, debug.Stack())
			}
		}()
		return repair(ctx, t, v)
	}()
	if err == nil {
		c.shared.repaired.Add(1)
	}
	if c.observer != nil {
		c.observer(Event{Op: opRepair, Target: t, Latency: start.since(), Background: true, Err: err})
	}
}

type repairCall[T any] struct {
	call
	op *Op[T]
	v  T
}

// mendNow is the second phase of a linearizable read: it writes the merged
// value until a write quorum holds it, and does nothing if those that agreed are
// one (held). Those that did not agree get it first, then others as failures
// make it necessary.
func (r *readCall[T]) mendNow(ctx context.Context, prefs []string, same, stale uint64, res *Result[T]) (held bool, err error) {
	p := &repairCall[T]{op: &r.op, v: res.Value}
	if err := p.prepare(ctx, r.c, &r.c.write, opRepair, prefs); err != nil {
		return false, err
	}
	for set := same | stale; set != 0; set &= set - 1 {
		i := lowest(set)
		p.slots[i].target = r.slots[i].target
		p.spend(r.slots[i].target.Node)
	}
	p.acks, p.stood = same, r.stood&(same|stale)
	p.own = same &^ p.stood
	p.failed &^= same | stale
	p.idle = p.idle&^same | stale
	if p.enough(p.acks, p.own) {
		return true, nil
	}
	p.work = p
	p.urgent = stale
	p.straggle()
	r.c.shared.inFlight.Add(1)
	defer p.endUnlessLaunched(r.c)
	if _, err := p.launch(); err != nil {
		return false, err
	}
	defer p.part()
	p.wait(ctx)
	cancel := p.detach(ctx)
	res.Repaired = p.names(p.acks &^ same)
	err = p.verdict()
	if cancel != nil {
		p.cancelAndUnlock(cancel)
	} else {
		p.mu.Unlock()
	}
	return false, err
}

// spend takes a stand-in that is in use out of the spare ones.
func (f *call) spend(node string) {
	for i, spare := range f.spare {
		if spare == node {
			f.spare = append(f.spare[:i:i], f.spare[i+1:]...)
			return
		}
	}
}

func (p *repairCall[T]) ask(ctx context.Context, _ int, t Target) error {
	err := p.op.Repair(ctx, t, p.v)
	if err == nil {
		p.c.shared.repaired.Add(1)
	}
	return err
}

func (p *repairCall[T]) late(int)           {}
func (p *repairCall[T]) miss(string, error) {}
func (p *repairCall[T]) ended()             {}
