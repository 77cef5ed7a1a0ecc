package smt_test

import (
	"fmt"

	"github.com/distkit/distkit/merkle/smt"
)

// A map publishes its root; a reader checks what keys have, and which are absent.
func Example() {
	var m smt.Map
	m.Set([]byte("alice"), []byte("100"))
	m.Set([]byte("bob"), []byte("20"))
	root := m.Root()

	p := m.Prove([]byte("alice"))
	fmt.Println("alice has 100:", p.VerifyPresent(root, []byte("alice"), []byte("100")) == nil)
	fmt.Println("alice has 900:", p.VerifyPresent(root, []byte("alice"), []byte("900")) == nil)

	q := m.Prove([]byte("carol"))
	fmt.Println("carol is absent:", q.VerifyAbsent(root, []byte("carol")) == nil)
	// Output:
	// alice has 100: true
	// alice has 900: false
	// carol is absent: true
}

// A branch is tried and thrown away; the root does not tell how it came about.
func ExampleMap() {
	var m smt.Map
	m.Set([]byte("alice"), []byte("100"))
	before := m.Root()

	branch := m.Snapshot()
	branch.Set([]byte("bob"), []byte("20"))
	fmt.Println(branch.Len(), "keys in the branch,", m.Len(), "in the map")

	branch.Delete([]byte("bob"))
	fmt.Println("as before:", branch.Root() == before)
	// Output:
	// 2 keys in the branch, 1 in the map
	// as before: true
}

// Every version is kept for the price of what changed, and any two are compared.
func ExampleDiff() {
	var m smt.Map
	for i := range 1000 {
		m.Set(fmt.Append(nil, "account ", i), []byte("0"))
	}
	monday := m.Snapshot()
	m.Set([]byte("account 7"), []byte("50"))
	m.Delete([]byte("account 8"))
	for _, c := range smt.Diff(monday, &m) {
		fmt.Println("was there:", !c.A.IsZero(), "is there:", !c.B.IsZero())
	}
	// Output:
	// was there: true is there: false
	// was there: true is there: true
}

// A proof travels as a few hundred bytes.
func ExampleProof() {
	var m smt.Map
	for i := range 1000 {
		m.Set(fmt.Append(nil, "account ", i), []byte("0"))
	}
	data, err := m.Prove([]byte("account 7")).MarshalBinary()
	if err != nil {
		panic(err)
	}
	var p smt.Proof
	if err := p.UnmarshalBinary(data); err != nil {
		panic(err)
	}
	fmt.Println(len(data), "bytes:", p.VerifyPresent(m.Root(), []byte("account 7"), []byte("0")))
	// Output:
	// 325 bytes: <nil>
}
