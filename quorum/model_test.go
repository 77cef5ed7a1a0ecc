package quorum_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/distkit/distkit/quorum"
	"github.com/distkit/distkit/quorum/expr"
	"github.com/stretchr/testify/require"
)

// scenario is one operation with everything that happens to it: how long each
// node takes and what it answers, who is down, what is enough.
type scenario struct {
	n, standIns, primaries int
	prefs                  []string
	down                   map[string]bool
	delay                  map[string]time.Duration
	fault                  map[string]error
	read, write            func(set int) bool // what is enough, by the places of owners
	one                    bool               // any one reply is enough to a read
	opts                   []quorum.Option
	text                   string
}

func drawScenario(rng *rand.Rand) *scenario {
	n := 2 + rng.IntN(5)
	s := &scenario{n: n, standIns: rng.IntN(4), down: map[string]bool{}, delay: map[string]time.Duration{}, fault: map[string]error{}}
	zones := make([]int, n+4)
	for i := range n + 4 {
		zones[i] = rng.IntN(3)
		node := fmt.Sprintf("%c%d", 'a'+zones[i], i)
		s.prefs = append(s.prefs, node)
		s.delay[node] = time.Duration(1 + rng.Int64N(int64(time.Second)))
		s.down[node] = rng.IntN(5) == 0
		switch p := rng.IntN(20); {
		case p < 5:
			s.fault[node] = errBoom
		case p == 5:
			s.fault[node] = quorum.Permanent(errBoom)
		}
	}
	if rng.IntN(3) == 0 {
		s.primaries = 1 + rng.IntN(n)
	}
	s.opts = []quorum.Option{
		quorum.WithHealth(func(node string) bool { return !s.down[node] }), quorum.WithSloppy(s.standIns),
		quorum.WithPrimaries(s.primaries, s.primaries), quorum.WithStragglerTimeout(time.Hour),
	}
	if rng.IntN(2) == 0 {
		s.drawSystem(rng)
		return s
	}
	levels := plainLevels()
	read, write := levels[rng.IntN(len(levels))], levels[rng.IntN(len(levels))]
	s.read = func(set int) bool { return read.holds(set, zones[:n]) }
	s.write = func(set int) bool { return write.holds(set, zones[:n]) }
	s.one = read.zone == -1 && read.need(n) == 1 && s.primaries == 0
	s.opts = append(s.opts, quorum.WithZones(zoneOf), quorum.WithReadLevel(read.level), quorum.WithWriteLevel(write.level))
	s.text = fmt.Sprintf("read %v write %v", read.level, write.level)
	return s
}

// drawTree makes a random expression in which every one of the names appears.
func drawTree(rng *rand.Rand, names []string) expr.Expr {
	if len(names) == 1 {
		return expr.Node(names[0])
	}
	var kids []expr.Expr
	for rest := names; len(rest) > 0; {
		k := 1 + rng.IntN(min(len(rest), len(names)-1))
		kids, rest = append(kids, drawTree(rng, rest[:k])), rest[k:]
	}
	if rng.IntN(3) == 0 { // one more path through a node
		kids = append(kids, expr.Node(names[rng.IntN(len(names))]))
	}
	return expr.Choose(1+rng.IntN(len(kids)), kids...)
}

func (s *scenario) drawSystem(rng *rand.Rand) {
	owners := s.prefs[:s.n]
	e := drawTree(rng, owners)
	sys, err := expr.NewSystem(e, e.Dual())
	if err != nil {
		panic(err)
	}
	over := func(e expr.Expr) func(int) bool {
		return func(set int) bool { return e.Satisfied(pick(owners, set)...) }
	}
	s.read, s.write = over(e), over(e.Dual())
	s.opts = append(s.opts, quorum.WithSystem(sys))
	s.text = e.String()
	rng.Shuffle(s.n, func(i, k int) { owners[i], owners[k] = owners[k], owners[i] })
}

// pick lists the names at the places of set.
func pick(names []string, set int) (out []string) {
	for i, name := range names {
		if set>>i&1 == 1 {
			out = append(out, name)
		}
	}
	return out
}

// expected is what the model says of an operation.
type expected struct {
	at      time.Duration // when the caller gets its answer
	err     error         // nil, or a reason
	receipt quorum.Receipt
	targets []quorum.Target // whose acks count, by place
	done    quorum.Receipt  // when all has ended, of a write
	missed  map[string]error
}

// place is an owner in the model.
type place struct {
	t                            quorum.Target
	running, acked, failed, last bool
	ends                         time.Duration
	first                        error
}

// simulation is the slow twin of the coordinator: a list of places and the next
// event, one after the other.
type simulation struct {
	*scenario
	enough func(int) bool
	places []place
	spare  []string
	fails  []quorum.NodeError
	missed map[string]error
}

func (m *simulation) set(which func(place) bool) (set, own int) {
	for i, p := range m.places {
		if which(p) {
			set |= 1 << i
			if p.t.Node == p.t.Owner {
				own++
			}
		}
	}
	return set, own
}

func (m *simulation) holds(which func(place) bool) bool {
	set, own := m.set(which)
	return m.enough(set) && own >= m.primaries
}

func (m *simulation) won() bool { return m.holds(func(p place) bool { return p.acked }) }
func (m *simulation) hopeful() bool {
	return m.holds(func(p place) bool { return p.acked || p.running })
}

// replace lets stand-ins act for owners that failed, all of them or as needed.
func (m *simulation) replace(now time.Duration, all bool) {
	for i := range m.places {
		p := &m.places[i]
		if len(m.spare) > 0 && p.failed && !p.last && (all || !m.hopeful()) {
			p.t.Node, m.spare = m.spare[0], m.spare[1:]
			p.failed, p.running, p.ends = false, true, now+m.delay[p.t.Node]
		}
	}
}

func (m *simulation) receipt() (r quorum.Receipt) {
	for _, p := range m.places {
		switch {
		case p.acked && p.t.Node == p.t.Owner:
			r.Acked = append(r.Acked, p.t.Node)
		case p.acked:
			r.Hinted = append(r.Hinted, p.t)
		case p.running:
			r.Pending = append(r.Pending, p.t.Node)
		}
	}
	r.Failed = slices.Clone(m.fails)
	return r
}

func (m *simulation) misses() {
	for i := range m.places {
		if p := &m.places[i]; p.failed && !p.running {
			if _, ok := m.missed[p.t.Owner]; !ok {
				m.missed[p.t.Owner] = p.first
			}
		}
	}
}

// next ends the replica call that ends first.
func (m *simulation) next() (now time.Duration, permanent, ok bool) {
	var p *place
	for i := range m.places {
		if q := &m.places[i]; q.running && (p == nil || q.ends < p.ends) {
			p = q
		}
	}
	if p == nil {
		return 0, false, false
	}
	p.running = false
	if err := m.fault[p.t.Node]; err != nil {
		p.failed = true
		if p.first == nil {
			p.first = err
		}
		m.fails = append(m.fails, quorum.NodeError{Node: p.t.Node, Err: err})
		permanent = err != errBoom
		p.last = permanent
	} else {
		p.acked = true
	}
	return p.ends, permanent, true
}

// start is the state when all that is asked at first has been.
func (s *scenario) start(write bool) *simulation {
	m := &simulation{scenario: s, enough: s.read, missed: map[string]error{}}
	if write {
		m.enough = s.write
	}
	for _, owner := range s.prefs[:s.n] {
		p := place{t: quorum.Target{Node: owner, Owner: owner}, running: true, ends: s.delay[owner]}
		if s.down[owner] {
			p.running, p.failed, p.first = false, true, quorum.ErrDown
			m.fails = append(m.fails, quorum.NodeError{Node: owner, Err: quorum.ErrDown})
		}
		m.places = append(m.places, p)
	}
	for _, node := range s.prefs[s.n:][:s.standIns] {
		if !s.down[node] {
			m.spare = append(m.spare, node)
		}
	}
	m.replace(0, write)
	return m
}

func (s *scenario) simulate(write bool) (x expected) {
	m := s.start(write)
	if !m.hopeful() {
		return expected{err: quorum.ErrUnavailable, receipt: quorum.Receipt{Failed: m.fails}}
	}
	m.misses()
	for decided := false; ; {
		now, permanent, ok := m.next()
		if !ok {
			break
		}
		stopped := x.err == errBoom || permanent && !decided
		if !stopped {
			m.replace(now, write)
		}
		m.misses()
		switch {
		case decided:
			continue
		case stopped:
			x.err = errBoom
		case m.won():
		case !m.hopeful():
			x.err = quorum.ErrNoQuorum
		default:
			continue
		}
		decided, x.at, x.receipt = true, now, m.receipt()
		for _, p := range m.places {
			if p.acked {
				x.targets = append(x.targets, p.t)
			}
		}
		if !write {
			return x
		}
	}
	x.done, x.missed = m.receipt(), m.missed
	return x
}

// simulateOne is a read of one replica: one after the other.
func (s *scenario) simulateOne() (x expected) {
	x.err = quorum.ErrUnavailable
	absent := 0
	for i, node := range s.prefs[:s.n+s.standIns] {
		t := quorum.Target{Node: node, Owner: node}
		switch {
		case i < s.n && s.down[node]:
			x.receipt.Failed = append(x.receipt.Failed, quorum.NodeError{Node: node, Err: quorum.ErrDown})
			continue
		case i >= s.n && (s.down[node] || absent == s.n):
			continue
		case i >= s.n:
			t.Owner = s.prefs[absent]
			absent++
		}
		x.at += s.delay[node]
		if s.fault[node] == nil {
			x.err, x.targets = nil, []quorum.Target{t}
			return x
		}
		x.receipt.Failed = append(x.receipt.Failed, quorum.NodeError{Node: node, Err: s.fault[node]})
		if x.err = quorum.ErrNoQuorum; s.fault[node] != errBoom {
			x.err = errBoom
			return x
		}
	}
	return x
}

// TestAgainstAModel runs random operations and holds that the caller gets the
// answer of the model, at its time, and that all that is to be told is told
// once.
func TestAgainstAModel(t *testing.T) {
	tally := map[string]int{}
	for seed := range uint64(1500) {
		synctest.Test(t, func(t *testing.T) {
			s := drawScenario(rand.New(rand.NewPCG(seed, 11)))
			c := build(t, s.n, 1, 1, s.opts...)
			tally["write "+s.checkWrite(t, c, seed)]++
			tally["read "+s.checkRead(t, c, seed)]++
			check(t, c)
		})
	}
	t.Log(tally)
	require.Len(t, tally, 8, "every outcome of both")
}

func (s *scenario) cluster() *cluster {
	sim := newCluster()
	sim.delay, sim.fault = s.delay, s.fault
	return sim
}

func outcomeOf(t *testing.T, err, want error, seed uint64) string {
	if want == nil {
		require.NoError(t, err, "seed %d", seed)
		return "won"
	}
	require.ErrorIs(t, err, want, "seed %d", seed)
	for _, other := range []error{quorum.ErrUnavailable, quorum.ErrNoQuorum} {
		require.Equal(t, want == other, err.(*quorum.Error).Is(other), "seed %d: %v", seed, err)
	}
	return want.Error()
}

func (s *scenario) checkWrite(t *testing.T, c *quorum.Coordinator, seed uint64) string {
	sim, want := s.cluster(), s.simulate(true)
	start := time.Now()
	receipt, err := quorum.Write(t.Context(), c, s.prefs, sim.writeOp())
	at := time.Since(start)
	require.Equal(t, want.at, at, "seed %d: %s", seed, s.text)
	require.Equal(t, want.receipt, receipt, "seed %d: %s", seed, s.text)
	outcome := outcomeOf(t, err, want.err, seed)
	rest(time.Minute)
	if want.err == quorum.ErrUnavailable {
		require.Empty(t, sim.asked)
		require.Empty(t, sim.missed)
		require.Empty(t, sim.done)
		return outcome
	}
	require.Equal(t, want.missed, sim.missed, "seed %d: %s", seed, s.text)
	require.Equal(t, []quorum.Receipt{want.done}, sim.done, "seed %d: %s", seed, s.text)
	return outcome
}

func (s *scenario) checkRead(t *testing.T, c *quorum.Coordinator, seed uint64) string {
	sim, want := s.cluster(), s.simulate(false)
	if s.one {
		want = s.simulateOne()
	}
	start := time.Now()
	var discarded []string
	res, err := quorum.Read(t.Context(), c, s.prefs, quorum.Op[string]{
		Call: func(ctx context.Context, t quorum.Target) (string, error) {
			_, err := sim.serve(ctx, t)
			return fmt.Sprint(t, " "), err
		},
		Merge:   func(a, b string) string { return a + b },
		Discard: func(v string) { discarded = append(discarded, v) },
	})
	require.Equal(t, want.at, time.Since(start), "seed %d: %s", seed, s.text)
	outcome := outcomeOf(t, err, want.err, seed)
	var targets []quorum.Target
	var values []string
	var merged strings.Builder
	for _, reply := range res.Replies {
		targets = append(targets, reply.Target)
	}
	for _, target := range want.targets {
		values = append(values, fmt.Sprint(target, " "))
		merged.WriteString(fmt.Sprint(target, " "))
	}
	synctest.Wait()
	if want.err != nil {
		e := asError(t, err)
		require.Equal(t, want.receipt.Pending, e.Pending)
		require.Equal(t, want.receipt.Failed, e.Failed)
		require.ElementsMatch(t, values, discarded, "seed %d", seed)
		require.Empty(t, targets)
		return outcome
	}
	require.Equal(t, want.targets, targets, "seed %d: %s", seed, s.text)
	require.Equal(t, merged.String(), res.Value, "folded in the order of the places")
	require.Equal(t, want.receipt.Failed, res.Failed, "seed %d: %s", seed, s.text)
	require.Empty(t, discarded)
	return outcome
}
