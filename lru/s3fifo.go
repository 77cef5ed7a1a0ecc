package lru

// s3fifo is the policy S3FIFO: three queues, small for what is new, main for what
// has proved itself, and a ghost that remembers the hashes of what left small.
//
//	miss, not in ghost -> small (list recent, a tenth of the capacity)
//	miss, in ghost     -> main (list main, the rest)
//	oldest of small    -> main if it had two hits or more, else out and to ghost
//	oldest of main     -> once more into main for each hit, up to three, else out
type s3fifo[K comparable, V any] struct {
	*slab[K, V]
	unconcerned
	state []uint8 // by node: hits, and whether it is in main
	ghost ghost
	known bool // the key to be inserted was in ghost

	capacity, target uint64 // of all, and of small
	weight           uint64 // of small
	mainWeight       uint64
	count            uint64 // of entries
}

const (
	hitsMask = 3
	inMain   = 4
)

func (p *s3fifo[K, V]) resize(capacity uint64) {
	p.capacity, p.target = capacity, max(1, capacity/10)
	p.trimGhost()
}

func (p *s3fifo[K, V]) grow(n int) { p.state = extended(p.state, n) }

func (p *s3fifo[K, V]) reset() {
	p.state, p.ghost, p.known = nil, ghost{}, false
	p.weight, p.mainWeight, p.count = 0, 0, 0
}

func (p *s3fifo[K, V]) miss(place uint32) bool {
	p.known = p.ghost.take(place)
	return p.known
}

func (p *s3fifo[K, V]) insert(i, _ uint32) {
	p.state[i] = 0
	if p.known {
		p.state[i] = inMain
		p.known = false
	}
	p.count++
	p.enter(i)
}

func (p *s3fifo[K, V]) note(i uint32) uint64 {
	p.catchUp(i)
	return uint64(p.state[i])
}

// catchUp counts the hits of i that were not counted at once.
func (p *s3fifo[K, V]) catchUp(i uint32) {
	for range p.seen(i) {
		p.hit(i)
	}
}

func (p *s3fifo[K, V]) restore(i uint32, note uint64) bool {
	p.state[i] = uint8(note)
	p.count++
	p.enter(i)
	return note <= inMain|hitsMask && (note&inMain != 0 || p.oldest(main, none) == main)
}

// enter makes i the newest entry of the queue that its state names.
func (p *s3fifo[K, V]) enter(i uint32) {
	if p.state[i]&inMain != 0 {
		p.link(main, i)
		p.mainWeight += p.weightOf(i)
	} else {
		p.link(recent, i)
		p.weight += p.weightOf(i)
	}
}

func (p *s3fifo[K, V]) leave(i uint32) {
	p.unlink(i)
	p.reweigh(i, -p.weightOf(i))
}

func (p *s3fifo[K, V]) remove(i uint32) {
	p.leave(i)
	p.count--
}

func (p *s3fifo[K, V]) reweigh(i uint32, by uint64) {
	if p.state[i]&inMain != 0 {
		p.mainWeight += by
	} else {
		p.weight += by
	}
}

// hit writes nothing once an entry has had three.
func (p *s3fifo[K, V]) hit(i uint32) {
	if p.state[i]&hitsMask < hitsMask {
		p.state[i]++
	}
}

// evict takes from small while that has its share, else from main.
func (p *s3fifo[K, V]) evict(keep uint32) uint32 {
	if p.weight < p.target && p.oldest(main, keep) != main {
		return p.evictMain(keep)
	}
	for i := p.oldest(recent, keep); i != recent; i = p.oldest(recent, keep) {
		p.leave(i)
		p.catchUp(i)
		if p.state[i]&hitsMask <= 1 {
			p.count--
			p.remember(i)
			return i
		}
		p.state[i] = inMain
		p.enter(i)
		if p.mainWeight > p.capacity-p.target {
			break
		}
	}
	return p.evictMain(keep)
}

// evictMain takes the oldest entry of main that has no hit left.
func (p *s3fifo[K, V]) evictMain(keep uint32) uint32 {
	for {
		i := p.oldest(main, keep)
		p.catchUp(i)
		if p.state[i]&hitsMask == 0 {
			p.remove(i)
			return i
		}
		p.leave(i)
		p.state[i]--
		p.enter(i)
	}
}

func (p *s3fifo[K, V]) remember(i uint32) {
	p.ghost.add(p.placeOf(i))
	p.trimGhost()
}

// trimGhost holds the ghost to as many keys as main has room for or, as weights
// tell nothing of numbers, as there are entries.
func (p *s3fifo[K, V]) trimGhost() {
	limit := max(1, p.capacity-p.target)
	if p.weights != nil {
		limit = max(1, p.count)
	}
	for uint64(p.ghost.live) > limit {
		p.ghost.drop()
	}
}
