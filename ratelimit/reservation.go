package ratelimit

import "time"

// Reservation is the promise that events may pass at an instant to come, already
// charged. Use one by waiting for Delay, or Cancel it. It is a value, made without
// an allocation: keep one copy of it. The zero Reservation is not OK.
type Reservation struct {
	clock *clock
	of    *Limiter // or
	key   Key
	act   int64 // the instant
	n     int64 // what Cancel gives back
	era   uint64
	ok    bool
}

// Reserve charges n events now, and says when they may pass: at once, or when they
// are due. It is not OK, and charges nothing, for n below 0 or above the burst, or
// if they would be due in more than some 30 years. A limiter by windows promises
// nothing: it is OK only for what passes now.
func (l *Limiter) Reserve(n int64) Reservation { return l.reserve(l.clock.now(), n, never) }

// ReserveAt is Reserve at the given instant.
func (l *Limiter) ReserveAt(now time.Time, n int64) Reservation {
	return l.reserve(instant(now), n, never)
}

// reserve takes n events now or when they are due, but not after instant last.
func (l *Limiter) reserve(now, n, last int64) Reservation {
	c := l.load()
	for v := c.word.Load(); v != frozen && c.kind == kindBucket; v = c.word.Load() {
		w, act, ok := c.rule.reserve(v, now, n, last)
		if !ok {
			return Reservation{}
		}
		if w == v || c.word.CompareAndSwap(v, w) {
			return Reservation{clock: &l.clock, of: l, act: act, n: n, era: c.era, ok: true}
		}
	}
	a := l.serve(request{want: wantTurn, now: now, n: n, last: last})
	if !a.ok {
		return Reservation{}
	}
	return Reservation{clock: &l.clock, of: l, act: a.act, n: n, era: a.era, ok: true}
}

// OK reports whether the events may pass after the delay.
func (r Reservation) OK() bool { return r.ok }

// Delay returns how long to wait from now before the events may pass: 0 if they
// may at once, InfDuration if the reservation is not OK.
func (r Reservation) Delay() time.Duration {
	if !r.ok {
		return InfDuration
	}
	return r.delay(r.clock.now())
}

// DelayFrom is Delay from the given instant on.
func (r Reservation) DelayFrom(now time.Time) time.Duration {
	if !r.ok {
		return InfDuration
	}
	return r.delay(instant(now))
}

func (r *Reservation) delay(now int64) time.Duration { return time.Duration(max(0, r.act-now)) }

// Cancel gives back what was reserved, as far as nobody who reserved later waits
// for it, unless the events might have passed already. Only the first call does
// anything. After a SetLimit that slows the limiter down it gives back less.
func (r *Reservation) Cancel() {
	if r.ok {
		r.cancel(r.clock.now())
	}
}

// CancelAt is Cancel at the given instant.
func (r *Reservation) CancelAt(now time.Time) {
	if r.ok {
		r.cancel(instant(now))
	}
}

func (r *Reservation) cancel(now int64) {
	n := r.n
	r.n = 0
	if n == 0 || r.act < now {
		return
	}
	if r.of == nil {
		r.key.cancel(r.act, n, r.era)
		return
	}
	for {
		c := r.of.load()
		if c.era != r.era {
			return
		}
		if c.kind == kindWide && c.refundWide(r.act, n) {
			return
		}
		for v := c.word.Load(); v != frozen && c.kind != kindWide; v = c.word.Load() {
			if w := c.refund(v, r.act, n); w == v || c.word.CompareAndSwap(v, w) {
				return
			}
		}
		r.of.settle()
	}
}
