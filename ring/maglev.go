package ring

import (
	"fmt"

	"github.com/distkit/distkit/internal/hash64"
)

const (
	defaultTableSize = 65537
	maxTableSize     = 1 << 28
)

// Maglev places keys by a table that the nodes fill in turns, each by a
// permutation of its own (Eisenbud et al., NSDI 2016): every node has its share
// within 1 % if the table has a hundred entries a node, and a lookup is one
// access to memory. When membership changes, some keys move between nodes that
// stay: 0.3 % of them with 10 nodes and 0.6 % with 100 in the default table,
// where a [Ring] moves none. That suits load balancers, which have a table of
// connections besides; a store should use a Ring.
//
// It needs 2 bytes an entry. Weights are shares of the turns. Preference lists
// go on at further entries, drawn from the key's hash, and are spread over zones
// as in a Ring.
//
// A Maglev is immutable and safe for concurrent use. The zero Maglev has no
// nodes.
type Maglev struct {
	table []uint16
	ids   []string
	nodes []Node // sorted by ID
	zones zoning
	cfg   config
}

var _ Locator = (*Maglev)(nil)

// WithTableSize applies to Maglev: the number of entries, a prime up to 2^28 and
// at least as many as nodes, default 65537. A hundred times the number of nodes
// keeps shares within 1 %; a larger table moves fewer keys and takes longer to
// build, about 30 ns an entry.
func WithTableSize(m int) Option {
	return func(c *config) { c.set |= setTableSize; c.tableSize = m }
}

// NewMaglev returns a Maglev of nodes, in any order; none at all is fine. The
// errors are [ErrInvalidNode], [ErrDuplicateNode] and [ErrTooManyNodes],
// wrapped, and those of options. WithSecret and WithTableSize apply.
func NewMaglev(nodes []Node, opts ...Option) (*Maglev, error) {
	c, err := configure("Maglev", setSecret|setTableSize, opts)
	if err != nil {
		return nil, err
	}
	if c.tableSize < 2 || c.tableSize > maxTableSize || !prime(c.tableSize) {
		return nil, fmt.Errorf("ring: table size is %d, want a prime up to %d", c.tableSize, maxTableSize)
	}
	sorted, err := members(nodes)
	if err != nil {
		return nil, err
	}
	if len(sorted) > c.tableSize {
		return nil, fmt.Errorf("%w: %d for a table of %d", ErrTooManyNodes, len(sorted), c.tableSize)
	}
	m := &Maglev{nodes: sorted, zones: newZoning(sorted), cfg: c}
	turns := make([]turn, len(sorted))
	heaviest := 0.0
	for _, n := range sorted {
		heaviest = max(heaviest, n.Weight)
	}
	for i, n := range sorted {
		m.ids = append(m.ids, n.ID)
		h, size := c.hashString(n.ID), uint64(c.tableSize)
		turns[i] = turn{
			next: uint32(h % size),
			skip: uint32(hash64.Mix(h, hash64.SaltRing)%(size-1) + 1),
			pace: max(1, uint64(n.Weight/heaviest*fullPace)),
		}
	}
	m.table = fill(c.tableSize, turns)
	return m, nil
}

// prime tells whether n > 1 is one.
func prime(n int) bool {
	for d := 2; d*d <= n; d++ {
		if n%d == 0 {
			return false
		}
	}
	return true
}

// turn is a node's permutation of the table, next, next+skip, next+2 skip, ...
// modulo its size, and its part in the turns.
type turn struct {
	next, skip uint32
	pace       uint64 // entries in fullPace turns
	credit     uint64 // what it has of the next entry
}

const fullPace = 1 << 32

// fill lets the nodes take entries in turns, in the order of turns, each the
// first free one of its permutation; one that is slower than others sits out
// turns, but not the first, so that every node has an entry.
func fill(size int, turns []turn) []uint16 {
	if len(turns) == 0 {
		return nil
	}
	table := make([]uint16, size)
	taken := make([]uint64, (size+63)/64)
	for i := range turns {
		turns[i].credit = fullPace - turns[i].pace
	}
	for left := size; ; {
		for i := range turns {
			t := &turns[i]
			if t.credit += t.pace; t.credit < fullPace {
				continue
			}
			t.credit -= fullPace
			for taken[t.next>>6]>>(t.next&63)&1 != 0 {
				t.advance(uint32(size))
			}
			taken[t.next>>6] |= 1 << (t.next & 63)
			table[t.next] = uint16(i)
			t.advance(uint32(size))
			if left--; left == 0 {
				return table
			}
		}
	}
}

func (t *turn) advance(size uint32) {
	if t.next += t.skip; t.next >= size {
		t.next -= size
	}
}

// Len returns the number of nodes.
func (m *Maglev) Len() int { return len(m.nodes) }

// Node returns the i-th node in the order of IDs, a zero Node if there is none.
func (m *Maglev) Node(i int) Node { return nodeAt(m.nodes, i) }

// Owner returns the ID of the node that key belongs to; ok is false if there are
// no nodes.
func (m *Maglev) Owner(key []byte) (id string, ok bool) { return m.OwnerHash(m.cfg.hash(key)) }

// OwnerString equals Owner([]byte(key)).
func (m *Maglev) OwnerString(key string) (id string, ok bool) {
	return m.OwnerHash(m.cfg.hashString(key))
}

// OwnerHash is Owner for a key that hashes to h: distkit.Hash(key), or under
// WithSecret Secret.Hash(key) with the same secret. h chooses an entry by its
// high bits and is not remixed: small integers all share one entry.
func (m *Maglev) OwnerHash(h uint64) (id string, ok bool) {
	i := m.Locate(h)
	if i < 0 {
		return "", false
	}
	return m.ids[i], true
}

// Locate returns the index of the owner of h, -1 if there are no nodes. h is as
// for [Maglev.OwnerHash].
func (m *Maglev) Locate(h uint64) int {
	if len(m.table) == 0 {
		return -1
	}
	return int(m.table[hash64.Reduce(h, uint64(len(m.table)))])
}

// AppendLocate appends the indices of the first n distinct nodes in h's
// preference order to dst, of all nodes if n > Len. It allocates nothing if dst
// has room.
func (m *Maglev) AppendLocate(dst []int, h uint64, n int) []int {
	n = min(n, len(m.nodes))
	if n <= 0 {
		return dst
	}
	list, dst := extend(dst, n)
	p := borrowPlaces(&m.zones, len(m.nodes))
	size := uint64(len(m.table))
	// Some jumps per node find nearly all; the rest come as the table has them.
	entry := hash64.Reduce(h, size)
	for left, jumps := n, 4*len(m.nodes); left > 0; {
		node := int(m.table[entry])
		if at := p.offer(node); at >= 0 && at < n {
			list[at] = node
			left--
		}
		if jumps > 0 {
			jumps--
			h += golden
			entry = hash64.Reduce(hash64.Mix(h, hash64.SaltRing), size)
		} else if entry++; entry == size {
			entry = 0
		}
	}
	p.giveBack()
	return dst
}

// AppendOwners appends the IDs of the first n distinct nodes in key's preference
// order to dst, as [Maglev.AppendLocate] does with indices.
func (m *Maglev) AppendOwners(dst []string, key []byte, n int) []string {
	return m.AppendOwnersHash(dst, m.cfg.hash(key), n)
}

// AppendOwnersString equals AppendOwners(dst, []byte(key), n).
func (m *Maglev) AppendOwnersString(dst []string, key string, n int) []string {
	return m.AppendOwnersHash(dst, m.cfg.hashString(key), n)
}

// AppendOwnersHash is AppendOwners for a key that hashes to h; h is as for
// [Maglev.OwnerHash].
func (m *Maglev) AppendOwnersHash(dst []string, h uint64, n int) []string {
	list := borrowList()
	*list = m.AppendLocate(*list, h, n)
	return list.giveBack(dst, m.ids)
}
