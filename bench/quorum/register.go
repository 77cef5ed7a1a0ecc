package quorum

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/anishathalye/porcupine"
	"github.com/distkit/distkit/bench/bar"
	"github.com/distkit/distkit/quorum"
	"github.com/distkit/distkit/vclock/hlc"
)

// version is a value with what orders all writes: the stamp of its writer's
// clock, and the writer.
type version struct {
	at     hlc.Timestamp
	writer int
	value  int
}

func newer(a, b version) version {
	if b.at > a.at || b.at == a.at && b.writer > a.writer {
		return b
	}
	return a
}

// lab is one register on replicas, in fake time. Every message has its fate
// from the seed, so that a run can be repeated.
type lab struct {
	seed    uint64
	begun   time.Time
	over    chan struct{}
	mu      sync.Mutex
	cells   map[quorum.Target]version
	history []porcupine.Operation
	done    sync.WaitGroup
	clients []*client
}

// stage is how a client reads and writes for a while.
type stage struct {
	read, write *quorum.Coordinator // write: the one that looks for the last version, without repair
	prefs       []string
}

// newStage is a stage of a coordinator whose reads repair, or do not.
func newStage(c *quorum.Coordinator, prefs ...string) stage {
	return stage{c, check(c.With(quorum.WithRepair(quorum.RepairNone))), prefs}
}

const (
	clients   = 4
	labTime   = 500 * time.Millisecond
	timeout   = 15 * time.Millisecond
	lossRate  = 0.03
	ackLoss   = 0.05
	slowRate  = 0.05
	slowBy    = 25 * time.Millisecond
	downShare = 0.15
	downTime  = 40 * time.Millisecond
)

var errLost = errors.New("no answer")

// fate is the randomness of one message.
func (l *lab) fate(id uint64, node string) *rand.Rand {
	h := uint64(14695981039346656037) // FNV-1a
	for _, b := range []byte(node) {
		h = (h ^ uint64(b)) * 1099511628211
	}
	return rand.New(rand.NewPCG(l.seed, h^id*0x9E3779B97F4A7C15))
}

// down reports whether the node is in one of its crashes: it keeps what it has
// and answers nobody.
func (l *lab) down(node string) bool {
	return l.fate(uint64(time.Since(l.begun)/downTime), node+" crash").Float64() < downShare
}

// deliver sends a request that does something at a node, and its ack back. Both
// take their time, whoever still waits for them.
func (l *lab) deliver(id uint64, t quorum.Target, act func(*version)) error {
	rng := l.fate(id, t.Node)
	travel := func() {
		d := time.Duration(rng.ExpFloat64() * float64(time.Millisecond))
		if rng.Float64() < slowRate {
			d += slowBy
		}
		time.Sleep(d)
	}
	travel()
	if l.down(t.Node) || rng.Float64() < lossRate {
		time.Sleep(timeout)
		return errLost
	}
	l.mu.Lock()
	cell := l.cells[t]
	act(&cell)
	l.cells[t] = cell
	l.mu.Unlock()
	travel()
	if rng.Float64() < ackLoss {
		time.Sleep(timeout)
		return errLost
	}
	return nil
}

func (l *lab) get(id uint64) func(context.Context, quorum.Target) (version, error) {
	return func(_ context.Context, t quorum.Target) (v version, err error) {
		err = l.deliver(id, t, func(cell *version) { v = *cell })
		return v, err
	}
}

func (l *lab) put(id uint64, t quorum.Target, v version) error {
	return l.deliver(id, t, func(cell *version) { *cell = newer(*cell, v) })
}

// client does one operation after the other.
type client struct {
	lab   *lab
	id    int
	clock *hlc.Clock // skewed
	rng   *rand.Rand
	stage chan stage // holds the stage when no operation runs
	ops   int
}

// input is an operation on the register.
type input struct {
	write bool
	value int
}

func (c *client) run() {
	for {
		select {
		case <-c.lab.over:
			return
		case <-time.After(time.Duration(c.rng.Int64N(int64(2 * time.Millisecond)))):
		}
		s := <-c.stage
		c.ops++
		id := uint64(c.id)<<40 | uint64(c.ops)<<8
		call := time.Now()
		if c.rng.IntN(2) == 0 {
			if v, err := c.read(s, id); err == nil {
				c.record(call, input{}, v.value, time.Now())
			}
		} else {
			value := c.id*1000 + c.ops
			sent, err := c.write(s, id, value)
			switch {
			case err == nil:
				c.record(call, input{true, value}, 0, time.Now())
			case sent: // it may take effect at any time, or never
				c.record(call, input{true, value}, 0, time.Time{})
			}
		}
		c.stage <- s
	}
}

func (c *client) read(s stage, id uint64) (version, error) {
	res, err := quorum.Read(context.Background(), s.read, s.prefs, quorum.Op[version]{
		Call:   c.lab.get(id),
		Merge:  newer,
		Same:   func(a, b version) bool { return a == b },
		Repair: func(_ context.Context, t quorum.Target, v version) error { return c.lab.put(id|1, t, v) },
	})
	return res.Value, err
}

// write finds the last version and writes the next.
func (c *client) write(s stage, id uint64, value int) (sent bool, err error) {
	res, err := quorum.Read(context.Background(), s.write, s.prefs, quorum.Op[version]{Call: c.lab.get(id | 2), Merge: newer})
	if err != nil {
		return false, err
	}
	v := version{check(c.clock.Observe(res.Value.at)), c.id, value}
	_, err = quorum.Write(context.Background(), s.write, s.prefs, quorum.WriteOp{
		Call: func(_ context.Context, t quorum.Target) error { return c.lab.put(id|3, t, v) },
	})
	e, ok := errors.AsType[*quorum.Error](err)
	return ok && e.Indeterminate(), err
}

func (c *client) record(call time.Time, in input, out int, end time.Time) {
	op := porcupine.Operation{ClientId: c.id, Input: in, Call: int64(call.Sub(c.lab.begun)), Output: out, Return: math.MaxInt64}
	if !end.IsZero() {
		op.Return = int64(end.Sub(c.lab.begun))
	}
	c.lab.mu.Lock()
	defer c.lab.mu.Unlock()
	c.lab.history = append(c.lab.history, op)
}

// register runs a lab whose clients use what system makes for each of them;
// change, if there is one, runs beside them. It returns the history.
func register(seed uint64, system func() func(client int) stage, change func(*lab)) []porcupine.Operation {
	l := &lab{seed: seed}
	inFakeTime(func() {
		l.begun, l.over = time.Now(), make(chan struct{})
		l.cells = make(map[quorum.Target]version)
		first := system()
		for i := range clients {
			skew := time.Duration(i) * 3 * time.Millisecond
			clock := check(hlc.New(hlc.WithSource(func() time.Time { return time.Now().Add(skew) }), hlc.WithMaxDrift(time.Minute)))
			c := &client{lab: l, id: i + 1, clock: clock, rng: rand.New(rand.NewPCG(seed, uint64(i))), stage: make(chan stage, 1)}
			c.stage <- first(i)
			l.clients = append(l.clients, c)
			l.done.Go(c.run)
		}
		if change != nil {
			change(l)
		}
		time.Sleep(time.Until(l.begun.Add(labTime)))
		close(l.over)
		l.done.Wait()
		for _, c := range l.clients {
			if err := (<-c.stage).read.Close(context.Background()); err != nil {
				panic(err)
			}
		}
	})
	return l.history
}

// linearizable asks porcupine whether one register could have answered so.
func linearizable(history []porcupine.Operation) bool {
	return porcupine.CheckOperations(porcupine.Model{
		Init: func() any { return 0 },
		Step: func(state, in, out any) (bool, any) {
			if in := in.(input); in.write {
				return true, in.value
			}
			return out == state, state
		},
	}, history)
}

// turned returns the three replicas, beginning with another for each client.
func turned(client int) []string {
	abc := []string{"a", "b", "c"}
	return slices.Concat(abc[client%3:], abc[:client%3])
}

// counts is a register on three replicas. With r = w = 2 and RepairBlocking it
// is the one of Attiya, Bar-Noy and Dolev.
func counts(r, w int, opts ...quorum.Option) func() func(int) stage {
	return func() func(int) stage {
		c := check(quorum.New(3, r, w, opts...))
		return func(client int) stage { return newStage(c, turned(client)...) }
	}
}

const seeds = 24

// legal counts the seeds whose histories are linearizable.
func legal(system func() func(int) stage) (n int) {
	for seed := range uint64(seeds) {
		if linearizable(register(seed, system, nil)) {
			n++
		}
	}
	return n
}

func registerFigures() []bar.Figure {
	return []bar.Figure{
		{Name: "Linearizable histories of 24, R = W = 2 and RepairBlocking", Limit: seeds, AtLeast: true, Measure: func() float64 {
			return float64(legal(counts(2, 2, quorum.WithRepair(quorum.RepairBlocking))))
		}},
		{Name: "Illegal histories of 24, R = W = 1", Limit: 1, AtLeast: true, Measure: func() float64 {
			return float64(seeds - legal(counts(1, 1)))
		}},
	}
}
