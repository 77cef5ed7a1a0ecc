package lru

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"
)

// behind holds what was written and is not saved yet, a value for each key, and
// saves it. Nothing runs while there is nothing to save: there is a timer for the
// moment at which something is due, and then a goroutine for each batch, up to
// saveLanes at once.
//
// Keys wait on levels: on level 0 those that were written, for the flush interval,
// and on level n those whose last n saves failed, for backOff(n). When the first
// key of a level is due, all of them go, in batches. A batch of level n has at
// most maxBatch >> n keys, so one that the Store refuses is soon alone, and those
// that were in a batch with it are saved.
//
// A key that is being saved is on no level; a value that comes meanwhile waits
// until that save has ended, so the Store sees the values of a key in order.
type behind[K comparable, V any] struct {
	store    Store[K, V]
	batches  BatchStore[K, V] // store, or nil
	interval time.Duration
	limit    int
	onError  func(K, error)

	mu     sync.Mutex
	dirty  map[K]*unsaved[K, V]
	levels [levels]level[K, V]
	lanes  int // batches that are being saved
	timer  *time.Timer
	next   time.Time // when it runs; zero: it does not
	failed uint64    // saves of a key

	// While the Store fails, each batch on its way would only be one more for it to
	// fail. So after as many failures in a row as there are lanes, there is a pause.
	streak int
	paused time.Time // until then

	reserved int // room given to writes that are to come
	claims   []*claim

	ctx     context.Context // of saves
	cancel  context.CancelFunc
	closed  bool
	closing int           // calls of close that wait
	gone    bool          // they gave up
	idle    chan struct{} // of close; closed when nothing is left to do
}

const (
	saveLanes = 8
	maxBatch  = 256
	levels    = 11

	firstBackOff = 100 * time.Millisecond
	outagePause  = 500 * time.Millisecond
)

// backOff returns how long to wait after n failures in a row: 100 ms and then
// twice as long each time, up to 51.2 s.
func backOff(n int) time.Duration { return firstBackOff << (min(n, levels-1) - 1) }

// unsaved is the last written value of a key.
type unsaved[K comparable, V any] struct {
	key      K
	value    V
	deleted  bool      // instead of a value
	writes   uint64    // so many up to now
	since    time.Time // when the first came that is not being saved
	saving   uint64    // the number of the write that is being saved, or 0
	failures int       // in a row
	err      error     // the last of them
	flushes  []awaited
}

// level is a queue of keys that wait equally long, of which the first may go.
type level[K comparable, V any] struct {
	keys []*unsaved[K, V]
	open int
	due  time.Time // the earliest among those that may not go yet
}

func (l *level[K, V]) push(u *unsaved[K, V], due time.Time) {
	if l.open == len(l.keys) || due.Before(l.due) {
		l.due = due
	}
	l.keys = append(l.keys, u)
}

func (l *level[K, V]) release() { l.open = len(l.keys) }

// pop takes up to n of those that may go.
func (l *level[K, V]) pop(n int) []*unsaved[K, V] {
	n = min(n, l.open)
	keys := slices.Clone(l.keys[:n])
	clear(l.keys[:n])
	if l.keys, l.open = l.keys[n:], l.open-n; len(l.keys) == 0 {
		l.keys = nil
	}
	return keys
}

func newBehind[K comparable, V any](s Store[K, V], b Backing[K]) *behind[K, V] {
	w := &behind[K, V]{
		store: s, interval: b.FlushInterval, limit: b.DirtyLimit, onError: b.OnError,
		dirty: map[K]*unsaved[K, V]{},
	}
	w.batches, _ = s.(BatchStore[K, V])
	w.ctx, w.cancel = context.WithCancel(context.Background())
	return w
}

// get returns what is unsaved of key, and whether there is something; deleted says
// that it is the absence of a value.
func (w *behind[K, V]) get(key K) (value V, deleted, ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	u := w.dirty[key]
	if u == nil {
		return value, false, false
	}
	return u.value, u.deleted, true
}

// put makes value, or its absence, what is to be saved of key. held says that
// reserve got room for a key; else there may be none, and then it returns false.
func (w *behind[K, V]) put(key K, value V, deleted, held bool) (bool, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if held {
		w.reserved--
		defer w.grant() // what is not used
	}
	if w.closed {
		return false, ErrClosed
	}
	u := w.dirty[key]
	if u == nil {
		if w.full() {
			return false, nil
		}
		u = &unsaved[K, V]{key: key, since: time.Now()}
		w.dirty[key] = u
		w.levels[0].push(u, u.since.Add(w.interval))
	} else if u.saving == u.writes {
		u.since = time.Now()
	}
	u.value, u.deleted = value, deleted
	u.writes++
	if 2*len(w.levels[0].keys) >= w.limit || w.full() {
		w.levels[0].release()
	}
	w.dispatch()
	return true, nil
}

// claim is a write that waits for room.
type claim struct {
	answered chan struct{}
	held     bool // there is room; else the cache is closed
}

func (w *behind[K, V]) full() bool { return len(w.dirty)+w.reserved >= w.limit }

// reserve waits until there is room for a write of key, and returns true if that
// is kept for it and not needed by a key that is unsaved anyway.
func (w *behind[K, V]) reserve(ctx context.Context, key K) (held bool, err error) {
	w.mu.Lock()
	switch {
	case w.closed:
		w.mu.Unlock()
		return false, ErrClosed
	case w.dirty[key] != nil, !w.full():
		w.mu.Unlock()
		return false, nil
	}
	c := &claim{answered: make(chan struct{})}
	w.claims = append(w.claims, c)
	w.mu.Unlock()

	select {
	case <-c.answered:
	case <-ctx.Done():
		w.mu.Lock()
		defer w.mu.Unlock()
		if i := slices.Index(w.claims, c); i >= 0 {
			w.claims = slices.Delete(w.claims, i, i+1)
			return false, fmt.Errorf("%w: %d: %w", ErrFull, w.limit, ctx.Err())
		}
	}
	if !c.held {
		return false, ErrClosed
	}
	return true, nil
}

// grant gives room to those that wait for it, first come first served.
func (w *behind[K, V]) grant() {
	for len(w.claims) > 0 && !w.full() {
		w.reserved++
		w.answer(true)
	}
}

func (w *behind[K, V]) answer(held bool) {
	c := w.claims[0]
	w.claims[0] = nil
	w.claims = w.claims[1:]
	c.held = held
	close(c.answered)
}

func (w *behind[K, V]) counts() (dirty, failed uint64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return uint64(len(w.dirty)), w.failed
}
