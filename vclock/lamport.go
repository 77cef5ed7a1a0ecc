package vclock

import (
	"fmt"
	"math"
	"sync/atomic"
)

// maxJump bounds how far one message may advance a Lamport clock: about a
// trillion events, which leaves room for sixteen million such messages.
const maxJump = 1 << 40

// Lamport is a Lamport clock: if one event saw another, its time is larger. The
// reverse does not hold: of two times, the smaller may belong to an event that
// nobody had seen. With the id of the host as the tie-break, times are a total
// order of all events.
//
// The zero Lamport stands at 0 and is ready for use. It may be used by any
// number of goroutines at once and must not be copied. No method blocks or
// allocates. See Lamport, "Time, clocks, and the ordering of events in a
// distributed system", 1978.
type Lamport struct{ last atomic.Uint64 }

// Tick advances the clock for an event of this host, or a message to be sent,
// and returns the event's time: at least 1, and larger than every time that the
// clock has returned or observed.
func (l *Lamport) Tick() uint64 { return l.last.Add(1) }

// Observe advances the clock past the time t of a message that has arrived, and
// returns the time of its arrival: max(last, t) + 1. A time that is more than
// 2^40 ahead is refused with [ErrDrift], 0 and no change: a clock that followed
// it could be driven to its end by a handful of messages, and would then start
// again from 0.
func (l *Lamport) Observe(t uint64) (uint64, error) {
	for {
		last := l.last.Load()
		if t > last && t-last > maxJump || max(t, last) == math.MaxUint64 {
			return 0, fmt.Errorf("%w: time is %d, want at most 2^40 past %d", ErrDrift, t, last)
		}
		if next := max(t, last) + 1; l.last.CompareAndSwap(last, next) {
			return next, nil
		}
	}
}

// Last returns the time of the last event without advancing the clock, 0 if
// there was none.
func (l *Lamport) Last() uint64 { return l.last.Load() }
