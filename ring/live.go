package ring

import "sync/atomic"

// Live is a ring that changes while others read it. Readers Load the current
// ring, which costs one atomic read, and use it for as long as they need one
// consistent view; writers never wait for them. All methods are safe for
// concurrent use.
//
// A change that moves data is published in two steps: make the next ring from
// Load's, stream what [Moves] lists, then CompareAndSwap. Until then, writes
// need the consent of the old owners and the new ones.
//
// The zero Live holds a zero [Ring]. A Live must not be copied.
type Live struct{ ring atomic.Pointer[Ring] }

// NewLive returns a Live that holds r. A nil r stands for a zero [Ring].
func NewLive(r *Ring) *Live {
	l := new(Live)
	l.ring.Store(r)
	return l
}

// noRing is what a zero Live holds.
var noRing = new(Ring)

// Load returns the current ring.
func (l *Live) Load() *Ring {
	if r := l.ring.Load(); r != nil {
		return r
	}
	return noRing
}

// CompareAndSwap makes next the current ring if old is, by its pointer, and tells
// whether it was. A nil next stands for a zero [Ring].
func (l *Live) CompareAndSwap(old, next *Ring) bool {
	if old == noRing {
		old = nil
	}
	return l.ring.CompareAndSwap(old, next)
}

// Add adds nodes to the current ring, as [Ring.Add] does. Changes that others
// make meanwhile are kept: a writer that lost a race tries again.
func (l *Live) Add(nodes ...Node) error {
	return l.change(func(r *Ring) (*Ring, error) { return r.Add(nodes...) })
}

// Remove removes nodes from the current ring, as [Ring.Remove] does.
func (l *Live) Remove(ids ...string) error {
	return l.change(func(r *Ring) (*Ring, error) { return r.Remove(ids...) })
}

// Update updates nodes of the current ring, as [Ring.Update] does.
func (l *Live) Update(nodes ...Node) error {
	return l.change(func(r *Ring) (*Ring, error) { return r.Update(nodes...) })
}

func (l *Live) change(f func(*Ring) (*Ring, error)) error {
	for {
		old := l.Load()
		next, err := f(old)
		if err != nil {
			return err
		}
		if l.CompareAndSwap(old, next) {
			return nil
		}
	}
}
