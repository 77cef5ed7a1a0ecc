package node

// Shows distkit/vclock and distkit/merkle together: when a deleted key may be
// forgotten.
//
// A tombstone, the context of a key without a value, has to outlive every copy of
// what was deleted: else the copy that comes last brings the value back. It goes
// when it is older than Grace, all nodes are there, no copy differs from it, no
// hint waits for anybody's copy and the ring does not change.
//
// Numbers that were counted in a collected tombstone must not be given again.
// Therefore each node remembers the highest of its own, its floor, and writes to
// keys that it does not know under numbers above.

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/distkit/distkit"
	"github.com/distkit/distkit/vclock"
)

// graves are the keys of which nothing is left but that they were.
type graves struct {
	mu    sync.Mutex
	since map[string]time.Time // keys whose copy here is a tombstone
	lost  map[string]time.Time // keys that other nodes own now
	floor vclock.Clock         // of this node's actor: the highest number in a collected tombstone

	collected atomic.Uint64
}

func newGraves() *graves {
	return &graves{since: map[string]time.Time{}, lost: map[string]time.Time{}}
}

// note hears what has become of the copy of key.
func (g *graves) note(key string, v Versions) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if v.Len() == 0 {
		g.since[key] = time.Now()
	} else {
		delete(g.since, key)
	}
}

// lose hears that other nodes own these keys. The engine keeps them for a while,
// for reads that have begun.
func (g *graves) lose(keys []string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, key := range keys {
		g.lost[key] = time.Now()
		delete(g.since, key)
	}
}

// due returns the tombstones and the lost keys that are older than that.
func (g *graves) due(before time.Time) (stones, lost []string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	older := func(m map[string]time.Time) (keys []string) {
		for key, t := range m {
			if t.Before(before) {
				keys = append(keys, key)
			}
		}
		slices.Sort(keys)
		return keys
	}
	return older(g.since), older(g.lost)
}

// unused returns what a writer who has seen that has seen in effect, for a write
// of this node to a key that it may not know: no number up to the floor is free.
func (n *Node) unused(old Versions, seen vclock.Clock) vclock.Clock {
	n.graves.mu.Lock()
	floor := n.graves.floor
	n.graves.mu.Unlock()
	if old.Context().Get(n.actor) > 0 {
		return seen
	}
	return seen.Merge(floor)
}

// collectLoop forgets what may be forgotten.
func (n *Node) collectLoop(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(n.Grace / 2):
		}
		stones, lost := n.graves.due(time.Now().Add(-n.Grace))
		stones = slices.DeleteFunc(stones, func(key string) bool { return n.prefs(key)[0] != n.name })
		for batch := range slices.Chunk(stones, stonesInMessage) {
			// What fails now is found again by the next round.
			_ = n.bury(ctx, batch)
		}
		for _, key := range lost {
			_ = n.forgetLost(key)
		}
	}
}

// stonesInMessage keeps messages far below MaxBody.
const stonesInMessage = 256

// everybody returns the names of all members.
func (n *Node) everybody() []string {
	r := n.members.Ring()
	names := make([]string, r.Len())
	for i := range names {
		names[i] = r.Node(i).ID
	}
	return names
}

// bury forgets these tombstones everywhere, if everybody agrees.
func (n *Node) bury(ctx context.Context, keys []string) error {
	var stones []byte
	for _, key := range keys {
		v, err := n.load(key)
		if err != nil {
			return err
		}
		if v.Len() > 0 {
			continue // it lives again
		}
		value, err := encodeVersions(v)
		if err != nil {
			return err
		}
		stones = appendBytes(appendBytes(stones, key), value)
	}
	agreed, err := n.agreed(ctx, stones)
	if err != nil || len(agreed) == 0 {
		return err
	}
	for _, name := range n.everybody() {
		if name == n.name {
			err = n.forget(agreed)
		} else {
			_, err = n.peers.Call(ctx, name, "/i/forget", agreed)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// agreed returns those of the stones, keys each with a version, that all members
// agree on.
func (n *Node) agreed(ctx context.Context, stones []byte) ([]byte, error) {
	for _, name := range n.everybody() {
		if len(stones) == 0 {
			break
		}
		var err error
		if name == n.name {
			stones, err = n.agree(stones)
		} else {
			stones, err = n.peers.Call(ctx, name, "/i/agree", stones)
		}
		if err != nil {
			return nil, err
		}
	}
	return stones, nil
}

// agree returns those of the stones that nothing here is at odds with.
func (n *Node) agree(stones []byte) (agreed []byte, err error) {
	if len(n.rings()) > 1 {
		return nil, nil
	}
	owners := n.everybody()
	err = eachStone(stones, func(key string, stone []byte) error {
		if slices.ContainsFunc(owners, func(owner string) bool { return n.hints.waitsFor(owner, key) }) {
			return nil
		}
		held, ok, err := n.engine.Get(key)
		if err == nil && (!ok || bytes.Equal(held, stone)) {
			agreed = appendBytes(appendBytes(agreed, key), stone)
		}
		return err
	})
	return agreed, err
}

// forget drops the copies here that are these tombstones still.
func (n *Node) forget(stones []byte) error {
	return eachStone(stones, func(key string, stone []byte) error {
		return n.drop(key, func(held []byte) bool { return bytes.Equal(held, stone) })
	})
}

// forgetLost drops the copy of a key that moved to other nodes, unless it has
// come back.
func (n *Node) forgetLost(key string) error {
	for _, r := range n.rings() {
		if slices.Contains(r.AppendOwnersHash(nil, distkit.HashString(key), n.N), n.name) {
			n.graves.mu.Lock()
			delete(n.graves.lost, key)
			n.graves.mu.Unlock()
			return nil
		}
	}
	return n.drop(key, func([]byte) bool { return true })
}

// drop removes the copy here of key, if may says so.
func (n *Node) drop(key string, may func(held []byte) bool) error {
	lock := n.lockOf(key)
	lock.Lock()
	defer lock.Unlock()
	held, ok, err := n.engine.Get(key)
	if err != nil || !ok || !may(held) {
		return err
	}
	v, err := DecodeVersions(held)
	if err != nil {
		return err
	}
	g := n.graves
	if used := v.Context().Get(n.actor); used > 0 {
		own, err := vclock.Make(vclock.Dot{ID: n.actor, N: used})
		if err != nil {
			return err
		}
		g.mu.Lock()
		g.floor = g.floor.Merge(own) // before the copy that says so is gone
		g.mu.Unlock()
	}
	if err := n.engine.Delete(key); err != nil {
		return err
	}
	n.rows.remove(key)
	g.mu.Lock()
	delete(g.since, key)
	delete(g.lost, key)
	g.mu.Unlock()
	g.collected.Add(1)
	return nil
}

// settled reports that what all owners hold of key is v, and that nothing is
// under way to them: whatever else was written was deleted and collected.
func (n *Node) settled(ctx context.Context, key string, v Versions) bool {
	value, err := encodeVersions(v)
	if err != nil {
		return false
	}
	agreed, err := n.agreed(ctx, appendBytes(appendBytes(nil, key), value))
	return err == nil && len(agreed) > 0
}

func eachStone(stones []byte, f func(key string, stone []byte) error) error {
	for len(stones) > 0 {
		key, rest, ok := cutBytes(stones)
		stone, rest, ok2 := cutBytes(rest)
		if !ok || !ok2 {
			return errMessage
		}
		if err := f(string(key), stone); err != nil {
			return err
		}
		stones = rest
	}
	return nil
}

func (n *Node) serveAgree(w http.ResponseWriter, r *http.Request) error {
	stones, err := io.ReadAll(r.Body)
	if err != nil {
		return err
	}
	agreed, err := n.agree(stones)
	if err == nil {
		w.Write(agreed)
	}
	return err
}

func (n *Node) serveForget(_ http.ResponseWriter, r *http.Request) error {
	stones, err := io.ReadAll(r.Body)
	if err != nil {
		return err
	}
	return n.forget(stones)
}
