package ring

import (
	"slices"
	"sync"

	"github.com/distkit/distkit/internal/hash64"
)

// Rendezvous places keys by highest random weight (Thaler and Ravishankar
// 1996): every node draws a number from the key's hash and its own, and the
// nodes are preferred in the order of what they drew, by weight. It is balanced
// perfectly but for chance, moves no key more than it must, and needs 8 bytes a
// node (24 with weights), but looks at every node: 1 ns each, 8 ns with weights.
// That suits up to some dozen nodes; above, a [Ring] is faster.
//
// Weights use the logarithmic method (Schindelhauer and Schomaker 2005) in
// integers: a node of weight w has exactly its share, and a weight that changes
// moves keys from or to that node only. Zones spread preference lists as in a
// Ring.
//
// A Rendezvous is immutable and safe for concurrent use. The zero Rendezvous has
// no nodes.
type Rendezvous struct {
	seeds    []uint64  // of nodes: the hash of the ID
	inverses []inverse // of weights; nil if all are equal
	ids      []string
	nodes    []Node // sorted by ID
	zones    zoning
	cfg      config
}

var _ Locator = (*Rendezvous)(nil)

// NewRendezvous returns a Rendezvous of nodes, in any order; none at all is fine.
// The errors are [ErrInvalidNode], [ErrDuplicateNode] and [ErrTooManyNodes],
// wrapped, and those of options. WithSecret applies.
func NewRendezvous(nodes []Node, opts ...Option) (*Rendezvous, error) {
	c, err := configure("Rendezvous", setSecret, opts)
	if err != nil {
		return nil, err
	}
	sorted, err := members(nodes)
	if err != nil {
		return nil, err
	}
	return makeRendezvous(c, sorted), nil
}

// makeRendezvous takes over nodes, which are checked and sorted.
func makeRendezvous(c config, nodes []Node) *Rendezvous {
	v := &Rendezvous{nodes: nodes, zones: newZoning(nodes), cfg: c}
	equal := true
	for _, n := range nodes {
		v.seeds = append(v.seeds, c.hashString(n.ID))
		v.inverses = append(v.inverses, newInverse(n.Weight))
		v.ids = append(v.ids, n.ID)
		equal = equal && n.Weight == nodes[0].Weight
	}
	if equal {
		v.inverses = nil // the order of draws is that of their logarithms
	}
	return v
}

// Len returns the number of nodes.
func (v *Rendezvous) Len() int { return len(v.nodes) }

// Node returns the i-th node in the order of IDs, a zero Node if there is none.
func (v *Rendezvous) Node(i int) Node { return nodeAt(v.nodes, i) }

// Owner returns the ID of the node that key belongs to; ok is false if there are
// no nodes.
func (v *Rendezvous) Owner(key []byte) (id string, ok bool) { return v.OwnerHash(v.cfg.hash(key)) }

// OwnerString equals Owner([]byte(key)).
func (v *Rendezvous) OwnerString(key string) (id string, ok bool) {
	return v.OwnerHash(v.cfg.hashString(key))
}

// OwnerHash is Owner for a key that hashes to h: distkit.Hash(key), or under
// WithSecret Secret.Hash(key) with the same secret. Any other 64-bit value that
// differs for different keys will do as well.
func (v *Rendezvous) OwnerHash(h uint64) (id string, ok bool) {
	i := v.Locate(h)
	if i < 0 {
		return "", false
	}
	return v.ids[i], true
}

// Locate returns the index of the owner of h, -1 if there are no nodes. h is as
// for [Rendezvous.OwnerHash].
func (v *Rendezvous) Locate(h uint64) int {
	best, owner := ^uint64(0), -1
	if v.inverses != nil {
		for i := range v.seeds {
			if cost := v.cost(i, h); cost < best {
				best, owner = cost, i
			}
		}
		return owner
	}
	for i, seed := range v.seeds {
		if cost := ^hash64.Mix(h, seed); cost < best || owner < 0 {
			best, owner = cost, i
		}
	}
	return owner
}

// cost returns by what the nodes are ordered for h, the cheapest first: -log of
// the node's draw over its weight, or what compares alike if weights are equal.
func (v *Rendezvous) cost(i int, h uint64) uint64 {
	draw := hash64.Mix(h, v.seeds[i])
	if v.inverses == nil {
		return ^draw
	}
	return v.inverses[i].times(negLog2(draw))
}

// AppendLocate appends the indices of the first n distinct nodes in h's
// preference order to dst, of all nodes if n > Len. It takes O(Len + n log Len)
// time and allocates nothing if dst has room.
func (v *Rendezvous) AppendLocate(dst []int, h uint64, n int) []int {
	n = min(n, len(v.nodes))
	if n <= 0 {
		return dst
	}
	if n == 1 {
		return append(dst, v.Locate(h))
	}
	list, dst := extend(dst, n)
	p := borrowPlaces(&v.zones, len(v.nodes))
	v.fill(list, p, h, n)
	p.giveBack()
	return dst
}

// fill gives the left places of list that are free to the nodes that are first in
// h's preference order, of those that have no place in p yet.
func (v *Rendezvous) fill(list []int, p *places, h uint64, left int) {
	draws := drawsPool.Get().(*draws)
	*draws = slices.Grow((*draws)[:0], len(v.nodes))
	for i := range v.seeds {
		*draws = append(*draws, draw{v.cost(i, h), i})
	}
	draws.heapify()
	for left > 0 {
		node := draws.pop()
		if at := p.offer(node); at >= 0 && at < len(list) {
			list[at] = node
			left--
		}
	}
	drawsPool.Put(draws)
}

// AppendOwners appends the IDs of the first n distinct nodes in key's preference
// order to dst, as [Rendezvous.AppendLocate] does with indices.
func (v *Rendezvous) AppendOwners(dst []string, key []byte, n int) []string {
	return v.AppendOwnersHash(dst, v.cfg.hash(key), n)
}

// AppendOwnersString equals AppendOwners(dst, []byte(key), n).
func (v *Rendezvous) AppendOwnersString(dst []string, key string, n int) []string {
	return v.AppendOwnersHash(dst, v.cfg.hashString(key), n)
}

// AppendOwnersHash is AppendOwners for a key that hashes to h; h is as for
// [Rendezvous.OwnerHash].
func (v *Rendezvous) AppendOwnersHash(dst []string, h uint64, n int) []string {
	list := borrowList()
	*list = v.AppendLocate(*list, h, n)
	return list.giveBack(dst, v.ids)
}

// draw is a node and what it costs; the cheaper one goes first, of equal ones
// that with the lower ID.
type draw struct {
	cost uint64
	node int
}

func (a draw) before(b draw) bool { return a.cost < b.cost || a.cost == b.cost && a.node < b.node }

// draws is a heap, so that the first few of many nodes come without sorting all.
type draws []draw

var drawsPool = sync.Pool{New: func() any { return new(draws) }}

func (d *draws) heapify() {
	for i := len(*d)/2 - 1; i >= 0; i-- {
		d.sink(i)
	}
}

// pop removes the first node.
func (d *draws) pop() int {
	h := *d
	first, last := h[0].node, len(h)-1
	h[0] = h[last]
	*d = h[:last]
	d.sink(0)
	return first
}

func (d *draws) sink(i int) {
	h := *d
	for {
		child := 2*i + 1
		if child >= len(h) {
			return
		}
		if child+1 < len(h) && h[child+1].before(h[child]) {
			child++
		}
		if !h[child].before(h[i]) {
			return
		}
		h[i], h[child] = h[child], h[i]
		i = child
	}
}
