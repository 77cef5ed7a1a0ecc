package ratelimit

import (
	"errors"
	"math/bits"
	"time"
)

// SetLimit changes the limit while the limiter is used. What a token bucket has
// left it keeps, up to the new burst, and debt stays debt; a window keeps its
// count, up to the new events. A call that waits already keeps the turn that was promised.
// The error wraps [ErrInvalidLimit], and then nothing has changed.
func (l *Limiter) SetLimit(limit Limit) error { return l.setLimit(l.clock.now(), limit) }

// SetLimitAt is SetLimit at the given instant.
func (l *Limiter) SetLimitAt(now time.Time, limit Limit) error {
	return l.setLimit(instant(now), limit)
}

func (l *Limiter) setLimit(now int64, limit Limit) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	old := l.load()
	r, err := newRule(limit, l.alg, l.align)
	if err != nil {
		return err
	}
	was, v := old.freeze()
	word := r.convert(&was, v, now)
	l.install(*r, word, old.era)
	return nil
}

// SetLimit changes the limit while the Keyed is used, for all keys. One in debt
// keeps what it has, as with Limiter's SetLimit; one without has all of the new
// limit. It takes time in proportion to the keys, and decisions wait meanwhile. It
// is an error for a Keyed of several limits.
func (k *Keyed) SetLimit(limit Limit) error { return k.setLimit(k.clock.now(), limit) }

// SetLimitAt is SetLimit at the given instant.
func (k *Keyed) SetLimitAt(now time.Time, limit Limit) error { return k.setLimit(instant(now), limit) }

func (k *Keyed) setLimit(now int64, limit Limit) error {
	k.load()
	if k.multi {
		return errors.New("ratelimit: SetLimit does not apply to what NewKeyedMulti made")
	}
	rules, err := newRules([]Limit{limit}, k.alg, k.align)
	if err != nil {
		return err
	}
	for {
		if _, done := k.replace(k.load(), rules, now, 0); done {
			return nil
		}
	}
}

// convert returns the word for r, and sets its prev, of a limiter that had the word v
// under old, which counts by the same algorithm.
func (r *rule) convert(old *rule, v, now int64) int64 {
	switch {
	case r.limit == old.limit:
		r.keep(old.prev)
		return v
	case r.kind == kindUnlimited || old.kind == kindUnlimited:
		return fresh
	case r.kind != kindBucket:
		return r.convertWindow(old, v, now)
	}
	return r.holding(min(r.burst, r.units(old, old.left(v, now))), now)
}

// holding returns the word of a bucket that has so many units left at instant now.
func (r *rule) holding(left, now int64) int64 {
	base := r.clock(now)
	if left < base+r.burst-maxWord {
		return maxWord
	}
	return base + r.burst - left
}

// convertDebt is convert for a key of a table, where one without debt is as good as
// one that was never seen: also if its debt ends just now.
func (r *rule) convertDebt(old *rule, v, now int64) int64 {
	if v <= old.floor(now) {
		return fresh
	}
	return r.convert(old, v, now)
}

// convertLapsed is convert for a word that left a table: it keeps instants before
// now from being ahead of it.
func (r *rule) convertLapsed(old *rule, v, now int64) int64 {
	switch {
	case v == fresh:
		return fresh
	case v <= old.floor(now) && r.limit != old.limit:
		return r.floor(now)
	}
	return r.convert(old, v, now)
}

// maxWord is the largest word of a bucket: the debt before it ends with the horizon.
const maxWord = 2*horizon + maxUnits

// units converts u units of old, rounding down.
func (r *rule) units(old *rule, u int64) int64 {
	up := int(r.fine) - int(r.coarse) - int(old.fine) + int(old.coarse)
	switch {
	case up <= 0:
		return u >> min(63, -up)
	case bits.Len64(uint64(max(u, ^u)))+up > 62:
		if u < 0 {
			return -frozen
		}
		return frozen
	}
	return u << up
}

// convertWindow keeps both counts where the windows are the same, and else counts
// what old still counted as events of the new window.
func (r *rule) convertWindow(old *rule, v, now int64) int64 {
	w, _ := old.at(v, now)
	if r.limit.Period != old.limit.Period {
		w = window{index: (now + r.phase) / int64(r.limit.Period), cur: old.limit.Events - old.freeWindow(v, now)}
	}
	w.prev, w.cur = min(w.prev, r.limit.Events), min(w.cur, r.limit.Events)
	r.keep(w.prev)
	return r.pack(w)
}

// keep sets what kindWide has beside its word. Rules of other kinds are shared.
func (r *rule) keep(prev int64) {
	if r.kind == kindWide {
		r.prev = prev
	}
}
