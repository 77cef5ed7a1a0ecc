package lru

import (
	"math/rand/v2"

	"github.com/distkit/distkit/internal/tinylfu"
)

// adaptive is the policy Adaptive: segments in the manner that does best on a sample
// of the keys. For every manner there is a model, a small cache that sees the sample
// and nothing else. Of two models the one that has had more hits would have served
// better. To change the manner costs about as many misses as there are entries, so it
// changes when that has been lost: then it never loses much more than the best
// manner does, whatever comes (Borodin, Linial and Saks, "An optimal on-line
// algorithm for metrical task systems", 1992).
type adaptive[K comparable, V any] struct {
	segments[K, V]
	mode   int // which of manners
	votes  *votes
	models models
	stats  *Stats // or nil

	count uint64 // of entries
	sized uint64 // how many entries the sketch is made for
	room  uint64 // how many there will be room for
	rng   *rand.Rand
}

var manners = [...]manner{
	{window: 100},                  // what was used last stays
	{window: 1, most: 15, lead: 2}, // what is used most often
	{window: 25, most: 1, lead: 1}, // what was used more than once
}

// sketchStart is how many entries the sketch is made for at first: few counters would
// be shared by many keys that left.
const sketchStart = 256

func newAdaptive[K comparable, V any](s *slab[K, V], stats *Stats) *adaptive[K, V] {
	p := &adaptive[K, V]{rng: rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64())), stats: stats}
	p.slab, p.votes = s, newVotes(1)
	if s.sharing != nil {
		p.votes = s.sharing.votes
	}
	p.reset()
	return p
}

func (p *adaptive[K, V]) reset() {
	p.segments.reset()
	p.count, p.sized = 0, sketchStart
	p.sketch = tinylfu.New(sketchStart, p.rng.Uint64())
	p.models = newModels(p.sketch, p.stats != nil)
	p.models.scale(p.room)
	p.tell()
	p.switchTo(0)
}

func (p *adaptive[K, V]) resize(capacity uint64) {
	p.segments.resize(capacity)
	if p.weights == nil {
		p.expect(capacity)
	}
	if p.sized > max(capacity, sketchStart) {
		p.fit(capacity)
	}
}

// expect makes the models ones of a cache of that many entries.
func (p *adaptive[K, V]) expect(entries uint64) {
	p.room = entries
	p.models.scale(entries)
	p.tell()
}

// fit makes the sketch one for that many entries.
func (p *adaptive[K, V]) fit(entries uint64) {
	p.sized = max(entries, sketchStart)
	p.sketch.Resize(int(p.sized))
}

// switchTo changes the manner, of other shards too when they vote next.
func (p *adaptive[K, V]) switchTo(mode int) {
	p.votes.choose(mode)
	p.follow(mode)
}

func (p *adaptive[K, V]) follow(mode int) {
	p.mode = mode
	p.turn(manners[mode])
	p.models.follow(mode)
}

// ask counts a use of the key of that place, and has the models decide.
func (p *adaptive[K, V]) ask(place uint32) {
	p.sketch.Touch(uint64(place))
	if !p.models.sampled(place) {
		return
	}
	if mode := int(p.votes.mode.Load()); mode != p.mode { // others decided
		p.follow(mode)
	}
	hits := p.models.ask(place)
	best := p.votes.cast(hits, p.mode, p.models.room)
	if p.stats != nil {
		p.models.askSizes(p.stats, place, hits[p.mode])
	}
	if best != p.mode {
		p.switchTo(best)
	}
}

// tell tells readers without the lock which keys are in the sample.
func (p *adaptive[K, V]) tell() {
	if p.sharing != nil {
		p.heard.mask.Store(p.models.mask())
	}
}

// listen counts what readers without the lock hit, and has the models see it.
func (p *adaptive[K, V]) listen() {
	if p.sharing != nil {
		p.heard.each(p.ask)
	}
}

// settle lets all entries have their hits without the lock.
func (p *adaptive[K, V]) settle() {
	if p.sharing == nil {
		return
	}
	p.listen()
	var nodes []uint32
	for _, list := range noteLists {
		for i := p.nodes[list].newer; i != uint32(list); i = p.nodes[i].newer {
			nodes = append(nodes, i)
		}
	}
	for _, i := range nodes {
		p.catchUp(i)
	}
}

func (p *adaptive[K, V]) miss(place uint32) bool {
	p.listen()
	if p.stats == nil || !p.models.sampled(place) {
		p.ask(place)
		return false
	}
	larger := p.stats.SampledHits[twiceAsLarge]
	p.ask(place)
	if p.stats.SampledHits[twiceAsLarge] > larger { // and so would others, not sampled
		p.stats.GhostHits += 1 << p.models.shift
	}
	return false
}

func (p *adaptive[K, V]) hit(i uint32) {
	p.ask(p.placeOf(i))
	p.segments.hit(i)
}

func (p *adaptive[K, V]) set(i uint32) { p.hit(i) }

func (p *adaptive[K, V]) insert(i, place uint32) {
	p.segments.insert(i, place)
	p.add()
}

// add counts an entry, and lets the sketch grow with their number.
func (p *adaptive[K, V]) add() {
	if p.count++; p.count > p.sized {
		p.fit(min(2*p.sized, max(p.capacity, p.count)))
	}
	if p.weights != nil && p.count > p.room { // which the capacity does not tell
		p.expect(2 * p.count)
	}
}

func (p *adaptive[K, V]) remove(i uint32) {
	p.listen()
	p.segments.remove(i)
	p.count--
	p.models.remove(p.placeOf(i))
}

func (p *adaptive[K, V]) evict(keep uint32) uint32 {
	if p.weights != nil && (p.count > p.room+p.room/4 || p.count < p.room-p.room/4) {
		p.expect(p.count)
	}
	p.count--
	return p.segments.evict(keep)
}

// A note has the list of an entry in two bits, the manner in two, and then its uses.
var noteLists = [...]uint8{recent, main, protected}

func (p *adaptive[K, V]) note(i uint32) uint64 {
	list := max(uint64(p.lists[i]), 1) - 1
	return uint64(p.uses(i))<<4 | uint64(p.mode)<<2 | list
}

func (p *adaptive[K, V]) restore(i uint32, note uint64) bool {
	at, mode, uses := note&3, int(note>>2&3), note>>4
	if at >= uint64(len(noteLists)) || mode >= len(manners) || uses > 15 {
		p.insert(i, 0)
		return false
	}
	sound := true
	for _, later := range noteLists[at+1:] {
		sound = sound && p.weight[later] == 0
	}
	if mode != p.mode {
		p.switchTo(mode)
	}
	p.enter(noteLists[at], i)
	p.add()
	for place := uint64(p.placeOf(i)); p.sketch.Estimate(place) < uint8(uses); {
		p.sketch.Touch(place)
	}
	return sound
}
