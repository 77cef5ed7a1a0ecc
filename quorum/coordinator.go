package quorum

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/distkit/distkit/quorum/expr"
)

const (
	opRead   = "read"
	opWrite  = "write"
	opRepair = "repair"
	opBatch  = "batch"
)

// Coordinator sends operations to replicas and decides when enough have
// answered. Make one by [New] and share it: it holds the statistics and the
// bound on background calls. Use it by the functions [Read], [Write] and
// [WriteBatch]; [Coordinator.With] makes views with other levels.
//
// It is safe for concurrent use. Queries of the zero Coordinator answer false
// and nothing; operations on it panic.
type Coordinator struct {
	config
	shared      *shared
	read, write side
	bit         map[string]int // of the nodes of a system
}

// side is what reads, or writes, wait for.
type side struct {
	rule      expr.Rule // unless the level has zones
	level     Level     // unless there is a system
	primaries int
	one       bool // any one replica is enough
}

// shared is what a coordinator and its views have in common.
type shared struct {
	counters
	inFlight      atomic.Int64 // operations not ended, and the bit closed
	idle          chan struct{}
	idleOnce      sync.Once
	n, r, w       int // of New
	scores        scores
	budget        budget
	background    atomic.Int64 // replica calls whose operation has returned
	maxBackground int64
}

const closed = int64(1) << 62

// New returns a coordinator for n replicas of each key, reads that wait for r
// of them and writes that wait for w: 1 ≤ r, w ≤ n ≤ 64. The package comment
// says what the settings mean; [Coordinator.Strict] tells whether reads see
// the last completed write.
func New(n, r, w int, opts ...Option) (*Coordinator, error) {
	cfg := config{n: n, r: r, w: w, background: defaultBackground, straggler: defaultStraggler}
	for _, opt := range opts {
		opt(&cfg)
	}
	c, err := build(cfg, false)
	if err != nil {
		return nil, err
	}
	c.shared = &shared{idle: make(chan struct{}), maxBackground: int64(c.background), n: n, r: r, w: w}
	return c, nil
}

// With returns a view of the coordinator with other options: the same
// statistics, the same bound on background calls, closed together. It is
// cheap: one per request is fine. A view starts from the options of c.
func (c *Coordinator) With(opts ...Option) (*Coordinator, error) {
	if c == nil || c.shared == nil {
		return nil, errors.New("quorum: With on a Coordinator that New did not make")
	}
	cfg := c.config
	cfg.set = 0
	for _, opt := range opts {
		opt(&cfg)
	}
	if cfg.set&setBackground != 0 {
		return nil, errors.New("quorum: WithMaxBackground on a view, want it in New")
	}
	view, err := build(cfg, true)
	if err != nil {
		return nil, err
	}
	view.shared = c.shared
	return view, nil
}

// build checks a configuration and compiles what it waits for.
func build(cfg config, view bool) (*Coordinator, error) {
	if err := cfg.checkSystem(view); err != nil {
		return nil, err
	}
	if err := cfg.check(); err != nil {
		return nil, err
	}
	c := &Coordinator{config: cfg}
	c.read.primaries, c.write.primaries = cfg.pr, cfg.pw
	if cfg.system != nil {
		return c, c.compile()
	}
	c.read.set(cfg.n, cfg.r, cfg.readLevel)
	c.write.set(cfg.n, cfg.w, cfg.writeLevel)
	return c, nil
}

func (s *side) set(n, count int, level *Level) {
	s.level = Count(count)
	if level != nil {
		s.level = *level
	}
	if s.level.scope == everywhere {
		s.rule = s.level.flat(n)
		s.one = s.level.share.of(n) == 1 && s.primaries == 0
	}
}

// compile sets the rules of the system.
func (c *Coordinator) compile() error {
	nodes := c.system.Nodes()
	c.bit = make(map[string]int, len(nodes))
	for i, name := range nodes {
		c.bit[name] = i
	}
	var err error
	if c.read.rule, err = c.system.Reads().Compile(nodes); err != nil {
		return fmt.Errorf("quorum: reads of the system: %w", err)
	}
	if c.write.rule, err = c.system.Writes().Compile(nodes); err != nil {
		return fmt.Errorf("quorum: writes of the system: %w", err)
	}
	return nil
}

// Close refuses further operations, of all views, and waits until those that
// run have ended, replica calls in the background included. If ctx ends first,
// Close returns its error and the calls go on to their time-outs. To close
// twice is to wait twice.
func (c *Coordinator) Close(ctx context.Context) error {
	if c == nil || c.shared == nil {
		return nil
	}
	s := c.shared
	if s.inFlight.Or(closed)&^closed == 0 {
		s.rest()
	}
	select {
	case <-s.idle:
		return nil
	default:
	}
	select {
	case <-s.idle:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("quorum: %d operations have not ended: %w", s.inFlight.Load()&^closed, ctx.Err())
	}
}

func (s *shared) begin() bool {
	if s.inFlight.Add(1)&closed == 0 {
		return true
	}
	s.end()
	return false
}

func (s *shared) end() {
	if s.inFlight.Add(-1) == closed {
		s.rest()
	}
}

func (s *shared) rest() { s.idleOnce.Do(func() { close(s.idle) }) }

// acquire takes so many places in the background, if there are.
func (s *shared) acquire(calls int) bool {
	if s.background.Add(int64(calls)) <= s.maxBackground {
		return true
	}
	s.background.Add(int64(-calls))
	return false
}
