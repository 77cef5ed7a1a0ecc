package quorum_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/distkit/distkit/quorum"
)

// Options are checked together, when all are known.
func ExampleOption() {
	_, err := quorum.New(3, 2, 2, quorum.WithSloppy(-1))
	fmt.Println(err)
	_, err = quorum.New(3, 2, 2, quorum.WithReadLevel(quorum.EachZone(quorum.One())))
	fmt.Println(err)
	// Output:
	// quorum: stand-ins are -1, want 0 or more
	// quorum: level EachZone(Count(1)) without WithZones
}

// Who has the write, and who will hear of it from a hint.
func ExampleReceipt() {
	c, err := quorum.New(3, 2, 2)
	if err != nil {
		panic(err)
	}
	s := newStore()
	s.dead = "c"
	_, err = quorum.Write(context.Background(), c, []string{"a", "b", "c"}, quorum.WriteOp{
		Call: s.put(version{1, "x"}),
		Done: func(r quorum.Receipt) { fmt.Println("acked", r.Acked, "failed", r.Failed, "pending", r.Pending) },
	})
	if err != nil {
		panic(err)
	}
	_ = c.Close(context.Background())
	// Output: acked [a b] failed [c: connection refused] pending []
}

// Every reply that met the level is there, with its target.
func ExampleResult() {
	c, err := quorum.New(3, 3, 1)
	if err != nil {
		panic(err)
	}
	s := newStore()
	s.nodes["b"] = version{1, "x"}
	res, err := quorum.Read(context.Background(), c, []string{"a", "b", "c"}, quorum.Op[version]{Call: s.get, Merge: newer})
	if err != nil {
		panic(err)
	}
	for _, reply := range res.Replies {
		fmt.Printf("%s has %q\n", reply.Target.Node, reply.Value.value)
	}
	fmt.Printf("together %q\n", res.Value.value)
	// Output:
	// a has ""
	// b has "x"
	// c has ""
	// together "x"
}

// A reply tells who answered and whether it was asked because another was slow.
func ExampleReply() {
	c, err := quorum.New(1, 1, 1)
	if err != nil {
		panic(err)
	}
	res, err := quorum.Read(context.Background(), c, []string{"a"}, quorum.Op[version]{Call: newStore().get})
	fmt.Println(res.Replies[0].Target, res.Replies[0].Hedged, err)
	// Output: {a a} false <nil>
}

// What the server of a node does with a write for a target.
func ExampleTarget() {
	for _, t := range []quorum.Target{{Node: "a", Owner: "a"}, {Node: "d", Owner: "a"}} {
		if t.Node == t.Owner {
			fmt.Println(t.Node, "writes to its own data")
		} else {
			fmt.Println(t.Node, "keeps a hint for", t.Owner)
		}
	}
	// Output:
	// a writes to its own data
	// d keeps a hint for a
}

func ExampleNodeError() {
	err := quorum.NodeError{Node: "a", Err: context.DeadlineExceeded}
	fmt.Println(err, errors.Is(err, context.DeadlineExceeded))
	// Output: a: context deadline exceeded true
}

// Six keys on four nodes: four calls instead of eighteen, and an error for each
// key whose level was not met.
func ExampleWriteBatch() {
	c, err := quorum.New(3, 2, 2)
	if err != nil {
		panic(err)
	}
	nodes := []string{"a", "b", "c", "d"}
	errs := quorum.WriteBatch(context.Background(), c, 6, func(i int, buf []string) []string {
		return append(buf, nodes[i%4], nodes[(i+1)%4], nodes[(i+2)%4])
	}, func(_ context.Context, node string, keys []int) error {
		if node == "a" || node == "b" {
			return errors.New("connection refused")
		}
		return nil
	})
	for key, err := range errs {
		fmt.Println(key, errors.Is(err, quorum.ErrNoQuorum))
	}
	// Output:
	// 0 true
	// 1 false
	// 2 false
	// 3 true
	// 4 true
	// 5 false
}
