package node

import (
	"context"
	"encoding/json"
	"iter"
	"net/http"
	"slices"

	"github.com/distkit/distkit/cms"
	"github.com/distkit/distkit/hll"
	"github.com/distkit/distkit/merkle"
)

// What a program sees of a node that it runs, past the API.

// Name returns the node's name.
func (n *Node) Name() string { return n.name }

// ServeHTTP serves the public API and the messages of other nodes.
func (n *Node) ServeHTTP(w http.ResponseWriter, r *http.Request) { n.handler.ServeHTTP(w, r) }

// Life ends when the node does.
func (n *Node) Life() context.Context { return n.life }

// Members returns the node's view of the cluster.
func (n *Node) Members() Members { return n.members }

// Engine returns where the node keeps its keys.
func (n *Node) Engine() Engine { return n.engine }

// Tree returns the hash tree over all of the node's copies, as it is now.
func (n *Node) Tree() *merkle.Tree { return n.rows.snapshot() }

// Copy returns the node's own copy of key, which is empty if it has none.
func (n *Node) Copy(key string) (Versions, error) { return n.load(key) }

// Hints returns how many hints the node keeps for others.
func (n *Node) Hints() int { return n.hints.pending() }

// Collected returns how many copies of deleted keys, and of keys that moved to
// other nodes, this node has forgotten.
func (n *Node) Collected() uint64 { return n.graves.collected.Load() }

// Awaited returns the keys of which some owner's copy is behind because a hint
// for it is here.
func (n *Node) Awaited() []string {
	var keys []string
	for _, c := range n.hints.waiting() {
		keys = append(keys, c.key)
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}

// Usage returns what clients asked all nodes for, and who they were, as far as
// this node has heard.
func (n *Node) Usage() (*cms.TopK, *hll.Sketch, error) { return n.usage.all() }

// Denied yields the clients that were told to wait most often, and how often.
func (n *Node) Denied() iter.Seq2[string, uint64] { return n.limits.deniedMost() }

// DeniedTo returns how often a client was told to wait, and all clients.
func (n *Node) DeniedTo(client string) (own, all uint64) { return n.limits.deniedTo(client) }

// RepairStats is what anti-entropy cost a node as the side that asks.
type RepairStats struct {
	Sessions  uint64 `json:"sessions"`
	HashBytes uint64 `json:"hash_bytes"` // of hashes and positions
	Copies    uint64 `json:"copies"`     // fetched and sent
	CopyBytes uint64 `json:"copy_bytes"`
}

// Repairs returns what anti-entropy has cost so far.
func (n *Node) Repairs() RepairStats {
	r := &n.repairs
	return RepairStats{r.sessions.Load(), r.hashBytes.Load(), r.copies.Load(), r.copyBytes.Load()}
}

// Plus adds what two nodes counted.
func (s RepairStats) Plus(o RepairStats) RepairStats {
	return RepairStats{s.Sessions + o.Sessions, s.HashBytes + o.HashBytes, s.Copies + o.Copies, s.CopyBytes + o.CopyBytes}
}

// Since returns what was counted after before.
func (s RepairStats) Since(before RepairStats) RepairStats {
	return RepairStats{s.Sessions - before.Sessions, s.HashBytes - before.HashBytes, s.Copies - before.Copies, s.CopyBytes - before.CopyBytes}
}

// State is what a node tells of itself under /v1/state.
type State struct {
	Node    string      `json:"node"`
	Ring    string      `json:"ring"` // fingerprint
	Up      []string    `json:"up"`   // members that seem to live
	Keys    int         `json:"keys"`
	Hints   int         `json:"hints"` // kept for others
	Repairs RepairStats `json:"repairs"`
}

func (n *Node) serveState(w http.ResponseWriter, _ *http.Request) error {
	s := State{
		Node: n.name, Ring: FingerprintName(n.members.Ring()), Up: append(n.upOthers(), n.name),
		Keys: n.rows.snapshot().Len(), Hints: n.Hints(), Repairs: n.Repairs(),
	}
	slices.Sort(s.Up)
	w.Header().Set("Content-Type", "application/json")
	return json.NewEncoder(w).Encode(s)
}
