package quorum

import (
	"context"
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
