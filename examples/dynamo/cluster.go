package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/distkit/distkit"
	"github.com/distkit/distkit/examples/internal/node"
	"github.com/distkit/distkit/ring"
)

// Cluster runs its nodes in this process, each on a loopback port and in a
// folder of its own, and kills and revives them.
type Cluster struct {
	settings node.Settings
	platform Platform
	dir      string
	client   *http.Client
	network  network

	mu      sync.RWMutex
	members []ring.Node           // running or not, in the order in which they came
	nodes   map[string]*node.Node // those that run
	addrs   map[string]string     // of all
}

// startCluster starts nodes in that many zones, in turn.
func startCluster(dir string, nodes, zones int, s node.Settings, p Platform) (*Cluster, error) {
	c := &Cluster{dir: dir, platform: p, client: &http.Client{Timeout: 5 * time.Second, Transport: p.Transport}, nodes: map[string]*node.Node{}, addrs: map[string]string{}}
	for i := range nodes {
		c.members = append(c.members, ring.Node{ID: fmt.Sprintf("node-%d", i+1), Weight: 1, Zone: fmt.Sprintf("zone-%c", 'a'+i%zones)})
	}
	s.Founders = c.Members()
	c.settings = s
	for _, m := range c.members {
		if err := c.Start(m.ID); err != nil {
			return nil, errors.Join(err, c.Close())
		}
	}
	return c, nil
}

// Members returns all nodes, running or not.
func (c *Cluster) Members() []ring.Node {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return slices.Clone(c.members)
}

// known refuses a name that no node has. The caller holds mu.
func (c *Cluster) known(name string) error {
	if !slices.ContainsFunc(c.members, func(m ring.Node) bool { return m.ID == name }) {
		return fmt.Errorf("node is %q, want one of the %d members", name, len(c.members))
	}
	return nil
}

// Start starts a node that does not run, on its old port if that is free, with
// whatever its folder holds.
func (c *Cluster) Start(name string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.known(name); err != nil {
		return err
	}
	if c.nodes[name] != nil {
		return fmt.Errorf("%s runs already", name)
	}
	var l net.Listener
	err := errors.New("no port yet")
	if addr := c.addrs[name]; addr != "" {
		l, err = c.platform.Listen(addr)
	}
	if err != nil {
		if l, err = c.platform.Listen("127.0.0.1:0"); err != nil {
			return err
		}
	}
	c.addrs[name] = name
	if l != nil {
		c.addrs[name] = l.Addr().String()
	}
	n, err := node.Start(name, filepath.Join(c.dir, name), c.settings, c.platform.Platform, l, c.peersOf(name))
	if err != nil {
		return err
	}
	c.nodes[name] = n
	return nil
}

// peersOf returns how a node calls the others, over the network that can be cut.
func (c *Cluster) peersOf(name string) node.Peers {
	return c.network.peersOf(name, node.HTTPPeers(c.client, name, c.Addr))
}

// Kill ends a node as a crash would.
func (c *Cluster) Kill(name string) error {
	c.mu.Lock()
	n := c.nodes[name]
	delete(c.nodes, name)
	c.mu.Unlock()
	if n == nil {
		return fmt.Errorf("node is %q, want one that runs", name)
	}
	return n.Stop(true)
}

// Cut cuts the network: each node reaches those of its own group only, and the
// nodes that no group names reach each other.
func (c *Cluster) Cut(groups ...[]string) error {
	c.mu.RLock()
	defer c.mu.RUnlock()
	for _, name := range slices.Concat(groups...) {
		if err := c.known(name); err != nil {
			return err
		}
	}
	c.network.cut(groups...)
	return nil
}

// Heal ends every cut.
func (c *Cluster) Heal() { c.network.heal() }

// Wipe removes all that a node which does not run has on disk.
func (c *Cluster) Wipe(name string) error {
	c.mu.RLock()
	defer c.mu.RUnlock()
	if err := c.known(name); err != nil {
		return err
	}
	if c.nodes[name] != nil {
		return fmt.Errorf("%s runs: its disk is in use", name)
	}
	return c.platform.Remove(filepath.Join(c.dir, name))
}

// Close ends all nodes.
func (c *Cluster) Close() error {
	var err error
	for _, n := range c.Running() {
		err = errors.Join(err, n.Stop(false))
	}
	c.mu.Lock()
	clear(c.nodes)
	c.mu.Unlock()
	c.client.CloseIdleConnections()
	return err
}

// Addr returns a node's host:port.
func (c *Cluster) Addr(name string) string {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.addrs[name]
}

// Running returns the nodes that run, by name.
func (c *Cluster) Running() []*node.Node {
	c.mu.RLock()
	defer c.mu.RUnlock()
	var list []*node.Node
	for _, m := range c.members {
		if n := c.nodes[m.ID]; n != nil {
			list = append(list, n)
		}
	}
	return list
}

// Ring returns the ring as the first running node sees it.
func (c *Cluster) Ring() *ring.Ring {
	if running := c.Running(); len(running) > 0 {
		return running[0].Members().Ring()
	}
	return nil
}

// AwaitAgreement returns when every running node sees exactly the running nodes
// alive that it reaches, and all have the same ring.
func (c *Cluster) AwaitAgreement(ctx context.Context) error {
	return await(ctx, "the nodes do not agree who is alive", c.agree)
}

const lookEvery = 25 * time.Millisecond

// await looks every now and then whether something holds.
func await(ctx context.Context, fault string, holds func() bool) error {
	for !holds() {
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s: %w", fault, context.Cause(ctx))
		case <-time.After(lookEvery):
		}
	}
	return nil
}

func (c *Cluster) agree() bool {
	running := c.Running()
	for _, n := range running {
		if n.Members().Ring().Fingerprint() != running[0].Members().Ring().Fingerprint() {
			return false
		}
		for _, m := range c.Members() {
			up := c.running(m.ID) && c.network.reaches(n.Name(), m.ID)
			if n.Members().Up(m.ID) != up {
				return false
			}
		}
	}
	return true
}

// Copies are all owners' copies of one key, by owner; of an owner that is down,
// none.
type Copies map[string]node.Versions

// Inspect reads every key on every running node, past the API, as only the
// owner of a cluster in one process can.
func (c *Cluster) Inspect() (map[string]Copies, error) {
	all := map[string]Copies{}
	for _, n := range c.Running() {
		r := n.Members().Ring()
		held, err := n.Engine().All()
		if errors.Is(err, os.ErrClosed) {
			continue // it died meanwhile
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", n.Name(), err)
		}
		for key, data := range held {
			v, err := node.DecodeVersions(data)
			if err != nil {
				return nil, fmt.Errorf("%s, key %q: %w", n.Name(), key, err)
			}
			copies := all[key]
			if copies == nil {
				copies = Copies{}
				for _, owner := range r.AppendOwnersHash(nil, distkit.HashString(key), n.N) {
					if c.running(owner) {
						copies[owner] = node.Versions{}
					}
				}
				all[key] = copies
			}
			if _, owner := copies[n.Name()]; owner {
				copies[n.Name()] = v
			}
		}
	}
	return all, nil
}

func (c *Cluster) running(name string) bool {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.nodes[name] != nil
}

// Conflicts counts the keys with that prefix of which some copy has more than one
// value.
func (c *Cluster) Conflicts(prefix string) (count int, err error) {
	all, err := c.Inspect()
	for key, copies := range all {
		for _, v := range copies {
			if strings.HasPrefix(key, prefix) && v.Len() > 1 {
				count++
				break
			}
		}
	}
	return count, err
}

// State counts what is not as it should be for ever.
type State struct {
	Keys     int
	Hints    int
	Siblings int // keys with more than one value
	Diverged int // keys of which some owner lacks a version
}

func (c *Cluster) State() (State, error) {
	all, err := c.Inspect()
	if err != nil {
		return State{}, err
	}
	s := State{Keys: len(all)}
	behind := map[string]bool{}
	for _, n := range c.Running() {
		s.Hints += n.Hints()
		for _, key := range n.Awaited() {
			behind[key] = true
		}
	}
	for key, copies := range all {
		var first *node.Versions
		siblings := false
		for _, v := range copies {
			if first == nil {
				first = &v
			}
			if !v.Equal(*first) {
				behind[key] = true
			}
			siblings = siblings || v.Len() > 1
		}
		if siblings {
			s.Siblings++
		}
	}
	s.Diverged = len(behind)
	return s, nil
}

// Engine returns the sum of what the engines of the running nodes counted.
func (c *Cluster) Engine() node.EngineStats {
	var sum node.EngineStats
	for _, n := range c.Running() {
		s := n.Engine().Stats()
		sum.Segments += s.Segments
		sum.Reads += s.Reads
		sum.CacheHits += s.CacheHits
		sum.DiskReads += s.DiskReads
		sum.Skipped += s.Skipped
		sum.FalseReads += s.FalseReads
	}
	return sum
}

// Repairs returns the sum of what the running nodes counted.
func (c *Cluster) Repairs() node.RepairStats {
	var sum node.RepairStats
	for _, n := range c.Running() {
		sum = sum.Plus(n.Repairs())
	}
	return sum
}
