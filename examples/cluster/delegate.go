package main

import (
	"log"
	"maps"

	"github.com/hashicorp/memberlist"
)

// delegate is what memberlist asks and tells.
type delegate struct {
	*members
	own []byte // metadata
}

// NodeMeta returns what this node tells of itself.
func (d *delegate) NodeMeta(limit int) []byte { return d.own[:min(len(d.own), limit)] }

// LocalState returns every decision about members.
func (d *delegate) LocalState(bool) []byte {
	state, err := d.table.AppendDelta(nil, d.empty)
	if err != nil {
		log.Printf("%s: state for another node: %v", d.self, err)
	}
	return state
}

// MergeRemoteState takes in what another node's LocalState told.
func (d *delegate) MergeRemoteState(state []byte, _ bool) { d.learn(state) }

// NotifyMsg takes in what another node's Join told.
func (d *delegate) NotifyMsg(news []byte) { d.learn(news) }

func (d *delegate) learn(state []byte) {
	if err := d.table.Apply(state); err != nil { // which copies what it keeps
		log.Printf("%s: state of another node: %v", d.self, err)
	}
}

// GetBroadcasts has nothing to send: decisions are rare, and go by TCP.
func (d *delegate) GetBroadcasts(int, int) [][]byte { return nil }

// NotifyAlive refuses nodes that do not say where they serve.
func (d *delegate) NotifyAlive(n *memberlist.Node) error {
	_, err := decodeMeta(n.Meta)
	return err
}

// NotifyJoin and its like keep what Up and Addr tell.
func (d *delegate) NotifyJoin(n *memberlist.Node)   { d.note(n, true) }
func (d *delegate) NotifyUpdate(n *memberlist.Node) { d.note(n, true) }
func (d *delegate) NotifyLeave(n *memberlist.Node)  { d.note(n, false) }

func (d *delegate) note(n *memberlist.Node, up bool) {
	m, err := decodeMeta(n.Meta)
	if err != nil {
		return // NotifyAlive has refused it
	}
	d.peersMu.Lock()
	defer d.peersMu.Unlock()
	peers := maps.Clone(*d.peers.Load())
	peers[n.Name] = peer{m, n.Address(), up}
	d.peers.Store(&peers)
}
