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
