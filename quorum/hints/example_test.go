package hints_test

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/distkit/distkit/quorum/hints"
)

func ExampleMemory() {
	m := hints.NewMemory(1 << 20)
	_ = m.Put(hints.Hint{Owner: "node-3", Key: "cart/7", Value: []byte("milk")})
	fmt.Println(m.Owners(), m.Stats().Hints)
	// Output: [node-3] 1
}

// Hints that survive the process.
func ExampleLog() {
	dir, err := os.MkdirTemp("", "hints")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	log, err := hints.Open(dir)
	if err != nil {
		panic(err)
	}
	_ = log.Put(hints.Hint{Owner: "node-3", Key: "cart/7", Value: []byte("milk")})
	_ = log.Close()

	log, err = hints.Open(dir)
	if err != nil {
		panic(err)
	}
	defer log.Close()
	err = hints.Replay(context.Background(), log, "node-3", func(_ context.Context, h hints.Hint) error {
		fmt.Printf("to %s: %s = %s\n", h.Owner, h.Key, h.Value)
		return nil
	})
	fmt.Println(err, log.Stats().Hints, "left")
	// Output:
	// to node-3: cart/7 = milk
	// <nil> 0 left
}

func ExampleStore() {
	var s hints.Store = hints.NewMemory(1 << 20)
	now := time.Unix(1_700_000_000, 0)
	for _, key := range []string{"a", "b"} {
		_ = s.PutAt(now, hints.Hint{Owner: "node-3", Key: key})
	}
	for h := range s.Pending("node-3") {
		fmt.Println(h.Key)
		_ = s.Done(h.Owner, h.ID)
	}
	fmt.Println(s.Owners())
	// Output:
	// a
	// b
	// []
}

func ExampleHint() {
	m := hints.NewMemory(1 << 20)
	_ = m.PutAt(time.Unix(1_700_000_000, 0), hints.Hint{Owner: "node-3", Key: "k", Value: []byte("v")})
	for h := range m.Pending("node-3") {
		fmt.Println(h.ID, h.Owner, h.Key, h.At.UTC().Format(time.DateTime))
	}
	// Output: 1 node-3 k 2023-11-14 22:13:20
}

func ExampleStats() {
	m := hints.NewMemory(100)
	_ = m.Put(hints.Hint{Owner: "node-3", Key: "k"})
	err := m.Put(hints.Hint{Owner: "node-3", Key: "k"})
	s := m.Stats()
	fmt.Println(s.Stored, "stored,", s.Refused, "refused:", err)
	// Output: 1 stored, 1 refused: hints: store is full
}

func ExampleOption() {
	_, err := hints.Open("unused", hints.WithMaxBytes(0, 0))
	fmt.Println(err)
	// Output: hints: bytes are at most 0, for an owner 0, want > 0
}

// Hints that are older than the window are deleted, not sent.
func ExampleReplayOption() {
	m := hints.NewMemory(1 << 20)
	put := time.Unix(1_700_000_000, 0)
	_ = m.PutAt(put, hints.Hint{Owner: "node-3", Key: "k"})
	err := hints.ReplayAt(context.Background(), put.Add(2*time.Hour), m, "node-3", nil, hints.WithWindow(time.Hour))
	fmt.Println(err, m.Stats().Expired, "expired")
	// Output: <nil> 1 expired
}
