package ring

import (
	"fmt"
	"math/rand/v2"
	"sync"

	"github.com/authzed/consistent/hashring"
	"github.com/buraksezer/consistent"
	"github.com/cespare/xxhash/v2"
	"github.com/dgryski/go-rendezvous"
	"github.com/distkit/distkit/ring"
	"github.com/golang/groupcache/consistenthash"
	"github.com/kkdai/maglev"
	serialx "github.com/serialx/hashring"
	stathat "stathat.com/c/consistent"
)

// points is the number of points a node on every ring, ours included.
const points = 160

// keys are what is looked up: 65,536 random strings of 21 bytes, so that the
// branches of a lookup cannot be learnt.
var keys = sync.OnceValue(func() *[1 << 16]string {
	const letters = "abcdefghijklmnopqrstuvwxyz0123456789"
	rng := rand.New(rand.NewPCG(1, 1))
	list := new([1 << 16]string)
	for i := range list {
		var b [21]byte
		for j := range b {
			b[j] = letters[rng.IntN(len(letters))]
		}
		list[i] = string(b[:])
	}
	return list
})

var hashes = sync.OnceValue(func() *[1 << 16]uint64 {
	list := new([1 << 16]uint64)
	for i, k := range keys() {
		list[i] = xxhash.Sum64String(k)
	}
	return list
})

func nodeName(i int) string { return fmt.Sprintf("node-%d.example.com:8080", i) }

func nodeNames(n int) []string {
	names := make([]string, n)
	for i := range names {
		names[i] = nodeName(i)
	}
	return names
}

func newRing(n int, opts ...ring.Option) *ring.Ring {
	r, err := ring.New(ring.Nodes(nodeNames(n)...), append([]ring.Option{ring.WithVirtualNodes(points)}, opts...)...)
	if err != nil {
		panic(err)
	}
	return r
}

func newStathat(n int) *stathat.Consistent {
	c := stathat.New()
	c.NumberOfReplicas = points
	for _, name := range nodeNames(n) {
		c.Add(name)
	}
	return c
}

// member is a node for peers that want an interface.
type member string

func (m member) Key() string    { return string(m) }
func (m member) String() string { return string(m) }

func newAuthzed(n int) *hashring.Ring {
	r := hashring.MustNew(xxhash.Sum64, points)
	for _, name := range nodeNames(n) {
		if err := r.Add(member(name)); err != nil {
			panic(err)
		}
	}
	return r
}

func newSerialx(n int) *serialx.HashRing {
	weights := map[string]int{}
	for _, name := range nodeNames(n) {
		weights[name] = points
	}
	return serialx.NewWithWeights(weights)
}

type sum64 struct{}

func (sum64) Sum64(b []byte) uint64 { return xxhash.Sum64(b) }

func newBuraksezer(n int) *consistent.Consistent {
	var members []consistent.Member
	for _, name := range nodeNames(n) {
		members = append(members, member(name))
	}
	partitions := 271 // the default, enough for up to some 200 members
	if n > 100 {
		partitions = 10007
	}
	return consistent.New(members, consistent.Config{
		Hasher: sum64{}, PartitionCount: partitions, ReplicationFactor: points, Load: 1.25,
	})
}

func newGroupcache(n int) *consistenthash.Map {
	m := consistenthash.New(points, nil)
	m.Add(nodeNames(n)...)
	return m
}

func newKkdai(n int) *maglev.Maglev {
	m, err := maglev.NewMaglev(nodeNames(n), 65537)
	if err != nil {
		panic(err)
	}
	return m
}

func newRendezvous(n int) *rendezvous.Rendezvous {
	return rendezvous.New(nodeNames(n), xxhash.Sum64String)
}

// shared makes a constructor build each size once: some take seconds.
func shared[T any](build func(n int) T) func(n int) T {
	built := map[int]T{}
	return func(n int) T {
		v, ok := built[n]
		if !ok {
			v = build(n)
			built[n] = v
		}
		return v
	}
}

var (
	stathats     = shared(newStathat)
	authzeds     = shared(newAuthzed)
	serialxs     = shared(newSerialx)
	buraksezers  = shared(newBuraksezer)
	groupcaches  = shared(newGroupcache)
	kkdais       = shared(newKkdai)
	rendezvouses = shared(newRendezvous)
	rings        = shared(func(n int) *ring.Ring { return newRing(n) })
)
