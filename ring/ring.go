package ring

import (
	"encoding/binary"
	"iter"
	"sync/atomic"

	"github.com/cespare/xxhash/v2"
	"github.com/distkit/distkit/internal/hash64"
)

// Ring is an immutable consistent-hashing ring: every node owns the arcs that
// end at its tokens, and a key belongs to the node of the first token at or
// after the key's hash (Karger et al. 1997), its replicas to the next distinct
// nodes, spread over zones (DeCandia et al., Dynamo, 2007). Equal membership and
// options give equal rings, in whatever order and by whatever calls it was
// reached. Package ring's comment says which rules that rests on.
//
// A lookup takes constant time, usually one access to memory, and allocates
// nothing. A Ring is safe for concurrent use; [Live] publishes changes to
// readers. It needs 15 to 28 bytes a token.
//
// The zero Ring answers like an empty one and is there to be decoded into; its
// Add, Remove and Update panic and name New.
type Ring struct {
	idx   index
	ids   []string // of nodes: what Owner returns, packed closely
	nodes []Node   // sorted by ID
	zones zoning
	cfg   config
	print *atomic.Uint64 // the fingerprint once somebody asked, else 0
}

var _ Locator = (*Ring)(nil)

// New returns a ring of nodes, in any order; no nodes at all give an empty ring,
// to which nodes can be added. It takes O(t) time for t tokens. The errors are
// [ErrInvalidNode], [ErrDuplicateNode] and [ErrTooManyNodes], wrapped, and those
// of options. WithVirtualNodes, WithTolerance, WithSecret and WithTokens apply.
func New(nodes []Node, opts ...Option) (*Ring, error) {
	c, err := configure("Ring", setVirtualNodes|setTolerance|setSecret|setTokens, opts)
	if err != nil {
		return nil, err
	}
	sorted, err := members(nodes)
	if err != nil {
		return nil, err
	}
	return build(c, sorted)
}

// build returns the ring of nodes, which are checked and sorted.
func build(c config, nodes []Node) (*Ring, error) {
	counts, err := c.counts(nodes)
	if err != nil {
		return nil, err
	}
	if c.set&setTolerance != 0 {
		return buildBalanced(c, nodes, counts)
	}
	points, err := c.points(nodes, counts)
	if err != nil {
		return nil, err
	}
	return assemble(c, nodes, points), nil
}

// assemble returns the ring of sorted nodes and points, which it takes over.
func assemble(c config, nodes []Node, points []uint64) *Ring {
	r := &Ring{nodes: nodes, ids: make([]string, len(nodes)), zones: newZoning(nodes), cfg: c, print: new(atomic.Uint64)}
	for i, n := range nodes {
		r.ids[i] = n.ID
	}
	if len(points) > 0 {
		r.idx = newIndex(points, len(nodes))
	}
	return r
}

// Len returns the number of nodes.
func (r *Ring) Len() int { return len(r.nodes) }

// Node returns the i-th node in the order of IDs, with its weight, which is
// never 0; a zero Node if there is none.
func (r *Ring) Node(i int) Node { return nodeAt(r.nodes, i) }

// Lookup returns the node of that ID; ok is false if there is none. It takes
// O(log n) time.
func (r *Ring) Lookup(id string) (n Node, ok bool) {
	i, ok := search(r.nodes, id)
	if !ok {
		return Node{}, false
	}
	return r.nodes[i], true
}

// Owner returns the ID of the node that key belongs to; ok is false in an empty
// ring.
func (r *Ring) Owner(key []byte) (id string, ok bool) { return r.OwnerHash(r.cfg.hash(key)) }

// OwnerString equals Owner([]byte(key)).
func (r *Ring) OwnerString(key string) (id string, ok bool) {
	return r.OwnerHash(r.cfg.hashString(key))
}

// OwnerHash is Owner for a key that hashes to h: distkit.Hash(key), or under
// WithSecret Secret.Hash(key) with the same secret. h is a position on the
// circle, which is not remixed: small integers all lie in one arc.
func (r *Ring) OwnerHash(h uint64) (id string, ok bool) {
	i := r.idx.node(h)
	if i < 0 {
		return "", false
	}
	return r.ids[i], true
}

// Locate returns the index of the owner of h, -1 in an empty ring. h is as for
// [Ring.OwnerHash].
func (r *Ring) Locate(h uint64) int { return r.idx.node(h) }

// Tokens yields all tokens and their nodes clockwise from 0. The low 16 bits of
// a token are ones. Equal tokens come in the order of IDs.
func (r *Ring) Tokens() iter.Seq2[uint64, Node] {
	return func(yield func(uint64, Node) bool) {
		for _, p := range r.idx.tokens() {
			if !yield(p|nodeMask, r.nodes[p&nodeMask]) {
				return
			}
		}
	}
}

// Fingerprint returns a hash of the placement: two rings have the same
// fingerprint if and only if they give every key the same preference list (with
// the certainty of 64 bits). Compare fingerprints, in gossip say, before nodes
// rely on each other's placement: unlike virtual nodes, secrets or memberships
// show here. The first call takes O(t) time for t tokens, the others none.
func (r *Ring) Fingerprint() uint64 {
	if r.print == nil {
		return r.fingerprint()
	}
	f := r.print.Load()
	if f == 0 {
		f = r.fingerprint()
		r.print.Store(f)
	}
	return f
}

// fingerprint hashes the secret's check value, the number of nodes, each ID with
// the number of its zone (in order of appearance, for the names place nothing),
// and the points that end an arc of their own: one whose successor belongs to
// the same node changes nothing.
func (r *Ring) fingerprint() uint64 {
	var d xxhash.Digest
	buf := make([]byte, 0, 4096)
	d.Reset()
	buf = binary.LittleEndian.AppendUint64(buf, hash64.Check(r.cfg.secret))
	buf = binary.LittleEndian.AppendUint64(buf, uint64(len(r.nodes)))
	for i, id := range r.ids {
		buf = binary.AppendUvarint(buf, uint64(r.zones.zone(i)))
		buf = binary.AppendUvarint(buf, uint64(len(id)))
		d.Write(buf)
		d.WriteString(id)
		buf = buf[:0]
	}
	tokens := r.idx.tokens()
	for i, p := range tokens {
		if r.idx.points[i+1]&nodeMask == p&nodeMask {
			continue // the sentinel has the node of the first point
		}
		buf = binary.LittleEndian.AppendUint64(buf, p)
		if len(buf) > 4096-8 {
			d.Write(buf)
			buf = buf[:0]
		}
	}
	d.Write(buf)
	return max(1, d.Sum64()) // 0 means that nobody asked
}
