package lru_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/distkit/distkit/lru"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var errStore = errors.New("store is down")

// held is a load that ends when it is told to.
type held struct {
	loads atomic.Int32
	ctx   context.Context
	end   chan func() (int, error)
}

func newHeld() *held { return &held{end: make(chan func() (int, error))} }

func (h *held) load(ctx context.Context, _ string) (int, error) {
	h.loads.Add(1)
	h.ctx = ctx
	select {
	case f := <-h.end:
		return f()
	case <-ctx.Done():
		return 0, ctx.Err()
	}
}

func returns(v int, err error) func() (int, error) { return func() (int, error) { return v, err } }

// answer is what a GetOrLoad came to.
type answer struct {
	value    int
	err      error
	panicked any
	exited   bool
}

// ask calls GetOrLoad on a goroutine of its own.
func ask(ctx context.Context, c *lru.Concurrent[string, int], key string, load func(context.Context, string) (int, error)) <-chan answer {
	out := make(chan answer, 1)
	go func() {
		a := answer{exited: true}
		defer func() {
			if a.panicked = recover(); a.panicked != nil {
				a.exited = false
			}
			out <- a
		}()
		a.value, a.err = c.GetOrLoad(ctx, key, load)
		a.exited = false
	}()
	return out
}

func TestOneLoadForAThousandWaiters(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := must(lru.NewConcurrent[string, int](100, lru.WithStats()))
		h := newHeld()
		var answers []<-chan answer
		for range 1000 {
			answers = append(answers, ask(t.Context(), c, "a", h.load))
		}
		synctest.Wait()
		time.Sleep(time.Second)
		h.end <- returns(7, nil)
		for _, a := range answers {
			require.Equal(t, answer{value: 7}, <-a)
		}
		assert.EqualValues(t, 1, h.loads.Load())
		v, err := c.GetOrLoad(t.Context(), "a", nil)
		assert.True(t, v == 7 && err == nil, "a hit does not load")
		s := c.Stats()
		assert.EqualValues(t, 1, s.Loads)
		assert.Zero(t, s.LoadErrors)
		assert.Equal(t, time.Second, s.LoadTime)
		assert.EqualValues(t, 1000, s.Misses)
		assert.EqualValues(t, 1, s.Hits)
		check(t, c)
	})
}

func TestErrorsGoToAllAndAreNotKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := must(lru.NewConcurrent[string, int](100))
		h := newHeld()
		first, second := ask(t.Context(), c, "a", h.load), ask(t.Context(), c, "a", h.load)
		synctest.Wait()
		h.end <- returns(3, errStore)
		assert.Equal(t, answer{3, errStore, nil, false}, <-first)
		assert.Equal(t, answer{3, errStore, nil, false}, <-second)
		assert.False(t, c.Contains("a"))
		third := ask(t.Context(), c, "a", h.load)
		h.end <- returns(4, nil)
		assert.Equal(t, answer{value: 4}, <-third)
		assert.EqualValues(t, 2, h.loads.Load())
		assert.EqualValues(t, 1, c.Stats().LoadErrors)
		check(t, c)
	})
}

// What is set or deleted during a load is newer than what is loaded.
func TestChangesDoomLoads(t *testing.T) {
	changes := map[string]func(c *lru.Concurrent[string, int]){
		"Set":        func(c *lru.Concurrent[string, int]) { c.Set("a", 1) },
		"SetWithTTL": func(c *lru.Concurrent[string, int]) { c.SetWithTTL("a", 1, -1) },
		"refused":    func(c *lru.Concurrent[string, int]) { c.Set("a", 1000) },
		"GetOrSet":   func(c *lru.Concurrent[string, int]) { c.GetOrSet("a", 1) },
		"Delete":     func(c *lru.Concurrent[string, int]) { c.Delete("a") },
		"Clear":      func(c *lru.Concurrent[string, int]) { c.Clear() },
		"Update": func(c *lru.Concurrent[string, int]) {
			c.Update("a", func(int, bool) (int, bool) { return 1, true })
		},
		"Set and Delete": func(c *lru.Concurrent[string, int]) { c.Set("a", 1); c.Delete("a") },
		"Set and DeleteFunc": func(c *lru.Concurrent[string, int]) {
			c.Set("a", 1)
			c.DeleteFunc(func(string, int) bool { return true })
		},
	}
	for name, change := range changes {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := must(lru.NewConcurrent[string, int](100, lru.WithWeigher(func(_ string, v int) uint32 { return uint32(v) })))
				h := newHeld()
				before := ask(t.Context(), c, "a", h.load)
				synctest.Wait()
				change(c)
				want, held := c.Peek("a")
				if !held { // who comes now must not get what was read before
					later := newHeld()
					after := ask(t.Context(), c, "a", later.load)
					synctest.Wait()
					later.end <- returns(2, nil)
					assert.Equal(t, answer{value: 2}, <-after)
					want = 2
				}
				h.end <- returns(9, nil)
				assert.Equal(t, answer{value: 9}, <-before)
				got, ok := c.Get("a")
				assert.True(t, ok)
				assert.Equal(t, want, got, "what was loaded is too old")
				check(t, c)
			})
		})
	}
}

// Another key's changes are none of its business.
func TestOtherChangesDoNotDoomLoads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := must(lru.NewConcurrent[string, int](3, lru.WithShards(1)))
		h := newHeld()
		a := ask(t.Context(), c, "a", h.load)
		synctest.Wait()
		for k := range 10 {
			c.Set(fmt.Sprint(k), k)
		}
		c.Delete("9")
		h.end <- returns(5, nil)
		assert.Equal(t, answer{value: 5}, <-a)
		assert.True(t, c.Contains("a"))
		check(t, c)
	})
}

func TestWaitersLeave(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := must(lru.NewConcurrent[string, int](100))
		h := newHeld()
		type name struct{}
		first, leave := context.WithCancel(context.WithValue(t.Context(), name{}, "ann"))
		second, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		a := ask(first, c, "a", h.load)
		synctest.Wait()
		b := ask(second, c, "a", h.load)
		synctest.Wait()
		leave()
		assert.Equal(t, answer{err: context.Canceled}, <-a)
		synctest.Wait()
		require.NoError(t, h.ctx.Err(), "another still waits")
		assert.Equal(t, "ann", h.ctx.Value(name{}))
		_, hasDeadline := h.ctx.Deadline()
		assert.False(t, hasDeadline)

		ctx := h.ctx
		time.Sleep(time.Minute)
		assert.Equal(t, answer{err: context.DeadlineExceeded}, <-b)
		synctest.Wait()
		assert.Error(t, ctx.Err(), "nobody waits")

		// The next one does not get the end of a load that was given up.
		d := ask(t.Context(), c, "a", h.load)
		h.end <- returns(6, nil)
		assert.Equal(t, answer{value: 6}, <-d)

		_, err := c.GetOrLoad(first, "b", h.load)
		assert.ErrorIs(t, err, context.Canceled, "nothing is started for who has left")
		v, err := c.GetOrLoad(first, "a", h.load)
		assert.True(t, v == 6 && err == nil, "what is there costs no wait")
		assert.EqualValues(t, 2, h.loads.Load())
		check(t, c)
	})
}

// A load that ignores its context and ends when nobody waits is dropped.
func TestAbandonedLoadsAreDropped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := must(lru.NewConcurrent[string, int](100))
		end := make(chan int)
		ctx, leave := context.WithCancel(t.Context())
		a := ask(ctx, c, "a", func(context.Context, string) (int, error) { return <-end, nil })
		synctest.Wait()
		leave()
		assert.ErrorIs(t, (<-a).err, context.Canceled)
		b := ask(t.Context(), c, "a", func(context.Context, string) (int, error) { return 2, nil })
		assert.Equal(t, answer{value: 2}, <-b)
		end <- 1
		synctest.Wait()
		v, _ := c.Get("a")
		assert.Equal(t, 2, v)
		check(t, c)
	})
}

func TestLoadsThatDoNotReturn(t *testing.T) {
	for name, test := range map[string]struct {
		throw   func()
		starter answer
		wraps   error
		text    string
	}{
		"panic": {func() { panic("no such user") }, answer{panicked: "no such user"}, nil, "lru: load did not return: no such user"},
		"error": {func() { panic(errStore) }, answer{panicked: errStore}, errStore, "lru: load did not return: store is down"},
		"exit":  {runtime.Goexit, answer{exited: true}, nil, "lru: load did not return: it called runtime.Goexit"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := must(lru.NewConcurrent[string, int](100))
				h := newHeld()
				starter := ask(t.Context(), c, "a", h.load)
				synctest.Wait()
				waiter := ask(t.Context(), c, "a", h.load)
				synctest.Wait()
				h.end <- func() (int, error) { test.throw(); return 1, nil }
				assert.Equal(t, test.starter, <-starter)
				w := <-waiter
				assert.ErrorIs(t, w.err, lru.ErrLoadPanic)
				assert.EqualError(t, w.err, test.text)
				if test.wraps != nil {
					assert.ErrorIs(t, w.err, test.wraps)
				}
				assert.Nil(t, w.panicked)
				assert.False(t, c.Contains("a"))
				assert.EqualValues(t, 1, c.Stats().LoadErrors)
				assert.NoError(t, c.Close(), "waits for nothing")
				check(t, c)
			})
		})
	}
}

// The same for the functions that are asked about what was loaded.
func TestFunctionsThatPanicAfterALoad(t *testing.T) {
	load := func(context.Context, string) (int, error) { return 5, nil }
	c := must(lru.NewConcurrent[string, int](100, lru.WithWeigher(func(string, int) uint32 { panic("weigher") })))
	assert.Equal(t, answer{panicked: "weigher"}, <-ask(t.Context(), c, "a", load))
	assert.NoError(t, c.Close())
	assert.Zero(t, c.Len())
	check(t, c)

	c = must(lru.NewConcurrent[string, int](1, lru.WithOnEvict(func(string, int, lru.Reason) { panic("callback") })))
	c.Set("b", 1)
	assert.Equal(t, answer{panicked: "callback"}, <-ask(t.Context(), c, "a", load))
	assert.True(t, c.Contains("a"), "it was there before the callback")
	assert.NoError(t, c.Close())
	check(t, c)
}

func TestCloseWaitsForLoads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := must(lru.NewConcurrent[string, int](100))
		h := newHeld()
		a := ask(t.Context(), c, "a", h.load)
		synctest.Wait()
		var closed sync.WaitGroup
		var ended atomic.Int32
		for range 2 {
			closed.Go(func() {
				assert.NoError(t, c.Close())
				ended.Add(1)
			})
		}
		synctest.Wait()
		assert.Zero(t, ended.Load())
		joined := ask(t.Context(), c, "a", h.load)
		_, err := c.GetOrLoad(t.Context(), "b", h.load)
		assert.ErrorIs(t, err, lru.ErrClosed)
		synctest.Wait()
		h.end <- returns(1, nil)
		closed.Wait()
		assert.Equal(t, answer{value: 1}, <-a)
		assert.Equal(t, answer{value: 1}, <-joined)
		v, err := c.GetOrLoad(t.Context(), "a", h.load)
		assert.True(t, v == 1 && err == nil, "what is there is still found")
		assert.True(t, c.Set("b", 2))
		assert.NoError(t, c.Close())
		check(t, c)
	})
}

func TestLoadsUnderStress(t *testing.T) {
	var departed atomic.Int64
	c := must(lru.NewConcurrent[int, int](50, lru.WithShards(4), lru.WithOnEvict(func(int, int, lru.Reason) { departed.Add(1) })))
	var now [100]atomic.Int64 // what the store has; it only grows
	crowd(4, func(_ int, r *rand.Rand) {
		for range 2000 {
			k := r.IntN(100)
			switch r.IntN(8) {
			case 0: // a write-through writer
				now[k].Add(1)
				c.Delete(k)
			case 1:
				ctx, cancel := context.WithCancel(t.Context())
				cancel()
				if _, err := c.GetOrLoad(ctx, k, nil); err != nil && !errors.Is(err, context.Canceled) {
					t.Error(err)
				}
			default:
				v, err := c.GetOrLoad(t.Context(), k, func(context.Context, int) (int, error) {
					v := int(now[k].Load())
					runtime.Gosched()
					return v, nil
				})
				if err != nil || int64(v) > now[k].Load() {
					t.Error(v, err)
				}
			}
		}
	})
	// No stale value stayed: the last Delete came after its write.
	for k := range 100 {
		if v, ok := c.Get(k); ok {
			assert.EqualValues(t, now[k].Load(), v, "key %d", k)
		}
	}
	assert.Positive(t, departed.Load())
	check(t, c)
}
