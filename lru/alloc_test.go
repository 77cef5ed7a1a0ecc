//go:build !purego

package lru_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/distkit/distkit/internal/testkit"
	"github.com/distkit/distkit/lru"
	"github.com/stretchr/testify/assert"
)

// With -tags purego the standard library's hash of other types than strings
// allocates.
func TestNothingIsAllocatedOnceGrown(t *testing.T) {
	c := must(lru.New[uint64, uint64](1000, lru.WithStats()))
	s := must(lru.New[string, int](100, lru.WithOnEvict(func(string, int, lru.Reason) {}), lru.WithWeigher(func(string, int) uint32 { return 2 })))
	names := make([]string, 300)
	for i := range names {
		names[i] = fmt.Sprint("name ", i)
	}
	name := []byte("name 5")
	var others []*lru.Cache[uint64, uint64]
	for _, p := range policies[1:] {
		others = append(others, must(lru.New[uint64, uint64](100, lru.WithPolicy(p))))
	}
	timed := must(lru.New[uint64, uint64](100, lru.WithTTL(time.Hour), lru.WithJitter(0.5)))
	sliding := must(lru.New[uint64, uint64](100, lru.WithTTL(time.Hour), lru.WithSliding()))
	others = append(others, timed, sliding)
	next := uint64(0)
	cycle := func() {
		for range 1000 {
			next++
			c.Set(next, next)
			c.Get(next - 5)
			s.Set(names[next%300], 1)
			s.Get(names[next%7])
			s.GetOrSet(names[next%11], 1)
			lru.GetBytes(s, name)
			for _, o := range others {
				o.GetOrSet(next%128, 1)
				o.GetOrSet(next%31, 1)
			}
		}
		c.Delete(next)
		c.Evict()
	}
	for range 10 {
		cycle()
	}
	testkit.NoAllocs(t, "Set, Get, Delete", cycle)
}

// The tables of caches that are read without a lock are made anew from time to
// time, once in thousands of Sets.
func TestConcurrentAllocatesNothingOnceGrown(t *testing.T) {
	testkit.NotUnderInvariants(t)
	next := uint64(0)
	departed := 0
	callback := lru.WithOnEvict(func(uint64, uint64, lru.Reason) { departed++ })
	for _, p := range append(lockFree, lru.LRU) {
		for _, opts := range [][]lru.Option{{}, {lru.WithTTL(time.Hour)}, {callback, lru.WithStats()}} {
			c := must(lru.NewConcurrent[uint64, uint64](2000, append(opts, lru.WithPolicy(p))...))
			use := func() {
				next++
				c.Set(next, next)
				c.Get(next - 5)
				c.GetOrSet(next%1999, 1)
				c.Delete(next - 7)
			}
			for range 20_000 {
				use()
			}
			testkit.NoAllocs(t, p.String(), use)
		}
	}
	assert.Positive(t, departed)

	c := must(lru.NewConcurrent[string, int](100))
	c.Set("name 5", 5)
	key := []byte("name 5")
	testkit.NoAllocs(t, "Get", func() {
		c.Get("name 5")
		lru.GetBytes(c, key)
	})
}
