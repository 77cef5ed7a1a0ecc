package quorum

import (
	"errors"
	"fmt"
	"runtime/debug"
	"time"
)

// launch begins the operation: it decides what to contact, and refuses if that
// cannot be enough. No lock is needed before the first goroutine. It returns the
// owners that are down and get no stand-in, which the caller reports: a function of
// its own may panic, and must not on a goroutine of ours.
func (f *call) launch() (absent uint64, err error) {
	f.start = now()
	for rest := f.urgent & f.idle; rest != 0; rest &= rest - 1 {
		f.send(lowest(rest))
	}
	f.topUp()
	if !f.hopeful() {
		f.running = 0 // none was sent
		return 0, f.fail(ErrUnavailable, nil)
	}
	absent = f.overdue()
	f.wake = make(chan struct{}, 1)
	f.refs = 1
	if !f.limit.IsZero() {
		f.timer = time.AfterFunc(f.c.straggler, f.expire)
	}
	f.begin(f.running)
	return absent, nil
}

// begin starts a goroutine for every place of set, which send marked.
func (f *call) begin(set uint64) {
	f.refs += popcount(set)
	f.c.shared.calls.Add(uint64(popcount(set)))
	for ; set != 0; set &= set - 1 {
		go f.run(lowest(set))
	}
}

// send marks the place as running. The caller must start it.
func (f *call) send(i int) {
	f.idle &^= 1 << i
	f.failed &^= 1 << i
	f.running |= 1 << i
	f.slots[i].sent = f.start
}

// topUp marks further replicas as running while what runs cannot be enough, or
// as long as an owner is without, and returns them: idle owners in order, then
// stand-ins for owners that failed.
func (f *call) topUp() (started uint64) {
	for f.every || !f.hopeful() {
		i := f.next()
		if i < 0 {
			break
		}
		started |= 1 << i
	}
	return started
}

func (f *call) next() int {
	for _, place := range f.order {
		if i := int(place); f.idle>>i&1 == 1 {
			f.send(i)
			return i
		}
	}
	if len(f.spare) == 0 {
		return -1
	}
	for _, place := range f.order {
		if i := int(place); f.failed>>i&1 == 1 && f.final>>i&1 == 0 {
			f.slots[i].target.Node = f.spare[0]
			f.stood |= 1 << i
			f.spare = f.spare[1:]
			f.send(i)
			return i
		}
	}
	return -1
}

// run makes the replica calls of one goroutine: its own, and those that the
// end of one makes necessary.
func (f *call) run(i int) {
	for i >= 0 {
		i = f.step(i)
	}
}

// step makes one replica call and returns the place to call next. A call that
// panics or ends its goroutine is a replica that failed, no more.
func (f *call) step(i int) (next int) {
	var err error
	returned := false
	defer func() {
		p := recover()
		switch {
		case p != nil:
			err = fmt.Errorf("quorum: call panicked: %v\n%s", p, debug.Stack())
		case !returned:
			err = errExit
		}
		next = f.settle(i, err)
		if err == errExit && next >= 0 {
			go f.run(next)
		}
	}()
	err = f.work.ask(f, i, f.slots[i].target)
	returned = true
	return -1
}

var errExit = errors.New("quorum: call ended its goroutine")

// settle takes the end of a replica call into account. It returns the place
// that the goroutine must call next, or -1.
func (f *call) settle(i int, err error) (next int) {
	s := &f.slots[i]
	latency := s.sent.since()
	if observe := f.c.observer; observe != nil {
		f.mu.Lock()
		hedged, background := f.hedged>>i&1 == 1, f.returned
		f.mu.Unlock()
		observe(Event{Op: f.op, Target: s.target, Latency: latency, Hedged: hedged, Background: background, Err: err})
	}
	if err == nil {
		f.c.shared.answered(f.op, latency)
	}
	if f.ranked {
		f.heard(s.target.Node, latency, err)
	}
	f.mu.Lock()
	s.took = latency
	late := f.state != pending
	f.running &^= 1 << i
	if err == nil {
		f.acks |= 1 << i
		if f.stood>>i&1 == 0 {
			f.own |= 1 << i
		}
		if f.first < 0 {
			f.first = i
		}
	} else {
		f.fails(i, err)
	}
	next = -1
	if f.signal.err == nil && f.state != stopped && (f.every || f.state == pending) {
		next = f.follow()
	}
	f.decide()
	f.leave(i, next, err == nil && late)
	return next
}

// fails notes the failure of place i.
func (f *call) fails(i int, err error) {
	f.failed |= 1 << i
	f.blame(f.slots[i].target.Node, err)
	if isPermanent(err) {
		f.final |= 1 << i
		if f.state == pending {
			f.state, f.reason, f.decided = stopped, err, f.acks
		}
	}
}

// follow starts what a failure makes necessary and returns one of it for the
// goroutine that is at hand.
func (f *call) follow() int {
	if f.idle == 0 && len(f.spare) == 0 {
		return -1
	}
	more := f.topUp()
	if more == 0 {
		return -1
	}
	next := lowest(more)
	for rest := more; rest != 0; rest &= rest - 1 {
		f.slots[lowest(rest)].sent = now()
	}
	f.c.shared.calls.Add(1)
	f.begin(more &^ (1 << next))
	return next
}
