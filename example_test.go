package distkit_test

import (
	"fmt"
	"log"

	"github.com/distkit/distkit"
	"github.com/distkit/distkit/bloom"
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
