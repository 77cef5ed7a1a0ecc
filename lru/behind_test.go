package lru_test

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/distkit/distkit/lru"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var (
	bg      = context.Background()
	errDown = errors.New("the store is down")
)

func within(t testing.TB, d time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(bg, d)
	t.Cleanup(cancel)
	return ctx
}

// Writes of a key within an interval are one save, of the last value.
func TestWriteBehindCoalesces(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShelf(t, map[int]int{9: 9})
		c := newBacked(t, 100, s, lru.Backing[int]{Writes: lru.WriteBehind, FlushInterval: time.Second})
		for i := range 10 {
			require.NoError(t, c.Set(bg, 1, i))
			time.Sleep(90 * time.Millisecond)
		}
		require.NoError(t, c.Delete(bg, 9))
		wants(t, c, 1, 9)
		wants(t, c, 9, -1)
		assert.Empty(t, s.calls(), "nothing is saved yet, and nothing is loaded")
		assert.EqualValues(t, 2, c.Stats().Dirty)
		time.Sleep(100 * time.Millisecond)
		synctest.Wait()
		assert.ElementsMatch(t, []string{"save [1]", "delete [9]"}, s.calls())
		v, _ := s.get(1)
		assert.Equal(t, 9, v)
		_, ok := s.get(9)
		assert.False(t, ok, "it is saved with the first that is due")
		assert.Zero(t, c.Stats().Dirty)
		closes(t, c)
		assert.Empty(t, s.calls())
	})
}

// A dropped Backed is what a crash leaves: what is older than the interval is saved.
func TestCrashLosesOneInterval(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShelf(t, nil)
		c := newBacked(t, 1000, s, lru.Backing[int]{Writes: lru.WriteBehind, FlushInterval: 50 * time.Millisecond})
		written := map[int]time.Time{}
		for i := range 200 {
			require.NoError(t, c.Set(bg, i, i))
			written[i] = time.Now()
			time.Sleep(7 * time.Millisecond)
			synctest.Wait()
			for key, at := range written {
				if _, ok := s.get(key); !ok && time.Since(at) >= 50*time.Millisecond {
					t.Fatalf("key %d is %v old and not saved", key, time.Since(at))
				}
			}
		}
		time.Sleep(time.Second) // a timer is no goroutine, but keeps the bubble
	})
}

func TestDirtyLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShelf(t, nil)
		s.takes = time.Minute
		c := newBacked(t, 1000, s, lru.Backing[int]{Writes: lru.WriteBehind, DirtyLimit: 4})
		for i := range 4 {
			require.NoError(t, c.Set(bg, i, i))
		}
		require.NoError(t, c.Set(bg, 3, 33), "no key more")
		begun := time.Now()
		err := c.Set(within(t, time.Second), 5, 5)
		assert.ErrorIs(t, err, lru.ErrFull)
		assert.ErrorIs(t, err, context.DeadlineExceeded)
		assert.EqualError(t, err, "lru: too many unsaved keys: 4: context deadline exceeded")
		assert.Equal(t, time.Second, time.Since(begun))
		assert.ErrorIs(t, c.Delete(within(t, time.Second), 5), lru.ErrFull)
		_, ok := c.Peek(5)
		assert.False(t, ok, "nothing has changed")

		// First come, first served, as soon as there is room.
		var mu sync.Mutex
		var order []int
		var done sync.WaitGroup
		for i := 10; i < 16; i++ {
			done.Go(func() {
				assert.NoError(t, c.Set(bg, i, i))
				mu.Lock()
				defer mu.Unlock()
				order = append(order, i)
			})
			synctest.Wait()
		}
		served := func() int {
			mu.Lock()
			defer mu.Unlock()
			return len(order)
		}
		assert.Zero(t, served())
		time.Sleep(time.Minute)
		synctest.Wait()
		assert.GreaterOrEqual(t, served(), 3, "half the limit makes saving begin")
		done.Wait()
		assert.ElementsMatch(t, []int{10, 11, 12, 13, 14, 15}, order)
		closes(t, c)
		for i := range 4 {
			v, _ := s.get(i)
			assert.Equal(t, []int{0, 1, 2, 33}[i], v)
		}
	})
}

// While the store fails, keys stay dirty, errors are told, and attempts get rarer.
func TestWriteBehindRetries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShelf(t, nil)
		down := true
		s.meddle = func(context.Context, string, int) error {
			if down {
				return errDown
			}
			return nil
		}
		told := 0
		c := newBacked(t, 1000, s, lru.Backing[int]{Writes: lru.WriteBehind, FlushInterval: time.Second, OnError: func(key int, err error) {
			assert.Equal(t, 1, key)
			assert.Equal(t, errDown, err)
			told++
		}})
		require.NoError(t, c.Set(bg, 1, 1))
		var attempts []time.Duration
		begun := time.Now()
		for range 200 {
			time.Sleep(50 * time.Millisecond)
			synctest.Wait()
			for range s.calls() {
				attempts = append(attempts, time.Since(begun))
			}
		}
		ms := time.Millisecond
		assert.Equal(t, []time.Duration{1000 * ms, 1100 * ms, 1300 * ms, 1700 * ms, 2500 * ms, 4100 * ms, 7300 * ms}, attempts)
		assert.Equal(t, len(attempts), told)
		assert.EqualValues(t, told, c.Stats().SaveErrors)
		assert.EqualValues(t, 1, c.Stats().Dirty)
		wants(t, c, 1, 1)

		err := c.Flush(bg)
		assert.ErrorIs(t, err, errDown)
		assert.EqualError(t, err, "lru: unsaved keys: 1: the store is down")
		down = false
		require.NoError(t, c.Flush(bg))
		assert.Zero(t, c.Stats().Dirty)
		v, _ := s.get(1)
		assert.Equal(t, 1, v)
		closes(t, c)
	})
}

// One key that the store refuses is soon alone in its batch.
func TestPoisonIsIsolated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShelf(t, nil)
		s.meddle = func(_ context.Context, op string, key int) error {
			if key == 77 && op != "load" {
				return errDown
			}
			return nil
		}
		c := newBacked(t, 1000, batchShelf{s}, lru.Backing[int]{Writes: lru.WriteBehind})
		for i := range 400 {
			require.NoError(t, c.Set(bg, i, i))
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		for i := range 400 {
			_, ok := s.get(i)
			assert.Equal(t, i != 77, ok, "key %d", i)
		}
		assert.EqualValues(t, 1, c.Stats().Dirty)

		err := c.Close(within(t, time.Second))
		assert.EqualError(t, err, "lru: unsaved keys: 1: context deadline exceeded: the store is down")
	})
}

// Batches are parallel, as large as it is worth it, and none is larger.
func TestBatches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShelf(t, nil)
		s.takes = time.Second
		c := newBacked(t, 10_000, batchShelf{s}, lru.Backing[int]{Writes: lru.WriteBehind, FlushInterval: time.Second})
		for i := range 4000 {
			require.NoError(t, c.Set(bg, i, i))
		}
		begun := time.Now()
		require.NoError(t, c.Flush(bg))
		assert.Equal(t, 2*time.Second, time.Since(begun), "16 batches in 8 lanes")
		assert.Equal(t, 16, s.count("saveall"))
		closes(t, c)
	})
}

// A store that hangs on one key holds up no other.
func TestHangingSave(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShelf(t, nil)
		s.meddle = func(ctx context.Context, op string, key int) error {
			if key == 1 {
				<-ctx.Done()
				return ctx.Err()
			}
			return nil
		}
		c := newBacked(t, 100, s, lru.Backing[int]{Writes: lru.WriteBehind, FlushInterval: time.Second})
		require.NoError(t, c.Set(bg, 1, 1))
		time.Sleep(2 * time.Second)
		for i := 2; i < 50; i++ {
			require.NoError(t, c.Set(bg, i, i))
		}
		require.NoError(t, c.Set(bg, 1, 11))
		time.Sleep(time.Second)
		synctest.Wait()
		for i := 2; i < 50; i++ {
			_, ok := s.get(i)
			assert.True(t, ok)
		}
		err := c.Flush(within(t, time.Second))
		assert.EqualError(t, err, "lru: unsaved keys: 1: context deadline exceeded")

		err = c.Close(within(t, time.Second))
		assert.ErrorIs(t, err, context.DeadlineExceeded)
		synctest.Wait()
		v, ok := c.Peek(1)
		assert.True(t, ok)
		assert.Equal(t, 11, v)
		assert.EqualValues(t, 1, c.Stats().Dirty)

		s.meddle = nil
		closes(t, c) // goes on
		v, _ = s.get(1)
		assert.Equal(t, 11, v)
		assert.Zero(t, c.Stats().Dirty)
	})
}

func TestCloseReportsWhatIsLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShelf(t, nil)
		s.meddle = func(context.Context, string, int) error { return errDown }
		left := map[int]error{}
		var mu sync.Mutex
		c := newBacked(t, 100, s, lru.Backing[int]{Writes: lru.WriteBehind, FlushInterval: time.Hour, OnError: func(key int, err error) {
			mu.Lock()
			defer mu.Unlock()
			left[key] = err
		}})
		for i := range 3 {
			require.NoError(t, c.Set(bg, i, i))
		}
		err := c.Close(within(t, 10*time.Second))
		assert.EqualError(t, err, "lru: unsaved keys: 3: context deadline exceeded: the store is down")
		synctest.Wait()
		assert.Len(t, left, 3)
		for _, err := range left {
			assert.EqualError(t, err, "context deadline exceeded: the store is down")
		}
		assert.Greater(t, s.count("save"), 12, "several attempts each")
		s.calls()
		time.Sleep(time.Hour)
		assert.Empty(t, s.calls(), "nothing goes on")

		for _, err := range []error{c.Set(bg, 1, 1), c.Delete(bg, 1), c.Flush(bg)} {
			assert.Equal(t, lru.ErrClosed, err)
		}
		_, err = c.Get(bg, 1)
		assert.Equal(t, lru.ErrClosed, err)
		_, err = c.GetMany(bg, []int{1})
		assert.Equal(t, lru.ErrClosed, err)
		s.meddle = nil
		closes(t, c)
		assert.Len(t, s.values, 3)
		closes(t, c)
	})
}

// Who waits for room learns that there will be none.
func TestCloseWakesWaitingWrites(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShelf(t, nil)
		s.takes = time.Second
		c := newBacked(t, 100, s, lru.Backing[int]{Writes: lru.WriteBehind, DirtyLimit: 1})
		require.NoError(t, c.Set(bg, 1, 1))
		var group sync.WaitGroup
		group.Go(func() { assert.Equal(t, lru.ErrClosed, c.Set(bg, 2, 2)) })
		synctest.Wait()
		closes(t, c)
		group.Wait()
		assert.Equal(t, map[int]int{1: 1}, s.values)
	})
}

// What crashes in the background is a failure like others.
func TestCrashingSaves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShelf(t, nil)
		var errs []string
		s.meddle = func(_ context.Context, op string, key int) error {
			switch len(errs) {
			case 0:
				panic("oh")
			case 1:
				runtime.Goexit()
			}
			return nil
		}
		c := newBacked(t, 100, s, lru.Backing[int]{Writes: lru.WriteBehind, OnError: func(key int, err error) { errs = append(errs, err.Error()) }})
		require.NoError(t, c.Set(bg, 1, 1))
		time.Sleep(time.Minute)
		synctest.Wait()
		require.Len(t, errs, 2)
		assert.Contains(t, errs[0], "lru: the Store panicked: oh\n\ngoroutine ")
		assert.Equal(t, "lru: the Store ended its goroutine", errs[1])
		assert.Equal(t, map[int]int{1: 1}, s.values)
		closes(t, c)
	})
}

// The values of a key arrive in order, however slow the store is, and a key that is
// always written is saved about once an interval.
func TestOrderPerKey(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShelf(t, nil)
		s.takes = 30 * time.Millisecond
		c := newBacked(t, 100, s, lru.Backing[int]{Writes: lru.WriteBehind, FlushInterval: 100 * time.Millisecond})
		last := -1
		for i := range 1000 {
			require.NoError(t, c.Set(bg, 1, i))
			time.Sleep(time.Millisecond)
			if v, ok := s.get(1); ok {
				require.GreaterOrEqual(t, v, last)
				require.LessOrEqual(t, i-v, 131, "an interval and a save")
				last = v
			}
		}
		assert.LessOrEqual(t, s.count("save"), 10)
		closes(t, c)
		v, _ := s.get(1)
		assert.Equal(t, 999, v)
	})
}

func TestFlushDuringASave(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShelf(t, nil)
		s.takes = time.Second
		c := newBacked(t, 100, s, lru.Backing[int]{Writes: lru.WriteBehind, FlushInterval: time.Hour})
		require.NoError(t, c.Flush(bg), "nothing to do")
		require.NoError(t, c.Set(bg, 1, 1))
		var group sync.WaitGroup
		group.Go(func() { assert.NoError(t, c.Flush(bg)) })
		synctest.Wait()
		require.NoError(t, c.Set(bg, 1, 2))
		begun := time.Now()
		require.NoError(t, c.Flush(bg))
		assert.Equal(t, 2*time.Second, time.Since(begun), "after the save of 1, one of 2")
		v, _ := s.get(1)
		assert.Equal(t, 2, v)
		group.Wait()
		closes(t, c)
	})
}
