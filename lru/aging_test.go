package lru_test

import (
	"context"
	"math"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/distkit/distkit/internal/testkit"
	"github.com/distkit/distkit/lru"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A hit that is old enough is answered at once, and loaded anew once.
func TestRefreshAhead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShelf(t, map[int]int{1: 10})
		c := newBacked(t, 100, s, lru.Backing[int]{RefreshAhead: time.Minute}, lru.WithTTL(time.Hour))
		wants(t, c, 1, 10)
		s.takes = time.Second
		s.put(1, 11)
		time.Sleep(time.Minute - time.Microsecond)
		wants(t, c, 1, 10)
		time.Sleep(time.Microsecond)
		s.calls()
		for range 100 {
			wants(t, c, 1, 10)
		}
		synctest.Wait()
		assert.Equal(t, []string{"load [1]"}, s.calls())
		time.Sleep(time.Second)
		synctest.Wait()
		wants(t, c, 1, 11)
		assert.Empty(t, s.calls(), "it is young again")

		// A write meanwhile is newer than what is loaded.
		time.Sleep(time.Minute)
		wants(t, c, 1, 11)
		require.NoError(t, c.Set(bg, 1, 12))
		time.Sleep(time.Hour / 2)
		wants(t, c, 1, 12)
		time.Sleep(time.Second)
		synctest.Wait()

		// Who misses meanwhile waits for the same load.
		s.put(1, 13)
		time.Sleep(time.Minute)
		s.calls()
		wants(t, c, 1, 12)
		c.Invalidate(1)
		wants(t, c, 1, 13)
		assert.Equal(t, []string{"load [1]", "load [1]"}, s.calls(), "the second as the first is doomed")
		closes(t, c)
	})
}

// Errors of loads in the background go to OnError, and make the next wait longer.
func TestRefreshFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShelf(t, map[int]int{1: 10})
		down := false
		s.meddle = func(context.Context, string, int) error {
			if down {
				return errDown
			}
			return nil
		}
		var told []time.Duration
		begun := time.Now()
		c := newBacked(t, 100, s, lru.Backing[int]{RefreshAhead: time.Second, OnError: func(key int, err error) {
			assert.Equal(t, 1, key)
			assert.Equal(t, errDown, err)
			told = append(told, time.Since(begun))
		}})
		wants(t, c, 1, 10)
		down = true
		for range 800 {
			time.Sleep(10 * time.Millisecond)
			wants(t, c, 1, 10)
			synctest.Wait()
		}
		ms := time.Millisecond
		assert.Equal(t, []time.Duration{1000 * ms, 1100 * ms, 1300 * ms, 1700 * ms, 2500 * ms, 4100 * ms, 7300 * ms}, told)
		assert.EqualValues(t, 7, c.Stats().LoadErrors)
		down = false
		s.put(1, 11)
		time.Sleep(time.Minute)
		wants(t, c, 1, 10)
		synctest.Wait()
		wants(t, c, 1, 11)

		// What is gone from the Store leaves the cache.
		assert.NoError(t, s.Delete(bg, 1))
		time.Sleep(time.Second)
		wants(t, c, 1, 11)
		synctest.Wait()
		wants(t, c, 1, -1)
		assert.Len(t, told, 7)
		closes(t, c)
	})
}

// What is unsaved is newer than what the Store has: it is not loaded.
func TestNoRefreshOfUnsaved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShelf(t, map[int]int{1: 10})
		c := newBacked(t, 100, s, lru.Backing[int]{Writes: lru.WriteBehind, FlushInterval: time.Hour, RefreshAhead: time.Second}, lru.WithTTL(time.Minute))
		require.NoError(t, c.Set(bg, 1, 11))
		for range 100 {
			time.Sleep(time.Second)
			wants(t, c, 1, 11)
		}
		assert.Empty(t, s.calls())
		require.NoError(t, c.Flush(bg))
		wants(t, c, 1, 11)
		closes(t, c)
		assert.Positive(t, s.count("load"))
	})
}

// A load that takes 1 s is repeated left seconds before the end with a probability
// of exp(-left/beta).
func TestEarlyExpiry(t *testing.T) {
	testkit.NotUnderRace(t)
	const keys = 4000
	for _, beta := range []float64{0.5, 1, 2} {
		for _, left := range []time.Duration{time.Second / 2, time.Second, 2 * time.Second, 20 * time.Second} {
			synctest.Test(t, func(t *testing.T) {
				s := newShelf(t, nil)
				all := make([]int, keys)
				for i := range keys {
					all[i] = i
					s.put(i, i)
				}
				s.takes = time.Second
				c := newBacked(t, keys, batchShelf{s}, lru.Backing[int]{EarlyExpiry: beta}, lru.WithTTL(time.Minute))
				_, err := c.GetMany(bg, all)
				require.NoError(t, err)
				time.Sleep(time.Minute - left)
				for i := range keys {
					wants(t, c, i, i)
				}
				synctest.Wait()
				p := math.Exp(-left.Seconds() / beta)
				assert.InDelta(t, keys*p, s.count("load"), 7*math.Sqrt(keys*p*(1-p))+0.01, "beta %v, %v left", beta, left)
				closes(t, c)
			})
		}
	}
}

// A value that was set is as hard to get as the one loaded last.
func TestEarlyExpiryOfWhatIsSet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShelf(t, map[int]int{1: 1})
		c := newBacked(t, 10, s, lru.Backing[int]{EarlyExpiry: 1}, lru.WithTTL(time.Minute))
		s.takes = time.Hour
		wants(t, c, 1, 1)
		s.takes = 0
		require.NoError(t, c.Set(bg, 2, 2))
		for range 10 { // each with a probability of exp(-1/60)
			wants(t, c, 2, 2)
		}
		synctest.Wait()
		assert.Positive(t, s.count("load")-1)
		closes(t, c)
	})
}

func TestStaleIfError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShelf(t, map[int]int{1: 10, 2: 20})
		down := false
		s.meddle = func(ctx context.Context, _ string, key int) error {
			if down && key == 2 {
				<-ctx.Done()
				return ctx.Err()
			}
			if down {
				return errDown
			}
			return nil
		}
		var mu sync.Mutex
		told := 0
		c := newBacked(t, 100, s, lru.Backing[int]{StaleIfError: time.Hour, OnError: func(key int, err error) {
			mu.Lock()
			defer mu.Unlock()
			told++
		}}, lru.WithTTL(time.Minute), lru.WithStats())
		wants(t, c, 1, 10)
		wants(t, c, 2, 20)
		time.Sleep(time.Minute)
		_, ok := c.Peek(1)
		assert.False(t, ok, "Get would ask the Store")
		s.put(1, 11)
		wants(t, c, 1, 11)
		assert.EqualValues(t, 3, c.Stats().Misses, "it had ended")

		down = true
		time.Sleep(time.Minute)
		s.calls()
		for range 10 {
			wants(t, c, 1, 11)
		}
		assert.Len(t, s.calls(), 1, "a pause follows")
		assert.Equal(t, 1, told)
		time.Sleep(100 * time.Millisecond)
		wants(t, c, 1, 11)
		assert.Len(t, s.calls(), 1)
		assert.Equal(t, 2, told)

		// A Store that does not answer at all is no better.
		v, err := c.Get(within(t, time.Second), 2)
		assert.NoError(t, err)
		assert.Equal(t, 20, v)

		time.Sleep(time.Hour)
		_, err = c.Get(bg, 1)
		assert.Equal(t, errDown, err, "an hour is over")
		_, err = c.Get(within(t, time.Second), 2)
		assert.Equal(t, context.DeadlineExceeded, err)

		// That the Store has no value is no error.
		down = false
		wants(t, c, 1, 11)
		require.NoError(t, s.Delete(bg, 1))
		time.Sleep(time.Minute)
		wants(t, c, 1, -1)
		closes(t, c)
	})
}

func TestNegativeTTL(t *testing.T) {
	for name, opts := range map[string][]lru.Option{
		"no other lifetime": nil,
		"WithTTL":           {lru.WithTTL(time.Second)},
		"WithSliding":       {lru.WithTTL(time.Second), lru.WithSliding()},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newShelf(t, nil)
				c := newBacked(t, 100, s, lru.Backing[int]{NegativeTTL: time.Minute}, append(opts, lru.WithStats())...)
				for range 60 {
					wants(t, c, 1, -1)
					_, ok := c.Peek(1)
					assert.False(t, ok)
					time.Sleep(time.Second)
				}
				assert.Equal(t, []string{"load [1]"}, s.calls())
				assert.EqualValues(t, 59, c.Stats().Hits)
				s.put(1, 10)
				wants(t, c, 1, 10)
				assert.EqualValues(t, 2, c.Stats().Misses)
				assert.Zero(t, c.Stats().LoadErrors, "an answer is no error")

				wants(t, c, 2, -1)
				require.NoError(t, c.Set(bg, 2, 20))
				wants(t, c, 2, 20)
				wants(t, c, 3, -1)
				assert.False(t, c.Invalidate(3), "no value")
				s.put(3, 30)
				wants(t, c, 3, 30)
				closes(t, c)
			})
		})
	}
}

// Lifetimes are those of a Concurrent.
func TestBackedLifetimes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShelf(t, map[int]int{1: 10, 2: 20, 3: 30})
		c := newBacked(t, 100, s, lru.Backing[int]{RefreshAhead: 3 * time.Hour}, lru.WithTTL(time.Hour), lru.WithExpiry(func(key, _ int) time.Duration {
			return []time.Duration{0, 0, time.Minute, -1}[key]
		}))
		load := func(key int) int {
			s.calls()
			wants(t, c, key, 10*key)
			return len(s.calls())
		}
		for key := 1; key <= 3; key++ {
			assert.Equal(t, 1, load(key))
		}
		assert.Equal(t, 0, load(1))
		assert.Equal(t, 0, load(2))
		assert.Equal(t, 1, load(3), "it had ended at once")
		time.Sleep(time.Minute)
		assert.Equal(t, 0, load(1))
		assert.Equal(t, 1, load(2))
		time.Sleep(time.Hour - time.Minute)
		assert.Equal(t, 1, load(1))
		closes(t, c)

		c = newBacked(t, 100, s, lru.Backing[int]{}, lru.WithTTL(time.Minute), lru.WithSliding())
		assert.Equal(t, 1, load(1))
		for range 10 {
			time.Sleep(time.Minute - 1)
			assert.Equal(t, 0, load(1))
		}
		time.Sleep(time.Minute)
		assert.Equal(t, 1, load(1))
		closes(t, c)
	})
}

// WithJitter spreads what was loaded together.
func TestBackedJitter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShelf(t, nil)
		c := newBacked(t, 10_000, s, lru.Backing[int]{StaleIfError: time.Hour}, lru.WithTTL(1000*time.Second), lru.WithJitter(0.5))
		for i := range 2000 {
			require.NoError(t, c.Set(bg, i, i))
		}
		here := func() (n int) {
			for i := range 2000 {
				if _, ok := c.Peek(i); ok {
					n++
				}
			}
			return n
		}
		time.Sleep(500*time.Second - 1)
		assert.Equal(t, 2000, here())
		time.Sleep(250 * time.Second)
		assert.InDelta(t, 1000, here(), 150) // 6.7 standard deviations
		time.Sleep(250 * time.Second)
		assert.LessOrEqual(t, here(), 1)
		closes(t, c)
	})
}

// What is remembered of keys whose loads fail is bounded.
func TestTroublesAreBounded(t *testing.T) {
	testkit.NotUnderRace(t)
	synctest.Test(t, func(t *testing.T) {
		const keys = 1500
		s := newShelf(t, nil)
		all := make([]int, keys)
		for i := range all {
			all[i] = i
			s.put(i, i)
		}
		// All at one desk.
		c := newBacked(t, keys, batchShelf{s}, lru.Backing[int]{StaleIfError: time.Hour}, lru.WithTTL(time.Second), lru.WithHasher(func(int) uint64 { return 7 }))
		_, err := c.GetMany(bg, all)
		require.NoError(t, err)
		time.Sleep(time.Second)
		s.meddle = func(context.Context, string, int) error { return errDown }
		for round, want := range []int{keys, keys - 1024} {
			s.calls()
			for i := range all {
				wants(t, c, i, i)
			}
			assert.GreaterOrEqual(t, s.count("load"), want, "round %d", round)
		}
		closes(t, c)
	})
}
