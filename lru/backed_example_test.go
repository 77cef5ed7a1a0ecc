package lru_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/distkit/distkit/lru"
)

// table is a Store in memory that tells what it is asked for: a database, say.
type table struct {
	mu   sync.Mutex
	rows map[string]int
	down bool
}

func (t *table) Load(_ context.Context, key string) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	fmt.Println("  load", key)
	if t.down {
		return 0, errors.New("no connection")
	}
	v, ok := t.rows[key]
	if !ok {
		return 0, lru.ErrNotFound
	}
	return v, nil
}

func (t *table) Save(_ context.Context, key string, value int) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	fmt.Println("  save", key, value)
	if t.down {
		return errors.New("no connection")
	}
	t.rows[key] = value
	return nil
}

func (t *table) Delete(_ context.Context, key string) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	fmt.Println("  delete", key)
	delete(t.rows, key)
	return nil
}

// Read-through and write-through, which is what the zero Backing does.
func ExampleBacked() {
	ctx := context.Background()
	db := &table{rows: map[string]int{"ann": 1}}
	c, err := lru.NewBacked(1000, db, lru.Backing[string]{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(c.Get(ctx, "ann")) // loads
	fmt.Println(c.Get(ctx, "ann"))
	fmt.Println(c.Set(ctx, "ann", 2)) // saves
	fmt.Println(c.Get(ctx, "ann"))
	fmt.Println(c.Get(ctx, "bob"))
	// Output:
	//   load ann
	// 1 <nil>
	// 1 <nil>
	//   save ann 2
	// <nil>
	// 2 <nil>
	//   load bob
	// 0 lru: not found
}

// What is written and seldom read takes no room.
func ExampleBacked_writeAround() {
	ctx := context.Background()
	db := &table{rows: map[string]int{}}
	c, _ := lru.NewBacked(1000, db, lru.Backing[string]{Writes: lru.WriteAround})
	fmt.Println(c.Set(ctx, "ann", 1), c.Len())
	fmt.Println(c.Get(ctx, "ann"))
	fmt.Println(c.Len())
	// Output:
	//   save ann 1
	// <nil> 0
	//   load ann
	// 1 <nil>
	// 1
}

// A thousand writes of a key are one for the Store.
func ExampleBacked_writeBehind() {
	ctx := context.Background()
	db := &table{rows: map[string]int{}}
	c, _ := lru.NewBacked(1000, db, lru.Backing[string]{
		Writes:        lru.WriteBehind,
		FlushInterval: time.Minute,
		OnError:       func(key string, err error) { fmt.Println(key, "is unsaved:", err) },
	})
	for i := range 1000 {
		if err := c.Set(ctx, "hits", i); err != nil {
			fmt.Println(err)
		}
	}
	fmt.Println(c.Get(ctx, "hits"))
	fmt.Println(c.Stats().Dirty, "key is unsaved")
	fmt.Println(c.Close(ctx))
	// Output:
	// 999 <nil>
	// 1 key is unsaved
	//   save hits 999
	// <nil>
}

// Old values are answered at once and loaded anew in the background.
func ExampleBacked_refreshAhead() {
	ctx := context.Background()
	db := &table{rows: map[string]int{"ann": 1}}
	c, _ := lru.NewBacked(1000, db, lru.Backing[string]{RefreshAhead: time.Nanosecond})
	fmt.Println(c.Get(ctx, "ann"))
	db.rows["ann"] = 2 // not through the cache
	time.Sleep(time.Nanosecond)
	v, err := c.Get(ctx, "ann")
	_ = c.Close(ctx) // waits for the load
	fmt.Println(v, err)
	fmt.Println(c.Peek("ann"))
	// Output:
	//   load ann
	// 1 <nil>
	//   load ann
	// 1 <nil>
	// 2 true
}

// An old value is better than none.
func ExampleBacked_staleIfError() {
	ctx := context.Background()
	db := &table{rows: map[string]int{"ann": 1}}
	c, _ := lru.NewBacked(1000, db, lru.Backing[string]{
		StaleIfError: time.Hour,
		OnError:      func(key string, err error) { fmt.Println(" ", key, "is old:", err) },
	}, lru.WithTTL(time.Nanosecond))
	fmt.Println(c.Get(ctx, "ann"))
	db.down = true
	time.Sleep(time.Nanosecond)
	fmt.Println(c.Get(ctx, "ann"))
	// Output:
	//   load ann
	// 1 <nil>
	//   load ann
	//   ann is old: no connection
	// 1 <nil>
}

// That there is no value is worth remembering where many ask for what is not there.
func ExampleBacked_negativeTTL() {
	ctx := context.Background()
	c, _ := lru.NewBacked(1000, &table{}, lru.Backing[string]{NegativeTTL: time.Minute})
	for range 3 {
		_, err := c.Get(ctx, "nobody")
		fmt.Println(errors.Is(err, lru.ErrNotFound))
	}
	// Output:
	//   load nobody
	// true
	// true
	// true
}

// What changed behind the cache's back is to be told to it.
func ExampleBacked_Invalidate() {
	ctx := context.Background()
	db := &table{rows: map[string]int{"ann": 1}}
	c, _ := lru.NewBacked(1000, db, lru.Backing[string]{})
	fmt.Println(c.Get(ctx, "ann"))
	db.rows["ann"] = 2
	fmt.Println(c.Invalidate("ann"))
	fmt.Println(c.Get(ctx, "ann"))
	// Output:
	//   load ann
	// 1 <nil>
	// true
	//   load ann
	// 2 <nil>
}

// batchTable is a BatchStore.
type batchTable struct{ table }

func (t *batchTable) LoadAll(_ context.Context, keys []string) (map[string]int, error) {
	fmt.Println("  load", keys)
	found := map[string]int{}
	for _, key := range keys {
		if v, ok := t.rows[key]; ok {
			found[key] = v
		}
	}
	return found, nil
}

func (t *batchTable) SaveAll(_ context.Context, m map[string]int) error {
	fmt.Println("  save", slices.Sorted(maps.Keys(m)))
	maps.Copy(t.rows, m)
	return nil
}

// A Store that loads and saves many keys at once is asked to.
func ExampleBatchStore() {
	ctx := context.Background()
	db := &batchTable{table{rows: map[string]int{"ann": 1, "bob": 2}}}
	c, _ := lru.NewBacked(1000, db, lru.Backing[string]{Writes: lru.WriteBehind})
	fmt.Println(c.GetMany(ctx, []string{"ann", "bob", "carl"}))
	fmt.Println(c.Set(ctx, "ann", 10), c.Set(ctx, "carl", 3))
	fmt.Println(c.Flush(ctx))
	// Output:
	//   load [ann bob carl]
	// map[ann:1 bob:2] <nil>
	// <nil> <nil>
	//   save [ann carl]
	// <nil>
}
