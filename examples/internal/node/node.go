package node

// Shows how the packages of distkit make one node of a Dynamo-style store.

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"path/filepath"
	"sync"
	"time"

	"github.com/distkit/distkit"
	"github.com/distkit/distkit/quorum"
	"github.com/distkit/distkit/ring"
)

// Settings are what all nodes of a cluster share.
type Settings struct {
	N, R, W  int  // copies of a key, and how many of them a read and a write wait for
	Strict   bool // only owners count for R and W
	Fsync    Fsync
	HintRate float64 // hints a second that a node hands back to an owner

	RepairEvery time.Duration // between two comparisons of a node with another
	Grace       time.Duration // of a tombstone before it is collected, longer than any message is under way; 0 is for ever
	Founders    []ring.Node   // the members at the first start; afterwards each node's disk knows
}

// Node is one replica: an engine, the hints that it keeps for others, its view
// of the membership, and a coordinator.
type Node struct {
	Settings
	name  string
	actor string // the id of its writes

	actorPath string // where it is kept from a clean end to the next start
	peers     Peers

	engine  Engine
	hints   *handoff
	members Members
	quorum  *quorum.Coordinator
	rows    *rows
	graves  *graves
	usage   *usage
	limits  *limits
	locks   [256]sync.Mutex // by hash: a read, a merge and a write of one key

	epochMu sync.Mutex
	epoch   *epoch

	repairing lease
	repairs   repairCounts

	platform Platform
	handler  http.Handler
	server   *http.Server
	life     context.Context // ends when the node does
	cancel   context.CancelFunc
	done     sync.WaitGroup
}

// Start opens what is in dir and serves on l, which it takes over; where l is nil,
// nothing but calls of ServeHTTP reaches the node.
func Start(name, dir string, s Settings, p Platform, l net.Listener, peers Peers) (_ *Node, err error) {
	n := &Node{Settings: s, name: name, peers: peers, platform: p.orOwn(), epoch: &epoch{}}
	p = n.platform
	ctx, cancel := context.WithCancel(context.Background())
	n.life, n.cancel = ctx, cancel
	defer func() {
		if err != nil {
			if l != nil {
				err = errors.Join(err, l.Close())
			}
			err = fmt.Errorf("starting %s in %s: %w", name, dir, errors.Join(err, n.Stop(true)))
		}
	}()
	if n.engine, err = p.Open(filepath.Join(dir, "data"), s.Fsync); err != nil {
		return nil, err
	}
	if n.rows, err = newRows(); err != nil {
		return nil, err
	}
	n.graves = newGraves()
	if err = n.index(); err != nil {
		return nil, err
	}
	if n.limits, err = newLimits(); err != nil {
		return nil, err
	}
	if n.usage, err = newUsage(p.Actor(name)); err != nil {
		return nil, err
	}
	n.actorPath = filepath.Join(dir, "actor")
	if n.actor, n.graves.floor, err = takeActor(n.actorPath, name, p.Actor); err != nil {
		return nil, err
	}
	if n.members, err = p.Members(name, dir, s.Founders, peers); err != nil {
		return nil, err
	}
	if n.hints, err = openHandoff(filepath.Join(dir, "hints"), s.Fsync, s.HintRate, n.knows); err != nil {
		return nil, err
	}
	if n.quorum, err = n.newCoordinator(); err != nil {
		return nil, err
	}
	n.handler = n.routes()
	n.server = &http.Server{
		Handler:           n.handler,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		WriteTimeout:      10 * time.Second,
		ErrorLog:          log.New(io.Discard, "", 0), // of connections that a kill cut
	}
	if l != nil {
		n.done.Go(func() { n.server.Serve(l) })
	}
	n.done.Go(func() { n.members.Run(ctx, func() { n.tend(ctx) }) })
	n.done.Go(func() { n.repairLoop(ctx) })
	if s.Grace > 0 {
		n.done.Go(func() { n.collectLoop(ctx) })
	}
	n.done.Go(func() { n.usageLoop(ctx) })
	return n, nil
}

// tend does what news of the members may call for.
func (n *Node) tend(ctx context.Context) {
	for _, owner := range n.hints.log.Owners() {
		if n.members.Up(owner) {
			n.hints.drain(ctx, owner, func(ctx context.Context, owner, key string, value []byte) error {
				_, err := n.peers.Call(ctx, owner, "/i/put", replicaMessage{owner, key, value}.encode())
				return err
			})
		}
	}
}

// upOthers returns the other members that seem to live.
func (n *Node) upOthers() []string {
	var names []string
	r := n.members.Ring()
	for i := range r.Len() {
		if id := r.Node(i).ID; id != n.name && n.members.Up(id) {
			names = append(names, id)
		}
	}
	return names
}

// Stop ends the node; with died, as a crash would: nothing is flushed, open
// connections are cut.
func (n *Node) Stop(died bool) error {
	var err error
	if n.server != nil {
		if died {
			err = n.server.Close()
		} else {
			ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
			if err = n.server.Shutdown(ctx); err != nil {
				err = n.server.Close()
			}
			cancel()
		}
	}
	n.cancel()
	n.done.Wait()
	if n.quorum != nil {
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
		err = errors.Join(err, n.quorum.Close(ctx))
		cancel()
	}
	if n.hints != nil {
		err = errors.Join(err, n.hints.close())
	}
	if n.engine != nil {
		err = errors.Join(err, n.engine.Close(died))
	}
	if err == nil && !died && n.actor != "" {
		err = leaveActor(n.actorPath, n.actor, n.graves.floor.Get(n.actor))
	}
	return err
}

// index fills what is only in memory from what the engine holds.
func (n *Node) index() error {
	all, err := n.engine.All()
	if err != nil {
		return err
	}
	for key, data := range all {
		v, err := DecodeVersions(data)
		if err != nil {
			return fmt.Errorf("stored versions of %q: %w", key, err)
		}
		n.rows.put(key, data)
		n.graves.note(key, v)
	}
	return nil
}

// load returns this node's own copy of key.
func (n *Node) load(key string) (Versions, error) {
	data, ok, err := n.engine.Get(key)
	if err != nil || !ok {
		return Versions{}, err
	}
	v, err := DecodeVersions(data)
	if err != nil {
		return Versions{}, fmt.Errorf("%s: stored versions of %q: %w", n.name, key, err)
	}
	return v, nil
}

func (n *Node) lockOf(key string) *sync.Mutex {
	return &n.locks[distkit.HashString(key)%uint64(len(n.locks))]
}

// change replaces this node's own copy of key by what f makes of it, and returns
// that. durable returns when it is as durable as asked for.
func (n *Node) change(key string, f func(Versions) Versions) (changed Versions, durable func() error, err error) {
	lock := n.lockOf(key)
	lock.Lock()
	defer lock.Unlock()
	old, err := n.load(key)
	if err != nil {
		return Versions{}, nil, err
	}
	changed = f(old)
	if changed.Equal(old) {
		return old, func() error { return nil }, nil
	}
	data, err := encodeVersions(changed)
	if err != nil {
		return Versions{}, nil, err
	}
	if durable, err = n.engine.Put(key, data); err == nil {
		n.rows.put(key, data)
		n.graves.note(key, changed)
	}
	return changed, durable, err
}

// putCopy merges v into owner's copy of key: into the engine if that is this
// node, else into the hints.
func (n *Node) putCopy(owner, key string, v Versions) error {
	if owner != n.name {
		return n.hints.put(owner, key, v)
	}
	_, durable, err := n.change(key, v.Merge)
	if err != nil {
		return err
	}
	return durable()
}

// getCopy returns owner's copy of key, or for another owner what the hints hold
// of it.
func (n *Node) getCopy(owner, key string) (Versions, error) {
	if owner != n.name {
		return n.hints.get(owner, key), nil
	}
	return n.load(key)
}
