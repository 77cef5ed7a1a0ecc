package node

import (
	"context"

	"github.com/distkit/distkit/ring"
)

// Members is a node's view of the cluster. Who is a member decides where keys
// live and changes by a command only; who is alive only says whom to ask.
type Members interface {
	// Ring is made of all members, alive or not.
	Ring() *ring.Ring
	// Up reports whether the named node seems to live.
	Up(name string) bool
	// State says in a word how the named node is.
	State(name string) string
	// Join makes n a member: soon in this node's Ring, and as word spreads in that
	// of the others.
	Join(n ring.Node) error
	// Run keeps the view up to date until ctx is done. It calls round again and
	// again, as often as something may have changed.
	Run(ctx context.Context, round func())
}

// tokensPerNode is how many tokens a member of weight 1 has on the ring.
const tokensPerNode = 64

// NewRing makes the ring of these members: the same one on every node.
func NewRing(members []ring.Node) (*ring.Ring, error) {
	return ring.New(members, ring.WithVirtualNodes(tokensPerNode))
}

// exchanger is how Members talk over the nodes' own HTTP, if they do.
type exchanger interface {
	answer(body []byte) ([]byte, error)
}
