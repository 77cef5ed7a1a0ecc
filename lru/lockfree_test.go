package lru_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/distkit/distkit/internal/testkit"
	"github.com/distkit/distkit/lru"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var lockFree = []lru.Policy{lru.SIEVE, lru.S3FIFO, lru.Adaptive}

// whole is a value whose words must be those of one Set.
type whole struct{ a, b, c, d uint64 }

func wholeOf(k, n uint64) whole { return whole{k, n, k ^ n, k + n} }

func (w whole) of(k uint64) bool { return w == wholeOf(k, w.b) }

// oddKey and oddValue fill words of four bytes and not of eight.
type (
	oddKey   [3]uint16
	oddValue struct {
		n    uint32
		k, m byte
	}
)

func oddKeyOf(k uint64) oddKey { return oddKey{uint16(k), 7, ^uint16(k)} }

func oddValueOf(k, n uint64) oddValue { return oddValue{uint32(n), byte(k), byte(k + n)} }

// boxedOf returns a value with a pointer.
func boxedOf(k, n uint64) []byte {
	return binary.LittleEndian.AppendUint64(binary.LittleEndian.AppendUint64(nil, n), k^n)
}

// Readers that meet writers find whole entries, of the key that they asked for, and
// never an older value than one that they knew to be there.
func TestReadersMeetWriters(t *testing.T) {
	for _, p := range lockFree {
		t.Run(fmt.Sprintf("%v/words", p), func(t *testing.T) {
			meet(t, p, func(k uint64) uint64 { return k }, wholeOf, whole.of, func(w whole) uint64 { return w.b })
		})
		t.Run(fmt.Sprintf("%v/odd words", p), func(t *testing.T) {
			meet(t, p, oddKeyOf, oddValueOf,
				func(v oddValue, k uint64) bool { return v.k == byte(k) && v.m == byte(k+uint64(v.n)) },
				func(v oddValue) uint64 { return uint64(v.n) })
		})
		t.Run(fmt.Sprintf("%v/boxes", p), func(t *testing.T) {
			meet(t, p, func(k uint64) string { return fmt.Sprint("key ", k) }, boxedOf,
				func(b []byte, k uint64) bool { return bytes.Equal(b, boxedOf(k, binary.LittleEndian.Uint64(b))) },
				binary.LittleEndian.Uint64)
		})
	}
}

func meet[K comparable, V any](t *testing.T, p lru.Policy, key func(uint64) K, value func(k, n uint64) V, of func(V, uint64) bool, count func(V) uint64) {
	const keys = 300
	c := must(lru.NewConcurrent[K, V](200, lru.WithPolicy(p), lru.WithShards(2)))
	var written [keys]atomic.Uint64 // what a Set that has returned wrote last
	crowd(4, func(g int, r *rand.Rand) {
		for n := range uint64(8000) {
			k := r.Uint64N(keys)
			if g < 2 { // each writes keys of its own, growing numbers
				k = k/2*2 + uint64(g)
				switch r.IntN(5) {
				case 0:
					c.Delete(key(k))
				default:
					c.Set(key(k), value(k, n+1))
				}
				written[k].Store(n + 1)
				continue
			}
			least := written[k].Load()
			v, ok := c.Get(key(k))
			if !ok {
				continue
			}
			if !of(v, k) {
				t.Errorf("key %d has value %v", k, v)
			}
			if count(v) < least && written[k].Load() == least {
				t.Errorf("key %d has value %d after %d was written", k, count(v), least)
			}
		}
	})
	check(t, c)
}

// A hit without the lock sees an entry end at the nanosecond.
func TestReadersSeeEntriesEnd(t *testing.T) {
	for _, p := range lockFree {
		synctest.Test(t, func(t *testing.T) {
			c := must(lru.NewConcurrent[int, int](1000, lru.WithPolicy(p), lru.WithStats()))
			c.Set(0, 0)
			for k := range 100 {
				c.SetWithTTL(k, k, time.Duration(k+1)*time.Second)
			}
			for now := range 100 {
				time.Sleep(time.Second - 1)
				for k := range 100 {
					_, ok := c.Get(k)
					require.Equal(t, k >= now, ok, "key %d after %d s", k, now)
				}
				time.Sleep(time.Nanosecond)
				require.False(t, c.Contains(now))
			}
			assert.Equal(t, 1, c.DeleteExpired(), "Gets have taken out the others")
			assert.EqualValues(t, 100, c.Stats().Expirations)
			assert.EqualValues(t, 5050, c.Stats().Hits)
			assert.EqualValues(t, 4950, c.Stats().Misses)
			check(t, c)
		})
	}
}

// Gets alone, of what does not end, take out what does.
func TestReadersTakeOutWhatHasEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := must(lru.NewConcurrent[int, int](1000, lru.WithShards(1), lru.WithPolicy(lru.S3FIFO)))
		for k := range 500 {
			c.SetWithTTL(k, k, time.Second)
		}
		c.SetWithTTL(1000, 1, time.Hour)
		time.Sleep(2 * time.Second)
		for range 3 {
			_, ok := c.Get(1000)
			require.True(t, ok)
			time.Sleep(time.Second)
		}
		assert.Equal(t, 1, c.Len())
		check(t, c)
	})
}

// Which representation is taken, and that a value of each comes back.
func TestRepresentations(t *testing.T) {
	words := !isPurego
	assert.False(t, lru.Wordwise[string, int]())
	assert.False(t, lru.Wordwise[int, *int]())
	assert.False(t, lru.Wordwise[int, struct{ p []byte }]())
	assert.False(t, lru.Wordwise[int, [9]uint64](), "larger than 64 bytes")
	assert.Equal(t, words, lru.Wordwise[int, [7]uint64]() || lru.Wordwise[int32, [7]uint64]())
	assert.Equal(t, words, lru.Wordwise[[2]uint8, struct{ a [2]bool }]())
	assert.Equal(t, words, lru.Wordwise[int, [0]*int]())

	represents(t, func(i int) uint8 { return uint8(i) }, func(i int) [5]byte { return [5]byte{byte(i), 1, 2, 3, byte(i)} })
	represents(t, func(i int) oddKey { return oddKeyOf(uint64(i)) }, func(i int) oddValue { return oddValueOf(uint64(i), 1) })
	represents(t, func(i int) string { return fmt.Sprint(i) }, func(i int) []byte { return fmt.Append(nil, i) })
}

func represents[K comparable, V any](t *testing.T, key func(int) K, value func(int) V) {
	t.Helper()
	for _, p := range lockFree {
		c := must(lru.NewConcurrent[K, V](50, lru.WithPolicy(p)))
		for i := range 100 {
			require.True(t, c.Set(key(i%70), value(i)))
			got, ok := c.Get(key(i % 70))
			require.True(t, ok)
			require.Equal(t, value(i), got)
		}
		require.NoError(t, c.Check())
		for i := range 70 {
			c.Delete(key(i))
			_, ok := c.Get(key(i))
			require.False(t, ok)
		}
		require.Zero(t, c.Len())
	}
}

// Hits are counted late and in part, by eight shards, which costs less than a point, by
// whatever seed.
func TestHitRatioWithoutTheLock(t *testing.T) {
	testkit.NotUnderInvariants(t)
	const n = 400_000
	for _, p := range lockFree {
		for _, capacity := range []int{1000, 8000} {
			c := must(lru.NewConcurrent[uint64, uint64](capacity, lru.WithPolicy(p), lru.WithStats(), lru.WithShards(8)))
			exact := must(lru.New[uint64, uint64](capacity, lru.WithPolicy(p), lru.WithStats()))
			next := testkit.Zipf(1, 0.9, 20_000)
			for i := range n {
				k := next()
				if i%10 == 0 {
					k = 1<<32 + uint64(i) // is never asked for again
				}
				for _, c := range []cache[uint64, uint64]{c, exact} {
					if _, ok := c.Get(k); !ok {
						c.Set(k, k)
					}
				}
			}
			loss := exact.Stats().HitRatio() - c.Stats().HitRatio()
			t.Logf("%v, %d entries: %.4f, and %.4f by a Cache", p, capacity, c.Stats().HitRatio(), exact.Stats().HitRatio())
			assert.Less(t, loss, 0.01, "%v, %d entries", p, capacity)
			check(t, c)
		}
	}
}

// Under Adaptive what was hit stays, however old it is: while nothing else is known, as
// what was used last, and in an image too.
func TestHitsWithoutTheLockKeepEntries(t *testing.T) {
	c := must(lru.NewConcurrent[uint64, uint64](100, lru.WithShards(1)))
	for k := range uint64(100) {
		c.Set(k, 1)
	}
	for k := range uint64(30) {
		c.Get(k)
	}
	for k := range uint64(60) {
		c.Set(100+k, 1)
	}
	for k := range uint64(30) {
		assert.True(t, c.Contains(k), "key %d", k)
	}
	for k := range uint64(10) {
		c.Get(130 + k)
	}
	image := c.Snapshot()
	require.Equal(t, 100, image.Len())
	for range 90 {
		image.Evict()
	}
	for k := range uint64(10) {
		assert.True(t, image.Contains(130+k), "key %d", 130+k)
	}
	check(t, c)
}

// Of entries that are hit again and again, one still goes for a new one.
func TestHitsWithoutTheLockDoNotKeepNewOnesOut(t *testing.T) {
	c := must(lru.NewConcurrent[uint64, uint64](1000, lru.WithShards(1)))
	for k := range uint64(3000) {
		for held := range uint64(1000) {
			if k%100 == 0 {
				c.Get(held)
			}
		}
		c.Set(k, 1)
		assert.LessOrEqual(t, c.Len(), 1000)
	}
	assert.Equal(t, 1000, c.Len())
	check(t, c)
}

// Keys of one hash go one group after another, full ones too.
func TestReadersOfCollidingKeys(t *testing.T) {
	for _, p := range lockFree {
		c := must(lru.NewConcurrent[int, int](60, lru.WithPolicy(p), lru.WithHasher(func(int) uint64 { return 0 })))
		crowd(3, func(_ int, r *rand.Rand) {
			for range 3000 {
				k := r.IntN(100)
				if v, ok := c.Get(k); ok && v != k {
					t.Errorf("key %d has value %d", k, v)
				} else if !ok {
					c.Set(k, k)
				}
				if r.IntN(10) == 0 {
					c.Delete(k)
				}
			}
		})
		check(t, c)
	}
}

// What is removed is not kept from the garbage collector, or for who reads memory.
func TestSharedEntriesAreErased(t *testing.T) {
	big := strings.Repeat("x", 1<<20)
	c := must(lru.NewConcurrent[int, *[]string](64, lru.WithShards(1), lru.WithPolicy(lru.S3FIFO)))
	before := testkit.LiveBytes(func() any {
		for k := range 64 {
			s := []string{strings.Clone(big)}
			c.Set(k, &s)
		}
		for k := range 64 {
			c.Delete(k)
		}
		return c
	})
	assert.Less(t, before, uint64(1<<20))
	check(t, c)
}

// Shards are of unlike size. What a loop has of them stays nevertheless, and all of them
// find out that it should.
func TestShardsKeepTheirPartOfALoop(t *testing.T) {
	testkit.NotUnderInvariants(t)
	const loop, capacity, rounds = 4000, 2000, 25
	c := must(lru.NewConcurrent[uint64, uint64](capacity, lru.WithShards(8)))
	hits := 0
	for i := range uint64(rounds * loop) {
		if _, ok := c.GetOrSet(i%loop, 1); ok && i >= (rounds-5)*loop {
			hits++
		}
	}
	assert.Greater(t, float64(hits)/(5*loop), 0.4)
	check(t, c)
}
