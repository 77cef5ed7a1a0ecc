package bloom

import (
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

// span returns how long a generation takes keys, at most.
func (r *Rotating) span() int64 { return int64(r.window) / int64(r.panes-1) }

// due returns how many turns the clock has in store.
func (r *Rotating) due(now time.Time) uint64 {
	if !r.begun {
		return 0
	}
	return uint64(max(now.UnixNano()-r.start, 0) / r.span())
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
		r.begun, r.start = true, now.UnixNano()
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
