package lru

// lfu is the policy LFU. The list is in the order of eviction: by count and, where
// counts are equal, by recency. Entries of one count share a bucket, which knows
// the newest of them, so the place for an entry with one hit more is found at
// once, however many share its count.
//
//	list      a  b  c | d | e  f
//	count     1       | 2 | 7
//	bucket          c | d |    f
type lfu[K comparable, V any] struct {
	*slab[K, V]
	unconcerned
	of      []uint32 // by node: the number of its bucket
	buckets []bucket
	free    uint32 // first bucket that is free, chained by newest
}

type bucket struct {
	count  uint64
	newest uint32
}

const noBucket = 0 // of the head of the list; its bucket has count 0

func (p *lfu[K, V]) grow(n int) { p.of = extended(p.of, n) }
func (p *lfu[K, V]) reset()     { p.of, p.buckets, p.free = nil, nil, noBucket }

func (p *lfu[K, V]) insert(i, _ uint32) { p.enter(i, 1, recent) }

// enter links i, which has that count, to the entries that have it too. All those
// with less come before the entry after, or end with it.
func (p *lfu[K, V]) enter(i uint32, count uint64, after uint32) {
	if len(p.buckets) == 0 {
		p.buckets = append(p.buckets, bucket{})
	}
	b := p.of[p.nodes[after].newer]
	if p.buckets[b].count == count {
		after = p.buckets[b].newest
	} else {
		b = p.newBucket(count)
	}
	p.of[i], p.buckets[b].newest = b, i
	p.linkAfter(after, i)
}

func (p *lfu[K, V]) newBucket(count uint64) uint32 {
	b := p.free
	if b == noBucket {
		p.buckets = append(p.buckets, bucket{})
		b = uint32(len(p.buckets) - 1)
	} else {
		p.free = p.buckets[b].newest
	}
	p.buckets[b].count = count
	return b
}

func (p *lfu[K, V]) hit(i uint32) {
	b := p.of[i]
	newest, count := p.buckets[b].newest, p.buckets[b].count+1
	next := p.of[p.nodes[newest].newer]
	switch {
	case newest != i:
		p.remove(i)
		p.enter(i, count, newest)
	case p.buckets[next].count == count:
		older := p.nodes[i].older
		p.remove(i)
		p.enter(i, count, older)
	default: // it stays where it is
		p.leave(i)
		b = p.newBucket(count)
		p.of[i], p.buckets[b].newest = b, i
	}
}

func (p *lfu[K, V]) set(i uint32) { p.hit(i) }

func (p *lfu[K, V]) note(i uint32) uint64 { return p.buckets[p.of[i]].count }

func (p *lfu[K, V]) restore(i uint32, note uint64) bool {
	last := p.newest(recent, none)
	if note == 0 || len(p.buckets) > 0 && note < p.note(last) {
		p.insert(i, 0)
		return false
	}
	if len(p.buckets) > 0 && p.note(last) == note {
		last = p.nodes[last].older // so that its bucket comes next
	}
	p.enter(i, note, last)
	return true
}

func (p *lfu[K, V]) evict(keep uint32) uint32 {
	i := p.oldest(recent, keep)
	p.remove(i)
	return i
}

func (p *lfu[K, V]) remove(i uint32) {
	p.leave(i)
	p.unlink(i)
}

// leave takes i out of its bucket, but not out of the list.
func (p *lfu[K, V]) leave(i uint32) {
	b := p.of[i]
	if older := p.nodes[i].older; p.buckets[b].newest != i {
		// Another entry ends the bucket.
	} else if p.of[older] == b {
		p.buckets[b].newest = older
	} else {
		p.buckets[b] = bucket{newest: p.free}
		p.free = b
	}
}
