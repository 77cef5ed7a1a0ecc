package gossip

import (
	"fmt"
	"iter"
	"time"
)

// State is what a table knows of a node, in two halves that never touch: what
// was decided about it, and whether it lives.
type State struct {
	Admin
	Live        Liveness
	Incarnation uint64  // of its process: milliseconds since 1970 when it began
	Heartbeat   uint64  // counts its ticks
	Phi         float64 // how unlikely its silence is, 10^-Phi
	Observers   int     // members that suspect it
}

// Admin is the administrative half: it changes only by Join and Leave, and it
// alone builds the ring. A crash does not change it.
type Admin struct {
	Status     Status
	Weight     float64
	Zone       string
	Generation uint64 // counts the decisions; the highest holds
}

// Status is whether a node belongs to the cluster.
type Status uint8

// The statuses.
const (
	Unknown Status = iota // nobody has decided
	Member                // by Join
	Left                  // by Leave
)

// String returns "unknown", "member" or "left".
func (s Status) String() string {
	switch s {
	case Unknown:
		return "unknown"
	case Member:
		return "member"
	case Left:
		return "left"
	}
	return fmt.Sprintf("Status(%d)", uint8(s))
}

// Liveness is whether a node seems to live.
type Liveness uint8

// The livenesses.
const (
	Unheard Liveness = iota // since this process began
	Alive
	Suspect // by one observer, or not yet long enough
	Down    // by enough observers
)

// String returns "unheard", "alive", "suspect" or "down".
func (l Liveness) String() string {
	switch l {
	case Unheard:
		return "unheard"
	case Alive:
		return "alive"
	case Suspect:
		return "suspect"
	case Down:
		return "down"
	}
	return fmt.Sprintf("Liveness(%d)", uint8(l))
}

// State is StateAt the time of time.Now.
func (t *Table) State(node string) State { return t.StateAt(time.Now(), node) }

// StateAt returns what is known of a node, the zero State for one that is not.
// Live is as of the last tick or message, Phi as of now.
func (t *Table) StateAt(now time.Time, node string) State {
	t.mu.Lock()
	defer t.mu.Unlock()
	n := t.nodes[node]
	if n == nil {
		return State{}
	}
	s := t.state(n)
	if node != t.self && n.watched() {
		s.Phi = n.detector.phi(now, &t.config)
	}
	return s
}

func (t *Table) state(n *node) State {
	return State{
		Admin: n.admin, Live: n.live, Incarnation: n.version.incarnation, Heartbeat: n.version.heartbeat,
		Observers: t.observers(n),
	}
}

// Members iterates over the members of the cluster by name, as they were at the
// last tick or message; Phi is as of the last tick. It is what to build a ring
// from: those that are down are among them.
func (t *Table) Members() iter.Seq2[string, State] {
	return func(yield func(string, State) bool) {
		t.mu.Lock()
		names := t.names()
		states := make([]State, 0, len(names))
		members := names[:0]
		for _, name := range names {
			if n := t.nodes[name]; n.admin.Status == Member {
				s := t.state(n)
				if name != t.self && n.watched() {
					s.Phi = n.detector.phi(t.ticked, &t.config)
				}
				members, states = append(members, name), append(states, s)
			}
		}
		t.mu.Unlock()
		for i, name := range members {
			if !yield(name, states[i]) {
				return
			}
		}
	}
}

// Up reports that a node is not down: what quorum.WithHealth takes. A node that
// nobody knows is up. It takes no lock.
func (t *Table) Up(node string) bool {
	down := t.down.Load()
	if down == nil {
		return true
	}
	_, is := (*down)[node]
	return !is
}

// Stats counts the members, and what became of entries of messages.
type Stats struct {
	Members, Alive, Suspect, Down int
	Applied                       uint64 // entries that told something new
	Stale                         uint64 // entries that did not
	Refused                       uint64 // from the future, or beyond WithMaxNodes
}

// Stats returns the counts so far.
func (t *Table) Stats() Stats {
	t.mu.Lock()
	defer t.mu.Unlock()
	s := t.stats
	for _, n := range t.nodes {
		if n.admin.Status != Member {
			continue
		}
		s.Members++
		switch n.live {
		case Alive:
			s.Alive++
		case Suspect:
			s.Suspect++
		case Down:
			s.Down++
		}
	}
	return s
}
