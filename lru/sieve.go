package lru

// sieve is the policy SIEVE. The list is in the order of insertion. The hand goes
// from the oldest entry to the newest and begins again; it clears the mark of a
// visited entry and evicts one without.
type sieve[K comparable, V any] struct {
	*slab[K, V]
	unconcerned
	visited []bool // by node
	hand    uint32 // where the next search begins; none for the oldest entry
}

func (p *sieve[K, V]) grow(n int)   { p.visited = extended(p.visited, n) }
func (p *sieve[K, V]) reset()       { p.visited, p.hand = nil, none }
func (p *sieve[K, V]) hit(i uint32) { p.visited[i] = true }

func (p *sieve[K, V]) insert(i, _ uint32) {
	p.visited[i] = false
	p.link(recent, i)
}

// note has a bit for the mark and one for the hand.
func (p *sieve[K, V]) note(i uint32) (n uint64) {
	p.catchUp(i)
	if p.visited[i] {
		n = 1
	}
	if p.hand == i {
		n |= 2
	}
	return n
}

func (p *sieve[K, V]) restore(i uint32, note uint64) bool {
	p.link(recent, i)
	p.visited[i] = note&1 != 0
	if note&2 == 0 {
		return note <= 3
	}
	first := p.hand == none
	p.hand = i
	return note <= 3 && first
}

// catchUp marks i if it had hits that did not mark it at once.
func (p *sieve[K, V]) catchUp(i uint32) {
	if p.seen(i) > 0 {
		p.visited[i] = true
	}
}

func (p *sieve[K, V]) evict(keep uint32) uint32 {
	for i := p.hand; ; i = p.nodes[i].newer {
		p.catchUp(i)
		switch {
		case i == recent || i == keep:
		case p.visited[i]:
			p.visited[i] = false
		default:
			p.hand = i
			p.remove(i)
			return i
		}
	}
}

func (p *sieve[K, V]) remove(i uint32) {
	if p.hand == i {
		p.hand = p.nodes[i].newer // the head, which is none, after the newest
	}
	p.unlink(i)
}
