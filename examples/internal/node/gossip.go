package node

// Shows distkit/quorum/gossip: who is a member, and who is alive.

import (
	"context"
	"errors"
	"fmt"
	"log"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/distkit/distkit/quorum/gossip"
	"github.com/distkit/distkit/ring"
)

const gossipInterval = 50 * time.Millisecond

// membership is Members by heartbeats. Its administrative half alone builds the
// ring, and is kept on disk.
type membership struct {
	self  string
	path  string
	peers Peers
	rng   *rand.Rand
	table *gossip.Table
	nodes []ring.Node
	live  *ring.Live

	talks sync.Map       // the peers with which an exchange is under way
	done  sync.WaitGroup // of those
}

// openMembership reads the membership from path, or starts with those members.
func openMembership(self, path string, members []ring.Node, peers Peers, rng *rand.Rand) (*membership, error) {
	table, err := gossip.New(self,
		gossip.WithInterval(gossipInterval),
		gossip.WithPhi(6), // a silence of 14 mean gaps, about 0.8 s
		gossip.WithSuspicion(4*gossipInterval, 20*gossipInterval))
	if err != nil {
		return nil, err
	}
	m := &membership{self: self, path: path, peers: peers, rng: rng, table: table}
	image, err := os.ReadFile(path)
	switch {
	case err == nil:
		if err := table.UnmarshalBinary(image); err != nil {
			return nil, fmt.Errorf("membership %s: %w", path, err)
		}
	case errors.Is(err, os.ErrNotExist):
		for _, n := range members {
			if err := table.Join(n.ID, n.Weight, n.Zone); err != nil {
				return nil, err
			}
		}
	default:
		return nil, err
	}
	empty, err := NewRing(nil)
	if err != nil {
		return nil, err
	}
	m.live = ring.NewLive(empty)
	return m, m.follow()
}

// follow rebuilds the ring and writes the membership down if it changed.
func (m *membership) follow() error {
	var nodes []ring.Node
	for id, state := range m.table.Members() {
		nodes = append(nodes, ring.Node{ID: id, Weight: state.Weight, Zone: state.Zone})
	}
	if slices.Equal(nodes, m.nodes) {
		return nil
	}
	image, err := m.table.MarshalBinary()
	if err != nil {
		return err
	}
	if err := WriteFile(m.path, image); err != nil {
		return err
	}
	next, err := NewRing(nodes)
	if err != nil {
		return err
	}
	m.live.CompareAndSwap(m.live.Load(), next)
	m.nodes = nodes
	return nil
}

func (m *membership) Ring() *ring.Ring         { return m.live.Load() }
func (m *membership) Up(name string) bool      { return m.table.Up(name) }
func (m *membership) State(name string) string { return m.table.State(name).Live.String() }
func (m *membership) Join(n ring.Node) error   { return m.table.Join(n.ID, n.Weight, n.Zone) }

// Run gossips, and follows what it hears.
func (m *membership) Run(ctx context.Context, round func()) {
	tick := time.NewTicker(gossipInterval)
	defer tick.Stop()
	defer m.done.Wait()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		m.table.Tick()
		if others := m.others(); len(others) > 0 {
			m.talk(ctx, others[m.rng.IntN(len(others))])
		}
		if err := m.follow(); err != nil {
			log.Printf("%s: membership: %v", m.self, err)
		}
		round()
	}
}

// talk exchanges with peer, beside the ticks, which a peer that does not answer
// must not delay.
func (m *membership) talk(ctx context.Context, peer string) {
	if _, busy := m.talks.LoadOrStore(peer, true); busy {
		return
	}
	m.done.Go(func() {
		// Whether peer lives is what the table finds out from what it hears.
		_ = m.exchange(ctx, peer)
		m.talks.Delete(peer)
	})
}

func (m *membership) others() []string {
	var names []string
	for id := range m.table.Members() {
		if id != m.self {
			names = append(names, id)
		}
	}
	return names
}

// exchange tells peer what this node knows (SYN), takes what it lacks (ACK) and
// sends what the peer lacks (ACK2).
func (m *membership) exchange(ctx context.Context, peer string) error {
	ctx, cancel := context.WithTimeout(ctx, 10*gossipInterval)
	defer cancel()
	syn := gossipMessage{digest: m.table.AppendDigest(nil)}
	answer, err := m.peers.Call(ctx, peer, "/i/gossip", syn.encode())
	if err != nil {
		return err
	}
	ack, err := decodeGossipMessage(answer)
	if err != nil {
		return err
	}
	if err := m.table.Apply(ack.delta); err != nil {
		return err
	}
	delta, err := m.table.AppendDelta(nil, ack.digest)
	if err != nil {
		return err
	}
	_, err = m.peers.Call(ctx, peer, "/i/gossip", gossipMessage{delta: delta}.encode())
	return err
}

// answer is the other side of exchange.
func (m *membership) answer(body []byte) ([]byte, error) {
	in, err := decodeGossipMessage(body)
	if err != nil {
		return nil, err
	}
	if len(in.delta) > 0 {
		return gossipMessage{}.encode(), m.table.Apply(in.delta)
	}
	delta, err := m.table.AppendDelta(nil, in.digest)
	if err != nil {
		return nil, err
	}
	return gossipMessage{delta: delta, digest: m.table.AppendDigest(nil)}.encode(), nil
}

// WriteFile replaces the file at path, whole or not at all, and durably.
func WriteFile(path string, data []byte) error {
	tmp := path + ".tmp"
	f, err := os.OpenFile(tmp, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Rename(tmp, path); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}
