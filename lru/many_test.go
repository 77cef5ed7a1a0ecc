package lru_test

import (
	"context"
	"errors"
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

// What nobody loads yet is loaded by one call, and what somebody does is waited for.
func TestGetManySharesLoads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShelf(t, map[int]int{1: 10, 2: 20, 3: 30, 4: 40, 5: 50})
		s.takes = time.Second
		c := newBacked(t, 100, batchShelf{s}, lru.Backing[int]{Writes: lru.WriteBehind, FlushInterval: time.Hour})
		wants(t, c, 1, 10)
		require.NoError(t, c.Set(bg, 6, 60))
		require.NoError(t, c.Delete(bg, 5))
		c.Invalidate(6)
		s.calls()
		var group sync.WaitGroup
		group.Go(func() { wants(t, c, 2, 20) })
		synctest.Wait()
		group.Go(func() {
			got, err := c.GetMany(bg, []int{1, 2, 3, 4, 5, 6, 7, 3})
			assert.NoError(t, err)
			assert.Equal(t, map[int]int{1: 10, 2: 20, 3: 30, 4: 40, 6: 60}, got)
		})
		synctest.Wait()
		group.Go(func() { wants(t, c, 3, 30) })
		group.Go(func() { wants(t, c, 7, -1) })
		group.Go(func() {
			got, err := c.GetMany(bg, []int{4, 7})
			assert.NoError(t, err)
			assert.Equal(t, map[int]int{4: 40}, got)
		})
		group.Wait()
		assert.Equal(t, []string{"load [2]", "loadall [3 4 7]"}, s.calls())
		got, err := c.GetMany(bg, nil)
		assert.NoError(t, err)
		assert.Empty(t, got)
		closes(t, c)
	})
}

// Without LoadAll there are so many loads at a time and no more.
func TestGetManyByLoads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShelf(t, nil)
		var at, most atomic.Int64
		s.meddle = func(context.Context, string, int) error {
			most.Store(max(most.Load(), at.Add(1)))
			time.Sleep(time.Second)
			at.Add(-1)
			return nil
		}
		var keys []int
		for i := range 100 {
			keys = append(keys, i)
			s.put(i, i)
		}
		c := newBacked(t, 100, s, lru.Backing[int]{})
		begun := time.Now()
		got, err := c.GetMany(bg, keys)
		assert.NoError(t, err)
		assert.Len(t, got, 100)
		assert.Equal(t, 7*time.Second, time.Since(begun))
		assert.EqualValues(t, 16, most.Load())
		assert.EqualValues(t, 100, c.Stats().Loads)
		closes(t, c)
	})
}

func TestGetManyFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShelf(t, map[int]int{1: 10, 2: 20})
		s.meddle = func(_ context.Context, _ string, key int) error {
			switch key {
			case 3:
				return errDown
			case 4:
				runtime.Goexit()
			case 5:
				panic("oh")
			}
			return nil
		}
		c := newBacked(t, 100, s, lru.Backing[int]{})
		got, err := c.GetMany(bg, []int{1, 3, 2})
		assert.Equal(t, errDown, err)
		assert.Equal(t, map[int]int{1: 10, 2: 20}, got, "what can be got is")
		assert.Panics(t, func() { _, _ = c.GetMany(bg, []int{1, 5, 2}) })
		closes(t, c)

		c = newBacked(t, 100, batchShelf{s}, lru.Backing[int]{})
		wants(t, c, 1, 10)
		got, err = c.GetMany(bg, []int{1, 3, 2})
		assert.Equal(t, errDown, err)
		assert.Equal(t, map[int]int{1: 10}, got, "LoadAll loads all or nothing")
		assert.Panics(t, func() { _, _ = c.GetMany(bg, []int{1, 5, 2}) })
		var group sync.WaitGroup
		group.Go(func() {
			_, _ = c.GetMany(bg, []int{4, 2})
			t.Error("the Store ended the goroutine")
		})
		group.Wait()
		wants(t, c, 2, 20)
		closes(t, c)
	})
}

// The loads of a call that is given up end when nobody else waits for one of them.
func TestGetManyGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShelf(t, map[int]int{1: 10, 2: 20, 3: 30})
		wants3 := time.Minute
		s.meddle = func(ctx context.Context, _ string, key int) error {
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(wants3):
				return nil
			}
		}
		c := newBacked(t, 100, batchShelf{s}, lru.Backing[int]{})
		wants3 = 0
		wants(t, c, 3, 30)
		wants3 = time.Minute
		begun := time.Now()
		var group sync.WaitGroup
		group.Go(func() {
			got, err := c.GetMany(within(t, time.Second), []int{1, 2, 3})
			assert.Equal(t, context.DeadlineExceeded, err)
			assert.Equal(t, map[int]int{3: 30}, got)
			assert.Equal(t, time.Second, time.Since(begun))
		})
		synctest.Wait()
		group.Go(func() {
			_, err := c.Get(within(t, 2*time.Second), 2)
			assert.Equal(t, context.DeadlineExceeded, err)
		})
		group.Wait()
		synctest.Wait()
		assert.EqualValues(t, 3, c.Stats().Loads, "the loads have ended")
		assert.Equal(t, 2*time.Second, time.Since(begun))

		// As long as somebody waits, they go on.
		group.Go(func() {
			_, err := c.GetMany(within(t, time.Second), []int{1, 2})
			assert.True(t, errors.Is(err, context.DeadlineExceeded))
		})
		synctest.Wait()
		wants(t, c, 2, 20)
		group.Wait()
		closes(t, c)
	})
}

// A write overtakes a part of a batch.
func TestGetManyOvertaken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShelf(t, map[int]int{1: 10, 2: 20})
		s.takes = time.Second
		c := newBacked(t, 100, batchShelf{s}, lru.Backing[int]{})
		var group sync.WaitGroup
		group.Go(func() {
			got, err := c.GetMany(bg, []int{1, 2})
			assert.NoError(t, err)
			assert.Equal(t, map[int]int{1: 11, 2: 20}, got)
		})
		time.Sleep(time.Second / 2)
		s.lose = func(string, int) error { return errDown }
		assert.Equal(t, errDown, c.Set(bg, 1, 12))
		s.put(1, 11)
		group.Wait()
		wants(t, c, 1, 11)
		closes(t, c)
	})
}
