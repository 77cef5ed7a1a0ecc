package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"maps"
	"math/rand/v2"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/distkit/distkit/examples/internal/node"
	"github.com/distkit/distkit/quorum/gossip"
	"github.com/distkit/distkit/ring"
	"github.com/hashicorp/memberlist"
)

// members is node.Members on memberlist, which knows who is alive and where. Who
// is a member is not its business: a node that is dead for memberlist is a member
// still. That half is the administrative one of a gossip.Table, which travels in
// memberlist's exchanges of state and is kept on disk.
type members struct {
	self  string
	path  string
	seeds []string // where others listen, as far as the command line knows
	list  *memberlist.Memberlist
	table *gossip.Table
	empty []byte // digest of a table that knows nobody
	live  *ring.Live

	followMu sync.Mutex
	nodes    []ring.Node // of live

	peersMu sync.Mutex                      // of who replaces peers
	peers   atomic.Pointer[map[string]peer] // never changed, for Up is asked all the time
}

// peer is what memberlist has told of a node.
type peer struct {
	meta
	gossip string // host:port
	up     bool
}

const (
	followEvery = 50 * time.Millisecond
	callEvery   = time.Second     // how often one that is away is called
	streamTime  = 2 * time.Second // for a whole exchange of state
)

// openMembers listens at addr and reads from dir who is a member. It knows nobody
// before Meet.
func openMembers(self, dir, addr string, m meta, seeds []string, errs io.Writer) (_ *members, err error) {
	at, err := netip.ParseAddrPort(addr)
	if err != nil {
		return nil, err
	}
	s := &members{self: self, path: filepath.Join(dir, "members"), seeds: seeds}
	if s.table, err = gossip.New(self); err != nil {
		return nil, err
	}
	nobody, err := gossip.New("nobody")
	if err != nil {
		return nil, err
	}
	s.empty = nobody.AppendDigest(nil)
	none, err := node.NewRing(nil)
	if err != nil {
		return nil, err
	}
	s.live = ring.NewLive(none)
	s.peers.Store(&map[string]peer{})
	switch image, err := os.ReadFile(s.path); {
	case err == nil:
		if err := s.table.UnmarshalBinary(image); err != nil {
			return nil, fmt.Errorf("members in %s: %w", s.path, err)
		}
	case !errors.Is(err, os.ErrNotExist):
		return nil, err
	}
	if err := s.follow(); err != nil {
		return nil, err
	}
	own, err := m.encode()
	if err != nil {
		return nil, err
	}
	s.list, err = memberlist.Create(configure(self, at, &delegate{s, own}, errs))
	return s, err
}

// configure chooses memberlist's constants for a death to be known within a
// second or two on one network. The defaults for a local one, 1 s between probes
// and 30 s between exchanges of state, take five times as long.
func configure(self string, at netip.AddrPort, d *delegate, errs io.Writer) *memberlist.Config {
	c := memberlist.DefaultLANConfig()
	c.Name = self
	c.BindAddr, c.BindPort, c.AdvertisePort = at.Addr().String(), int(at.Port()), int(at.Port())
	c.ProbeInterval = 200 * time.Millisecond
	c.ProbeTimeout = 100 * time.Millisecond
	c.SuspicionMult = 2
	c.GossipInterval = 50 * time.Millisecond
	c.PushPullInterval = 2 * time.Second // what a lost packet told comes this way
	c.TCPTimeout = streamTime
	c.DeadNodeReclaimTime = c.ProbeInterval // a node may come back with another port
	c.Delegate, c.Events, c.Alive = d, d, d
	c.Logger = log.New(onlyErrors{errs}, "", 0)
	return c
}

// onlyErrors drops what memberlist says of its daily work.
type onlyErrors struct{ out io.Writer }

func (w onlyErrors) Write(line []byte) (int, error) {
	if bytes.Contains(line, []byte("[ERR]")) {
		return w.out.Write(line)
	}
	return len(line), nil
}

// Meet calls all seeds, and returns when it knows the members: from disk, from
// another node, or because expect nodes are there who do not know either, and so
// found the cluster.
func (s *members) Meet(ctx context.Context, expect int) error {
	tick := time.NewTicker(followEvery)
	defer tick.Stop()
	var called time.Time
	for {
		if len(s.up()) < 2 && len(s.seeds) > 0 && time.Since(called) > callEvery {
			called = time.Now()
			_, _ = s.list.Join(s.seeds) // who does not answer may call this node later
		}
		if err := s.follow(); err != nil {
			return err
		}
		if s.Ring().Len() > 0 {
			return nil
		}
		if up := s.up(); len(up) >= expect {
			for name, p := range up {
				if err := s.table.Join(name, 1, p.zone); err != nil {
					return err
				}
			}
			continue
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%d of %d nodes are there: %w", len(s.up()), expect, context.Cause(ctx))
		case <-tick.C:
		}
	}
}

// up returns the nodes that are alive.
func (s *members) up() map[string]peer {
	up := maps.Clone(*s.peers.Load())
	maps.DeleteFunc(up, func(_ string, p peer) bool { return !p.up })
	return up
}

// follow writes the members down and rebuilds the ring if they changed.
func (s *members) follow() error {
	s.followMu.Lock()
	defer s.followMu.Unlock()
	var nodes []ring.Node
	for id, state := range s.table.Members() {
		nodes = append(nodes, ring.Node{ID: id, Weight: state.Weight, Zone: state.Zone})
	}
	if slices.Equal(nodes, s.nodes) {
		return nil
	}
	image, err := s.table.MarshalBinary()
	if err != nil {
		return err
	}
	if err := node.WriteFile(s.path, image); err != nil {
		return err
	}
	next, err := node.NewRing(nodes)
	if err != nil {
		return err
	}
	s.live.CompareAndSwap(s.live.Load(), next)
	s.nodes = nodes
	return nil
}

func (s *members) Ring() *ring.Ring { return s.live.Load() }

func (s *members) Up(name string) bool { return name == s.self || (*s.peers.Load())[name].up }

func (s *members) State(name string) string {
	switch p, heard := (*s.peers.Load())[name]; {
	case p.up:
		return "alive"
	case heard:
		return "down"
	}
	return "unheard"
}

// Addr returns where a node serves HTTP, or served when it was last heard of.
func (s *members) Addr(name string) string { return (*s.peers.Load())[name].http.String() }

// Join makes n a member and tells all who are up.
func (s *members) Join(n ring.Node) error {
	if err := s.table.Join(n.ID, n.Weight, n.Zone); err != nil {
		return err
	}
	news, err := s.table.AppendDelta(nil, s.empty)
	if err != nil {
		return err
	}
	for _, peer := range s.list.Members() {
		if peer.Name != s.self {
			_ = s.list.SendReliable(peer, news) // else it comes with the next exchange
		}
	}
	return s.follow()
}

// Run follows what others decide, and calls those that are away: memberlist
// forgets the dead, and two halves of a cut network would never meet again.
func (s *members) Run(ctx context.Context, round func()) {
	var calls sync.WaitGroup
	defer calls.Wait()
	calls.Go(func() { s.callThoseAway(ctx) })
	tick := time.NewTicker(followEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if err := s.follow(); err != nil {
			log.Printf("%s: members: %v", s.self, err)
		}
		round()
	}
}

func (s *members) callThoseAway(ctx context.Context) {
	tick := time.NewTicker(callEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if away := s.away(); len(away) > 0 {
			_, _ = s.list.Join(away[rand.IntN(len(away)):][:1]) // who does not answer is called again
		}
	}
}

// away returns where members that are not up have listened, or the seeds while
// nobody is up.
func (s *members) away() (addrs []string) {
	peers := *s.peers.Load()
	r := s.Ring()
	for i := range r.Len() {
		if p := peers[r.Node(i).ID]; !p.up && p.gossip != "" {
			addrs = append(addrs, p.gossip)
		}
	}
	if len(s.up()) < 2 {
		addrs = append(addrs, s.seeds...)
	}
	return addrs
}

// Leave tells the others that this node goes, so that none has to find out. If
// nobody listens, as when all go at once, that is no fault.
func (s *members) Leave() {
	if err := s.list.Leave(time.Second); err != nil {
		log.Printf("%s: leaving: %v", s.self, err)
	}
}

// Close ends the exchanges.
func (s *members) Close() error { return s.list.Shutdown() }
