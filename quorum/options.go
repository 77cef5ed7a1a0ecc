package quorum

import (
	"errors"
	"fmt"
	"time"

	"github.com/distkit/distkit/quorum/expr"
)

// Option configures what [New] and [Coordinator.With] return.
type Option func(*config)

// config is what a coordinator or a view runs by. Options only write it down;
// check finds what does not fit.
type config struct {
	n, r, w    int
	readLevel  *Level
	writeLevel *Level
	system     *expr.System
	zones      func(node string) string
	health     func(node string) bool
	standIns   int
	pr, pw     int
	hedge      *hedger
	repair     RepairMode
	background int
	straggler  time.Duration
	observer   func(Event)

	set optionSet // what this list of options holds
	err error
}

type optionSet uint

const (
	setLevel optionSet = 1 << iota
	setSystem
	setBackground
)

// Limits of options that would be bugs rather than choices.
const (
	maxReplicas       = 64
	defaultBackground = 1024
	defaultStraggler  = 10 * time.Second
)

// WithReadLevel makes reads wait for l instead of r replicas.
func WithReadLevel(l Level) Option {
	return func(c *config) { c.readLevel, c.set = &l, c.set|setLevel }
}

// WithWriteLevel makes writes wait for l instead of w replicas.
func WithWriteLevel(l Level) Option {
	return func(c *config) { c.writeLevel, c.set = &l, c.set|setLevel }
}

// WithSystem makes reads and writes wait for quorums of s. It takes the place
// of r, w and of levels that a view would inherit; levels in the same list of
// options are an error. n must be the number of its nodes (a view made by
// [Coordinator.With] takes it from the system), and the first n names of a
// call must be exactly its nodes, in any order.
func WithSystem(s *expr.System) Option {
	return func(c *config) { c.system, c.set = s, c.set|setSystem }
}

// WithZones tells the zone of a node, for zone levels. A node without a zone
// ("") fails an operation that needs it.
func WithZones(f func(node string) string) Option {
	return func(c *config) { c.zones = f; c.need(f != nil, "WithZones") }
}

// WithHealth tells which nodes are up. Owners that are down are not asked, and
// an operation whose level the others cannot meet is unavailable at once. It is
// called for every replica of every operation; default: all are up.
func WithHealth(f func(node string) bool) Option {
	return func(c *config) { c.health = f; c.need(f != nil, "WithHealth") }
}

// WithSloppy lets up to so many names of a call after the first n stand in for
// owners that are down or fail: Target.Owner names the owner for whom the node
// should keep a hint, or answer from its hints. A stand-in acts for one owner;
// one that fails is followed by the next. Default 0: none. See
// [Coordinator.Strict] for what it costs.
func WithSloppy(standIns int) Option { return func(c *config) { c.standIns = standIns } }

// WithPrimaries demands that at least pr replies to a read and pw acks of a
// write come from owners themselves, 0 ≤ pr, pw ≤ n. Default 0 and 0.
func WithPrimaries(pr, pw int) Option { return func(c *config) { c.pr, c.pw = pr, pw } }

// WithRepair makes reads write the merged value back to replicas that answered
// with another. Default [RepairNone].
func WithRepair(m RepairMode) Option { return func(c *config) { c.repair = m } }

// WithMaxBackground bounds the replica calls that writes and repairs leave
// running when they return, of a coordinator and all its views. At the bound, writes
// return only when their calls have ended or their context has, and repairs in
// the background are dropped. Default 1024; 0: nothing runs on. Not for views.
func WithMaxBackground(calls int) Option {
	return func(c *config) { c.background, c.set = calls, c.set|setBackground }
}

// WithStragglerTimeout sets how long a replica call of a write or a repair may
// take, whatever becomes of the caller's context. Default 10 s.
func WithStragglerTimeout(d time.Duration) Option { return func(c *config) { c.straggler = d } }

// WithObserver calls f once for every replica call that ended, on the call's
// goroutine, before its result counts.
func WithObserver(f func(Event)) Option {
	return func(c *config) { c.observer = f; c.need(f != nil, "WithObserver") }
}

// RepairMode says what a read does about replicas that answered with another
// value than the merged one. Modes other than RepairNone need Merge, Same and
// Repair in the [Op].
type RepairMode uint8

const (
	// RepairNone leaves them.
	RepairNone RepairMode = iota
	// RepairAsync writes the merged value to them after the read returned.
	RepairAsync
	// RepairBlocking writes the merged value back until a write quorum holds
	// it, and only then returns it: a later read cannot see an older one. It
	// costs nothing where the replies that agree are a write quorum already.
	// With a write level that meets the read level and without stand-ins,
	// registers are linearizable (Attiya, Bar-Noy, Dolev 1995).
	RepairBlocking
)

// Event is one replica call that ended.
type Event struct {
	Op         string // "read", "write", "repair", "batch"
	Target     Target
	Latency    time.Duration
	Hedged     bool // sent because another was slow
	Background bool // the operation had returned before
	Err        error
}

func (c *config) need(ok bool, option string) {
	if !ok && c.err == nil {
		c.err = fmt.Errorf("quorum: %s(nil), want a function", option)
	}
}

func (c *config) check() error {
	if c.n < 1 || c.n > maxReplicas {
		return fmt.Errorf("quorum: n is %d, want 1 to %d", c.n, maxReplicas)
	}
	if c.system == nil {
		if c.r < 1 || c.r > c.n {
			return fmt.Errorf("quorum: r is %d, want 1 to n, %d", c.r, c.n)
		}
		if c.w < 1 || c.w > c.n {
			return fmt.Errorf("quorum: w is %d, want 1 to n, %d", c.w, c.n)
		}
	}
	for _, l := range []*Level{c.readLevel, c.writeLevel} {
		if l != nil {
			if err := l.check(c.n, c.zones != nil); err != nil {
				return err
			}
		}
	}
	if err := c.hedge.check(); err != nil {
		return err
	}
	switch {
	case c.err != nil:
		return c.err
	case c.standIns < 0:
		return fmt.Errorf("quorum: stand-ins are %d, want 0 or more", c.standIns)
	case c.pr < 0 || c.pr > c.n || c.pw < 0 || c.pw > c.n:
		return fmt.Errorf("quorum: primaries are %d and %d, want 0 to n, %d", c.pr, c.pw, c.n)
	case c.repair > RepairBlocking:
		return fmt.Errorf("quorum: repair mode is %d, want RepairNone, RepairAsync or RepairBlocking", c.repair)
	case c.background < 0:
		return fmt.Errorf("quorum: background calls are %d, want 0 or more", c.background)
	case c.straggler <= 0:
		return fmt.Errorf("quorum: straggler timeout is %v, want > 0", c.straggler)
	}
	return nil
}

// checkSystem settles what a system does to n and to levels.
func (c *config) checkSystem(view bool) error {
	switch {
	case c.set&setSystem != 0 && (c.system == nil || len(c.system.Nodes()) == 0):
		return errors.New("quorum: system is nil or zero, want one that expr.NewSystem made")
	case c.system == nil:
		return nil
	case c.set&setLevel != 0:
		return errors.New("quorum: level beside a system, want one or the other")
	case view && c.set&setSystem != 0:
		c.n = len(c.system.Nodes())
	}
	if nodes := len(c.system.Nodes()); nodes != c.n {
		return fmt.Errorf("quorum: n is %d and the system has %d nodes, want the same", c.n, nodes)
	}
	c.readLevel, c.writeLevel = nil, nil
	return nil
}
