package gossip

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/distkit/distkit/internal/codec"
)

var (
	// ErrCorrupt says that a message or an image is damaged, or of another
	// version.
	ErrCorrupt = codec.ErrCorrupt

	// ErrIncompatible says that an image is the one of another node, or has more
	// nodes than WithMaxNodes allows.
	ErrIncompatible = codec.ErrIncompatible
)

// Table is what one node knows of all, itself included. Let it tick at a steady
// interval, and after each tick exchange messages with one or a few random
// members:
//
//	A: digest := a.AppendDigest(nil)            SYN
//	B: delta, err := b.AppendDelta(nil, digest) ACK, with b.AppendDigest(nil)
//	A: a.Apply(delta); and ACK2 is a.AppendDelta(nil, b's digest)
//	B: b.Apply(ACK2)
//
// Transport and choice of partners are the caller's. News reach all of n nodes
// in about log2 n rounds.
//
// A Table is safe for concurrent use. Of the zero Table, queries answer
// nothing, UnmarshalBinary fills it, Join and TickAt panic.
type Table struct {
	mu    sync.Mutex
	self  string
	floor uint64 // incarnations of ours up to here were used
	config
	nodes  map[string]*node
	ticked time.Time
	stats  Stats
	down   atomic.Pointer[map[string]struct{}] // for Up; replaced, not changed
}

// node is one entry. The halves are merged apart.
type node struct {
	name      string
	admin     Admin
	version   version
	suspicion suspicion
	detector  detector
	live      Liveness
}

// version orders what is known of a node's life.
type version struct{ incarnation, heartbeat uint64 }

func (v version) after(w version) bool {
	if v.incarnation != w.incarnation {
		return v.incarnation > w.incarnation
	}
	return v.heartbeat > w.heartbeat
}

// watched nodes are expected to be heard of.
func (n *node) watched() bool { return n.admin.Status == Member }

// able nodes can report others.
func (n *node) able() bool { return n.admin.Status == Member && n.live != Down }

// New returns the table of the node self, a name of 1 to 255 bytes, in which it
// is alone, and not a member before it joins.
func New(self string, opts ...Option) (*Table, error) {
	if err := checkName(self); err != nil {
		return nil, err
	}
	t := &Table{self: self, config: defaults(), nodes: make(map[string]*node)}
	for _, opt := range opts {
		opt(&t.config)
	}
	if err := t.config.check(); err != nil {
		return nil, err
	}
	t.nodes[self] = &node{name: self}
	return t, nil
}

func checkName(name string) error {
	if name == "" || len(name) > maxName {
		return fmt.Errorf("gossip: name of a node has %d bytes, want 1 to %d", len(name), maxName)
	}
	return nil
}

func (t *Table) must(op string) {
	if t.nodes == nil {
		panic("gossip: " + op + " on a Table that New did not make")
	}
}

// Join makes a node a member with that weight, > 0, and zone, or changes them,
// or takes back a node that left. It is a decision of an operator, not the sign
// of life of a process: what it changes gets a generation, is gossiped, and
// holds until the next Join or Leave of that node anywhere. To join as what it
// is already changes nothing.
//
// A name has 1 to 255 bytes, a zone at most 255, and a weight is finite; one node
// more than WithMaxNodes allows is an error, and changes nothing.
func (t *Table) Join(node string, weight float64, zone string) error {
	t.must("Join")
	if err := checkName(node); err != nil {
		return err
	}
	if !(weight > 0) || math.IsInf(weight, 1) {
		return fmt.Errorf("gossip: weight of %q is %g, want > 0", node, weight)
	}
	if len(zone) > maxZone {
		return fmt.Errorf("gossip: zone of %q has %d bytes, want at most %d", node, len(zone), maxZone)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	n, err := t.entry(node)
	if err != nil {
		return err
	}
	return t.administer(n, Admin{Status: Member, Weight: weight, Zone: zone})
}

// Leave ends the membership of a node that is known, and is an error for another.
// A node that only crashed has not left.
func (t *Table) Leave(node string) error {
	t.must("Leave")
	t.mu.Lock()
	defer t.mu.Unlock()
	n := t.nodes[node]
	if n == nil || n.admin.Status == Unknown {
		return fmt.Errorf("gossip: node %q is no member", node)
	}
	left := n.admin
	left.Status = Left
	return t.administer(n, left)
}

// administer makes a decision.
func (t *Table) administer(n *node, a Admin) error {
	if a.Generation = n.admin.Generation; a == n.admin {
		return nil
	}
	if a.Generation++; a.Generation == 0 {
		return fmt.Errorf("gossip: generation of %q is at its end", n.name)
	}
	n.admin = a
	t.evaluateAll(t.ticked)
	return nil
}

// entry returns the entry of a node and makes it if there is room.
func (t *Table) entry(name string) (*node, error) {
	n := t.nodes[name]
	if n == nil {
		if len(t.nodes) >= t.maxNodes {
			return nil, fmt.Errorf("gossip: node %q is one too many, want at most %d", name, t.maxNodes)
		}
		n = &node{name: name}
		t.nodes[name] = n
	}
	return n, nil
}

func (t *Table) names() []string { return slices.Sorted(maps.Keys(t.nodes)) }

// Tick is TickAt the time of time.Now.
func (t *Table) Tick() { t.TickAt(time.Now()) }

// TickAt counts this node's heartbeat up, suspects members that have been
// silent for too long, and calls down those whose suspicion has lasted. The
// first tick fixes the incarnation of this process: the milliseconds of now, or
// more if an earlier process had that.
func (t *Table) TickAt(now time.Time) {
	t.must("TickAt")
	t.mu.Lock()
	defer t.mu.Unlock()
	t.ticked = now
	me := t.nodes[t.self]
	if me.version.incarnation == 0 {
		me.version.incarnation = max(uint64(max(now.UnixMilli(), 1)), t.floor+1)
	}
	me.version.heartbeat++
	me.suspicion = suspicion{}
	for _, n := range t.nodes {
		if n != me && n.watched() {
			n.detector.begin(now)
			if n.detector.phi(now, &t.config) >= t.threshold {
				n.suspicion.add(t.self, now)
			}
		}
	}
	t.evaluateAll(now)
}

// observers counts the members that suspect a node: reports in the name of
// others count nothing.
func (t *Table) observers(n *node) int {
	k := 0
	for name := range n.suspicion.by {
		if name == t.self || t.member(name) && name != n.name {
			k++
		}
	}
	return k
}

func (t *Table) member(name string) bool {
	n := t.nodes[name]
	return n != nil && n.admin.Status == Member
}

// evaluateAll sets the liveness of all nodes, and tells Up.
func (t *Table) evaluateAll(now time.Time) {
	members, able := 0, 0 // able to observe: this node, and members not down
	for name, n := range t.nodes {
		if t.member(name) {
			members++
		}
		if name == t.self || n.able() {
			able++
		}
	}
	for _, n := range t.nodes {
		possible := able
		if n.name == t.self || n.able() {
			possible-- // nobody observes itself
		}
		t.evaluate(n, now, min(t.config.observers, max(possible, 1)), members-1)
	}
	t.publish()
}

// evaluate sets the liveness of n, which so many observers must call down.
func (t *Table) evaluate(n *node, now time.Time, needed, others int) {
	k := t.observers(n)
	switch {
	case n.name == t.self && n.version.incarnation > 0:
		n.live = Alive
	case k >= needed && now.Sub(n.suspicion.since) >= t.timeout(k, needed, others):
		n.live = Down
	case k > 0:
		n.live = Suspect
	case n.version.incarnation > 0:
		n.live = Alive
	default:
		n.live = Unheard
	}
}

// publish tells Up who is down.
func (t *Table) publish() {
	down := make(map[string]struct{})
	for name, n := range t.nodes {
		if n.live == Down {
			down[name] = struct{}{}
		}
	}
	if old := t.down.Load(); old == nil && len(down) == 0 || old != nil && maps.Equal(*old, down) {
		return
	}
	t.down.Store(&down)
}

var errZero = errors.New("gossip: Apply to a Table that New did not make")

// Apply is ApplyAt the time of time.Now.
func (t *Table) Apply(delta []byte) error { return t.ApplyAt(time.Now(), delta) }

// ApplyAt takes in what a delta tells. A message that is damaged (ErrCorrupt)
// changes nothing. Entries of nodes beyond WithMaxNodes, and of incarnations
// more than a day ahead of now, are refused one by one and counted.
func (t *Table) ApplyAt(now time.Time, delta []byte) error {
	entries, err := parseDelta(delta)
	if err != nil {
		return err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.nodes == nil {
		return errZero
	}
	told := make([]bool, len(entries))
	for i, e := range entries { // first who is a member: only their reports count
		if n, err := t.entry(e.name); err == nil {
			told[i] = n.decide(e.admin)
		}
	}
	for i, e := range entries {
		n := t.nodes[e.name]
		switch {
		case n == nil, e.version.incarnation > uint64(max(now.Add(24*time.Hour).UnixMilli(), 0)):
			t.stats.Refused++
			continue
		case n.name == t.self:
			told[i] = t.refute(n, e) || told[i]
		default:
			told[i] = t.hear(n, e, now) || told[i]
		}
		if told[i] {
			t.stats.Applied++
		} else {
			t.stats.Stale++
		}
	}
	t.evaluateAll(now)
	return nil
}

// decide merges the administrative half: the higher generation holds, of equal
// ones the greater encoding.
func (n *node) decide(a Admin) bool {
	if a.Generation < n.admin.Generation || a.Generation == n.admin.Generation && !greater(a, n.admin) {
		return false
	}
	n.admin = a
	return true
}

// hear merges the half of the living of another node. A newer version ends the
// suspicion; in the same version reports add up.
func (t *Table) hear(n *node, e entry, now time.Time) (changed bool) {
	if n.version.after(e.version) {
		return false
	}
	if e.version.after(n.version) {
		if e.version.incarnation > n.version.incarnation {
			n.detector = detector{}
		}
		n.version, n.suspicion = e.version, suspicion{}
		n.detector.beat(now, &t.config)
		changed = true
	}
	for _, observer := range e.suspects {
		if t.member(observer) && observer != t.self { // ours we know ourselves
			changed = n.suspicion.add(observer, now) || changed
		}
	}
	return changed
}

// refute answers what others say of us: if they suspect us in the version that
// we have, or know a later one, from an earlier process or a liar, a higher
// incarnation makes us heard.
func (t *Table) refute(me *node, e entry) bool {
	if me.version.incarnation == 0 { // not begun
		old := t.floor
		t.floor = max(t.floor, e.version.incarnation)
		return t.floor != old
	}
	if e.version.after(me.version) || e.version == me.version && len(e.suspects) > 0 {
		me.version.incarnation = max(me.version.incarnation, e.version.incarnation) + 1
		return true
	}
	return false
}
