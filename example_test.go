package distkit_test

import (
	"fmt"
	"log"

	"github.com/distkit/distkit"
	"github.com/distkit/distkit/bloom"
	"github.com/distkit/distkit/cms"
	"github.com/distkit/distkit/hll"
	"github.com/distkit/distkit/lru"
	"github.com/distkit/distkit/ring"
)

// One hash of a key feeds a ring, a filter and a cache.
func Example() {
	nodes, err := ring.New(ring.Nodes("cache-1", "cache-2", "cache-3"))
	seen, err2 := bloom.New(1_000_000, 0.01)
	hot, err3 := lru.New[string, int](10_000, lru.WithHasher(distkit.HashString))
	if err != nil || err2 != nil || err3 != nil {
		log.Fatal(err, err2, err3)
	}
	key := "user:1042"
	h := distkit.HashString(key)   // once, for all of them
	owner, _ := nodes.OwnerHash(h) // which node has it
	isNew := seen.AddHash(h)       // whether it is the first time
	hot.SetHashed(h, key, 1)       // what is known of it stays in memory
	fmt.Println(key, "lives on", owner, "new:", isNew)
	// Output: user:1042 lives on cache-2 new: true
}

// A stream of requests: each key is hashed once, and that hash finds its shard and
// feeds what the shard keeps about its keys. Every structure remixes the hash, so
// that they do not depend on each other and work although all keys of a shard have
// hashes from a few arcs of the ring.
func Example_pipeline() {
	type shard struct {
		seen     *bloom.Filter // which keys
		requests *cms.Sketch   // how often each
		visitors *hll.Sketch   // how many of them
	}
	shards, err := ring.New(ring.Nodes("shard-0", "shard-1", "shard-2", "shard-3"))
	if err != nil {
		log.Fatal(err)
	}
	state := make([]shard, shards.Len())
	for i := range state {
		seen, err := bloom.New(3_000, 0.01)
		requests, err2 := cms.New(0.001, 0.01)
		visitors, err3 := hll.New(12)
		if err != nil || err2 != nil || err3 != nil {
			log.Fatal(err, err2, err3)
		}
		state[i] = shard{seen, requests, visitors}
	}
	fresh := 0
	for i := range 40_000 {
		h := distkit.HashString(fmt.Sprint("user:", i%10_000)) // the only hash of the key
		s := state[shards.Locate(h)]
		if s.seen.AddHash(h) {
			fresh++
		}
		s.requests.AddHash(h)
		s.visitors.AddHash(h)
	}
	h := distkit.HashString("user:1042")
	mine := state[shards.Locate(h)]
	for _, s := range state[1:] {
		if err := state[0].visitors.Merge(s.visitors); err != nil {
			log.Fatal(err)
		}
	}
	fmt.Println("of 10000 new keys were seen as new:", fresh)
	fmt.Println("user:1042 made", mine.requests.CountHash(h), "requests")
	fmt.Println("visitors of all shards: about", state[0].visitors.Estimate())
	// Output:
	// of 10000 new keys were seen as new: 9990
	// user:1042 made 4 requests
	// visitors of all shards: about 10059
}

// Keys that strangers choose are hashed under a secret, once, for every
// structure that was made with it.
func ExampleSecret() {
	secret := distkit.Secret([]byte("sixteen bytes!!!")) // from your configuration
	nodes, err := ring.New(ring.Nodes("a", "b"), ring.WithSecret(secret))
	names, err2 := bloom.New(1000, 0.001, bloom.WithSecret(secret))
	if err != nil || err2 != nil {
		log.Fatal(err, err2)
	}
	h := secret.HashString("gopher")
	names.AddHash(h)
	owner, _ := nodes.OwnerString("gopher")
	same, _ := nodes.OwnerHash(h)
	fmt.Println(names.ContainsString("gopher"), owner == same)
	// Output: true true
}
