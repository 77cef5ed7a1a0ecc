package ring

import (
	"fmt"
	"math"
	"sync"
	"sync/atomic"

	"github.com/distkit/distkit/internal/hash64"
)

// Bounded places work on nodes so that none has more than factor times its fair
// share at any time: consistent hashing with bounded loads (Mirrokni, Thorup and
// Zadimoghaddam 2018, arXiv 1608.01350). Acquire gives the first node in the
// key's preference order that has room, and Release ends the work: a key stays
// on its node while the load allows it, and a hot key spreads over as many nodes
// as it needs.
//
// With t pieces of work under way, a node of weight w of the sum W takes another
// one only up to ceil(factor*(t+1)*w/W). 1.25 is a good factor; 2 keeps keys in
// place more strictly, and below 1.1 overflow cascades from node to node, where
// WithJumps helps.
//
// A Bounded is safe for concurrent use and takes no locks but in SetLocator and
// for nodes that have left. The zero Bounded has no nodes, and its SetLocator
// panics and names NewBounded.
type Bounded struct {
	factor float64
	jumps  bool
	total  paddedInt
	roster atomic.Pointer[roster]
	cells  sync.Pool // of *cell

	mu    sync.Mutex         // serializes SetLocator
	loads map[string]*padded // of all nodes, and of those that left with work under way
}

// roster is a set of nodes with their loads, by index.
type roster struct {
	l       Locator
	nodes   []Node
	loads   []*padded
	weights []float64 // in parts of a power of two, so that their sum is finite
	sum     float64
}

// padded is a counter on a cache line of its own.
type padded struct {
	atomic.Int64
	_ [56]byte
}

type paddedInt struct {
	_ [64]byte
	padded
}

// cell tells whether a lease is still to be released: it is if the generation is
// the lease's. Cells are used again, generations are not.
type cell struct{ generation atomic.Uint64 }

// WithJumps applies to Bounded: where a node has no room, the next choice is the
// owner of another position drawn from the key, instead of the next node of the
// preference list. So the overflow of a full node spreads over all, and not over
// its neighbors first (Chen, Coleman and Shrivastava 2021, arXiv 1908.08762; as
// in Envoy). Keys are then not kept to the nodes that hold their replicas.
func WithJumps() Option {
	return func(c *config) { c.set |= setJumps }
}

// NewBounded returns a Bounded over the nodes of l, which must not be nil. The
// factor must be finite and greater than 1. WithJumps applies.
func NewBounded(l Locator, factor float64, opts ...Option) (*Bounded, error) {
	c, err := configure("Bounded", setJumps, opts)
	if err != nil {
		return nil, err
	}
	if !(factor > 1) || math.IsInf(factor, 1) {
		return nil, fmt.Errorf("ring: load factor is %g, want a finite number > 1", factor)
	}
	if l == nil {
		return nil, fmt.Errorf("ring: locator is nil")
	}
	b := &Bounded{factor: factor, jumps: c.set&setJumps != 0, loads: make(map[string]*padded)}
	b.cells.New = func() any { return new(cell) }
	b.SetLocator(l)
	return b, nil
}

// SetLocator changes the nodes to those of l. Loads carry over by ID. Work on a
// node that left counts in the total until it is released. A nil l means no
// nodes. It takes time in proportion to the nodes; Acquire does not wait for it.
func (b *Bounded) SetLocator(l Locator) {
	if b.factor == 0 {
		panic("ring: SetLocator of a zero Bounded: make it by NewBounded")
	}
	if l == nil {
		l = noRing
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	r := &roster{l: l}
	loads := make(map[string]*padded, l.Len())
	heaviest := 0.0
	for i := range l.Len() {
		n := l.Node(i)
		if !(n.Weight > 0 && n.Weight <= math.MaxFloat64) {
			n.Weight = 1 // a Locator of the user's may leave it open
		}
		heaviest = max(heaviest, n.Weight)
		load := b.loads[n.ID]
		if load == nil {
			load = new(padded)
		}
		loads[n.ID] = load
		r.nodes = append(r.nodes, n)
		r.loads = append(r.loads, load)
	}
	_, exponent := math.Frexp(heaviest)
	for _, n := range r.nodes {
		w := max(math.Ldexp(n.Weight, -exponent), math.SmallestNonzeroFloat64)
		r.weights = append(r.weights, w)
		r.sum += w
	}
	b.roster.Store(r)
	// Acquire looks at the roster again after it took room on a node, so from now
	// on nothing is added to a node that left, and one without work can go.
	for id, load := range b.loads {
		if loads[id] == nil && load.Load() > 0 {
			loads[id] = load
		}
	}
	b.loads = loads
}

// Acquire takes room for one piece of work on the first node in h's preference
// order that has some; give it back by [Lease.Release]. It is false only if
// there are no nodes. h is as for the Locator's Locate. It costs a Locate, and an
// AppendLocate of as many nodes as are full where the owner is.
func (b *Bounded) Acquire(h uint64) (Lease, bool) {
	r := b.roster.Load()
	if r == nil || len(r.nodes) == 0 {
		return Lease{}, false
	}
	total := b.total.Add(1)
	for {
		i := r.l.Locate(h)
		if !b.take(r, i, float64(total)) {
			i = b.overflow(r, h, float64(total))
		}
		now := b.roster.Load()
		if i >= 0 && now == r {
			c := b.cells.Get().(*cell)
			return Lease{b, r, i, c, c.generation.Load()}, true
		}
		// Either the nodes have changed, or others took the room that there was.
		if i >= 0 {
			r.loads[i].Add(-1)
		}
		if r = now; len(r.nodes) == 0 {
			b.total.Add(-1)
			return Lease{}, false
		}
		total = b.total.Load()
	}
}

// overflow takes room on a node of r for an h whose owner has none, and returns
// its index. Capacities add up to more than the total, so some node has room; it
// returns -1 if others were faster to take it.
func (b *Bounded) overflow(r *roster, h uint64, total float64) int {
	if b.jumps {
		jump := h
		for range 4 * len(r.nodes) {
			jump += golden
			if i := r.l.Locate(hash64.Mix(jump, hash64.SaltRing)); b.take(r, i, total) {
				return i
			}
		}
	}
	list := borrowList()
	defer listPool.Put(list)
	for done, want := 1, narrow; done < len(r.nodes); want *= 4 {
		*list = r.l.AppendLocate((*list)[:0], h, want)
		for ; done < len(*list); done++ {
			if i := (*list)[done]; b.take(r, i, total) {
				return i
			}
		}
	}
	return -1
}

// take adds one to the load of node i if its capacity allows.
func (b *Bounded) take(r *roster, i int, total float64) bool {
	// It may be more than an int64 holds.
	capacity := math.Ceil(b.factor * total * r.weights[i] / r.sum)
	load := r.loads[i]
	for {
		n := load.Load()
		if float64(n) >= capacity {
			return false
		}
		if load.CompareAndSwap(n, n+1) {
			return true
		}
	}
}

// Load returns how many pieces of work are under way on the node of that ID, 0 if
// it never was there.
func (b *Bounded) Load(id string) int64 {
	if r := b.roster.Load(); r != nil {
		if i, found := search(r.nodes, id); found {
			return r.loads[i].Load()
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if load := b.loads[id]; load != nil {
		return load.Load()
	}
	return 0
}

// Total returns how many pieces of work are under way, those on nodes that left
// included.
func (b *Bounded) Total() int64 { return b.total.Load() }

// Lease is room on a node for one piece of work. It may be copied; the first
// Release of any copy counts. The zero Lease is released already.
type Lease struct {
	b          *Bounded
	r          *roster
	i          int
	cell       *cell
	generation uint64
}

// Node returns the node that the work is placed on, a zero Node for a zero Lease.
func (l Lease) Node() Node {
	if l.r == nil {
		return Node{}
	}
	return l.r.nodes[l.i]
}

// Release ends the work. Only the first call has an effect, whatever copy of the
// Lease it is on and however late; it may come from any goroutine.
func (l Lease) Release() {
	if l.cell == nil || !l.cell.generation.CompareAndSwap(l.generation, l.generation+1) {
		return
	}
	l.r.loads[l.i].Add(-1)
	l.b.total.Add(-1)
	l.b.cells.Put(l.cell)
}
