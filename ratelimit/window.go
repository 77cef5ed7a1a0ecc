package ratelimit

import (
	"fmt"
	"math/bits"
)

// window is the state of a limiter by windows. A fixed window has no prev.
type window struct {
	index     int64 // of the window since phase
	prev, cur int64 // events of the window before and of this one
}

func newWindow(l Limit, a Algorithm, aligned int64) (*rule, error) {
	period := int64(l.Period)
	switch {
	case l.Burst != l.Events:
		return nil, fmt.Errorf("%w: burst of %v is %d, want as many as events, or 0: a %v has none", ErrInvalidLimit, l, l.Burst, a)
	case l.Period > longest:
		return nil, fmt.Errorf("%w: period is %v, want at most %v in a %v", ErrInvalidLimit, l.Period, longest, a)
	}
	r := &rule{limit: l, kind: kindFixed, most: l.Events, bits: uint8(bits.Len64(uint64(l.Events)))}
	// The index of the last window, and one to come, leave these bits for counts.
	room := 62 - bits.Len64(uint64(horizon/period+2))
	switch {
	case int(r.bits) > room:
		return nil, fmt.Errorf("%w: events of %v is %d, want at most %d in a %v of that length", ErrInvalidLimit, l, l.Events, int64(1)<<max(0, room)-1, a)
	case a == SlidingWindow && 2*int(r.bits) > room:
		r.kind = kindWide
	case a == SlidingWindow:
		r.kind = kindSliding
	}
	r.phase = (period - aligned%period) % period
	return r, nil
}

func (r *rule) unpack(v int64) window {
	mask := int64(1)<<r.bits - 1
	if r.kind == kindSliding {
		return window{index: v >> (2 * r.bits), prev: v >> r.bits & mask, cur: v & mask}
	}
	return window{index: v >> r.bits, prev: r.prev, cur: v & mask}
}

func (r *rule) pack(w window) int64 {
	if r.kind == kindSliding {
		return w.index<<(2*r.bits) | w.prev<<r.bits | w.cur
	}
	return w.index<<r.bits | w.cur
}

// at returns the window of instant now, given the last word, and the time into
// it. An instant before the last window counts as its beginning, which is the
// strictest of its instants.
func (r *rule) at(v, now int64) (w window, into int64) {
	index, into := (now+r.phase)/int64(r.limit.Period), (now+r.phase)%int64(r.limit.Period)
	switch w = r.unpack(v); {
	case w.index == index:
		return w, into
	case w.index > index:
		return w, 0
	case w.index == index-1 && r.kind != kindFixed:
		return window{index: index, prev: w.cur}, into
	}
	return window{index: index}, into
}

// fits says whether n more events keep the weighed sum of both windows within the
// limit: prev*(period-into)/period + cur + n <= events, without a division.
func (r *rule) fits(w window, into, n int64) bool {
	left := r.limit.Events - w.cur - n
	if left < 0 {
		return false
	}
	hi, lo := bits.Mul64(uint64(w.prev), uint64(int64(r.limit.Period)-into))
	high, low := bits.Mul64(uint64(left), uint64(r.limit.Period))
	return hi < high || hi == high && lo <= low
}

func (r *rule) stepWindow(v, now, n int64) (word int64, ok bool) {
	if r.kind == kindUnlimited {
		return v, true
	}
	w, into := r.at(v, now)
	if n > r.most || !r.fits(w, into, n) {
		return v, false
	}
	w.cur += n
	r.keep(w.prev)
	return r.pack(w), true
}

func (r *rule) freeWindow(v, now int64) int64 {
	if r.kind == kindUnlimited {
		return r.most
	}
	w, into := r.at(v, now)
	period := uint64(r.limit.Period)
	hi, lo := bits.Mul64(uint64(w.prev), period-uint64(into))
	weighed, rem := bits.Div64(hi, lo, period)
	if rem != 0 {
		weighed++
	}
	return max(0, r.limit.Events-w.cur-int64(weighed))
}

func (r *rule) retryWindow(v, now, n int64) int64 {
	if r.kind == kindUnlimited {
		return now
	}
	w, into := r.at(v, now)
	if r.fits(w, into, n) {
		return now
	}
	begin := w.index*int64(r.limit.Period) - r.phase
	if left := r.limit.Events - w.cur - n; left >= 0 {
		return max(now, begin+r.fades(w.prev, left))
	}
	begin += int64(r.limit.Period)
	if r.kind == kindFixed {
		return begin
	}
	return begin + r.fades(w.cur, r.limit.Events-n)
}

// fades returns how far into a window the weight of prev events before it has
// fallen to left.
func (r *rule) fades(prev, left int64) int64 {
	if prev <= left {
		return 0
	}
	hi, lo := bits.Mul64(uint64(left), uint64(r.limit.Period))
	quo, _ := bits.Div64(hi, lo, uint64(prev)) // left < prev, so less than a period
	return int64(r.limit.Period) - int64(quo)
}

func (r *rule) resetWindow(v, now int64) int64 {
	if r.kind == kindUnlimited {
		return now
	}
	w, _ := r.at(v, now)
	end := (w.index+1)*int64(r.limit.Period) - r.phase
	switch {
	case w.cur > 0 && r.kind != kindFixed:
		return end + int64(r.limit.Period)
	case w.cur > 0 || w.prev > 0:
		return end
	}
	return now
}

func (r *rule) floorWindow(now int64) int64 {
	if r.kind == kindUnlimited {
		return 0
	}
	w, _ := r.at(fresh, now)
	if r.kind == kindSliding {
		w.index--
	}
	return r.pack(window{index: w.index})
}

// refundWindow gives back only what the window of act still counts.
func (r *rule) refundWindow(v, act, n int64) int64 {
	if r.kind == kindUnlimited || v < 0 {
		return v
	}
	index := (act + r.phase) / int64(r.limit.Period)
	if w := r.unpack(v); w.index == index && w.cur >= n {
		w.cur -= n
		return r.pack(w)
	}
	return v
}
