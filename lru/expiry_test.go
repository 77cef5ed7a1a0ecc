package lru_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/distkit/distkit/internal/testkit"
	"github.com/distkit/distkit/lru"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Where nothing ends soon, a Get need not know when its entry does. A cache knows until
// when that is so, and finds it out anew when something has ended.
func TestNothingEndsSoon(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := must(lru.New[int, int](100))
		c.SetWithTTL(1, 1, time.Hour)
		assert.Equal(t, time.Hour, lru.Quiet(c))
		c.SetWithTTL(2, 2, time.Minute)
		assert.Equal(t, time.Minute, lru.Quiet(c))
		c.Set(3, 3)
		time.Sleep(time.Minute - 1)
		_, ok := c.Get(2)
		assert.True(t, ok)
		time.Sleep(time.Nanosecond)
		_, ok = c.Get(2)
		assert.False(t, ok)
		c.Set(3, 4)
		assert.InDelta(t, 59, lru.Quiet(c).Minutes(), 1.2, "to within the width of a list of the wheel")
		c.Delete(1)
		time.Sleep(time.Hour)
		c.Set(3, 5)
		assert.Greater(t, lru.Quiet(c), 100*365*24*time.Hour)
		check(t, c)
	})
}

// book is what a cache with lifetimes holds by definition: a map with deadlines.
// Where the cache may choose when something leaves, it tells the book by its
// callback, and the book says whether that was allowed.
type book struct {
	t        *testing.T
	now      time.Time
	entries  map[int]*booked
	accesses int
	coming   int // a value that is being set
}

type booked struct {
	value    int
	ends     time.Time // zero: never
	life     time.Duration
	accessed int
}

func (b *book) dead(k int) bool {
	e := b.entries[k]
	return e != nil && !e.ends.IsZero() && !b.now.Before(e.ends)
}

func (b *book) left(k, v int, why lru.Reason) {
	if why == lru.Expired && v == b.coming {
		return // it had ended when it was set
	}
	e := b.entries[k]
	require.NotNil(b.t, e, "key %d", k)
	require.Equal(b.t, e.value, v, "key %d", k)
	require.Equal(b.t, why == lru.Expired, b.dead(k), "key %d: %v", k, why)
	if why == lru.Capacity {
		for other, o := range b.entries {
			require.False(b.t, b.dead(other), "%d was evicted, and %d is dead", k, other)
			require.GreaterOrEqual(b.t, o.accessed, e.accessed, "%d was evicted before %d", k, other)
		}
	}
	delete(b.entries, k)
}

func (b *book) access(k int, restart bool) {
	b.accesses++
	e := b.entries[k]
	e.accessed = b.accesses
	if restart && e.life > 0 {
		e.ends = b.now.Add(e.life)
	}
}

// timePlayer applies random operations at times that go forward in steps of any
// size and, where back is set, backward too.
type timePlayer struct {
	*book
	r             *rand.Rand
	c             cache[int, int]
	back, sliding bool
}

// span returns a duration of any magnitude.
func (p *timePlayer) span() time.Duration { return time.Duration(p.r.Uint64() >> (1 + p.r.UintN(63))) }

func (p *timePlayer) pass() {
	d := p.span()
	if p.back && p.r.IntN(3) == 0 {
		d = -d
	}
	if to := p.now.Add(d); to.Year() > 1900 && to.Year() < 2100 { // what a Duration reaches
		p.now = to
	}
}

func (p *timePlayer) set(k, v int) {
	life := p.span()
	switch p.r.IntN(8) {
	case 0:
		life = 0
	case 1:
		life = -life
	case 2, 3, 4:
		life %= 100 // many end together
	}
	if p.now.Add(life).Year() > 2150 {
		life = 1
	}
	p.coming = v
	require.True(p.t, p.c.SetAt(p.now, k, v, life))
	p.coming = 0
	if life >= 0 {
		p.entries[k] = &booked{value: v, life: life}
		if life > 0 {
			p.entries[k].ends = p.now.Add(life)
		}
		p.access(k, false)
	}
}

func (p *timePlayer) get(k int) {
	want := p.entries[k] != nil && !p.dead(k)
	v, ok := p.c.GetAt(p.now, k)
	require.Equal(p.t, want, ok)
	if ok {
		require.Equal(p.t, p.entries[k].value, v)
		p.access(k, p.sliding)
	} else {
		require.Nil(p.t, p.entries[k], "what has ended is taken out")
	}
}

func (p *timePlayer) ttl(k int) {
	left, ok := p.c.TTLAt(p.now, k)
	e := p.entries[k]
	require.Equal(p.t, e != nil && !p.dead(k), ok)
	switch {
	case !ok:
		require.Zero(p.t, left)
	case e.ends.IsZero():
		require.Equal(p.t, time.Duration(math.MaxInt64), left)
	default:
		require.Equal(p.t, e.ends.Sub(p.now), left)
	}
}

func (p *timePlayer) deleteExpired() {
	want := 0
	for k := range p.entries {
		if p.dead(k) {
			want++
		}
	}
	require.Equal(p.t, want, p.c.DeleteExpiredAt(p.now))
}

func playTime(t *testing.T, seed uint64, capacity, n int, back, sliding, concurrent bool) {
	t.Helper()
	p := &timePlayer{book: &book{t: t, now: time.Unix(1e9, 5), entries: map[int]*booked{}}, r: rand.New(rand.NewPCG(seed, 9)), back: back, sliding: sliding}
	opts := []lru.Option{lru.WithOnEvict(p.left)}
	if sliding {
		opts = append(opts, lru.WithSliding())
	}
	if concurrent { // LRU in one shard is a Cache
		p.c = must(lru.NewConcurrent[int, int](capacity, append(opts, lru.WithShards(1), lru.WithPolicy(lru.LRU))...))
	} else {
		p.c = must(lru.New[int, int](capacity, opts...))
	}
	for step := 1; step <= n; step++ {
		if p.r.IntN(3) == 0 {
			p.pass()
		}
		switch k := p.r.IntN(2*capacity + 2); p.r.IntN(9) {
		case 0, 1, 2:
			p.set(k, step)
		case 3, 4, 5, 6:
			p.get(k)
		case 7:
			p.ttl(k)
		case 8:
			p.deleteExpired()
		}
		require.Equal(t, len(p.entries), p.c.Len())
		if step%20 == 0 {
			check(t, p.c)
		}
	}
	check(t, p.c)
}

func TestLifetimesMatchBook(t *testing.T) {
	testkit.NotUnderRace(t)
	for _, capacity := range []int{1, 3, 30, 300} {
		for _, back := range []bool{false, true} {
			for _, sliding := range []bool{false, true} {
				t.Run(fmt.Sprintf("%d/back=%v/sliding=%v", capacity, back, sliding), func(t *testing.T) {
					playTime(t, uint64(capacity), capacity, 5000, back, sliding, false)
					playTime(t, uint64(capacity), capacity, 2500, back, sliding, true)
				})
			}
		}
	}
}

// At the nanosecond, by the cache's own clock.
func TestLifetimes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log []string
		c := must(lru.New[string, int](10, lru.WithTTL(time.Hour), lru.WithStats(), lru.WithOnEvict(func(k string, _ int, why lru.Reason) {
			log = append(log, k+" "+why.String())
		})))
		c.Set("usual", 1)
		c.SetWithTTL("short", 2, time.Minute)
		c.SetWithTTL("long", 3, math.MaxInt64)
		left := func(k string) time.Duration {
			d, ok := c.TTL(k)
			require.Equal(t, c.Contains(k), ok)
			return d
		}
		assert.Equal(t, time.Hour, left("usual"))
		assert.Equal(t, time.Minute, left("short"))
		assert.Equal(t, time.Duration(math.MaxInt64), left("long"), "reaches the end of time")

		time.Sleep(time.Minute - 1)
		v, ok := c.Get("short")
		assert.True(t, ok && v == 2)
		assert.Equal(t, time.Duration(1), left("short"))
		time.Sleep(time.Nanosecond)
		_, ok = c.Peek("short")
		assert.False(t, ok)
		assert.Equal(t, 3, c.Len(), "Peek takes nothing out")
		assert.Equal(t, []string{"usual", "long"}, keysOf(c.All()))
		assert.Equal(t, []string{"long", "usual"}, keysOf(c.Backward()))
		assert.Zero(t, c.DeleteFunc(func(k string, _ int) bool { return k == "short" }))
		_, ok = c.Get("short")
		assert.False(t, ok)
		assert.Equal(t, 2, c.Len())
		assert.Equal(t, []string{"short expired"}, log)

		time.Sleep(time.Hour - time.Minute - 1)
		c.Set("usual", 4) // restarts it
		time.Sleep(time.Hour - 1)
		_, ok = c.Get("usual")
		assert.True(t, ok)
		time.Sleep(time.Nanosecond)
		assert.Equal(t, 1, c.DeleteExpired())
		assert.Zero(t, c.DeleteExpired())
		assert.Equal(t, []string{"short expired", "usual replaced", "usual expired"}, log)

		c.Set("gone", 5)
		time.Sleep(2 * time.Hour)
		_, ok = c.Delete("gone")
		assert.False(t, ok)
		c.Set("gone", 6)
		time.Sleep(2 * time.Hour)
		actual, loaded := c.GetOrSet("gone", 7)
		assert.True(t, actual == 7 && !loaded)
		time.Sleep(2 * time.Hour)
		c.Update("gone", func(old int, had bool) (int, bool) {
			assert.True(t, old == 0 && !had)
			return 8, true
		})
		time.Sleep(2 * time.Hour)
		_, _, ok = c.Evict()
		assert.True(t, ok, "the long one")
		assert.Zero(t, c.Len())
		assert.Equal(t, []string{"gone expired", "gone expired", "gone expired", "gone expired", "long capacity"}, log[3:])
		assert.Equal(t, uint64(6), c.Stats().Expirations)
		check(t, c)
	})
}

// The wheel has no goroutine, but reads take out what has ended, and so do writes.
func TestExpiredEntriesLeaveAsTheCacheIsUsed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const n = 3500
		c := must(lru.New[int, int](10_000, lru.WithTTL(time.Second)))
		for i := range n {
			c.Set(i, i)
		}
		c.SetWithTTL(n, n, time.Hour)
		time.Sleep(time.Minute)
		require.Equal(t, n+1, c.Len())
		c.Set(n+1, 0)
		assert.Equal(t, n+1-1000+1, c.Len(), "a thousand at a time")
		for range 64 {
			c.Get(n)
		}
		assert.Equal(t, n+1-2000+1, c.Len())
		for range 128 {
			c.GetAt(time.Now(), n)
		}
		assert.Equal(t, 2, c.Len())
		check(t, c)
	})
}

// Before a live entry is evicted everything is looked at that may have ended.
func TestNoLiveEntryLeavesForADeadOne(t *testing.T) {
	const n = 3000
	start := time.Unix(1e9, 0)
	for _, weighted := range []bool{false, true} {
		var opts []lru.Option
		if weighted {
			opts = append(opts, lru.WithWeigher(func(int, int) uint32 { return 1 }))
		}
		c := must(lru.New[int, int](n, opts...))
		for i := range n - 1 { // all in one list of the wheel, the dead one last
			c.SetAt(start, i, i, time.Hour+time.Duration(i))
		}
		c.SetAt(start, n, n, time.Hour-1)
		c.SetAt(start.Add(time.Hour-1), n+1, 0, time.Hour)
		assert.Equal(t, n, c.Len())
		assert.Zero(t, c.Stats().Evictions)
		assert.Equal(t, uint64(1), c.Stats().Expirations)
		c.SetAt(start.Add(time.Hour-1), n+2, 0, time.Hour)
		assert.Equal(t, uint64(1), c.Stats().Evictions)
		check(t, c)
	}
}

func TestResizeAndEvictTakeTheDeadFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := must(lru.New[int, int](10))
		for i := range 10 {
			c.SetWithTTL(i, i, time.Duration(1+i%2)*time.Hour)
		}
		time.Sleep(time.Hour)
		require.NoError(t, c.Resize(5))
		assert.Equal(t, []int{1, 3, 5, 7, 9}, keysOf(c.All()))
		assert.Zero(t, c.Stats().Evictions)
		require.NoError(t, c.Resize(4))
		k, _, ok := c.Evict()
		assert.True(t, ok && k == 3, "1 went before")
		time.Sleep(time.Hour)
		_, _, ok = c.Evict()
		assert.False(t, ok)
		check(t, c)
	})
}

func TestSlidingLifetimes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := must(lru.New[string, int](10, lru.WithTTL(time.Minute), lru.WithSliding()))
		c.Set("a", 1)
		c.SetWithTTL("b", 2, 2*time.Minute)
		for range 5 {
			time.Sleep(time.Minute - 1)
			_, ok := c.Get("a")
			require.True(t, ok)
			require.False(t, ok && !c.Contains("a"))
		}
		assert.False(t, c.Contains("b"))
		c.Peek("a") // no access
		time.Sleep(time.Minute)
		assert.False(t, c.Contains("a"))
		check(t, c)
	})
}

func TestLifetimeByEntry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := must(lru.New[string, int](10, lru.WithTTL(time.Hour), lru.WithExpiry(func(k string, v int) time.Duration {
			return time.Duration(v) * time.Minute
		})))
		c.Set("two minutes", 2)
		c.Set("default", 0)
		c.SetWithTTL("given", 3, time.Second)
		for k, want := range map[string]time.Duration{"two minutes": 2 * time.Minute, "default": time.Hour, "given": time.Second} {
			got, ok := c.TTL(k)
			assert.True(t, ok)
			assert.Equal(t, want, got, k)
		}
		assert.True(t, c.Set("default", -1), "accepted, and over")
		_, ok := c.TTL("default")
		assert.False(t, ok || c.Contains("default"))
		actual, loaded := c.GetOrSet("new", -1)
		assert.True(t, actual == -1 && !loaded && c.Len() == 2)
		assert.Equal(t, uint64(2), c.Stats().Expirations)
		assert.Equal(t, uint64(4), c.Stats().Inserts)
		check(t, c)
	})
}

// A pinned entry is never evicted, but it ends.
func TestPinnedEntriesEnd(t *testing.T) {
	c := must(lru.New[int, int](3, lru.WithWeigher(func(_, w int) uint32 { return uint32(w) })))
	start := time.Unix(1e9, 0)
	c.SetAt(start, 1, 0, time.Minute)
	for i := range 10 {
		c.SetAt(start, 2+i, 1, time.Hour)
	}
	_, ok := c.GetAt(start.Add(time.Minute-1), 1)
	assert.True(t, ok)
	assert.Equal(t, 1, c.DeleteExpiredAt(start.Add(time.Minute)))
	assert.Equal(t, 3, c.Len())
	check(t, c)
}

func TestJitterShortensEvenly(t *testing.T) {
	const n, buckets = 20_000, 10
	start := time.Unix(1e9, 0)
	c := must(lru.New[int, int](n, lru.WithTTL(time.Hour), lru.WithJitter(0.25)))
	var counts [buckets]int
	for i := range n {
		c.SetAt(start, i, i, 0)
		left, _ := c.TTLAt(start, i)
		require.LessOrEqual(t, left, time.Hour)
		require.Greater(t, left, 45*time.Minute)
		counts[(time.Hour-left)*buckets/(15*time.Minute+1)]++
	}
	assert.Less(t, testkit.ChiSquare(counts[:]), testkit.ChiSquareLimit(buckets, 5))
	one := must(lru.New[int, int](1, lru.WithJitter(1)))
	for range 100 {
		one.SetAt(start, 1, 1, 1)
		left, ok := one.TTLAt(start, 1)
		require.True(t, ok && left == 1, "a lifetime is never shortened to nothing")
	}
	check(t, c)
}

// Lifetimes and times at the ends of what a Duration holds.
func TestExtremeTimes(t *testing.T) {
	c := must(lru.New[int, int](100))
	now := time.Now()
	require.True(t, c.SetAt(now, 1, 1, math.MaxInt64))
	require.True(t, c.SetAt(now, 2, 2, math.MinInt64))
	require.True(t, c.SetAt(time.Time{}, 3, 3, 1)) // centuries ago
	require.True(t, c.SetAt(now.AddDate(5000, 0, 0), 4, 4, time.Hour))
	assert.True(t, c.Contains(1) && c.Contains(4))
	assert.False(t, c.Contains(2) || c.Contains(3))
	_, ok := c.GetAt(time.Time{}, 4)
	assert.True(t, ok)
	_, ok = c.TTLAt(time.Time{}, 4)
	assert.True(t, ok)
	check(t, c)
	for range 50 {
		c.SetAt(time.Time{}, 3, 3, 1)
		c.SetAt(now, 5, 5, time.Hour)
		check(t, c)
	}
}

// A lifetime may come where none was expected, and memory for it only then.
func TestFirstLifetime(t *testing.T) {
	c := digits()
	plain := liveBytesEach(func() any { return digits() })
	assert.Less(t, plain, uint64(1500))
	c.SetWithTTL(5, 5, time.Hour)
	left, ok := c.TTL(4)
	assert.True(t, ok && left == math.MaxInt64)
	left, ok = c.TTL(5)
	assert.True(t, ok && left <= time.Hour && left > 50*time.Minute)
	c.Set(5, 6)
	left, _ = c.TTL(5)
	assert.Equal(t, time.Duration(math.MaxInt64), left, "a Set without one has none")
	check(t, c)
	c.Clear()
	assert.Zero(t, c.DeleteExpired()+c.DeleteExpiredAt(time.Now()))
	check(t, c)
}

// On an overloaded machine a timer may be late. Get then errs by as much, less
// three ticks; GetAt does not.
func TestGetReadsTheClockWhereItMatters(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := must(lru.New[int, int](4))
		c.SetWithTTL(1, 1, time.Hour)
		for range 3 {
			_, ok := c.Get(1)
			require.True(t, ok)
			c.SetWithTTL(2, 2, time.Millisecond) // sooner than the timer
			time.Sleep(time.Millisecond - 1)
			_, ok = c.Get(2)
			require.True(t, ok)
			time.Sleep(time.Nanosecond)
			_, ok = c.Get(2)
			require.False(t, ok)
		}
		c.SetWithTTL(1, 1, 100*time.Millisecond) // later than the horizon
		for ms := range 101 {
			_, ok := c.Get(1)
			require.Equal(t, ms < 100, ok, "after %d ms", ms)
			time.Sleep(time.Millisecond)
		}
	})
}
