package shiviz_test

import (
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"

	"github.com/distkit/distkit/vclock"
	"github.com/distkit/distkit/vclock/shiviz"
)

// Two hosts share a log. Put shiviz.Header before it to load it into ShiViz.
func ExampleWriter() {
	client, _ := shiviz.NewProcess("client")
	server, _ := shiviz.NewProcess("server")
	c, s := shiviz.New(os.Stdout, client), shiviz.New(os.Stdout, server)

	request, _ := c.Send("get x")
	_ = s.Receive("serve get x", request)
	slog.New(s.Handler()).Info("cache miss", "key", "x")
	reply, _ := s.Send("x is 7")
	_ = c.Receive("x is 7", reply)
	// Output:
	// client {"client":1}
	// get x
	// server {"client":1, "server":1}
	// serve get x
	// server {"client":1, "server":2}
	// INFO cache miss key=x
	// server {"client":1, "server":3}
	// x is 7
	// client {"client":2, "server":3}
	// x is 7
}

func ExampleProcess() {
	a, _ := shiviz.NewProcess("a")
	b, _ := shiviz.NewProcess("b")
	write := a.Send()
	read := b.Receive(write)
	fmt.Println(write, read, read.Compare(write))
	// Output:
	// {"a":1} {"a":1, "b":1} after
}

// Two counters both read 5 and write 6. The log shows that neither write saw the
// other: one of them is lost.
func ExampleConcurrent() {
	const log = `store {"store":1}
n = 5
a {"a":1, "store":1}
write n = 6
b {"b":1, "store":1}
write n = 6
a {"a":2, "b":1, "store":1}
write n = 7
`
	writes := func(yield func(shiviz.Event) bool) {
		for e, err := range shiviz.Parse(strings.NewReader(log)) {
			if err == nil && strings.HasPrefix(e.Text, "write n") && !yield(e) {
				return
			}
		}
	}
	for x, y := range shiviz.Concurrent(writes) {
		fmt.Println(x.Host, x.Text, "and", y.Host, y.Text)
	}
	// Output:
	// a write n = 6 and b write n = 6
}

// A clock that knows of an event before it happened.
func ExampleCheck() {
	events := []shiviz.Event{
		{Host: "a", Text: "send", Clock: vclock.Clock{}.Tick("a")},
		{Host: "b", Text: "receive", Clock: vclock.Clock{}.Tick("a").Tick("a").Tick("b")},
	}
	err := shiviz.Check(slices.Values(events))
	fmt.Println(err)
	// Output:
	// shiviz: event 2, "receive" of "b" with {"a":2, "b":1}: knows event 2 of "a", which never happened
}

func ExampleEvent() {
	log := shiviz.Header + "node%201 {\"node%201\":1}\ntwo\\nlines\n"
	for e, err := range shiviz.Parse(strings.NewReader(log)) {
		fmt.Printf("%q %q %v %v\n", e.Host, e.Text, e.Clock, err)
	}
	// Output:
	// "node 1" "two\nlines" {"node 1":1} <nil>
}
