package ring_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/distkit/distkit"
	"github.com/distkit/distkit/ring"
)

func Example() {
	r, err := ring.New(ring.Nodes("node-1", "node-2", "node-3", "node-4"))
	if err != nil {
		panic(err)
	}
	owner, _ := r.OwnerString("user:42")
	fmt.Println("owner: ", owner)
	fmt.Println("copies:", r.AppendOwnersString(nil, "user:42", 3))

	// A change gives a new ring. Only keys of the new node move.
	next, err := r.Add(ring.Node{ID: "node-5"})
	if err != nil {
		panic(err)
	}
	moved := 0
	for i := range 10_000 {
		key := fmt.Sprint("user:", i)
		was, _ := r.OwnerString(key)
		now, _ := next.OwnerString(key)
		if was != now {
			moved++
		}
	}
	fmt.Printf("moved:  %d of 10000 keys, all to the new node\n", moved)
	// Output:
	// owner:  node-2
	// copies: [node-2 node-4 node-3]
	// moved:  1939 of 10000 keys, all to the new node
}

func ExampleNode() {
	r, err := ring.New([]ring.Node{
		{ID: "small", Zone: "eu-1"},
		{ID: "large", Weight: 3, Zone: "eu-2"},
	})
	if err != nil {
		panic(err)
	}
	for i := range r.Len() {
		n := r.Node(i)
		fmt.Printf("%s in %s: %.0f %% of the keys\n", n.ID, n.Zone, 100*r.Share(n.ID, 1))
	}
	// Output:
	// large in eu-2: 75 % of the keys
	// small in eu-1: 25 % of the keys
}

// Copies are spread over zones: each zone has one before any has two.
func ExampleRing_AppendOwners() {
	r, err := ring.New([]ring.Node{
		{ID: "a1", Zone: "a"},
		{ID: "a2", Zone: "a"},
		{ID: "a3", Zone: "a"},
		{ID: "b1", Zone: "b"},
		{ID: "b2", Zone: "b"},
		{ID: "c1", Zone: "c"},
	})
	if err != nil {
		panic(err)
	}
	var owners []string
	for _, key := range []string{"apple", "banana", "cherry"} {
		owners = r.AppendOwners(owners[:0], []byte(key), 4)
		fmt.Println(key, owners)
	}
	// Output:
	// apple [b2 a3 c1 a1]
	// banana [c1 a2 b1 a3]
	// cherry [b1 c1 a2 b2]
}

// Walk yields the nodes in order of preference, here to find one that is up.
func ExampleRing_Walk() {
	r, err := ring.New(ring.Nodes("a", "b", "c", "d", "e"))
	if err != nil {
		panic(err)
	}
	down := map[string]bool{"e": true, "c": true}
	key := distkit.HashString("user:7")
	for n := range r.Walk(key) {
		if down[n.ID] {
			fmt.Println(n.ID, "is down")
			continue
		}
		fmt.Println(n.ID, "answers")
		break
	}
	// Output:
	// e is down
	// d answers
}

// A zone spread and a move plan on a ring with tokens that a person can follow.
func ExampleMoves() {
	at := map[string]uint64{"A": 20, "B": 70, "C": 120, "D": 170, "E": 220}
	tokens := ring.WithTokens(func(dst []uint64, n ring.Node, _ int) []uint64 {
		return append(dst, at[n.ID]<<56)
	})
	before, err := ring.New(ring.Nodes("A", "B", "D", "E"), tokens)
	if err != nil {
		panic(err)
	}
	after, err := before.Add(ring.Node{ID: "C"})
	if err != nil {
		panic(err)
	}
	moves, err := ring.Moves(before, after, 2)
	if err != nil {
		panic(err)
	}
	for m := range moves {
		fmt.Printf("(%d, %d]: from %v to %v: %v receives, then %v drops\n",
			m.Range.Start>>56, m.Range.End>>56, m.From, m.To, m.Gained(), m.Lost())
	}
	// Output:
	// (20, 70]: from [B D] to [B C]: [C] receives, then [D] drops
	// (70, 120]: from [D E] to [C D]: [C] receives, then [E] drops
}

func ExampleMove() {
	m := ring.Move{From: []string{"a", "b", "c"}, To: []string{"d", "a", "b"}}
	fmt.Println("receives:", m.Gained(), "drops:", m.Lost())
	// Output: receives: [d] drops: [c]
}

func ExampleRange() {
	r, err := ring.New(ring.Nodes("a", "b"), ring.WithVirtualNodes(1))
	if err != nil {
		panic(err)
	}
	key := distkit.HashString("user:42")
	for _, id := range []string{"a", "b"} {
		for arc := range r.Ranges(id, 1) {
			fmt.Printf("%s holds (%016x, %016x], the key: %v\n", id, arc.Start, arc.End, arc.Contains(key))
		}
	}
	// Output:
	// a holds (434d6d9806cdffff, 37e2cad4e004ffff], the key: true
	// b holds (37e2cad4e004ffff, 434d6d9806cdffff], the key: false
}

// A ring is stored as its membership and options: 28 bytes a node here.
func ExampleRing_MarshalBinary() {
	r, err := ring.New(ring.Nodes("node-1.example.com", "node-2.example.com"))
	if err != nil {
		panic(err)
	}
	image, err := r.MarshalBinary()
	if err != nil {
		panic(err)
	}
	var same ring.Ring
	if err := same.UnmarshalBinary(image); err != nil {
		panic(err)
	}
	fmt.Println(len(image), "bytes,", same.Len(), "nodes,", same.Fingerprint() == r.Fingerprint())
	// Output: 112 bytes, 2 nodes, true
}

// WithTolerance bounds how uneven shares are, and the ring is still a function of
// the membership.
func ExampleWithTolerance() {
	var ids []string
	for i := range 100 {
		ids = append(ids, fmt.Sprint("node-", i))
	}
	for _, opts := range [][]ring.Option{nil, {ring.WithTolerance(0.02)}} {
		r, err := ring.New(ring.Nodes(ids...), opts...)
		if err != nil {
			panic(err)
		}
		var shares []float64
		for _, id := range ids {
			shares = append(shares, 100*r.Share(id, 1))
		}
		fmt.Printf("%.2f to %.2f times the fair share\n", slices.Min(shares), slices.Max(shares))
	}
	// Output:
	// 0.90 to 1.09 times the fair share
	// 0.98 to 1.02 times the fair share
}

// Keys that strangers choose need a secret, or they can all be aimed at one node.
func ExampleWithSecret() {
	secret := distkit.Secret{ /* 16 random bytes, the same on all nodes */ 1, 2, 3}
	r, err := ring.New(ring.Nodes("a", "b", "c"), ring.WithSecret(secret))
	if err != nil {
		panic(err)
	}
	byKey, _ := r.OwnerString("from the internet")
	byHash, _ := r.OwnerHash(secret.HashString("from the internet"))
	fmt.Println(byKey == byHash)
	// Output: true
}

// The ring of Envoy's ring_hash: owners agree with the proxy's.
func ExampleWithTokens() {
	r, err := ring.New(ring.Nodes("10.0.0.1:80", "10.0.0.2:80"),
		ring.WithTokens(ring.EnvoyTokens), ring.WithVirtualNodes(1024))
	if err != nil {
		panic(err)
	}
	fmt.Println(r.OwnerString("/index.html"))
	// Output: 10.0.0.2:80 true
}

// Readers use the current ring without locks while others change it.
func ExampleLive() {
	r, err := ring.New(ring.Nodes("a", "b"))
	if err != nil {
		panic(err)
	}
	live := ring.NewLive(r)
	var wg sync.WaitGroup
	for _, id := range []string{"c", "d", "e"} {
		wg.Go(func() {
			if err := live.Add(ring.Node{ID: id}); err != nil {
				panic(err)
			}
		})
		wg.Go(func() { _, _ = live.Load().OwnerString("user:42") })
	}
	wg.Wait()
	fmt.Println(live.Load().Len(), "nodes")
	// Output: 5 nodes
}

// A key that is hot alone spreads over the nodes as its load demands.
func ExampleBounded() {
	r, err := ring.New(ring.Nodes("a", "b", "c", "d"))
	if err != nil {
		panic(err)
	}
	b, err := ring.NewBounded(r, 1.25)
	if err != nil {
		panic(err)
	}
	hot := distkit.HashString("celebrity")
	for range 100 {
		lease, ok := b.Acquire(hot)
		if !ok {
			panic("no nodes")
		}
		_ = lease // lease.Release() when the request is done
	}
	for n := range r.Walk(hot) {
		fmt.Println(n.ID, b.Load(n.ID))
	}
	// Output:
	// c 32
	// a 31
	// b 31
	// d 6
}

func ExampleLease() {
	r, err := ring.New(ring.Nodes("a", "b"))
	if err != nil {
		panic(err)
	}
	b, err := ring.NewBounded(r, 1.25)
	if err != nil {
		panic(err)
	}
	serve := func(key string) {
		lease, ok := b.Acquire(distkit.HashString(key))
		if !ok {
			return // there are no nodes
		}
		defer lease.Release()
		fmt.Println(key, "is served by", lease.Node().ID)
	}
	serve("x")
	serve("y")
	fmt.Println("under way:", b.Total())
	// Output:
	// x is served by b
	// y is served by a
	// under way: 0
}

// Rendezvous gives weights exactly, without virtual nodes.
func ExampleRendezvous() {
	v, err := ring.NewRendezvous([]ring.Node{{ID: "a"}, {ID: "b", Weight: 2}, {ID: "c", Weight: 7}})
	if err != nil {
		panic(err)
	}
	counts := map[string]int{}
	for i := range 100_000 {
		id, _ := v.OwnerString(fmt.Sprint("key-", i))
		counts[id]++
	}
	fmt.Println(counts)
	fmt.Println(v.AppendOwnersString(nil, "key-1", 3))
	// Output:
	// map[a:9976 b:19912 c:70112]
	// [c b a]
}

func ExampleMaglev() {
	m, err := ring.NewMaglev(ring.Nodes("backend-1", "backend-2", "backend-3"))
	if err != nil {
		panic(err)
	}
	connection := "10.1.2.3:4567>192.0.2.1:443/tcp"
	backend, _ := m.OwnerString(connection)
	fmt.Println(backend)
	// Output: backend-1
}

// All placements by node share an interface, so what is built on them need not
// care.
func ExampleLocator() {
	nodes := ring.Nodes("a", "b", "c")
	r, err := ring.New(nodes)
	if err != nil {
		panic(err)
	}
	v, err := ring.NewRendezvous(nodes)
	if err != nil {
		panic(err)
	}
	m, err := ring.NewMaglev(nodes)
	if err != nil {
		panic(err)
	}
	for _, l := range []ring.Locator{r, v, m} {
		var ids []string
		for _, i := range l.AppendLocate(nil, distkit.HashString("user:42"), 2) {
			ids = append(ids, l.Node(i).ID)
		}
		fmt.Printf("%s: %s\n", strings.TrimPrefix(fmt.Sprintf("%T", l), "*ring."), ids)
	}
	// Output:
	// Ring: [c a]
	// Rendezvous: [c a]
	// Maglev: [a c]
}

// With numbered shards, only the last can go, and keys move to the new one only.
func ExampleJumpBack() {
	for _, key := range []string{"apple", "banana", "cherry"} {
		h := distkit.HashString(key)
		fmt.Println(key, ring.JumpBack(h, 8), ring.JumpBack(h, 9))
	}
	// Output:
	// apple 2 2
	// banana 3 3
	// cherry 7 7
}

// Jump agrees with other implementations of the jump consistent hash.
func ExampleJump() {
	fmt.Println(ring.Jump(256, 1024))
	// Output: 520
}

// Each tenant gets four of a hundred nodes, always the same.
func ExampleRing_Subset() {
	ids := make([]string, 100)
	for i := range ids {
		ids[i] = fmt.Sprintf("node-%02d", i)
	}
	r, err := ring.New(ring.Nodes(ids...))
	if err != nil {
		fmt.Println(err)
		return
	}
	mine, err := r.Subset(distkit.HashString("tenant-7"), 4)
	if err != nil {
		fmt.Println(err)
		return
	}
	owner, _ := mine.OwnerString("user:1042")
	_, inside := mine.Lookup(owner)
	fmt.Println(mine.Len(), "nodes, and keys stay on them:", inside)
	// Output: 4 nodes, and keys stay on them: true
}

// A table of eight partitions, each with two copies, in two of three zones. When a
// fourth node joins, four of sixteen copies move: its share.
func ExampleTable() {
	nodes := []ring.Node{{ID: "a", Zone: "x"}, {ID: "b", Zone: "y"}, {ID: "c", Zone: "z"}}
	before, err := ring.NewTable(nodes, 2, ring.WithPartitions(8))
	if err != nil {
		fmt.Println(err)
		return
	}
	after, err := before.Rebalance(append(nodes, ring.Node{ID: "d", Zone: "x"}))
	if err != nil {
		fmt.Println(err)
		return
	}
	holders := func(t *ring.Table, partition int) (ids []string) {
		for _, i := range t.AppendReplicas(nil, partition) {
			ids = append(ids, t.Node(i).ID)
		}
		return ids
	}
	for p := range after.Partitions() {
		fmt.Println(p, holders(before, p), "->", holders(after, p))
	}
	owner, _ := after.OwnerString("user:42")
	fmt.Printf("user:42 is in partition %d, whose owner is %s (version %d)\n", after.Partition(distkit.HashString("user:42")), owner, after.Version())
	// Output:
	// 0 [c a] -> [c a]
	// 1 [b a] -> [b a]
	// 2 [a b] -> [a b]
	// 3 [b c] -> [c d]
	// 4 [c a] -> [a c]
	// 5 [c b] -> [d b]
	// 6 [a b] -> [b d]
	// 7 [a c] -> [d c]
	// user:42 is in partition 6, whose owner is b (version 2)
}

// One process rebalances, stores the table and hands it out; others decode it, and
// keep the newer one.
func ExampleTable_UnmarshalBinary() {
	leader, err := ring.NewTable(ring.Nodes("a", "b", "c"), 2)
	if err != nil {
		fmt.Println(err)
		return
	}
	next, err := leader.Rebalance(ring.Nodes("a", "b", "c", "d"))
	if err != nil {
		fmt.Println(err)
		return
	}
	image, err := next.MarshalBinary()
	if err != nil {
		fmt.Println(err)
		return
	}
	var received ring.Table
	if err := received.UnmarshalBinary(image); err != nil {
		fmt.Println(err)
		return
	}
	if received.Version() > leader.Version() {
		fmt.Println("version", received.Version(), "with", received.Len(), "nodes in", len(image), "bytes")
	}
	// Output: version 2 with 4 nodes in 16492 bytes
}
