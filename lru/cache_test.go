package lru_test

import (
	"fmt"
	"io"
	"iter"
	"math"
	"math/bits"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/distkit/distkit/internal/testkit"
	"github.com/distkit/distkit/lru"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// cache is a Cache or a Concurrent.
type cache[K comparable, V any] interface {
	Get(key K) (V, bool)
	GetAt(now time.Time, key K) (V, bool)
	GetHashed(h uint64, key K) (V, bool)
	Hash(key K) uint64
	Peek(key K) (V, bool)
	Contains(key K) bool
	Set(key K, value V) bool
	SetHashed(h uint64, key K, value V) bool
	SetWithTTL(key K, value V, ttl time.Duration) bool
	SetAt(now time.Time, key K, value V, ttl time.Duration) bool
	GetOrSet(key K, value V) (actual V, loaded bool)
	Update(key K, f func(old V, ok bool) (V, bool)) (V, bool)
	Delete(key K) (V, bool)
	DeleteFunc(del func(K, V) bool) int
	DeleteExpired() int
	DeleteExpiredAt(now time.Time) int
	Evict() (K, V, bool)
	TTL(key K) (time.Duration, bool)
	TTLAt(now time.Time, key K) (time.Duration, bool)
	Len() int
	Cap() int
	Weight() uint64
	Resize(capacity int) error
	Clear()
	All() iter.Seq2[K, V]
	Backward() iter.Seq2[K, V]
	Stats() lru.Stats
	WriteTo(w io.Writer) (int64, error)
	ReadFrom(r io.Reader) (int64, error)

	Fix(seed uint64)
	Place(key K) uint64
	Check() error
}

// play applies n random operations to a cache and to its twin, key and value
// made of small numbers, and demands the same answers, order and departures.
func play[K comparable](t *testing.T, p lru.Policy, capacity, n int, key func(i int) K, weigh func(K, int) uint32, opts ...lru.Option) {
	t.Helper()
	var log []left[K, int]
	opts = append(opts, lru.WithPolicy(p), lru.WithStats(), lru.WithOnEvict(func(k K, v int, why lru.Reason) {
		log = append(log, left[K, int]{k, v, why})
	}))
	if weigh != nil {
		opts = append(opts, lru.WithWeigher(weigh))
	}
	one := append(slices.Clone(opts), asCache(p)...)
	for _, c := range []cache[K, int]{must(lru.New[K, int](capacity, opts...)), must(lru.NewConcurrent[K, int](capacity, one...))} {
		log = log[:0]
		playOn(t, c, newTwin(p, capacity, weigh), &log, n, key)
	}
}

// asCache returns the options with which a Concurrent decides as a Cache.
func asCache(p lru.Policy) []lru.Option {
	opts := []lru.Option{lru.WithShards(1)}
	if p == lru.Adaptive { // a Get takes the lock, and there is no lifetime that it restarts
		opts = append(opts, lru.WithSliding())
	}
	return opts
}

func playOn[K comparable](t *testing.T, c cache[K, int], slow *twin[K, int], departed *[]left[K, int], n int, key func(i int) K) {
	t.Helper()
	capacity := int(slow.capacity)
	follow(slow, c)
	r := rand.New(rand.NewPCG(uint64(capacity), 7))
	var want lru.Stats
	for step := range n {
		k, v := key(r.IntN(2*capacity+3)), r.IntN(1000)
		_, held := slow.entries[k]
		evictions := func(f func()) {
			before := len(slow.log)
			f()
			for _, d := range slow.log[before:] {
				if d.why == lru.Capacity {
					want.Evictions++
				}
			}
		}
		insert := func(ok bool) {
			switch {
			case !ok:
				want.Rejections++
			case !held:
				want.Inserts++
			}
		}
		switch op := r.IntN(20); op {
		case 0, 1, 2, 3, 4, 5:
			wantV, wantOK := slow.get(k)
			gotV, gotOK := c.Get(k)
			require.Equal(t, wantOK, gotOK, "step %d", step)
			require.Equal(t, wantV, gotV, "step %d", step)
			if wantOK {
				want.Hits++
			} else {
				want.Misses++
			}
		case 6, 7, 8, 9, 10, 11, 12:
			evictions(func() {
				ok := slow.set(k, v)
				require.Equal(t, ok, c.SetHashed(c.Hash(k), k, v), "step %d", step)
				insert(ok)
			})
		case 13:
			wantV, wantOK := slow.remove(k, lru.Deleted)
			gotV, gotOK := c.Delete(k)
			require.Equal(t, wantOK, gotOK)
			require.Equal(t, wantV, gotV)
		case 14:
			gotV, gotOK := c.Peek(k)
			require.Equal(t, held, gotOK)
			require.Equal(t, held, c.Contains(k))
			if held {
				require.Equal(t, slow.entries[k].value, gotV)
			}
		case 15:
			got, loaded := c.GetOrSet(k, v)
			require.Equal(t, held, loaded)
			if held {
				want.Hits++
				v, _ = slow.get(k)
			} else {
				want.Misses++
				evictions(func() { insert(slow.set(k, v)) })
			}
			require.Equal(t, v, got)
		case 16:
			evictions(func() { update(t, c, slow, k, v, r.IntN(3) > 0, insert) })
		case 17:
			evictions(func() {
				wantK, wantV, wantOK := slow.evict(nil)
				gotK, gotV, gotOK := c.Evict()
				require.Equal(t, wantOK, gotOK)
				require.Equal(t, wantK, gotK)
				require.Equal(t, wantV, gotV)
			})
		case 18:
			size := 1 + r.IntN(capacity)
			if r.IntN(2) == 0 {
				size = capacity
			}
			evictions(func() {
				slow.resize(size)
				require.NoError(t, c.Resize(size))
				require.Equal(t, size, c.Cap())
			})
		case 19:
			deleteSome(t, c, slow, r.IntN(7), r.IntN(40) == 0)
		}
		if !slices.Equal(slow.log, *departed) {
			require.Equal(t, slow.log, *departed, "step %d", step)
		}
		*departed, slow.log = (*departed)[:0], slow.log[:0]
		if step%17 == 0 || n < 2000 {
			same(t, slow, c)
			check(t, c)
		}
	}
	want.GhostHits = slow.sim.ghostHits()
	if s, ok := slow.sim.(*adaptiveSim[K]); ok {
		want.Sampled, want.SampledHits = s.sampleOf, s.hits
	}
	require.Equal(t, want, c.Stats())
	require.InDelta(t, float64(want.Hits)/float64(want.Hits+want.Misses), c.Stats().HitRatio(), 1e-12)
	same(t, slow, c)
	check(t, c)
}

func update[K comparable](t *testing.T, c cache[K, int], slow *twin[K, int], k K, v int, keep bool, insert func(bool)) {
	t.Helper()
	e := slow.entries[k]
	got, ok := c.Update(k, func(old int, had bool) (int, bool) {
		require.Equal(t, e != nil, had)
		if had {
			require.Equal(t, e.value, old)
		}
		return v, keep
	})
	if !keep {
		slow.remove(k, lru.Deleted)
		require.False(t, ok)
		require.Zero(t, got)
		return
	}
	set := slow.set(k, v)
	insert(set)
	require.Equal(t, set, ok)
	if set {
		require.Equal(t, v, got)
	} else {
		require.Zero(t, got)
	}
}

// deleteSome takes out the values of one remainder, or all.
func deleteSome[K comparable](t *testing.T, c cache[K, int], slow *twin[K, int], rest int, all bool) {
	t.Helper()
	if all {
		slow.clear()
		c.Clear()
		return
	}
	want := 0
	for _, k := range slow.keys() {
		if slow.entries[k].value%7 == rest {
			slow.remove(k, lru.Deleted)
			want++
		}
	}
	require.Equal(t, want, c.DeleteFunc(func(_ K, v int) bool { return v%7 == rest }))
}

type userID uint32

type point struct{ x, y int16 }

func TestCacheMatchesTwin(t *testing.T) {
	testkit.NotUnderRace(t)
	steps := map[int]int{1: 2000, 2: 3000, 3: 3000, 10: 5000, 100: 6000, 1000: 8000}
	number := func(i int) int { return i }
	text := func(i int) string { return fmt.Sprint("key", i) }
	for capacity, n := range steps {
		t.Run(fmt.Sprint(capacity), func(t *testing.T) {
			play(t, lru.LRU, capacity, n, number, nil)
			play(t, lru.LRU, capacity, n, text, nil)
		})
	}
	for name, hash := range map[string]func(int) uint64{
		"constant": func(int) uint64 { return 0 },
		"top bits": func(k int) uint64 { return uint64(k&1) << 57 },
		"identity": func(k int) uint64 { return uint64(k) },
	} {
		t.Run(name, func(t *testing.T) { play(t, lru.LRU, 60, 10_000, number, nil, lru.WithHasher(hash)) })
	}
}

// The hash is all that a cache does by the type of its keys.
func TestHashesOfAllTypes(t *testing.T) {
	hashes(t, 256, func(i int) int8 { return int8(i) })
	hashes(t, 1000, func(i int) uint16 { return uint16(i) })
	hashes(t, 1000, func(i int) userID { return userID(i) })
	hashes(t, 1000, func(i int) int64 { return -int64(i) })
	hashes(t, 1000, func(i int) point { return point{int16(i), -1} })
	hashes(t, 1000, func(i int) any { return i })
	hashes(t, 1000, func(i int) float64 { return float64(i) / 3 })
	hashes(t, 1000, func(i int) string { return fmt.Sprint(i) })
	hashes(t, 1000, func(i int) [3]byte { return [3]byte{byte(i), byte(i >> 8)} })
}

// hashes looks for equal keys of different hashes, different keys of equal ones,
// and another cache that gives a key the same hash.
func hashes[K comparable](t *testing.T, n int, key func(i int) K) {
	t.Helper()
	hash, other := lru.NewHash[K](), lru.NewHash[K]()
	seen := map[uint64]bool{}
	same := 0
	for i := range n {
		h := hash(key(i))
		assert.Equal(t, h, hash(key(i)))
		seen[h] = true
		if h == other(key(i)) {
			same++
		}
	}
	assert.Len(t, seen, n)
	assert.LessOrEqual(t, same, 1)
}

func TestWeightedCacheMatchesTwin(t *testing.T) {
	for _, capacity := range []int{1, 5, 100, 1000} {
		t.Run(fmt.Sprint(capacity), func(t *testing.T) {
			// Weights from 0, which pins, to more than the capacity.
			play(t, lru.LRU, capacity, 8000, func(i int) int { return i }, func(k, v int) uint32 { return uint32(v % (capacity + 2)) })
			play(t, lru.LRU, capacity, 4000, func(i int) string { return fmt.Sprint(i) }, func(k string, v int) uint32 { return uint32(v % 4) })
		})
	}
}

// The textbook's four cases.
func TestLRUByTheBook(t *testing.T) {
	c := must(lru.New[string, int](3))
	assert.True(t, c.Set("a", 1)) // misses with room insert
	assert.True(t, c.Set("b", 2))
	assert.True(t, c.Set("c", 3))
	_, ok := c.Get("a") // a hit moves to the front
	assert.True(t, ok)
	c.Set("d", 4) // a miss when full evicts the oldest
	assert.False(t, c.Contains("b"))
	c.Peek("c") // no access
	c.Set("e", 5)
	assert.False(t, c.Contains("c"))
	var keys []string
	for k := range c.All() {
		keys = append(keys, k)
	}
	assert.Equal(t, []string{"a", "d", "e"}, keys)
	check(t, c)
}

func TestHeavyValuesAreRefused(t *testing.T) {
	c := must(lru.New[string, int](10, lru.WithWeigher(func(_ string, v int) uint32 { return uint32(v) })))
	assert.True(t, c.Set("a", 4))
	assert.True(t, c.Set("b", 5))
	assert.False(t, c.Set("c", 11), "heavier than the cache")
	assert.Equal(t, uint64(9), c.Weight(), "displaces nothing")
	assert.False(t, c.Set("a", math.MaxInt32))
	assert.False(t, c.Contains("a"), "the old value is gone too")
	actual, loaded := c.GetOrSet("a", 12)
	assert.Equal(t, 12, actual)
	assert.False(t, loaded || c.Contains("a"))
	assert.True(t, c.Set("b", 10))
	assert.True(t, c.Set("pin", 0))
	assert.True(t, c.Set("z", 10))
	assert.False(t, c.Contains("b"))
	assert.True(t, c.Contains("pin"))
	_, _, ok := c.Evict()
	assert.True(t, ok)
	_, _, ok = c.Evict()
	assert.False(t, ok, "what is pinned is not evicted")
	assert.Equal(t, uint64(3), c.Stats().Rejections)
	check(t, c)
}

func TestNewRefusesBadParameters(t *testing.T) {
	weigh := lru.WithWeigher(func(string, int) uint32 { return 1 })
	for want, err := range map[string]error{
		"lru: capacity is 0, want at least 1":  newErr[int, int](0),
		"lru: capacity is -5, want at least 1": newErr[int, int](-5),
		"lru: policy is Policy(200), want one of LRU, FIFO, LIFO, MRU, LFU, Random, SIEVE, S3FIFO, Adaptive": newErr[int, int](1, lru.WithPolicy(200)),
		"lru: option 1 is nil":                                                          newErr[int, int](1, lru.WithStats(), nil),
		"lru: function of WithWeigher is nil":                                           newErr[int, int](1, lru.WithWeigher[int, int](nil)),
		"lru: function of WithOnEvict is nil":                                           newErr[int, int](1, lru.WithOnEvict[int, int](nil)),
		"lru: function of WithExpiry is nil":                                            newErr[int, int](1, lru.WithExpiry[int, int](nil)),
		"lru: lifetime of WithTTL is -1ns, want at least 0":                             newErr[int, int](1, lru.WithTTL(-1)),
		"lru: fraction of WithJitter is -0.1, want 0 <= fraction <= 1":                  newErr[int, int](1, lru.WithJitter(-0.1)),
		"lru: fraction of WithJitter is 1.5, want 0 <= fraction <= 1":                   newErr[int, int](1, lru.WithJitter(1.5)),
		"lru: fraction of WithJitter is NaN, want 0 <= fraction <= 1":                   newErr[int, int](1, lru.WithJitter(math.NaN())),
		"lru: function of WithHasher is nil":                                            newErr[int, int](1, lru.WithHasher[int](nil)),
		"lru: WithWeigher has a func(string, int) uint32, want a func(int, int) uint32": newErr[int, int](1, weigh),
		"lru: WithExpiry has a func(string, int) time.Duration, want a func(int, int) time.Duration": newErr[int, int](1,
			lru.WithExpiry(func(string, int) time.Duration { return 0 })),
		"lru: WithHasher has a func(string) uint64, want a func(int) uint64": newErr[int, int](1, lru.WithHasher(func(string) uint64 { return 0 })),
		"lru: WithOnEvict has a func(int, string, lru.Reason), want a func(int, int, lru.Reason)": newErr[int, int](1,
			lru.WithOnEvict(func(int, string, lru.Reason) {})),
	} {
		assert.EqualError(t, err, want)
	}
	if bits.UintSize == 64 { // a smaller int cannot name that many entries
		assert.NoError(t, newErr[int, int](entries(1<<32-2)))
		assert.EqualError(t, newErr[int, int](entries(1<<32-1)), "lru: capacity is 4294967295 entries, want at most 4294967294")
		assert.EqualError(t, newErr[int, int](entries(1<<32-2), lru.WithPolicy(lru.S3FIFO)), "lru: capacity is 4294967294 entries, want at most 4294967293")
		assert.EqualError(t, newErr[int, int](entries(1<<32-2), lru.WithTTL(1)), "lru: capacity is 4294967294 entries, want at most 4294966588")
	}
	assert.NoError(t, newErr[string, int](math.MaxInt, weigh), "weight may be any")
	assert.NoError(t, newErr[int, int](1, lru.WithPolicy(lru.LRU)))

	c := must(lru.New[int, int](2))
	c.Set(1, 1)
	assert.EqualError(t, c.Resize(0), "lru: capacity is 0, want at least 1")
	if bits.UintSize == 64 {
		assert.EqualError(t, c.Resize(entries(1<<32-1)), "lru: capacity is 4294967295 entries, want at most 4294967294")
	}
	assert.Equal(t, 2, c.Cap())
	assert.True(t, c.Contains(1))
}

// entries keeps the compiler from evaluating what overflows an int of 32 bits.
func entries(n uint64) int { return int(n) }

func newErr[K comparable, V any](capacity int, opts ...lru.Option) error {
	_, err := lru.New[K, V](capacity, opts...)
	return err
}

func TestZeroCache(t *testing.T) {
	var c lru.Cache[string, int]
	_, ok := c.Get("a")
	_, hashed := c.GetHashed(1, "a")
	_, at := c.GetAt(time.Now(), "a")
	_, ttl := c.TTL("a")
	_, ttlAt := c.TTLAt(time.Now(), "a")
	assert.False(t, at || ttl || ttlAt)
	assert.Zero(t, c.DeleteExpired()+c.DeleteExpiredAt(time.Now()))
	_, peeked := c.Peek("a")
	_, deleted := c.Delete("a")
	_, _, evicted := c.Evict()
	assert.False(t, ok || hashed || peeked || deleted || evicted || c.Contains("a"))
	assert.Zero(t, c.Hash("a"))
	assert.Zero(t, c.Len()+c.Cap()+int(c.Weight())+c.DeleteFunc(func(string, int) bool { return true }))
	assert.Equal(t, lru.Stats{}, c.Stats())
	assert.Zero(t, c.Stats().HitRatio())
	for range c.All() {
		t.Fatal("an entry")
	}
	for range c.Backward() {
		t.Fatal("an entry")
	}
	c.Clear()
	for name, change := range map[string]func(){
		"Set":        func() { c.Set("a", 1) },
		"SetHashed":  func() { c.SetHashed(1, "a", 1) },
		"SetWithTTL": func() { c.SetWithTTL("a", 1, time.Hour) },
		"SetAt":      func() { c.SetAt(time.Now(), "a", 1, 0) },
		"GetOrSet":   func() { c.GetOrSet("a", 1) },
		"Update":     func() { c.Update("a", func(int, bool) (int, bool) { return 0, false }) },
		"Resize":     func() { _ = c.Resize(3) },
	} {
		assert.PanicsWithValue(t, "lru: change of a zero Cache, make one with New", change, name)
	}
	check(t, &c)
}

func TestNames(t *testing.T) {
	assert.Equal(t, "LRU", lru.LRU.String())
	assert.Equal(t, "S3FIFO", lru.S3FIFO.String())
	assert.Equal(t, "Policy(99)", lru.Policy(99).String())
	for r, want := range map[lru.Reason]string{
		lru.Capacity: "capacity", lru.Expired: "expired", lru.Deleted: "deleted", lru.Replaced: "replaced", lru.Cleared: "cleared", 99: "Reason(99)",
	} {
		assert.Equal(t, want, r.String())
	}
}
