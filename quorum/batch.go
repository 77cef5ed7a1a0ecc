package quorum

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"github.com/distkit/distkit/quorum/expr"
)

// batch is a write of many keys in flight. What a node answered holds for all
// its keys, so that a key needs no state of its own but whether it is decided:
// its acks are the answers of its owners.
type batch struct {
	c     *Coordinator
	ctx   context.Context // of the node calls
	stop  context.CancelFunc
	call  func(ctx context.Context, node string, keys []int) error
	index map[string]int32
	nodes []batchNode
	row   []int32     // n places for each key, of its owners in nodes; -1: a key that is not sent
	rules []expr.Rule // of each key, if the level has zones
	errs  []error

	mu       sync.Mutex
	decided  []bool
	left     int // keys not decided
	running  int // node calls
	returned bool
	eager    bool
	wake     chan struct{}
}

type batchNode struct {
	name  string
	bit   int // in the system
	count int
	keys  []int
	err   error
	state nodeState
}

type nodeState uint8

const (
	nodeRunning nodeState = iota
	nodeAcked
	nodeFailed
	nodeDown
)

// WriteBatch writes many keys at once: one call for each node with all keys
// that it owns, and the write level for each key. prefs gives the owners of key
// i, 0 ≤ i < keys, and may use buf for it, as AppendOwners of package ring does;
// call writes the given keys to one node, and its error counts for all of them.
// WriteBatch returns when every key has met its level or cannot any more; what
// is slow goes on in the background, as in [Write]. The result has an error for
// each key, nil where the level was met. Stand-ins are not used: a key whose
// owners are down is unavailable.
func WriteBatch(ctx context.Context, c *Coordinator, keys int, prefs func(i int, buf []string) []string,
	call func(ctx context.Context, node string, keys []int) error,
) []error {
	if c == nil || c.shared == nil {
		panic("quorum: WriteBatch on a Coordinator that New did not make")
	}
	errs := make([]error, max(keys, 0))
	var err error
	switch {
	case prefs == nil || call == nil:
		err = errors.New("quorum: WriteBatch without prefs or call")
	case keys <= 0:
		return errs
	case !c.shared.begin():
		err = ErrClosed
	}
	if err != nil {
		for i := range errs {
			errs[i] = err
		}
		return errs
	}
	c.shared.writes.Add(uint64(keys))
	launched := false
	defer func() {
		if !launched {
			c.shared.end()
		}
	}()
	b := &batch{c: c, call: call, errs: errs, index: make(map[string]int32), wake: make(chan struct{}, 1)}
	b.decided = make([]bool, keys)
	b.resolve(prefs)
	b.deal()
	if reason, cause := contextReason(ctx); reason != nil {
		b.abandon(reason, cause)
		return errs
	}
	launched = true
	b.launch(ctx)
	b.wait(ctx)
	return errs
}

// resolve asks for the owners of each key, and settles keys that cannot be sent.
func (b *batch) resolve(prefs func(i int, buf []string) []string) {
	n := b.c.n
	b.row = make([]int32, len(b.errs)*n)
	if b.c.system == nil && b.c.write.level.scope != everywhere {
		b.rules = make([]expr.Rule, len(b.errs))
	}
	b.left = len(b.errs)
	buf := make([]string, 0, n+b.c.standIns)
	for i := range b.errs {
		owners := prefs(i, buf[:0])
		row := b.row[i*n : (i+1)*n]
		err := b.place(i, owners, row)
		if err == nil && b.outcome(i) == lost {
			err = b.failure(i, ErrUnavailable, nil)
		}
		if err != nil {
			b.settle(i, err)
			row[0] = -1
			continue
		}
		for _, node := range row {
			b.nodes[node].count++
		}
	}
}

// place fills in the row of a key.
func (b *batch) place(i int, owners []string, row []int32) error {
	if len(owners) < len(row) {
		return &Error{Op: opWrite, reason: fmt.Errorf("%w: %d nodes given, want %d", ErrUnavailable, len(owners), len(row))}
	}
	owners = owners[:len(row)]
	for p, name := range owners {
		node, ok := b.index[name]
		if !ok {
			var err error
			if node, err = b.add(name); err != nil {
				return err
			}
		}
		if slices.Contains(row[:p], node) {
			return fmt.Errorf("quorum: node %q is given twice", name)
		}
		row[p] = node
	}
	if b.rules != nil {
		var err error
		if b.rules[i], err = b.c.write.level.zoned(owners, b.c.zones); err != nil {
			return err
		}
	}
	return nil
}

func (b *batch) add(name string) (int32, error) {
	node := batchNode{name: name}
	if b.c.system != nil {
		bit, ok := b.c.bit[name]
		if !ok {
			return 0, fmt.Errorf("quorum: node %q is not in the system", name)
		}
		node.bit = bit
	}
	if b.c.health != nil && !b.c.health(name) {
		node.state, node.err = nodeDown, ErrDown
	}
	at := int32(len(b.nodes))
	b.nodes = append(b.nodes, node)
	b.index[name] = at
	return at, nil
}

// deal lists the keys of each node, in one piece of memory.
func (b *batch) deal() {
	total := 0
	for i := range b.nodes {
		if b.nodes[i].state != nodeDown {
			total += b.nodes[i].count
		}
	}
	all := make([]int, total)
	for i := range b.nodes {
		if node := &b.nodes[i]; node.state != nodeDown {
			node.keys, all = all[:0:node.count], all[node.count:]
		}
	}
	n := b.c.n
	for i := range b.errs {
		row := b.row[i*n : (i+1)*n]
		if row[0] < 0 {
			continue
		}
		for _, at := range row {
			if node := &b.nodes[at]; node.state != nodeDown {
				node.keys = append(node.keys, i)
			}
		}
	}
}

// launch starts one goroutine for each node that has keys.
func (b *batch) launch(ctx context.Context) {
	b.ctx, b.stop = context.WithTimeout(context.WithoutCancel(ctx), b.c.straggler)
	b.running = 1 // us, so that nothing ends before all has begun
	for i := range b.nodes {
		if len(b.nodes[i].keys) > 0 {
			b.mu.Lock()
			b.running++
			b.mu.Unlock()
			b.c.shared.calls.Add(1)
			go b.run(&b.nodes[i])
		}
	}
}

// run makes one node call and decides its keys.
func (b *batch) run(node *batchNode) {
	start := now()
	err := errExit
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("quorum: call panicked: %v\n%s", p, debug.Stack())
		}
		b.ended(node, start.since(), err)
	}()
	err = b.call(b.ctx, node.name, node.keys)
}

func (b *batch) ended(node *batchNode, latency time.Duration, err error) {
	b.mu.Lock()
	background := b.returned
	b.mu.Unlock()
	if b.c.observer != nil {
		b.c.observer(Event{Op: opBatch, Target: Target{node.name, node.name}, Latency: latency, Background: background, Err: err})
	}
	if err == nil {
		b.c.shared.answered(opBatch, latency)
	}
	b.mu.Lock()
	if node.state, node.err = nodeAcked, err; err != nil {
		node.state = nodeFailed
	}
	if !b.returned {
		b.decide(node)
	}
	if b.returned {
		b.c.shared.background.Add(-1)
	}
	b.partAndUnlock()
}

// decide looks again at the keys of a node that has answered.
func (b *batch) decide(node *batchNode) {
	terminal := node.state == nodeFailed && isPermanent(node.err)
	for _, i := range node.keys {
		if b.decided[i] {
			continue
		}
		switch state := b.outcome(i); {
		case state == won:
			b.settle(i, nil)
		case terminal:
			b.settle(i, b.failure(i, node.err, nil))
		case state == lost:
			b.settle(i, b.failure(i, ErrNoQuorum, nil))
		}
	}
	if b.left == 0 || b.eager {
		select {
		case b.wake <- struct{}{}:
		default:
		}
	}
}

func (b *batch) settle(i int, err error) {
	b.decided[i] = true
	b.left--
	b.errs[i] = err
}

// outcome counts the answers of the owners of a key.
func (b *batch) outcome(i int) state {
	var acks, failed uint64
	n := b.c.n
	for p, at := range b.row[i*n : (i+1)*n] {
		node := &b.nodes[at]
		bit := uint64(1) << p
		if b.c.system != nil {
			bit = 1 << node.bit
		}
		switch node.state {
		case nodeAcked:
			acks |= bit
		case nodeFailed, nodeDown:
			failed |= bit
		}
	}
	rule := &b.c.write.rule
	if b.rules != nil {
		rule = &b.rules[i]
	}
	primaries := b.c.write.primaries
	switch rule.Decide(acks, failed) {
	case expr.Won:
		if popcount(acks) >= primaries {
			return won
		}
	case expr.Lost:
		return lost
	}
	if n-popcount(failed) < primaries {
		return lost
	}
	return pending
}

// failure is the error of a key.
func (b *batch) failure(i int, reason, cause error) error {
	e := &Error{Op: opWrite, reason: reason, cause: cause}
	n := b.c.n
	for _, at := range b.row[i*n : (i+1)*n] {
		switch node := &b.nodes[at]; {
		case node.state == nodeAcked:
			e.Acked = append(e.Acked, node.name)
		case node.state != nodeRunning:
			e.Failed = append(e.Failed, NodeError{node.name, node.err})
		case b.ctx != nil:
			e.Pending = append(e.Pending, node.name)
		}
	}
	b.c.shared.unmet.Add(1)
	return e
}

// abandon settles what is left.
func (b *batch) abandon(reason, cause error) {
	for i := range b.errs {
		if !b.decided[i] {
			b.settle(i, b.failure(i, reason, cause))
		}
	}
}

// wait returns when all keys are decided and what still runs has a place in the
// background, or when the context is done.
func (b *batch) wait(ctx context.Context) {
	b.mu.Lock()
	for b.running > 1 {
		if b.left == 0 && b.c.shared.acquire(b.running-1) {
			break
		}
		b.eager = b.left == 0
		b.mu.Unlock()
		done := false
		select {
		case <-b.wake:
		case <-b.ctx.Done():
			done = true
		case <-ctx.Done():
			done = true
		}
		b.mu.Lock()
		if !done {
			continue
		}
		full := true
		if reason, cause := contextReason(ctx); reason != nil {
			b.abandon(reason, cause)
			full = !b.c.shared.acquire(b.running - 1)
		} else {
			b.abandon(context.DeadlineExceeded, nil)
		}
		if full {
			b.c.shared.background.Add(int64(b.running - 1))
			b.stop()
		}
		break
	}
	b.returned = true
	b.partAndUnlock()
}

// partAndUnlock lets one of those who run go; the last ends the batch.
func (b *batch) partAndUnlock() {
	b.running--
	last := b.running == 0
	b.mu.Unlock()
	if last {
		b.stop()
		b.c.shared.end()
	}
}
