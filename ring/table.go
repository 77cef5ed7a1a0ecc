package ring

import (
	"fmt"
	"math/bits"
	"slices"

	"github.com/distkit/distkit/internal/hash64"
)

// Table places partitions on nodes: the circle is cut into 2^k equal partitions,
// and a table says which nodes hold the replicas of each. Every node holds its
// exact share of replicas, rounded down or up, and owns its part of those; no
// node holds two replicas of a partition, and they are spread over zones as in a
// [Ring]. When membership changes, [Table.Rebalance] moves the fewest replicas
// that lead to such a table: not nearly, but provably.
//
// That is for stores that move data by partition, where a Ring's 4 % of spread is
// too much or a list of partitions is wanted. The price is that a table depends on
// its history, where a Ring is a function of its members: one process at a time
// has to rebalance, and to store the table and hand it out, for which it has an
// encoding and a version.
//
// Weights give shares of replicas, as far as a zone or a node can use them: no
// node holds more than one replica of each partition, and with as many zones as
// replicas, each zone holds as many as the others, whatever its nodes weigh. With
// fewer nodes than replicas, all hold everything.
//
// A lookup takes constant time, one access to memory, and allocates nothing. A
// Table takes 2 bytes a replica. It is immutable and safe for concurrent use. The
// zero Table has no partitions and is there to be decoded into; its Rebalance
// panics and names NewTable.
type Table struct {
	cells    []uint16 // of each partition the nodes that hold it, the owner first
	copies   int      // of them: replicas, or Len if that is less
	replicas int      // what was asked for
	version  uint64
	rest     Rendezvous // the nodes, and their order behind the replicas
}

var _ Locator = (*Table)(nil)

const (
	defaultPartitions = 1 << 12
	maxPartitions     = 1 << 20
	maxReplicas       = 1 << 26 // of all partitions
)

// WithPartitions applies to Table: the number of partitions, a power of two up to
// 2^20, default 4096. A hundred times the number of nodes keeps shares within 1 %.
// It cannot be changed later.
func WithPartitions(n int) Option {
	return func(c *config) { c.set |= setPartitions; c.partitions = n }
}

// NewTable returns a Table, version 1, of nodes, in any order, that keeps every
// partition on as many nodes as replicas says, 1 to 65,536; no nodes at all are
// fine. It is a function of its arguments. The errors are [ErrInvalidNode],
// [ErrDuplicateNode] and [ErrTooManyNodes], wrapped, and those of options.
// WithPartitions and WithSecret apply.
func NewTable(nodes []Node, replicas int, opts ...Option) (*Table, error) {
	c, err := configure("Table", setPartitions|setSecret, opts)
	if err != nil {
		return nil, err
	}
	if replicas < 1 || replicas > maxNodes {
		return nil, fmt.Errorf("ring: replicas is %d, want 1 to %d", replicas, maxNodes)
	}
	sorted, err := members(nodes)
	if err != nil {
		return nil, err
	}
	empty := &Table{replicas: replicas, rest: Rendezvous{cfg: c}}
	return empty.rebalance(sorted)
}

// Rebalance returns the table of nodes, in any order, to which the fewest replicas
// have to move from t's, version Version()+1. A replica moves if its node did not
// hold the partition before; among the tables with the fewest moves it is one
// in which few partitions change their owner. If nodes are the same as before, it
// returns t.
//
// The result depends on t: where two processes rebalance the same table for
// different nodes, both get the same version, so let one do it. With 100 nodes and
// 4096 partitions it takes 5 ms when a node joins, and up to a second when all
// weights and zones change at once. The errors are those of [NewTable].
func (t *Table) Rebalance(nodes []Node) (*Table, error) {
	if t.rest.cfg.partitions == 0 {
		panic("ring: Rebalance of a zero Table: make it by NewTable")
	}
	sorted, err := members(nodes)
	if err != nil {
		return nil, err
	}
	if slices.Equal(sorted, t.rest.nodes) {
		return t, nil
	}
	return t.rebalance(sorted)
}

// rebalance returns the table that follows t with nodes, which are checked and
// sorted.
func (t *Table) rebalance(nodes []Node) (*Table, error) {
	next := &Table{
		copies: min(t.replicas, len(nodes)), replicas: t.replicas, version: t.version + 1,
		rest: *makeRendezvous(t.rest.cfg, nodes),
	}
	if all := int64(next.copies) * int64(next.Partitions()); all > maxReplicas {
		return nil, fmt.Errorf("%w: %d replicas in all, want at most %d", ErrTooManyNodes, all, maxReplicas)
	}
	if next.copies > 0 {
		next.cells = assign(t, next)
	}
	return next, nil
}

// Version returns 1 for a table that [NewTable] made, and one more with every
// [Table.Rebalance] that led to it from there.
func (t *Table) Version() uint64 { return t.version }

// Partitions returns the number of partitions.
func (t *Table) Partitions() int { return t.rest.cfg.partitions }

// Replicas returns on how many nodes a partition is kept if there are so many.
func (t *Table) Replicas() int { return t.replicas }

// Partition returns the partition of h, from 0 to Partitions()-1: its top bits. It
// is 0 in a zero Table, which has none. h is as for [Table.OwnerHash].
func (t *Table) Partition(h uint64) int { return int(hash64.Reduce(h, uint64(t.rest.cfg.partitions))) }

// Range returns the positions of a partition, the whole ring if there is only
// one, and for a partition that does not exist.
func (t *Table) Range(partition int) Range {
	n := t.Partitions()
	if uint(partition) >= uint(n) || n == 1 {
		return Range{}
	}
	shift := 64 - bits.TrailingZeros(uint(n))
	return Range{uint64(partition)<<shift - 1, uint64(partition+1)<<shift - 1}
}

// AppendReplicas appends the indices of the nodes that hold a partition to dst,
// the owner first: as many as Replicas, or all nodes if there are fewer. A
// partition that does not exist has none.
func (t *Table) AppendReplicas(dst []int, partition int) []int {
	if uint(partition) >= uint(t.Partitions()) {
		return dst
	}
	for _, i := range t.row(partition) {
		dst = append(dst, int(i))
	}
	return dst
}

func (t *Table) row(partition int) []uint16 {
	return t.cells[partition*t.copies : (partition+1)*t.copies]
}

// Len returns the number of nodes.
func (t *Table) Len() int { return t.rest.Len() }

// Node returns the i-th node in the order of IDs, a zero Node if there is none.
func (t *Table) Node(i int) Node { return t.rest.Node(i) }

// Lookup returns the node of that ID; ok is false if there is none. It takes
// O(log n) time.
func (t *Table) Lookup(id string) (n Node, ok bool) {
	i, ok := search(t.rest.nodes, id)
	if !ok {
		return Node{}, false
	}
	return t.rest.nodes[i], true
}

// Owner returns the ID of the node that key belongs to; ok is false if there are
// no nodes.
func (t *Table) Owner(key []byte) (id string, ok bool) { return t.OwnerHash(t.rest.cfg.hash(key)) }

// OwnerString equals Owner([]byte(key)).
func (t *Table) OwnerString(key string) (id string, ok bool) {
	return t.OwnerHash(t.rest.cfg.hashString(key))
}

// OwnerHash is Owner for a key that hashes to h: distkit.Hash(key), or under
// WithSecret Secret.Hash(key) with the same secret. The partition is its top
// bits, which are not remixed: small integers all share one partition.
func (t *Table) OwnerHash(h uint64) (id string, ok bool) {
	i := t.Locate(h)
	if i < 0 {
		return "", false
	}
	return t.rest.ids[i], true
}

// Locate returns the index of the owner of h, -1 if there are no nodes. h is as
// for [Table.OwnerHash].
func (t *Table) Locate(h uint64) int {
	if len(t.cells) == 0 {
		return -1
	}
	return int(t.cells[t.Partition(h)*t.copies])
}

// AppendLocate appends the indices of the first n distinct nodes in h's
// preference order to dst, of all nodes if n > Len: those that hold h's
// partition, then the others in an order that is the partition's own, by the zone
// rule. It allocates nothing if dst has room; more than Replicas take O(Len +
// n log Len) time.
func (t *Table) AppendLocate(dst []int, h uint64, n int) []int {
	n = min(n, t.Len())
	if n <= 0 {
		return dst
	}
	partition := t.Partition(h)
	if n <= t.copies {
		for _, i := range t.row(partition)[:n] {
			dst = append(dst, int(i))
		}
		return dst
	}
	p := borrowPlaces(&t.rest.zones, t.Len())
	list, dst := extend(dst, n)
	for _, i := range t.row(partition) {
		list[p.offer(int(i))] = int(i)
	}
	t.rest.fill(list, p, uint64(partition), n-t.copies)
	p.giveBack()
	return dst
}

// AppendOwners appends the IDs of the first n distinct nodes in key's preference
// order to dst, as [Table.AppendLocate] does with indices.
func (t *Table) AppendOwners(dst []string, key []byte, n int) []string {
	return t.AppendOwnersHash(dst, t.rest.cfg.hash(key), n)
}

// AppendOwnersString equals AppendOwners(dst, []byte(key), n).
func (t *Table) AppendOwnersString(dst []string, key string, n int) []string {
	return t.AppendOwnersHash(dst, t.rest.cfg.hashString(key), n)
}

// AppendOwnersHash is AppendOwners for a key that hashes to h; h is as for
// [Table.OwnerHash].
func (t *Table) AppendOwnersHash(dst []string, h uint64, n int) []string {
	list := borrowList()
	*list = t.AppendLocate(*list, h, n)
	return list.giveBack(dst, t.rest.ids)
}
