package node

// Shows distkit/merkle and distkit/ring together: two nodes find out which of
// the keys they share differ, and exchange only those.

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync/atomic"
	"time"

	"github.com/distkit/distkit"
	"github.com/distkit/distkit/merkle"
	"github.com/distkit/distkit/ring"
)

// repairCounts says what anti-entropy cost a node, as the side that asks.
type repairCounts struct {
	sessions, hashBytes, copies, copyBytes atomic.Uint64
}

// repairBatch bounds the copies in one message: this many bytes, and one more.
const repairBatch = 256 << 10

var errBusy = errors.New("this node repairs itself, ask again later")

// busy reports that one of the two sides was comparing itself with a third.
func busy(err error) bool {
	var answer StatusError
	return errors.Is(err, errBusy) || errors.As(err, &answer) && answer.Code == http.StatusConflict
}

// underWay is how many keys may well differ because their writes have reached one
// copy and not yet the other. They need no repair.
const underWay = 100

// repairLoop compares this node's copies with those of a random other, in every
// interval, and at once again while that finds more than what is under way.
func (n *Node) repairLoop(ctx context.Context) {
	rng := n.platform.Rand(n.name + " repair")
	wait := 4 * gossipInterval // by then a node that comes back has heard of the others
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
		wait = n.RepairEvery
		others := n.upOthers()
		if len(others) == 0 {
			continue
		}
		// What fails now is found again by the next round.
		found, _ := n.repairWith(ctx, others[rng.IntN(len(others))])
		if found > underWay {
			wait = gossipInterval
		}
	}
}

// sharedRanges returns where both nodes are among the first n of a preference
// list, of one ring or the other.
func sharedRanges(rings []*ring.Ring, a, b string, n int) []ring.Range {
	var ends []uint64
	for _, r := range rings {
		for token := range r.Tokens() {
			ends = append(ends, token)
		}
	}
	slices.Sort(ends)
	ends = slices.Compact(ends)
	var shared []ring.Range
	var owners []string
	for i, end := range ends {
		start := ends[(i+len(ends)-1)%len(ends)] // the first arc goes through 0
		owners = owners[:0]
		for _, r := range rings {
			owners = r.AppendOwnersHash(owners, end, n)
		}
		if !slices.Contains(owners, a) || !slices.Contains(owners, b) {
			continue
		}
		if k := len(shared); k > 0 && shared[k-1].End == start {
			shared[k-1].End = end
		} else {
			shared = append(shared, ring.Range{Start: start, End: end})
		}
	}
	return shared
}

// repairWith runs one session with peer: at its end the two nodes hold the same
// copies of all keys that they share, but for what was written meanwhile. It
// returns how many positions differed.
func (n *Node) repairWith(ctx context.Context, peer string) (found int, err error) {
	if !n.repairing.take(n.name, time.Hour) {
		return 0, errBusy
	}
	defer n.repairing.end(n.name)
	shared := sharedRanges(n.rings(), n.name, peer, n.N)
	session, err := n.rows.snapshot().Initiate(merkle.WithRanges(shared...))
	if err != nil {
		return 0, err
	}
	n.repairs.sessions.Add(1)
	head := appendBytes(nil, n.name)
	defer func() { // where this is lost, the lease there ends by itself
		_, _ = n.peers.Call(context.WithoutCancel(ctx), peer, "/i/done", head)
	}()
	var answer []byte
	for done := false; !done; {
		var question []byte
		if question, done, err = session.Next(slices.Clone(head), answer); err != nil {
			return found, err
		}
		if len(question) > len(head) {
			if answer, err = n.peers.Call(ctx, peer, "/i/merkle", question); err != nil {
				return found, err
			}
			n.repairs.hashBytes.Add(uint64(len(question) + len(answer)))
		}
		diffs := slices.Collect(session.Diffs())
		found += len(diffs)
		if err := n.heal(ctx, peer, diffs); err != nil {
			return found, err
		}
	}
	return found, nil
}

// heal fetches what peer holds at these positions, merges it, and sends what
// peer lacks.
func (n *Node) heal(ctx context.Context, peer string, diffs []merkle.Diff) error {
	var remote, local []uint64
	for _, d := range diffs {
		if d.HasRemote {
			remote = append(remote, d.Hash)
		} else {
			local = append(local, d.Hash)
		}
	}
	ask := 64 // positions: as many as the answer may have room for, and not many more
	for len(remote) > 0 {
		asked := remote[:min(ask, len(remote))]
		question := make([]byte, 0, 8*len(asked))
		for _, at := range asked {
			question = binary.LittleEndian.AppendUint64(question, at)
		}
		answer, err := n.peers.Call(ctx, peer, "/i/rows", question)
		if err != nil {
			return err
		}
		n.repairs.hashBytes.Add(uint64(len(question)))
		n.repairs.copyBytes.Add(uint64(len(answer)))
		answered, size := binary.Uvarint(answer)
		if size <= 0 || answered == 0 || answered > uint64(len(asked)) {
			return errMessage
		}
		merged, behind, err := n.mergeRows(answer[size:])
		n.repairs.copies.Add(uint64(merged))
		if err != nil {
			return err
		}
		ask = 2 * int(answered)
		local = append(local, behind...)
		remote = remote[answered:]
	}
	var batch []byte
	for key := range n.rows.at(local) {
		v, err := n.load(key)
		if err != nil {
			return err
		}
		value, err := encodeVersions(v)
		if err != nil {
			return err
		}
		batch = appendBytes(appendBytes(batch, key), value)
		n.repairs.copies.Add(1)
		if len(batch) > repairBatch {
			if err := n.push(ctx, peer, batch); err != nil {
				return err
			}
			batch = batch[:0]
		}
	}
	if len(batch) == 0 {
		return nil
	}
	return n.push(ctx, peer, batch)
}

func (n *Node) push(ctx context.Context, peer string, batch []byte) error {
	n.repairs.copyBytes.Add(uint64(len(batch)))
	_, err := n.peers.Call(ctx, peer, "/i/push", batch)
	return err
}

// mergeRows merges another node's copies into this node's, and returns how many
// they are and the positions where the other one is behind.
func (n *Node) mergeRows(data []byte) (merged int, behind []uint64, err error) {
	var last func() error
	for len(data) > 0 {
		key, rest, ok := cutBytes(data)
		value, rest, ok2 := cutBytes(rest)
		if !ok || !ok2 {
			return merged, nil, errMessage
		}
		data = rest
		theirs, err := DecodeVersions(value)
		if err != nil {
			return merged, nil, err
		}
		ours, durable, err := n.change(string(key), theirs.Merge)
		if err != nil {
			return merged, nil, err
		}
		merged++
		last = durable
		if !ours.Equal(theirs) {
			behind = append(behind, distkit.Hash(key))
		}
	}
	if last == nil {
		return 0, nil, nil
	}
	return merged, behind, last() // the log is one: what came before is durable too
}

// serveMerkle is the other side of repairWith. It keeps nothing between messages.
func (n *Node) serveMerkle(w http.ResponseWriter, r *http.Request) error {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return err
	}
	peer, question, ok := cutBytes(body)
	if !ok || !n.knows(string(peer)) {
		return errMessage
	}
	if !n.repairing.take(string(peer), leaseTime) {
		return errBusy
	}
	shared := sharedRanges(n.rings(), n.name, string(peer), n.N)
	session, err := n.rows.snapshot().Respond(merkle.WithRanges(shared...))
	if err != nil {
		return err
	}
	answer, _, err := session.Next(nil, question)
	if err != nil {
		return badRequest{err}
	}
	w.Write(answer)
	return nil
}

// serveDone ends the lease that a peer has of this node.
func (n *Node) serveDone(_ http.ResponseWriter, r *http.Request) error {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return err
	}
	peer, _, ok := cutBytes(body)
	if !ok {
		return errMessage
	}
	n.repairing.end(string(peer))
	return nil
}

// serveRows answers with the copies at the first of the positions that are asked
// for, as many as fit, after the number of positions answered.
func (n *Node) serveRows(w http.ResponseWriter, r *http.Request) error {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return err
	}
	if len(body)%8 != 0 {
		return errMessage
	}
	var batch []byte
	answered := uint64(0)
	for len(body) > 0 && len(batch) <= repairBatch {
		for key := range n.rows.at([]uint64{binary.LittleEndian.Uint64(body)}) {
			v, err := n.load(key)
			if err != nil {
				return err
			}
			value, err := encodeVersions(v)
			if err != nil {
				return err
			}
			batch = appendBytes(appendBytes(batch, key), value)
		}
		body = body[8:]
		answered++
	}
	w.Write(binary.AppendUvarint(nil, answered))
	w.Write(batch)
	return nil
}

func (n *Node) servePush(w http.ResponseWriter, r *http.Request) error {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return err
	}
	if _, _, err := n.mergeRows(body); err != nil {
		return fmt.Errorf("pushed rows: %w", err)
	}
	return nil
}
