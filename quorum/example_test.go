package quorum_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/distkit/distkit/quorum"
	"github.com/distkit/distkit/quorum/expr"
)

// version is a value with the time it was written.
type version struct {
	at    int
	value string
}

func newer(a, b version) version {
	if b.at > a.at {
		return b
	}
	return a
}

// store is three nodes in memory.
type store struct {
	mu    sync.Mutex
	nodes map[string]version
	dead  string
}

func newStore() *store { return &store{nodes: make(map[string]version)} }

func (s *store) get(_ context.Context, t quorum.Target) (version, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if t.Node == s.dead {
		return version{}, errors.New("connection refused")
	}
	return s.nodes[t.Node], nil
}

func (s *store) put(v version) func(context.Context, quorum.Target) error {
	return func(_ context.Context, t quorum.Target) error {
		s.mu.Lock()
		defer s.mu.Unlock()
		if t.Node == s.dead {
			return errors.New("connection refused")
		}
		s.nodes[t.Node] = newer(s.nodes[t.Node], v)
		return nil
	}
}

func ExampleCoordinator() {
	c, err := quorum.New(3, 2, 2)
	if err != nil {
		panic(err)
	}
	ctx, prefs, s := context.Background(), []string{"a", "b", "c"}, newStore()
	s.dead = "b"
	_, err = quorum.Write(ctx, c, prefs, quorum.WriteOp{Call: s.put(version{1, "hello"})})
	fmt.Println("write:", err)
	res, err := quorum.Read(ctx, c, prefs, quorum.Op[version]{Call: s.get, Merge: newer})
	fmt.Println("read:", res.Value.value, err)
	fmt.Println("a read sees the last completed write:", c.Strict())
	fmt.Println("close:", c.Close(ctx))
	// Output:
	// write: <nil>
	// read: hello <nil>
	// a read sees the last completed write: true
	// close: <nil>
}

// Joint writes while the owners of a key change from a, b, c to b, c, d.
func ExampleWithSystem() {
	nodes := func(names ...string) (out []expr.Expr) {
		for _, name := range names {
			out = append(out, expr.Node(name))
		}
		return out
	}
	before, after := expr.Majority(nodes("a", "b", "c")...), expr.Majority(nodes("b", "c", "d")...)
	sys, err := expr.NewSystem(before, expr.All(before, after))
	if err != nil {
		panic(err)
	}
	c, _ := quorum.New(3, 2, 2)
	joint, err := c.With(quorum.WithSystem(sys))
	if err != nil {
		panic(err)
	}
	s := newStore()
	s.dead = "c"
	_, err = quorum.Write(context.Background(), joint, []string{"a", "b", "c", "d"}, quorum.WriteOp{Call: s.put(version{1, "x"})})
	fmt.Println(err, joint.Strict())
	_, err = expr.NewSystem(before, after)
	fmt.Println(err)
	// Output:
	// <nil> true
	// expr: reads and writes need not meet: read quorum a*c and write quorum b*d
}

func ExampleLevel() {
	c, err := quorum.New(6, 1, 1,
		quorum.WithZones(func(node string) string { return node[:1] }),
		quorum.WithReadLevel(quorum.InZone("a", quorum.Majority())),
		quorum.WithWriteLevel(quorum.EachZone(quorum.Majority())))
	fmt.Println(c.Strict(), err)
	_, err = c.With(quorum.WithReadLevel(quorum.Count(7)))
	fmt.Println(err)
	// Output:
	// true <nil>
	// quorum: level Count(7) of 6 replicas, want 1 to 6
}

func ExampleError() {
	c, _ := quorum.New(3, 2, 3)
	s := newStore()
	s.dead = "b"
	_, err := quorum.Write(context.Background(), c, []string{"a", "b", "c"}, quorum.WriteOp{Call: func(ctx context.Context, t quorum.Target) error {
		if t.Node == "b" {
			return s.put(version{1, "x"})(ctx, t)
		}
		<-ctx.Done() // slow
		return ctx.Err()
	}})
	var e *quorum.Error
	fmt.Println(errors.As(err, &e), errors.Is(err, quorum.ErrNoQuorum), e.Indeterminate())
	fmt.Println(err)
	// Output:
	// true true true
	// quorum: write: no quorum; failed b: connection refused; pending a, c
}

// A dead owner and its stand-in.
func ExampleWithSloppy() {
	c, _ := quorum.New(3, 2, 3, quorum.WithSloppy(1),
		quorum.WithHealth(func(node string) bool { return node != "a" }))
	s := newStore()
	receipt, err := quorum.Write(context.Background(), c, []string{"a", "b", "c", "d"}, quorum.WriteOp{Call: s.put(version{1, "x"})})
	fmt.Println(receipt.Acked, receipt.Hinted, err)
	// Output: [b c] [{d a}] <nil>
}

func ExampleWriteOp() {
	c, _ := quorum.New(3, 2, 2)
	s := newStore()
	s.dead = "b"
	_, err := quorum.Write(context.Background(), c, []string{"a", "b", "c"}, quorum.WriteOp{
		Call:   s.put(version{1, "x"}),
		Missed: func(owner string, err error) { fmt.Println("keep a hint for", owner, "because of:", err) },
		Done:   func(r quorum.Receipt) { fmt.Println("done:", r.Acked) },
	})
	if err != nil {
		panic(err)
	}
	_ = c.Close(context.Background())
	// Output:
	// keep a hint for b because of: connection refused
	// done: [a c]
}

// A read that repairs a replica which missed a write.
func ExampleOp() {
	c, _ := quorum.New(2, 2, 2, quorum.WithRepair(quorum.RepairBlocking))
	s := newStore()
	s.nodes["a"] = version{1, "old"}
	s.nodes["b"] = version{2, "new"}
	res, err := quorum.Read(context.Background(), c, []string{"a", "b"}, quorum.Op[version]{
		Call:   s.get,
		Merge:  newer,
		Same:   func(a, b version) bool { return a == b },
		Repair: func(ctx context.Context, t quorum.Target, v version) error { return s.put(v)(ctx, t) },
	})
	fmt.Println(res.Value.value, res.Repaired, err)
	// Output: new [a] <nil>
}

func ExampleStats() {
	c, _ := quorum.New(3, 1, 1)
	s := newStore()
	_, _ = quorum.Read(context.Background(), c, []string{"a", "b", "c"}, quorum.Op[version]{Call: s.get})
	stats := c.Stats()
	fmt.Println(stats.Reads, "read,", stats.Calls, "call")
	// Output: 1 read, 1 call
}

// Reads that ask two of three replicas, and the third only if they are slow.
func ExampleHedge() {
	c, err := quorum.New(3, 2, 2, quorum.WithHedge(quorum.Hedge{Quantile: 0.95, Max: 50 * time.Millisecond}))
	if err != nil {
		panic(err)
	}
	s := newStore()
	_, err = quorum.Read(context.Background(), c, []string{"a", "b", "c"}, quorum.Op[version]{Call: s.get, Merge: newer})
	fmt.Println(err, c.Stats().Calls)
	// Output: <nil> 2
}

// A write of 2 is half done: it reached a. Whoever reads it makes sure that the
// next reader finds it, too, though a is gone.
func ExampleRepairMode() {
	c, err := quorum.New(3, 2, 2, quorum.WithRepair(quorum.RepairBlocking),
		quorum.WithHealth(func(node string) bool { return node != "c" }))
	if err != nil {
		panic(err)
	}
	s := newStore()
	s.nodes["a"] = version{2, "new"}
	s.nodes["b"], s.nodes["c"] = version{1, "old"}, version{1, "old"}
	op := quorum.Op[version]{
		Call: s.get, Merge: newer,
		Same:   func(a, b version) bool { return a == b },
		Repair: func(ctx context.Context, t quorum.Target, v version) error { return s.put(v)(ctx, t) },
	}
	res, err := quorum.Read(context.Background(), c, []string{"a", "b", "c"}, op)
	fmt.Println(res.Value.value, res.Repaired, err)

	later, _ := c.With(quorum.WithHealth(func(node string) bool { return node != "a" }))
	res, err = quorum.Read(context.Background(), later, []string{"a", "b", "c"}, op)
	fmt.Println(res.Value.value, res.Repaired, err)
	// Output:
	// new [b] <nil>
	// new [c] <nil>
}

func ExampleEvent() {
	c, _ := quorum.New(1, 1, 1, quorum.WithObserver(func(e quorum.Event) {
		fmt.Println(e.Op, e.Target.Node, e.Err)
	}))
	_, _ = quorum.Read(context.Background(), c, []string{"a"}, quorum.Op[version]{Call: newStore().get})
	// Output: read a <nil>
}
