package quorum_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/distkit/distkit/quorum"
	"github.com/distkit/distkit/quorum/expr"
	"github.com/distkit/distkit/quorum/pbs"
)

// The settings of the textbooks for N = 3.
func ExampleCoordinator_Strict() {
	for _, x := range [][2]int{{2, 1}, {2, 2}, {3, 1}, {1, 3}, {1, 1}} {
		c, err := quorum.New(3, x[0], x[1])
		if err != nil {
			panic(err)
		}
		fmt.Printf("R %d, W %d: %-5v stale at worst %.3f\n", x[0], x[1], c.Strict(), pbs.StaleProbability(3, x[0], x[1], 1))
	}
	// Output:
	// R 2, W 1: false stale at worst 0.333
	// R 2, W 2: true  stale at worst 0.000
	// R 3, W 1: true  stale at worst 0.000
	// R 1, W 3: true  stale at worst 0.000
	// R 1, W 1: false stale at worst 0.667
}

// replication runs a write of a model of replication, with nodes dead.
func replication(reads, writes string, dead ...string) {
	r, _ := expr.Parse(reads)
	w, _ := expr.Parse(writes)
	sys, err := expr.NewSystem(r, w)
	if err != nil {
		fmt.Println(err)
		return
	}
	c, err := quorum.New(3, 1, 1, quorum.WithSystem(sys))
	if err != nil {
		panic(err)
	}
	for _, node := range append([]string{""}, dead...) {
		s := newStore()
		s.dead = node
		_, err := quorum.Write(context.Background(), c, []string{"leader", "f1", "f2"}, quorum.WriteOp{Call: s.put(version{1, "x"})})
		fmt.Printf("without %q: lost %v\n", node, errors.Is(err, quorum.ErrNoQuorum))
	}
}

// The leader and all followers have a write before it is acknowledged: reads may
// go to any one of them, and no write survives a dead node.
func ExampleWithSystem_synchronous() {
	replication("leader + f1 + f2", "leader*f1*f2", "f1", "leader")
	// Output:
	// without "": lost false
	// without "f1": lost true
	// without "leader": lost true
}

// The leader and one follower have a write. A follower may be dead; reads go to
// the leader, for a follower may be the one that has not heard.
func ExampleWithSystem_semiSynchronous() {
	replication("leader", "leader*(f1 + f2)", "f1", "leader")
	replication("leader + f1 + f2", "leader*(f1 + f2)")
	// Output:
	// without "": lost false
	// without "f1": lost false
	// without "leader": lost true
	// expr: reads and writes need not meet: read quorum f2 and write quorum f1*leader
}

// The leader has a write, the followers hear of it in the background: they are in
// the expression so that they are sent it, in a term that is never needed.
func ExampleWithSystem_asynchronous() {
	replication("leader", "leader + leader*f1*f2", "f1", "leader")
	replication("leader + f1 + f2", "leader")
	// Output:
	// without "": lost false
	// without "f1": lost false
	// without "leader": lost true
	// expr: reads and writes need not meet: read quorum f1 and write quorum leader
}

// A stand-in answers reads from the hints that it keeps for the owner. It counts
// for R, never for PR.
func ExampleWithPrimaries() {
	up := func(node string) bool { return node == "c" || node == "d" }
	c, err := quorum.New(3, 2, 2, quorum.WithSloppy(1), quorum.WithHealth(up))
	if err != nil {
		panic(err)
	}
	owners, hints := newStore(), newStore()
	hints.nodes["d for a"] = version{2, "new"}
	owners.nodes["c"] = version{1, "old"}
	op := quorum.Op[version]{
		Call: func(_ context.Context, t quorum.Target) (version, error) {
			if t.Node != t.Owner {
				return hints.nodes[t.Node+" for "+t.Owner], nil
			}
			return owners.nodes[t.Node], nil
		},
		Merge: newer,
	}
	prefs := []string{"a", "b", "c", "d"}
	res, err := quorum.Read(context.Background(), c, prefs, op)
	fmt.Println(res.Value.value, res.Replies[0].Target, err)
	primaries, _ := c.With(quorum.WithPrimaries(2, 2))
	_, err = quorum.Read(context.Background(), primaries, prefs, op)
	fmt.Println(errors.Is(err, quorum.ErrUnavailable))
	// Output:
	// new {d a} <nil>
	// true
}

// Read your writes: a client brings the version of its last write, and is never
// answered with an older one.
func ExampleCoordinator_With() {
	c, err := quorum.New(3, 1, 1)
	if err != nil {
		panic(err)
	}
	all, err := c.With(quorum.WithReadLevel(quorum.All()))
	if err != nil {
		panic(err)
	}
	s, prefs := newStore(), []string{"a", "b", "c"}
	get := func(session int) string {
		op := quorum.Op[version]{Call: s.get, Merge: newer}
		res, err := quorum.Read(context.Background(), c, prefs, op)
		if err == nil && res.Value.at >= session {
			return res.Value.value
		}
		if res, err = quorum.Read(context.Background(), all, prefs, op); err == nil && res.Value.at >= session {
			return res.Value.value + ", from all"
		}
		return "unavailable"
	}
	s.nodes["a"], s.nodes["c"] = version{1, "old"}, version{2, "mine"}
	fmt.Println(get(1))
	fmt.Println(get(2))
	s.dead = "c"
	fmt.Println(get(2))
	// Output:
	// old
	// mine, from all
	// unavailable
}
