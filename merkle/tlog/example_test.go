package tlog_test

import (
	"fmt"

	"github.com/distkit/distkit/merkle"
	"github.com/distkit/distkit/merkle/tlog"
)

// A log publishes roots; a reader checks that an entry is in it, and that the
// history it saw yesterday is still there.
func Example() {
	var log tlog.Log
	log.Append([]byte("alice pays bob 5"))
	log.Append([]byte("bob pays carol 3"))
	yesterday, size := log.Root(), log.Size()

	log.Append([]byte("carol pays alice 1"))
	today := log.Root()

	// The reader trusts the two roots and their sizes, and nothing else.
	proof, _ := log.Inclusion(1, 3)
	leaf := tlog.LeafHash([]byte("bob pays carol 3"))
	fmt.Println("in the log:", tlog.VerifyInclusion(today, 3, 1, leaf, proof) == nil)

	history, _ := log.Consistency(size, 3)
	fmt.Println("nothing rewritten:", tlog.VerifyConsistency(yesterday, size, today, 3, history) == nil)

	forged := tlog.LeafHash([]byte("bob pays carol 300"))
	fmt.Println(tlog.VerifyInclusion(today, 3, 1, forged, proof) != nil)
	// Output:
	// in the log: true
	// nothing rewritten: true
	// true
}

// One proof for many entries shares what single proofs repeat.
func ExampleLog_Batch() {
	var log tlog.Log
	for i := range 1000 {
		log.Append(fmt.Appendf(nil, "entry %d", i))
	}
	indexes := []uint64{10, 11, 12, 500}
	var leaves []merkle.Hash
	for _, i := range indexes {
		leaves = append(leaves, tlog.LeafHash(fmt.Appendf(nil, "entry %d", i)))
	}
	proof, _ := log.Batch(1000, indexes...)
	single, _ := log.Inclusion(10, 1000)
	fmt.Println(len(proof), "hashes, and four times", len(single), "one by one")
	fmt.Println(tlog.VerifyBatch(log.Root(), 1000, indexes, leaves, proof))
	// Output:
	// 17 hashes, and four times 10 one by one
	// <nil>
}

// A view stays what it is while the log grows.
func ExampleView() {
	var log tlog.Log
	log.Append([]byte("first"))
	view := log.Snapshot()
	log.Append([]byte("second"))
	fmt.Println(view.Size(), log.Size())
	_, err := view.Leaf(1)
	fmt.Println(err)
	// Output:
	// 1 2
	// tlog: index is 1, want one of [0, 1): merkle: index or size out of range
}

// Two workers hash a half each; the halves make one root.
func ExampleFrontier() {
	left, right := tlog.NewFrontier(), tlog.NewFrontierAt(3)
	for i := range 3 {
		left.Append(tlog.LeafHash([]byte{byte(i)}))
	}
	for i := 3; i < 7; i++ {
		right.Append(tlog.LeafHash([]byte{byte(i)}))
	}
	if err := left.Merge(right); err != nil {
		panic(err)
	}
	var log tlog.Log
	log.AppendAll([][]byte{{0}, {1}, {2}, {3}, {4}, {5}, {6}})
	fmt.Println(left.Size(), left.Root() == log.Root())
	// Output:
	// 7 true
}
