package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/distkit/distkit/examples/internal/node"
	"github.com/distkit/distkit/vclock"
)

// history is the model that the cluster is checked against: every write that was
// acknowledged, and what its writer had seen.
type history struct {
	mu   sync.Mutex
	keys map[string]*keyHistory
}

type keyHistory struct {
	writes []ackedWrite
	maybe  []vclock.Clock // what the writers of writes of unknown outcome had seen
}

type ackedWrite struct {
	dot  vclock.Dot // none for a delete
	seen vclock.Clock
}

func newHistory() *history { return &history{keys: map[string]*keyHistory{}} }

// add notes a write: what became of it, and how often it may have been carried
// out without anybody being told.
func (h *history) add(key string, seen vclock.Clock, acked bool, dot vclock.Dot, maybe int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	k := h.keys[key]
	if k == nil {
		k = &keyHistory{}
		h.keys[key] = k
	}
	if acked {
		k.writes = append(k.writes, ackedWrite{dot, seen})
	}
	for range maybe {
		k.maybe = append(k.maybe, seen)
	}
}

// Violation says which invariant a key breaks, and how.
type Violation struct {
	Invariant string
	Key       string
	What      string
}

func (v Violation) String() string {
	return fmt.Sprintf("%s violated: key %q: %s", v.Invariant, v.Key, v.What)
}

// check compares all copies of all keys with the history.
//
// I1: no acknowledged write is lost: every copy's context covers it, and its
// value is there unless a writer who had seen it replaced it.
// I2: all copies of a key are equal.
// I3: values stand side by side only where their writers had not seen each other.
func (h *history) check(all map[string]Copies) []Violation {
	h.mu.Lock()
	defer h.mu.Unlock()
	var found []Violation
	for key, k := range h.keys {
		copies := all[key]
		if copies == nil {
			copies = Copies{"": node.Versions{}} // nobody has it: all was deleted and collected, or lost
		}
		var first *node.Versions
		for owner, v := range copies {
			if first == nil {
				first = &v
			} else if !v.Equal(*first) {
				found = append(found, Violation{"I2", key, fmt.Sprintf("copies differ, on %s among others%s", owner, k)})
				break
			}
		}
		if first != nil {
			for _, v := range k.check(key, *first) {
				v.What += k.String()
				found = append(found, v)
			}
		}
	}
	slices.SortFunc(found, func(a, b Violation) int { return strings.Compare(a.Invariant+a.Key, b.Invariant+b.Key) })
	return found
}

func (k *keyHistory) check(key string, v node.Versions) (found []Violation) {
	alive := map[vclock.Dot]bool{}
	for dot := range v.All() {
		alive[dot] = true
	}
	// What any writer had seen is covered by what all of them together had: a
	// context holds, for every actor, all its dots up to one.
	var replacedBy, maybeBy, deletedBy vclock.Clock
	for _, w := range k.writes {
		replacedBy = replacedBy.Merge(w.seen)
		if w.dot.N == 0 {
			deletedBy = deletedBy.Merge(w.seen)
		}
	}
	for _, seen := range k.maybe {
		maybeBy = maybeBy.Merge(seen)
		deletedBy = deletedBy.Merge(seen)
	}
	unknown := len(alive)
	for _, w := range k.writes {
		if w.dot.N == 0 {
			continue
		}
		if !v.Context().Contains(w.dot) {
			if deletedBy.Contains(w.dot) {
				continue // its tombstone may have been collected
			}
			found = append(found, Violation{"I1", key, fmt.Sprintf("write %s is unknown to the store", node.VersionName(w.dot))})
			continue
		}
		replaced, maybe := replacedBy.Contains(w.dot), maybeBy.Contains(w.dot)
		switch {
		case alive[w.dot] && replaced:
			found = append(found, Violation{"I3", key, fmt.Sprintf("value %s was replaced and is back", node.VersionName(w.dot))})
		case !alive[w.dot] && !replaced && !maybe:
			found = append(found, Violation{"I1", key, fmt.Sprintf("value %s is gone, and nobody who saw it wrote", node.VersionName(w.dot))})
		}
		if alive[w.dot] {
			unknown--
		}
	}
	if unknown > len(k.maybe) {
		found = append(found, Violation{"I3", key, fmt.Sprintf("%d values that nobody wrote", unknown-len(k.maybe))})
	}
	return found
}

// String lists the writes as a log that ShiViz draws, for whoever has to find
// out what went wrong. Deletes and writes of unknown outcome have no event of
// their own in a clock; they stand as comments.
func (k *keyHistory) String() string {
	var b strings.Builder
	b.WriteString("; its writes, as https://bestchai.bitbucket.io/shiviz/ reads them:")
	for _, w := range k.writes {
		if w.dot.N == 0 {
			fmt.Fprintf(&b, "\n# a delete having seen %s", w.seen)
			continue
		}
		own, err := vclock.Make(w.dot)
		clock, err2 := json.Marshal(w.seen.Merge(own))
		if err = errors.Join(err, err2); err != nil {
			fmt.Fprintf(&b, "\n# %v", err)
			continue
		}
		fmt.Fprintf(&b, "\n%s %s\nput", w.dot.ID, clock)
	}
	for _, seen := range k.maybe {
		fmt.Fprintf(&b, "\n# a write of unknown outcome having seen %s", seen)
	}
	return b.String()
}
