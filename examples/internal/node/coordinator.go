package node

// Shows distkit/ring, distkit/quorum and distkit/vclock together: preference
// list, quorum with stand-ins, and versions that know what they replace.

import (
	"context"
	"errors"
	"fmt"
	"log"
	"slices"
	"sync"

	"github.com/distkit/distkit"
	"github.com/distkit/distkit/quorum"
	"github.com/distkit/distkit/vclock"
)

var (
	errAbsent   = errors.New("no such key")
	errNotOwner = errors.New("this node does not own the key")
	errNoOwner  = fmt.Errorf("%w: this node reaches no owner of the key", quorum.ErrUnavailable)
)

func (n *Node) newCoordinator() (*quorum.Coordinator, error) {
	opts := []quorum.Option{
		quorum.WithHealth(n.members.Up),
		quorum.WithRepair(quorum.RepairAsync),
	}
	if standIns := n.members.Ring().Len() - n.N; standIns > 0 {
		opts = append(opts, quorum.WithSloppy(standIns))
	}
	if n.Strict {
		opts = append(opts, quorum.WithPrimaries(n.R, n.W))
	}
	return quorum.New(n.N, n.R, n.W, opts...)
}

// prefs returns the owners of key, then the nodes that stand in for them.
func (n *Node) prefs(key string) []string {
	r := n.members.Ring()
	return r.AppendOwnersHash(make([]string, 0, r.Len()), distkit.HashString(key), r.Len())
}

// owns reports whether this node is among the owners: only they may coordinate
// a write, for only they know what the key's next dot is.
func (n *Node) owns(prefs []string) bool {
	return slices.Contains(prefs[:min(n.N, len(prefs))], n.name)
}

// read returns what a read quorum of copies holds of key, merged. Copies that
// were behind are repaired after the answer.
func (n *Node) read(ctx context.Context, c *quorum.Coordinator, key string) (Versions, error) {
	result, err := quorum.Read(ctx, c, n.prefs(key), quorum.Op[Versions]{
		Call: func(ctx context.Context, t quorum.Target) (Versions, error) {
			if t.Node == n.name {
				return n.getCopy(t.Owner, key)
			}
			answer, err := n.peers.Call(ctx, t.Node, "/i/get", replicaMessage{owner: t.Owner, key: key}.encode())
			if err != nil {
				return Versions{}, err
			}
			return DecodeVersions(answer)
		},
		Merge: Versions.Merge,
		Same:  Versions.Equal,
		Repair: func(ctx context.Context, t quorum.Target, v Versions) error {
			if t.Node != t.Owner {
				return nil // a stand-in holds what was missed, not a whole copy
			}
			return n.send(ctx, t, key, v)
		},
	})
	return result.Value, err
}

// readAfter is read for a client that has seen a version: the answer descends
// from it, or there is none. It returns what the client has seen then.
func (n *Node) readAfter(ctx context.Context, c *quorum.Coordinator, key string, seen vclock.Clock) (Versions, vclock.Clock, error) {
	v, err := n.read(ctx, c, key)
	if err != nil || v.Context().Descends(seen) {
		return v, v.Context(), err
	}
	all, err := c.With(quorum.WithReadLevel(quorum.All()))
	if err != nil {
		return Versions{}, seen, err
	}
	v, err = n.read(ctx, all, key)
	if err != nil || v.Context().Descends(seen) {
		return v, v.Context(), err
	}
	if n.Grace == 0 || !n.settled(ctx, key, v) {
		return v, seen, quorum.ErrUnavailable
	}
	return v, v.Context().Merge(seen), nil // what v lacks was deleted, and its tombstone collected
}

// write stores a value that replaces what seen covers, under this node's next
// dot, on a write quorum.
func (n *Node) write(ctx context.Context, c *quorum.Coordinator, key string, seen vclock.Clock, value []byte) (Versions, vclock.Dot, error) {
	prefs := n.prefs(key)
	if !n.owns(prefs) {
		return Versions{}, vclock.Dot{}, errNotOwner
	}
	var dot vclock.Dot
	v, err := n.replicate(ctx, c, prefs, key, func(old Versions) (changed Versions) {
		changed, dot = old.Put(n.unused(old, seen), n.actor, value)
		return changed
	})
	if err != nil {
		return Versions{}, vclock.Dot{}, err
	}
	return v, dot, nil
}

// remove deletes what seen covers, or without a context what a read finds. It
// answers errAbsent when there is nothing to delete.
func (n *Node) remove(ctx context.Context, c *quorum.Coordinator, key string, seen vclock.Clock) error {
	prefs := n.prefs(key)
	if !n.owns(prefs) {
		return errNotOwner
	}
	found, err := n.read(ctx, c, key)
	if err != nil {
		return err
	}
	if found.Len() == 0 {
		return errAbsent
	}
	if seen == (vclock.Clock{}) {
		seen = found.Context()
	}
	_, err = n.replicate(ctx, c, prefs, key, func(old Versions) Versions { return old.Merge(found).Discard(seen) })
	return err
}

// replicate changes this node's own copy and sends the outcome to the other
// owners or their stand-ins, while the own copy becomes durable. An owner that
// does not get it gets it from the hints. Where the level cannot be met from the
// start, so that quorum.Write sends nothing, nothing is changed here either.
func (n *Node) replicate(ctx context.Context, c *quorum.Coordinator, prefs []string, key string, f func(Versions) Versions) (Versions, error) {
	var durable func() error
	change := sync.OnceValues(func() (v Versions, err error) {
		v, durable, err = n.change(key, f)
		return v, err
	})
	moving, end := n.beginWrite()
	defer end()
	if moving != nil {
		var err error
		if prefs, c, err = n.joint(c, moving, key); err != nil {
			return Versions{}, err
		}
	}
	_, err := quorum.Write(ctx, c, prefs, quorum.WriteOp{
		Call: func(ctx context.Context, t quorum.Target) error {
			v, err := change()
			if err != nil {
				return err
			}
			if t.Node == n.name && t.Owner == n.name {
				return durable()
			}
			return n.send(ctx, t, key, v)
		},
		Missed: func(owner string, _ error) {
			v, err := change()
			if err == nil {
				err = n.hints.put(owner, key, v)
			}
			if err != nil {
				log.Printf("%s: hint of %q for %s: %v", n.name, key, owner, err)
			}
		},
	})
	if err != nil {
		return Versions{}, err
	}
	return change()
}

// send merges v into t.Owner's copy at t.Node.
func (n *Node) send(ctx context.Context, t quorum.Target, key string, v Versions) error {
	if t.Node == n.name {
		return n.putCopy(t.Owner, key, v)
	}
	value, err := encodeVersions(v)
	if err != nil {
		return err
	}
	_, err = n.peers.Call(ctx, t.Node, "/i/put", replicaMessage{t.Owner, key, value}.encode())
	return err
}
