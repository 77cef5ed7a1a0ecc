package gossip

import (
	"errors"

	"github.com/distkit/distkit/internal/codec"
)

const imageVersion = 0

// MarshalBinary returns the image of the table: who is a member, and the last
// incarnation of this node. Keep it, above all after Join and Leave and after
// messages that changed a membership: a node that restarts with it knows the
// ring at once and is never taken for its own past. Liveness is not in it.
func (t *Table) MarshalBinary() ([]byte, error) { return t.AppendBinary(nil) }

// AppendBinary appends the image, see [Table.MarshalBinary].
func (t *Table) AppendBinary(dst []byte) ([]byte, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.nodes == nil {
		return dst, errors.New("gossip: image of a Table that New did not make")
	}
	payload := appendText(nil, t.self)
	count := uint64(0)
	for _, name := range t.names() {
		if n := t.nodes[name]; n.admin.Status != Unknown {
			payload = n.admin.append(appendText(payload, name))
			count++
		}
	}
	start := len(dst)
	h := codec.Header{
		Kind: codec.GossipTable, Version: imageVersion,
		Params: []uint64{max(t.floor, t.nodes[t.self].version.incarnation), count},
	}
	dst = append(codec.AppendHeader(dst, h, len(payload)), payload...)
	return codec.AppendSum(dst, start), nil
}

// UnmarshalBinary makes the table what it was when the image was made, with the
// liveness of a process that just began. A table made by New keeps its options
// and takes only an image of itself; a zero Table becomes the one of the image,
// with default options. An image of another node, or of more nodes than
// WithMaxNodes allows, is ErrIncompatible, whatever else is wrong ErrCorrupt. On
// an error nothing changes.
func (t *Table) UnmarshalBinary(data []byte) error {
	h, payload, err := codec.Parse(data, codec.GossipTable, imageVersion)
	if err == nil {
		err = h.Check(0, 2, 0)
	}
	if err != nil {
		return err
	}
	if h.Params[0] == ^uint64(0) {
		return codec.Corrupt(codec.GossipTable, "incarnation is %d", h.Params[0])
	}
	c := &cursor{rest: payload}
	self := c.next("")
	nodes := make(map[string]*node)
	last := ""
	for range h.Params[1] {
		n := &node{name: c.next(last), admin: c.admin()}
		if n.admin.Status == Unknown {
			c.fail("node %q without a status", n.name)
		}
		if c.err != nil {
			break
		}
		nodes[n.name] = n
		last = n.name
	}
	if err := c.close(); err != nil {
		return err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	cfg := t.config
	if t.nodes == nil {
		cfg = defaults()
	} else if self != t.self {
		return codec.Incompatible("gossip", "image of node %q, table of node %q", self, t.self)
	}
	if nodes[self] == nil {
		nodes[self] = &node{name: self}
	}
	if len(nodes) > cfg.maxNodes {
		return codec.Incompatible("gossip", "image of %d nodes, want at most %d", len(nodes), cfg.maxNodes)
	}
	t.self, t.config, t.nodes, t.floor = self, cfg, nodes, h.Params[0]
	t.publish()
	return nil
}
