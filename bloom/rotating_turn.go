package bloom

import (
	"math"
	"time"

	"github.com/distkit/distkit/internal/hash64"
)

// now reads the clock where there is a window; elsewhere time does not matter.
func (r *Rotating) now() time.Time {
	if r.window == 0 {
		return time.Time{}
	}
	return time.Now()
}

// firstNano is the first moment that is told from those before.
const firstNano = -1 << 62

// unixNano returns t in nanoseconds since the Unix epoch. Before 1823 and after
// 2262 it stays at the ends, where t.UnixNano wraps: a clock that is centuries
// ahead must not pass for one that was set back.
func unixNano(t time.Time) int64 {
	const second = int64(time.Second)
	switch s := t.Unix(); {
	case s <= firstNano/second:
		return firstNano
	case s >= math.MaxInt64/second:
		return math.MaxInt64
	}
	return t.UnixNano()
}

// span returns how long a generation takes keys, at most.
func (r *Rotating) span() int64 { return int64(r.window) / int64(r.panes-1) }

// due returns how many turns the clock has in store.
func (r *Rotating) due(now time.Time) uint64 {
	if at := unixNano(now); r.begun && at > r.start {
		return (uint64(at) - uint64(r.start)) / uint64(r.span())
	}
	return 0
}

// turnTo makes the turns that are due. Where nothing is left to remember it
// forgets all at once.
func (r *Rotating) turnTo(now time.Time) {
	if r.window == 0 {
		return
	}
	due := r.due(now)
	if due >= r.panes {
		r.Reset()
	}
	if !r.begun {
		r.begun, r.start = true, unixNano(now)
		return
	}
	for range due {
		r.turn(r.start + r.span())
	}
}

// turn makes the oldest generation the newest, as of the given time or, where the
// clock was set back, as of the time before.
func (r *Rotating) turn(start int64) {
	r.sweepSome(r.blocks)
	r.newest, r.fill, r.swept = r.oldest(), 0, 0
	if r.begun {
		r.start = max(start, r.start)
	}
}

// oldest returns the generation that follows the newest in the ring.
func (r *Rotating) oldest() uint64 {
	if r.newest+1 < r.panes {
		return r.newest + 1
	}
	return 0
}

// sweepSome clears the next n blocks of the oldest generation, or what is left.
func (r *Rotating) sweepSome(n uint64) {
	step := r.panes * blockWords
	for at := r.swept*step + r.oldest()*blockWords; n > 0 && at < uint64(len(r.words)); n-- {
		*(*[blockWords]uint64)(r.words[at:]) = [blockWords]uint64{}
		at += step
		r.swept++
	}
}

// group returns the blocks of a mixed hash in all generations.
func (r *Rotating) group(h uint64) []uint64 {
	step := r.panes * blockWords
	i := (h >> 32) * r.blocks >> 32 * step
	return r.words[i : i+step]
}

// find says whether some generation has the key.
func (r *Rotating) find(h uint64) bool {
	h = hash64.Mix(h, saltBloom)
	return containsAny(r.group(h), h)
}

// findLive says whether one of so many newest generations has the key.
func (r *Rotating) findLive(h, live uint64) bool {
	h = hash64.Mix(h, saltBloom)
	group := r.group(h)
	for age := range live {
		g := r.newest + r.panes - age
		if g >= r.panes {
			g -= r.panes
		}
		if containsAnyGo(group[g*blockWords:][:blockWords], h) {
			return true
		}
	}
	return false
}

// set adds the key of a mixed hash to the newest generation and says whether it
// was new there.
func (r *Rotating) set(group []uint64, h uint64) bool {
	m0, m1, m2, m3 := masks(uint32(h))
	w := group[r.newest*blockWords:][:blockWords]
	missing := m0&^w[0] | m1&^w[1] | m2&^w[2] | m3&^w[3]
	w[0] |= m0
	w[1] |= m1
	w[2] |= m2
	w[3] |= m3
	return missing != 0
}
