package lru

import (
	"math/rand/v2"

	"github.com/distkit/distkit/internal/tinylfu"
)

// windowed is W-TinyLFU (Einziger, Eytan, Friedman and Manes, 2018) as Caffeine has it:
// what is new goes through a window, and into the rest only if it is asked for more
// often than what would go for it. It counts in the same sketch as our own policy does,
// so that what differs is the policy.
type windowed struct {
	lists
	capacity, window, protected int // what they may hold
	sketch                      *tinylfu.Sketch
	counting                    bool
	rng                         *rand.Rand
	gone                        func(key int32, list uint8) // or nil
}

const (
	wWindow = iota + 1
	wProbation
	wProtected
)

func newWindowed(capacity, keys int) *windowed {
	window := capacity - int(0.99*float64(capacity))
	return &windowed{
		lists: newLists(keys), capacity: capacity, window: window, protected: (capacity - window) * 8 / 10,
		sketch: tinylfu.New(capacity, 7), rng: rand.New(rand.NewPCG(1, 2)),
	}
}

func (r *windowed) held() int { return r.len[wWindow] + r.len[wProbation] + r.len[wProtected] }

func (r *windowed) ask(key int32) bool {
	r.counting = r.counting || r.held() >= r.capacity/2 // before, it would count what all stays
	if r.counting {
		r.sketch.Touch(uint64(key))
	}
	switch list := r.in[key]; list {
	case wWindow, wProtected:
		r.move(list, key)
		return true
	case wProbation:
		r.move(wProtected, key)
		r.demote()
		return true
	}
	r.push(wWindow, key)
	if r.held() > r.capacity {
		r.evict()
	}
	for r.len[wWindow] > r.window {
		r.move(wProbation, r.oldest(wWindow))
	}
	return false
}

func (r *windowed) demote() {
	for r.len[wProtected] > r.protected {
		r.move(wProbation, r.oldest(wProtected))
	}
}

// evict lets the oldest of the window and of the rest compete, unless the window has
// less than its part.
func (r *windowed) evict() {
	list := uint8(wProbation)
	if r.len[list] == 0 {
		list = wProtected
	}
	switch candidate, victim := r.oldest(wWindow), r.oldest(list); {
	case r.len[list] == 0:
		r.drop(candidate)
	case r.len[wWindow] <= r.window:
		r.drop(victim)
	case r.admits(candidate, victim):
		r.drop(victim)
		r.move(wProbation, candidate)
	default:
		r.drop(candidate)
	}
}

func (r *windowed) drop(key int32) {
	list := r.in[key]
	r.pull(key)
	if r.gone != nil {
		r.gone(key, list)
	}
}

func (r *windowed) admits(candidate, victim int32) bool {
	c, v := r.sketch.Estimate(uint64(candidate)), r.sketch.Estimate(uint64(victim))
	return c > v || c >= 6 && r.rng.Uint64N(128) == 0 // or who knows our hash keeps all out
}

// climber is windowed with Caffeine's hill climber, which moves the border of the
// window by a sixteenth of the capacity, and less and less, on in the same direction
// while the hit ratio rises and back where it falls.
type climber struct {
	*windowed
	asked, hits int
	ratio, step float64
}

const (
	climbStep    = 0.0625
	climbDecay   = 0.98
	climbRestart = 0.05
)

func newClimber(capacity, keys int) reference {
	return &climber{windowed: newWindowed(capacity, keys), step: -climbStep * float64(capacity)}
}

func (r *climber) ask(key int32) bool {
	hit := r.windowed.ask(key)
	if !r.counting {
		return hit
	}
	r.asked++
	if hit {
		r.hits++
	}
	if r.asked >= 10*r.capacity {
		r.climb(float64(r.hits) / float64(r.asked))
		r.asked, r.hits = 0, 0
	}
	return hit
}

func (r *climber) climb(ratio float64) {
	change, amount := ratio-r.ratio, r.step
	if change < 0 {
		amount = -r.step
	}
	r.ratio, r.step = ratio, climbDecay*amount
	if change >= climbRestart || change <= -climbRestart {
		r.step = climbStep * float64(r.capacity)
		if amount < 0 {
			r.step = -r.step
		}
	}
	r.widen(int(amount))
}

// widen gives the window so many places of what is protected, or takes them back.
func (r *climber) widen(by int) {
	for ; by > 0 && r.protected > 0; by-- {
		r.protected--
		r.window++
		r.demote()
		if r.len[wProbation] > 0 {
			r.move(wWindow, r.oldest(wProbation))
		}
	}
	for ; by < 0 && r.window > 1; by++ {
		r.protected++
		r.window--
		if r.len[wWindow] > r.window {
			r.move(wProbation, r.oldest(wWindow))
		}
	}
}

// ghosted is windowed with a window that grows when a key comes back that was rejected
// at its exit, and shrinks when one does that the rest lost: as ARC steers, on names of
// half as many keys as there is room for.
type ghosted struct {
	*windowed
	left lists // wWindow: rejected; wProbation: lost by the rest
}

func newGhosted(capacity, keys int) reference {
	r := &ghosted{newWindowed(capacity, keys), newLists(keys)}
	r.gone = r.remember
	return r
}

func (r *ghosted) ask(key int32) bool {
	least := max(1, r.capacity/100)
	rejected, lost := r.left.len[wWindow], r.left.len[wProbation]
	switch r.left.in[key] {
	case wWindow:
		r.aim(min(max(least, r.capacity/10*9), r.window+max(1, lost/rejected)))
	case wProbation:
		r.aim(max(least, r.window-max(1, rejected/lost)))
	}
	if r.left.in[key] != 0 {
		r.left.pull(key)
	}
	return r.windowed.ask(key)
}

func (r *ghosted) aim(window int) {
	r.window, r.protected = window, (r.capacity-window)*8/10
	for r.len[wWindow] > window {
		r.move(wProbation, r.oldest(wWindow))
	}
}

func (r *ghosted) remember(key int32, list uint8) {
	list = min(list, wProbation)
	r.left.push(list, key)
	if r.left.len[wWindow]+r.left.len[wProbation] > max(1, r.capacity/2) {
		longer := uint8(wWindow)
		if r.left.len[wProbation] > r.left.len[wWindow] {
			longer = wProbation
		}
		r.left.pop(longer)
	}
}
