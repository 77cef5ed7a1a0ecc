package quorum

import (
	"context"
	"fmt"
	"math/bits"
	"slices"
	"sync"
	"time"

	"github.com/distkit/distkit/quorum/expr"
)

// Target is where a replica call goes. Node is asked; if Owner is another name,
// Node stands in for it: a write is kept as a hint for the owner, a read is
// answered from such hints.
type Target struct{ Node, Owner string }

// call is one operation in flight: a state machine over sets of replicas, as
// bits by their place in the preference list. There is no collector and no
// channel per replica: whoever finishes a replica call takes the mutex, moves
// the state, decides, and wakes the caller once. Nobody waits for anybody, so
// nothing can be left behind.
//
// Bits move idle -> running -> acks or failed, and from failed back to running
// when a stand-in takes over.
type call struct {
	c      *Coordinator
	op     string
	work   work
	parent context.Context
	side   *side
	rule   *expr.Rule
	perm   *[maxReplicas]uint8 // bit in the system of each place
	every  bool                // contact all owners, and a stand-in for each that fails
	urgent uint64              // places to contact at once; others as needed
	ranked bool                // by latency
	start  moment
	limit  time.Time // deadline of the replica calls, zero: the parent's

	wake chan struct{}

	mu       sync.Mutex
	n        int
	slots    []slot
	order    []uint8  // in which idle owners are contacted
	spare    []string // healthy stand-ins that nobody uses
	idle     uint64
	running  uint64
	acks     uint64
	own      uint64 // acks of owners themselves
	failed   uint64
	missed   uint64 // failed for good and reported
	stood    uint64 // a stand-in acts
	hedged   uint64
	final    uint64 // failed, and no stand-in may act
	first    int    // place of the first ack, -1
	failures []NodeError
	state    state
	reason   error // of state stopped
	cause    error
	decided  uint64 // acks when the state was decided
	returned bool   // the caller went away; what runs is background
	woken    bool
	eager    bool // the caller wants to know of every end
	refs     int  // the caller and the goroutines

	signal contextState
	timer  *time.Timer
	room   [inlineSlots]slot
	places [inlineSlots]uint8
	fault  [1]NodeError
}

// inlineSlots is how many replicas need no allocation of their own. With seven
// a read of a small value takes a kilobyte.
const inlineSlots = 7

// slot is what is known of one place in the preference list.
type slot struct {
	target Target
	sent   moment
	took   time.Duration
}

type state uint8

const (
	pending state = iota
	won
	lost
	stopped // by a permanent error, the context or the time-out
)

// work is what an operation does at a replica.
type work interface {
	ask(ctx context.Context, place int, t Target) error
	late(place int)               // an answer that nobody gets
	miss(owner string, err error) // an owner that stays without
	ended()                       // nothing runs any more
}

func popcount(set uint64) int { return bits.OnesCount64(set) }
func lowBits(n int) uint64    { return ^uint64(0) >> (64 - n) }

// prepare checks the preference list and fills in the owners; it copies what
// it keeps. Nothing is shared yet.
func (f *call) prepare(ctx context.Context, c *Coordinator, s *side, op string, prefs []string) error {
	f.c, f.op, f.side, f.parent, f.first = c, op, s, ctx, -1
	f.n = c.n
	if len(prefs) < c.n {
		return f.fail(fmt.Errorf("%w: %d nodes given, want %d", ErrUnavailable, len(prefs), c.n), nil)
	}
	prefs = prefs[:min(len(prefs), c.n+c.standIns)]
	if err := unique(prefs); err != nil {
		return err
	}
	owners := prefs[:c.n]
	f.rule = &s.rule
	if c.system != nil {
		f.perm = new([maxReplicas]uint8)
		for i, node := range owners {
			bit, ok := c.bit[node]
			if !ok {
				return fmt.Errorf("quorum: node %q is not in the system", node)
			}
			f.perm[i] = uint8(bit)
		}
	} else if s.level.scope != everywhere {
		rule, err := s.level.zoned(owners, c.zones)
		if err != nil {
			return err
		}
		f.rule = &rule
	}
	f.slots, f.order = f.room[:min(c.n, inlineSlots)], f.places[:min(c.n, inlineSlots)]
	if c.n > inlineSlots {
		f.slots, f.order = make([]slot, c.n), make([]uint8, c.n)
	}
	for i, node := range owners {
		f.slots[i].target = Target{node, node}
		f.order[i] = uint8(i)
		if c.health != nil && !c.health(node) {
			f.failed |= 1 << i
			f.blame(node, ErrDown)
		}
	}
	f.idle = lowBits(c.n) &^ f.failed
	for _, node := range prefs[c.n:] {
		if c.health == nil || c.health(node) {
			f.spare = append(f.spare, node)
		}
	}
	return nil
}

// blame notes why a node failed.
func (f *call) blame(node string, err error) {
	if f.failures == nil {
		f.failures = f.fault[:0]
	}
	f.failures = append(f.failures, NodeError{node, err})
}

// unique refuses a node that is given twice: it must not answer twice.
func unique(prefs []string) error {
	if len(prefs) > 16 {
		seen := make(map[string]bool, len(prefs))
		for _, node := range prefs {
			if seen[node] {
				return fmt.Errorf("quorum: node %q is given twice", node)
			}
			seen[node] = true
		}
		return nil
	}
	for i, node := range prefs {
		if slices.Contains(prefs[:i], node) {
			return fmt.Errorf("quorum: node %q is given twice", node)
		}
	}
	return nil
}

// enough reports whether answers from set, of which own are from owners
// themselves, meet the level.
func (f *call) enough(set, own uint64) bool {
	if f.perm != nil {
		var bits uint64
		for rest := set; rest != 0; rest &= rest - 1 {
			bits |= 1 << f.perm[lowest(rest)]
		}
		set = bits
	}
	return popcount(own) >= f.side.primaries && f.rule.Decide(set, 0) == expr.Won
}

func lowest(set uint64) int { return bits.TrailingZeros64(set) }

// hopeful reports whether the answers that are here and those that may come
// meet the level.
func (f *call) hopeful() bool {
	live := f.running | f.acks
	return f.enough(live, f.own|f.running&^f.stood)
}

// decide moves the state, and wakes the caller when it has.
func (f *call) decide() {
	if f.state == pending {
		switch {
		case f.enough(f.acks, f.own):
			f.state = won
		case !f.hopeful():
			f.state = lost
		}
		f.decided = f.acks
	}
	if f.eager || f.state != pending && !f.woken {
		f.woken = true
		select {
		case f.wake <- struct{}{}:
		default:
		}
	}
}

// leave unlocks, tells whom the end of a call concerns, and lets the goroutine
// go if there is nothing next; the last who leaves ends the operation.
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

// names returns the nodes at the places of set.
func (f *call) names(set uint64) []string {
	if set == 0 {
		return nil
	}
	out := make([]string, 0, popcount(set))
	for ; set != 0; set &= set - 1 {
		out = append(out, f.slots[lowest(set)].target.Node)
	}
	return out
}

// fail is the error of an operation that is not won.
func (f *call) fail(reason, cause error) error {
	op := f.op
	if op == opRepair {
		op = opRead
	}
	f.c.shared.unmet.Add(1)
	return &Error{
		Op: op, Acked: f.names(f.acks), Failed: slices.Clone(f.failures), Pending: f.names(f.running),
		reason: reason, cause: cause,
	}
}

// verdict is nil for an operation that is won.
func (f *call) verdict() error {
	switch f.state {
	case won:
		return nil
	case lost:
		return f.fail(ErrNoQuorum, nil)
	}
	return f.fail(f.reason, f.cause)
}
