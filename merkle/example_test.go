package merkle_test

import (
	"fmt"

	"github.com/distkit/distkit/merkle"
)

// Two replicas differ in one half of the ring and are equal in the other.
func ExampleTree() {
	a, _ := merkle.NewTree()
	b, _ := merkle.NewTree()
	for i := range 1000 {
		key := fmt.Sprint("user:", i)
		a.PutString(key, []byte("v1"))
		b.PutString(key, []byte("v1"))
	}
	b.PutString("user:7", []byte("v2"))

	lower := merkle.Range{Start: 0, End: 1 << 63}
	upper := merkle.Range{Start: 1 << 63, End: 0}
	fmt.Println(a.Summary(lower) == b.Summary(lower), a.Summary(upper) == b.Summary(upper))
	// Output: false true
}

// A range changes owner: nothing is calculated again.
func ExampleTree_Cut() {
	old, _ := merkle.NewTree()
	for i := range 1000 {
		old.PutString(fmt.Sprint("user:", i), []byte("v1"))
	}
	moved := merkle.Range{Start: 1 << 62, End: 3 << 62}
	want := old.Summary(moved)

	next, _ := merkle.NewTree()
	_ = next.Join(old.Cut(moved))
	fmt.Println(next.Summary(moved) == want, old.Summary(moved).Count, old.Len()+next.Len())
	// Output: true 0 1000
}

// A Hash is text in JSON and elsewhere.
func ExampleHash() {
	var h merkle.Hash
	err := h.UnmarshalText([]byte("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"))
	fmt.Println(h, h.IsZero(), err)
	// Output: e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855 false <nil>
}

// Two replicas find their differences; the initiator learns them.
func ExampleSession() {
	a, _ := merkle.NewTree()
	b, _ := merkle.NewTree()
	for h := range uint64(1000) {
		a.PutHash(h<<50, 1)
		b.PutHash(h<<50, 1)
	}
	a.PutHash(7<<50, 2)
	b.DeleteHash(8 << 50)

	s, _ := a.Initiate()
	r, _ := b.Respond()
	var in []byte
	for {
		out, _, _ := s.Next(nil, in)
		if len(out) == 0 {
			break
		}
		in, _, _ = r.Next(nil, out)
	}
	for d := range s.Diffs() {
		fmt.Println(d.Hash>>50, d.Local, d.HasLocal, d.Remote, d.HasRemote)
	}
	fmt.Println(s.Stats().Messages, "messages")
	// Output:
	// 7 2 true 1 true
	// 8 1 true 0 false
	// 2 messages
}
