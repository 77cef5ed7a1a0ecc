package main

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/distkit/distkit/examples/internal/node"
)

// network is what lies between the nodes, which can be cut.
type network struct {
	mu   sync.RWMutex
	side map[string]int // of the nodes; all on one while it is nil

	messages atomic.Uint64
}

// lossTimeout is after how long a message counts as lost.
const lossTimeout = 300 * time.Millisecond

var errLost = fmt.Errorf("the network is cut: %w", node.ErrUnsent)

// cut leaves each of these nodes only with those of its group; the nodes that no
// group names are on a side of their own, together.
func (n *network) cut(groups ...[]string) {
	side := map[string]int{}
	for i, group := range groups {
		for _, name := range group {
			side[name] = i + 1
		}
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.side = side
}

func (n *network) heal() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.side = nil
}

// reaches reports whether messages get from one node to another.
func (n *network) reaches(from, to string) bool {
	n.mu.RLock()
	defer n.mu.RUnlock()
	return n.side[from] == n.side[to]
}

// carry returns nil if a message from one node to another arrives. If it does
// not, nobody says so: it returns errLost when the sender has waited enough.
func (n *network) carry(ctx context.Context, from, to string) error {
	n.messages.Add(1)
	if n.reaches(from, to) {
		return nil
	}
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(lossTimeout):
		return errLost
	}
}

// peersOf returns how self calls the others over this network.
func (n *network) peersOf(self string, over node.Peers) node.Peers { return &cutPeers{over, self, n} }

// cutPeers are Peers whose messages a network carries.
type cutPeers struct {
	node.Peers
	self    string
	network *network
}

func (p *cutPeers) Call(ctx context.Context, to, path string, body []byte) ([]byte, error) {
	if err := p.network.carry(ctx, p.self, to); err != nil {
		return nil, fmt.Errorf("%s: %w", to, err)
	}
	return p.Peers.Call(ctx, to, path, body)
}

func (p *cutPeers) Forward(r *http.Request, to string, body []byte) (*http.Response, error) {
	if err := p.network.carry(r.Context(), p.self, to); err != nil {
		return nil, fmt.Errorf("%s: %w", to, err)
	}
	return p.Peers.Forward(r, to, body)
}
