package itc_test

import (
	"fmt"

	"github.com/distkit/distkit/vclock/itc"
)

// A worker is made, reports, and retires. The clock is as small as before.
func ExampleStamp() {
	boss := itc.Seed()
	boss, worker := boss.Fork()
	fmt.Println(boss, worker)

	worker = worker.Event()
	boss = boss.Event()
	fmt.Println(worker.Compare(boss))

	boss, err := boss.Join(worker) // worker is gone
	fmt.Println(boss, err)
	fmt.Println(boss.Event())
	// Output:
	// ((1, 0), 0) ((0, 1), 0)
	// concurrent
	// (1, 1) <nil>
	// (1, 2)
}

// A message carries what its sender has seen, and no part of its id.
func ExampleStamp_Peek() {
	a, b := itc.Seed().Fork()
	a = a.Event()
	message := a.Peek()

	b, _ = b.Join(message)
	b = b.Event()
	fmt.Println(message, b, b.Compare(a))

	_, err := b.Join(b) // not a message but a copy
	fmt.Println(err)
	// Output:
	// (0, (0, 1, 0)) ((0, 1), 1) after
	// itc: stamps own the same part of the id: (0, 1) and (0, 1)
}
