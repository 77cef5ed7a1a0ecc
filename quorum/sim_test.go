package quorum_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/distkit/distkit/quorum"
	"github.com/stretchr/testify/require"
)

var errBoom = errors.New("boom")

// cluster is a set of simulated replicas: each takes a time and then answers
// with its value or an error. It remembers what happened to it.
type cluster struct {
	mu       sync.Mutex
	delay    map[string]time.Duration
	fault    map[string]error
	deaf     map[string]bool // does not hear that its context ended
	value    map[string]int
	asked    []quorum.Target
	ended    map[string]error // how the call to a node ended
	discards []int
	missed   map[string]error
	done     []quorum.Receipt
}

func newCluster() *cluster {
	return &cluster{
		delay: map[string]time.Duration{}, fault: map[string]error{}, deaf: map[string]bool{},
		value: map[string]int{}, ended: map[string]error{}, missed: map[string]error{},
	}
}

func (s *cluster) serve(ctx context.Context, t quorum.Target) (int, error) {
	s.mu.Lock()
	s.asked = append(s.asked, t)
	delay, err, deaf, v := s.delay[t.Node], s.fault[t.Node], s.deaf[t.Node], s.value[t.Node]
	s.mu.Unlock()
	done := ctx.Done()
	if deaf {
		done = nil
	}
	select {
	case <-time.After(delay):
	case <-done:
		err = context.Cause(ctx)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended[t.Node] = err
	return v, err
}

func (s *cluster) op() quorum.Op[int] {
	return quorum.Op[int]{
		Call:  s.serve,
		Merge: func(a, b int) int { return max(a, b) },
		Same:  func(a, b int) bool { return a == b },
		Repair: func(ctx context.Context, t quorum.Target, v int) error {
			if _, err := s.serve(ctx, t); err != nil {
				return err
			}
			s.mu.Lock()
			defer s.mu.Unlock()
			s.value[t.Node] = max(v, s.value[t.Node])
			return nil
		},
		Discard: func(v int) {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.discards = append(s.discards, v)
		},
	}
}

func (s *cluster) writeOp() quorum.WriteOp {
	return quorum.WriteOp{
		Call: func(ctx context.Context, t quorum.Target) error {
			_, err := s.serve(ctx, t)
			return err
		},
		Missed: func(owner string, err error) {
			s.mu.Lock()
			defer s.mu.Unlock()
			if _, twice := s.missed[owner]; twice {
				panic("missed twice: " + owner)
			}
			s.missed[owner] = err
		},
		Done: func(r quorum.Receipt) {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.done = append(s.done, r)
		},
	}
}

// targets lists who was asked, "node" or "node for owner", sorted.
func (s *cluster) targets() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []string
	for _, t := range s.asked {
		name := t.Node
		if t.Owner != t.Node {
			name = fmt.Sprintf("%s for %s", t.Node, t.Owner)
		}
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}

// rest lets the time pass, and all that ends in it end.
func rest(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func (s *cluster) down(nodes ...string) func(string) bool {
	return func(node string) bool { return !slices.Contains(nodes, node) }
}

func build(t *testing.T, n, r, w int, opts ...quorum.Option) *quorum.Coordinator {
	t.Helper()
	c, err := quorum.New(n, r, w, opts...)
	require.NoError(t, err)
	return c
}

// check holds when everything has ended: nothing runs, and Close returns.
func check(t *testing.T, c *quorum.Coordinator) {
	t.Helper()
	require.NoError(t, c.Close(t.Context()))
	s := c.Stats()
	require.Zero(t, s.Background)
	require.LessOrEqual(t, s.Unmet, s.Reads+s.Writes)
	require.LessOrEqual(t, s.Hedges, s.Calls)
	_, err := quorum.Read(t.Context(), c, []string{"a"}, newCluster().op())
	require.ErrorIs(t, err, quorum.ErrClosed)
	_, err = quorum.Write(t.Context(), c, []string{"a"}, newCluster().writeOp())
	require.ErrorIs(t, err, quorum.ErrClosed)
}

func asError(t *testing.T, err error) *quorum.Error {
	t.Helper()
	var e *quorum.Error
	require.ErrorAs(t, err, &e)
	return e
}

const ms = time.Millisecond

var abc, abcde = []string{"a", "b", "c"}, []string{"a", "b", "c", "d", "e"}
