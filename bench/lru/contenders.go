package lru

import (
	"github.com/Yiling-J/theine-go"
	"github.com/dgraph-io/ristretto/v2"
	"github.com/distkit/distkit/internal/testkit"
	"github.com/distkit/distkit/lru"
	"github.com/maypok86/otter/v2"
)

// contender is a policy or a cache whose hits are counted.
type contender struct {
	name string
	// hits replays a load, read through: what is not there is set.
	hits func(l load, capacity int) int
}

const (
	bestPossible = "Belady"
	plainest     = "LRU"
	ours         = "Adaptive"
)

// contenders have the limit of all others first.
var contenders = []contender{
	{bestPossible, func(l load, capacity int) int { return testkit.Belady(l.keys, capacity) }},
	{plainest, plain(newLRU)},
	{"2Q", plain(newTwoQueues)},
	{"ARC", plain(newARC)},
	{"LIRS", plain(newLIRS)},
	{"SIEVE", plain(newSIEVE)},
	{"S3-FIFO", plain(newS3FIFO)},
	{"climber", plain(newClimber)},
	{"ghosts", plain(newGhosted)},
	{"otter", otterHits},
	{"theine", theineHits},
	{"ristretto", ristrettoHits},
	{ours, adaptiveHits},
}

func plain(newReference func(capacity, keys int) reference) func(load, int) int {
	return func(l load, capacity int) (hits int) {
		r := newReference(capacity, l.distinct)
		for _, k := range l.keys {
			if r.ask(k) {
				hits++
			}
		}
		return hits
	}
}

func adaptiveHits(l load, capacity int) (hits int) {
	c := check(lru.New[uint64, struct{}](capacity, lru.WithPolicy(lru.Adaptive)))
	for _, k := range l.keys {
		if _, had := c.GetOrSet(id(uint64(k)), struct{}{}); had {
			hits++
		}
	}
	return hits
}

// readThrough replays a load against a cache of others.
func readThrough(l load, get func(uint64) (struct{}, bool), set func(uint64)) (hits int) {
	for _, k := range l.keys {
		if _, had := get(id(uint64(k))); had {
			hits++
		} else {
			set(id(uint64(k)))
		}
	}
	return hits
}

// The work that others put off is done after each Set, so that it is their policy that
// counts, not how late it comes.

func otterHits(l load, capacity int) int {
	c := check(otter.New(&otter.Options[uint64, struct{}]{MaximumSize: capacity, Executor: func(f func()) { f() }}))
	defer c.StopAllGoroutines()
	return readThrough(l, c.GetIfPresent, func(k uint64) {
		c.Set(k, struct{}{})
		c.CleanUp()
	})
}

func theineHits(l load, capacity int) int {
	c := check(theine.NewBuilder[uint64, struct{}](int64(capacity)).Build())
	defer c.Close()
	return readThrough(l, c.Get, func(k uint64) {
		c.Set(k, struct{}{}, 1)
		c.Wait()
	})
}

func ristrettoHits(l load, capacity int) int {
	c := check(ristretto.NewCache(&ristretto.Config[uint64, struct{}]{
		NumCounters: int64(10 * capacity), MaxCost: int64(capacity), BufferItems: 64, IgnoreInternalCost: true,
	}))
	defer c.Close()
	return readThrough(l, c.Get, func(k uint64) {
		c.Set(k, struct{}{}, 1)
		c.Wait()
	})
}
