package lru_test

import (
	"bytes"
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/distkit/distkit/lru"
)

func ExampleCache() {
	c, err := lru.New[string, int](2)
	if err != nil {
		fmt.Println(err)
		return
	}
	c.Set("a", 1)
	c.Set("b", 2)
	c.Get("a")
	c.Set("c", 3) // evicts b, which was not used for the longest time
	for k, v := range c.All() {
		fmt.Println(k, v)
	}
	// Output:
	// a 1
	// c 3
}

// A scan passes through a tenth of an S3FIFO cache and leaves what is popular.
func ExampleWithPolicy() {
	for _, p := range []lru.Policy{lru.LRU, lru.S3FIFO} {
		c, _ := lru.New[int, string](100, lru.WithPolicy(p), lru.WithStats())
		for scan := range 50 {
			for range 3 {
				for page := range 50 {
					c.GetOrSet(page, "popular")
				}
			}
			for page := range 100 {
				c.GetOrSet(1000*(scan+1)+page, "scanned")
			}
		}
		fmt.Printf("%v %.2f\n", p, c.Stats().HitRatio())
	}
	// Output:
	// LRU 0.40
	// S3FIFO 0.60
}

// A block cache bounded in bytes.
func ExampleWithWeigher() {
	c, _ := lru.New[int, []byte](8<<10,
		lru.WithWeigher(func(_ int, block []byte) uint32 { return uint32(len(block)) }),
		lru.WithOnEvict(func(id int, _ []byte, why lru.Reason) { fmt.Println("block", id, "left:", why) }))
	c.Set(1, make([]byte, 4<<10))
	c.Set(2, make([]byte, 3<<10))
	c.Set(3, make([]byte, 2<<10))
	fmt.Println(c.Set(4, make([]byte, 9<<10)), c.Weight(), "of", c.Cap())
	// Output:
	// block 1 left: capacity
	// false 5120 of 8192
}

// Sessions end half an hour after they were last used. A time of the caller's
// makes it reproducible.
func ExampleWithSliding() {
	c, _ := lru.New[string, string](1000, lru.WithTTL(30*time.Minute), lru.WithSliding())
	noon := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	c.SetAt(noon, "session", "ann", 0)
	for _, minutes := range []time.Duration{20, 45, 80} {
		user, ok := c.GetAt(noon.Add(minutes*time.Minute), "session")
		fmt.Println(user, ok)
	}
	// Output:
	// ann true
	// ann true
	//  false
}

func ExampleCache_SetWithTTL() {
	c, _ := lru.New[string, string](1000, lru.WithTTL(24*time.Hour))
	c.SetWithTTL("token", "t0k3n", time.Minute)
	left, ok := c.TTL("token")
	fmt.Println(left.Round(time.Minute), ok)
	// Output: 1m0s true
}

// A restart with a warm cache.
func ExampleCache_WriteTo() {
	before, _ := lru.New[string, int](100)
	before.Set("a", 1)
	before.Set("b", 2)
	before.Get("a")
	var file bytes.Buffer
	if _, err := before.WriteTo(&file); err != nil {
		fmt.Println(err)
	}

	after, _ := lru.New[string, int](100)
	if _, err := after.ReadFrom(&file); err != nil {
		fmt.Println(err)
	}
	for k, v := range after.All() {
		fmt.Println(k, v)
	}
	// Output:
	// b 2
	// a 1
}

// A key that is part of a message needs no string.
func ExampleGetBytes() {
	c, _ := lru.New[string, int](100)
	c.Set("GET", 1)
	line := []byte("GET /index.html")
	fmt.Println(lru.GetBytes(c, line[:3]))
	// Output: 1 true
}

// What twice the memory would earn.
func ExampleCache_Stats_ghostHits() {
	c, _ := lru.New[int, int](100, lru.WithPolicy(lru.S3FIFO), lru.WithStats())
	for i := range 100_000 {
		c.GetOrSet((i%997)*(i%997)%997%250, i)
	}
	s := c.Stats()
	fmt.Printf("%.2f now, about %.2f with twice the size\n", s.HitRatio(), float64(s.Hits+s.GhostHits)/float64(s.Hits+s.Misses))
	// Output: 0.38 now, about 0.69 with twice the size
}

// Counters that are kept as long as they are used.
func ExampleCache_Update() {
	c, _ := lru.New[string, int](1000)
	for _, word := range []string{"to", "be", "or", "not", "to", "be"} {
		c.Update(word, func(n int, _ bool) (int, bool) { return n + 1, true })
	}
	n, _ := c.Get("to")
	fmt.Println(n)
	// Output: 2
}

// One hash for several look-ups: in two caches that share a function, or in a
// filter and a cache.
func ExampleCache_GetHashed() {
	hash := func(key string) uint64 { return uint64(len(key)) } // distkit.HashString, say
	users, _ := lru.New[string, int](10, lru.WithHasher(hash))
	groups, _ := lru.New[string, int](10, lru.WithHasher(hash))
	users.Set("ann", 1)
	groups.Set("ann", 2)

	h := users.Hash("ann")
	user, _ := users.GetHashed(h, "ann")
	group, _ := groups.GetHashed(h, "ann")
	fmt.Println(user, group)
	// Output: 1 2
}

func ExampleCache_Stats() {
	c, _ := lru.New[string, int](10, lru.WithStats())
	c.Set("a", 1)
	c.Get("a")
	c.Get("b")
	s := c.Stats()
	fmt.Printf("%d hit, %d miss, %d insert: %.2f\n", s.Hits, s.Misses, s.Inserts, s.HitRatio())
	// Output: 1 hit, 1 miss, 1 insert: 0.50
}

func ExampleConcurrent() {
	c, _ := lru.NewConcurrent[string, int](1000)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			c.Set(fmt.Sprint("user ", i), i)
			c.Update("users", func(n int, _ bool) (int, bool) { return n + 1, true })
		})
	}
	wg.Wait()
	users, _ := c.Get("users")
	fmt.Println(users, c.Len())
	// Output: 8 9
}

// However many ask for a value at once, it is loaded once.
func ExampleConcurrent_GetOrLoad() {
	c, _ := lru.NewConcurrent[string, string](1000)
	load := func(_ context.Context, user string) (string, error) {
		fmt.Println("loading", user)
		return "profile of " + user, nil
	}
	for range 3 {
		profile, err := c.GetOrLoad(context.Background(), "ann", load)
		fmt.Println(profile, err)
	}
	// Output:
	// loading ann
	// profile of ann <nil>
	// profile of ann <nil>
	// profile of ann <nil>
}

func ExampleConcurrent_Snapshot() {
	c, _ := lru.NewConcurrent[string, int](1000)
	c.Set("a", 1)
	copied := c.Snapshot()
	c.Set("b", 2)
	fmt.Println(copied.Len(), c.Len())
	// Output: 1 2
}

func ExampleCache_DeleteFunc() {
	c, _ := lru.New[string, int](10)
	for i, name := range []string{"session/1", "session/2", "page/1"} {
		c.Set(name, i)
	}
	fmt.Println(c.DeleteFunc(func(key string, _ int) bool { return key[0] == 's' }), c.Len())
	// Output: 2 1
}
