package ratelimit

import (
	"context"
	"time"
)

// Key is one key of a [Keyed] as if it were a [Limiter]: the same methods, with the
// same answers. It is a value, made without a look-up, and good as long as its
// Keyed; it takes no place in it before something is charged. Of a Key of several
// limits, Reserve is OK only for what passes now, and Wait tries again, as those
// of windows.
type Key struct {
	of *Keyed
	h  uint64
}

// Key returns key as a Limiter.
func (k *Keyed) Key(key []byte) Key {
	if k.table.Load() == nil {
		return Key{of: k}
	}
	return Key{k, k.hash.bytes(key)}
}

// KeyString is Key for a string.
func (k *Keyed) KeyString(key string) Key {
	if k.table.Load() == nil {
		return Key{of: k}
	}
	return Key{k, k.hash.string(key)}
}

// KeyHash is Key for the key that h identifies, see AllowHash.
func (k *Keyed) KeyHash(h uint64) Key { return Key{k, k.hash.hash(h)} }

// keyed returns the Keyed, or panics for a zero Key.
func (k Key) keyed() *Keyed {
	if k.of == nil {
		panic("ratelimit: a zero Key is of no Keyed; make one with NewKeyed, and get keys from it")
	}
	return k.of
}

// Allow reports whether one event may pass now, and charges it if so.
func (k Key) Allow() bool { return k.AllowN(1) }

// AllowN reports whether n events may pass now, all or none, and charges them if
// so.
func (k Key) AllowN(n int64) bool { return k.keyed().allow(k.h, k.of.clock.now(), n) }

// AllowAt is AllowN at the given instant.
func (k Key) AllowAt(now time.Time, n int64) bool { return k.keyed().allow(k.h, instant(now), n) }

// Take is AllowN with an answer that has figures.
func (k Key) Take(n int64) Result {
	return k.keyed().serve(k.h, request{now: k.of.clock.now(), n: n}).Result
}

// TakeAt is Take at the given instant.
func (k Key) TakeAt(now time.Time, n int64) Result {
	return k.keyed().serve(k.h, request{now: instant(now), n: n}).Result
}

// TakeUpTo charges as many of n events as may pass now, see Limiter's.
func (k Key) TakeUpTo(n int64) (granted int64, r Result) {
	return k.takeUpTo(k.keyed().clock.now(), n)
}

// TakeUpToAt is TakeUpTo at the given instant.
func (k Key) TakeUpToAt(now time.Time, n int64) (granted int64, r Result) {
	return k.takeUpTo(instant(now), n)
}

func (k Key) takeUpTo(now, n int64) (granted int64, r Result) {
	a := k.keyed().serve(k.h, request{want: wantUpTo, now: now, n: n})
	return a.granted, a.Result
}

// Peek returns the state and charges nothing, see Limiter's. A key of a zero Keyed
// allows nothing.
func (k Key) Peek() Result {
	if k.of == nil || k.of.table.Load() == nil {
		return Result{}
	}
	return k.peek(k.of.clock.now())
}

// PeekAt is Peek at the given instant.
func (k Key) PeekAt(now time.Time) Result {
	if k.of == nil || k.of.table.Load() == nil {
		return Result{}
	}
	return k.peek(instant(now))
}

func (k Key) peek(now int64) Result {
	return k.of.serve(k.h, request{want: wantNothing, now: now}).Result
}

// Reserve charges n events now, and says when they may pass, see Limiter's. It is
// not OK for a new key that WithFull refuses.
func (k Key) Reserve(n int64) Reservation {
	return k.reserve(request{want: wantTurn, now: k.keyed().clock.now(), n: n, last: never})
}

// ReserveAt is Reserve at the given instant.
func (k Key) ReserveAt(now time.Time, n int64) Reservation {
	return k.reserve(request{want: wantTurn, now: instant(now), n: n, last: never})
}

func (k Key) reserve(q request) Reservation {
	era := k.keyed().resets.Load()
	return k.reservation(k.of.serve(k.h, q), q, era)
}

func (k Key) reservation(a answer, q request, era uint64) Reservation {
	return Reservation{clock: &k.of.clock, key: k, act: a.act, n: q.n, era: era, ok: a.ok}
}

// Wait is WaitN for one event.
func (k Key) Wait(ctx context.Context) error { return k.WaitN(ctx, 1) }

// WaitN waits until n events may pass and charges them, see Limiter's. A new key
// that WithFull refuses tries again until there is a place for it.
func (k Key) WaitN(ctx context.Context, n int64) error {
	t := k.keyed().load()
	most := t.rules[0].most
	for _, r := range t.rules {
		most = min(most, r.most)
	}
	if err := checkWait(ctx, n, most); err != nil {
		return err
	}
	if len(t.rules) > 1 || k.of.alg != TokenBucket {
		return waitRetrying(ctx, n, k.Take)
	}
	for {
		now, era := k.of.clock.now(), k.of.resets.Load()
		q := request{want: wantTurn, now: now, n: n, last: deadline(ctx, now)}
		a := k.of.serve(k.h, q)
		switch {
		case a.ok:
			r := k.reservation(a, q, era)
			return waitFor(ctx, &r, now)
		case !a.full, q.last-now < int64(a.RetryAfter):
			return tooLong(ctx)
		}
		if err := sleep(ctx, a.RetryAfter); err != nil {
			return err
		}
	}
}

// Reset forgives the key its debt, see Keyed's Reset.
func (k Key) Reset() {
	k.keyed().resets.Add(1)
	k.of.lower(k.h, func(*rule, int64) int64 { return fresh })
}

// cancel gives back n events that were reserved for instant act.
func (k Key) cancel(act, n int64, era uint64) {
	k.of.lower(k.h, func(r *rule, v int64) int64 {
		if k.of.resets.Load() != era {
			return v
		}
		return r.refund(v, act, n)
	})
}

// lower sets the words of h, if it is in the table, to smaller ones. See table for
// what refunded is for.
func (k *Keyed) lower(h uint64, to func(r *rule, v int64) int64) {
	for {
		t := k.load()
		stripe := k.lock(t, h)
		if k.table.Load() == t {
			if at := t.find(h); at >= 0 {
				t.lower(at, to)
			}
			stripe.Unlock()
			return
		}
		stripe.Unlock()
	}
}

func (t *table) lower(at int, to func(r *rule, v int64) int64) {
	refunded := &t.refunded[t.part(at)]
	for i := range t.rules {
		for word := &t.cells[at+1+i]; ; {
			v := word.Load()
			w := to(&t.rules[i], v)
			if i == 0 && w < v {
				*refunded = max(*refunded, v)
			}
			if word.CompareAndSwap(v, w) {
				break
			}
		}
	}
	t.earliest.Store(0)
}
