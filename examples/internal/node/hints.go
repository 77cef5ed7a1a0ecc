package node

// Shows distkit/quorum/hints: what a node keeps for owners that are down.

import (
	"context"
	"errors"
	"sync"

	"github.com/distkit/distkit/quorum/hints"
)

// handoff is a durable log of hints and an index of the latest versions in it,
// from which this node answers reads in an owner's stead.
type handoff struct {
	log  *hints.Log
	rate float64 // hints a second, when an owner is back

	mu       sync.Mutex
	held     map[copyOf]*heldCopy
	draining map[string]bool
	done     sync.WaitGroup
}

// copyOf names one owner's copy of a key.
type copyOf struct{ owner, key string }

type heldCopy struct {
	hints int // in the log
	value Versions
}

func openHandoff(dir string, fsync Fsync, rate float64, member func(name string) bool) (*handoff, error) {
	opts := []hints.Option{hints.WithKnownOwner(member)}
	if fsync == FsyncOff {
		opts = append(opts, hints.WithSync(-1))
	}
	log, err := hints.Open(dir, opts...)
	if err != nil {
		return nil, err
	}
	h := &handoff{log: log, rate: rate, held: map[copyOf]*heldCopy{}, draining: map[string]bool{}}
	for _, owner := range log.Owners() {
		for hint := range log.Pending(owner) {
			v, err := DecodeVersions(hint.Value)
			if err != nil {
				return nil, errors.Join(err, log.Close())
			}
			h.index(copyOf{hint.Owner, hint.Key}, v)
		}
	}
	return h, nil
}

// put keeps v for owner until it is back.
func (h *handoff) put(owner, key string, v Versions) error {
	value, err := encodeVersions(v)
	if err != nil {
		return err
	}
	// Indexed first: the hint may be handed over before Put returns.
	h.index(copyOf{owner, key}, v)
	if err := h.log.Put(hints.Hint{Owner: owner, Key: key, Value: value}); err != nil {
		h.forget(copyOf{owner, key})
		return err
	}
	return nil
}

func (h *handoff) index(c copyOf, v Versions) {
	h.mu.Lock()
	defer h.mu.Unlock()
	held := h.held[c]
	if held == nil {
		held = &heldCopy{}
		h.held[c] = held
	}
	held.hints++
	held.value = held.value.Merge(v)
}

// get answers for an owner: nothing, if no hint waits for it.
func (h *handoff) get(owner, key string) Versions {
	h.mu.Lock()
	defer h.mu.Unlock()
	if held := h.held[copyOf{owner, key}]; held != nil {
		return held.value
	}
	return Versions{}
}

// waitsFor reports whether a hint of key waits for owner.
func (h *handoff) waitsFor(owner, key string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.held[copyOf{owner, key}] != nil
}

// drain starts to hand owner what waits for it, unless that is under way.
func (h *handoff) drain(ctx context.Context, owner string, send func(ctx context.Context, owner, key string, value []byte) error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.draining[owner] {
		return
	}
	h.draining[owner] = true
	h.done.Go(func() {
		// A failed send ends it; the next tick of gossip starts it again.
		_ = hints.Replay(ctx, h.log, owner, func(ctx context.Context, hint hints.Hint) error {
			if err := send(ctx, hint.Owner, hint.Key, hint.Value); err != nil {
				return err
			}
			h.forget(copyOf{hint.Owner, hint.Key})
			return nil
		}, hints.WithRate(h.rate))
		h.mu.Lock()
		delete(h.draining, owner)
		h.mu.Unlock()
	})
}

func (h *handoff) forget(c copyOf) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if held := h.held[c]; held != nil {
		if held.hints--; held.hints == 0 {
			delete(h.held, c)
		}
	}
}

// waiting returns the copies that are behind because their hints are here.
func (h *handoff) waiting() []copyOf {
	h.mu.Lock()
	defer h.mu.Unlock()
	list := make([]copyOf, 0, len(h.held))
	for c := range h.held {
		list = append(list, c)
	}
	return list
}

func (h *handoff) pending() int { return h.log.Stats().Hints }

// close waits for what is being drained, whose context must be done.
func (h *handoff) close() error {
	h.done.Wait()
	return h.log.Close()
}
