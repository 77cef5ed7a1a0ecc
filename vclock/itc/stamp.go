package itc

import (
	"errors"
	"fmt"

	"github.com/distkit/distkit/vclock"
)

// ErrCorrupt says that bytes are not the canonical encoding of a stamp. It is
// one value for all packages of distkit.
var ErrCorrupt = vclock.ErrCorrupt

// ErrOverlap says that two stamps own the same part of the id: one of them was
// copied, or comes from another Seed. Their events cannot be told apart.
var ErrOverlap = errors.New("itc: stamps own the same part of the id")

// Stamp is an interval tree clock: a part of the id, which no other live stamp
// owns, and the events that it has seen.
//
// A Stamp is an immutable value: == is equality, it can be a map key, and any
// number of goroutines may use it at once. But it stands for an actor: once a
// method has returned its successors, nobody may use the stamp before for
// anything but Compare and Peek. The zero Stamp is anonymous and has seen
// nothing: it can be compared, joined and encoded, but not record events.
//
// Operations take time in proportion to the number of actors whose events can be
// told apart, and allocate at most the parts of the result. See Almeida, Baquero
// and Fonte, "Interval tree clocks: a logical clock for dynamic systems", 2008.
type Stamp struct {
	id    string // see id.go
	event string // see event.go
}

// Seed returns the first stamp of a system. It owns the whole id; all others
// come from it by Fork.
func Seed() Stamp { return Stamp{id: whole} }

// Anonymous reports whether the stamp owns no part of the id, so that it cannot
// record events.
func (s Stamp) Anonymous() bool { return s.id == "" }

// Event returns the stamp after one more event of its actor. It is after all
// stamps that s has seen, and no other stamp has seen it. An anonymous stamp
// panics: the event would be lost.
func (s Stamp) Event() Stamp {
	if s.id == "" {
		panic("itc: an anonymous stamp cannot record an event; take one from Seed or Fork")
	}
	return Stamp{s.id, happen(s.id, s.event)}
}

// Fork divides the stamp in two that have seen the same: the actor goes on with
// one, and the other is for a new actor. Each Fork of one and the same actor
// halves its part; after 64 halvings nothing is left to divide, and the second
// stamp is anonymous. Stamps of actors that leave should be joined to those that
// stay: that makes parts larger and stamps smaller.
func (s Stamp) Fork() (Stamp, Stamp) {
	mine, theirs := divide(s.id)
	return Stamp{mine, s.event}, Stamp{theirs, s.event}
}

// Join returns the stamp that has seen all that both have seen and owns what
// both own. To hand over what a message has seen without its sender's part of
// the id, join the message's Peek. Stamps that own the same part are refused
// with [ErrOverlap].
func (s Stamp) Join(o Stamp) (Stamp, error) {
	id, err := sum(s.id, o.id)
	if err != nil {
		return Stamp{}, fmt.Errorf("%w: %v and %v", err, idString(s.id), idString(o.id))
	}
	return Stamp{id, join(s.event, o.event)}, nil
}

// Peek returns an anonymous stamp that has seen the same: what a message carries.
func (s Stamp) Peek() Stamp { return Stamp{event: s.event} }

// Compare says how what s has seen stands to what o has seen. Who owns which
// part of the id does not matter. It allocates nothing.
func (s Stamp) Compare(o Stamp) vclock.Ordering {
	switch less, more := relate(s.event, o.event); {
	case less && more:
		return vclock.Concurrent
	case less:
		return vclock.Before
	case more:
		return vclock.After
	}
	return vclock.Equal
}

// String returns the stamp in the notation of the paper: the id and the events,
// each a number or a pair of halves, those of events with what both halves have
// in common: ((1, 0), (2, 1, 0)).
func (s Stamp) String() string { return "(" + idString(s.id) + ", " + eventString(s.event) + ")" }
