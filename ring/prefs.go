package ring

import (
	"iter"
	"slices"
	"sync"
)

// AppendLocate appends the indices of the first n distinct nodes in h's
// preference order to dst, of all nodes if n > Len; the first is the owner. h
// is as for [Ring.OwnerHash]. It allocates nothing if dst has room.
//
// Without zones the order is clockwise. With zones, nodes are ordered by their
// rank within their own zone (the first of the zone clockwise, the second, ...),
// then clockwise: zones differ by at most one node until they are exhausted, and
// the list of n nodes begins that of n+1. A zone with few nodes therefore
// carries more replicas a node than others.
func (r *Ring) AppendLocate(dst []int, h uint64, n int) []int {
	n = min(n, len(r.nodes))
	if n <= 0 {
		return dst
	}
	i := r.idx.find(h)
	switch {
	case n > narrow:
		return r.appendFar(dst, i, n)
	case r.zones.of != nil:
		return r.appendSpread(dst, i, n)
	}
	return r.appendNear(dst, i, n)
}

// appendNear walks clockwise from point i and looks for every node among the few
// it has.
func (r *Ring) appendNear(dst []int, i, n int) []int {
	base := len(dst)
	points := r.idx.tokens()
next:
	for ; ; i++ {
		if i >= len(points) {
			i = 0
		}
		node := int(points[i] & nodeMask)
		for _, m := range dst[base:] {
			if m == node {
				continue next
			}
		}
		if dst = append(dst, node); len(dst)-base == n {
			return dst
		}
	}
}

// appendSpread is appendNear with zones.
func (r *Ring) appendSpread(dst []int, i, n int) []int {
	list, dst := extend(dst, n)
	points := r.idx.tokens()
	for left := n; left > 0; i++ {
		if i >= len(points) {
			i = 0
		}
		if r.zones.offer(list, int(points[i]&nodeMask)) {
			left--
		}
	}
	return dst
}

// appendFar fills lists of any length.
func (r *Ring) appendFar(dst []int, i, n int) []int {
	list, dst := extend(dst, n)
	p := borrowPlaces(&r.zones, len(r.nodes))
	points := r.idx.tokens()
	for left := n; left > 0; i++ {
		if i >= len(points) {
			i = 0
		}
		node := int(points[i] & nodeMask)
		if at := p.offer(node); at >= 0 && at < n {
			list[at] = node
			left--
		}
	}
	p.giveBack()
	return dst
}

// extend appends n times -1 to dst and returns those, and the whole.
func extend(dst []int, n int) (list, all []int) {
	base := len(dst)
	dst = slices.Grow(dst, n)[:base+n]
	list = dst[base:]
	for i := range list {
		list[i] = -1
	}
	return list, dst
}

// places gives nodes their places in a preference list of any length by the zone
// rule, as [zoning.offer] does for short ones: it remembers nodes in a bit set
// and counts them by zone and by rank. It is pooled, and the list stays with the
// caller, so that it need not be on the heap.
type places struct {
	zones *zoning
	taken int      // places
	seen  []uint64 // a bit for every node that has a place
	ranks []int    // by zone: nodes that have a place
	fill  []int    // by rank: places taken
}

var placesPool = sync.Pool{New: func() any { return new(places) }}

func borrowPlaces(z *zoning, nodes int) *places {
	p := placesPool.Get().(*places)
	p.seen = slices.Grow(p.seen[:0], (nodes+63)/64)[:(nodes+63)/64]
	p.ranks = slices.Grow(p.ranks[:0], z.count)[:z.count]
	p.fill = slices.Grow(p.fill[:0], len(z.levels))[:len(z.levels)]
	p.zones = z
	p.reset()
	return p
}

func (p *places) giveBack() {
	p.zones = nil
	placesPool.Put(p)
}

// reset frees all places.
func (p *places) reset() {
	p.taken = 0
	clear(p.seen)
	clear(p.ranks)
	clear(p.fill)
}

// next returns the place of node, were it the next one to be offered.
func (p *places) next(node int) int {
	if p.zones.of == nil {
		return p.taken
	}
	rank := p.ranks[p.zones.of[node]]
	return p.zones.levels[rank] + p.fill[rank]
}

// offer gives node its place and returns it, -1 if it had one before. Nodes are
// to be offered in the order without zones.
func (p *places) offer(node int) int {
	word, bit := &p.seen[node>>6], uint64(1)<<(node&63)
	if *word&bit != 0 {
		return -1
	}
	*word |= bit
	at := p.next(node)
	p.taken++
	if p.zones.of != nil {
		rank := &p.ranks[p.zones.of[node]]
		p.fill[*rank]++
		*rank++
	}
	return at
}

// AppendOwners appends the IDs of the first n distinct nodes in key's preference
// order to dst, as [Ring.AppendLocate] does with indices.
func (r *Ring) AppendOwners(dst []string, key []byte, n int) []string {
	return r.AppendOwnersHash(dst, r.cfg.hash(key), n)
}

// AppendOwnersString equals AppendOwners(dst, []byte(key), n).
func (r *Ring) AppendOwnersString(dst []string, key string, n int) []string {
	return r.AppendOwnersHash(dst, r.cfg.hashString(key), n)
}

// AppendOwnersHash is AppendOwners for a key that hashes to h; h is as for
// [Ring.OwnerHash].
func (r *Ring) AppendOwnersHash(dst []string, h uint64, n int) []string {
	if n > narrow {
		list := borrowList()
		*list = r.AppendLocate(*list, h, n)
		return list.giveBack(dst, r.ids)
	}
	var list [narrow]int
	return appendNamed(dst, r.ids, r.AppendLocate(list[:0], h, n))
}

// longList is a pooled list of indices, for when a short one on the stack will
// not do.
type longList []int

var listPool = sync.Pool{New: func() any { return new(longList) }}

func borrowList() *longList {
	l := listPool.Get().(*longList)
	*l = (*l)[:0]
	return l
}

// giveBack appends the IDs at the listed indices to dst, and ends the loan.
func (l *longList) giveBack(dst, ids []string) []string {
	dst = appendNamed(dst, ids, *l)
	listPool.Put(l)
	return dst
}

func appendNamed(dst, ids []string, list []int) []string {
	for _, i := range list {
		dst = append(dst, ids[i])
	}
	return dst
}

// Walk yields all nodes in h's preference order, the owner first: to find the
// first one that is up, or to fail over. h is as for [Ring.OwnerHash]. The first
// nodes come as fast as from AppendLocate, all of them in O(t) time for t
// tokens at worst.
func (r *Ring) Walk(h uint64) iter.Seq[Node] {
	return func(yield func(Node) bool) {
		// Lists grow fourfold, and each begins with the one before.
		var few [narrow]int
		list := few[:0]
		for done, want := 0, narrow; done < len(r.nodes); want *= 4 {
			list = r.AppendLocate(list[:0], h, want)
			for ; done < len(list); done++ {
				if !yield(r.nodes[list[done]]) {
					return
				}
			}
		}
	}
}
