package main

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"
)

// network is what lies between the nodes, which can be cut.
type network struct {
	mu   sync.RWMutex
	side map[string]int // of the nodes; all on one while it is nil

	messages atomic.Uint64
}

// lossTimeout is after how long a message counts as lost.
const lossTimeout = 300 * time.Millisecond

var errLost = errors.New("the message got no answer: the network is cut")

// cut leaves each of these nodes only with those of its group; the nodes that no
// group names are on a side of their own, together.
func (n *network) cut(groups ...[]string) {
	side := map[string]int{}
	for i, group := range groups {
		for _, node := range group {
			side[node] = i + 1
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
