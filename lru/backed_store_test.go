package lru_test

import (
	"context"
	"fmt"
	"maps"
	"sync"
	"testing"
	"time"

	"github.com/distkit/distkit/lru"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// shelf is a Store for tests. It has a journal of its calls, and sees to it that
// changes of a key do not overlap.
type shelf struct {
	t       testing.TB
	takes   time.Duration                                       // each call
	meddle  func(ctx context.Context, op string, key int) error // before a call has its effect; an error instead of it
	lose    func(op string, key int) error                      // after its effect
	mu      sync.Mutex
	values  map[int]int
	journal []string
	writing map[int]bool
}

func newShelf(t testing.TB, values map[int]int) *shelf {
	s := &shelf{t: t, values: map[int]int{}, writing: map[int]bool{}}
	maps.Copy(s.values, values)
	return s
}

func (s *shelf) call(ctx context.Context, op string, keys ...int) error {
	s.mu.Lock()
	s.journal = append(s.journal, fmt.Sprintf("%s %v", op, keys))
	s.mu.Unlock()
	if s.takes > 0 {
		select {
		case <-time.After(s.takes):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	if s.meddle != nil {
		for _, key := range keys {
			if err := s.meddle(ctx, op, key); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *shelf) Load(ctx context.Context, key int) (int, error) {
	if err := s.call(ctx, "load", key); err != nil {
		return 0, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	v, ok := s.values[key]
	if !ok {
		return 0, fmt.Errorf("key %d: %w", key, lru.ErrNotFound)
	}
	return v, nil
}

// change runs a call that changes keys.
func (s *shelf) change(ctx context.Context, op string, m map[int]int, effect func(key int)) error {
	s.mu.Lock()
	var keys []int
	for key := range m {
		assert.False(s.t, s.writing[key], "writes of %d overlap", key)
		s.writing[key] = true
		keys = append(keys, key)
	}
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		for key := range m {
			s.writing[key] = false
		}
	}()
	if err := s.call(ctx, op, keys...); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, key := range keys {
		effect(key)
	}
	if s.lose != nil {
		return s.lose(op, keys[0])
	}
	return nil
}

func (s *shelf) Save(ctx context.Context, key, value int) error {
	return s.change(ctx, "save", map[int]int{key: value}, func(int) { s.values[key] = value })
}

func (s *shelf) Delete(ctx context.Context, key int) error {
	return s.change(ctx, "delete", map[int]int{key: 0}, func(int) { delete(s.values, key) })
}

// calls returns the journal and begins a new one.
func (s *shelf) calls() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	j := s.journal
	s.journal = nil
	return j
}

// count returns how many calls of op are in the journal.
func (s *shelf) count(op string) (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.journal {
		if len(c) > len(op) && c[:len(op)+1] == op+" " {
			n++
		}
	}
	return n
}

func (s *shelf) get(key int) (int, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	v, ok := s.values[key]
	return v, ok
}

func (s *shelf) put(key, value int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.values[key] = value
}

// batchShelf is a BatchStore.
type batchShelf struct{ *shelf }

func (s batchShelf) SaveAll(ctx context.Context, m map[int]int) error {
	return s.change(ctx, "saveall", m, func(key int) { s.values[key] = m[key] })
}

func (s batchShelf) LoadAll(ctx context.Context, keys []int) (map[int]int, error) {
	if err := s.call(ctx, "loadall", keys...); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	m := map[int]int{}
	for _, key := range keys {
		if v, ok := s.values[key]; ok {
			m[key] = v
		}
	}
	return m, nil
}

func newBacked(t testing.TB, capacity int, s lru.Store[int, int], b lru.Backing[int], opts ...lru.Option) *lru.Backed[int, int] {
	c, err := lru.NewBacked(capacity, s, b, opts...)
	require.NoError(t, err)
	return c
}

// wants asserts what Get returns: a value, or with -1 that there is none.
func wants(t testing.TB, c *lru.Backed[int, int], key, want int) {
	t.Helper()
	v, err := c.Get(context.Background(), key)
	if want < 0 {
		assert.ErrorIs(t, err, lru.ErrNotFound)
		return
	}
	assert.NoError(t, err)
	assert.Equal(t, want, v)
}

func closes(t testing.TB, c *lru.Backed[int, int]) {
	t.Helper()
	assert.NoError(t, c.Close(context.Background()))
}
