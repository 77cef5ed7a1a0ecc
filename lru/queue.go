package lru

import "math/rand/v2"

// queue is a policy that is the order of one list: whether an access makes an
// entry the newest, and which end is evicted.
type queue struct {
	moves  bool // LRU, MRU
	newest bool // LIFO, MRU
}

func queueOf(p Policy) queue {
	return queue{moves: p == LRU || p == MRU, newest: p == LIFO || p == MRU}
}

// next returns the entry to be evicted, other than keep.
func (s *slab[K, V]) next(q queue, keep uint32) uint32 {
	if q.newest {
		return s.newest(recent, keep)
	}
	return s.oldest(recent, keep)
}

// random is the policy Random. The list of entries is in the order of insertion,
// for iterations.
type random[K comparable, V any] struct {
	*slab[K, V]
	unconcerned
	entries []uint32
	at      []uint32 // by node: its index in entries
	rng     *rand.Rand
}

func newRandom[K comparable, V any](s *slab[K, V]) *random[K, V] {
	return &random[K, V]{slab: s, rng: rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64()))}
}

func (p *random[K, V]) grow(n int) { p.at = extended(p.at, n) }
func (p *random[K, V]) reset()     { p.entries, p.at = nil, nil }
func (p *random[K, V]) hit(uint32) {}

func (p *random[K, V]) insert(i, _ uint32) {
	p.link(recent, i)
	p.at[i] = uint32(len(p.entries))
	if len(p.entries) == cap(p.entries) { // as large as the slab, which knows the limit
		p.entries = append(make([]uint32, 0, len(p.at)), p.entries...)
	}
	p.entries = append(p.entries, i)
}

func (p *random[K, V]) note(uint32) uint64 { return 0 }

func (p *random[K, V]) restore(i uint32, note uint64) bool {
	p.insert(i, 0)
	return note == 0
}

func (p *random[K, V]) evict(keep uint32) uint32 {
	n := uint64(len(p.entries))
	i := p.entries[n-1]
	if keep == none {
		i = p.entries[p.rng.Uint64N(n)]
	} else if k := p.entries[p.rng.Uint64N(n-1)]; k != keep { // keep stands for the last
		i = k
	}
	p.remove(i)
	return i
}

func (p *random[K, V]) remove(i uint32) {
	p.unlink(i)
	last := p.entries[len(p.entries)-1]
	p.entries[p.at[i]] = last
	p.at[last] = p.at[i]
	p.entries = p.entries[:len(p.entries)-1]
}
