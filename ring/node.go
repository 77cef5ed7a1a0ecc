package ring

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/distkit/distkit/internal/codec"
)

// Errors of this package, to be tested for with errors.Is. What is returned
// names the node or the parameter, too.
var (
	// ErrDuplicateNode says that a node is there already, or twice in one call.
	ErrDuplicateNode = errors.New("ring: duplicate node")
	// ErrUnknownNode says that a node to be removed or updated is not there.
	ErrUnknownNode = errors.New("ring: unknown node")
	// ErrInvalidNode says that a node has no ID, a weight that is negative,
	// infinite or not a number, or no tokens.
	ErrInvalidNode = errors.New("ring: invalid node")
	// ErrTooManyNodes says that there would be more than 65,536 nodes, or in all
	// more than 2^28 tokens of a Ring or 2^26 replicas of a [Table].
	ErrTooManyNodes = errors.New("ring: too many nodes")
	// ErrIncompatible says that two rings, or an image and its receiver, do not
	// go together: another secret, or tokens from a function on one side only.
	// It is the same value in all packages of distkit.
	ErrIncompatible = codec.ErrIncompatible
	// ErrCorrupt says that bytes are no image of the type that decodes them.
	// It is the same value in all packages of distkit.
	ErrCorrupt = codec.ErrCorrupt
)

const (
	maxNodes  = 1 << 16
	maxTokens = 1 << 28
)

// Node is a member: a server, a shard, a backend. Nodes compare with ==.
type Node struct {
	ID     string  // unique among the nodes, not empty
	Weight float64 // relative capacity, finite; 0 means 1, so drain a node by removing it
	Zone   string  // failure domain over which replicas are spread; may be empty
}

// Nodes returns a node of weight 1 and without a zone for each id.
func Nodes(ids ...string) []Node {
	nodes := make([]Node, len(ids))
	for i, id := range ids {
		nodes[i] = Node{ID: id, Weight: 1}
	}
	return nodes
}

// Locator is what [Ring], [Rendezvous], [Maglev] and [Table] have in common: a
// fixed set of nodes and, for every hash, an order of preference among them. A
// Locator is immutable and safe for concurrent use.
type Locator interface {
	// Len returns the number of nodes.
	Len() int
	// Node returns the i-th node in the order of IDs, a zero Node if there is none.
	Node(i int) Node
	// Locate returns the index of h's owner, -1 if there are no nodes.
	Locate(h uint64) int
	// AppendLocate appends the indices of the first n distinct nodes for h in
	// order of preference to dst: of all nodes if n > Len, of none if n <= 0.
	AppendLocate(dst []int, h uint64, n int) []int
}

// members returns a checked copy of nodes, sorted by ID, with weights that are
// never 0.
func members(nodes []Node) ([]Node, error) {
	if len(nodes) > maxNodes {
		return nil, fmt.Errorf("%w: %d, want at most %d", ErrTooManyNodes, len(nodes), maxNodes)
	}
	sorted := append(make([]Node, 0, len(nodes)), nodes...)
	for i := range sorted {
		n := &sorted[i]
		if n.ID == "" {
			return nil, fmt.Errorf("%w: node %d has an empty ID", ErrInvalidNode, i)
		}
		if !(n.Weight >= 0) || math.IsInf(n.Weight, 1) {
			return nil, fmt.Errorf("%w: weight of %q is %g, want a finite number >= 0", ErrInvalidNode, n.ID, n.Weight)
		}
		if n.Weight == 0 {
			n.Weight = 1
		}
	}
	slices.SortFunc(sorted, func(a, b Node) int { return cmp.Compare(a.ID, b.ID) })
	for i := 1; i < len(sorted); i++ {
		if sorted[i-1].ID == sorted[i].ID {
			return nil, fmt.Errorf("%w: %q", ErrDuplicateNode, sorted[i].ID)
		}
	}
	return sorted, nil
}

// search returns where id is among nodes sorted by ID, or where it would be.
func search(nodes []Node, id string) (int, bool) {
	return slices.BinarySearchFunc(nodes, id, func(n Node, id string) int { return cmp.Compare(n.ID, id) })
}

// nodeAt returns the i-th node, or a zero Node.
func nodeAt(nodes []Node, i int) Node {
	if uint(i) >= uint(len(nodes)) {
		return Node{}
	}
	return nodes[i]
}
