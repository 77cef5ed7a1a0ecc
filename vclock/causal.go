package vclock

import (
	"errors"
	"fmt"
	"sync"
)

// Causal delivers broadcast messages in causal order: nobody gets an answer
// before the question. It is one member's end of a group whose transport may
// lose nothing for ever but may delay, reorder and repeat. Concurrent messages
// come in any order, which may differ from member to member.
//
// A member calls Send for a stamp, broadcasts message and stamp, and treats its
// own message as delivered. What arrives goes to Receive, which returns what may
// be delivered now: nothing, the message, or the message and some that waited
// for it. A stamp counts the messages of each member that came before, so a
// message waits for the missing one that its stamp names.
//
// It may be used by any number of goroutines at once; who must apply messages in
// order calls Receive from one, or under a lock of its own. Make it with
// NewCausal; a zero Causal is empty and may not send or receive. See Birman,
// Schiper and Stephenson, "Lightweight causal and atomic group multicast", 1991.
type Causal[M any] struct {
	id    string
	limit int

	mu      sync.Mutex
	clock   Clock                // messages delivered, of each member
	waiting map[Dot][]message[M] // by a message that has not been delivered
	held    map[Dot]bool         // the messages in waiting
}

// message is one that waits. Its dot is (from, stamp.Get(from)).
type message[M any] struct {
	dot   Dot
	stamp Clock
	m     M
}

// NewCausal returns the end of the member id, which must not be empty or longer
// than 1024 bytes and must be its own; see [NewActor]. Up to maxPending messages,
// at least 1, are kept until those before them arrive.
func NewCausal[M any](id string, maxPending int) (*Causal[M], error) {
	switch {
	case id == "":
		return nil, errors.New("vclock: id is empty, want a name")
	case len(id) > maxID:
		return nil, fmt.Errorf("vclock: id %s has %d bytes, want at most %d", brief(id), len(id), maxID)
	case maxPending < 1:
		return nil, fmt.Errorf("vclock: number of messages that may wait is %d, want at least 1", maxPending)
	}
	return &Causal[M]{id: id, limit: maxPending, waiting: make(map[Dot][]message[M]), held: make(map[Dot]bool)}, nil
}

// Send returns the stamp of a new message of this member.
func (c *Causal[M]) Send() Clock {
	c.mustBeMade()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.clock = c.clock.Tick(c.id)
	return c.clock
}

// Receive takes the message m with its stamp from the member from, and returns
// the messages that may be delivered now, in their order. Messages that were
// delivered or wait already are dropped in silence.
//
// A message that would have to wait when maxPending others do is refused with
// [ErrFull] and must come again; one that need not wait is always taken. So a
// gap in the messages of a member holds up those that have seen what is missing,
// and no others. A stamp without its own message, or with messages that this
// member has never sent, is refused.
//
// It takes time in proportion to the number of members, for the message and for
// each that it releases, however many wait.
func (c *Causal[M]) Receive(from string, stamp Clock, m M) ([]M, error) {
	c.mustBeMade()
	c.mu.Lock()
	defer c.mu.Unlock()
	dot := Dot{from, stamp.Get(from)}
	if dot.N == 0 {
		return nil, fmt.Errorf("vclock: stamp %v does not count the message of %s", stamp, brief(from))
	}
	if sent, mine := stamp.Get(c.id), c.clock.Get(c.id); sent > mine {
		return nil, fmt.Errorf("vclock: stamp counts %d messages of %s, which has sent %d", sent, brief(c.id), mine)
	}
	if c.clock.Contains(dot) || len(c.held) > 0 && c.held[dot] {
		return nil, nil
	}
	missing, waits := c.missing(from, stamp)
	if !waits {
		return c.deliver(dot, m), nil
	}
	if len(c.held) >= c.limit {
		return nil, fmt.Errorf("%w: message %d of %s would have to wait as %d do", ErrFull, dot.N, brief(from), c.limit)
	}
	c.held[dot] = true
	c.waiting[missing] = append(c.waiting[missing], message[M]{dot, stamp, m})
	return nil, nil
}

// missing returns a message that must be delivered before one with the stamp.
func (c *Causal[M]) missing(from string, stamp Clock) (Dot, bool) {
	a, b := stamp.enc, c.clock.enc
	for i, j := 0, 0; i < len(a); {
		start := i
		var theirs, ours uint64
		if j < len(b) {
			theirs, ours, i, j = step(a, b, i, j)
		} else {
			_, theirs, i = entryAt(a, i)
		}
		if theirs <= ours {
			continue
		}
		switch id, _, _ := entryAt(a, start); {
		case id != from:
			return Dot{id, theirs}, true
		case theirs > ours+1:
			return Dot{id, theirs - 1}, true
		}
	}
	return Dot{}, false
}

// deliver counts a message as delivered, and whatever waited for it and for
// nothing else.
func (c *Causal[M]) deliver(dot Dot, m M) []M {
	c.clock = c.clock.Tick(dot.ID)
	if len(c.waiting) == 0 {
		return []M{m}
	}
	out, done := []M{m}, []Dot{dot}
	for len(done) > 0 {
		woken := c.waiting[done[0]]
		delete(c.waiting, done[0])
		done = done[1:]
		for _, w := range woken {
			if missing, waits := c.missing(w.dot.ID, w.stamp); waits {
				c.waiting[missing] = append(c.waiting[missing], w)
				continue
			}
			delete(c.held, w.dot)
			c.clock = c.clock.Tick(w.dot.ID)
			out, done = append(out, w.m), append(done, w.dot)
		}
	}
	return out
}

// Clock returns the number of messages delivered, of each member.
func (c *Causal[M]) Clock() Clock {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.clock
}

// Len returns the number of messages that wait.
func (c *Causal[M]) Len() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.held)
}

func (c *Causal[M]) mustBeMade() {
	if c.id == "" {
		panic("vclock: the zero Causal has no id; make one with NewCausal")
	}
}
