package node

// Shows distkit/ring, distkit/quorum/expr and distkit/merkle: how a node joins
// without a moment in which a read could miss a write.
//
// An operator leads through four steps, each done by every node before the next:
// writes go to the owners of both rings; the new owners fetch their copies; the
// new ring is used, as gossip brings it; writes go to the new owners only.

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/distkit/distkit"
	"github.com/distkit/distkit/quorum"
	"github.com/distkit/distkit/quorum/expr"
	"github.com/distkit/distkit/ring"
)

// ringChange is a change of the ring that is under way.
type ringChange struct{ before, after *ring.Ring }

// epoch is the time between two steps of a change.
type epoch struct {
	moving *ringChange    // nil while the ring does not change
	writes sync.WaitGroup // that began in this epoch
}

// beginWrite returns the change that a write has to heed, or nil. The write ends
// by calling end.
func (n *Node) beginWrite() (moving *ringChange, end func()) {
	n.epochMu.Lock()
	defer n.epochMu.Unlock()
	e := n.epoch
	e.writes.Add(1)
	return e.moving, e.writes.Done
}

// setMoving begins or ends a change for the writes to come, and returns what held
// before when all older writes have ended.
func (n *Node) setMoving(c *ringChange) *ringChange {
	n.epochMu.Lock()
	old := n.epoch
	n.epoch = &epoch{moving: c}
	n.epochMu.Unlock()
	old.writes.Wait()
	return old.moving
}

// rings returns the rings that count: one, or two during a change.
func (n *Node) rings() []*ring.Ring {
	n.epochMu.Lock()
	defer n.epochMu.Unlock()
	if c := n.epoch.moving; c != nil {
		return []*ring.Ring{c.before, c.after}
	}
	return []*ring.Ring{n.members.Ring()}
}

// knows reports whether name is a member, or about to be one.
func (n *Node) knows(name string) bool {
	return slices.ContainsFunc(n.rings(), func(r *ring.Ring) bool {
		_, ok := r.Lookup(name)
		return ok
	})
}

// joint returns whom to write to during a change, and a coordinator that demands
// a majority of the owners before and one of those after.
func (n *Node) joint(c *quorum.Coordinator, m *ringChange, key string) (prefs []string, _ *quorum.Coordinator, err error) {
	h := distkit.HashString(key)
	before := m.before.AppendOwnersHash(nil, h, n.N)
	after := m.after.AppendOwnersHash(nil, h, n.N)
	prefs = slices.Clone(before)
	for _, node := range slices.Concat(after, m.after.AppendOwnersHash(nil, h, m.after.Len())) {
		if !slices.Contains(prefs, node) {
			prefs = append(prefs, node) // the other owners, then who stands in
		}
	}
	old := expr.Majority(nodes(before)...)
	both, err := expr.NewSystem(old, expr.All(old, expr.Majority(nodes(after)...)))
	if err != nil {
		return nil, nil, err
	}
	c, err = c.With(quorum.WithSystem(both))
	return prefs, c, err
}

func nodes(names []string) []expr.Expr {
	list := make([]expr.Expr, len(names))
	for i, name := range names {
		list[i] = expr.Node(name)
	}
	return list
}

// serveMove begins a change to the ring in the body; without a body it ends the
// change, and this node forgets the ranges that it has lost.
func (n *Node) serveMove(_ http.ResponseWriter, r *http.Request) error {
	image, err := io.ReadAll(r.Body)
	if err != nil {
		return err
	}
	if len(image) > 0 {
		after := new(ring.Ring)
		if err := after.UnmarshalBinary(image); err != nil {
			return badRequest{fmt.Errorf("new ring: %w", err)}
		}
		n.setMoving(&ringChange{n.members.Ring(), after})
		return nil
	}
	c := n.setMoving(nil)
	if c == nil || n.members.Ring().Fingerprint() != c.after.Fingerprint() {
		return nil // it was given up
	}
	moves, err := ring.Moves(c.before, c.after, n.N)
	if err != nil {
		return err
	}
	for m := range moves {
		if slices.Contains(m.Lost(), n.name) {
			n.graves.lose(n.rows.drop(m.Range))
		}
	}
	return nil
}

// serveFetch brings this node's copies level with those of all others, in what
// it owns by either ring, and answers how many differed.
func (n *Node) serveFetch(w http.ResponseWriter, r *http.Request) error {
	fetched, err := n.fetchAll(r.Context())
	if err == nil {
		_, err = io.WriteString(w, strconv.Itoa(fetched))
	}
	return err
}

func (n *Node) fetchAll(ctx context.Context) (fetched int, err error) {
	for _, other := range n.upOthers() {
		found, err := n.repairWith(ctx, other)
		for busy(err) && ctx.Err() == nil {
			time.Sleep(gossipInterval / 2)
			found, err = n.repairWith(ctx, other)
		}
		if err != nil {
			return fetched, fmt.Errorf("fetching from %s: %w", other, err)
		}
		fetched += found
	}
	return fetched, nil
}
