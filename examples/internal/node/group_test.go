package node

import (
	"bytes"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/distkit/distkit"
	"github.com/distkit/distkit/ring"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// group is five nodes in three zones, for tests.
type group struct {
	t        *testing.T
	dir      string
	settings Settings
	client   *http.Client
	names    []string
	nodes    map[string]*Node // those that run
	addrs    map[string]string
}

const victim = "node-3"

var usual = Settings{N: 3, R: 2, W: 2, Fsync: FsyncOff, HintRate: 10_000, RepairEvery: 200 * time.Millisecond}

// startGroup starts the nodes and waits until they agree on who is alive.
func startGroup(t *testing.T, s Settings) (*group, *Client) {
	t.Helper()
	g := &group{
		t: t, dir: t.TempDir(), settings: s, nodes: map[string]*Node{}, addrs: map[string]string{},
		client: &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 16}},
	}
	listeners := map[string]net.Listener{}
	for i := range 5 {
		name := fmt.Sprintf("node-%d", i+1)
		g.names = append(g.names, name)
		g.settings.Founders = append(g.settings.Founders, ring.Node{ID: name, Weight: 1, Zone: fmt.Sprintf("zone-%c", 'a'+i%3)})
		l, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		g.addrs[name], listeners[name] = l.Addr().String(), l
	}
	t.Cleanup(func() {
		for _, n := range g.nodes {
			assert.NoError(t, n.Stop(false))
		}
		g.client.CloseIdleConnections()
	})
	for _, name := range g.names {
		g.start(name, listeners[name])
	}
	require.Eventually(t, g.agree, 10*time.Second, 20*time.Millisecond)
	client, err := NewClient(t.Context(), g.client, g.addr, "node-1", RouteAware)
	require.NoError(t, err)
	return g, client
}

func (g *group) addr(name string) string { return g.addrs[name] }

func (g *group) start(name string, l net.Listener) *Node {
	g.t.Helper()
	n, err := Start(name, filepath.Join(g.dir, name), g.settings, Platform{}, l, HTTPPeers(g.client, name, g.addr))
	require.NoError(g.t, err)
	g.nodes[name] = n
	return n
}

// restart starts a node on the port that it had.
func (g *group) restart(name string) *Node {
	g.t.Helper()
	l, err := net.Listen("tcp", g.addrs[name])
	require.NoError(g.t, err)
	return g.start(name, l)
}

func (g *group) kill(name string) {
	g.t.Helper()
	n := g.nodes[name]
	delete(g.nodes, name)
	require.NoError(g.t, n.Stop(true))
}

func (g *group) wipe(name string) {
	g.t.Helper()
	require.NoError(g.t, os.RemoveAll(filepath.Join(g.dir, name)))
}

func (g *group) agree() bool {
	for _, n := range g.nodes {
		for _, name := range g.names {
			if n.members.Up(name) != (g.nodes[name] != nil) {
				return false
			}
		}
	}
	return true
}

func (g *group) repairs() (sum RepairStats) {
	for _, n := range g.nodes {
		sum = sum.Plus(n.Repairs())
	}
	return sum
}

// differ counts the keys of which two owners that run hold different copies.
func (g *group) differ() (count int) {
	copies := map[string][]byte{}
	bad := map[string]bool{}
	for _, n := range g.nodes {
		all, err := n.engine.All()
		require.NoError(g.t, err)
		for key, value := range all {
			for _, owner := range n.members.Ring().AppendOwnersHash(nil, distkit.HashString(key), n.N) {
				other := g.nodes[owner]
				if other == nil {
					continue
				}
				got, _, err := other.engine.Get(key)
				require.NoError(g.t, err)
				if copies[key] == nil {
					copies[key] = value
				}
				if !bytes.Equal(got, copies[key]) {
					bad[key] = true
				}
			}
		}
	}
	return len(bad)
}

// settled waits until all copies agree.
func (g *group) settled() {
	g.t.Helper()
	require.Eventually(g.t, func() bool {
		for _, n := range g.nodes {
			if n.Hints() > 0 {
				return false
			}
		}
		return g.differ() == 0
	}, 20*time.Second, 50*time.Millisecond)
}
