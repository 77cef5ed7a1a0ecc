package quorum_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/distkit/distkit/internal/testkit"
	"github.com/distkit/distkit/quorum"
	"github.com/distkit/distkit/quorum/hints"
	"github.com/distkit/distkit/ring"
	"github.com/stretchr/testify/require"
)

// The stories are told on a ring of the positions 0 to 255 and nodes that answer
// after a millisecond (the first), two (the second) and so on.
func TestStories(t *testing.T) {
	testkit.Stories(t, "testdata/stories/*.txt", func(t *testing.T) func(testkit.Case) string {
		s := &story{down: map[string]bool{}, refuses: map[string]bool{}}
		return func(c testkit.Case) (out string) {
			synctest.Test(t, func(t *testing.T) {
				s.t = t
				out = s.tell(c)
			})
			return out
		}
	})
}

// story is a ring and its nodes. Each node has its data, and hints for others.
type story struct {
	t             *testing.T
	ring          *ring.Ring
	names         []string
	mu            sync.Mutex
	data          map[string]map[string]int // node, key: the value, a number that grows
	hints         map[string]*hints.Memory
	down, refuses map[string]bool // known to be; or found out
}

func (s *story) tell(c testkit.Case) string {
	switch c.Cmd {
	case "ring":
		return s.build(c.Input)
	case "down", "refuse", "up":
		for _, node := range c.Args {
			s.down[node], s.refuses[node] = c.Cmd == "down", c.Cmd == "refuse"
		}
		return s.state()
	case "put":
		return s.put(c)
	case "get":
		return s.get(c)
	case "copies":
		return s.copies(c.Args[0])
	case "handoff":
		return s.handoff(c.Args[0])
	}
	s.t.Fatalf("%s: unknown command %s", c.Pos, c.Cmd)
	return ""
}

// state lists the nodes: (A) is known to be down, A! refuses.
func (s *story) state() string {
	var out []string
	for _, node := range s.names {
		switch {
		case s.down[node]:
			node = "(" + node + ")"
		case s.refuses[node]:
			node += "!"
		}
		out = append(out, node)
	}
	return strings.Join(out, " ")
}

func (s *story) build(input string) string {
	tokens := map[string]uint64{}
	var nodes []ring.Node
	for line := range strings.Lines(input) {
		words := strings.Fields(line)
		token, err := strconv.ParseUint(words[1], 10, 8)
		require.NoError(s.t, err)
		tokens[words[0]] = token<<56 | 1<<56 - 1
		nodes = append(nodes, ring.Node{ID: words[0]})
		s.names = append(s.names, words[0])
	}
	var err error
	s.ring, err = ring.New(nodes, ring.WithTokens(func(dst []uint64, n ring.Node, _ int) []uint64 { return append(dst, tokens[n.ID]) }))
	require.NoError(s.t, err)
	s.data, s.hints = map[string]map[string]int{}, map[string]*hints.Memory{}
	for _, node := range s.names {
		s.data[node], s.hints[node] = map[string]int{}, hints.NewMemory(1<<20)
	}
	return s.state()
}

// prefs lists all nodes as the ring has them, from the key on: a number.
func (s *story) prefs(key string) []string {
	at, err := strconv.ParseUint(key, 10, 8)
	require.NoError(s.t, err)
	return s.ring.AppendOwnersHash(nil, at<<56, len(s.names))
}

// coordinator is one with N = 3, and R, W, PR and PW as the case says.
func (s *story) coordinator(c testkit.Case) *quorum.Coordinator {
	q, err := quorum.New(3, c.Int(s.t, "r", 2), c.Int(s.t, "w", 2),
		quorum.WithSloppy(c.Int(s.t, "standins", 2)), quorum.WithPrimaries(c.Int(s.t, "pr", 0), c.Int(s.t, "pw", 0)),
		quorum.WithHealth(func(node string) bool { return !s.down[node] }))
	require.NoError(s.t, err)
	return q
}

var errRefused = errors.New("connection refused")

// reach is the way to a node.
func (s *story) reach(ctx context.Context, node string) error {
	select {
	case <-time.After(time.Duration(1+slices.Index(s.names, node)) * time.Millisecond):
	case <-ctx.Done():
		return ctx.Err()
	}
	if s.refuses[node] {
		return errRefused
	}
	return nil
}

// store is what the server of a node does with a write: hints are kept apart.
func (s *story) store(t quorum.Target, key string, value int) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if t.Node != t.Owner {
		return s.hints[t.Node].Put(hints.Hint{Owner: t.Owner, Key: key, Value: []byte(strconv.Itoa(value))})
	}
	s.data[t.Node][key] = max(value, s.data[t.Node][key])
	return nil
}

// look is what it does with a read: for another owner it answers from the hints.
func (s *story) look(t quorum.Target, key string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if t.Node == t.Owner {
		return s.data[t.Node][key]
	}
	found := 0
	for h := range s.hints[t.Node].Pending(t.Owner) {
		if h.Key == key {
			v, err := strconv.Atoi(string(h.Value))
			require.NoError(s.t, err)
			found = max(found, v)
		}
	}
	return found
}

func (s *story) put(c testkit.Case) string {
	key, value := c.Args[0], c.Int(s.t, "value", 0)
	q := s.coordinator(c)
	var end quorum.Receipt
	_, err := quorum.Write(s.t.Context(), q, s.prefs(key), quorum.WriteOp{
		Call: func(ctx context.Context, t quorum.Target) error {
			if err := s.reach(ctx, t.Node); err != nil {
				return err
			}
			return s.store(t, key, value)
		},
		Done: func(r quorum.Receipt) { end = r },
	})
	require.NoError(s.t, q.Close(s.t.Context()))
	return s.verdict(err) + s.who("on", end.Acked, end.Hinted)
}

func (s *story) get(c testkit.Case) string {
	key := c.Args[0]
	q := s.coordinator(c)
	res, err := quorum.Read(s.t.Context(), q, s.prefs(key), quorum.Op[int]{
		Call: func(ctx context.Context, t quorum.Target) (int, error) {
			if err := s.reach(ctx, t.Node); err != nil {
				return 0, err
			}
			return s.look(t, key), nil
		},
		Merge: func(a, b int) int { return max(a, b) },
	})
	require.NoError(s.t, q.Close(s.t.Context()))
	if err != nil {
		return s.verdict(err)
	}
	var own []string
	var stood []quorum.Target
	for _, reply := range res.Replies {
		if t := reply.Target; t.Node == t.Owner {
			own = append(own, t.Node)
		} else {
			stood = append(stood, t)
		}
	}
	return fmt.Sprintf("value %d%s", res.Value, s.who("from", own, stood))
}

func (s *story) verdict(err error) string {
	switch {
	case err == nil:
		return "ok"
	case errors.Is(err, quorum.ErrUnavailable):
		return "unavailable"
	case errors.Is(err, quorum.ErrNoQuorum):
		return "no quorum"
	}
	return err.Error()
}

func (s *story) who(word string, own []string, stood []quorum.Target) string {
	for _, t := range stood {
		own = append(own, fmt.Sprintf("%s(hint: %s)", t.Node, t.Owner))
	}
	if len(own) == 0 {
		return ""
	}
	return ", " + word + " " + strings.Join(own, " ")
}

func (s *story) copies(key string) string {
	var out []string
	for _, node := range s.names {
		if v := s.data[node][key]; v > 0 {
			out = append(out, fmt.Sprintf("%s %d", node, v))
		}
		for _, owner := range s.hints[node].Owners() {
			if v := s.look(quorum.Target{Node: node, Owner: owner}, key); v > 0 {
				out = append(out, fmt.Sprintf("%s %d(hint: %s)", node, v, owner))
			}
		}
	}
	return strings.Join(out, ", ")
}

// handoff replays what a node keeps for others.
func (s *story) handoff(node string) string {
	var out []string
	for _, owner := range s.hints[node].Owners() {
		var sent atomic.Int64 // several sends run at once
		err := hints.Replay(s.t.Context(), s.hints[node], owner, func(ctx context.Context, h hints.Hint) error {
			if s.down[owner] {
				return errRefused
			}
			value, err := strconv.Atoi(string(h.Value))
			require.NoError(s.t, err)
			sent.Add(1)
			return s.store(quorum.Target{Node: owner, Owner: owner}, h.Key, value)
		})
		if err != nil {
			out = append(out, fmt.Sprintf("%s to %s: %v", node, owner, err))
			continue
		}
		out = append(out, fmt.Sprintf("%s to %s: %d sent and deleted", node, owner, sent.Load()))
	}
	return strings.Join(append(out, fmt.Sprintf("%s keeps %d", node, s.hints[node].Stats().Hints)), "\n")
}
