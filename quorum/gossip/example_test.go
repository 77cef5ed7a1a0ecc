package gossip_test

import (
	"fmt"
	"time"

	"github.com/distkit/distkit/quorum/gossip"
)

// exchange is what a transport does after each tick.
func exchange(now time.Time, a, b *gossip.Table) {
	ack, err := b.AppendDelta(nil, a.AppendDigest(nil)) // SYN, ACK
	if err != nil {
		panic(err)
	}
	digest := b.AppendDigest(nil)
	_ = a.ApplyAt(now, ack)
	ack2, err := a.AppendDelta(nil, digest) // ACK2
	if err != nil {
		panic(err)
	}
	_ = b.ApplyAt(now, ack2)
}

func ExampleTable() {
	now := time.Unix(1_700_000_000, 0)
	a, _ := gossip.New("a")
	b, _ := gossip.New("b")
	_ = a.Join("a", 1, "zone-1")
	_ = b.Join("b", 2, "zone-2")
	a.TickAt(now)
	b.TickAt(now)
	exchange(now, a, b)
	for name, state := range a.Members() {
		fmt.Println(name, state.Weight, state.Zone, state.Live)
	}
	// Output:
	// a 1 zone-1 alive
	// b 2 zone-2 alive
}

// One observer's report is a suspicion, two make a node down; it stays a member.
func ExampleState() {
	now := time.Unix(1_700_000_000, 0)
	tables := map[string]*gossip.Table{}
	for _, self := range []string{"a", "b", "c"} {
		t, _ := gossip.New(self, gossip.WithSuspicion(0, 0))
		for _, name := range []string{"a", "b", "c"} {
			_ = t.Join(name, 1, "")
		}
		t.TickAt(now)
		tables[self] = t
	}
	a, b := tables["a"], tables["b"]
	exchange(now, a, tables["c"])
	exchange(now, a, b)

	now = now.Add(20 * time.Second) // c has crashed
	exchange(now, a, b)
	a.TickAt(now)
	s := a.StateAt(now, "c")
	fmt.Printf("%v, phi %.1f, observers %d\n", s.Live, s.Phi, s.Observers)
	b.TickAt(now)
	exchange(now, a, b)
	s = a.StateAt(now, "c")
	fmt.Println(s.Live, s.Observers, s.Status, a.Up("c"))
	// Output:
	// suspect, phi 8.7, observers 1
	// down 2 member false
}

func ExampleAdmin() {
	t, _ := gossip.New("a")
	_ = t.Join("b", 1, "zone-1")
	_ = t.Join("b", 2, "zone-1") // twice the share
	_ = t.Leave("b")
	fmt.Printf("%+v\n", t.State("b").Admin)
	// Output: {Status:left Weight:2 Zone:zone-1 Generation:3}
}

func ExampleStatus() {
	t, _ := gossip.New("a")
	fmt.Println(t.State("b").Status, gossip.Member)
	// Output: unknown member
}

func ExampleLiveness() {
	t, _ := gossip.New("a")
	_ = t.Join("b", 1, "")
	fmt.Println(t.State("b").Live)
	// Output: unheard
}

func ExampleStats() {
	t, _ := gossip.New("a")
	_ = t.Join("a", 1, "")
	_ = t.Join("b", 1, "")
	t.Tick()
	s := t.Stats()
	fmt.Println(s.Members, "members,", s.Alive, "alive")
	// Output: 2 members, 1 alive
}

func ExampleOption() {
	_, err := gossip.New("a", gossip.WithObservers(0))
	fmt.Println(err)
	// Output: gossip: observers are 0, want 1 to 16
}

// A node that restarts keeps the membership and forgets who lived.
func ExampleTable_UnmarshalBinary() {
	now := time.Unix(1_700_000_000, 0)
	t, _ := gossip.New("a")
	_ = t.Join("a", 1, "")
	t.TickAt(now)
	image, _ := t.MarshalBinary()

	again, _ := gossip.New("a")
	fmt.Println(again.UnmarshalBinary(image), again.State("a").Status, again.State("a").Live)
	again.TickAt(now.Add(-time.Hour)) // its clock stands back
	fmt.Println(again.State("a").Incarnation > t.State("a").Incarnation)
	// Output:
	// <nil> member unheard
	// true
}
