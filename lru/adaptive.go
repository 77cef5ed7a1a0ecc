package lru

import (
	"math/bits"
	"math/rand/v2"

	"github.com/distkit/distkit/internal/tinylfu"
)

// adaptive is the policy Adaptive: W-TinyLFU (Einziger, Eytan, Friedman and Manes,
// "Adaptive Software Cache Management", 2018) with a window that grows and shrinks by
// what the cache misses, as the parts of ARC do (Megiddo and Modha, FAST 2003).
//
//	miss                -> window (list recent)
//	oldest of window    -> probation (list main) if it was asked for more often than
//	                       the oldest there, which goes then; else out
//	hit in probation    -> protected, and the oldest there back to probation where
//	                       that makes it too large
//	hit elsewhere       -> newest of its list
//
// A ghost remembers what left, and from where. When a key is missed that the window
// gave up, the window was too small; when main gave it up, main was.
type adaptive[K comparable, V any] struct {
	*slab[K, V]
	lists  []uint8 // by node: its list
	weight [protected + 1]uint64
	count  uint64 // of entries

	capacity uint64
	window   uint64 // what list recent may weigh

	sketch *tinylfu.Sketch
	sized  uint64 // how many entries the sketch is made for
	ghost  ghost  // of places, whose lowest bit says from where
	lost   [2]uint64
	rng    *rand.Rand
}

const (
	fromWindow = 0
	fromMain   = 1

	sketchStart = 8   // entries that the sketch is made for at first
	warm        = 6   // uses from which a key may be let in by chance, so that nobody
	chance      = 128 // can keep all others out: once in so many times
)

func newAdaptive[K comparable, V any](s *slab[K, V]) *adaptive[K, V] {
	p := &adaptive[K, V]{slab: s, rng: rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64()))}
	p.reset()
	return p
}

func (p *adaptive[K, V]) grow(n int) { p.lists = extended(p.lists, n) }

func (p *adaptive[K, V]) reset() {
	p.lists, p.weight, p.count = nil, [protected + 1]uint64{}, 0
	p.sketch, p.sized = tinylfu.New(sketchStart, p.rng.Uint64()), sketchStart
	p.ghost, p.lost = ghost{}, [2]uint64{}
	p.aim(0)
}

func (p *adaptive[K, V]) resize(capacity uint64) {
	if p.capacity > 0 { // the window keeps its share
		hi, lo := bits.Mul64(p.window, capacity)
		p.window, _ = bits.Div64(hi, lo, p.capacity)
	}
	p.capacity = capacity
	p.aim(p.window)
	if p.sized > max(capacity, sketchStart) {
		p.fit(capacity)
	}
	p.trimGhost()
}

// aim sets what the window may weigh: a hundredth of the capacity at least, nine
// tenths at most.
func (p *adaptive[K, V]) aim(window uint64) {
	least := max(1, p.capacity/100)
	most := max(least, p.capacity-p.capacity/10-1)
	p.window = min(max(window, least), most)
}

// fit makes the sketch one for that many entries.
func (p *adaptive[K, V]) fit(entries uint64) {
	p.sized = max(entries, sketchStart)
	p.sketch.Resize(int(p.sized))
}

func (p *adaptive[K, V]) miss(place uint32) bool {
	p.sketch.Touch(uint64(place))
	mark := place &^ 1
	switch {
	case p.ghost.take(mark | fromWindow):
		p.aim(p.window + p.step(fromWindow))
		p.lost[fromWindow]--
	case p.ghost.take(mark | fromMain):
		p.aim(p.window - min(p.window, p.step(fromMain)))
		p.lost[fromMain]--
	default:
		return false
	}
	return true
}

// step returns by how much a key that is missed moves the border: by an entry, or
// by several where the ghost has fewer of its kind than of the other.
func (p *adaptive[K, V]) step(from int) uint64 {
	entries := max(1, p.lost[1-from]/p.lost[from])
	return entries * max(1, p.total()/max(1, p.count))
}

func (p *adaptive[K, V]) total() uint64 { return p.weight[recent] + p.main() }

// main returns what probation and protected weigh.
func (p *adaptive[K, V]) main() uint64 { return p.weight[main] + p.weight[protected] }

func (p *adaptive[K, V]) insert(i, _ uint32) {
	p.enter(recent, i)
	p.add()
	for p.weight[recent] > p.window && p.oldest(recent, none) != i {
		p.move(p.oldest(recent, none), main)
	}
}

// add counts an entry, and lets the sketch grow with their number.
func (p *adaptive[K, V]) add() {
	if p.count++; p.count > p.sized {
		p.fit(min(2*p.sized, p.capacity))
	}
}

func (p *adaptive[K, V]) hit(i uint32) {
	p.sketch.Touch(uint64(p.placeOf(i)))
	if p.lists[i] != main {
		p.touch(uint32(p.lists[i]), i)
		return
	}
	p.move(i, protected)
	most := (p.capacity - p.window) / 5 * 4
	for p.weight[protected] > most && p.oldest(protected, none) != i {
		p.move(p.oldest(protected, none), main)
	}
}

func (p *adaptive[K, V]) set(i uint32) { p.hit(i) }

func (p *adaptive[K, V]) reweigh(i uint32, by uint64) { p.weight[p.lists[i]] += by }

// enter makes i the newest entry of a list.
func (p *adaptive[K, V]) enter(list uint8, i uint32) {
	p.lists[i] = list
	p.link(uint32(list), i)
	p.reweigh(i, p.weightOf(i))
}

func (p *adaptive[K, V]) move(i uint32, list uint8) {
	p.leave(i)
	p.enter(list, i)
}

func (p *adaptive[K, V]) leave(i uint32) {
	p.unlink(i)
	p.reweigh(i, -p.weightOf(i))
}

func (p *adaptive[K, V]) remove(i uint32) {
	p.leave(i)
	p.count--
}

// evict takes the oldest entry of the window or of main.
func (p *adaptive[K, V]) evict(keep uint32) uint32 {
	for {
		candidate, victim := p.oldest(recent, keep), p.victim(keep)
		switch {
		case victim == none:
			return p.lose(candidate, fromWindow)
		case candidate == none || p.weight[recent] < p.window:
			return p.lose(victim, fromMain)
		case p.main() >= p.capacity-p.window:
			if !p.admits(candidate, victim) {
				return p.lose(candidate, fromWindow)
			}
			p.move(candidate, main)
			return p.lose(victim, fromMain)
		}
		p.move(candidate, main) // the window has shrunk
	}
}

// victim returns the entry of main that is next to go, or none.
func (p *adaptive[K, V]) victim(keep uint32) uint32 {
	if i := p.oldest(main, keep); i != main {
		return i
	}
	if i := p.oldest(protected, keep); i != protected {
		return i
	}
	return none
}

func (p *adaptive[K, V]) admits(candidate, victim uint32) bool {
	uses := p.uses(candidate)
	return uses > p.uses(victim) || uses >= warm && p.rng.Uint64N(chance) == 0
}

func (p *adaptive[K, V]) uses(i uint32) uint8 { return p.sketch.Estimate(uint64(p.placeOf(i))) }

// lose takes entry i out and remembers it.
func (p *adaptive[K, V]) lose(i uint32, from uint32) uint32 {
	p.ghost.add(p.placeOf(i)&^1 | from)
	p.lost[from]++
	p.remove(i)
	p.trimGhost()
	return i
}

// trimGhost holds the ghost to half as many keys as there is room for or, as
// weights tell nothing of numbers, as there are entries.
func (p *adaptive[K, V]) trimGhost() {
	limit := max(1, p.capacity/2)
	if p.weights != nil {
		limit = max(1, p.count/2)
	}
	for uint64(p.ghost.live) > limit {
		p.lost[p.ghost.drop()&1]--
	}
}

// A note has the list of an entry, and above two bits its uses.
var noteLists = [...]uint8{recent, main, protected}

func (p *adaptive[K, V]) note(i uint32) uint64 {
	list := uint64(p.lists[i])
	return uint64(p.uses(i))<<2 | max(list, 1) - 1
}

func (p *adaptive[K, V]) restore(i uint32, note uint64) bool {
	at, uses := note&3, note>>2
	sound := at < uint64(len(noteLists)) && uses <= 15
	if !sound {
		p.insert(i, 0)
		return false
	}
	for _, later := range noteLists[at+1:] {
		sound = sound && p.weight[later] == 0
	}
	p.enter(noteLists[at], i)
	p.add()
	p.aim(max(p.window, p.weight[recent]))
	for place := uint64(p.placeOf(i)); p.sketch.Estimate(place) < uint8(uses); {
		p.sketch.Touch(place)
	}
	return sound
}
