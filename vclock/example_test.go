package vclock_test

import (
	"fmt"
	"strings"

	"github.com/distkit/distkit/vclock"
)

// Two replicas write, one of them hears of the other.
func ExampleClock() {
	var a, b vclock.Clock
	a = a.Tick("a")
	b = b.Tick("b")
	fmt.Println(a, b, a.Compare(b))

	b = b.Merge(a).Tick("b")
	fmt.Println(a, b, a.Compare(b))
	fmt.Println(b.Contains(vclock.Dot{ID: "a", N: 1}), b.Contains(vclock.Dot{ID: "a", N: 2}))
	// Output:
	// {"a":1} {"b":1} concurrent
	// {"a":1} {"a":1, "b":2} before
	// true false
}

// Clocks are values: equal ones are ==, whatever way they came about.
func ExampleClock_mapKey() {
	x, _ := vclock.Make(vclock.Dot{ID: "b", N: 2}, vclock.Dot{ID: "a", N: 1}, vclock.Dot{ID: "c", N: 0})
	y := vclock.Clock{}.Tick("b").Tick("a").Tick("b")
	fmt.Println(x == y)

	cache := map[vclock.Clock]string{x: "rendered"}
	fmt.Println(cache[y])
	// Output:
	// true
	// rendered
}

// A context travels to a client and back as a token.
func ExampleClock_MarshalText() {
	token, _ := vclock.Clock{}.Tick("a").Tick("b").Tick("b").MarshalText()
	fmt.Printf("X-Context: %s\n", token)

	var c vclock.Clock
	fmt.Println(c.UnmarshalText(token), c)
	fmt.Println(c.UnmarshalText([]byte("AXTjNDsBYQEBYgM")))
	// Output:
	// X-Context: AXTjNDsBYQEBYgI
	// <nil> {"a":1, "b":2}
	// vclock: corrupt encoding: checksum of clock does not match
}

// An actor has left for good. Its entry may go once all replicas have seen its
// last event.
func ExampleClock_Without() {
	last := vclock.Dot{ID: "gone", N: 7}
	x, _ := vclock.Make(last, vclock.Dot{ID: "x", N: 3})
	y, _ := vclock.Make(last, vclock.Dot{ID: "y", N: 5})
	if stable := x.Meet(y); stable.Contains(last) {
		x, y = x.Without("gone"), y.Without("gone")
	}
	fmt.Println(x, y)
	// Output:
	// {"x":3} {"y":5}
}

func ExampleMake() {
	c, err := vclock.Make(vclock.Dot{ID: "b", N: 2}, vclock.Dot{ID: "a", N: 1})
	fmt.Println(c, err)
	_, err = vclock.Make(vclock.Dot{ID: "a", N: 1}, vclock.Dot{ID: "a", N: 2})
	fmt.Println(err)
	// Output:
	// {"a":1, "b":2} <nil>
	// vclock: id "a" occurs twice, want once
}

func ExampleDot() {
	seen := vclock.Clock{}.Tick("a").Tick("a")
	for _, d := range []vclock.Dot{{ID: "a", N: 2}, {ID: "a", N: 3}} {
		fmt.Println(d, seen.Contains(d))
	}
	// Output:
	// {a 2} true
	// {a 3} false
}

// What a store does with a version that arrives.
func ExampleOrdering() {
	have := vclock.Clock{}.Tick("a").Tick("b")
	for _, got := range []vclock.Clock{have.Tick("b"), have, {}, vclock.Clock{}.Tick("c")} {
		switch got.Compare(have) {
		case vclock.After:
			fmt.Println("replace")
		case vclock.Equal, vclock.Before:
			fmt.Println("ignore")
		case vclock.Concurrent:
			fmt.Println("conflict")
		}
	}
	// Output:
	// replace
	// ignore
	// ignore
	// conflict
}

// The reconciliation of the textbooks: D1 and D2 through server Sx, then D3
// through Sy and D4 through Sz without having heard of each other, and D5, which
// settles it, through Sx again.
func ExampleSiblings() {
	var sx vclock.Siblings[string]
	sx, _ = sx.Put(vclock.Clock{}, "Sx", "D1")
	sx, _ = sx.Put(sx.Context(), "Sx", "D2")

	read := sx.Context() // two clients read D2
	sy, _ := sx.Put(read, "Sy", "D3")
	sz, _ := sx.Put(read, "Sz", "D4")
	fmt.Println("D3", sy.Context(), "D4", sz.Context(), sy.Compare(sz))

	sx = sy.Merge(sz)
	for dot, value := range sx.All() {
		fmt.Println(value, "by", dot)
	}
	sx = sx.Reconcile("Sx", func(vs []string) string { return "D5, from " + strings.Join(vs, " and ") })
	for value := range sx.Values() {
		fmt.Println(value, sx.Context())
	}
	// Output:
	// D3 {"Sx":2, "Sy":1} D4 {"Sx":2, "Sz":1} concurrent
	// D3 by {Sy 1}
	// D4 by {Sz 1}
	// D5, from D3 and D4 {"Sx":3, "Sy":1, "Sz":1}
}

// A delete covers what the deleter had read. A value that it had not read stays.
func ExampleSiblings_Discard() {
	var s vclock.Siblings[string]
	s, _ = s.Put(vclock.Clock{}, "a", "old")
	read := s.Context()
	late, _ := s.Put(read, "b", "new")

	gone := s.Discard(read)
	fmt.Println(gone.Len(), gone.Context(), gone.Compare(s), gone.Equal(s))
	back := gone.Merge(s)
	fmt.Println(back.Len())
	for v := range gone.Merge(late).Values() {
		fmt.Println(v)
	}
	// Output:
	// 0 {"a":1} equal false
	// 0
	// new
}

// Last writer wins, where losing the others is acceptable.
func ExampleSiblings_Latest() {
	type entry struct {
		at   int
		text string
	}
	var s vclock.Siblings[entry]
	s, _ = s.Put(vclock.Clock{}, "a", entry{10, "first"})
	s, _ = s.Put(vclock.Clock{}, "b", entry{12, "second"})
	newest, _ := s.Latest(func(a, b entry) bool { return a.at > b.at })
	s, _ = s.Put(s.Context(), "a", newest)
	for v := range s.Values() {
		fmt.Println(v.text, s.Context())
	}
	// Output:
	// second {"a":2, "b":1}
}

func ExampleAppendSiblings() {
	var s vclock.Siblings[string]
	s, _ = s.Put(vclock.Clock{}, "a", "milk")
	s, _ = s.Put(vclock.Clock{}, "b", "eggs")
	data, _ := vclock.AppendSiblings(nil, s, func(b []byte, v string) ([]byte, error) { return append(b, v...), nil })
	back, err := vclock.DecodeSiblings(data, func(b []byte) (string, error) { return string(b), nil })
	fmt.Println(len(data), back.Equal(s), err)
	// Output:
	// 24 true <nil>
}

func ExampleNewActor() {
	id := vclock.NewActor("cart-1")
	fmt.Println(strings.HasPrefix(id, "cart-1~"), len(id), id != vclock.NewActor("cart-1"))
	// Output:
	// true 20 true
}

// Times of one host and those of its messages.
func ExampleLamport() {
	var a, b vclock.Lamport
	a.Tick()
	sent := a.Tick()
	received, err := b.Observe(sent)
	fmt.Println(sent, received, err)

	_, err = b.Observe(1 << 63) // nobody gets there honestly
	fmt.Println(b.Last(), err)
	// Output:
	// 2 3 <nil>
	// 3 vclock: remote clock is too far ahead: time is 9223372036854775808, want at most 2^40 past 3
}

// An answer overtakes its question and waits for it.
func ExampleCausal() {
	ann, _ := vclock.NewCausal[string]("ann", 100)
	bob, _ := vclock.NewCausal[string]("bob", 100)
	eve, _ := vclock.NewCausal[string]("eve", 100)

	question := ann.Send()
	_, _ = bob.Receive("ann", question, "lunch?")
	answer := bob.Send()

	now, _ := eve.Receive("bob", answer, "at noon")
	fmt.Println(now, eve.Len())
	now, _ = eve.Receive("ann", question, "lunch?")
	fmt.Println(now, eve.Len())
	// Output:
	// [] 1
	// [lunch? at noon] 0
}
