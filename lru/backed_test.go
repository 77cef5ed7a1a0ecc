package lru_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/distkit/distkit/internal/testkit"
	"github.com/distkit/distkit/lru"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestReadThrough(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShelf(t, map[int]int{1: 10, 3: 30})
		s.takes = time.Second
		s.meddle = func(_ context.Context, _ string, key int) error {
			if key == 3 {
				return errDown
			}
			return nil
		}
		c := newBacked(t, 100, s, lru.Backing[int]{}, lru.WithStats())
		for range 2 {
			wants(t, c, 1, 10)
			wants(t, c, 2, -1)
			_, err := c.Get(bg, 3)
			assert.Equal(t, errDown, err)
		}
		assert.Equal(t, []string{"load [1]", "load [2]", "load [3]", "load [2]", "load [3]"}, s.calls(), "neither absence nor errors are cached")
		assert.Equal(t, lru.Stats{Sampled: 2, SampledHits: [5]uint64{1, 1, 1, 1, 1}, Hits: 1, Misses: 5, Inserts: 1, Loads: 5, LoadErrors: 2, LoadTime: 5 * time.Second}, c.Stats())
		v, ok := c.Peek(1)
		assert.True(t, ok)
		assert.Equal(t, 10, v)
		_, ok = c.Peek(2)
		assert.False(t, ok)
		assert.Equal(t, 1, c.Len())
		assert.NoError(t, c.Flush(bg))
		closes(t, c)
	})
}

// One load serves all, and each waits as long as its own context says.
func TestOneLoadForAThousand(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShelf(t, map[int]int{1: 10})
		s.takes = time.Minute
		c := newBacked(t, 100, s, lru.Backing[int]{})
		begun := time.Now()
		var group sync.WaitGroup
		for i := range 1000 {
			group.Go(func() {
				if i%2 == 0 { // the first among them
					_, err := c.Get(within(t, time.Second), 1)
					assert.Equal(t, context.DeadlineExceeded, err)
					assert.Equal(t, time.Second, time.Since(begun))
					return
				}
				wants(t, c, 1, 10)
				assert.Equal(t, time.Minute, time.Since(begun))
			})
			if i == 0 {
				synctest.Wait()
			}
		}
		group.Wait()
		assert.Equal(t, []string{"load [1]"}, s.calls())
		closes(t, c)
	})
}

// Values of the context reach the Store; its end does not, until nobody waits.
func TestAbandonedLoad(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		type name struct{}
		var ended atomic.Bool
		s := newShelf(t, map[int]int{1: 10})
		s.meddle = func(ctx context.Context, _ string, key int) error {
			if ctx.Value(name{}) == nil {
				return nil
			}
			<-ctx.Done()
			ended.Store(true)
			return ctx.Err()
		}
		c := newBacked(t, 100, s, lru.Backing[int]{})
		var group sync.WaitGroup
		for i := range 3 {
			group.Go(func() {
				_, err := c.Get(context.WithValue(within(t, time.Duration(i+1)*time.Second), name{}, 1), 1)
				assert.Equal(t, context.DeadlineExceeded, err)
			})
			synctest.Wait()
		}
		time.Sleep(2500 * time.Millisecond)
		assert.False(t, ended.Load())
		group.Wait()
		synctest.Wait()
		assert.True(t, ended.Load())
		assert.Len(t, s.calls(), 1)
		wants(t, c, 1, 10)
		closes(t, c)
	})
}

// A write answers the loads that are under way, and what they load is not cached.
func TestWritesOvertakeLoads(t *testing.T) {
	for _, mode := range []lru.WriteMode{lru.WriteThrough, lru.WriteAround, lru.WriteBehind} {
		synctest.Test(t, func(t *testing.T) {
			s := newShelf(t, map[int]int{1: 10, 2: 20})
			s.meddle = func(_ context.Context, op string, _ int) error {
				if op == "load" {
					time.Sleep(time.Minute)
				} else {
					time.Sleep(time.Second)
				}
				return nil
			}
			c := newBacked(t, 100, s, lru.Backing[int]{Writes: mode})
			begun := time.Now()
			var group sync.WaitGroup
			for range 10 {
				group.Go(func() { wants(t, c, 1, 11) })
				group.Go(func() { wants(t, c, 2, -1) })
			}
			synctest.Wait()
			group.Go(func() { assert.NoError(t, c.Set(bg, 1, 11)) })
			group.Go(func() { assert.NoError(t, c.Delete(bg, 2)) })
			synctest.Wait()
			for range 10 { // they wait for the write
				group.Go(func() { wants(t, c, 1, 11) })
				group.Go(func() { wants(t, c, 2, -1) })
			}
			group.Wait()
			assert.LessOrEqual(t, time.Since(begun), time.Second)
			assert.Equal(t, 2, s.count("load"))
			time.Sleep(time.Hour)
			v, ok := c.Peek(1)
			assert.Equal(t, mode != lru.WriteAround, ok)
			if ok {
				assert.Equal(t, 11, v)
			}
			_, ok = c.Peek(2)
			assert.False(t, ok)
			closes(t, c)
		})
	}
}

func TestInvalidate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShelf(t, map[int]int{1: 10})
		s.takes = time.Second
		c := newBacked(t, 100, s, lru.Backing[int]{})
		assert.False(t, c.Invalidate(1))
		wants(t, c, 1, 10)
		assert.True(t, c.Invalidate(1))
		var group sync.WaitGroup
		group.Go(func() { wants(t, c, 1, 11) })
		time.Sleep(time.Second / 2)
		assert.False(t, c.Invalidate(1), "a load is under way")
		s.put(1, 11)
		group.Go(func() { wants(t, c, 1, 12) })
		time.Sleep(3 * time.Second / 4)
		_, ok := c.Peek(1)
		assert.False(t, ok, "the doomed load has ended")
		s.put(1, 12)
		group.Wait()
		assert.Equal(t, 3, s.count("load"))
		v, ok := c.Peek(1)
		assert.True(t, ok)
		assert.Equal(t, 12, v)

		// A write that is under way is not cached either: who invalidates knows more.
		group.Go(func() { assert.NoError(t, c.Set(bg, 1, 13)) })
		synctest.Wait()
		assert.True(t, c.Invalidate(1))
		group.Wait()
		_, ok = c.Peek(1)
		assert.False(t, ok)
		closes(t, c)
	})
}

func TestInvalidateKeepsUnsaved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShelf(t, map[int]int{1: 10})
		c := newBacked(t, 100, s, lru.Backing[int]{Writes: lru.WriteBehind})
		require.NoError(t, c.Set(bg, 1, 11))
		assert.True(t, c.Invalidate(1))
		assert.False(t, c.Invalidate(1))
		v, ok := c.Peek(1)
		assert.True(t, ok)
		assert.Equal(t, 11, v)
		wants(t, c, 1, 11)
		require.NoError(t, c.Delete(bg, 1))
		_, ok = c.Peek(1)
		assert.False(t, ok)
		wants(t, c, 1, -1)
		assert.Empty(t, s.calls())
		require.NoError(t, c.Set(bg, 1, 12))
		closes(t, c)
		assert.Equal(t, map[int]int{1: 12}, s.values)
	})
}

// What is evicted before it is saved is still found.
func TestEvictedAndUnsaved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShelf(t, nil)
		c := newBacked(t, 2, s, lru.Backing[int]{Writes: lru.WriteBehind, DirtyLimit: 1000}, lru.WithStats())
		for i := range 100 {
			require.NoError(t, c.Set(bg, i, i))
			assert.LessOrEqual(t, c.Len(), 2)
		}
		for i := range 100 {
			wants(t, c, i, i)
			v, ok := c.Peek(i)
			assert.True(t, ok)
			assert.Equal(t, i, v)
		}
		assert.Zero(t, s.count("load"))
		assert.EqualValues(t, 100, c.Stats().Hits, "answers without the Store")
		assert.Zero(t, c.Stats().Misses)
		closes(t, c)
		assert.Len(t, s.values, 100)
	})
}

func TestFailedWrites(t *testing.T) {
	for _, mode := range []lru.WriteMode{lru.WriteThrough, lru.WriteAround} {
		synctest.Test(t, func(t *testing.T) {
			s := newShelf(t, map[int]int{1: 10})
			c := newBacked(t, 100, s, lru.Backing[int]{Writes: mode})
			wants(t, c, 1, 10)
			s.takes = time.Second
			for _, write := range []func() error{
				func() error { return c.Set(bg, 1, 11) },
				func() error { return c.Delete(bg, 1) },
			} {
				// The effect may come, or not.
				s.meddle = func(_ context.Context, op string, _ int) error {
					if op != "load" {
						return errDown
					}
					return nil
				}
				wants(t, c, 1, 10)
				assert.Equal(t, errDown, write())
				_, ok := c.Peek(1)
				assert.False(t, ok)
				wants(t, c, 1, 10)
				s.meddle, s.lose = nil, func(string, int) error { return errDown }
				var group sync.WaitGroup
				c.Invalidate(1)
				group.Go(func() { assert.Equal(t, errDown, write()) })
				synctest.Wait()
				v, err := c.Get(bg, 1) // waits for the write, and then loads
				held, ok := s.get(1)
				assert.Equal(t, !ok, errors.Is(err, lru.ErrNotFound))
				assert.Equal(t, held, v)
				s.lose = nil
				s.put(1, 10)
				c.Invalidate(1)
				group.Wait()
			}
			assert.EqualValues(t, 4, c.Stats().SaveErrors)
			closes(t, c)
		})
	}
}

func TestWriteAroundCachesNoWrite(t *testing.T) {
	s := newShelf(t, map[int]int{1: 10})
	c := newBacked(t, 100, s, lru.Backing[int]{Writes: lru.WriteAround})
	wants(t, c, 1, 10)
	require.NoError(t, c.Set(bg, 1, 11))
	require.NoError(t, c.Set(bg, 2, 20))
	assert.Zero(t, c.Len())
	wants(t, c, 1, 11)
	require.NoError(t, c.Delete(bg, 1))
	wants(t, c, 1, -1)
	closes(t, c)
}

// A Store may say that what was to be deleted is not there.
func TestDeleteOfAbsent(t *testing.T) {
	for _, mode := range []lru.WriteMode{lru.WriteThrough, lru.WriteBehind} {
		s := newShelf(t, nil)
		s.lose = func(string, int) error { return fmt.Errorf("no such key: %w", lru.ErrNotFound) }
		c := newBacked(t, 100, s, lru.Backing[int]{Writes: mode})
		assert.NoError(t, c.Delete(bg, 1))
		closes(t, c)
	}
}

// Writes of a key reach the Store one after the other, in the order of their calls;
// one that is no longer wanted leaves the queue.
func TestWritesQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShelf(t, nil)
		s.takes = time.Second
		c := newBacked(t, 100, s, lru.Backing[int]{})
		var group sync.WaitGroup
		begun := time.Now()
		for i := range 10 {
			group.Go(func() {
				if i == 5 {
					assert.Equal(t, context.DeadlineExceeded, c.Set(within(t, 3*time.Second/2), 1, i))
					return
				}
				assert.NoError(t, c.Set(bg, 1, i))
				v, _ := s.get(1)
				assert.Equal(t, i, v)
				turn := i
				if i > 5 {
					turn--
				}
				assert.Equal(t, time.Duration(turn+1)*time.Second, time.Since(begun))
			})
			synctest.Wait()
		}
		assert.NoError(t, c.Set(bg, 2, 2), "other keys do not wait")
		assert.Equal(t, time.Second, time.Since(begun))
		group.Wait()
		wants(t, c, 1, 9)
		closes(t, c)
	})
}

func TestCrashingLoads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShelf(t, nil)
		s.meddle = func(_ context.Context, _ string, key int) error {
			time.Sleep(time.Second)
			if key == 1 {
				panic(errStore)
			}
			runtime.Goexit()
			return nil
		}
		c := newBacked(t, 100, s, lru.Backing[int]{})
		for key := 1; key <= 2; key++ {
			for _, get := range []func() error{
				func() error { _, err := c.Get(bg, key); return err },
				func() error { _, err := c.GetMany(bg, []int{key}); return err },
			} {
				var group sync.WaitGroup
				group.Go(func() {
					ended := true
					defer func() {
						p := recover()
						assert.True(t, ended, "it was to leave without a result")
						assert.Equal(t, key == 1, p != nil)
						if p != nil {
							assert.Equal(t, errStore, p)
						}
					}()
					_ = get()
					ended = false
				})
				synctest.Wait()
				_, err := c.Get(bg, key)
				assert.ErrorIs(t, err, lru.ErrLoadPanic)
				assert.Equal(t, key == 1, errors.Is(err, errStore))
				group.Wait()
			}
		}
		assert.EqualValues(t, 4, c.Stats().LoadErrors)
		closes(t, c)
	})
}

// A Store that panics while it saves passes that on, and blocks nobody.
func TestCrashingWrites(t *testing.T) {
	s := newShelf(t, map[int]int{1: 10})
	c := newBacked(t, 100, s, lru.Backing[int]{})
	wants(t, c, 1, 10)
	s.meddle = func(context.Context, string, int) error { panic("oh") }
	assert.PanicsWithValue(t, "oh", func() { _ = c.Set(bg, 1, 11) })
	_, ok := c.Peek(1)
	assert.False(t, ok)
	s.meddle = nil
	assert.NoError(t, c.Set(bg, 1, 12))
	wants(t, c, 1, 12)
	assert.EqualValues(t, 1, c.Stats().SaveErrors)
	closes(t, c)
}

// Functions of the user run with nothing locked: they may use the cache.
func TestFunctionsUseTheCache(t *testing.T) {
	for _, mode := range []lru.WriteMode{lru.WriteThrough, lru.WriteAround, lru.WriteBehind} {
		synctest.Test(t, func(t *testing.T) {
			s := newShelf(t, map[int]int{1: 10, 2: 20, 3: 30})
			var c *lru.Backed[int, int]
			use := func(key int) {
				if c != nil {
					c.Peek(key)
					c.Len()
					c.Stats()
				}
			}
			evicted := map[string]int{}
			b := lru.Backing[int]{Writes: mode, NegativeTTL: time.Hour}
			if mode == lru.WriteBehind {
				b.DirtyLimit = 2
			}
			c = newBacked(t, 2, s, b,
				lru.WithWeigher(func(key, _ int) uint32 { use(key); return 1 }),
				lru.WithExpiry(func(key, _ int) time.Duration { use(key); return time.Hour }),
				lru.WithHasher(func(key int) uint64 { return uint64(key) }),
				lru.WithOnEvict(func(key, value int, why lru.Reason) {
					evicted[why.String()]++
					assert.NotZero(t, value, "memories of absence are not reported")
					c.Peek(key)
					c.Invalidate(key)
					if len(evicted) < 5 && evicted[why.String()] < 5 {
						_, _ = c.Get(bg, key)
						assert.NoError(t, c.Set(bg, key, value+1))
					}
				}))
			for i := range 50 {
				_, _ = c.Get(bg, i%5)
				require.NoError(t, c.Set(bg, i%3+1, i+1))
				require.NoError(t, c.Set(bg, i%3+1, i+2))
			}
			assert.NotEmpty(t, evicted)
			closes(t, c)
		})
	}
}

func TestCloseWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShelf(t, map[int]int{1: 10})
		s.takes = time.Minute
		c := newBacked(t, 100, s, lru.Backing[int]{})
		var group sync.WaitGroup
		group.Go(func() { wants(t, c, 1, 10) })
		group.Go(func() { assert.NoError(t, c.Set(bg, 2, 20)) })
		group.Go(func() { assert.NoError(t, c.Set(bg, 2, 21)) })
		synctest.Wait()
		begun := time.Now()
		closes(t, c)
		assert.Equal(t, 2*time.Minute, time.Since(begun))
		group.Wait()
		for _, err := range []error{c.Set(bg, 1, 1), c.Delete(bg, 1), c.Flush(bg)} {
			assert.Equal(t, lru.ErrClosed, err)
		}
		_, err := c.Get(bg, 1)
		assert.Equal(t, lru.ErrClosed, err)
		v, ok := c.Peek(1)
		assert.True(t, ok)
		assert.Equal(t, 10, v)
	})
}

func TestCloseEndsLoads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShelf(t, map[int]int{1: 10})
		s.takes = time.Hour
		c := newBacked(t, 100, s, lru.Backing[int]{})
		var group sync.WaitGroup
		group.Go(func() {
			_, err := c.Get(bg, 1)
			assert.Equal(t, context.Canceled, err)
		})
		synctest.Wait()
		err := c.Close(within(t, time.Second))
		assert.EqualError(t, err, "lru: calls of the Store under way: 1: context deadline exceeded")
		group.Wait()
		closes(t, c)
	})
}

// one is a Store that says 1 to everything.
type one struct{ loads atomic.Int64 }

func (o *one) Load(context.Context, float64) (int, error) { o.loads.Add(1); return 1, nil }
func (o *one) Save(context.Context, float64, int) error   { return nil }
func (o *one) Delete(context.Context, float64) error      { return nil }

// A NaN is loaded each time, and nothing can be unsaved of it.
func TestBackedNaN(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s one
		nan := math.NaN()
		for _, mode := range []lru.WriteMode{lru.WriteThrough, lru.WriteBehind} {
			s.loads.Store(0)
			c, err := lru.NewBacked(100, &s, lru.Backing[float64]{Writes: mode, NegativeTTL: 1})
			require.NoError(t, err)
			for range 3 {
				v, err := c.Get(bg, nan)
				assert.NoError(t, err)
				assert.Equal(t, 1, v)
				got, err := c.GetMany(bg, []float64{nan, 2, nan})
				assert.NoError(t, err)
				assert.Len(t, got, 3)
			}
			assert.EqualValues(t, 10, s.loads.Load())
			if mode == lru.WriteThrough {
				assert.NoError(t, c.Set(bg, nan, 1))
				assert.NoError(t, c.Delete(bg, nan))
			} else {
				assert.EqualError(t, c.Set(bg, nan, 1), "lru: key is not equal to itself, so nothing can be unsaved of it")
			}
			assert.False(t, c.Invalidate(nan))
			assert.NoError(t, c.Close(bg))
		}
	})
}

// What a function of the user throws when a load evicts something goes to who asked
// for the load, or else to OnError, and holds up nobody.
func TestCrashingCallbacks(t *testing.T) {
	for name, throw := range map[string]func(){"panic": func() { panic("oh") }, "exit": runtime.Goexit} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newShelf(t, map[int]int{1: 10, 2: 20, 3: 30, 4: 40, 5: 50})
				throws, told := false, 0
				c := newBacked(t, 2, batchShelf{s}, lru.Backing[int]{RefreshAhead: time.Minute, OnError: func(_ int, err error) {
					assert.ErrorIs(t, err, lru.ErrLoadPanic)
					told++
				}}, lru.WithOnEvict(func(int, int, lru.Reason) {
					if throws {
						throw()
					}
				}))
				wants(t, c, 1, 10)
				wants(t, c, 2, 20)
				throws, s.takes = true, time.Second
				for i, call := range []func(){
					func() { _, _ = c.Get(bg, 3) },
					func() { _, _ = c.GetMany(bg, []int{4, 5}) },
				} {
					var group sync.WaitGroup
					group.Go(func() {
						done := false
						defer func() {
							assert.Equal(t, name == "panic", recover() != nil)
							assert.False(t, done)
						}()
						call()
						done = true
					})
					synctest.Wait()
					wants(t, c, 3+i, 30+10*i)
					group.Wait()
				}
				throws = false
				wants(t, c, 1, 10)
				throws = true
				time.Sleep(time.Minute)
				wants(t, c, 1, 10) // in the background it is replaced
				time.Sleep(time.Second)
				synctest.Wait()
				if name == "panic" {
					assert.Equal(t, 1, told)
				}
				closes(t, c)
			})
		})
	}
}

// A context that has ended gets what needs no Store, and starts nothing.
func TestEndedContext(t *testing.T) {
	s := newShelf(t, map[int]int{1: 10, 2: 20})
	c := newBacked(t, 100, s, lru.Backing[int]{Writes: lru.WriteBehind})
	wants(t, c, 1, 10)
	require.NoError(t, c.Set(bg, 3, 30))
	c.Invalidate(3)
	s.calls()
	ctx, cancel := context.WithCancel(bg)
	cancel()
	got, err := c.GetMany(ctx, []int{1, 2, 3})
	assert.Equal(t, context.Canceled, err)
	assert.Equal(t, map[int]int{1: 10, 3: 30}, got)
	_, err = c.Get(ctx, 2)
	assert.Equal(t, context.Canceled, err)
	assert.Empty(t, s.calls())
	closes(t, c)
}

func TestBackedAllocatesNothing(t *testing.T) {
	s := newShelf(t, map[int]int{1: 10})
	c := newBacked(t, 100, s, lru.Backing[int]{Writes: lru.WriteBehind, RefreshAhead: time.Hour, StaleIfError: time.Hour, EarlyExpiry: 1, FlushInterval: time.Hour}, lru.WithTTL(time.Hour))
	wants(t, c, 1, 10)
	testkit.NoAllocs(t, "Get", func() { _, _ = c.Get(bg, 1) })
	testkit.NoAllocs(t, "Peek", func() { c.Peek(1) })
	require.NoError(t, c.Set(bg, 2, 20))
	if !isPurego { // with which every entry has a box
		testkit.NoAllocs(t, "Set of what is unsaved", func() { _ = c.Set(bg, 2, 21) })
	}
	closes(t, c)
}
